"""A training run as it happens, and what came of it: a run's folder in, figures, counts and words out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.data.table import Dataset, load_dataset
from core.errors import LabError
from core.plots.style import duration, esc, number, rate, wrong_of
from core.plots.training import epochs_table, planned, positions, training_figure
from core.settings import TrainSettings, from_record, to_record
from core.text import read
from core.train.events import BatchDone, EpochDone, History, Progress, StageStarted, Started
from core.train.lr_finder import lower_rate
from core.train.runs import Run
from core.ui import cache, forms, models, page, state
from core.ui.live import phase, progress_html, stop_button, watch
from core.ui.verdict import rate_of, verdict

FIGURE_PX = 440


def start(dataset: Dataset, settings: TrainSettings, preset: str) -> None:
    """Hand a new run to the engine and show it."""
    request = {"dataset": dataset.id, "settings": to_record(settings), "preset": preset}
    with st.spinner(read("train", "starting")):
        made = cache.submit(state.workspace(), "train", request)
    state.to_address("run", made)
    st.rerun()


def show(run: Run) -> None:
    """A training run, going on or over: score, figure, epochs, notes and what to do next."""
    watch(run, _training_tick)


def _classes(run: Run, history: History) -> tuple[str, ...]:
    """The classes a run learns: as it said itself, or those of its data set while it has not begun."""
    started = history.last(Started.kind)
    return (
        started.classes if isinstance(started, Started) else load_dataset(run.workspace, run.request["dataset"]).classes
    )


def _training_tick(run: Run) -> None:
    history = History.of(state.events(run))
    batches, epochs, total = _placed(run, history)
    left, right = st.columns([1, 2.1], gap="large")
    with left:
        st.html(_score(epochs))
        if not run.ended:
            st.html(progress_html(*_where(run, history, batches, epochs, total)))
            stop_button(run)
        if run.ended:
            _next_steps(run)
        st.html(_facts(run, history, "beside"))
        if not run.ended:
            page.note(read("train", "running"))
    with right:
        classes = _classes(run, history)
        plan = planned(from_record(run.request["settings"]).stages)
        spec = training_figure(batches, epochs, plan, classes=len(classes), look=page.current_look(), height=FIGURE_PX)
        st.echarts_chart(spec, key="train.live", height=FIGURE_PX, alt=_alt(epochs))
    _words(run, history)
    if len(epochs):
        st.html(epochs_html(epochs))
    st.html(_facts(run, history, "below"))


def _placed(run: Run, history: History) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Batches and epochs with their place on the axis of epochs, and the length of that axis."""
    found = {event.stage: event for event in history.events if isinstance(event, StageStarted)}
    stages = [(stage, event.epochs, event.steps) for stage, event in sorted(found.items())]
    total = sum(stage["epochs"] for stage in run.request["settings"]["stages"])
    batches, epochs = history.batches, history.epochs
    batches = batches.assign(at=positions(stages, batches), begin=positions(stages, batches, begin=True))
    return batches, epochs.assign(at=positions(stages, epochs)), total


def _where(
    run: Run, history: History, batches: pd.DataFrame, epochs: pd.DataFrame, total: int
) -> tuple[float, str, str]:
    working = [event for event in history.events if isinstance(event, (Progress, BatchDone, StageStarted, EpochDone))]
    if not working or isinstance(working[-1], Progress):
        return phase(run, working[-1] if working else None)
    at = float(batches["at"].iloc[-1]) if len(batches) else 0.0
    now = min(total, len(epochs) + 1)
    if not len(epochs):
        return at / total, f"Epoch {now} of {total}", ""
    seconds = float(epochs["seconds"].tail(3).mean()) * max(0.0, total - at)
    return at / total, f"Epoch {now} of {total}", page.say("train", "left", time=duration(seconds))


def _score(epochs: pd.DataFrame) -> str:
    if not len(epochs):
        return '<p class="score"><b>…</b><span>no exam yet</span></p>'
    last = epochs.iloc[-1]
    count, _, part = wrong_of(int(last["wrong"]), int(last["of"])).partition(" (")
    return f'<p class="score"><b>{count}</b><span>{part.rstrip(")")}</span></p>'


def _facts(run: Run, history: History, place: str) -> str:
    """What was asked for; it stands beside the figure, on a phone below it (the style sheet shows one of the two)."""
    settings, started = run.request["settings"], history.last("started")
    preset = forms.PRESET_TITLES.get(run.request["preset"], "own")
    facts = {"Data": models.dataset_name(run), "How": preset, "Rate": rate(rate_of(run)), "Seed": settings["seed"]}
    if started is not None:
        facts["Pictures"] = f"{started.train:,} + {started.valid:,} for the exam"
        facts["Runs on"] = f"{started.device.upper()}, {started.precision}"
    rows = "".join(f"<dt>{esc(name)}</dt><dd>{esc(value)}</dd>" for name, value in facts.items())
    return f'<dl class="facts {place}">{rows}</dl>'


def _alt(epochs: pd.DataFrame) -> str:
    if not len(epochs):
        return "Loss, learning rate and momentum over the epochs; nothing yet."
    return f"Loss, learning rate and momentum. Validation loss now {number(float(epochs['valid_loss'].iloc[-1]))}."


def _words(run: Run, history: History) -> None:
    found = verdict(run, history)
    if found:
        page.see(found.text, found.kind)
    if run.state == "failed" and run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
    for note in history.notes():
        page.note(esc(note))


def _next_steps(run: Run) -> None:
    usable = (run.path / models.WEIGHTS).is_file()
    if run.state in ("stopped", "failed", "interrupted"):
        label = "Go on from the last epoch" if usable else "Start it again"
        st.button(label, key="train.resume", icon=":material/resume:", width="stretch", on_click=_resume, args=(run,))
    if usable and run.state != "diverged":
        page.next_step("Try your model", "predict", key="train.predict", width="stretch", model=run.id)
        if st.button("Clean its data", key="train.clean", icon=":material/mop:", width="stretch"):
            page.go("clean", dataset=run.request["dataset"], run=run.id, find="1")
    label = f"Again, at {rate(lower_rate(rate_of(run)))}" if run.state == "diverged" else "Train another"
    st.button(label, key="train.again", icon=":material/replay:", width="stretch", on_click=_again, args=(run,))


def _resume(run: Run) -> None:
    with page.boundary():
        cache.resubmit(run)


def _again(run: Run) -> None:
    state.to_address("run", None)
    if run.state == "diverged":
        forms.set_rate(lower_rate(rate_of(run)))


def epochs_html(epochs: pd.DataFrame) -> str:
    """The table of epochs; the one with the lowest validation loss is marked with a dot, not by colour alone."""
    table = epochs_table(epochs)
    best = int(epochs["valid_loss"].argmin())
    head = "".join(f"<th>{esc(name)}</th>" for name in table.columns)
    rows = [_row(record, place == best) for place, record in enumerate(table.to_dict("records"))]
    return f'<div class="epochs"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _row(record: Mapping[str, Any], best: bool) -> str:
    cells = []
    for name, value in record.items():
        if name == "epoch":
            text = f"● {value}" if best else str(value)
        elif name == "error":
            text = f"{100 * value:.1f} %"
        elif name == "time (s)":
            text = f"{value:.2f}"
        elif isinstance(value, float):
            text = f"{value:.4f}" if abs(value) < 100 and name != "images / s" else number(value)
        else:
            text = str(value)
        cells.append(f"<td>{esc(text)}</td>")
    return f"<tr{' class=best' if best else ''}>{''.join(cells)}</tr>"
