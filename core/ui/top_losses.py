"""Where a model was furthest off: its answers in; nine pictures in an order of choice, with what it said, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.interpret.metrics import ORDERS
from core.text import read
from core.ui import answer_cards, choices, forms, page, reading_words, readings, state
from core.ui.readings import Reading

AT_ONCE = 9
PER_CLASS = 3
ALL, EACH = "all", "each"
ORDER_TITLES: Mapping[str, str] = {
    "loss": "Highest loss",
    "wrong": "Sure and wrong",
    "right": "Sure and right",
    "unsure": "Least certain",
}
SIDES = {"valid": "The exam", "train": "What it learned from"}


@dataclass(frozen=True)
class Choice:
    """What is shown: a side, an order, a class (None for all), and which picture; `each`: a few of every class."""

    side: str
    order: str
    label: str | None
    each: bool
    shown: str


def show() -> Reading:
    """The controls, the nine pictures, and what there is to see in them."""
    with st.container(key="top-losses-which"):
        first, second, third = st.columns([2, 1, 1])
    reading = readings.require("top_losses", place=first)
    choice = _choose(reading, second, third)
    with page.boundary():
        rows = reading.kept(("order", choice), lambda: ordered(reading, choice))
        _pictures(reading, rows, choice)
        reading_words.about_exam(reading)
    return reading


def _choose(
    reading: Reading, second: st.delta_generator.DeltaGenerator, third: st.delta_generator.DeltaGenerator
) -> Choice:
    labels = {f"={label}": label for label in reading.known}
    with second:
        title = read("top_losses", "which_class")
        options = {ALL: "All classes", EACH: f"{PER_CLASS} of each class", **labels}
        chosen = forms.pick(title, options, slot="class", key="top_losses.class", default=ALL)
    with third:
        side = forms.pick("Pictures from", SIDES, slot="side", key="top_losses.side", default="valid")
    with st.container(horizontal=True, key="top-losses-how", vertical_alignment="center"):
        order = choices.switch(ORDER_TITLES, slot="sort", key="top_losses.sort", default="loss")
        shown = choices.switch(answer_cards.MAPS, slot="map", key="top_losses.map", default="off", light=True)
    return Choice(side, order, labels.get(chosen), chosen == EACH, shown)


def ordered(reading: Reading, choice: Choice) -> pd.DataFrame:
    """The answers of a side in the chosen order, of one class, or the first few of each class in turn."""
    table = reading.side(choice.side)
    if choice.label is not None:
        table = table[table["label"] == choice.label]
    found = ORDERS[choice.order](table)
    if choice.each:
        found = found.groupby("label", sort=False).head(PER_CLASS)
        place = {label: number for number, label in enumerate(reading.known)}
        found = found.sort_values("label", key=lambda labels: labels.map(place), kind="stable").reset_index(drop=True)
    return found


def _pictures(reading: Reading, rows: pd.DataFrame, choice: Choice) -> None:
    if not len(rows):
        page.see(_nothing(reading, choice))
        return
    count = -(-len(rows) // AT_ONCE)
    at = _page_number(reading, count, choice)
    shown = rows.iloc[AT_ONCE * (at - 1) : AT_ONCE * at]
    page.see(reading_words.of_top(reading, shown, choice.order), reading_words.tone(shown, choice.order))
    st.html(answer_cards.grid(reading, shown, shown=choice.shown))
    readings.pages(count, at, slot="at", key="top_losses.at")
    if choice.shown != "off":
        page.note(read("top_losses", f"map_{choice.shown}"))


def _nothing(reading: Reading, choice: Choice) -> str:
    if not len(reading.side(choice.side)):
        return read("top_losses", "no_side")
    section = f"no_{choice.order}" if choice.order in ("wrong", "right") else "no_class"
    return read("top_losses", section)


def _page_number(reading: Reading, count: int, choice: Choice) -> int:
    """Which nine: the address says so, as long as nothing else was chosen since."""
    chosen = (reading.model.id, choice.side, choice.order, choice.label, choice.each)
    if state.get("top_losses.chosen", chosen) != chosen:
        state.to_address("at", None)
    state.put("top_losses.chosen", chosen)
    return readings.page_number(count, slot="at")


def next_steps(reading: Reading) -> None:
    """Take the table along, clean these pictures, and on to the confusion matrix."""
    with st.container(horizontal=True, key="top-losses-next", vertical_alignment="center"):
        page.next_step("Who is taken for whom?", "confusion", key="top_losses.next", model=reading.model.id)
        if st.button("Clean these", key="top_losses.clean", icon=":material/mop:"):
            _clean(reading)
        st.html(reading_words.download(reading))


def _clean(reading: Reading) -> None:
    """The cleaner, with the same class and side before it."""
    chosen = state.from_address("class") or ALL
    state.put("clean.label", chosen[1:] if chosen[1:] in reading.dataset.classes and chosen[:1] == "=" else None)
    state.put("clean.side", "train" if state.from_address("side") == "train" else "valid")
    page.go("clean", dataset=reading.dataset.id, run=reading.model.id, find="1", order="loss")
