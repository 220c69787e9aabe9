"""A line through points by gradient descent: points, a start and a rate in, the whole path out.

The line is y = a1 * x1 + a2 * x2 with x2 = 1, the loss the mean squared error. The gradients are PyTorch's own.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.errors import SettingsError
from core.sgd.rules import RULES, Hyper, Memory

LOST = 1e6  # times the loss at the start: from there on nothing comes back
TINY = 1e-9  # a start at the very bottom is measured against this


@dataclass(frozen=True)
class Path:
    """A descent. K steps were taken: `a` (K + 1, 2) and `loss` (K + 1,), on all points, before each and at the end.

    `grad` (K, 2) is the slope that step k went by, `full_grad` that of all points at the same place, `rates` (K,) the
    rate of each step and `batches` the rows it looked at. `diverged_at` is the step after which the loss was out of
    sight, else None. `step_s` is what a step took here, in seconds: the median, as measured.
    """

    a: np.ndarray
    loss: np.ndarray
    grad: np.ndarray
    full_grad: np.ndarray
    rates: np.ndarray
    batches: tuple[np.ndarray, ...]
    diverged_at: int | None = None
    step_s: float = 0.0


def make_points(
    n: int = 100, *, true: tuple[float, float] = (3.0, 2.0), noise: float = 0.25, outlier: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Points x (n, 2), the second column all 1, and y (n,): the line of `true`, plus noise of that standard deviation.

    With `outlier` the last point is moved up by as much.
    """
    if n < 1:
        raise SettingsError(f"{n} points were asked for; it takes at least 1.", hint="100 make a good picture.")
    draw = np.random.default_rng(seed)
    x = np.column_stack([draw.uniform(-1, 1, n), np.ones(n)])
    y = x @ np.array(true) + noise * draw.standard_normal(n)
    y[-1] += outlier
    return x, y


def hessian(x: np.ndarray) -> np.ndarray:
    """The curvature of the mean squared error for points x (n, 2): 2 x'x / n, (2, 2). It is the same everywhere."""
    found: np.ndarray = 2 * x.T @ x / len(x)
    return found


def largest_stable_lr(x: np.ndarray) -> float:
    """2 / the largest eigenvalue of the Hessian: plain gradient descent on all points diverges above it."""
    return float(2 / np.linalg.eigvalsh(hessian(x))[-1])


