"""What to do with a finder's curve: rates and losses in, a slice for an unfrozen model, zones and the texture out.

Like the rules, nothing here raises on a curve, however short, flat or broken; where there is no answer it says why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import SettingsError
from core.train.finder_rules import (
    DESCENT,
    FEW,
    Curve,
    Floats,
    before_rise,
    floats,
    read_curve,
    say_rate,
    steepest_stretch,
)

BELOW_FROZEN = 10  # the high end for an unfrozen model, below the rate of the head alone; 5 to 10 is usual
CLOSEST, WIDEST = 3, 100  # the low end lies at least 3 and at most 100 times below the high one
SIDE = 4  # a batch is judged by itself and four on either side: their median does not mind one explosion
LOST = 0.5  # where batches scatter by half of what they fall, the fall is lost in them
BUMPY = 0.15  # from this share of the fall on, single batches hide the line they scatter around
_BUMPY = "Batches disagree about the way, so stay towards the lower end, or take more pictures a step."
_SMOOTH = "Batches agree about the way, so a rate in its steep middle is safe."
_WITHOUT = "Without a low end, all but the last layers get a tenth of the high one."


@dataclass(frozen=True)
class Slice:
    """Rates for an unfrozen model, from the first layers to the last, and why. `low` is None without an answer."""

    low: float | None
    high: float
    why_low: str
    why_high: str


@dataclass(frozen=True)
class Zone:
    """Rates from `low` to `high` and what they are: "too_low", "good" or "too_high", with a sentence."""

    kind: str
    low: float
    high: float
    why: str


@dataclass(frozen=True)
class Texture:
    """How a descent looks: "smooth", "bumpy", or "none" where there is no descent to look at.

    `scatter` is how far a batch lies from the mean of its neighbours, two on either side, on average over the descent,
    as a share of how far the smoothed line falls there. `first` and `last` are the rates of the descent.
    """

    kind: str
    why: str
    scatter: float | None = None
    first: float | None = None
    last: float | None = None


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


def zones(
    lrs: Sequence[float], losses: Sequence[float], losses_smooth: Sequence[float], *, steps: int = 100
) -> tuple[Zone, ...]:
    """The rates that were tried, cut into too low, good and too high, in this order; a zone may be missing.

    Where the losses fall, it is too low until a tenth of the fall is done, and too high from a tenth of the rate on at
    which they begin to rise again. This is read from the single batches, since the smoothed line comes late. Where they
    only rise, a good rate lies between three and three hundred times below the rise.
    """
    with np.errstate(all="ignore"):
        shape = _shape(lrs, losses, steps)
        bounds = None
        if shape is not None:
            bounds = _descent_bounds(shape) if shape.is_descent else _rise_bounds(lrs, losses_smooth, steps)
    if shape is None or bounds is None:
        return ()
    first, last = shape.tried
    begins, ends = (min(max(bound, first), last) for bound in bounds[:2])
    found = (
        Zone("too_low", first, begins, bounds[2]),
        Zone("good", begins, ends, "Here the loss comes down, and one unlucky batch breaks nothing."),
        Zone("too_high", ends, last, bounds[3]),
    )
    return tuple(zone for zone in found if zone.low < zone.high)


def texture(
    lrs: Sequence[float], losses: Sequence[float], losses_smooth: Sequence[float], *, steps: int = 100
) -> Texture:
    """Whether the descent of a curve is bumpy or smooth, measured on the losses of single batches."""
    with np.errstate(all="ignore"):
        shape, curve = _shape(lrs, losses, steps), read_curve(lrs, losses_smooth, steps=steps)
    if shape is None or not (shape.falls and curve.fall >= DESCENT):
        return Texture("none", "There is no clear descent here, so there is nothing that could be smooth or bumpy.")
    first, last, scatter = float(shape.lrs[shape.begins]), float(shape.lrs[shape.turn]), shape.scatter
    seen = (
        f"Between {say_rate(first)} and {say_rate(last)} the batches come down by {shape.fall:.2g}, and each of "
        f"them lies {100 * scatter:.0f} % of that away from its neighbours."
    )
    if scatter >= BUMPY:
        return Texture("bumpy", f"A bumpy descent. {seen} {_BUMPY}", scatter, first, last)
    return Texture("smooth", f"A smooth descent. {seen} {_SMOOTH}", scatter, first, last)


@dataclass(frozen=True)
class _Shape:
    """The losses of single batches without the first tenth. `local`: the median of each and the 4 on either side.

    `begins` is the last row before the lowest at which less than a tenth of the `fall` is done, `turn` the last row at
    which at least nine tenths are. `scatter`: see Texture. `tried`: the smallest and the largest rate of all.
    """

    lrs: Floats
    local: Floats
    begins: int
    turn: int
    start: float
    fall: float
    scatter: float
    broke: bool
    tried: tuple[float, float]

    @property
    def falls(self) -> bool:
        return self.fall > 0 and self.fall >= DESCENT * abs(self.start) and self.begins < self.turn

    @property
    def is_descent(self) -> bool:
        """Whether the losses fall by more than they scatter."""
        return self.falls and self.scatter <= LOST

    @property
    def is_over(self) -> bool:
        return self.broke or self.turn < len(self.local) - 1


def _shape(lrs: Sequence[float], losses: Sequence[float], steps: int) -> _Shape | None:
    curve = read_curve(lrs, losses, steps=steps)
    rates, raw = np.concatenate([curve.lrs, curve.tail_lrs]), np.concatenate([curve.losses, curve.tail])
    if len(raw) < FEW:
        return None
    local = np.array([np.median(raw[max(0, at - SIDE) : at + SIDE + 1]) for at in range(len(raw))])
    start, bottom = float(np.median(local[: max(1, len(local) // 5)])), int(local.argmin())
    fall = start - float(local[bottom])
    above = np.flatnonzero(local[:bottom] >= start - 0.1 * fall)
    turn = int(np.flatnonzero(local <= local[bottom] + 0.1 * max(0.0, fall)).max())
    begins = int(above.max()) if len(above) else 0
    beside = np.convolve(raw, [0.25, 0.25, 0.0, 0.25, 0.25], mode="valid")
    apart = np.abs(raw[2:-2] - beside)[max(0, begins - 2) : max(1, turn - 2)]
    scatter = float(apart.mean()) / fall if fall > 0 and len(apart) else math.inf
    first = [*curve.lrs, *curve.tail_lrs, *(lr for lr in floats(lrs) if math.isfinite(lr) and lr > 0)]
    tried = float(min(first)), float(max(first))
    return _Shape(rates, local, begins, turn, start, fall, scatter, curve.broke, tried)


Bounds = tuple[float, float, str, str]


def _descent_bounds(shape: _Shape) -> Bounds:
    low, turn = float(shape.lrs[shape.begins]), float(shape.lrs[shape.turn])
    high = max(low, turn / 10) if shape.is_over else math.inf
    slow = f"Below {say_rate(low)} the loss hardly falls: a run would take far too many epochs."
    return low, high, slow, f"From {say_rate(turn)} on the batches get worse again. Ten times below is near enough."


def _rise_bounds(lrs: Sequence[float], losses_smooth: Sequence[float], steps: int) -> Bounds | None:
    rise = before_rise(read_curve(lrs, losses_smooth, steps=steps))
    if rise.lr is None:
        return None
    turn = 10 * rise.lr
    slow = "So far below the rise that nearly nothing would change in an epoch."
    return (
        turn / 300,
        turn / CLOSEST,
        slow,
        f"The loss turns up for good at {say_rate(turn)}. A third of that is near enough.",
    )


def _why_high(high: float, frozen_lr: float | None) -> str:
    whole = "Now every layer moves in each step, so the same rate moves the answers much further."
    if frozen_lr is None:
        return f"{say_rate(high)} for the last layers, the end of the slice that was given. {whole}"
    times = frozen_lr / high
    return f"{say_rate(high)} is {say_rate(frozen_lr)}, the rate of the frozen model, divided by {times:.2g}. {whole}"
