"""The page that fits curves: its parts, one at a time. A new part is one line in PARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from core.text import read
from core.ui import capacity, choices, drawing, hinges, page

PARTS: Mapping[str, Callable[[], None]] = {"capacity": capacity.show, "hinges": hinges.show, "drawing": drawing.show}


def show() -> None:
    """The choice of part, which stays in the address, the part and its challenge."""
    titles = {name: read("functions", f"part_{name}") for name in PARTS}
    part = choices.switch(titles, slot="fit", key="functions.part", default="capacity")
    with page.boundary():
        PARTS[part]()
    page.challenge("functions", "try" if part == "capacity" else f"try_{part}")
