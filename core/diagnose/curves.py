"""Measurements on a training log: a table of epochs in, series of finite numbers and a few facts out. No judgement."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

# what other tools call the same column; the first that is there counts
NAMES = {
    "train_loss": ("train_loss", "loss", "train_loss_epoch", "train_loss_smooth"),
    "valid_loss": ("valid_loss", "val_loss", "validation_loss"),
    "error_rate": ("error_rate", "val_error", "valid_error"),
    "accuracy": ("val_accuracy", "val_acc", "valid_accuracy", "valid_acc", "accuracy"),
    "wrong": ("wrong",),
    "of": ("of",),
}
ASSUMED_VALID = 100  # pictures, for judging noise where nobody says how many there were
MOST_VALID = 2_000


@dataclass(frozen=True)
class Series:
    """The finite values of one column, and the rows of the table they stand in. Never empty."""

    values: tuple[float, ...]
    rows: tuple[int, ...]

    @property
    def first(self) -> float:
        """The earliest value."""
        return self.values[0]

    @property
    def last(self) -> float:
        """The latest value."""
        return self.values[-1]

    @property
    def low(self) -> int:
        """Position of the lowest value; of equals the first."""
        return int(np.argmin(self.values))

    @property
    def fall(self) -> float:
        """How far the last value lies below the first, as a share of it."""
        return 1 - self.last / self.first if self.first > 0 else 0.0

    @property
    def last_fall(self) -> float:
        """How far the last value lies below the one before, as a share of it."""
        return 1 - self.last / self.values[-2] if len(self.values) > 1 and self.values[-2] > 0 else 0.0

    @property
    def jitter(self) -> float:
        """Typical size of the noise, read from how sharply the curve bends: 0 for a line, or for under 5 points."""
        if len(self.values) < 5:
            return 0.0
        return float(1.4826 * np.median(np.abs(np.diff(self.values, n=2))) / math.sqrt(6))

    def until(self, row: int) -> float | None:
        """The latest value up to and including `row`."""
        found = [value for value, at in zip(self.values, self.rows, strict=True) if at <= row]
        return found[-1] if found else None

    @property
    def steady(self) -> bool:
        """Whether the second half of a long series falls at least half as far as the first: it does not level off."""
        if len(self.values) < 8:
            return False
        third = len(self.values) // 3
        start, middle, end = (
            float(np.mean(part)) for part in (self.values[:third], self.values[third:-third], self.values[-third:])
        )
        return 0 < (start - middle) < 2 * (middle - end)

    def mean_of_last(self, count: int) -> float:
        """Mean of the last `count` values."""
        return float(np.mean(self.values[-count:]))


@dataclass(frozen=True)
class Curves:
    """A training log, measured. Series are None where the log has no such column.

    `classes`: as given, or the fewest that fit the first error rate; `of`: validation pictures as given or read off
    the error rates, None where neither works; `counted`: whether `of` is sure enough to speak of single pictures.
    `lr_ratio`: rate over suggested rate. `broken`: the row at which the loss stopped being a number.
    """

    epochs: int
    train: Series | None
    valid: Series | None
    error: Series | None
    batches: Series | None
    broken: int | None
    classes: int
    classes_known: bool
    of: int | None
    counted: bool
    lr: float | None
    suggested_lr: float | None

    @property
    def lr_ratio(self) -> float | None:
        """The rate over the suggested rate."""
        return None if self.lr is None or self.suggested_lr is None else self.lr / self.suggested_lr

    @property
    def chance_loss(self) -> float:
        """The loss of knowing nothing: ln(classes)."""
        return math.log(self.classes)

    @property
    def high_loss(self) -> float:
        """`chance_loss`, but at least ln(10) while the classes are a guess: a high loss may just mean many of them."""
        return self.chance_loss if self.classes_known else max(self.chance_loss, math.log(10))

    @property
    def chance_error(self) -> float:
        """The error rate of guessing, all classes being equally common."""
        return 1 - 1 / self.classes

    @property
    def high_error(self) -> float:
        """`chance_error`, but at least that of ten classes while the classes are a guess."""
        return self.chance_error if self.classes_known else max(self.chance_error, 0.9)

    def noise(self, error: float) -> float:
        """Differences of error rates below this mean nothing: two pictures or two standard errors."""
        return noise_of(error, self.of or ASSUMED_VALID)


def measure(
    epochs: Any,
    *,
    lr: Any = None,
    suggested_lr: Any = None,
    classes: Any = None,
    n_valid: Any = None,
    batches: Any = None,
) -> Curves:
    """Read whatever can be read from a log, see `Curves`. Never raises."""
    table = _table(epochs)
    train, valid, error = _column(table, "train_loss"), _column(table, "valid_loss"), _error(table)
    steps = _column(_table(batches), "train_loss")
    of, counted = _pictures(table, n_valid, error)
    known = _classes(classes)
    return Curves(
        epochs=len(table),
        train=_series(train),
        valid=_series(valid),
        error=_series(error),
        batches=_series(steps),
        broken=_broken(train, valid, error, steps),
        classes=known or _fewest_classes(_series(error), of or ASSUMED_VALID),
        classes_known=known is not None,
        of=of,
        counted=counted,
        lr=_positive(lr),
        suggested_lr=_positive(suggested_lr),
    )


def noise_of(error: float, of: int) -> float:
    """Differences of error rates over `of` pictures below this mean nothing: two pictures or two standard errors."""
    share = min(1.0, max(0.0, error))
    return max(2 / of, 2 * math.sqrt(share * (1 - share) / of))


def rising_score(values: Sequence[float]) -> float:
    """How surely a series rises: Mann-Kendall's score, about normal with deviation 1 where there is only noise."""
    count = len(values)
    if count < 3:
        return 0.0
    signs = np.sign(np.subtract.outer(values, values))[np.tril_indices(count, -1)]
    return float(signs.sum() / math.sqrt(count * (count - 1) * (2 * count + 5) / 18))


