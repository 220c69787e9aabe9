"""What the lab shows of a run, from a run of one's own or from a recording: tables and facts, with the judgement."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.diagnose.lab import ROLES
from core.diagnose.of_run import Judgement, judge
from core.settings import TrainSettings, from_record
from core.train.events import Diverged, StageStarted, Started
from core.train.runs import Run, history

RECORDED = Path(__file__).parent / "recorded"
RECORDING = "recorded"  # the id of the recorded round


@dataclass(frozen=True)
class Panel:
    """One run of a round. `run` is None for a recording; `judged` while there is nothing to judge yet.

    `epochs` has one row per epoch with `at`, where it ends on the axis of epochs; `batches` has `at` and `loss`.
    """

    role: str
    epochs: pd.DataFrame
    batches: pd.DataFrame
    settings: TrainSettings
    classes: int
    state: str
    judged: Judgement | None
    run: Run | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self.run is None or self.run.ended


def panel_of(role: str, run: Run) -> Panel:
    """A run of one's own, as far as it has come."""
    told = history(run)
    settings = from_record(run.request["settings"])
    started, exploded = told.last(Started.kind), told.last(Diverged.kind)
    classes, valid = (len(started.classes), started.valid) if isinstance(started, Started) else (2, None)
    stages = [(event.epochs, event.steps) for event in told.all(StageStarted.kind)]
    judged = None
    if run.state in ("done", "diverged"):
        judged = judge(
            told.epochs,
            settings,
            batches=told.batches,
            classes=classes,
            n_valid=valid,
            diverged_in=exploded.stage if run.state == "diverged" and isinstance(exploded, Diverged) else None,
        )
    epochs, batches = _placed(told.epochs, told.batches, stages)
    return Panel(role, epochs, batches, settings, classes, run.state, judged, run)


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
    return Panel(role, *placed, settings, classes, str(about["state"]), judged)


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
