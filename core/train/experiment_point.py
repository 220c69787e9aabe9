"""The record of one training of an experiment about data, as it is written into a run's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class ExperimentPoint:
    """One training of an experiment: what was changed about its training pictures, and how its exam went.

    `group`, `value` and `seed` name the point; `wrong` of `of` validation pictures, whose labels are always the true
    ones. `valid_loss` in nats. `train`: training pictures left; `changed`: how many of them have a wrong label, or how
    many pictures the thinned class kept. `classes`: the thinned class, or the class whose pictures have a wrong label
    and what they are called; () where it is about none. `thin_recall` in 0..1 is the share of the thinned class's
    `thin_of` validation pictures that were recognised; None where no class was thinned.
    """

    kind: ClassVar[str] = "experiment"
    seq: int
    group: str
    value: float
    seed: int
    wrong: int
    of: int
    error_rate: float
    valid_loss: float
    thin_recall: float | None
    train: int = 0
    changed: int = 0
    classes: tuple[str, ...] = ()
    thin_of: int = 0
