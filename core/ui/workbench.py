"""A data set to work on: one part of it at a time, with what was done last and the way to take it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.data import edits, ledger
from core.data.ledger import Entry
from core.data.table import Dataset
from core.plots.style import esc
from core.text import read
from core.train.runs import Run
from core.ui import bring, choices, classes, dialogs, fetching, forms, jobs, page, report, split, state, takeaway

PARTS: Mapping[str, str] = {
    "pictures": ":material/photo_library: Pictures",
    "bring": ":material/add_a_photo: Bring more",
    "classes": ":material/label: Classes",
    "split": ":material/call_split: Split",
    "take": ":material/luggage: Take along",
}
SHOW: Mapping[str, Callable[[Dataset], None]] = {
    "pictures": report.show,
    "bring": bring.show,
    "classes": classes.show,
    "split": split.show,
    "take": takeaway.show,
}


def show(dataset: Dataset, job: Run | None) -> None:
    """The set's name, its parts, and the part that was chosen."""
    dataset = _header(dataset)
    with st.container(horizontal=True, key="workbench-parts", vertical_alignment="center"):
        part = choices.switch(PARTS, slot="part", key="build.part", default=_first(dataset, job))
        _back_and_forth(dataset)
    if job is not None and (part == "bring" or not job.ended):
        (fetching.card if job.kind == "fetch" else jobs.card)(job)
    with page.boundary():
        SHOW[part](dataset)


def _first(dataset: Dataset, job: Run | None) -> str:
    return "bring" if job is not None or not dataset.classes else "pictures"


def _header(dataset: Dataset) -> Dataset:
    with st.container(horizontal=True, key="workbench-header", vertical_alignment="bottom"):
        chosen = forms.dataset(state.datasets(), dataset, key="build.dataset")
        st.button("New", key="build.new", icon=":material/add:", help=read("build", "new"), on_click=_begin_another)
        if chosen.trainable:
            page.next_step("Train", "train", key="build.train", dataset=chosen.id)
    return chosen


def _begin_another() -> None:
    state.to_address("new", "1")


def _back_and_forth(dataset: Dataset) -> None:
    last, undone = ledger.to_undo(dataset.path), ledger.to_redo(dataset.path)
    if last is not None:
        _edit_button("Take back", last, "undo", edits.undo, dataset)
    if undone is not None:
        _edit_button("Do again", undone, "redo", edits.redo, dataset)


def _edit_button(words: str, entry: Entry, icon: str, verb: Callable[[Dataset], object], dataset: Dataset) -> None:
    label = f"{words}: {esc(entry.words)}"
    st.button(
        label,
        key=f"build.{icon}",
        icon=f":material/{icon}:",
        type="tertiary",
        on_click=_carry_out,
        args=(verb, dataset),
    )


def _carry_out(verb: Callable[[Dataset], object], dataset: Dataset) -> None:
    dialogs.close()
    with page.boundary():
        verb(dataset)
