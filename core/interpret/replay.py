"""A run's first stage once more, step by step: a training run in, the path of its head out.

With the same seed and the same kept activations the one training loop gives the same numbers again. So nothing about
the path has to be stored while a run trains: it is walked a second time, and held against what the run said then.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import torch

from core.data.events import Progress
from core.data.table import Dataset
from core.errors import TrainError
from core.interpret.landscape import weights_of
from core.interpret.valley import why_not
from core.settings import Stage, TrainSettings, from_record
from core.train.checkpoint import Checkpoint
from core.train.events import EpochDone, Event, Finished, History, StageStarted
from core.train.learner import fit
from core.train.memory import halved, with_batch
from core.train.runs import Run, Stop, history
from core.train.source import Stopped
from core.train.train_run import learned_from, start_of
from core.vision.model import Classifier

PHASE = "walk"
KEPT = 33  # points of a path: so many heads of 1.3 million weights are 175 MB
CLOSE = 1e-3  # relative: other threads or another version change the last digits


@dataclass(frozen=True)
class Ground:
    """Everything that decides the first stage of a run. `pristine`: its body is as published."""

    run: Run
    dataset: Dataset
    settings: TrainSettings
    items: pd.DataFrame
    mistakes: pd.DataFrame
    start: Checkpoint | None

    @property
    def pristine(self) -> bool:
        """Whether the body that made the activations is as published."""
        return self.settings.weights == "pretrained" if self.start is None else self.start.meta["body"] == "pretrained"


@dataclass(frozen=True)
class Trail:
    """Where a head went: `path` (n, P), each point as it was after so many `steps`; the first is the start.

    `best` (P,) is the head after the epoch of the lowest validation loss, None where that is the last one. `told` is
    what the training said, and `model` the one that was trained.
    """

    path: torch.Tensor
    steps: tuple[int, ...]
    best: torch.Tensor | None
    told: History
    model: Classifier

    @property
    def begun(self) -> StageStarted:
        """What was said when the stage began: its rates and how many steps there would be."""
        found: StageStarted = self.told.all(StageStarted.kind)[0]
        return found


@dataclass
class _Watcher:
    """What is kept while a walk goes on. The first `len(steps)` rows of `path` are filled."""

    path: torch.Tensor | None = None
    steps: list[int] = field(default_factory=list)
    best: torch.Tensor | None = None
    best_epoch: int = -1
    best_loss: float = math.inf
    events: list[Event] = field(default_factory=list)
    model: Classifier | None = None
    seen: int = 0
    wanted: frozenset[int] = frozenset()

    def watch(self, model: Classifier) -> None:
        """Keep the head before the first step, and after each step that is wanted and left numbers behind."""
        self.model = model
        if self.seen in self.wanted:
            self._keep(weights_of(model.head))
        self.seen += 1

    def _keep(self, weights: torch.Tensor) -> None:
        if self.path is None:
            self.path = torch.empty(len(self.wanted), len(weights))
        if bool(weights.isfinite().all()):
            self.path[len(self.steps)] = weights
            self.steps.append(self.seen)

    def note(self, event: Event) -> None:
        """Follow what the training says."""
        self.events.append(event)
        if isinstance(event, StageStarted):
            self.wanted = frozenset(
                np.linspace(0, event.steps, min(KEPT, event.steps + 1)).round().astype(int).tolist()
            )
        if isinstance(event, EpochDone) and event.valid_loss < self.best_loss and self.model is not None:
            self.best, self.best_epoch, self.best_loss = weights_of(self.model.head), event.epoch, event.valid_loss

    def trail(self) -> Trail:
        """All of it, once the walk is over. TrainError when no step was taken."""
        if self.model is None or self.path is None or len(self.steps) < 2:
            raise TrainError("This training took no step that left numbers behind.", hint="Choose another one.")
        told = History.of(self.events)
        best = self.best if self.best_epoch + 1 < len(told.epochs) else None
        return Trail(self.path[: len(self.steps)], tuple(self.steps), best, told, self.model)


def ground_of(run: Run) -> Ground:
    """What a training run learned from, as it was pinned; TrainError where the head did not learn alone at first."""
    if run.kind != "train" or not (run.path / "items.csv").is_file():
        raise TrainError("This run trained no model.", hint="Choose a training run.")
    settings, smaller = from_record(run.request["settings"]), halved(run)
    if why_not(settings) is not None:
        raise TrainError(
            "In the first stage of this run the head did not learn alone on activations that were computed once.",
            hint="Train with the recipe Quick, and walk that run.",
        )
    dataset, items, mistakes = learned_from(run)
    return Ground(run, dataset, with_batch(settings, *smaller) if smaller else settings, items, mistakes, start_of(run))


def walk(ground: Ground, *, rate: float | None = None, stop: Stop = lambda: False) -> Generator[Progress, None, Trail]:
    """Train a first stage again and keep where its head went; with a `rate`, at that one instead of its own.

    Raises Stopped when it is stopped, and TrainError when no step was taken.
    """
    stage = at_rate(ground.settings.stages[0], rate)
    watcher = _Watcher()
    for event in fit(
        ground.dataset, replace(ground.settings, stages=(stage,)), items=ground.items, mistakes=ground.mistakes,
        start=ground.start, stop=stop, watch=watcher.watch,
    ):  # fmt: skip
        watcher.note(event)
        if isinstance(event, Progress):
            yield event
        if isinstance(event, EpochDone):
            yield Progress(0, PHASE, event.epoch + 1, stage.epochs)
        if isinstance(event, Finished) and event.state == "stopped":
            raise Stopped
    return watcher.trail()


def at_rate(stage: Stage, rate: float | None) -> Stage:
    """A stage at another rate than its own; None leaves it as it is."""
    return stage if rate is None else replace(stage, lr=rate, find_lr=False)


def check_same(now: History, run: Run) -> bool:
    """Whether a first stage gave the numbers of then, when the run was trained, to the last digit: each batch's loss
    and each epoch's.

    TrainError when they differ by more than CLOSE: it is another walk then.
    """
    exact, then = True, history(run)
    for table, columns in (("batches", ["loss"]), ("epochs", ["train_loss", "valid_loss", "wrong"])):
        new, old = (_first_stage(getattr(told, table))[columns].to_numpy(dtype=float) for told in (now, then))
        if new.shape != old.shape or not np.allclose(new, old, rtol=CLOSE, atol=CLOSE, equal_nan=True):
            raise TrainError(
                "Walked again, this run comes out otherwise than when it was trained.",
                hint="Another computer or version may have trained it. Train once more here, and walk that run.",
            )
        exact = exact and bool(np.array_equal(new, old, equal_nan=True))
    return exact


def _first_stage(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["stage"] == 0]
