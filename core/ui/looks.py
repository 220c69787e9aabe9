"""The page about where a model looks: its parts, one at a time. A new part is one line in PARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.text import read
from core.ui import choices, landscape, look_inside, look_map, look_one, page, readings
from core.ui.look_pick import WORDS
from core.ui.readings import Reading


@dataclass(frozen=True)
class Part:
    """One part: `show` draws it. Its title is the section `part_<name>` of this page's words; `try<ending>` and
    `behind<ending>` are sections of the words of `words`.
    """

    show: Callable[[Reading], None]
    source: str
    ending: str = ""
    words: str = WORDS


PARTS: Mapping[str, Part] = {
    "picture": Part(look_one.show, "core.interpret.saliency:grad_cam"),
    "map": Part(look_map.show, "core.interpret.atlas:plane", "_map"),
    "inside": Part(look_inside.show, "core.interpret.inside:listening", "_inside"),
    "valley": Part(lambda reading: landscape.show(reading.model.run), landscape.SOURCE, words="landscape"),
}


def show() -> None:
    """The model and the part, both in the address; the part, its challenge, what is behind it, and the way on."""
    titles = {name: read(WORDS, f"part_{name}") for name in PARTS}
    first, second = st.columns([1, 1.75], gap="medium", vertical_alignment="bottom")
    with second:
        name = choices.switch(titles, slot="show", key="looks.show", default="picture")
    reading = readings.require(WORDS, place=first)
    part = PARTS[name]
    with page.boundary():
        part.show(reading)
    page.challenge(part.words, f"try{part.ending}")
    page.explain(part.words, source=part.source, section=f"behind{part.ending}")
    page.next_step("Show it a new picture", "predict", key="looks.next", kind="secondary", model=reading.model.id)
