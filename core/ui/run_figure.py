"""The figure of a training run: its folder and what it said in; losses and rates with the verdict's band out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.diagnose.of_run import Judgement
from core.diagnose.panels import classes_of
from core.plots.bands import Band, band_of
from core.plots.plan import planned
from core.plots.style import number, wrong_of
from core.plots.training import positions, training_figure
from core.settings import from_record
from core.train.events import History, StageStarted
from core.train.runs import Run
from core.ui import page


def show(run: Run, history: History, judged: Judgement | None, *, key: str, height: int) -> None:
    """The curve as far as it has come; where the run was judged, with a band over what the verdict speaks of."""
    batches, epochs, _ = placed(run, history)
    spec = training_figure(
        batches,
        epochs,
        planned(from_record(run.request["settings"]).stages),
        classes=classes_of(run, history),
        look=page.current_look(),
        height=height,
        band=_band(run, judged, batches, epochs),
    )
    st.echarts_chart(spec, key=key, height=height, alt=_alt(epochs))


def placed(run: Run, history: History) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Batches and epochs with their place on the axis of epochs, and the length of that axis."""
    found = {event.stage: event for event in history.events if isinstance(event, StageStarted)}
    stages = [(stage, event.epochs, event.steps) for stage, event in sorted(found.items())]
    total = sum(stage["epochs"] for stage in run.request["settings"]["stages"])
    batches, epochs = history.batches, history.epochs
    batches = batches.assign(at=positions(stages, batches), begin=positions(stages, batches, begin=True))
    return batches, epochs.assign(at=positions(stages, epochs)), total


def _band(run: Run, judged: Judgement | None, batches: pd.DataFrame, epochs: pd.DataFrame) -> Band | None:
    """Where the figure shows what the verdict speaks of; a run that exploded did so after its last epoch."""
    if judged is None:
        return None
    exploded = float(batches["at"].iloc[-1]) if run.state == "diverged" and len(batches) else None
    return band_of(judged.verdict, list(epochs["at"]), until=exploded)


def _alt(epochs: pd.DataFrame) -> str:
    if not len(epochs):
        return "Loss, wrong answers, learning rate and momentum over the epochs; nothing yet."
    last = epochs.iloc[-1]
    score = wrong_of(int(last["wrong"]), int(last["of"]))
    loss = number(float(last["valid_loss"]))
    return f"Loss, wrong answers, learning rate and momentum. Validation loss now {loss}, {score}."
