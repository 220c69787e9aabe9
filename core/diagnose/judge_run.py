"""A training run and what it said in, the judgement on it out: pages and the terminal say the same about a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from core.diagnose.base import Finding
from core.diagnose.data_checks import check_start
from core.diagnose.of_run import Judgement, judge
from core.settings import from_record
from core.train.events import Diverged, Event, History, StageStarted, Started
from core.train.known_rates import as_trained, known_rates
from core.train.runs import Run

TELLING_BATCH = 12  # with fewer pictures a fresh head may begin anywhere, by luck


def judge_run(run: Run, history: History, tests: Sequence[Run] | None = None) -> Judgement | None:
    """The findings on a training run that has ended by itself; None while there is nothing to judge.

    `history` is what it said; `tests` are the workspace's range tests, newest first, where they were read already.
    """
    exploded = history.last(Diverged.kind)
    if run.state not in ("done", "diverged") or not (len(history.epochs) or isinstance(exploded, Diverged)):
        return None
    started = history.last(Started.kind)
    known = {"classes": len(started.classes), "n_valid": started.valid} if isinstance(started, Started) else {}
    judged = judge(
        history.epochs,
        as_trained(from_record(run.request["settings"]), history),
        batches=history.batches,
        suggested_lr=known_rates(run, tests, said=history),
        **_explosion(exploded if run.state == "diverged" else None),
        **known,
    )
    odd = _odd_start(run, history, known.get("classes", 0))
    return judged if odd is None else replace(judged, findings=(*judged.findings, odd))


def _explosion(event: Event | None) -> dict[str, Any]:
    return {"diverged_in": event.stage, "diverged_loss": event.loss} if isinstance(event, Diverged) else {}


def _odd_start(run: Run, history: History, classes: int) -> Finding | None:
    """What is odd about the first batch of a run that began with a fresh head; a few pictures say nothing."""
    begun = next(iter(history.all(StageStarted.kind)), None)
    if not classes or not len(history.batches) or not isinstance(begun, StageStarted) or begun.batch < TELLING_BATCH:
        return None
    dropout = from_record(run.request["settings"]).resolved[0].dropout or 0.0
    first = float(history.batches["loss"].iloc[0])
    return check_start(first, classes, goes_on=bool(run.request.get("start")), dropout=dropout)
