"""Charts whose points are chosen by a finger as well as by a mouse: a listener in the browser, nothing else."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

_taps = st.components.v2.component(
    "bearings.taps", html="<i></i>", js=(Path(__file__).parent / "taps.js").read_text(encoding="utf-8")
)


def heed() -> None:
    """A tap selects the point under the finger, in every Plotly chart of the page."""
    _taps(key="taps")
