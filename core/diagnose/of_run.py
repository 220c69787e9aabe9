"""The verdict on a run of ours: the stage that matters is judged, and rows are those of the whole table of epochs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core.diagnose.base import Finding
from core.diagnose.curve_checks import diagnose
from core.settings import TrainSettings

ALONE = 3  # a stage of so many epochs is a curve of its own


@dataclass(frozen=True)
class Judgement:
    """Findings on a run, the verdict first. `stage` (from 0) is the one that they are about.

    `begins` is the row of the table of epochs with which that stage begins.
    """

    findings: tuple[Finding, ...]
    stage: int
    begins: int = 0

    @property
    def verdict(self) -> Finding:
        """The first finding."""
        return self.findings[0]

    @property
    def in_stage(self) -> Finding:
        """The verdict with its rows counted from the beginning of the stage, as a repair of that stage needs them."""
        rows = dict.fromkeys(max(0, row - self.begins) for row in self.verdict.epochs)
        return replace(self.verdict, epochs=tuple(rows))


def judge(
    epochs: pd.DataFrame,
    settings: TrainSettings,
    *,
    batches: pd.DataFrame | None = None,
    classes: int | None = None,
    n_valid: int | None = None,
    suggested_lr: Mapping[int, float] | None = None,
    diverged_in: int | None = None,
    diverged_loss: float = math.nan,
) -> Judgement:
    """Judge the last stage of a run, or the one in which its loss exploded (`diverged_in`, from 0).

    A stage of fewer than three epochs is judged together with those before it that froze the same layers. `epochs` and
    `batches` are the tables of History; `suggested_lr` holds the finder's rate of the stages for which it is known, and
    `diverged_loss` the loss that ended the run (nats).
    """
    last = int(epochs["stage"].iloc[-1]) if len(epochs) else 0
    stage = last if diverged_in is None else diverged_in
    rows = _rows(epochs, settings, stage)
    of_stage = None if batches is None else batches[batches["stage"] == stage]
    log: Any = epochs.loc[rows].reset_index(drop=True)
    cut_off = diverged_in is not None and (not len(log) or log["stage"].iloc[-1] != stage or _is_sane(log))
    if cut_off:
        log = _with_the_end(log)
    found = diagnose(
        log,
        lr=settings.stages[stage].lr_max,
        suggested_lr=(suggested_lr or {}).get(stage),
        classes=classes,
        n_valid=n_valid,
        batches=of_stage,
    )
    if cut_off:
        found[0] = _grew(found[0], diverged_loss, len(log))
    begins = int((epochs["stage"] < stage).sum())
    if begins and (not rows or rows[0] == begins):  # epochs in the sentences count from the stage
        found = [replace(one, evidence=f"In stage {stage + 1}: {one.evidence}") for one in found]
    placed = tuple(replace(one, epochs=tuple(rows[row] for row in one.epochs if row < len(rows))) for one in found)
    return Judgement(placed, stage, begins)


def _rows(epochs: pd.DataFrame, settings: TrainSettings, stage: int) -> list[int]:
    """Rows of the stages that are judged together."""
    stages = [stage]
    while (epochs["stage"].isin(stages)).sum() < ALONE and stages[0] > 0:
        before = settings.stages[stages[0] - 1]
        if before.first_group != settings.stages[stage].first_group:
            break
        stages.insert(0, stages[0] - 1)
    return [int(row) for row in epochs.index[epochs["stage"].isin(stages)]]


def _is_sane(log: pd.DataFrame) -> bool:
    return bool(log["valid_loss"].iloc[-1] < 1e3)


def _with_the_end(log: pd.DataFrame) -> pd.DataFrame:
    """The table of a run that exploded in the midst of an epoch, with a row for that epoch, whose loss is no number."""
    return pd.concat([log, pd.DataFrame({"train_loss": [float("nan")], "valid_loss": [float("nan")]})])


def _grew(finding: Finding, loss: float, epoch: int) -> Finding:
    """The verdict on a run that was cut off, with the loss that did it where that still was a number."""
    if not math.isfinite(loss):
        return finding
    _, _, rest = finding.evidence.partition(". ")  # what else was seen; the first sentence says "no number"
    size = f"{loss:,.0f}" if loss < 1e9 else "more than a billion"
    return replace(finding, evidence=f"In epoch {epoch} the loss had grown to {size}. {rest}".strip())
