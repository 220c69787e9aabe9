"""The page about where a model looks: its parts, one at a time. A new part is one line in PARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from core.text import read
from core.ui import choices, look_inside, look_map, look_one, page, readings
from core.ui.look_pick import WORDS
from core.ui.readings import Reading


@dataclass(frozen=True)
class Part:
    """One part: `show` draws it; `part_<name>`, `try_<name>` and `behind_<name>` are its words."""

    show: Callable[[Reading], None]
    source: str


PARTS: Mapping[str, Part] = {
    "picture": Part(look_one.show, "core.interpret.saliency:grad_cam"),
    "map": Part(look_map.show, "core.interpret.atlas:plane"),
    "inside": Part(look_inside.show, "core.interpret.inside:listening"),
}


def show() -> None:
    """The model and the part, both in the address; the part, its challenge, what is behind it, and the way on."""
    titles = {name: read(WORDS, f"part_{name}") for name in PARTS}
    first, second = st.columns([1, 1.5], gap="medium", vertical_alignment="bottom")
    with second:
        name = choices.switch(titles, slot="show", key="looks.show", default="picture")
    reading = readings.require(WORDS, place=first)
    with page.boundary():
        PARTS[name].show(reading)
    page.challenge(WORDS, "try" if name == "picture" else f"try_{name}")
    page.explain(WORDS, source=PARTS[name].source, section="behind" if name == "picture" else f"behind_{name}")
    page.next_step("Show it a new picture", "predict", key="looks.next", kind="secondary", model=reading.model.id)
