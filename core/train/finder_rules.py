"""What a finder's curve says about a rate: rates and smoothed losses in, one answer a rule out, with a sentence.

`suggest` asks every rule in `RULES`; a new rule is one function with `@rule` above it. No rule ever raises: where it
has no answer it says why.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]

DESCENT = 0.2  # a fall of a fifth is a descent; less is within what a running mean of noisy batches does by itself
RISE = 0.3  # this share above its bottom, and never back below it: the curve has turned up
SKIP_LAST = 5  # the last points are the blow-up, not the curve
FEW = 10  # with fewer points than this an answer is a guess
SLIDE_WIDTH, SLIDE_CALM = 15, 0.005
SWINGS = 50  # a mean with the weight 0.98 holds some 50 batches; one of fewer swings more


@dataclass(frozen=True)
class Suggestion:
    """A rate, the index of the point it was read from, and why. Without an answer `lr` and `index` are None."""

    lr: float | None
    index: int | None
    why: str


@dataclass(frozen=True)
class Curve:
    """What the rules look at: the part of the record worth reading. `offset`: index of its first point in the record.

    `tail` holds the losses after that part up to the last finite one, with `tail_lrs`; `broke` says that the loss
    stopped being a number.
    """

    lrs: Floats
    losses: Floats
    offset: int
    tail_lrs: Floats
    tail: Floats
    broke: bool

    @property
    def fall(self) -> float:
        """How far the loss falls from where it begins (mean of the first tenth), as a share of it."""
        if len(self.losses) < 2:
            return 0.0
        start = float(self.losses[: max(1, len(self.losses) // 10)].mean())
        return (start - float(self.losses.min())) / abs(start) if start else 0.0


Rule = Callable[[Curve], Suggestion]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Register a rule under its function's name."""
    RULES[function.__name__] = function
    return function


def suggest(lrs: Sequence[float], losses: Sequence[float], steps: int = 100) -> dict[str, Suggestion]:
    """What each rule makes of a finder's curve, and "recommended" last. Never raises.

    `losses` are the smoothed ones; `steps` is the number of batches planned. The rules pass over the first tenth of
    the plan (noise) and the last five points (the blow-up), and stop at the first loss that is not a number.
    """
    with np.errstate(all="ignore"):
        curve = read_curve(lrs, losses, steps=steps)
        answers = {name: judge(curve) for name, judge in RULES.items()}
        answers["recommended"] = _recommend(curve, answers)
    return answers


