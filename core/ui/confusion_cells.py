"""Who is taken for whom: a model's answers in; the matrix, the chosen cell, and exactly its pictures out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.interpret.metrics import confusion, most_confused
from core.plots.confusion import LIMIT, confusion_figure, height_of, shown_classes
from core.plots.style import counted, share
from core.text import read
from core.ui import choices, forms, gallery, page, readings, state, taps
from core.ui.readings import Reading

PAIRS = 6  # most confused pairs that are offered at once
AT_ONCE = 60  # pictures of a cell; more get pages
COUNTS = {"counts": "Counts", "shares": "Shares of the row"}
FIGURE = "confusion.figure"
CONFIG = {"displayModeBar": False, "doubleClickDelay": 1}  # two quick clicks are two cells


@dataclass(frozen=True)
class Matrix:
    """Counts (n, n) over the exam, and the classes of rows and columns: the model's, then those only the data has."""

    classes: tuple[str, ...]
    counts: np.ndarray

    def cell(self, actual: str, said: str) -> int:
        """How many pictures of one class were taken for the other."""
        return int(self.counts[self.classes.index(actual), self.classes.index(said)])


def matrix_of(reading: Reading) -> Matrix:
    """The confusion matrix of the exam."""
    found: Matrix = reading.kept("matrix", lambda: _matrix(reading))
    return found


def _matrix(reading: Reading) -> Matrix:
    exam = reading.side("valid")
    return Matrix(reading.known, confusion(exam["label"], exam["predicted"], reading.known))


def show(reading: Reading) -> None:
    """The matrix on the left; on the right the chosen cell's pictures, and the pairs that are mixed up most."""
    matrix = matrix_of(reading)
    if not matrix.counts.sum():
        page.see(read("confusion", "no_exam"), "attention")
        return
    cell = _cell(matrix)
    page.see(_see(matrix))
    left, right = st.columns([1.35, 1], gap="large")
    with left:
        _figure(matrix, cell, shares=state.from_address("in") == "shares")
        choices.switch(COUNTS, slot="in", key="confusion.in", default="counts", light=True)
    with right:
        _choose(matrix)
        _pictures(reading, matrix, cell)
        _pairs(matrix)


def _see(matrix: Matrix) -> str:
    total, right = int(matrix.counts.sum()), int(np.trace(matrix.counts))
    pairs = most_confused(matrix.counts, matrix.classes)
    if not pairs:
        return page.say("confusion", "see_all_right", count=counted(total, "picture"))
    actual, said, count = pairs[0]
    row = int(matrix.counts[matrix.classes.index(actual)].sum())
    return page.say(
        "confusion", "see_pair", right=f"{right:,}", of=f"{total:,}", actual=actual, said=said, count=f"{count:,}",
        row=f"{row:,}", share=share(count / row),
    )  # fmt: skip


def _cell(matrix: Matrix) -> tuple[str, str]:
    """The cell in the address; what that leaves open is taken from the mistake made most often."""
    actual, said = state.from_address("actual"), state.from_address("said")
    usual = _usual_cell(matrix)
    return (actual if actual in matrix.classes else usual[0]), (said if said in matrix.classes else usual[1])


def _usual_cell(matrix: Matrix) -> tuple[str, str]:
    """The mistake made most often; without any, the class that is recognised most often."""
    pairs = most_confused(matrix.counts, matrix.classes)
    if pairs:
        return pairs[0][:2]
    largest = matrix.classes[int(np.diag(matrix.counts).argmax())]
    return largest, largest


def _go(actual: str, said: str) -> None:
    state.to_address("actual", actual)
    state.to_address("said", said)
    state.to_address("more", None)


def _figure(matrix: Matrix, cell: tuple[str, str], *, shares: bool) -> None:
    """The matrix. It is drawn anew for a cell that was chosen elsewhere; a click marks its cell by itself."""
    places = shown_classes(matrix.counts)
    classes = [matrix.classes[place] for place in places]
    clicked = state.get("confusion.clicked")
    drawn = state.get("confusion.drawn") if clicked == cell else cell
    state.put("confusion.drawn", drawn)
    chosen = (classes.index(drawn[0]), classes.index(drawn[1])) if drawn and set(drawn) <= set(classes) else None
    figure = confusion_figure(matrix.counts[np.ix_(places, places)], classes, page.current_look(), shares=shares,
                              chosen=chosen)  # fmt: skip
    figure["layout"]["meta"] = state.get("confusion.drawings", 0)
    with st.container(key="confusion-many" if len(classes) > 12 else "confusion-few"):
        st.plotly_chart(
            figure, key=FIGURE, theme=None, height=height_of(len(classes)), selection_mode="points",
            on_select=lambda: _clicked(classes), config=CONFIG,
            alt=f"Confusion matrix of {len(classes)} classes",
        )  # fmt: skip
        taps.heed()
    if len(matrix.classes) > LIMIT:
        page.note(page.say("confusion", "many", shown=LIMIT, rest=len(matrix.classes) - LIMIT))


