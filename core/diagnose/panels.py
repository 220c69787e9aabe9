"""What the lab shows of a run, from a run of one's own or from a recording: tables and facts, with the judgement."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.data.table import load_dataset
from core.diagnose.lab import ROLES
from core.diagnose.of_run import Judgement, judge
from core.errors import NotFound
from core.settings import TrainSettings, from_record
from core.train.events import History, StageStarted, Started
from core.train.runs import Run

RECORDED = Path(__file__).parent / "recorded"
RECORDING = "recorded"  # the id of the recorded round


@dataclass(frozen=True)
class Panel:
    """One run of a round. `run` is None for a recording; `judged` while there is nothing to judge yet.

    `epochs` has one row per epoch with `at`, where it ends on the axis of epochs; `batches` has `at` and `loss`.
    `exam`: validation pictures, 0 while the run has not said how many there are.
    """

    role: str
    epochs: pd.DataFrame
    batches: pd.DataFrame
    settings: TrainSettings
    classes: int
    exam: int
    state: str
    judged: Judgement | None
    run: Run | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.run is None or self.run.ended

    @property
    def done(self) -> float:
        """The share of its epochs that are over, in 0..1."""
        return min(1.0, float(self.batches["at"].max()) / self.settings.epochs) if len(self.batches) else 0.0


def panel_of(role: str, run: Run, told: History, judged: Judgement | None = None) -> Panel:
    """A run of one's own, as far as it has come: what it has `told`, and the judgement once there is one."""
    settings = from_record(run.request["settings"])
    stages = [(event.epochs, event.steps) for event in told.all(StageStarted.kind)]
    epochs, batches = _placed(told.epochs, told.batches, stages)
    started = told.last(Started.kind)
    exam = started.valid if isinstance(started, Started) else 0
    return Panel(role, epochs, batches, settings, classes_of(run, told), exam, run.state, judged, run)


def classes_of(run: Run, told: History) -> int:
    """How many classes a run learns: as it said itself, or those of its data set while it has not begun."""
    started = told.last(Started.kind)
    if isinstance(started, Started):
        return len(started.classes)
    try:
        return len(load_dataset(run.workspace, run.request["dataset"]).classes)
    except NotFound:  # deleted while the run waited
        return 2


@functools.cache
def recorded_panels() -> Mapping[str, Panel]:
    """The five recorded runs, role -> panel; the same for everybody."""
    about = json.loads((RECORDED / "runs.json").read_text(encoding="utf-8"))
    epochs, batches = (pd.read_csv(RECORDED / f"{name}.csv") for name in ("epochs", "batches"))
    return {role: _recorded(role, about[role], _of(epochs, role), _of(batches, role)) for role in ROLES}


def _recorded(role: str, about: Mapping[str, object], epochs: pd.DataFrame, batches: pd.DataFrame) -> Panel:
    settings = from_record(about["settings"])  # type: ignore[arg-type]
    classes, valid = int(str(about["classes"])), int(str(about["n_valid"]))
    judged = judge(epochs, settings, batches=batches, classes=classes, n_valid=valid)
    stages = list(zip((stage.epochs for stage in settings.stages), about["steps"], strict=True))  # type: ignore[call-overload]
    placed = _placed(epochs, batches, stages)
    return Panel(role, *placed, settings, classes, valid, str(about["state"]), judged)


def _of(table: pd.DataFrame, role: str) -> pd.DataFrame:
    return table[table["role"] == role].drop(columns="role").reset_index(drop=True)


def _placed(
    epochs: pd.DataFrame, batches: pd.DataFrame, stages: list[tuple[int, int]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both tables with their place on the axis of epochs; `stages`: (epochs, steps) of each that has begun."""
    starts = [sum(length for length, _ in stages[:number]) for number in range(len(stages))]
    per_step = [length / max(1, steps) for length, steps in stages]
    begin = batches["stage"].map(dict(enumerate(starts)))
    return (
        epochs.assign(at=epochs["stage"].map(dict(enumerate(starts))) + epochs["epoch"] + 1),
        batches.assign(at=begin + (batches["step"] + 1) * batches["stage"].map(dict(enumerate(per_step)))),
    )
