"""Events: what a training run says while it runs. Frozen records in, JSON lines and tidy tables out.

`fit` yields these in order of `seq` (0, 1, 2, …). A run's events.jsonl holds one record per line, with `kind`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any, ClassVar, get_args

import pandas as pd

from core.data.events import DataReady, Fetched, Progress, Reported
from core.train.experiment_point import ExperimentPoint


@dataclass(frozen=True)
class Started:
    """The run begins. `train`, `valid`: pictures; `chance`: error rate of always guessing the largest class.

    `threads` share the sums on a CPU, and the last digits depend on how many they are; 0: not known.
    """

    kind: ClassVar[str] = "started"
    seq: int
    dataset: str
    version: str
    classes: tuple[str, ...]
    train: int
    valid: int
    epochs: int
    chance: float
    device: str
    precision: str
    threads: int = 0


@dataclass(frozen=True)
class Note:
    """Something the student should know, such as a smaller batch; `code` is stable, `text` is a sentence."""

    kind: ClassVar[str] = "note"
    seq: int
    code: str
    text: str


@dataclass(frozen=True)
class StageStarted:
    """A stage begins: `steps` optimiser steps over `epochs` epochs; `trainable` counts weights that may change.

    `lr` holds the highest rate of each layer group, `freeze_to` the first group that learns. `size` is the side of the
    pictures in pixels, `batch` the pictures of a step.
    """

    kind: ClassVar[str] = "stage"
    seq: int
    stage: int
    epochs: int
    steps: int
    frozen: bool
    cached: bool
    lr: tuple[float, ...]
    schedule: str
    trainable: int
    freeze_to: int = -1
    size: int = 224
    batch: int = 64
    precision: str = ""


@dataclass(frozen=True)
class RateFound:
    """A range test before a stage chose the low end of its rates. `low` is None where the curve gave no answer."""

    kind: ClassVar[str] = "rate"
    seq: int
    stage: int
    low: float | None
    high: float
    why: str
    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    losses_smooth: tuple[float, ...]


@dataclass(frozen=True)
class Glimpse:
    """What the model says about a few fixed validation pictures, after `epoch` (-1: before the stage's first).

    One entry per picture: the hash of its file, its label, the predicted class and that one's probability.
    """

    kind: ClassVar[str] = "glimpse"
    seq: int
    stage: int
    epoch: int
    files: tuple[str, ...]
    labels: tuple[str, ...]
    predicted: tuple[str, ...]
    probs: tuple[float, ...]


@dataclass(frozen=True)
class MemoryUsed:
    """The most memory the run has taken so far, in MB, and how much there is: of the GPU, or of the computer."""

    kind: ClassVar[str] = "memory"
    seq: int
    stage: int
    epoch: int
    used_mb: float
    of_mb: float


@dataclass(frozen=True)
class BlocksMoved:
    """A stage is over: how far each block of the network has moved in it.

    `moved` is the length of the change of its weights as a share of their length when the stage began.
    """

    kind: ClassVar[str] = "moved"
    seq: int
    stage: int
    names: tuple[str, ...]
    moved: tuple[float, ...]


@dataclass(frozen=True)
class RatePoint:
    """One batch of the learning-rate finder. Losses are mean nats."""

    kind: ClassVar[str] = "point"
    seq: int
    step: int
    lr: float
    loss: float
    loss_smooth: float


@dataclass(frozen=True)
class CurveDone:
    """The finder is through: `steps` were planned, `stopped` says why it ended early (None: it did not)."""

    kind: ClassVar[str] = "curve"
    seq: int
    steps: int
    stopped: str | None


@dataclass(frozen=True)
class BatchDone:
    """One optimiser step. `step` counts within the stage from 0; `lr` is the last group's; losses are mean nats."""

    kind: ClassVar[str] = "batch"
    seq: int
    stage: int
    epoch: int
    step: int
    lr: float
    momentum: float
    loss: float
    loss_smooth: float


@dataclass(frozen=True)
class EpochDone:
    """One pass over the training set and one over the validation set. Losses in nats, `seconds` of wall clock.

    `train_loss`: mean over the epoch in training mode; `train_loss_eval`: evaluation mode on at most 200 fixed
    training pictures; `train_loss_smooth`: the debiased running mean that other tools print. `wrong` of `of`
    validation pictures.
    """

    kind: ClassVar[str] = "epoch"
    seq: int
    stage: int
    epoch: int
    train_loss: float
    train_loss_eval: float
    train_loss_smooth: float
    valid_loss: float
    error_rate: float
    accuracy: float
    wrong: int
    of: int
    lr: float
    seconds: float
    images_per_s: float


@dataclass(frozen=True)
class Saved:
    """A checkpoint is on disk. `file` is its name in the run folder; `best` says whether it is the best so far."""

    kind: ClassVar[str] = "saved"
    seq: int
    stage: int
    epoch: int
    file: str
    best: bool


@dataclass(frozen=True)
class Diverged:
    """The loss is not a number or has exploded; the stage ends and the last good checkpoint stays."""

    kind: ClassVar[str] = "diverged"
    seq: int
    stage: int
    epoch: int
    step: int
    loss: float
    text: str


@dataclass(frozen=True)
class Finished:
    """The run is over. `state`: done, stopped or diverged. `seconds` of wall clock over the whole run."""

    kind: ClassVar[str] = "finished"
    seq: int
    state: str
    error_rate: float | None
    wrong: int | None
    of: int | None
    seconds: float


Event = (
    Started
    | Note
    | Progress
    | StageStarted
    | RateFound
    | BatchDone
    | EpochDone
    | Glimpse
    | MemoryUsed
    | BlocksMoved
    | Saved
    | Diverged
    | Finished
    | RatePoint
    | CurveDone
    | ExperimentPoint
    | DataReady
    | Fetched
    | Reported
)
EVENTS: Mapping[str, type] = {kind.kind: kind for kind in get_args(Event)}
_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def to_record(event: Event) -> dict[str, Any]:
    """An event as plain JSON values with its `kind`. Numbers that are not finite become words ("nan", "inf")."""
    return {"kind": event.kind, **{name: _to_plain(value) for name, value in asdict(event).items()}}


def _to_plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_to_plain(one) for one in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def from_record(record: Mapping[str, Any]) -> Event:
    """Inverse of `to_record`. KeyError for a kind that does not exist; fields of later versions may be missing."""
    made = EVENTS[record["kind"]]
    values = {}
    for item in fields(made):
        if item.name not in record and item.default is not MISSING:
            continue
        value = record[item.name]
        if "float" in str(item.type):
            value = [_number(one) for one in value] if isinstance(value, list) else _number(value)
        values[item.name] = tuple(value) if isinstance(value, list) else value
    event: Event = made(**values)
    return event


def _number(value: Any) -> Any:
    return _NOT_FINITE[value] if isinstance(value, str) else value


@dataclass(frozen=True)
class History:
    """The events of one run, folded into tidy tables."""

    events: tuple[Event, ...]

    @classmethod
    def of(cls, events: Iterable[Event]) -> History:
        """Collect events. A resumed run repeats the batches of an interrupted epoch: the later ones count."""
        return cls(tuple(events))

    @property
    def batches(self) -> pd.DataFrame:
        """One row per optimiser step: stage, epoch, step, lr, momentum, loss, loss_smooth."""
        return _table(self.events, BatchDone, keys=("stage", "step"))

    @property
    def epochs(self) -> pd.DataFrame:
        """One row per epoch: the columns of EpochDone without seq."""
        return _table(self.events, EpochDone, keys=("stage", "epoch"))

    def all(self, kind: str) -> list[Any]:
        """All events of a kind, in order."""
        return [event for event in self.events if event.kind == kind]

    def last(self, kind: str) -> Event | None:
        """The latest event of a kind, or None."""
        return next((event for event in reversed(self.events) if event.kind == kind), None)

    def notes(self) -> list[str]:
        """The sentences of all notes, each once, in order."""
        return list(dict.fromkeys(event.text for event in self.events if isinstance(event, Note)))


def _table(events: tuple[Event, ...], kind: type, keys: tuple[str, ...]) -> pd.DataFrame:
    columns = [item.name for item in fields(kind) if item.name != "seq"]
    rows = [[getattr(event, name) for name in columns] for event in events if isinstance(event, kind)]
    table = pd.DataFrame(rows, columns=columns)
    return table.drop_duplicates(list(keys), keep="last").reset_index(drop=True)
