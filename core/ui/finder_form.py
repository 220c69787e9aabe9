"""What a range test is to do: widgets in, the request of a run out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data.table import Dataset
from core.errors import NotFound
from core.plots.style import rate
from core.settings import Stage, TrainSettings, from_record, to_record
from core.text import read
from core.train.runs import Run, list_runs, load_run
from core.train.starts import Start, find_start, starts_of
from core.ui import forms, page, state
from core.workspace import Workspace

KIND = "lr_find"
LAYERS = {"frozen": "The head", "unfrozen": "All layers"}
FRESH = "fresh"
STEPS = (0, 25, 50, 100, 200)
BATCHES = (0, 4, 8, 16, 32, 64, 128)
ENDS = tuple(10.0**exponent for exponent in range(-8, 3))


def choose(dataset: Dataset) -> dict[str, Any]:
    """The request of a test on a data set."""
    starts = {start.address: start for start in starts_of(dataset.workspace, dataset.id)}
    start = _start(starts)
    layers = _layers(start)
    page.note(read("lr_finder", f"cost_{layers}"))
    with st.expander("More"):
        settings = _settings(starts.get(start))
        first, last = _range()
        left, right = st.columns(2)
        steps = left.selectbox("Steps", STEPS, format_func=_or_auto, key="finder.steps")
        batch = right.selectbox("Pictures a step", BATCHES, format_func=_or_auto, key="finder.batch")
        _earlier(dataset)
    stage = Stage(freeze_to=-1 if layers == "frozen" else 0)
    run, _, file = start.partition(":")
    return {
        "dataset": dataset.id,
        "version": dataset.version,
        "settings": to_record(TrainSettings(stages=(stage,), **settings)),
        "start": {"run": run, "file": file} if file else None,
        "first": first,
        "last": last,
        "steps": steps or None,
        "batch_size": batch or None,
    }


def start_title(start: Start, workspace: Workspace) -> str:
    """A checkpoint in words: what its run did, which save point it is and how well it did."""
    preset = str(load_run(workspace, start.run).request.get("preset", ""))
    words = f"{start.title[0].lower()}{start.title[1:]}"
    return f"{forms.PRESET_TITLES.get(preset, 'a run')}, {words}"


def start_of(run: Run) -> str:
    """What a test started from, in words."""
    wanted = run.request.get("start")
    if not wanted:
        return "a fresh model"
    try:
        return start_title(find_start(run.workspace, f"{wanted['run']}:{wanted['file']}"), run.workspace)
    except NotFound:
        return "a checkpoint that is gone"


def _start(starts: Mapping[str, Start]) -> str:
    """Fresh weights or a checkpoint; the choice stands in the page's address, where the Train page may have put it."""
    wanted = state.from_address("start") or FRESH
    wanted = wanted if wanted in starts else FRESH
    if st.session_state.get("finder.from") != wanted:
        st.session_state["finder.from"] = wanted
    titles = {FRESH: "a fresh model", **{start: start_title(starts[start], state.workspace()) for start in starts}}
    chosen = st.selectbox(
        "Start from",
        list(titles),
        format_func=lambda start: titles.get(start, ""),
        key="finder.from",
        on_change=lambda: state.to_address("start", _known(st.session_state["finder.from"], starts)),
    )
    return chosen if chosen in starts else FRESH


def _known(chosen: str, starts: Mapping[str, Start]) -> str | None:
    return chosen if chosen in starts else None


def _layers(start: str) -> str:
    """What learns. After a checkpoint all layers are the usual question, on a fresh model the head."""
    usual = "frozen" if start == FRESH else "unfrozen"
    return st.segmented_control(
        "What learns", list(LAYERS), format_func=LAYERS.get, default=usual, key=f"finder.layers.{usual}", required=True,
        persist_state="session",
    )  # fmt: skip


def _settings(start: Start | None) -> dict[str, Any]:
    """The network and its picture size, or those of the run that is gone on from."""
    if start is not None:
        page.note(read("lr_finder", "from_checkpoint"))
        given = from_record(load_run(state.workspace(), start.run).request["settings"])
        names = ("backbone", "weights", "image_size", "batch_size", "weight_decay", "dropout", "seed", "precision")
        return {name: getattr(given, name) for name in names}
    network, size = (
        st.selectbox("Network", list(forms.BACKBONES), format_func=forms.BACKBONES.get, key="finder.backbone"),
        st.select_slider("Image size (pixels)", forms.IMAGE_SIZES, 224, key="finder.image_size"),
    )
    return {"backbone": network, "image_size": size}


def _range() -> tuple[float, float]:
    first, last = st.select_slider("Rates", ENDS, (1e-7, 10.0), format_func=rate, key="finder.range")
    if first == last:  # both ends on one spot are no range
        return (first / 10, last)
    return first, last


def _or_auto(value: int) -> str:
    return str(value) if value else "auto"


def _earlier(dataset: Dataset) -> None:
    """Open an earlier test of this data set again."""
    found = tests_of(dataset)
    if not found:
        return
    by_id = {run.id: run for run in found}
    shown = state.from_address("finder")
    if st.session_state.get("finder.earlier") != shown:
        st.session_state["finder.earlier"] = shown if shown in by_id else None
    st.selectbox(
        "Earlier tests",
        list(by_id),
        index=None,
        placeholder="none open",
        format_func=lambda made: test_title(by_id[made], len(found) - list(by_id).index(made)),
        key="finder.earlier",
        on_change=lambda: state.to_address("finder", _in(st.session_state["finder.earlier"], by_id)),
    )


def _in(chosen: str | None, known: Mapping[str, Run]) -> str | None:
    return chosen if chosen in known else None


def tests_of(dataset: Dataset) -> list[Run]:
    """All tests on a data set, newest first."""
    return [run for run in list_runs(dataset.workspace, KIND) if run.request.get("dataset") == dataset.id]


def test_title(run: Run, number: int) -> str:
    """A test in a few words."""
    frozen = from_record(run.request["settings"]).stages[0].frozen
    begun = "from a checkpoint" if run.request.get("start") else "a fresh model"
    return f"{number} · {LAYERS['frozen' if frozen else 'unfrozen'].lower()}, {begun}"
