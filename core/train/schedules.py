"""Schedules: a position in, a learning rate or a momentum out. Pure functions, drawable without training.

A position runs from 0 (the run begins) to 1 (the run is over); step i of n has position i / n, so 1 is approached
and not reached. `SCHEDULES` holds every schedule by name in one calling manner; `rate_at` and `momentum_at` are what
a training loop needs. A new schedule is one function with `@schedule()` above it.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from core.errors import SettingsError

PLAIN_MOMENTUM = 0.9
_SNAP = 1e-9  # positions come from divisions of whole numbers: this far below a cycle's end is the end itself


class Schedule(Protocol):
    """What `SCHEDULES` holds. `pos` in [0, 1]; schedules that count epochs read `epochs`, the others pass it over."""

    def __call__(self, pos: float, *, lr_max: float = ..., epochs: float = ..., **options: Any) -> float:
        """The rate at `pos`."""
        ...


SCHEDULES: dict[str, Schedule] = {}


def schedule(*, counts_epochs: bool = False) -> Callable[[Callable[..., float]], Callable[..., float]]:
    """Register a function under its own name. With `counts_epochs` it takes the fractional epoch, not the position."""

    def register(rate: Callable[..., float]) -> Callable[..., float]:
        @functools.wraps(rate)
        def by_position(pos: float, *, lr_max: float = 1.0, epochs: float = 1.0, **options: Any) -> float:
            if not counts_epochs:
                return rate(pos, lr_max=lr_max, **options)
            # the run's end is no restart: just before it the last cycle runs out
            return rate(pos * epochs if pos < 1 else epochs * (1 - 1e-6), lr_max=lr_max, **options)

        SCHEDULES[rate.__name__] = by_position
        return rate

    return register


def _clamp(pos: float) -> float:
    return min(1.0, max(0.0, pos))


def _cos(start: float, end: float, pos: float) -> float:
    """Half a cosine wave from `start` (pos 0) to `end` (pos 1): slow, fast, slow."""
    return end + (start - end) * (1 + math.cos(math.pi * _clamp(pos))) / 2


def _up_down(values: tuple[float, float, float], pos: float, pct_start: float) -> float:
    """Half a wave from the first value to the second until `pct_start`, another to the third in the rest."""
    if pos < pct_start:
        return _cos(values[0], values[1], pos / pct_start)
    return _cos(values[1], values[2], (pos - pct_start) / (1 - pct_start) if pct_start < 1 else 0.0)


@schedule()
def one_cycle(
    pos: float, *, lr_max: float = 1.0, div: float = 25.0, div_final: float = 1e5, pct_start: float = 0.25
) -> float:
    """Warm up from lr_max / div to lr_max over `pct_start` of the run, then fall to lr_max / div_final.

    `one_cycle(0, lr_max=0.003) -> 0.00012`, at 0.25 -> 0.003. The idea is Smith's (arXiv:1803.09820, and
    "super-convergence", arXiv:1708.07120); the cosine legs are the common later form of his straight ones.
    """
    return _up_down((lr_max / div, lr_max, lr_max / div_final), _clamp(pos), pct_start)


def one_cycle_momentum(
    pos: float, *, pct_start: float = 0.25, moms: tuple[float, float, float] = (0.95, 0.85, 0.95)
) -> float:
    """The momentum that goes with `one_cycle`: low where the rate is high (arXiv:1803.09820, section 4)."""
    return _up_down(moms, _clamp(pos), pct_start)


@schedule(counts_epochs=True)
def sgdr(
    epoch: float, *, lr_max: float = 1.0, cycle_len: float = 1, cycle_mult: float = 1, lr_min: float = 0.0
) -> float:
    """Cosine cycles with warm restarts: the first lasts `cycle_len` epochs, each next `cycle_mult` times as long.

    `epoch` is fractional. At the end of a cycle the rate is lr_max again: with cycle_mult=2 at epochs 1, 3, 7, …
    SGDR, arXiv:1608.03983.
    """
    if not (cycle_len > 0 and cycle_mult >= 1 and math.isfinite(epoch)):
        raise SettingsError(
            f"Restarts were asked for with cycles of {cycle_len} epochs, multiplied by {cycle_mult}, at epoch {epoch}.",
            hint="The cycle length must lie above 0 and the multiplier must be 1 or more.",
        )
    done = max(0.0, epoch) / cycle_len
    length = 1.0
    if cycle_mult == 1:
        done = max(0.0, done - math.floor(done + _SNAP * max(1.0, done)))
    else:
        start = 0.0
        while done >= (start + length) * (1 - _SNAP):
            start, length = start + length, length * cycle_mult
        done = max(0.0, done - start)
    return _cos(lr_max, lr_min, done / length)


@schedule()
def cosine(pos: float, *, lr_max: float = 1.0, lr_min: float = 0.0) -> float:
    """From lr_max to lr_min along half a cosine wave: one cycle of SGDR, arXiv:1608.03983. Halfway: the mean."""
    return _cos(lr_max, lr_min, pos)


@schedule()
def linear(pos: float, *, lr_max: float = 1.0, lr_min: float = 0.0) -> float:
    """A straight line from lr_max to lr_min; hard to beat when the number of epochs is fixed (arXiv:1905.04753)."""
    return lr_max + (lr_min - lr_max) * _clamp(pos)


@schedule()
def exponential(pos: float, *, lr_max: float = 1.0, lr_min: float | None = None) -> float:
    """The same factor in every step, from lr_max to lr_min (lr_max / 1000 when left out), as in arXiv:1512.00567."""
    end = lr_max / 1000 if lr_min is None else lr_min
    if not (lr_max > 0 and end > 0):
        raise SettingsError(
            f"An exponential schedule was asked to run from {lr_max} to {end}; both must lie above 0.",
            hint="A factor never reaches 0. Use a small last rate, or the linear schedule.",
        )
    return float(lr_max * (end / lr_max) ** _clamp(pos))


@schedule()
def step(pos: float, *, lr_max: float = 1.0, at: Sequence[float] = (0.5, 0.75), factor: float = 0.1) -> float:
    """Constant, multiplied by `factor` at each position in `at`; the first ResNets trained so (arXiv:1512.03385)."""
    return float(lr_max * factor ** sum(pos >= edge - _SNAP for edge in at))


@schedule()
def flat_cos(pos: float, *, lr_max: float = 1.0, pct_start: float = 0.75, div_final: float = 1e5) -> float:
    """Constant until `pct_start` of the run, then a cosine down to lr_max / div_final (fastai's `fit_flat_cos`)."""
    return _up_down((lr_max, lr_max, lr_max / div_final), _clamp(pos), pct_start)


@schedule()
def constant(pos: float, *, lr_max: float = 1.0) -> float:
    """The same rate all the way: the yardstick for every other schedule. `pos` does not matter."""
    return lr_max


@schedule()
def painted(
    pos: float,
    *,
    lr_max: float = 1.0,
    places: Sequence[float] = (0.0, 0.25, 0.6, 1.0),
    heights: Sequence[float] = (0.1, 1.0, 0.5, 0.0),
) -> float:
    """Through knots that somebody painted: at each of `places` (0 to 1) the share of lr_max in `heights` (0 to 1).

    Between two knots runs half a cosine wave, as in `one_cycle`, which is the schedule with three knots: no knot is
    overshot. `painted(0.25, lr_max=0.003) -> 0.003`. `places` begin with 0, rise, and end with 1.
    """
    _check_knots(places, heights)
    at = _clamp(pos)
    right = next(knot for knot in range(1, len(places)) if at <= places[knot] or knot == len(places) - 1)
    start, end = places[right - 1], places[right]
    return lr_max * _cos(heights[right - 1], heights[right], (at - start) / (end - start))


def _check_knots(places: Sequence[float], heights: Sequence[float]) -> None:
    rising = len(places) == len(heights) > 1 and all(low < high for low, high in itertools.pairwise(places))
    if not (rising and places[0] == 0 and places[-1] == 1 and all(0 <= height <= 1 for height in heights)):
        raise SettingsError(
            f"A schedule was to be painted through the heights {list(heights)} at the places {list(places)}.",
            hint="There is one height from 0 to 1 for each place; places begin with 0, rise, and end with 1.",
        )


_MOMENTUM: dict[str, Callable[[float], float]] = {"one_cycle": one_cycle_momentum}


def rate_at(name: str, pos: float, *, lr_max: float, epochs: float = 1.0, **options: Any) -> float:
    """The rate of the schedule `name` at `pos` in [0, 1] of a stage of `epochs` epochs; `options` are its own."""
    return _find(name)(pos, lr_max=lr_max, epochs=epochs, **options)


def momentum_at(name: str, pos: float, **options: Any) -> float:
    """The momentum beside the rate: 0.95 -> 0.85 -> 0.95 for one_cycle, 0.9 throughout for all others."""
    _find(name)
    if name not in _MOMENTUM:
        return PLAIN_MOMENTUM
    known = inspect.signature(_MOMENTUM[name]).parameters
    return _MOMENTUM[name](pos, **{option: value for option, value in options.items() if option in known})


def options_of(name: str) -> dict[str, Any]:
    """The options of a schedule besides its rate, and their usual values."""
    parameters = inspect.signature(_find(name)).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "lr_max"}


