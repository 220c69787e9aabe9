"""Events of making a data set: how far it is, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True)
class Progress:
    """Work that is not training: `done` of `total` in `phase` (pixels, activations, import, draw, download)."""

    kind: ClassVar[str] = "progress"
    seq: int
    phase: str
    done: int
    total: int


@dataclass(frozen=True)
class DataReady:
    """An import or a sample is a data set now. `rejected`: name and reason of each file that could not be used."""

    kind: ClassVar[str] = "data"
    seq: int
    dataset: str
    name: str
    classes: tuple[str, ...]
    kept: int
    train: int
    valid: int
    rejected: tuple[Mapping[str, str], ...] = field(default=())
    notes: tuple[str, ...] = field(default=())


Event = Progress | DataReady
