"""The student's own rate: a test's recommendation in, a pick by slider or by keyboard out, and the way to Train."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from core.data.table import Dataset
from core.plots.lr_finder import ZONE_TITLES
from core.plots.style import rate
from core.train.finder_advice import Zone
from core.train.lr_finder import USUAL_RATE
from core.train.runs import Run
from core.ui import page, state

# ten rates in every decade, nearly even on a log axis, so that the slider's thumb stands under its rate
MANTISSAS = ("1", "1.2", "1.5", "2", "2.5", "3", "4", "5", "6", "8")
LADDER = tuple(float(f"{mantissa}e{exponent}") for exponent in range(-9, 4) for mantissa in MANTISSAS)


def nearest(lr: float) -> float:
    """The rate on the ladder that is nearest to another one. 0.0033 -> 0.003."""
    return min(LADDER, key=lambda known: abs(math.log(known / lr)))


def current(run: Run, recommended: float | None) -> float:
    """What is picked on a test's curve: what was chosen before, or the rate nearest to the recommended one."""
    return float(state.get(_slot(run)) or nearest(recommended or USUAL_RATE))


def _slot(run: Run) -> str:
    return f"finder.pick.{run.id}"


def choose(run: Run, dataset: Dataset, pick: float, zones: Sequence[Zone], ends: tuple[float, float]) -> None:
    """A slider right under the figure, a field for an exact rate, and the button that takes the pick along."""
    _slider(run, pick, ends)
    wide, middle, right = st.columns([1.55, 1, 1], vertical_alignment="center")
    with middle:
        _typed(run)
    with right:
        if st.button(f"Use {rate(pick)}", key="finder.use", type="primary", icon=":material/arrow_forward:",
                     icon_position="right", width="stretch"):  # fmt: skip
            page.go("train", dataset=dataset.id, rate=rate(pick), **start_of(run))
    with wide:
        zone = next((zone for zone in zones if zone.low <= pick <= zone.high), None)
        if zone is not None:
            words = page.say("lr_finder", "zone_of_pick", rate=rate(pick), zone=ZONE_TITLES[zone.kind], why=zone.why)
            page.note(words)


def start_of(run: Run) -> dict[str, str]:
    """The checkpoint that a test began with, as the Train page takes it from its address; nothing for a fresh model."""
    start = run.request.get("start")
    return {"start": f"{start['run']}:{start['file']}"} if start else {}


def _slider(run: Run, pick: float, ends: tuple[float, float]) -> None:
    first, last = ends
    options = sorted({*(lr for lr in LADDER if first * 0.999 <= lr <= last * 1.001), pick})
    key = f"finder.slider.{run.id}"
    if st.session_state.get(key) != pick:
        st.session_state[key] = pick
    with st.container(key="finder-slider"):
        st.select_slider(
            "Your pick", options, format_func=rate, key=key, label_visibility="collapsed",
            on_change=lambda: state.put(_slot(run), str(st.session_state[key])),
        )  # fmt: skip


def _typed(run: Run) -> None:
    key = f"finder.typed.{run.id}"

    def take() -> None:
        typed = _number(st.session_state[key])
        if typed:
            state.put(_slot(run), str(typed))
            st.session_state[key] = ""

    st.text_input("An exact rate", placeholder="or type, like 2.5e-3", key=key, on_change=take,
                  label_visibility="collapsed")  # fmt: skip
    if st.session_state.get(key):
        page.note(page.say("lr_finder", "no_rate", typed=str(st.session_state[key])[:20]))


def _number(typed: str) -> float | None:
    """What somebody typed, as a rate with three digits; None for what is no rate that can be used."""
    try:
        value = float(typed.strip().replace(",", "."))
    except ValueError:
        return None
    return float(f"{value:.3g}") if math.isfinite(value) and 1e-12 <= value <= 1e3 else None
