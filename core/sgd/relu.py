"""Small networks with one hidden layer on the line: points, widths and epochs in, trained networks out. Real training.

A unit is a line that max(x, 0) bends at its hinge; the network weights them and adds them up. Networks of several
widths, and for several sets of points, are trained side by side in one go.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.errors import SettingsError

WIDTH_MAX, EPOCHS_MAX = 512, 5000
GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples, less whole numbers, lie evenly however many of them are taken
_TURN = threading.Lock()


@dataclass(frozen=True)
class Networks:
    """b networks, none wider than h: y = sum over units of out * bend(slope * x + shift), plus `level`.

    `slope`, `shift`, `out` (b, h), zero past a network's own width; `level` (b,), `widths` (b,). `bent`: with
    max(x, 0), or without, when every unit is a line. `losses` (epochs, b): the mean squared error before each step.
    """

    slope: np.ndarray
    shift: np.ndarray
    out: np.ndarray
    level: np.ndarray
    widths: tuple[int, ...]
    bent: bool
    losses: np.ndarray

    def units(self, number: int, x: np.ndarray) -> np.ndarray:
        """What each unit of a network adds at x (m,): (width, m), without the level."""
        width = self.widths[number]
        lines = self.slope[number, :width, None] * x + self.shift[number, :width, None]
        found: np.ndarray = self.out[number, :width, None] * (np.maximum(lines, 0) if self.bent else lines)
        return found

    def predict(self, x: np.ndarray) -> np.ndarray:
        """All curves at x (m,): (b, m)."""
        return np.array([self.units(number, x).sum(0) + self.level[number] for number in range(len(self.widths))])

    def parameters(self, number: int) -> int:
        """How many numbers a network has: a slope, a shift and a weight for each unit, and the level."""
        return 3 * self.widths[number] + 1

    def line(self, number: int) -> tuple[float, float]:
        """Slope and height at 0 of the line that a network without max(x, 0) is, multiplied out."""
        slope = float(self.out[number] @ self.slope[number])
        return slope, float(self.out[number] @ self.shift[number] + self.level[number])


def train_networks(
    x: np.ndarray,
    y: np.ndarray,
    widths: Sequence[int],
    *,
    epochs: int = 400,
    decay: float = 0.0,
    lr: float = 0.05,
    bent: bool = True,
    seed: int = 0,
) -> Networks:
    """Train networks of these `widths` on all points at once: Adam, its rate `lr` falling along a cosine wave.

    x and y are (n,), the same points for all, or (b, n). Minimised is the mean squared error + decay * (sum of squared
    slopes and weights). Hinges begin evenly spread over -1 to 1; the weights come from `seed`.
    """
    _check(x, y, widths, epochs, decay)
    with _one_thread():
        return _trained(x, y, widths, epochs, decay, lr, bent, seed)


def _trained(
    x: np.ndarray, y: np.ndarray, widths: Sequence[int], epochs: int, decay: float, lr: float, bent: bool, seed: int
) -> Networks:
    inputs, targets = (_tensor(np.broadcast_to(values, (len(widths), values.shape[-1]))) for values in (x, y))
    rows = torch.stack([inputs, torch.ones_like(inputs)], dim=2)  # (b, n, 2)
    units, level, own = _fresh(widths, seed)
    optimiser = torch.optim.Adam([units, level], lr=lr, fused=True)
    losses = torch.zeros(epochs, len(widths))
    for epoch in range(epochs):
        optimiser.param_groups[0]["lr"] = lr * (1 + math.cos(math.pi * epoch / epochs)) / 2
        lines = rows @ units[:, :2]  # (b, n, h)
        hidden = torch.relu(lines) if bent else lines
        error = (hidden @ units[:, 2:].transpose(1, 2) + level)[..., 0] - targets
        loss = (error**2).mean(dim=1)
        losses[epoch] = loss.detach()
        penalty = decay * (units[:, 0::2] ** 2).sum() if decay else 0.0
        optimiser.zero_grad()
        (loss.sum() + penalty).backward()
        units.grad.mul_(own)
        optimiser.step()
    found = (units.detach() * own).numpy()
    return Networks(
        found[:, 0], found[:, 1], found[:, 2], level.detach().numpy()[:, 0, 0], tuple(widths), bent, losses.numpy()
    )


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Numbers this small are computed on one core: sharing them out takes far longer than computing them.

    How many cores PyTorch uses is the same for a whole process, so one training waits for another.
    """
    with _TURN:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _fresh(widths: Sequence[int], seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Units (b, 3, h): slopes, shifts, weights; levels (b, 1, 1); and which units are a network's own (b, 1, h)."""
    place = torch.arange(max(widths))
    hinge = ((place * GOLDEN + 0.5) % 1) * 2 - 1
    slope = torch.where(place % 2 == 0, 1.0, -1.0)
    drawn = torch.randn(len(place), generator=torch.Generator().manual_seed(seed))
    own = (place < torch.tensor(widths)[:, None]).float()[:, None]
    scale = torch.tensor(widths, dtype=torch.float32)[:, None].rsqrt()
    units = torch.stack([x.expand(len(widths), -1) for x in (slope, -slope * hinge)] + [drawn * scale], dim=1) * own
    return units.requires_grad_(), torch.zeros(len(widths), 1, 1, requires_grad=True), own


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _check(x: np.ndarray, y: np.ndarray, widths: Sequence[int], epochs: int, decay: float) -> None:
    if not (widths and all(1 <= width <= WIDTH_MAX for width in widths) and x.shape[-1] == y.shape[-1] >= 1):
        raise SettingsError(
            f"Networks of the widths {list(widths)} were to learn from {x.shape[-1]} points.",
            hint=f"A network has 1 to {WIDTH_MAX} hinges and learns from a point or more.",
        )
    if not (1 <= epochs <= EPOCHS_MAX and decay >= 0):
        raise SettingsError(
            f"{epochs} epochs with a weight decay of {decay} were asked for.",
            hint=f"There are 1 to {EPOCHS_MAX} epochs; a weight decay is 0 or more.",
        )
