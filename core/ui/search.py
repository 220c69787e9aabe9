"""The way to the suspects: a data set in; a model for it, a search with that model, and the cleaner out."""

from __future__ import annotations

import streamlit as st

from core.data.table import Dataset
from core.settings import to_record
from core.text import read
from core.train.recipes import preset
from core.train.runs import Run, list_runs
from core.ui import cache, clean, edit_log, forms, page, practice, rounds, state, suspects
from core.ui.clean_controls import Offer
from core.ui.live import ended_early, watch
from core.ui.suspects import progress

PRESET = "quick"


def show() -> None:
    """Whatever comes next on the way to a clean data set."""
    if practice.making():
        return
    dataset = page.current_dataset()
    if dataset is None:
        with st.container(key="card-gate"):
            st.markdown(read("clean", "need_data"))
            page.next_step("Build a data set", "build", key="clean.gate")
        practice.card()
        return
    if not dataset.trainable:
        rounds.way_back(dataset)
    page.require_classes(dataset)
    found = suspects.models_of(dataset)
    if found:
        _judge(dataset, found)
        return
    _chooser(dataset)
    _need_model(dataset)
    if not practice.known(dataset):
        practice.card()


def _chooser(dataset: Dataset) -> None:
    datasets = state.datasets()
    if len(datasets) > 1:
        forms.dataset(datasets, dataset, key="clean.dataset.first")


def _judge(dataset: Dataset, found: list[Run]) -> None:
    """There is a model: what came of the last round, and the suspects or the way to them."""
    model = suspects.chosen_model(found)
    searches = suspects.searches_of(model)
    done = next((run for run in searches if run.state == "done"), None)
    busy = rounds.show(dataset, model)
    with page.boundary():
        practice.show_score(dataset)
    going_on = bool(searches) and not searches[0].ended
    if going_on and not busy:
        _searching(searches[0])
    if done is not None and searches[0].ended and searches[0].state != "done":
        _why(searches[0])
    if done is not None:
        clean.show(dataset, done, Offer(state.datasets(), found, model))
        practice.hint(dataset)
        if not going_on and suspects.is_old(done, dataset):
            _again(dataset, model)
        edit_log.show(dataset)
        if not practice.known(dataset):
            practice.card()
    elif not going_on:
        _chooser(dataset)
        _offer(dataset, model, searches)


def _again(dataset: Dataset, model: Run) -> None:
    """The data is not what was searched: offer another look."""
    with st.container(horizontal=True, vertical_alignment="center"):
        page.note(read("clean", "older"))
        if st.button("Search again", key="clean.find.again", icon=":material/search:", type="tertiary"):
            _start(dataset, model)


def _searching(search: Run) -> None:
    with st.container(key="card-find"):
        page.note(read("clean", "finding"))
        watch(search, progress)


def _need_model(dataset: Dataset) -> None:
    """No model yet: train one here, or watch the one that is being trained."""
    going_on = [run for run in list_runs(dataset.workspace, "train") if _trains(run, dataset)]
    with st.container(key="card-model"):
        if going_on:
            page.note(read("clean", "training"))
            watch(going_on[0], progress)
            return
        st.markdown(page.say("clean", "need_model", name=dataset.name))
        page.note(read("clean", "need_model_note"))
        with st.container(horizontal=True):
            if st.button("Train and find suspects", key="clean.train", type="primary", icon=":material/play_arrow:"):
                _train(dataset)
            if st.button("Choose settings first", key="clean.settings"):
                page.go("train", dataset=dataset.id)


def _trains(run: Run, dataset: Dataset) -> bool:
    return not run.ended and run.request.get("dataset") == dataset.id


def _train(dataset: Dataset) -> None:
    if not any(_trains(run, dataset) for run in list_runs(dataset.workspace, "train")):
        request = {"dataset": dataset.id, "settings": to_record(preset(PRESET)), "preset": PRESET}
        with st.spinner(read("train", "starting")):
            state.to_address("find", cache.submit(dataset.workspace, "train", request))
    st.rerun()


def _offer(dataset: Dataset, model: Run, searches: list[Run]) -> None:
    """The one button; pressed by itself for somebody who came here for that."""
    if state.from_address("find") in (model.id, "1") and not searches:
        _start(dataset, model)
    with st.container(key="card-find"):
        if searches:
            _why(searches[0])
        st.markdown(page.say("clean", "find", name=dataset.name, count=f"{len(state.kept(dataset)):,}"))
        if st.button("Find suspects", key="clean.find.start", type="primary", icon=":material/search:"):
            _start(dataset, model)


def _start(dataset: Dataset, model: Run) -> None:
    state.to_address("find", None)
    with st.spinner(read("train", "starting")):
        suspects.start_search(model, dataset)
    st.rerun()


def _why(search: Run) -> None:
    ended_early(search, "clean", stopped="search_stopped", failed="search_failed")
