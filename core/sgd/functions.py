"""Fit a curve: points around a target in; fits of every capacity, their losses on both sides of the split, out.

Half of the points are learned from (training), half are the exam (validation). Capacity is the degree of a polynomial,
or the number of hinges of a ReLU network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from core.errors import SettingsError
from core.sgd.polynomials import fit_polynomial

POINTS_MAX = 500
FINE = np.linspace(-1, 1, 161)  # where curves are drawn
REDRAWS = 8
FAMILIES: Mapping[str, tuple[int, ...]] = {
    "polynomial": (*range(21), 25, 30, 40, 60, 100),
    "network": (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128),
}
TARGETS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "wave": lambda x: np.sin(1.5 * np.pi * x),
    "bump": lambda x: 2 * np.exp(-((x / 0.3) ** 2)) - 1,
    "step": lambda x: np.tanh(8 * x),
    "line": lambda x: 0.8 * x,
}


@dataclass(frozen=True)
class Setup:
    """What is fitted, and how. `noise` is a standard deviation, `points` counts both halves, `epochs` are a network's.

    `drawn` are the heights of a target drawn by hand, evenly spread over -1 to 1; without them `target` names one.
    """

    family: str = "polynomial"
    target: str = "wave"
    noise: float = 0.3
    points: int = 40
    decay: float = 0.0
    epochs: int = 400
    seed: int = 0
    drawn: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        if self.family not in FAMILIES or self.target not in TARGETS:
            raise SettingsError(
                f"A {self.family!r} was to be fitted to a {self.target!r}.",
                hint=f"There are {', '.join(FAMILIES)}, and {', '.join(TARGETS)}.",
            )
        if not (4 <= self.points <= POINTS_MAX and 0 <= self.noise <= 10):
            raise SettingsError(
                f"{self.points} points with noise {self.noise} were asked for.",
                hint=f"There are 4 to {POINTS_MAX} points, with noise from 0 to 10.",
            )

    def true(self, x: np.ndarray) -> np.ndarray:
        """The target at x."""
        if self.drawn:
            found: np.ndarray = np.interp(x, np.linspace(-1, 1, len(self.drawn)), self.drawn)
            return found
        return TARGETS[self.target](x)


@dataclass(frozen=True)
class Points:
    """What was measured: x and y of the training and the validation half."""

    x: np.ndarray
    y: np.ndarray
    x_valid: np.ndarray
    y_valid: np.ndarray


def points_of(setup: Setup) -> Points:
    """Points at random places, every other one for the exam. More points are the same ones and others."""
    draw = np.random.default_rng(setup.seed)
    rows = draw.standard_normal((POINTS_MAX, 2))[: setup.points]
    x = np.random.default_rng(setup.seed + 1).uniform(-1, 1, POINTS_MAX)[: setup.points]
    y = setup.true(x) + setup.noise * rows[:, 0]
    return Points(x[::2], y[::2], x[1::2], y[1::2])


@dataclass(frozen=True)
class Fit:
    """One curve: `curve` over FINE, its number of `parameters`, and mean squared errors on both halves.

    `misses` are the squared errors of the single validation points.
    """

    capacity: int
    parameters: int
    curve: np.ndarray
    train_loss: float
    misses: np.ndarray

    @property
    def valid_loss(self) -> float:
        """The mean squared error in the exam."""
        return float(self.misses.mean())


def fits(setup: Setup, capacities: Sequence[int] | None = None) -> list[Fit]:
    """A fit for each capacity, of all in FAMILIES when left out."""
    chosen = FAMILIES[setup.family] if capacities is None else tuple(capacities)
    points = points_of(setup)
    fit = _polynomials if setup.family == "polynomial" else _networks
    return fit(setup, points, chosen)


def _polynomials(setup: Setup, points: Points, degrees: Sequence[int]) -> list[Fit]:
    made = [fit_polynomial(points.x, points.y, degree, decay=setup.decay) for degree in degrees]
    return [
        _fit(degree, one.parameters, one(FINE), one(points.x), one(points.x_valid), points)
        for degree, one in zip(degrees, made, strict=True)
    ]


def _networks(setup: Setup, points: Points, widths: Sequence[int]) -> list[Fit]:
    from core.sgd.relu import train_networks  # torch takes seconds to import, and polynomials do without it

    made = train_networks(points.x, points.y, widths, epochs=setup.epochs, decay=setup.decay, seed=setup.seed)
    curves, train, valid = (made.predict(x) for x in (FINE, points.x, points.x_valid))
    return [
        _fit(width, made.parameters(number), curves[number], train[number], valid[number], points)
        for number, width in enumerate(widths)
    ]


def _fit(
    capacity: int, parameters: int, curve: np.ndarray, train: np.ndarray, valid: np.ndarray, points: Points
) -> Fit:
    return Fit(capacity, parameters, curve, float(np.mean((train - points.y) ** 2)), (valid - points.y_valid) ** 2)


def redrawn(setup: Setup, capacities: Sequence[int], *, times: int = REDRAWS) -> np.ndarray:
    """The curves that other points of the same kind would have given: (capacities, times, len(FINE))."""
    others = [points_of(replace(setup, seed=setup.seed + 1000 * (time + 1))) for time in range(times)]
    if setup.family == "polynomial":
        return np.array([[_curve(setup, one, capacity) for one in others] for capacity in capacities])
    from core.sgd.relu import train_networks  # as above

    widths = [capacity for capacity in capacities for _ in others]
    x, y = (np.array([getattr(one, name) for one in others] * len(capacities)) for name in ("x", "y"))
    made = train_networks(x, y, widths, epochs=setup.epochs, decay=setup.decay, seed=setup.seed)
    return made.predict(FINE).reshape(len(capacities), times, len(FINE))


def _curve(setup: Setup, points: Points, degree: int) -> np.ndarray:
    return fit_polynomial(points.x, points.y, degree, decay=setup.decay)(FINE)


def wobble(curves: np.ndarray) -> float:
    """How much a curve depends on which points were drawn: the standard deviation over curves (times, m).

    The median over all places: at the edges a polynomial may be anywhere.
    """
    return float(np.median(curves.std(axis=0, ddof=1)))


def best_of(found: Sequence[Fit]) -> Fit:
    """The fit with the lowest validation loss; the smallest of those that have the same."""
    return min(found, key=lambda fit: fit.valid_loss)


def misses_of(setup: Setup, curves: np.ndarray) -> np.ndarray:
    """How far curves over FINE (…, m) lie from the target: the mean squared distance (…)."""
    found: np.ndarray = ((curves - setup.true(FINE)) ** 2).mean(axis=-1)
    return found


def worse_in(misses: np.ndarray, others: np.ndarray) -> int:
    """On how many draws of the points a capacity came out worse than another; both (draws,)."""
    return int((misses > others).sum())


def judge(fit: Fit, right: Fit, worse: int, *, times: int = REDRAWS) -> str:
    """Whether a fit is "over", "under" or "alike", against the right one.

    It is worse by more than luck when it was on all draws of the points but one at most (7 of 8 by chance: 4 %). Then
    it learned too much where it misses its own points by less than the right one, and too little otherwise.
    """
    if fit.capacity == right.capacity or worse < times - 1:
        return "alike"
    return "over" if fit.train_loss < right.train_loss else "under"