def best_line(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The a (2,) with the smallest loss, by least squares."""
    found: np.ndarray = np.linalg.lstsq(x, y, rcond=None)[0]
    return found


def loss_at(x: np.ndarray, y: np.ndarray, a1: np.ndarray, a2: np.ndarray) -> np.ndarray:
    """The mean squared error at every pair of a grid: a1 (m,) and a2 (k,) give (k, m)."""
    error = a1[None, :, None] * x[:, 0] + a2[:, None, None] * x[:, 1] - y
    found: np.ndarray = (error**2).mean(axis=2)
    return found


def descend(
    x: np.ndarray,
    y: np.ndarray,
    start: Sequence[float],
    *,
    lr: float | Sequence[float],
    steps: int,
    batch_size: int | None = None,
    momentum: float = 0.0,
    rule: str = "sgd",
    hyper: Hyper | None = None,
    shuffle: bool = True,
    seed: int = 0,
    by_formula: bool = False,
) -> Path:
    """Walk down from `start` (2,) for `steps` steps; it ends early once the loss is out of sight (LOST).

    `lr` is one rate, or one for each step. `batch_size` points are looked at in a step, None for all; each epoch goes
    through all of them once, in an order drawn from `seed` unless `shuffle` is off. `rule` is one of RULES.
    With `by_formula` the slope is that of all points and comes from its formula in place of `backward`: the same but
    for rounding, in a fraction of the time, for a path that others are only compared with.
    """
    if rule not in RULES:
        raise SettingsError(f"There is no rule {rule!r}.", hint=f"There are {', '.join(RULES)}.")
    rates = np.full(steps, lr, dtype=float) if np.isscalar(lr) else np.asarray(lr, dtype=float)
    if len(rates) != steps or not np.isfinite(rates).all():
        raise SettingsError(f"{steps} steps need as many rates; {len(rates)} were given.", hint="One rate does, too.")
    hyper = hyper or Hyper(momentum=momentum)
    find_slope = _by_formula(x, y) if by_formula else _by_backward(x, y)
    a, memory = torch.tensor(np.asarray(start, dtype=float), requires_grad=True), Memory()
    walked, slopes, seen, took = [a.tolist()], [], [], []
    far = LOST * max(_loss(x, y, walked[0]), TINY)
    near = math.sqrt(far / max(1.0, float(np.trace(hessian(x)))))  # closer to the bottom than this, nothing is lost
    bottom = best_line(x, y).tolist()
    for rate, rows in zip(rates, batches(len(x), batch_size, seed=seed, shuffle=shuffle), strict=False):
        began = time.perf_counter()
        find_slope(a, rows)
        with torch.no_grad():
            step, memory = RULES[rule](a.grad, a, memory, hyper)
            slopes.append(a.grad.tolist())
            a.sub_(rate * step)
            a.grad.zero_()
        took.append(time.perf_counter() - began)
        seen.append(rows)
        walked.append(a.tolist())
        if not math.dist(walked[-1], bottom) < near and not _loss(x, y, walked[-1]) <= far:
            break
    taken, places = len(slopes), np.array(walked)
    losses = ((places @ x.T - y) ** 2).mean(axis=1)
    return Path(
        a=places,
        loss=losses,
        grad=np.array(slopes).reshape(taken, 2),
        full_grad=places[:-1] @ hessian(x) - 2 * x.T @ y / len(y),
        rates=rates[:taken],
        batches=tuple(seen),
        diverged_at=taken if not losses[-1] <= far else None,
        step_s=statistics.median(took) if took else 0.0,
    )


def _by_backward(x: np.ndarray, y: np.ndarray) -> Callable[[torch.Tensor, np.ndarray], None]:
    """What puts the slope at `a` on the points of `rows` into `a.grad`: PyTorch's own."""
    points, targets = torch.from_numpy(x), torch.from_numpy(y)

    def find_slope(a: torch.Tensor, rows: np.ndarray) -> None:
        some, wanted = points, targets
        if len(rows) < len(points):
            chosen = torch.from_numpy(rows)
            some, wanted = points.index_select(0, chosen), targets.index_select(0, chosen)
        loss = (some @ a - wanted).square().mean()
        loss.backward()

    return find_slope


def _by_formula(x: np.ndarray, y: np.ndarray) -> Callable[[torch.Tensor, np.ndarray], None]:
    """The same on all points, whatever `rows` are, as 2 x'(x a - y) / n."""
    curve, pull = torch.from_numpy(hessian(x)), torch.from_numpy(2 * x.T @ y / len(y))

    def find_slope(a: torch.Tensor, rows: np.ndarray) -> None:
        a.grad = curve @ a.detach() - pull

    return find_slope


def _loss(x: np.ndarray, y: np.ndarray, a: Sequence[float]) -> float:
    return float(np.mean((x @ np.asarray(a) - y) ** 2))


def batches(n: int, size: int | None, *, seed: int, shuffle: bool = True) -> Iterator[np.ndarray]:
    """Rows of a mini-batch after another, without end: every epoch goes through all `n` once, the last may be short."""
    size = n if size is None else size
    if not 1 <= size:
        raise SettingsError(f"A batch of {size} points was asked for; it takes at least 1.", hint="Try 10.")
    draw, whole = np.random.default_rng(seed), np.arange(n)
    while True:
        order = draw.permutation(n) if shuffle and size < n else whole
        for first in range(0, n, size):
            yield order[first : first + size]


def steps_per_epoch(n: int, size: int | None) -> int:
    """How many mini-batches an epoch of `n` points has."""
    return math.ceil(n / (n if size is None else size))
