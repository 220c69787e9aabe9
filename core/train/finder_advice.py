"""What to do with a finder's curve: rates and losses in, a slice for an unfrozen model, zones and the texture out.

Like the rules, nothing here raises on a curve, however short, flat or broken; where there is no answer it says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import SettingsError
from core.train.finder_rules import DESCENT, FEW, Curve, before_rise, read_curve, say_rate, steepest_stretch

BELOW_FROZEN = 10  # the high end for an unfrozen model, below the rate of the head alone; 5 to 10 is usual
CLOSEST, WIDEST = 3, 100  # the low end lies at least 3 and at most 100 times below the high one
_WITHOUT = "Without a low end, all but the last layers get a tenth of the high one."


@dataclass(frozen=True)
class Slice:
    """Rates for an unfrozen model, from the first layers to the last, and why. `low` is None without an answer."""

    low: float | None
    high: float
    why_low: str
    why_high: str


def high_from(frozen_lr: float) -> float:
    """The high end for an unfrozen model: a tenth of the rate at which its head learned alone. 3e-3 -> 3e-4."""
    return frozen_lr / BELOW_FROZEN


def slice_for(
    lrs: Sequence[float],
    losses_smooth: Sequence[float],
    *,
    steps: int = 100,
    high: float,
    frozen_lr: float | None = None,
) -> Slice:
    """The rates for an unfrozen model whose curve this is: the low end from the curve, the high end as given.

    The low end is where the steepest stretch that lasts begins or, on a curve that is only flat and then up, ten times
    below the rise. It lies between a hundredth and a third of `high`. `frozen_lr`, where it is known, is the rate from
    which `high` was taken.
    """
    if not (math.isfinite(high) and high > 0):
        raise SettingsError(f"The high end of the slice is {high}; it must be a number above 0.", hint="3e-4 is usual.")
    with np.errstate(all="ignore"):
        low, why = _low_end(read_curve(lrs, losses_smooth, steps=steps))
    why_high = _why_high(high, frozen_lr)
    if low is None:
        return Slice(None, high, why, why_high)
    if low > high / CLOSEST:
        capped = high / CLOSEST
        why += f" That is close to the high end or above it, so the low end is a third of that one, {say_rate(capped)}."
        return Slice(capped, high, why, why_high)
    if low < high / WIDEST:
        capped = high / WIDEST
        why += (
            f" So small a rate would hardly move the first layers; a hundredth of the high end is {say_rate(capped)}."
        )
        return Slice(capped, high, why, why_high)
    return Slice(low, high, why, why_high)


def _low_end(curve: Curve) -> tuple[float | None, str]:
    stretch = steepest_stretch(curve)
    if stretch is not None and curve.fall >= DESCENT:
        first, last = stretch
        begins, ends = say_rate(float(curve.lrs[first])), say_rate(float(curve.lrs[last]))
        return float(curve.lrs[first]), f"The steepest slope that lasts goes from {begins} to {ends}; it begins here."
    rise = before_rise(curve)
    if rise.lr is not None:
        return rise.lr, f"The curve has no lasting slope. {rise.why}"
    if len(curve.losses) < FEW:
        return None, f"The curve is too short to read a low end from it. {_WITHOUT}"
    return None, f"The curve neither falls nor rises clearly. {_WITHOUT}"


def _why_high(high: float, frozen_lr: float | None) -> str:
    whole = "Now every layer moves in each step, so the same rate moves the answers much further."
    if frozen_lr is None:
        return f"{say_rate(high)} for the last layers, the end of the slice that was given. {whole}"
    times = frozen_lr / high
    return f"{say_rate(high)} is {say_rate(frozen_lr)}, the rate of the frozen model, divided by {times:.2g}. {whole}"