def _table(data: Any) -> pd.DataFrame:
    try:
        table = data if isinstance(data, pd.DataFrame) else pd.DataFrame(data)
    except (TypeError, ValueError):
        return pd.DataFrame()
    return table.set_axis([str(name).strip().lower() for name in table.columns], axis=1)


def _column(table: pd.DataFrame, meaning: str) -> list[float | None]:
    """A column as floats; None where a cell holds no number at all, and throughout where there is no such column."""
    for name in NAMES[meaning]:
        if name in table:
            return [_float(cell) for cell in table.loc[:, [name]].iloc[:, 0]]
    return [None] * len(table)


def _error(table: pd.DataFrame) -> list[float | None]:
    """Error rates in 0..1: as they stand, or from accuracy, or from counts; percentages are understood."""
    rates = _shares(_column(table, "error_rate"))
    if not any(map(_is_finite, rates)):
        rates = [None if share is None else 1 - share for share in _shares(_column(table, "accuracy"))]
    if not any(map(_is_finite, rates)):
        pairs = zip(_column(table, "wrong"), _column(table, "of"), strict=True)
        rates = _shares([wrong / of if wrong is not None and of else None for wrong, of in pairs])
    return rates


def _shares(values: list[float | None]) -> list[float | None]:
    finite = [value for value in values if value is not None and math.isfinite(value)]
    scale = 100 if finite and 1 < max(finite) <= 100 else 1
    return [None if value is None or not 0 <= value / scale <= 1 else value / scale for value in values]


def _series(values: list[float | None]) -> Series | None:
    kept = [(value, row) for row, value in enumerate(values) if value is not None and math.isfinite(value)]
    if not kept:
        return None
    return Series(tuple(value for value, _ in kept), tuple(row for _, row in kept))


def _broken(
    train: list[float | None], valid: list[float | None], error: list[float | None], steps: list[float | None]
) -> int | None:
    """The first row from which on the losses are no numbers, to the end. An infinite loss counts wherever it stands."""
    rows = list(zip(train, valid, error, strict=True))
    for row, (fitted, held, _) in enumerate(rows):
        if math.inf in (fitted, held):
            return row
    sound = len(rows)
    while sound > 0 and _is_lost(*rows[sound - 1]):
        sound -= 1
    if sound < len(rows):
        return sound
    return len(rows) if steps and steps[-1] is not None and not math.isfinite(steps[-1]) else None


def _is_lost(train: float | None, valid: float | None, error: float | None) -> bool:
    """NaN where a loss should be. A validation loss that lacks together with its error rate was just not taken."""
    if valid is None:
        return _is_nan(train)
    return _is_nan(valid) and (train is None or _is_nan(train) or _is_finite(error))


def _is_nan(value: float | None) -> bool:
    return value is not None and math.isnan(value)


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _pictures(table: pd.DataFrame, n_valid: Any, error: list[float | None]) -> tuple[int | None, bool]:
    counts = [value for value in _column(table, "of") if value is not None and 1 <= value < 1e12]
    given = counts[-1] if counts else _positive(n_valid)
    if given is not None and 1 <= given < 1e12:
        return int(given), True
    return _denominator({rate for rate in error if rate is not None and 0 < rate < 1})


def _denominator(rates: Iterable[float]) -> tuple[int | None, bool]:
    """The fewest pictures that make every error rate a count, if that cannot well be chance: 0.566038 is 30 of 53."""
    shares = sorted(rates)[:: max(1, len(set(rates)) // 12)]
    if not shares:
        return None, False
    slack = np.array([max(0.5 * 10.0 ** -len(f"{share:.12f}".rstrip("0").split(".")[1]), 1e-7) for share in shares])
    sizes = np.arange(2, MOST_VALID)[:, None]
    counts = np.array(shares) * sizes
    fits = (np.abs(counts - np.round(counts)) <= slack * sizes * 1.01).all(axis=1) & (np.round(counts) >= 1).all(axis=1)
    if not fits.any():
        return None, False
    found = int(fits.argmax())
    by_chance = np.minimum(1.0, 2 * slack * sizes[: found + 1]).prod(axis=1).sum()
    return (int(sizes[found, 0]), len(shares) >= 3) if by_chance < 0.05 else (None, False)


def _classes(classes: Any) -> int | None:
    given = _positive(len(classes) if isinstance(classes, (list, tuple)) else classes)
    return int(given) if given is not None and 2 <= given < 1e9 else None


def _fewest_classes(error: Series | None, of: int) -> int:
    """The fewest classes for which guessing explains the first error rate, luck aside; ten where there is none."""
    if error is None:
        return 10
    first = min(error.first, 0.999)
    first -= 0.5 * math.sqrt(first * (1 - first) / of)
    return max(2, math.ceil(1 / (1 - first) - 0.05))


def _positive(value: Any) -> float | None:
    number = _float(value[-1] if isinstance(value, (list, tuple)) and value else value)
    return number if number is not None and math.isfinite(number) and number > 0 else None


def _float(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
