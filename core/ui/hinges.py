"""Hinges: a few to bend and add up by hand, or as many as a network trains; their lines beneath their sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.plots.style import counted, number
from core.sgd.functions import FINE, TARGETS
from core.text import read
from core.ui import choices, dials, page, state

HERE = Path(__file__).parent
KEY, SLOT = "functions.hinges", "bends"
HIGHEST = 6.0  # the steepest slope by hand
BY_HAND: Mapping[int, tuple[tuple[float, float], ...]] = {
    1: ((-0.2, 1.0),),
    2: ((-0.6, 2.0), (0.0, -4.0)),
    3: ((-0.6, 2.0), (0.0, -4.0), (0.6, 2.0)),
    4: ((-0.8, 2.0), (-0.3, -4.0), (0.3, 4.0), (0.8, -4.0)),
}  # hinge -> (where it bends, its slope from there on)
COUNTS = (1, 2, 3, 4)
WIDTHS = (1, 2, 3, 4, 6, 8, 16, 32, 64)
EPOCHS = 400
STARTS = tuple(range(10))  # seeds of the weights that training begins with
WAYS = ("hand", "trained")
_hinges = st.components.v2.component(
    "bearings.hinges",
    html='<svg viewBox="0 0 760 400" role="group" aria-label="A sum of hinges over a target, and the hinges below">'
    "</svg>"
    '<output aria-live="polite"></output>',
    css=(HERE / "sketch.css").read_text(encoding="utf-8"),
    js=(HERE / "hinges.js").read_text(encoding="utf-8"),
)


def show() -> None:
    """The controls beside the sum and its hinges."""
    with st.container(key="curves-main-hinges"):
        left, right = st.columns([1, 2.1], gap="large")
    with left:
        ways = {way: read("functions", f"way_{way}") for way in WAYS}
        way = choices.switch(ways, slot="bend", key="functions.way", default="hand", light=True)
        values, usual = (COUNTS, 2) if way == "hand" else (WIDTHS, 16)
        count = dials.slider(
            "Hinges", values, slot=f"hinges_{way}", key=f"functions.hinges_{way}", usual=usual
        )  # fmt: skip
        bent = dials.toggle("max(x, 0) bends every line", slot="relu", key="functions.relu", usual=True)
        target = dials.choice("Target", list(TARGETS), slot="goal", key="functions.goal", usual="bump")
        start = dials.value_of(STARTS, slot="from", usual=0)
        if way == "trained":
            st.button(
                "Begin elsewhere", key="functions.start", icon=":material/shuffle:", on_click=dials.put,
                args=({"from": (start + 1) % len(STARTS)},),
            )  # fmt: skip
    if way == "hand":
        _by_hand(right, count, bent, target)
    else:
        _trained(right, count, bent, target, start)


def _by_hand(place: Any, count: int, bent: bool, target: str) -> None:
    bends = bends_in(state.from_address(SLOT), count)
    goal = TARGETS[target](FINE)
    level = float(goal[0])  # the sum begins where the target begins
    with place:
        hinges = [{"at": at, "weight": weight, "side": 1} for at, weight in bends]
        _draw(hinges, level, goal, bent=bent, free=True)
    page.see(page.say("functions", f"hand_{min(count, 3)}" if bent else "hand_lines", count=count))
    page.note(read("functions", "hand_about"))


def _trained(place: Any, width: int, bent: bool, target: str, start: int) -> None:
    found = trained(width, bent, target, start)
    with place:
        _draw(found["hinges"], found["level"], TARGETS[target](FINE), bent=bent, free=False)
    if bent:
        loss = number(found["loss"])
        page.see(page.say("functions", "trained", count=counted(width, "hinge"), loss=loss, epochs=EPOCHS))
    else:
        said = {name: _three(abs(found[name])) for name in ("loss", "slope", "height")}
        signs = {name: "−" if found[name] < 0 and said[name] != "0" else "" for name in ("slope", "height")}
        page.see(
            page.say("functions", "trained_lines", count=counted(width, "line"), epochs=EPOCHS, loss=said["loss"],
                     slope=f"{signs['slope']}{said['slope']}", height=f"{signs['height'] or '+'} {said['height']}",
                     off="a ten-thousandth" if found["off"] < 1e-4 else number(found["off"])), "attention",
        )  # fmt: skip


def _three(value: float) -> str:
    """A number in three digits; what is as good as none is 0."""
    return number(value) if value >= 0.001 else "0"


@st.cache_data(max_entries=64, show_spinner=False)
def trained(width: int, bent: bool, target: str, start: int) -> dict[str, Any]:
    """A network trained on the target itself: its hinges, and how far its curve is from a straight line."""
    from core.sgd.relu import train_networks

    made = train_networks(FINE, TARGETS[target](FINE), [width], epochs=EPOCHS, bent=bent, seed=start)
    curve = made.predict(FINE)[0]
    hinges = [_hinge(*map(float, unit)) for unit in zip(made.slope[0], made.shift[0], made.out[0], strict=True)]
    slope, height = made.line(0)
    return {
        "hinges": [hinge for hinge in hinges if hinge is not None],
        "level": float(made.level[0]),
        "loss": float(np.mean((curve - TARGETS[target](FINE)) ** 2)),
        "slope": slope,
        "height": height,
        "off": float(np.abs(curve - (slope * FINE + height)).max()),
    }


def _hinge(slope: float, shift: float, out: float) -> dict[str, float] | None:
    """A unit as the place where it bends, its slope from there on, and the side to which it rises."""
    if abs(slope) < 1e-6:
        return None  # a line that lies flat bends nowhere
    return {"at": -shift / slope, "weight": out * abs(slope), "side": 1.0 if slope > 0 else -1.0}


def _draw(hinges: Sequence[Mapping[str, float]], level: float, goal: np.ndarray, *, bent: bool, free: bool) -> None:
    rounded = [{name: float(f"{value:.6g}") for name, value in hinge.items()} for hinge in hinges]
    _hinges(
        key=KEY,
        data={"hinges": rounded, "level": level, "target": goal.round(4).tolist(), "bent": bent, "free": free},
        on_hinges_change=_take,
    )


def _take() -> None:
    """What the browser says about the hinges that were dragged, when they are some."""
    text = written(st.session_state[KEY].get("hinges"))
    if text is not None:
        state.to_address(SLOT, text)


def written(said: Any) -> str | None:
    """Hinges as a browser sends them, as text for an address; None for what are none."""
    try:
        text = "_".join(f"{float(at):.2f}~{float(weight):.2f}" for at, weight in said)
    except (TypeError, ValueError):
        return None
    return text if bends_in(text, text.count("_") + 1, usual=None) is not None else None


def bends_in(text: str | None, count: int, usual: Any = BY_HAND) -> tuple[tuple[float, float], ...] | None:
    """Hinges out of an address, where it holds so many of them; the usual ones otherwise."""
    parts = [part.split("~") for part in text.split("_")] if text and len(text) < 100 else []
    try:
        found = tuple((float(at), float(weight)) for at, weight in parts)
    except ValueError:
        found = ()
    good = len(found) == count <= len(BY_HAND) and all(-1 <= at <= 1 and abs(weight) <= HIGHEST for at, weight in found)
    return found if good else usual[count] if usual else None
