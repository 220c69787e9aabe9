"""The moving picture of a descent: data of core.ui.descents in; what was clicked or dragged there out.

It is drawn and played in the browser by the files in core/ui/descent, which are joined into one module in this order.
Python hears of it only when a start is picked, a point is changed, or something else is to be shown.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from core.plots.style import SEQUENTIAL, Look

FOLDER = Path(__file__).parent / "descent"
SCRIPTS = (
    "bowl", "scales", "surface", "panel_points", "panel_bowl", "panel_curve", "readout", "player", "guess", "stand",
    "pictures", "app",
)  # fmt: skip
NIGHT = "#26221C"  # around white lines on the map, in both themes


@dataclass(frozen=True)
class Said:
    """What the browser may say: a `start` {a1, a2}, an `edit` of a point, or how the `view` should be."""

    start: Callable[[Any], None]
    edit: Callable[[Any], None]
    view: Callable[[Any], None]


def script() -> str:
    """The files of the component as one module."""
    return "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)


_component = st.components.v2.component(
    "bearings_descent", css=(FOLDER / "descent.css").read_text(encoding="utf-8"), js=script()
)


def colours(look: Look, *, dark: bool) -> dict[str, Any]:
    """A look as the canvases take it. The two text colours are those of the style sheet, for words on paper."""
    return {
        "ink": look.ink, "paper": look.paper, "faint": look.faint, "training": look.training, "brand": look.brand,
        "too_high": look.too_high, "too_low": look.too_low, "good": look.good, "attention": look.attention,
        "slots": list(look.slots), "font_px": look.font_px, "sequential": list(SEQUENTIAL), "night": NIGHT,
        "high_text": "#FFA870" if dark else "#A34700", "good_text": "#5FD9B5" if dark else "#00704F",
    }  # fmt: skip


def show(data: Mapping[str, Any], *, key: str, said: Said) -> None:
    """Draw it. `data["id"]` names the set-up: with another one the clock starts anew."""

    def hear(name: str, take: Callable[[Any], None]) -> Callable[[], None]:
        return lambda: take(getattr(st.session_state[key], name, None))

    _component(
        key=key, data=dict(data), on_start_change=hear("start", said.start), on_edit_change=hear("edit", said.edit),
        on_view_change=hear("view", said.view),
    )  # fmt: skip


def size(data: Mapping[str, Any]) -> int:
    """How many bytes a picture is on its way to the browser."""
    return len(json.dumps(data, separators=(",", ":")).encode())
