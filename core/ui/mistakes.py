"""Mistakes on the predict page: an answer that was wrong and its right class in, the set to train on out.

Only a model of somebody's own has one, beside its data set, and only pictures that they brought go there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.data.mistakes import add_mistake, read_mistakes, remove_mistake
from core.data.table import Dataset, load_dataset
from core.errors import NotFound
from core.plots.probabilities import ranked
from core.plots.style import esc, sureness
from core.text import read
from core.train.runs import Run
from core.ui import cache, gallery, page, state
from core.ui.models import WEIGHTS, Model

AT_ONCE = 12


@dataclass(frozen=True)
class Said:
    """What a model said about a picture: its `name` and bytes, the hash it is stored under, probabilities by class."""

    name: str
    data: bytes
    sha: str
    probabilities: Mapping[str, float]


@dataclass(frozen=True)
class Kept:
    """The mistakes of the data set of a run, as they are now (columns of `table`: those of core.data.mistakes)."""

    run: Run
    dataset: Dataset
    table: pd.DataFrame

    def of(self, sha: str) -> Any | None:
        """The row of a picture that is kept already."""
        return next(self.table[self.table["file"] == sha].itertuples(), None)

    @property
    def usable(self) -> int:
        """How many have a label that is a class still."""
        return int(self.table["label"].isin(self.dataset.classes).sum())


def find(model: Model) -> Kept | None:
    """The mistakes beside a model; None for the shipped one, and when its data set was deleted."""
    if model.run is None:
        return None
    try:
        dataset = load_dataset(model.run.workspace, model.run.request["dataset"])
    except NotFound:
        return None
    return Kept(model.run, dataset, read_mistakes(dataset))


def offer(kept: Kept, place: int, said: Said) -> None:
    """Under the answer at `place`: the way to say that it was wrong, or what the picture is kept as."""
    row = kept.of(said.sha)
    with st.container(key=f"said-{place}", horizontal=True, vertical_alignment="center"):
        if row is not None:
            told = gallery.inline(page.say("predict", "kept", label=row.label))
            st.html(f'<p class="note">{told}</p>', width="content")
        words, icon = ("That was wrong", "thumb_down") if row is None else ("Change", "edit")
        when = "" if row is None else row.added  # a fresh one once the picture is kept, so that it closes
        with st.popover(words, type="tertiary", icon=f":material/{icon}:", key=f"wrong.{place}.{said.sha}.{when}"):
            _choose(kept, place, said)


@st.fragment
def _choose(kept: Kept, place: int, said: Said) -> None:
    """The right class, what will be kept and for whom, and the button that keeps it."""
    first, probability = ranked(said.probabilities, 1)[0]
    others = [label for label in kept.dataset.classes if label != first]
    others.sort(key=lambda label: -said.probabilities.get(label, 0.0))  # what is likely comes first
    label = st.selectbox(
        "What is it?", others, index=None, placeholder="Choose the right class", key=f"wrong.label.{place}.{said.sha}"
    )
    # a popover lies outside the part of the page that knows which theme is on
    st.html(f"<style>[data-testid='stPopoverBody'] {{ color-scheme: {state.theme()}; }}</style>")
    page.note(read("predict", "consent_class" if cache.settings().profile == "class" else "consent"))
    with page.boundary():
        if st.button(
            "Keep it as a mistake", key=f"wrong.keep.{place}.{said.sha}", type="primary", disabled=label not in others
        ):
            add_mistake(
                kept.dataset,
                said.data,
                label=label,
                said=first,
                probability=probability,
                run=kept.run.id,
                name=said.name,
            )
            st.rerun()


def summary(kept: Kept) -> None:
    """How many mistakes there are, the way to train on them, and the list, folded."""
    if kept.table.empty:
        return
    with st.container(key="card-mistakes"):
        with st.container(key="mistakes-next", horizontal=True, vertical_alignment="center"):
            words = "mistakes_one" if len(kept.table) == 1 else "mistakes_many"
            st.html(f'<p class="marked">{gallery.inline(page.say("predict", words, count=len(kept.table)))}</p>')
            if kept.usable:
                page.next_step(
                    "Train on the mistakes",
                    "train",
                    key="predict.mistakes",
                    dataset=kept.dataset.id,
                    start=f"{kept.run.id}:{WEIGHTS}",
                    preset="mistakes",
                )
        with st.expander("Mistakes so far", key="mistakes", icon=":material/history:"):
            page.note(read("predict", "mistakes_how"))
            _list(kept)


def _list(kept: Kept) -> None:
    """The newest first, each with its picture, what was said, what it is, and the way to remove it."""
    newest = kept.table.iloc[::-1]
    pages = -(-len(newest) // AT_ONCE)
    first = AT_ONCE * (st.pagination(pages, key="mistakes.page") - 1) if pages > 1 else 0
    with st.container(key="mistakes-list"):
        for row in newest.iloc[first : first + AT_ONCE].itertuples():
            with st.container(key=f"mistake-{row.file[:16]}", gap=None):
                st.html(_figure(kept, row))
                st.button(
                    "Remove",
                    key=f"mistakes.remove.{row.file}",
                    type="tertiary",
                    icon=":material/delete:",
                    on_click=_remove,
                    args=(kept.dataset, row.file),
                )


def _figure(kept: Kept, row: Any) -> str:
    said, label, name = esc(row.said), esc(row.label), esc(row.name)
    gone = "" if row.label in kept.dataset.classes else f" ({esc(read('predict', 'class_gone'))})"
    return (
        f'<figure class="mistake"><img src="{gallery.mistake_url(row.file, kept.dataset.id)}" alt="{name}" '
        f'title="{name}" loading="lazy"><figcaption><span>{said}, {esc(sureness(row.probability))}</span>'
        f"<b>→ {label}{gone}</b></figcaption></figure>"
    )


def _remove(dataset: Dataset, sha: str) -> None:
    with page.boundary():
        remove_mistake(dataset, sha)
