"""What somebody chooses above the suspects: order, class, one or twelve, and under "More" side and earlier rounds.

A control is made anew after each choice. The old one would keep the focus, and the keys that mark pictures with it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.data.table import Dataset
from core.text import read
from core.train.runs import Run
from core.ui import forms, models, page, state
from core.ui.suspects import ORDER_TITLES

VIEWS = {"one": ":material/crop_square: One", "twelve": ":material/grid_view: Twelve"}
SIDES = {"all": "All", "train": "To learn from", "valid": "For the exam"}
ALL = ""


@dataclass(frozen=True)
class Choice:
    """What is shown and how. `label` and `side` are None for all; `again`: also what was judged in earlier rounds."""

    order: str
    view: str
    label: str | None
    side: str | None
    again: bool


@dataclass(frozen=True)
class Offer:
    """What else there is: other data sets, and the models that learned from this one."""

    datasets: list[Dataset]
    models: list[Run]
    model: Run

    def moved_on(self, dataset: Dataset) -> bool:
        """Whether another data set or model was chosen since the page was drawn."""
        wanted, run = state.from_address("dataset"), state.from_address("run")
        known = {other.id for other in self.models}
        return wanted not in (None, dataset.id) or (run in known and run != self.model.id)


def choose(dataset: Dataset, offer: Offer) -> Choice:
    """The row of controls. Order and view stand in the page's address, so that a refresh finds them."""
    with st.container(key="clean-controls", horizontal=True, vertical_alignment="center"):
        order = _segments("Order", ORDER_TITLES, "order", _remember_in_address)
        label = _classes(dataset)
        view = _segments("Show", VIEWS, "view", _remember_in_address)
        with st.popover("More", icon=":material/tune:"):
            page.note(read("clean", f"order_{order}"))
            side = _segments("Side", SIDES, "clean.side", state.put, label_visibility="visible")
            _elsewhere(dataset, offer)
            again = st.toggle("Show what you judged in earlier rounds", key="clean.again", persist_state="session")
    return Choice(order, view, label, None if side == "all" else side, again)


def _elsewhere(dataset: Dataset, offer: Offer) -> None:
    """Another data set, or another model to judge this one."""
    if len(offer.datasets) > 1:
        forms.dataset(offer.datasets, dataset, key="clean.dataset")
    if len(offer.models) > 1:
        by_id = {run.id: run for run in offer.models}
        st.selectbox(
            "Judged by", list(by_id), index=list(by_id).index(offer.model.id), key=f"clean.model.{offer.model.id}",
            format_func=lambda wanted: models.run_title(by_id[wanted]), required=True,
            on_change=lambda: state.to_address("run", st.session_state[f"clean.model.{offer.model.id}"]),
        )  # fmt: skip


def _remember_in_address(name: str, value: str) -> None:
    state.to_address(name, value)


def _segments(
    title: str, options: Mapping[str, str], name: str, remember: Callable[[str, str], None], **how: str
) -> str:
    """One of a few options, side by side."""
    known = state.from_address(name)
    key = _key(name)
    return st.segmented_control(
        title, list(options), format_func=options.get, default=known if known in options else next(iter(options)),
        key=key, required=True, on_change=_chosen, args=(name, key, remember),
        **{"label_visibility": "collapsed", **how},
    )  # fmt: skip


def _classes(dataset: Dataset) -> str | None:
    chosen, key = state.get("clean.label"), _key("clean.label")
    options = [ALL, *dataset.classes]
    picked = st.selectbox(
        "Class", options, index=options.index(chosen) if chosen in options else 0,
        format_func=lambda label: label or "All classes", key=key, on_change=_chosen, required=True,
        args=("clean.label", key, state.put), label_visibility="collapsed", width=180,
    )  # fmt: skip
    return picked or None


def _key(name: str) -> str:
    return f"clean.{name.removeprefix('clean.')}.{state.get(f'{name}.count', 0)}"


def _chosen(name: str, key: str, remember: Callable[[str, str], None]) -> None:
    remember(name, st.session_state[key])
    state.put(f"{name}.count", state.get(f"{name}.count", 0) + 1)
