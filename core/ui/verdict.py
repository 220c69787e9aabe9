"""What a run came to, in a sentence: its record and its history in, words out."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from core.plots.style import rate
from core.train.events import History, Started
from core.train.runs import Run
from core.ui import page

NOISE = 2  # pictures: an exam this small says nothing about smaller differences


@dataclass(frozen=True)
class Verdict:
    """One or two sentences; `kind` is "", "attention" or "high"."""

    text: str
    kind: str = ""


def verdict(run: Run, history: History) -> Verdict | None:
    """What a run that has ended came to; None while it goes on."""
    epochs = history.epochs
    if run.state == "diverged":
        return Verdict(page.say("train", "diverged", lower=rate(rate_of(run) / 10)), "high")
    if run.state == "stopped":
        section = "stopped" if len(epochs) else "stopped_early"
        return Verdict(page.say("train", section, epochs=_counted(len(epochs))), "attention")
    if run.state in ("failed", "interrupted"):
        section = "killed" if run.record["code"] == "killed" else run.state
        return Verdict(page.say("train", section, epochs=_counted(len(epochs))), "attention")
    return _of_epochs(epochs, history.last(Started.kind)) if run.state == "done" and len(epochs) else None


def _counted(epochs: int) -> str:
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"


def _of_epochs(epochs: pd.DataFrame, started: object) -> Verdict:
    last = epochs.iloc[-1]
    wrong, of = int(last["wrong"]), int(last["of"])
    chance = started.chance if isinstance(started, Started) else 1.0
    values = {"wrong": wrong, "right": of - wrong, "of": of, "best": int(epochs["valid_loss"].argmin()) + 1}
    if wrong and wrong >= chance * of - NOISE:
        return Verdict(page.say("train", "verdict_chance", **values), "attention")
    if not wrong:
        return Verdict(page.say("train", "verdict_perfect", **values))
    if _still_learning(epochs):
        return Verdict(page.say("train", "verdict_short", **values), "attention")
    return Verdict(page.say("train", "verdict_good", **values))


def _still_learning(epochs: pd.DataFrame) -> bool:
    """Whether the last epoch lowered the validation loss by a twentieth and the error by more than noise."""
    if len(epochs) < 2:
        return False
    before, last = epochs.iloc[-2], epochs.iloc[-1]
    return bool(last["valid_loss"] < 0.95 * before["valid_loss"] and before["wrong"] - last["wrong"] > NOISE)


def rate_of(run: Run) -> float:
    """The highest rate of a run's first stage."""
    lr = run.request["settings"]["stages"][0]["lr"]
    return float(lr[-1] if isinstance(lr, (list, tuple)) else lr)
