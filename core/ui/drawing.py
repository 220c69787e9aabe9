"""Draw it yourself: a target drawn in the browser in; points around it, and both families fitted to them, out."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.plots.style import number
from core.sgd import functions
from core.sgd.functions import FAMILIES, Fit, Setup
from core.text import read
from core.ui import dials, page, state
from core.ui.capacity import DECAYS, NOISES, POINTS

HERE = Path(__file__).parent
KEY, SLOT = "functions.sketch", "shape"
COLUMNS = 41
HIGH = 1.5  # the highest that can be drawn; the address keeps a hundred steps from -1.5 to 1.5
DEGREES, WIDTHS = FAMILIES["polynomial"], FAMILIES["network"]
_sketch = st.components.v2.component(
    "bearings.sketch",
    html='<svg class="draws" viewBox="0 0 760 370" tabindex="0" role="slider" aria-label="A target to draw: '
    'left and right choose a place, up and down bend it" '
    'aria-valuemin="-1.5" aria-valuemax="1.5" aria-valuenow="0"></svg>'
    '<output aria-live="polite"></output>',
    css=(HERE / "sketch.css").read_text(encoding="utf-8"),
    js=(HERE / "sketch.js").read_text(encoding="utf-8"),
)


def show() -> None:
    """The controls beside the drawing with both fits over it."""
    with st.container(key="curves-main-drawing"):
        left, right = st.columns([1, 2.1], gap="large")
    with left:
        page.note(read("functions", "draw_about"))
        degree = dials.slider("Degree of the polynomial", DEGREES, slot="degree", key="functions.degree", usual=5)
        width = dials.slider("Hinges of the network", WIDTHS, slot="width", key="functions.width", usual=16)
        count = dials.slider("Points, half for the exam", POINTS, slot="dots", key="functions.dots", usual=60)
        with st.popover("More", width="stretch"):
            noise = dials.slider("Noise", NOISES, slot="shaky", key="functions.shaky", usual=0.1)
            decay = dials.slider("Weight decay", DECAYS, slot="tamed", key="functions.tamed", usual=0.0)
    heights = heights_in(state.from_address(SLOT))
    setup = Setup(noise=noise, points=count, decay=decay, drawn=heights)
    polynomial, network = fitted(setup, degree, width)
    with right:
        _sketch(key=KEY, data=_sent(setup, polynomial, network), on_heights_change=_take)
    page.see(
        page.say(
            "functions", "drawn", degree=degree, width=width, poly_train=number(polynomial.train_loss),
            poly_valid=number(polynomial.valid_loss), net_train=number(network.train_loss),
            net_valid=number(network.valid_loss), closer=_closer(polynomial, network),
        )
    )  # fmt: skip


@st.cache_data(max_entries=64, show_spinner=False)
def fitted(setup: Setup, degree: int, width: int) -> tuple[Fit, Fit]:
    """A polynomial and a network through the points around what was drawn."""
    return functions.fits(setup, [degree])[0], functions.fits(replace(setup, family="network"), [width])[0]


def _closer(one: Fit, other: Fit) -> str:
    """Which of two does better in the exam, unless that may be luck: two standard errors of the mean difference."""
    gap = one.misses - other.misses
    if abs(gap.mean()) <= 2 * gap.std(ddof=1) / math.sqrt(len(gap)):
        return read("functions", "drawn_luck")
    return read("functions", "drawn_network" if gap.mean() > 0 else "drawn_polynomial")


def _sent(setup: Setup, polynomial: Fit, network: Fit) -> dict[str, Any]:
    points = functions.points_of(setup)
    fits = (("polynomial", polynomial), ("network", network))
    return {
        "heights": list(setup.drawn),
        "fits": [{"name": name, "values": np.clip(fit.curve, -9, 9).round(3).tolist()} for name, fit in fits],
        "points": {"train": _pairs(points.x, points.y), "exam": _pairs(points.x_valid, points.y_valid)},
    }


def _pairs(x: np.ndarray, y: np.ndarray) -> list[list[float]]:
    return np.column_stack([x, y]).round(3).tolist()


def _take() -> None:
    """What the browser says was drawn, when that is a drawing."""
    text = written(st.session_state[KEY].get("heights"))
    if text is not None:
        state.to_address(SLOT, text)


def written(said: Any) -> str | None:
    """Heights as a browser sends them, as digits for an address: two for each; None for what is no drawing."""
    try:
        heights = [float(height) for height in said]
    except (TypeError, ValueError):
        return None
    if len(heights) != COLUMNS or not all(math.isfinite(height) for height in heights):
        return None
    return "".join(f"{min(99, max(0, round((height + HIGH) / (2 * HIGH) * 99))):02d}" for height in heights)


def heights_in(text: str | None) -> tuple[float, ...]:
    """Heights out of an address; a hill and a valley where it holds none."""
    if text and len(text) == 2 * COLUMNS and text.isascii() and text.isdecimal():
        steps = [int(text[place : place + 2]) for place in range(0, 2 * COLUMNS, 2)]
        return tuple(round(step / 99 * 2 * HIGH - HIGH, 3) for step in steps)
    return _usual()


def _usual() -> tuple[float, ...]:
    x = np.linspace(-1, 1, COLUMNS)
    return tuple(round(float(height), 3) for height in 0.9 * np.sin(4.5 * x) * (1 - 0.5 * x))
