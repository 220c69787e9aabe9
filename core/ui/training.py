"""A training run as it happens, and what came of it: a run's folder in, figures, counts and words out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.diagnose.judge_run import judge_run
from core.diagnose.of_run import Judgement
from core.errors import LabError
from core.plots.style import counted, duration, esc, number, rate, wrong_of
from core.settings import LAYER_GROUPS, TrainSettings, from_record, to_record
from core.text import read
from core.train.events import (
    BatchDone,
    EpochDone,
    History,
    MemoryUsed,
    Progress,
    RateFound,
    RatePoint,
    StageStarted,
    Started,
)
from core.train.recipes import RECIPES
from core.train.runs import Run
from core.ui import after_run, cache, finding_card, glimpses, models, page, recipe_address, run_figure, state
from core.ui.epoch_table import epochs_html
from core.ui.live import phase, progress_html, stop_button, watch
from core.ui.verdict import verdict

FIGURE_PX = 470


def start(dataset: Dataset, settings: TrainSettings, preset: str, begin: Mapping[str, str] | None = None) -> None:
    """Hand a new run to the engine and show it. `begin` names the run and the file of a checkpoint to go on from."""
    request: dict[str, Any] = {"dataset": dataset.id, "settings": to_record(settings), "preset": preset}
    if begin:
        request["start"] = dict(begin)
        state.to_address("start", None)
    with st.spinner(read("train", "starting")):
        made = cache.submit(state.workspace(), "train", request)
    recipe_address.forget()
    state.to_address("run", made)
    st.rerun()


def show(run: Run) -> None:
    """A training run, going on or over: score, figure, watched pictures, epochs, notes and what to do next."""
    watch(run, _training_tick)


def _training_tick(run: Run) -> None:
    history = History.of(state.events(run))
    batches, epochs, total = run_figure.placed(run, history)
    judged = judge_run(run, history)
    left, right = st.columns([1, 2.4], gap="large")
    with left:
        st.html(_score(epochs))
        if not run.ended:
            st.html(progress_html(*_where(run, history, batches, epochs, total)))
            stop_button(run)
        if run.ended:
            after_run.next_steps(
                run, start, to_mend=judged is not None and judged.verdict.severity in ("warning", "bad")
            )
        st.html(_facts(run, history, epochs, "beside"))
        if not run.ended:
            page.note(read("train", "running"))
    with right:
        run_figure.show(run, history, judged, key="train.live", height=FIGURE_PX)
        if judged is not None:
            finding_card.of_run(run, judged, key="train")
            page.next_step(
                read("train", "five"), "diagnose", key="train.five", kind="tertiary", dataset=run.request["dataset"]
            )
    watched = glimpses.watched_html(history, run.request["dataset"])
    if watched:
        page.note(read("train", "watched"))
        st.html(watched)
    _words(run, history, judged)
    if len(epochs):
        st.html(epochs_html(epochs))
        page.note(read("train", "table"))
    if run.ended:
        after_run.more(run, history)
    st.html(_facts(run, history, epochs, "below"))


def _where(
    run: Run, history: History, batches: pd.DataFrame, epochs: pd.DataFrame, total: int
) -> tuple[float, str, str]:
    kinds = (Progress, BatchDone, StageStarted, EpochDone, RatePoint)
    working = [event for event in history.events if isinstance(event, kinds)]
    if not working or isinstance(working[-1], Progress):
        return phase(run, working[-1] if working else None)
    if isinstance(working[-1], RatePoint):
        return len(epochs) / total, read("train", "finding"), page.say("train", "trying", rate=rate(working[-1].lr))
    at = float(batches["at"].iloc[-1]) if len(batches) else 0.0
    now = min(total, len(epochs) + 1)
    if not len(epochs):
        return at / total, f"Epoch {now} of {total}", ""
    return at / total, f"Epoch {now} of {total}", _left(run, epochs, at)


def _left(run: Run, epochs: pd.DataFrame, at: float) -> str:
    """How long it still takes, as far as the epochs of this stage tell; later stages may be slower."""
    stages = from_record(run.request["settings"]).stages
    now = int(epochs["stage"].iloc[-1])
    ends = sum(stage.epochs for stage in stages[: now + 1])
    if at >= ends and now + 1 < len(stages):
        return page.say("train", "stage_begins", stage=now + 2, stages=len(stages))
    mine = epochs[epochs["stage"] == now]
    seconds = float(mine["seconds"].tail(3).mean()) * max(0.0, ends - at)
    section = "left" if now + 1 == len(stages) else "left_in_stage"
    return page.say("train", section, time=duration(seconds), stage=now + 1)


def _score(epochs: pd.DataFrame) -> str:
    if not len(epochs):
        return '<p class="score"><b>…</b><span>no exam yet</span></p>'
    last = epochs.iloc[-1]
    count, _, part = wrong_of(int(last["wrong"]), int(last["of"])).partition(" (")
    return f'<p class="score"><b>{count}</b><span>{part.rstrip(")")}</span></p>'


def _facts(run: Run, history: History, epochs: pd.DataFrame, place: str) -> str:
    """What was asked for; it stands beside the figure, on a phone below it (the style sheet shows one of the two)."""
    settings, started = from_record(run.request["settings"]), history.last(Started.kind)
    recipe = RECIPES.get(run.request.get("preset", ""))
    facts = {
        "Data": models.dataset_name(run),
        "Recipe": recipe.title if recipe else read("train", "own_recipe"),
        "Rate": _rates(run, history),
        "Seed": str(settings.seed),
    }
    if isinstance(started, Started):
        facts["Pictures"] = f"{started.train:,} + {started.valid:,} for the exam"
        facts["Runs on"] = f"{started.device.upper()}, {started.precision}"
    if len(epochs):
        facts["Speed"] = f"{number(float(epochs['images_per_s'].iloc[-1]))} images / s"
    used = history.last(MemoryUsed.kind)
    if isinstance(used, MemoryUsed):
        facts["Memory"] = f"{used.used_mb / 1024:.1f} of {used.of_mb / 1024:.0f} GB"
    rows = "".join(f"<dt>{esc(name)}</dt><dd>{esc(value)}</dd>" for name, value in facts.items())
    return f'<dl class="facts {place}">{rows}</dl>'


def _rates(run: Run, history: History) -> str:
    """The highest rate of each stage; where several layer groups learn, from the first that learns to the last."""
    begun = {event.stage: event for event in history.all(StageStarted.kind)}
    said = []
    for place, stage in enumerate(from_record(run.request["settings"]).stages):
        rates = begun[place].lr[stage.first_group - LAYER_GROUPS :] if place in begun else (stage.lr_max,)
        low, high = rate(rates[0]), rate(rates[-1])
        said.append(high if low == high else f"{low} to {high}")
    return ", then ".join(said)


def _words(run: Run, history: History, judged: Judgement | None) -> None:
    found = verdict(run, history, judged)
    if found and (run.state == "diverged" or judged is None):  # the card says it otherwise
        page.see(found.text, found.kind)
    if run.state == "failed" and run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
    for found_rate in history.all(RateFound.kind):
        page.see(_found(found_rate))
    for note in history.notes():
        page.note(esc(note))


def _found(event: RateFound) -> str:
    """What a range test between two stages chose, and why."""
    section = "found_slice" if event.low is not None else "found_rate"
    low = rate(event.low) if event.low is not None else ""
    values = {"stage": event.stage + 1, "low": low, "high": rate(event.high), "why": event.why}
    return page.say("train", section, points=counted(len(event.lrs), "batch", "batches"), **values)
