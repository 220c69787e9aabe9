"""Experiments about data: a choice of question in; the trainings as they come, their figure and what they say out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.diagnose.experiment_words import summary
from core.diagnose.experiments import EXPERIMENTS
from core.errors import LabError
from core.plots.experiments import experiment_figure
from core.plots.style import duration, esc
from core.settings import Stage, TrainSettings, to_record
from core.text import read
from core.train.estimate import estimate
from core.train.events import History, Progress
from core.train.experiment_point import ExperimentPoint
from core.train.runs import Run, list_runs
from core.ui import cache, page, state
from core.ui.live import phase, progress_html, stop_button, watch

KIND = "experiment"
FIGURE_PX = 360
EPOCHS = 6  # a head that is short of pictures needs more passes than one that is not


def show(dataset: Dataset | None) -> None:
    """One question at a time; the newest answer to it on this data set, and the button that asks it anew."""
    if dataset is None or not dataset.trainable:
        page.see(read("diagnose", "experiment_need_data"), "attention")
        page.next_step("Build a data set", "build", key="experiment.build")
        return
    name = str(
        st.segmented_control(
            "Question", list(EXPERIMENTS), key="experiment.name", default="size", required=True,
            format_func=lambda one: EXPERIMENTS[one].title, label_visibility="collapsed",
        )
    )  # fmt: skip
    page.note(read("diagnose", f"experiment_{name}"))
    runs = [run for run in list_runs(state.workspace(), KIND) if run.request.get("dataset") == dataset.id]
    going = next((run for run in runs if not run.ended), None)
    latest = next((run for run in runs if run.request.get("experiment") == name), None)
    if going is not None and going.request.get("experiment") != name:
        other = EXPERIMENTS.get(str(going.request.get("experiment")))
        page.note(page.say("diagnose", "experiment_busy", title=other.title if other else ""))
        watch(going, _progress)
    elif going is None:
        _ask(dataset, name, latest)
    if latest is not None:
        watch(latest, _tick)
    elif going is None:
        page.see(read("diagnose", "experiment_empty"))


def _ask(dataset: Dataset, name: str, latest: Run | None) -> None:
    """The button, with what it will take; a run that was broken off goes on."""
    with st.container(horizontal=True, key="experiment-ways", vertical_alignment="center"):
        label = "Do it" if latest is None else "Do it again"
        if st.button(label, key="experiment.start", type="primary", icon=":material/science:"):
            with page.boundary(), st.spinner(read("train", "starting")):
                _start(dataset, name)
                st.rerun()
        if latest is not None and latest.state in ("stopped", "interrupted", "failed"):
            if st.button("Go on", key="experiment.resume", icon=":material/resume:"):
                with page.boundary():
                    cache.resubmit(latest)
                    st.rerun()
        count = len(EXPERIMENTS[name].setups)
        page.note(page.say("diagnose", "experiment_time", count=count, time=_time(dataset, name)))


def _settings() -> TrainSettings:
    return TrainSettings(stages=(Stage(epochs=EPOCHS),))


def _time(dataset: Dataset, name: str) -> str:
    """The activations once, then the head so many times."""
    rows = state.kept(dataset)
    train, valid = int((rows["split"] == "train").sum()), int((rows["split"] == "valid").sum())
    once = estimate(_settings(), train=train, valid=valid).seconds
    return duration(once + 0.4 * (len(EXPERIMENTS[name].setups) - 1))


def _start(dataset: Dataset, name: str) -> None:
    request = {
        "dataset": dataset.id,
        "dataset_name": dataset.name,
        "version": dataset.version,
        "experiment": name,
        "settings": to_record(_settings()),
    }
    cache.submit(state.workspace(), KIND, request)


def _progress(run: Run) -> None:
    history = History.of(state.events(run))
    st.html(progress_html(*phase(run, history.last(Progress.kind))))
    stop_button(run)


def _tick(run: Run) -> None:
    """The points that are there, what they say, and the table."""
    name = str(run.request["experiment"])
    history = History.of(state.events(run))
    points: list[ExperimentPoint] = history.all(ExperimentPoint.kind)
    if not run.ended:
        st.html(progress_html(*phase(run, history.last(Progress.kind))))
        stop_button(run)
    st.echarts_chart(
        experiment_figure(name, points, page.current_look()), key="experiment.figure", height=FIGURE_PX,
        alt=" ".join(summary(name, points)),
    )  # fmt: skip
    if not run.ended:
        return
    if run.state == "failed" and run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
    for sentence in summary(name, points):
        page.see(esc(sentence))
    for note in history.notes():
        page.note(esc(note))
    _data_changed(run)
    if points:
        _table(name, points)


def _data_changed(run: Run) -> None:
    """Say when the data set is another one than when this was done."""
    dataset = state.dataset()
    if dataset is not None and run.request.get("version") not in (None, dataset.version):
        page.note(read("diagnose", "experiment_old"))


def _table(name: str, points: list[ExperimentPoint]) -> None:
    rows = pd.DataFrame(
        {
            "what": [point.group for point in points],
            EXPERIMENTS[name].axis: [100 * point.value for point in points],
            "seed": [point.seed for point in points],
            "training pictures": [point.train for point in points],
            "wrong": [point.wrong for point in points],
            "of": [point.of for point in points],
            "validation loss": [round(point.valid_loss, 4) for point in points],
            "thinned class found (%)": [
                None if point.thin_recall is None else round(100 * point.thin_recall, 1) for point in points
            ],
        }
    ).dropna(axis=1, how="all")
    with st.expander("All trainings", icon=":material/table:"):
        st.dataframe(rows, hide_index=True, width="stretch")
        st.download_button(
            "As a CSV file", rows.to_csv(index=False), file_name=f"experiment-{name}.csv", mime="text/csv",
            key="experiment.csv", icon=":material/download:",
        )  # fmt: skip
