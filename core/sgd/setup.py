"""A set-up of the descent as a record: what a page's controls hold in, points and rates for `descend` out. No torch.

Every field has a range, checked when the record is made, so that a link somebody sends cannot ask for more.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from core.errors import SettingsError

MENU = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw")  # "momentum" is `sgd` of RULES with some of it
POINTS_MAX, STEPS_MAX, ALL = 200, 300, 0
X_FAR, Y_FAR = 10.0, 100.0  # points lie within; nobody drags one further
Pair = tuple[float, float]
RANGES: dict[str, tuple[float, float]] = {
    "rate": (1e-6, 100.0),
    "low": (1e-6, 100.0),
    "high": (1e-6, 100.0),
    "batch": (ALL, POINTS_MAX),
    "momentum": (0.0, 0.99),
    "steps": (10, STEPS_MAX),
    "noise": (0.0, 5.0),
    "n": (2, POINTS_MAX),
    "outlier": (-20.0, 20.0),
    "seed": (0, 9999),
}
NAMES = {
    "rate": "a learning rate",
    "low": "a rate that is too low",
    "high": "a rate that is too high",
    "batch": "a batch",
    "momentum": "a momentum",
    "steps": "a number of steps",
    "noise": "noise",
    "n": "a number of points",
    "outlier": "an outlier",
    "seed": "a seed",
    "start": "a start",
    "points": "points",
    "rule": "a rule",
}


@dataclass(frozen=True)
class Setup:
    """Everything a descent is made from. `batch` points a step (ALL: all of them), `start` is (a1, a2).

    `points`, where somebody moved, added or deleted some, come in place of those drawn by `n`, `noise`, `outlier` and
    `seed`. `low` and `high` are the other two rates of the picture with three. `schedule` is one of the lab's own.
    """

    rate: float = 0.1
    low: float = 0.001
    high: float = 1.2
    batch: int = ALL
    rule: str = "sgd"
    momentum: float = 0.9
    schedule: str = "constant"
    steps: int = 100
    noise: float = 0.25
    n: int = 100
    outlier: float = 0.0
    seed: int = 0
    start: Pair = (-1.0, 1.0)
    points: tuple[Pair, ...] | None = None

    def __post_init__(self) -> None:
        for name in RANGES:
            check(name, getattr(self, name))
        if self.rule not in MENU:
            raise SettingsError(f"There is no rule {self.rule[:40]!r}.", hint=f"There are {', '.join(MENU)}.")
        check_pair("start", self.start, (X_FAR * 10, Y_FAR))
        if self.points is not None:
            check("n", len(self.points))
            for point in self.points:
                check_pair("points", point, (X_FAR, Y_FAR))

    @property
    def count(self) -> int:
        """How many points there are."""
        return self.n if self.points is None else len(self.points)

    @property
    def batch_size(self) -> int | None:
        """Points a step as `descend` takes them: None for all."""
        return None if self.batch == ALL or self.batch >= self.count else self.batch

    @property
    def kept(self) -> float:
        """The share of the last direction that the rule keeps; plain descent keeps none."""
        return 0.0 if self.rule == "sgd" else self.momentum


def check(name: str, value: Any) -> None:
    """Raise SettingsError, with what is allowed, for a number out of its range."""
    low, high = RANGES[name]
    if not (isinstance(value, (int, float)) and math.isfinite(value) and low <= value <= high):
        raise SettingsError(f"{_said(value)} was asked for as {NAMES[name]}.", hint=f"It may be {range_of(name)}.")
    if name in ("batch", "steps", "n", "seed") and value != int(value):
        raise SettingsError(f"{_said(value)} was asked for as {NAMES[name]}.", hint="It is a whole number.")


def range_of(name: str) -> str:
    """What a number may be, in words."""
    low, high = (f"{end:.6f}".rstrip("0").rstrip(".") for end in RANGES[name])
    return f"all, or 1 to {high}" if name == "batch" else f"{low} to {high}"


def check_pair(name: str, pair: Pair, far: Pair) -> None:
    """Raise SettingsError for a place that is none, or too far out to be drawn."""
    if len(pair) != 2 or not all(math.isfinite(v) and abs(v) <= most for v, most in zip(pair, far, strict=True)):
        hint = f"The first number may be {-far[0]:g} to {far[0]:g}, the second {-far[1]:g} to {far[1]:g}."
        raise SettingsError(f"{_said(pair)} was asked for as {NAMES[name]}.", hint=hint)


def _said(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)[:40]


# --- what is done to the points by hand


def moved(setup: Setup, points: list[Pair], index: int, to: Pair) -> Setup:
    """The set-up with point `index` of those on the screen at another place."""
    if not 0 <= index < len(points):
        raise SettingsError(f"There is no point {index + 1}; there are {len(points)}.", hint="Drag one that is there.")
    return replace(setup, points=tuple([*points[:index], near(to), *points[index + 1 :]]))


def added(setup: Setup, points: list[Pair], at: Pair) -> Setup:
    """The set-up with one point more."""
    if len(points) >= POINTS_MAX:
        raise SettingsError(f"There are {POINTS_MAX} points, and no room for more.", hint="Delete one first.")
    return replace(setup, points=(*points, near(at)))


def deleted(setup: Setup, points: list[Pair], index: int) -> Setup:
    """The set-up without point `index`; two must stay, for one point has no best line."""
    if len(points) <= RANGES["n"][0]:
        raise SettingsError("Two points are the fewest that a line can be fitted to.", hint="Move one instead.")
    if not 0 <= index < len(points):
        raise SettingsError(
            f"There is no point {index + 1}; there are {len(points)}.", hint="Choose one that is there."
        )
    return replace(setup, points=tuple(point for i, point in enumerate(points) if i != index))


def near(point: Pair) -> Pair:
    """A place as a link can carry it: to a thousandth in x, to a hundredth in y, and never too far out."""
    if not all(math.isfinite(value) for value in point):
        raise SettingsError(f"{_said(point)} is no place for a point.", hint="Click or drag inside the picture.")
    x, y = (min(far, max(-far, value)) for value, far in zip(point, (X_FAR, Y_FAR), strict=True))
    return (round(x, 3), round(y, 2))
