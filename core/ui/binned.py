"""The bin of a set: deleted pictures in, those that are wanted back out; emptied only when somebody says so twice."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.data.edits import empty_bin, restore
from core.data.table import Dataset
from core.plots.style import counted
from core.text import read
from core.ui import dialogs, gallery, page, state

AT_ONCE = 12


def show(dataset: Dataset) -> None:
    """How many pictures lie in the bin; opened, the pictures, each of which comes back with a click."""
    items = state.items(dataset)
    binned = items[items["status"] == "deleted"]
    if binned.empty:
        return
    with st.expander(
        page.say("build", "bin", pictures=counted(len(binned), "picture")), icon=":material/delete:", key="bin"
    ):
        page.note(read("build", "bin_how"))
        _pictures(dataset, binned)
        with st.container(horizontal=True):
            st.button(
                "Put all back", key="bin.all", icon=":material/restore_from_trash:", on_click=_restore,
                args=(dataset, list(binned["item"])),
            )  # fmt: skip
            st.button(
                "Empty the bin", key="bin.empty", icon=":material/delete_forever:", on_click=dialogs.ask,
                args=("empty_bin", dataset.id),
            )  # fmt: skip
    if dialogs.asked("empty_bin") == dataset.id:
        dialogs.show("Empty the bin?", partial(_ask, dataset, len(binned)))


def _pictures(dataset: Dataset, binned: pd.DataFrame) -> None:
    pages = -(-len(binned) // AT_ONCE)
    first = AT_ONCE * (st.pagination(pages, key="bin.page") - 1) if pages > 1 else 0
    rows = binned.iloc[first : first + AT_ONCE]
    shots = [
        gallery.Shot(gallery.thumb_url(row.file, dataset.id), f"{row.original_name} ({row.label})")
        for row in rows.itertuples()
    ]
    items = list(rows["item"])
    gallery.picks(shots, key="bin", chosen=None, on_pick=lambda place: _restore(dataset, [items[place]]))


def _restore(dataset: Dataset, items: list[str]) -> None:
    with page.boundary():
        restore(dataset, items)


def _ask(dataset: Dataset, count: int) -> None:
    page.see(page.say("build", "bin_empty", pictures=counted(count, "picture")), "attention")
    dialogs.answer("Delete them for good", partial(empty_bin, dataset), key="bin.empty.do")
