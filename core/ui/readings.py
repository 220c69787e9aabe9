"""What the pages about a model read: a model chosen in; its answers about every picture of its data set out.

A pass is made once per model and version of the data. It starts by itself, since it takes seconds where the activations
are kept; a page that needs it shows how far it is and ends there.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.errors import JobError, LabError
from core.interpret.reading import ANSWERS, KIND, load_activations, load_answers
from core.text import read
from core.train import shelf
from core.train.runs import Run, list_runs
from core.ui import cache, forms, models, page, state
from core.ui.live import watch
from core.ui.models import Model
from core.ui.suspects import progress
from core.workspace import lock

SIDES = {"valid": "the exam", "train": "what it learned from"}


@dataclass(frozen=True)
class Reading:
    """A model's answers. `table` has a row per picture that counts, columns as `core.interpret.predictions` says."""

    model: Model
    dataset: Dataset
    run: Run
    table: pd.DataFrame

    def side(self, name: str) -> pd.DataFrame:
        """The answers on one side, "valid" or "train", in the order of the data set."""
        return self.table[self.table["split"] == name].reset_index(drop=True)

    def activations(self) -> np.ndarray:
        """What the body gave for each row of `table`, (rows, 2 * features) float16, read as it is used."""
        return load_activations(self.run)

    @property
    def classes(self) -> tuple[str, ...]:
        """The model's classes, in the order of its scores."""
        return tuple(name.removeprefix("p:") for name in self.table.columns if name.startswith("p:"))


def require(name: str) -> Reading:
    """The answers of the chosen model; without a model, or while it is being asked, the page ends here.

    `name` is the page's, for its words.
    """
    model, dataset = _choose(name)
    found = readings_of(model)
    fresh = next((run for run in found if run.request["version"] == dataset.version), None)
    if fresh is None:
        fresh = _start(model, dataset, found)
    if fresh.state != "done":
        _wait(fresh, model, dataset, found)
        st.stop()
    return Reading(model, dataset, fresh, cache.tables().read(fresh.path / ANSWERS, lambda _: load_answers(fresh)))


def _choose(name: str) -> tuple[Model, Dataset]:
    """The chooser, with the models of one's own whose data set is still there; without any, the way to train one."""
    own = [(model, models.dataset_of(model.run)) for model in models.list_models(state.workspace()) if model.run]
    there = {model.id: (model, dataset) for model, dataset in own if dataset is not None}
    wanted = state.from_address("model")
    if wanted and wanted not in there:
        with contextlib.suppress(LabError):
            models.find_model(state.workspace(), wanted)
            wanted = None  # a model that has no pictures to read it with, such as the shipped one
        if wanted:
            page.show_error(LabError(f"There is no model {wanted[:40]!r} in this workspace.", hint=read(name, "gone")))
    if not there:
        with st.container(key="card-gate"):
            st.markdown(read(name, "need_model"))
            page.next_step("Train a model", "train", key=f"{name}.gate")
        st.stop()
    current = there.get(wanted or "", next(iter(there.values())))[0]
    chosen = forms.model([model for model, _ in there.values()], current)
    state.to_address("model", chosen.id)
    return there[chosen.id]


def readings_of(model: Model) -> list[Run]:
    """All passes with a model as its weights are now, newest first."""
    runs = list_runs(model.run.workspace, KIND) if model.run else []
    return [run for run in runs if run.request["run"] == model.id and run.request["saved_at"] == model.saved_at]


def latest(model: Model) -> Run | None:
    """The newest pass with a model that is done, whatever happened to its data set since; None without one."""
    return next((run for run in readings_of(model) if run.state == "done"), None)


def _start(model: Model, dataset: Dataset, older: list[Run]) -> Run:
    """Let the engine ask the model, unless it does so already; what was asked about older data goes."""
    request = {"run": model.id, "dataset": dataset.id, "version": dataset.version, "saved_at": model.saved_at}
    with lock(dataset.path, "This data set"):
        known = next((run for run in readings_of(model) if run.request["version"] == dataset.version), None)
        if known is None:
            with st.spinner(read("train", "starting")):
                cache.submit(dataset.workspace, KIND, request)
    for run in older:
        if run.ended:
            with contextlib.suppress(JobError):  # it is in use still: it goes with the next one
                shelf.forget(shelf.delete(run))
    return next(run for run in readings_of(model) if run.request["version"] == dataset.version)


def _wait(run: Run, model: Model, dataset: Dataset, older: list[Run]) -> None:
    with st.container(key="card-reading"):
        if not run.ended:
            page.note(page.say("train", "reading_note", count=f"{len(state.kept(dataset)):,}"))
            watch(run, progress)
            return
        if run.record["message"]:
            page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
        else:
            page.see(read("train", "reading_stopped"), "attention")
        if st.button("Ask it again", key="reading.again", type="primary", icon=":material/replay:"):
            cache.resubmit(run)
            st.rerun()
