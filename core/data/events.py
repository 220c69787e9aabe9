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
    """A data set has been made, or has grown by `added` pictures.

    `rejected`: name and reason of each file that could not be used.
    """

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
    added: int = 0


@dataclass(frozen=True)
class Fetched:
    """What became of one address of a list: `code` is a short word for tables, `reason` a sentence.

    `line` counts from 1 in the list; `file` is the hash of the stored picture, where there is one.
    """

    kind: ClassVar[str] = "fetched"
    seq: int
    line: int
    label: str
    url: str
    code: str
    reason: str
    file: str = ""


@dataclass(frozen=True)
class Reported:
    """Work that looked and changed nothing is done: `found` counts what, the run's folder holds the table."""

    kind: ClassVar[str] = "reported"
    seq: int
    what: str
    found: Mapping[str, int]
    notes: tuple[str, ...] = field(default=())


Event = Progress | DataReady | Fetched | Reported
