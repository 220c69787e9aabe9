"""Before training: what speaks against a data set as it is. A data set in; lines for warnings, all of it folded."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.data.table import Dataset
from core.diagnose import Finding
from core.diagnose.data_checks import check_data
from core.plots.style import esc
from core.text import read
from core.ui import finding_card, page, split, state, suspects

LOUD = ("bad", "warning")
LINES = 2
WAYS: Mapping[str, tuple[str, str, Mapping[str, str]]] = {  # where it is mended: a button, a page, its address
    "few_classes": ("Bring pictures", "build", {"part": "bring"}),
    "empty_side": ("Split anew", "build", {"part": "split"}),
    "same_on_both_sides": ("Look at the twins", "explore", {"look": "quality"}),
    "near_on_both_sides": ("Look at the twins", "explore", {"look": "quality"}),
    "two_labels": ("Look at the twins", "explore", {"look": "quality"}),
    "small_class": ("Bring pictures", "build", {"part": "bring"}),
    "unbalanced": ("Bring pictures", "build", {"part": "bring"}),
    "small_exam": ("Bring pictures", "build", {"part": "bring"}),
}


def findings_of(dataset: Dataset) -> list[Finding]:
    """The findings on a data set; worked out once for each version of its table."""
    path, copies = dataset.path / "items.csv", split.known_copies(dataset)
    key = (path, suspects.stamp(path), copies is not None, "guards")
    near = None if copies is None else copies.groups
    found: list[Finding] = suspects.warm().get(key, lambda: check_data(state.items(dataset), near_copies=near))
    return found


def warn(dataset: Dataset) -> None:
    """A line for each of the first warnings, to stand above the plan; nothing where none was found."""
    loud = [one for one in findings_of(dataset) if one.severity in LOUD]
    if not loud:
        return
    with st.container(key="guards-lines", gap="xsmall"):
        for one in loud[:LINES]:
            page.see(f"**{esc(one.title)}.** {esc(one.evidence)}", "high" if one.severity == "bad" else "attention")


def show(dataset: Dataset) -> None:
    """A fold with everything, to stand below the plan; nothing where nothing was found."""
    found = findings_of(dataset)
    if not found:
        return
    title = "1 remark about your pictures" if len(found) == 1 else f"{len(found)} remarks about your pictures"
    with st.expander(title, icon=":material/fact_check:"):
        for one in found:
            st.html(finding_card.finding_html(one))
        with st.container(horizontal=True, key="guards-ways"):
            _ways(dataset, found)
            _ideas(found)


def _ways(dataset: Dataset, found: list[Finding]) -> None:
    """A button for each place where something can be done, in the order of the findings."""
    ways = {WAYS[one.kind][0]: WAYS[one.kind] for one in found}
    for label, name, address in ways.values():
        slug = label.split()[0].lower()
        if st.button(label, key=f"guards.{slug}", icon=page.PAGES[name].icon):
            page.go(name, dataset=dataset.id, **address)


def _ideas(found: list[Finding]) -> None:
    """What there is to learn from the findings, to be read by whoever wants to."""
    with st.popover("The idea", icon=":material/menu_book:"):
        for one in found:
            st.markdown(f"**{esc(one.title)}**\n\n{read('diagnostics', one.kind)}")
