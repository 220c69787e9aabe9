"""The cleaner: a data set and what a search found in; marks on disk out, and on Apply one edit.

All of it is one fragment: a key press redraws the suspect and its buttons, and reads no table again.
"""

from __future__ import annotations

import secrets

import streamlit as st

from core.data.marks import read_marks
from core.data.table import Dataset, load_dataset
from core.text import read
from core.train.runs import Run
from core.ui import apply_bar, clean_controls, clean_one, clean_twelve, page, state, suspects
from core.ui.clean_controls import Offer
from core.ui.desk import Desk


def show(dataset: Dataset, search: Run, offer: Offer) -> None:
    """The cleaner, drawn again at every key press without the rest of the page."""

    @st.fragment
    def work() -> None:
        with page.boundary():
            if offer.moved_on(dataset):
                st.rerun()
            _work(load_dataset(dataset.workspace, dataset.id), search, offer)

    work()


def _work(dataset: Dataset, search: Run, offer: Offer) -> None:
    with st.container(key="clean-work"):
        view, desk = _desk(dataset, search, offer)
        with st.container(key="clean-desk"):
            if not len(desk.rows):
                page.see(read("clean", "nothing_left" if desk.marks.judged else "nothing"))
                apply_bar.show(desk)
            elif view == "one":
                clean_one.show(desk)
            else:
                clean_twelve.show(desk)


def _desk(dataset: Dataset, search: Run, offer: Offer) -> tuple[str, Desk]:
    """What is chosen, and what that brings to the desk."""
    marks = read_marks(dataset, suspects.labels_now(dataset))
    choice = clean_controls.choose(dataset, offer)
    queue = suspects.queue(search, dataset, choice.order)
    without = {} if choice.again else marks.judged
    rows = suspects.rows_of(queue, label=choice.label, split=choice.side, without=without)
    slot = f"clean.at.{search.id}.{choice.order}.{choice.label}.{choice.side}"
    wanted = st.query_params.pop("item", None)  # a link from elsewhere puts one picture on the desk, once
    if wanted in queue.place:
        state.put(slot, wanted)
    return choice.view, Desk(dataset, marks, queue, rows, choice.order, slot, _by())


def _by() -> str:
    """Whose marks these are: a name that only this session has."""
    if state.get("clean.by") is None:
        state.put("clean.by", secrets.token_hex(8))
    return state.get("clean.by")
