"""What a run came to, in a sentence or two: its record and its history in, words out."""

from __future__ import annotations

from dataclasses import dataclass

from core.diagnose import Finding
from core.diagnose.of_run import Judgement
from core.plots.style import esc, rate
from core.settings import from_record
from core.train.events import Diverged, History
from core.train.lr_finder import lower_rate
from core.train.runs import Run
from core.ui import page

_KINDS = {"good": "", "note": "", "warning": "attention", "bad": "high"}


@dataclass(frozen=True)
class Verdict:
    """Sentences with safe values; `kind` is "", "attention" or "high". `title` says it in two or three words."""

    text: str
    kind: str = ""
    title: str = ""


def verdict(run: Run, history: History, judged: Judgement | None) -> Verdict | None:
    """What a run that has ended came to; None while it goes on or when there is nothing to say.

    `judged` is the judgement on it, see `judge_run`.
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
    return _diagnosed(judged.verdict) if judged is not None else None


def _when(history: History) -> str:
    """The epoch in which a run exploded; a run of several stages says which one too."""
    event = history.last(Diverged.kind)
    if not isinstance(event, Diverged):
        return "in the first epoch"
    stage = f" of stage {event.stage + 1}" if event.stage else ""
    return f"in epoch {event.epoch + 1}{stage}"


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _diagnosed(found: Finding) -> Verdict:
    return Verdict(f"**{esc(found.title)}.** {esc(found.evidence)}", _KINDS[found.severity], found.title)


def rate_of(run: Run) -> float:
    """The highest rate of a run's first stage: the one that was asked for."""
    return from_record(run.request["settings"]).stages[0].lr_max