def read_curve(lrs: Sequence[float], losses: Sequence[float], *, steps: int = 100) -> Curve:
    """The part of a record worth reading; whatever is no positive rate or no finite loss ends it."""
    rates, values = floats(lrs), floats(losses)
    size = min(len(rates), len(values))
    first = min(max(0, steps // 10), size)
    usable = np.isfinite(values[first:size]) & np.isfinite(rates[first:size]) & (rates[first:size] > 0)
    broke = not usable.all()
    end = first + (int(usable.argmin()) if broke else len(usable))
    last = max(first, min(end, size - SKIP_LAST))
    return Curve(rates[first:last], values[first:last], first, rates[last:end], values[last:end], broke)


@rule
def valley(curve: Curve) -> Suggestion:
    """Halfway along the longest descent, which may be interrupted by smaller rises."""
    count = len(curve.losses)
    if count == 0:
        return _none(curve)
    length = np.ones(count, dtype=int)  # of the longest falling series that ends at each point
    for i in range(1, count):
        length[i] += max(length[:i][curve.losses[:i] > curve.losses[i]], default=0)
    end, longest = int(length.argmax()), int(length.max())
    if longest == 1:
        return _pick(curve, 0, "The loss never falls here, so this is only the first rate.")
    # a descent of two points at the very start counts back from the end, as the reference library does
    middle = (end - longest + longest // 3 + longest // 6) % count
    return _pick(curve, middle, f"Halfway along the longest descent, which ends at {say_rate(curve.lrs[end])}.")


@rule
def steep(curve: Curve) -> Suggestion:
    """Where the loss falls fastest for each tenfold of the rate."""
    if len(curve.losses) < 2:
        return _none(curve, need=2)
    slopes = np.diff(curve.losses) / np.diff(np.log(curve.lrs))
    if np.isnan(slopes).all():
        return Suggestion(None, None, "The rates do not change, so the curve has no slope.")
    at = int(np.nanargmin(slopes))
    if not slopes[at] < 0:
        return _pick(curve, at, "The loss falls nowhere, so this is only where it rises least.")
    return _pick(curve, at, "Here the loss falls fastest for each tenfold of the rate.")


@rule
def minimum(curve: Curve) -> Suggestion:
    """A tenth of the rate at which the loss is lowest: there it is about to turn, so stay well below."""
    if len(curve.losses) == 0:
        return _none(curve)
    at = int(curve.losses.argmin())
    why = f"A tenth of {say_rate(curve.lrs[at])}, where the loss is lowest ({curve.losses[at]:.3g})."
    found = _pick(curve, at, why)
    return replace(found, lr=float(curve.lrs[at] / 10))


@rule
def slide(curve: Curve) -> Suggestion:
    """Slide a window of 15 points down from the high rates until the slope at its two ends is the same."""
    if len(curve.losses) <= SLIDE_WIDTH:
        return _none(curve, need=SLIDE_WIDTH + 1)
    slope = np.gradient(curve.losses)
    left = len(slope) - 1 - SLIDE_WIDTH
    at = left
    while left >= 0 and abs(slope[left + SLIDE_WIDTH] - slope[left]) > SLIDE_CALM:
        at, left = left, left - 1
    return _pick(curve, at, "Coming down from the high rates, the curve has one slope over 15 points just below here.")


@rule
def before_rise(curve: Curve) -> Suggestion:
    """Ten times below the point where the curve turns up for good: the rule for curves that are only flat, then up."""
    losses = np.concatenate([curve.losses, curve.tail])
    lrs = np.concatenate([curve.lrs, curve.tail_lrs])
    if len(losses) == 0:
        return _none(curve)
    # the level of the bottom: the lowest point alone may be luck
    low = float(np.percentile(losses, 10, method="lower"))
    turn = int(np.flatnonzero(losses <= low + RISE * abs(low)).max())
    if turn == len(losses) - 1 and not curve.broke:
        return Suggestion(None, None, "The loss does not turn up anywhere, so there is no rise to stay below.")
    why = f"Ten times below {say_rate(lrs[turn])}, where the loss turns up for good."
    return Suggestion(float(lrs[turn] / 10), curve.offset + turn, why)


def _recommend(curve: Curve, answers: dict[str, Suggestion]) -> Suggestion:
    """One answer: valley where there is a descent, else before_rise; never outside the rates that were tried."""
    found, rise = answers["valley"], answers["before_rise"]
    if found.lr is not None and curve.fall >= DESCENT:
        return replace(found, why=f"{found.why} The loss falls by {100 * curve.fall:.0f} %: a clear descent.")
    if rise.lr is not None:
        lowest = float(min([*curve.lrs, *curve.tail_lrs]))
        why = f"{rise.why} There is no clear descent before it, so the rise is the only landmark."
        return replace(rise, lr=max(rise.lr, lowest), why=why)
    if len(curve.losses) < FEW:
        return Suggestion(None, None, "The curve is too short to read. Run the finder again with more batches.")
    if not curve.fall > 0:
        return Suggestion(None, None, "The loss neither falls nor rises: these rates tell nothing apart.")
    return found


def _pick(curve: Curve, at: int, why: str) -> Suggestion:
    """The point `at`, as the answer of a rule that reads a descent; the doubts such a rule must have are added."""
    if len(curve.losses) < FEW:
        why = f"{why} Only {_points(curve)} could be read, so this is a guess."
    elif not curve.fall >= DESCENT:
        why = f"{why} But the loss falls by only {max(0.0, 100 * curve.fall):.0f} % in all, so do not lean on it."
    return Suggestion(float(curve.lrs[at]), curve.offset + at, why)


def _none(curve: Curve, need: int = 1) -> Suggestion:
    because = "the loss stopped being a number" if curve.broke else "the first and the last ones do not count"
    return Suggestion(None, None, f"The curve has {_points(curve)} to read and this rule needs {need}: {because}.")


def _points(curve: Curve) -> str:
    seen = len(curve.losses)
    return "1 point" if seen == 1 else f"{seen or 'no'} points"


def say_rate(lr: float) -> str:
    """A rate as people say it, with two digits: 0.0031 -> "3.1e-3", 1.5 -> "1.5"."""
    if lr >= 1:
        return f"{lr:.2g}"
    mantissa, exponent = f"{lr:.1e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def steepest_stretch(curve: Curve) -> tuple[int, int] | None:
    """First and last row of the tenth of a curve, at least FEW points, over which a straight line falls most steeply.

    A running mean of few batches swings by itself, so a slope counts for more the more batches went into it. None
    where the curve is shorter or falls over no such stretch.
    """
    width = max(FEW, len(curve.losses) // 10)
    if len(curve.losses) < width:
        return None
    xs = np.arange(width) - (width - 1) / 2
    slopes = np.convolve(curve.losses, xs[::-1], mode="valid")
    slopes *= np.minimum(curve.offset + 1 + np.arange(len(slopes)), SWINGS)
    first = int(slopes.argmin())
    return (first, first + width - 1) if slopes[first] < 0 else None


def floats(values: Iterable[Any]) -> Floats:
    """Whatever is no number becomes NaN."""
    return np.array([_float(value) for value in values], dtype=np.float64)


def _float(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
