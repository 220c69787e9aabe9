"""What a run came to, in a sentence or two: its record and its history in, words out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.diagnose import Finding
from core.diagnose.data_checks import check_start
from core.diagnose.of_run import Judgement, judge
from core.plots.style import esc, rate
from core.settings import from_record
from core.train.events import Diverged, Event, History, StageStarted, Started
from core.train.known_rates import as_trained, known_rates
from core.train.lr_finder import lower_rate
from core.train.runs import Run
from core.ui import page

TELLING_BATCH = 12  # with fewer pictures a fresh head may begin anywhere, by luck
_KINDS = {"good": "", "note": "", "warning": "attention", "bad": "high"}


@dataclass(frozen=True)
class Verdict:
    """Sentences with safe values; `kind` is "", "attention" or "high". `title` says it in two or three words."""

    text: str
    kind: str = ""
    title: str = ""


def verdict(run: Run, history: History, tests: Sequence[Run] | None = None) -> Verdict | None:
    """What a run that has ended came to; None while it goes on or when there is nothing to say.

    `tests` are the range tests of the workspace where they were read already.
    """
    epochs = len(history.epochs)
    if run.state == "diverged":
        lower = rate(lower_rate(rate_of(run)))
        return Verdict(page.say("train", "diverged", lower=lower, when=_when(history)), "high", "Exploded")
    if run.state == "stopped":
        section = "stopped" if epochs else "stopped_early"
        return Verdict(page.say("train", section, epochs=_counted(epochs)), "attention", "Stopped")
    if run.state in ("failed", "interrupted"):
        section = "killed" if run.record["code"] == "killed" else run.state
        return Verdict(page.say("train", section, epochs=_counted(epochs)), "attention", run.state.capitalize())
    return _diagnosed(run, history, tests) if run.state == "done" and epochs else None


def _when(history: History) -> str:
    """The epoch in which a run exploded; a run of several stages says which one too."""
    event = history.last(Diverged.kind)
    if not isinstance(event, Diverged):
        return "in the first epoch"
    stage = f" of stage {event.stage + 1}" if event.stage else ""
    return f"in epoch {event.epoch + 1}{stage}"


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def judgement(run: Run, history: History, tests: Sequence[Run] | None = None) -> Judgement | None:
    """The findings on a run that has ended by itself; None while there is nothing to judge."""
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


def _diagnosed(run: Run, history: History, tests: Sequence[Run] | None) -> Verdict | None:
    judged = judgement(run, history, tests)
    if judged is None:
        return None
    found = judged.verdict
    return Verdict(f"**{esc(found.title)}.** {esc(found.evidence)}", _KINDS[found.severity], found.title)


def rate_of(run: Run) -> float:
    """The highest rate of a run's first stage: the one that was asked for."""
    return from_record(run.request["settings"]).stages[0].lr_max
