"""What the pages about a model read: a model chosen in; its answers about every picture of its data set out.

A pass is made once per model and version of the data. It starts by itself, since it takes seconds where the activations
are kept; a page that needs it shows how far it is and ends there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.data.table import Dataset, read_items
from core.errors import JobError, LabError, NotFound
from core.interpret.reading import ANSWERS, KIND, load_activations, load_answers
from core.text import read
from core.train import shelf
from core.train.runs import Run, list_runs
from core.ui import cache, forms, models, page, state
from core.ui.live import ended_early, watch
from core.ui.models import Model
from core.ui.suspects import progress, stamp
from core.workspace import lock

SIDES = {"valid": "the exam", "train": "what it learned from"}
KEPT = 128  # things worked out from answers, which are small beside them


@dataclass(frozen=True)
class Reading:
    """A model's answers. `table` has a row per picture that counts, columns as `core.interpret.predictions` says."""

    model: Model
    dataset: Dataset
    run: Run
    table: pd.DataFrame

    def side(self, name: str) -> pd.DataFrame:
        """The answers on one side, "valid" or "train", in the order of the data set."""
        found: pd.DataFrame = self.kept(("side", name), lambda: self._side(name))
        return found.copy(deep=False)

    def _side(self, name: str) -> pd.DataFrame:
        return self.table[self.table["split"] == name].reset_index(drop=True)

    def kept(self, what: Hashable, make: Callable[[], Any]) -> Any:
        """Something worked out from these answers, kept by the process until they are others."""
        return _warm().get((self.run.path, stamp(self.run.path / ANSWERS), what), make)

    @property
    def names(self) -> Mapping[str, str]:
        """Item -> what its file was called, for all pictures of the data set."""
        path = self.dataset.path / "items.csv"
        found: Mapping[str, str] = _warm().get((path, stamp(path), "names"), lambda: _names(self.dataset))
        return found

    def activations(self) -> np.ndarray:
        """What the body gave for each row of `table`, (rows, 2 * features) float16, read as it is used."""
        return load_activations(self.run)

    @property
    def classes(self) -> tuple[str, ...]:
        """The model's classes, in the order of its scores."""
        return tuple(name.removeprefix("p:") for name in self.table.columns if name.startswith("p:"))

    @property
    def known(self) -> tuple[str, ...]:
        """The model's classes, then those that only the data has."""
        more = self.kept("labels", lambda: tuple(sorted(set(self.table["label"]))))
        return (*self.classes, *(label for label in more if label not in self.classes))

    def learned(self) -> int:
        """How many pictures of today's exam the model has learned from, because they changed sides since."""
        return int(self.kept("learned", self._learned))

    def _learned(self) -> int:
        try:
            then = read_items(self.model.run.path / "items.csv") if self.model.run else None
        except NotFound:  # a run from before tables were kept
            then = None
        if then is None:
            return 0
        learned = then.loc[(then["status"] == "kept") & (then["split"] == "train"), "file"]
        return len({*self.side("valid")["file"]} & {*learned})


@lru_cache(maxsize=1)
def _warm() -> cache.Warm:
    """What this process keeps about answers."""
    return cache.Warm(KEPT)


def _names(dataset: Dataset) -> Mapping[str, str]:
    items = state.items(dataset)
    return dict(zip(items["item"], items["original_name"], strict=True))


def require(name: str, *, place: Any = None) -> Reading:
    """The answers of the chosen model; without a model, or while it is being asked, the page ends here.

    `name` is the page's, for its words; `place` is where the model is chosen, such as a column.
    """
    model, dataset = _choose(name, place)
    found = readings_of(model)
    fresh = begin(model, dataset)
    if fresh.state != "done":
        _wait(fresh, model, dataset, found)
        st.stop()
    return Reading(model, dataset, fresh, cache.tables().read(fresh.path / ANSWERS, lambda _: load_answers(fresh)))


def begin(model: Model, dataset: Dataset) -> Run:
    """The pass of a model over its data set as it is now, however far it is; started when there is none."""
    found = readings_of(model)
    fresh = next((run for run in found if run.request["version"] == dataset.version), None)
    return _start(model, dataset, found) if fresh is None else fresh


