"""Phrases of the findings: measurements in, plain sentences with the learner's own numbers out."""

from __future__ import annotations

from core.diagnose.curves import Curves, Series
from core.train.words import rate


def sentence(*parts: str) -> str:
    """Whole sentences after one another, empty ones left out."""
    return " ".join(part for part in parts if part)


def counts(number: int, noun: str) -> str:
    """`counts(1, "epoch") -> "1 epoch"`, `counts(4, "epoch") -> "4 epochs"`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def wrong(seen: Curves, error: float) -> str:
    """An error rate as a count where the number of pictures is known: "18 of 53 wrong", else "34 % wrong"."""
    if seen.of is not None and seen.counted:
        return f"{round(error * seen.of)} of {seen.of} wrong"
    return f"{100 * error:.{0 if error >= 0.1 or error == 0 else 1}f} % wrong"


def errors(seen: Curves, *, through: int | None = None) -> str:
    """The course of the error rate: first, the one at row `through` if given, and last."""
    if seen.error is None:
        return ""
    series = seen.error
    if len(series.values) == 1:
        return f"On validation pictures, {wrong(seen, series.last)}."
    middle = None if through is None or through >= series.rows[-1] else series.until(through)
    via = "" if middle is None or through == series.rows[0] else f", {wrong(seen, middle)} after epoch {_one(through)}"
    return f"On validation pictures, {wrong(seen, series.first)} at first{via}, {wrong(seen, series.last)} at the end."


def went(name: str, series: Series) -> str:
    """Where a loss began and ended."""
    if len(series.values) == 1:
        return f"{name} is {series.last:.3g} after one epoch."
    return f"{name} went from {series.first:.3g} to {series.last:.3g} in {len(series.values)} epochs."


def after_finder(seen: Curves) -> str:
    """The rate beside the one the finder suggested, as far as they are known."""
    if seen.lr is None:
        return ""
    beside = "" if seen.suggested_lr is None else f"; the finder suggested {rate(seen.suggested_lr)}"
    return f"The rate was {rate(seen.lr)}{beside}."


def slower(seen: Curves, *, start: str = "Start again from the checkpoint before this run") -> str:
    """One fix: the suggested rate if that is lower, else a tenth."""
    if seen.suggested_lr is not None and (seen.lr is None or seen.suggested_lr < seen.lr):
        return f"{start}, at the finder's rate of {rate(seen.suggested_lr)}."
    if seen.lr is not None:
        return f"{start}, at {rate(seen.lr / 10)}: ten times lower."
    return f"{start}, at a tenth of the rate, or ask the finder for one."


def faster(seen: Curves) -> str:
    """One fix: the suggested rate if that is higher, else ten times the rate."""
    if seen.suggested_lr is not None and (seen.lr is None or seen.suggested_lr > seen.lr):
        return f"Train again at the finder's rate of {rate(seen.suggested_lr)}."
    if seen.lr is not None:
        return f"Train again at {rate(10 * seen.lr)}: ten times higher."
    return "Train again at ten times the rate, or ask the finder for one."


def _one(row: int | None) -> int:
    return 0 if row is None else row + 1