def check_options(name: str, options: Mapping[str, Any]) -> None:
    """Raise SettingsError for an option that a schedule does not have, or a value that gives no rates."""
    known = options_of(name)
    if strange := sorted(set(options) - set(known)):
        allowed = ", ".join(known) or "none"
        raise SettingsError(
            f"The schedule {name!r} has no option {strange[0]!r}; it has {allowed}.", hint="Leave it out."
        )
    try:
        rates = [rate_at(name, pos / 20, lr_max=1.0, epochs=4, **options) for pos in range(21)]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError) as error:
        raise SettingsError(
            f"The schedule {name!r} cannot work with {dict(options)}: {error}.", hint="Leave the options out."
        ) from error
    if not all(isinstance(rate, float) and math.isfinite(rate) and rate >= 0 for rate in rates):
        raise SettingsError(
            f"The schedule {name!r} with {dict(options)} has rates that are no numbers from 0 on.",
            hint="Leave the options out.",
        )


def _find(name: str) -> Schedule:
    if name not in SCHEDULES:
        raise SettingsError(
            f"The schedule {name!r} is not known; there are {', '.join(SCHEDULES)}.", hint="Use 'one_cycle' first."
        )
    return SCHEDULES[name]


def spread(lr: float | tuple[float | None, float] | Sequence[float], groups: int) -> list[float]:
    """One rate per layer group, first layers first.

    A number: the same for all. A pair (low, high): geometric from low to high; `spread((1e-5, 1e-3), 3) -> [1e-5,
    1e-4, 1e-3]`. A pair (None, high): high / 10 for all but the last. One group takes the high end. A list is taken
    as it is and must hold one rate per group.
    """
    if groups < 1:
        raise SettingsError(f"Rates were asked for {groups} layer groups.", hint="A model has at least one.")
    if isinstance(lr, (int, float)):
        return [float(lr)] * groups
    if isinstance(lr, tuple) and len(lr) == 2:
        return _between(lr[0], _rate(lr[1]), groups)
    if len(lr) != groups:
        raise SettingsError(
            f"{len(lr)} rates were given for {groups} layer groups.",
            hint="Give one rate per group, one rate for all, or a pair (low, high).",
        )
    return [_rate(value) for value in lr]


def _between(low: float | None, high: float, groups: int) -> list[float]:
    if low is None:
        return [high / 10] * (groups - 1) + [high]
    if groups == 1:
        return [high]
    ratio = high / _rate(low)
    return [float(low * ratio ** (i / (groups - 1))) for i in range(groups)]


def _rate(value: float | None) -> float:
    if value is None or not (math.isfinite(value) and value > 0):
        raise SettingsError(f"A learning rate is {value}; it must be a number above 0.", hint="For example 0.003.")
    return float(value)


def simulate(schedule: Callable[..., float], steps: int, **options: Any) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The values at `steps` even positions from 0 to 1, both ends included. `simulate(cosine, 3) -> [1.0, 0.5, 0.0]`.

    `options` go to the schedule, such as lr_max. Takes whatever is called with a position: an entry of SCHEDULES,
    `one_cycle_momentum`, a partial of `rate_at`.
    """
    return np.array([schedule(float(pos), **options) for pos in np.linspace(0.0, 1.0, steps)], dtype=np.float64)
