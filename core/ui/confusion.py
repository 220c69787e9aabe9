"""The page of who is taken for whom: its parts, one at a time. A new part is one line in PARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.ui import (
    choices,
    class_scores,
    confusion_cells,
    metric_words,
    page,
    reading_words,
    readings,
    sureness,
    tta,
)
from core.ui.readings import Reading


@dataclass(frozen=True)
class Part:
    """One part: `show` draws it, `source` is what did the work.

    Its words are the sections `try<words>` and `behind<words>` of `page`.
    """

    title: str
    show: Callable[[Reading], None]
    source: str
    words: str = ""
    page: str = "confusion"


PARTS: Mapping[str, Part] = {
    "cells": Part("Who is taken for whom", confusion_cells.show, "core.interpret.metrics:confusion"),
    "classes": Part("Class by class", class_scores.show, "core.interpret.metrics:ClassScore", "_classes"),
    "sure": Part("How sure it is", sureness.show, "core.interpret.calibration:reliability", "_sure"),
    "numbers": Part("What the numbers are", metric_words.show, "core.interpret.predictions:answers", "_numbers"),
    "looks": Part("Five looks", tta.show, tta.SOURCE, page="tta"),
}


def show() -> tuple[Reading, Part]:
    """The choice of model and part, which stay in the address, and the part."""
    place, beside = st.columns([2.2, 1], gap="medium", vertical_alignment="bottom")
    reading = readings.require("confusion", place=beside)
    with place:
        titles = {name: part.title for name, part in PARTS.items()}
        part = PARTS[choices.switch(titles, slot="part", key="confusion.part", default="cells")]
    with page.boundary():
        part.show(reading)
        reading_words.about_exam(reading)
    return reading, part


def next_step(reading: Reading) -> None:
    """Where it looks, then predict; and the table of all answers."""
    with st.container(horizontal=True, key="confusion-next", vertical_alignment="center"):
        model = reading.model.id
        page.next_step("Where does it look?", "where_it_looks", key="confusion.next", model=model)
        page.next_step("Try it on a picture", "predict", key="confusion.predict", model=model, kind="secondary")
        st.html(reading_words.download(reading))