def _choose(name: str, place: Any) -> tuple[Model, Dataset]:
    """The chooser, with the models of one's own whose data set is still there; without any, the way to train one."""
    there = _readable()
    wanted = state.from_address("model")
    if wanted and wanted not in there:
        _why_not(wanted, name)
    if not there:
        with st.container(key="card-gate"):
            st.markdown(read(name, "need_model"))
            page.next_step("Train a model", "train", key=f"{name}.gate")
        st.stop()
    current = there.get(wanted or "", next(iter(there.values())))[0]
    with place or contextlib.nullcontext():
        chosen = forms.model([model for model, _ in there.values()], current)
    state.to_address("model", chosen.id)
    return there[chosen.id]


def _readable() -> dict[str, tuple[Model, Dataset]]:
    """One's own models by id, newest first, with their data sets, each of which is read once."""
    own = [(model, model.run) for model in models.list_models(state.workspace()) if model.run is not None]
    one_each = {run.request["dataset"]: run for _, run in own}
    found = {dataset: models.dataset_of(run) for dataset, run in one_each.items()}
    pairs = [(model, found[run.request["dataset"]]) for model, run in own]
    return {model.id: (model, dataset) for model, dataset in pairs if dataset is not None}


def _why_not(wanted: str, name: str) -> None:
    """Say why a model cannot be read; nothing of the shipped one, which nobody here has pictures of."""
    try:
        model = models.find_model(state.workspace(), wanted)
    except NotFound as error:
        page.show_error(LabError(error.message, hint=read(name, "gone")))
        return
    if model.run is not None:
        page.see(page.say("train", "reading_no_data", title=model.title), "attention")


def readings_of(model: Model) -> list[Run]:
    """All passes with a model as its weights are now, newest first."""
    runs = list_runs(model.run.workspace, KIND) if model.run else []
    return [run for run in runs if run.request["run"] == model.id and run.request["saved_at"] == model.saved_at]


def latest(model: Model) -> Run | None:
    """The newest pass with a model that is done, whatever happened to its data set since; None without one."""
    return next((run for run in readings_of(model) if run.state == "done"), None)


def _start(model: Model, dataset: Dataset, older: list[Run]) -> Run:
    """Let the engine ask the model, unless it does so already; what was asked about older data goes."""
    return ask_once(KIND, model, dataset, known=lambda: readings_of(model), older=older)


def ask_once(kind: str, model: Model, dataset: Dataset, *, known: Callable[[], list[Run]], older: list[Run]) -> Run:
    """The run of a kind for a model and a data set as they are now: the one that is `known`, or a new one.

    Those that are `older` go, but for one that is still in use.
    """
    request = {"run": model.id, "dataset": dataset.id, "version": dataset.version, "saved_at": model.saved_at}
    with lock(dataset.path, "This data set"):
        if not any(run.request["version"] == dataset.version for run in known()):
            with st.spinner(read("train", "starting")):
                cache.submit(dataset.workspace, kind, request)
    for run in older:
        if run.ended:
            with contextlib.suppress(JobError):  # it is in use still: it goes with the next one
                shelf.forget(shelf.delete(run))
    return next(run for run in known() if run.request["version"] == dataset.version)


def _wait(run: Run, model: Model, dataset: Dataset, older: list[Run]) -> None:
    with st.container(key="card-reading"):
        if not run.ended:
            page.note(page.say("train", "reading_note", count=f"{len(state.kept(dataset)):,}"))
            watch(run, progress)
            return
        ended_early(run, "train", stopped="reading_stopped", failed="reading_stopped")
        if st.button("Ask it again", key="reading.again", type="primary", icon=":material/replay:"):
            cache.resubmit(run)
            st.rerun()


def page_number(count: int, *, slot: str) -> int:
    """Which of `count` pages of pictures is shown, 1 and up: the address says so under `slot`."""
    wanted = state.from_address(slot) or "1"
    return min(count, max(1, int(wanted))) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 7 else 1


def pages(count: int, at: int, *, slot: str, key: str) -> None:
    """The numbers of the pages, where there are several; the chosen one stands in the page's address."""
    if count < 2:
        return
    key = f"{key}.{count}.{at}"
    st.pagination(count, default=at, key=key, on_change=lambda: state.to_address(slot, str(st.session_state[key])))
