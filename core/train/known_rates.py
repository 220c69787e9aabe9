"""Rates that a finder has suggested for the stages of a run: the workspace's range tests in, stage -> rate out."""

from __future__ import annotations

from collections.abc import Sequence

from core.settings import from_record
from core.train.events import CurveDone, RatePoint
from core.train.finder_rules import suggest
from core.train.runs import Run, history, list_runs


def known_rates(run: Run, tests: Sequence[Run] | None = None) -> dict[int, float]:
    """The recommended rate of each stage (from 0) of a training run for which the newest range test fits.

    One fits that was made on the same data set with the same network and the same layers frozen, and that began as the
    stage did: with a fresh head, or with weights that had learned. `tests` are the workspace's range tests, newest
    first, where they were read already.
    """
    settings = from_record(run.request["settings"])
    tests = list_runs(run.workspace, "lr_find") if tests is None else tests
    mine = [test for test in tests if test.request.get("dataset") == run.request["dataset"]]
    found: dict[int, float] = {}
    for number, stage in enumerate(settings.stages):
        goes_on = bool(number or run.request.get("start"))
        for test in mine:
            asked = from_record(test.request["settings"])
            same = (asked.backbone, asked.stages[0].first_group) == (settings.backbone, stage.first_group)
            rate = recommended(test) if same and bool(test.request.get("start")) == goes_on else None
            if rate is not None:
                found[number] = rate
                break
    return found


def recommended(test: Run) -> float | None:
    """What a range test recommends; None where its curve gives no answer, or while it is not done."""
    said = history(test)
    done, points = said.last(CurveDone.kind), said.all(RatePoint.kind)
    if not isinstance(done, CurveDone) or not points:
        return None
    lrs, losses = ([getattr(point, name) for point in points] for name in ("lr", "loss_smooth"))
    return suggest(lrs, losses, steps=done.steps)["recommended"].lr
