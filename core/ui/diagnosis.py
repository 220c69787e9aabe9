"""The page of what went wrong: its parts, one at a time. A new part is one line in PARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.data.table import Dataset
from core.text import read
from core.train.runs import list_runs
from core.ui import choices, experiments, forms, judged_runs, lab, log_import, page, state

Part = Callable[[Dataset | None], None]
PARTS: Mapping[str, Part] = {
    "lab": lab.show,
    "runs": judged_runs.show,
    "data": experiments.show,
    "log": lambda dataset: log_import.show(),
}


def show() -> None:
    """The choice of part, which stays in the address, the part and its challenge."""
    dataset, known = page.current_dataset(), state.datasets()
    titles = {name: read("diagnose", f"part_{name}") for name in PARTS}
    place, beside = st.container(), None
    if dataset is not None and len(known) > 1:
        place, beside = st.columns([2.2, 1], gap="large", vertical_alignment="bottom")
    with place:
        part = choices.switch(titles, slot="part", key="diagnose.part", default="lab")
    if dataset is not None and beside is not None and part != "log":
        with beside:
            dataset = forms.dataset(known, dataset, key="diagnose.dataset")
    with page.boundary():
        PARTS[part](dataset)
    page.challenge("diagnose", "try" if part == "lab" else f"try_{part}")


def next_step() -> None:
    """One button on to the other runs, once there is one to compare with."""
    if any(run.ended for run in list_runs(state.workspace(), "train")):
        page.next_step("Compare your runs", "runs", key="diagnose.next", kind="secondary")
