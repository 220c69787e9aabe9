"""Update rules: a gradient and what a rule remembers in, the direction to step in out. Adding one is one function.

Every rule says which step to take for a rate of 1; the caller takes `a - lr * step`. They agree with torch.optim.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch


@dataclass(frozen=True)
class Hyper:
    """What rules can be told. `momentum` is the share of the last step's direction that is kept.

    `alpha` is that share for RMSProp's squares, `betas` for Adam's mean and squares; `weight_decay` is AdamW's.
    """

    momentum: float = 0.0
    alpha: float = 0.99
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.01


@dataclass(frozen=True)
class Memory:
    """What a rule remembers after `steps` steps: a running `mean` of gradients, and one of their `squares`."""

    steps: int = 0
    mean: torch.Tensor = field(default_factory=lambda: torch.zeros(2, dtype=torch.float64))
    squares: torch.Tensor = field(default_factory=lambda: torch.zeros(2, dtype=torch.float64))


Rule = Callable[[torch.Tensor, torch.Tensor, Memory, Hyper], tuple[torch.Tensor, Memory]]


def sgd(gradient: torch.Tensor, a: torch.Tensor, memory: Memory, hyper: Hyper) -> tuple[torch.Tensor, Memory]:
    """Straight down the slope; with momentum, along a sum of slopes in which older ones fade (Polyak 1964)."""
    rolling = hyper.momentum * memory.mean + gradient
    return rolling, replace(memory, steps=memory.steps + 1, mean=rolling)


def nesterov(gradient: torch.Tensor, a: torch.Tensor, memory: Memory, hyper: Hyper) -> tuple[torch.Tensor, Memory]:
    """Momentum that looks ahead: the slope counts once more than in `sgd` (Sutskever et al. 2013, section 2)."""
    rolling = hyper.momentum * memory.mean + gradient
    return gradient + hyper.momentum * rolling, replace(memory, steps=memory.steps + 1, mean=rolling)


def rmsprop(gradient: torch.Tensor, a: torch.Tensor, memory: Memory, hyper: Hyper) -> tuple[torch.Tensor, Memory]:
    """Each direction divided by how large its slopes have been lately (Hinton, lecture 6e, 2012)."""
    squares = hyper.alpha * memory.squares + (1 - hyper.alpha) * gradient**2
    rolling = hyper.momentum * memory.mean + gradient / (squares.sqrt() + hyper.eps)
    return rolling, Memory(memory.steps + 1, rolling, squares)


def adam(gradient: torch.Tensor, a: torch.Tensor, memory: Memory, hyper: Hyper) -> tuple[torch.Tensor, Memory]:
    """A running mean of slopes over the root of a running mean of their squares, both debiased (arXiv:1412.6980)."""
    first, second = hyper.betas
    steps = memory.steps + 1
    mean = first * memory.mean + (1 - first) * gradient
    squares = second * memory.squares + (1 - second) * gradient**2
    size = (squares / (1 - second**steps)).sqrt() + hyper.eps
    return mean / (1 - first**steps) / size, Memory(steps, mean, squares)


def adamw(gradient: torch.Tensor, a: torch.Tensor, memory: Memory, hyper: Hyper) -> tuple[torch.Tensor, Memory]:
    """Adam, and besides it every weight shrinks a little in each step (arXiv:1711.05101)."""
    step, memory = adam(gradient, a, memory, hyper)
    return step + hyper.weight_decay * a, memory


RULES: Mapping[str, Rule] = {"sgd": sgd, "nesterov": nesterov, "rmsprop": rmsprop, "adam": adam, "adamw": adamw}
