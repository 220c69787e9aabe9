"""Before training: what speaks against a data set as it is. A data set in; a line for each warning, the rest folded."""

from __future__ import annotations

import streamlit as st

from core.data.table import Dataset
from core.diagnose import Finding
from core.diagnose.data_checks import check_data
from core.plots.style import esc
from core.ui import finding_card, page, state, suspects

LOUD = ("bad", "warning")
LINES = 2


def findings_of(dataset: Dataset) -> list[Finding]:
    """The findings on a data set; worked out once for each version of its table."""
    path = dataset.path / "items.csv"
    key = (path, suspects.stamp(path), "guards")
    found: list[Finding] = suspects.warm().get(key, lambda: check_data(state.items(dataset)))
    return found


def show(dataset: Dataset) -> None:
    """A line for the first warnings, and a fold with everything; nothing where nothing was found."""
    found = findings_of(dataset)
    if not found:
        return
    loud = [one for one in found if one.severity in LOUD]
    for one in loud[:LINES]:
        page.see(f"**{esc(one.title)}.** {esc(one.evidence)}", "high" if one.severity == "bad" else "attention")
    title = "1 remark about your pictures" if len(found) == 1 else f"{len(found)} remarks about your pictures"
    with st.expander(title, icon=":material/fact_check:"):
        for one in found:
            st.html(finding_card.finding_html(one))
        if any(one.kind in ("same_on_both_sides", "two_labels") for one in found):
            page.next_step("Clean", "clean", key="guards.clean", dataset=dataset.id)
