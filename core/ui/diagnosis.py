"""The page of what went wrong: its parts, one at a time. A new part is one line in PARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.data.table import Dataset
from core.text import read
from core.ui import experiments, forms, judged_runs, lab, log_import, page, state

Part = Callable[[Dataset | None], None]
PARTS: Mapping[str, Part] = {
    "lab": lab.show,
    "runs": judged_runs.show,
    "data": experiments.show,
    "log": lambda dataset: log_import.show(),
}


def show() -> None:
    """The choice of part, which stays in the address, and the part."""
    dataset = page.current_dataset()
    known = state.datasets()
    left, right = st.columns([2.2, 1], gap="large", vertical_alignment="bottom")
    with left:
        wanted = state.from_address("part")
        part = st.segmented_control(
            "Part", list(PARTS), key="diagnose.part", default=wanted if wanted in PARTS else "lab", required=True,
            format_func=lambda name: read("diagnose", f"part_{name}"), label_visibility="collapsed",
        )  # fmt: skip
    with right:
        if dataset is not None and len(known) > 1 and part != "log":
            dataset = forms.dataset(known, dataset, key="diagnose.dataset")
    chosen = str(part) if part in PARTS else "lab"
    state.to_address("part", None if chosen == "lab" else chosen)
    with page.boundary():
        PARTS[chosen](dataset)
