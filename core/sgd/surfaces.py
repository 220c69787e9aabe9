"""A bumpy landscape with broad and narrow valleys: where it is low is known exactly; many balls roll down it at once.

The loss along one line, made of half cosine waves from peak to trough to peak, as smooth as it looks. A trough of
half-width w and height d below peaks of height 1 has the curvature (1 - d) / 2 * (pi / w)**2 at its bottom, so plain
gradient descent comes to rest in it only below the rate 2 / curvature: at rates at which balls settle in broad valleys,
they are shaken in narrow ones, and thrown out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import SettingsError

BROAD, NARROW = (0.35, 0.5), (0.1, 0.16)  # half-widths of valleys
BROAD_VALLEYS, NARROW_VALLEYS = 3, 9
DEEPEST = (0.15, 0.3)  # how high the bottom of a broad and of a narrow valley may lie; the peaks lie at 1


@dataclass(frozen=True)
class Landscape:
    """Peaks and troughs in turns: `places` (2 v + 1,) rising from 0, their `heights`, and which valleys are `broad`."""

    places: np.ndarray
    heights: np.ndarray
    broad: np.ndarray

    @property
    def length(self) -> float:
        """Where it ends; it begins at 0, and balls bounce off both ends."""
        return float(self.places[-1])

    @property
    def minima(self) -> np.ndarray:
        """Where the valleys are lowest (v,)."""
        found: np.ndarray = self.places[1::2]
        return found

    @property
    def curvatures(self) -> np.ndarray:
        """The second derivative at each minimum (v,)."""
        half = np.diff(self.places)[::2]
        found: np.ndarray = (self.heights[::2][:-1] - self.heights[1::2]) / 2 * (np.pi / half) ** 2
        return found

    @property
    def limits(self) -> np.ndarray:
        """The highest rate at which plain gradient descent comes to rest in each valley (v,): 2 / curvature."""
        found: np.ndarray = 2 / self.curvatures
        return found

    @property
    def broad_share(self) -> float:
        """The share of all places that lie over a broad valley."""
        widths = np.diff(self.places[::2])
        return float(widths[self.broad].sum() / self.length)

    def valley_of(self, at: np.ndarray) -> np.ndarray:
        """The number of the valley under each place."""
        found: np.ndarray = self._wave(at) // 2
        return found

    def loss(self, at: np.ndarray) -> np.ndarray:
        """How high the landscape is at each place."""
        left, pos, _ = self._along(at)
        start, end = self.heights[left], self.heights[left + 1]
        found: np.ndarray = end + (start - end) * (1 + np.cos(np.pi * pos)) / 2
        return found

    def gradient(self, at: np.ndarray) -> np.ndarray:
        """How steep it is there, upwards to the right."""
        left, pos, width = self._along(at)
        found: np.ndarray = (self.heights[left + 1] - self.heights[left]) / 2 * np.sin(np.pi * pos) * np.pi / width
        return found

    def _wave(self, at: np.ndarray) -> np.ndarray:
        return np.clip(np.searchsorted(self.places, at, side="right") - 1, 0, len(self.places) - 2)

    def _along(self, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        left = self._wave(at)
        width = np.diff(self.places)[left]
        return left, (at - self.places[left]) / width, width


def bumpy(seed: int = 0, *, broad: int = BROAD_VALLEYS, narrow: int = NARROW_VALLEYS) -> Landscape:
    """So many broad and narrow valleys in an order, with widths and depths, that come from `seed`."""
    if not 1 <= broad + narrow <= 100 or min(broad, narrow) < 0:
        raise SettingsError(
            f"A landscape with {broad} broad and {narrow} narrow valleys was asked for.", hint="3 and 9 are usual."
        )
    draw = np.random.default_rng(seed)
    is_broad = draw.permutation(np.arange(broad + narrow) < broad)
    half = np.where(is_broad, draw.uniform(*BROAD, len(is_broad)), draw.uniform(*NARROW, len(is_broad)))
    bottom = np.where(is_broad, draw.uniform(0, DEEPEST[0], len(is_broad)), draw.uniform(0, DEEPEST[1], len(is_broad)))
    heights = np.ones(2 * len(is_broad) + 1)
    heights[1::2] = bottom
    return Landscape(np.concatenate([[0.0], np.cumsum(np.repeat(half, 2))]), heights, is_broad)


@dataclass(frozen=True)
class Rolled:
    """Where balls were: `at` (steps + 1, balls), and where each one `ended`: the number of its valley (balls,)."""

    land: Landscape
    at: np.ndarray
    ended: np.ndarray

    @property
    def in_broad(self) -> int:
        """How many ended in a broad valley."""
        return int(self.land.broad[self.ended].sum())

    @property
    def balls(self) -> int:
        """How many there were."""
        return len(self.ended)


def roll(land: Landscape, rates: Sequence[float], *, balls: int = 400, noise: float = 3.0, seed: int = 0) -> Rolled:
    """Let `balls` go from places all over the landscape, one step of gradient descent for each rate.

    `noise` is the standard deviation of what is added to every gradient, as mini-batches do it.
    """
    if not (len(rates) and all(math.isfinite(rate) and rate >= 0 for rate in rates) and noise >= 0 and balls >= 1):
        raise SettingsError(
            f"{balls} balls were to roll for {len(rates)} steps with noise {noise}.",
            hint="It takes a ball, a step, rates from 0 on, and noise from 0 on.",
        )
    draw = np.random.default_rng(seed)
    now = (np.arange(balls) + 0.5) / balls * land.length
    walked = [now]
    for rate in rates:
        slope = land.gradient(now) + noise * draw.standard_normal(balls)
        now = _inside(now - rate * slope, land.length)
        walked.append(now)
    return Rolled(land, np.array(walked), land.valley_of(now))


def _inside(at: np.ndarray, length: float) -> np.ndarray:
    """Bounced off both ends, as often as it takes."""
    folded = length - np.abs(np.mod(at, 2 * length) - length)
    return np.where((at >= 0) & (at <= length), at, folded)


@dataclass(frozen=True)
class Versus:
    """Two counts of balls that ended in broad valleys, and whether they differ by more than luck explains."""

    one: int
    other: int
    balls: int

    @property
    def gap(self) -> float:
        """The share of the first less that of the other."""
        return (self.one - self.other) / self.balls

    @property
    def luck(self) -> float:
        """Two standard errors of the difference of two shares: a gap up to here may be luck."""
        spread = sum(count / self.balls * (1 - count / self.balls) for count in (self.one, self.other))
        return 2 * math.sqrt(spread / self.balls)

    @property
    def is_luck(self) -> bool:
        """Whether the gap may be luck."""
        return abs(self.gap) <= self.luck
