"""Paint a schedule: four knots to drag, in the browser; a phase that follows them, in the address, out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import SettingsError
from core.text import read
from core.train.phases import Phase
from core.ui import page, phase_form
from core.ui.phase_form import PAINT, PAINTED

HERE = Path(__file__).parent
KEY = "schedules.painter"
BEGINNINGS: Mapping[str, Mapping[str, tuple[float, ...]]] = {
    "a warm start": {"places": (0.0, 0.25, 0.6, 1.0), "heights": (0.1, 1.0, 0.5, 0.0)},
    "a slow fall": {"places": (0.0, 0.4, 0.7, 1.0), "heights": (1.0, 1.0, 0.3, 0.0)},
    "a restart": {"places": (0.0, 0.48, 0.52, 1.0), "heights": (1.0, 0.0, 1.0, 0.0)},
    "a mistake": {"places": (0.0, 0.3, 0.7, 1.0), "heights": (0.0, 0.1, 0.2, 1.0)},
}
_painter = st.components.v2.component(
    "bearings.painter",
    html='<svg viewBox="0 0 720 340" role="group" aria-label="The rate over the epochs, with knots to drag"></svg>'
    '<output aria-live="polite"></output>',
    css=(HERE / "painter.css").read_text(encoding="utf-8"),
    js=(HERE / "painter.js").read_text(encoding="utf-8"),
)


def show() -> Phase:
    """The knots beside their controls; the phase that they make."""
    phase = phase_form.painted()
    with st.container(key="curves-main-paint"):
        left, right = st.columns([1, 2.1], gap="large")
    with right:
        _painter(
            key=KEY,
            data={
                "places": list(phase.options["places"]),
                "heights": list(phase.options["heights"]),
                "epochs": phase.epochs,
                "lr": phase.lr,
            },
            on_knots_change=_take,
        )
    with left:
        page.note(read("schedules", "paint_about"))
        phase_form.edit([phase], 0, slot=PAINT, key="schedules.paint", pick=False)
        st.pills(
            read("schedules", "paint_begin"), list(BEGINNINGS), key="schedules.beginning", wrap=True,
            on_change=_begin_with,
        )  # fmt: skip
    return phase


def _begin_with() -> None:
    wanted = st.session_state["schedules.beginning"]
    if wanted in BEGINNINGS:
        phase_form.put(PAINT, [replace(phase_form.painted(), options=dict(BEGINNINGS[wanted]))])
    st.session_state["schedules.beginning"] = None  # it is a beginning, not a state


def _take() -> None:
    """What the browser says about its knots, when they are some."""
    knots = knots_in(st.session_state[KEY].get("knots"))
    if knots is not None:
        phase_form.put(PAINT, [replace(phase_form.painted(), options=dict(knots))])


def knots_in(said: Any) -> Mapping[str, tuple[float, ...]] | None:
    """Places and heights as a browser sends them; None for what a schedule cannot go through."""
    try:
        knots = {name: tuple(round(float(value), 4) for value in said[name]) for name in ("places", "heights")}
        if len(knots["places"]) != len(PAINTED.options["places"]):
            return None
        Phase("painted", options=knots)
    except (SettingsError, TypeError, ValueError, KeyError):
        return None
    return knots
