"""Rows times columns: two tables in, their product out, by loops and at once; and how long each takes here."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import SettingsError

ENOUGH_S = 0.02  # a measurement shorter than this is repeated within itself
REPEATS = 5


@dataclass(frozen=True)
class Timed:
    """One product (rows, inner) @ (inner, columns): seconds by three Python loops and at once, medians."""

    rows: int
    inner: int
    columns: int
    loop_s: float
    at_once_s: float

    @property
    def times(self) -> float:
        """How many times as long the loops take."""
        return self.loop_s / self.at_once_s


def by_loops(x: Sequence[Sequence[float]], a: Sequence[Sequence[float]]) -> list[list[float]]:
    """The matrix product as it is written down: every row meets every column, number by number.

    `by_loops([[1, 2]], [[3], [4]]) -> [[11]]`.
    """
    product = []
    for row in x:
        line = []
        for column in range(len(a[0])):
            total = 0.0
            for place, value in enumerate(row):
                total += value * a[place][column]
            line.append(total)
        product.append(line)
    return product


def at_once(x: np.ndarray, a: np.ndarray) -> np.ndarray:
    """The same in one call: the loops run inside, in compiled code that takes many numbers at a time."""
    found: np.ndarray = x @ a
    return found


def timed(rows: int, inner: int, columns: int, *, seed: int = 0) -> Timed:
    """Measure both on random numbers of these sizes; RuntimeError should they ever disagree."""
    if min(rows, inner, columns) < 1:
        raise SettingsError("Every side of a table needs at least 1 number.", hint="Try 10 by 10.")
    draw = np.random.default_rng(seed)
    x, a = draw.standard_normal((rows, inner)), draw.standard_normal((inner, columns))
    x_list, a_list = x.tolist(), a.tolist()
    if not np.allclose(by_loops(x_list, a_list), at_once(x, a)):
        raise RuntimeError("the two products differ")
    return Timed(rows, inner, columns, _median_s(lambda: by_loops(x_list, a_list)), _median_s(lambda: at_once(x, a)))


def _median_s(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    once = max(time.perf_counter() - began, 1e-7)
    times = max(1, min(2000, int(ENOUGH_S / 10 / once)))
    found = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        for _ in range(times):
            work()
        found.append((time.perf_counter() - began) / times)
    return statistics.median(found)