def _clicked(classes: list[str]) -> None:
    """The cell that was clicked, into the address.

    A second click on a cell takes its mark off. The cell stays chosen all the same, and the figure is drawn anew. By
    then the browser may have sent the address as it was before the first click.
    """
    event: Mapping[str, Any] = st.session_state.get(FIGURE) or {}
    points = (event.get("selection") or {}).get("points") or []
    if not points:
        last = state.get("actual"), state.get("said")
        if all(last):
            _go(*last)
        state.put("confusion.clicked", None)
        state.put("confusion.drawings", state.get("confusion.drawings", 0) + 1)
        return
    row, column = (int(place) for place in points[-1]["customdata"])
    if row < len(classes) and column < len(classes):
        state.put("confusion.clicked", (classes[row], classes[column]))
        _go(classes[row], classes[column])


def _choose(matrix: Matrix) -> None:
    """The same choice by keyboard."""
    left, right = st.columns(2)
    options = {label: label for label in matrix.classes}
    actual, said = _cell(matrix)
    with left:
        forms.pick(read("confusion", "actual"), options, slot="actual", key="confusion.actual", default=actual)
    with right:
        forms.pick(read("confusion", "said"), options, slot="said", key="confusion.said", default=said)


def _pictures(reading: Reading, matrix: Matrix, cell: tuple[str, str]) -> None:
    """Exactly the pictures of a cell."""
    actual, said = cell
    exam = reading.side("valid")
    rows = exam[(exam["label"] == actual) & (exam["predicted"] == said)]
    total = int((exam["label"] == actual).sum())
    section = "cell_right" if actual == said else "cell_wrong"
    if not total:
        section = "cell_no_row"
    page.note(page.say("confusion", section, count=f"{len(rows):,}", of=f"{total:,}", actual=actual, said=said))
    if not len(rows):
        return
    count = -(-len(rows) // AT_ONCE)
    at = readings.page_number(count, slot="more")
    shown = rows.iloc[AT_ONCE * (at - 1) : AT_ONCE * at]
    st.html(f'<div class="read-cell" tabindex="0">{_thumbs(reading, shown)}</div>')
    readings.pages(count, at, slot="more", key="confusion.more")


def _thumbs(reading: Reading, rows: pd.DataFrame) -> str:
    named = rows[["item", "file"]].assign(original_name=[reading.names.get(item, "") for item in rows["item"]])
    return gallery.thumbs(reading.dataset, named, large=True)


def _pairs(matrix: Matrix) -> None:
    """The pairs that are mixed up at least so often, each a button."""
    largest = int((matrix.counts - np.diag(np.diag(matrix.counts))).max())
    if not largest:
        return
    with st.container(key="confusion-pairs"):
        left, right = st.columns([1, 2.6])
        with left:
            least = _least(largest)
        found = most_confused(matrix.counts, matrix.classes, least)
        with right, st.container(horizontal=True, key="confusion-pair-list", gap="xsmall"):
            for actual, said, count in found[:PAIRS]:
                label = page.say("confusion", "pair", actual=actual, said=said, count=count)
                st.button(label, key=f"confusion.pair.{matrix.classes.index(actual)}.{matrix.classes.index(said)}",
                          on_click=_go, args=(actual, said))  # fmt: skip
        if len(found) > PAIRS:
            page.note(page.say("confusion", "more_pairs", count=len(found) - PAIRS))


def _least(largest: int) -> int:
    """How often a mistake must have been made to be offered; it stands in the address."""
    wanted = state.from_address("least") or "1"
    key = f"confusion.least.{largest}"
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 7 else 1
    if st.session_state.get(key) != min(largest, max(1, number)):
        st.session_state[key] = min(largest, max(1, number))
    title = read("confusion", "least")
    return int(st.number_input(title, 1, largest, key=key,
                               on_change=lambda: state.to_address("least", str(st.session_state[key]))))  # fmt: skip
