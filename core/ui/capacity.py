"""Under and over: points, a family of curves, a weight decay in; three pinned fits and losses over capacity out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from core.plots.functions import ROLES, capacity_figure, fit_figure
from core.plots.style import MARKS, counted, number
from core.sgd import functions
from core.sgd.functions import FAMILIES, FINE, REDRAWS, TARGETS, Fit, Setup
from core.text import read
from core.ui import dials, page, state

FAMILY_TITLES = {"polynomial": "polynomial", "network": "ReLU network"}
POINTS = (10, 16, 24, 40, 60, 100)
NOISES = (0.0, 0.1, 0.2, 0.3, 0.5, 0.8)
DECAYS = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
EPOCHS = (10, 25, 50, 100, 200, 400)
SEEDS = tuple(range(20))
MORE, MORE_MAX = 50, 4
PINS: Mapping[str, Mapping[str, int]] = {
    "polynomial": {"under": 1, "right": 5, "over": 18},
    "network": {"under": 1, "right": 16, "over": 128},
}
CASES: Mapping[str, Mapping[str, Any]] = {
    "by_heart": {},
    "decayed": {"decay": 1e-2},
    "wide": {"family": "network"},
    "few": {"target": "line", "count": 10, "pin_under": 0, "pin_right": 1, "pin_over": 4},
}
SLOTS = ("family", "target", "count", "spread", "decay", "passes", "draw", "more", "pin_under", "pin_right", "pin_over")
FIT_PX, LOSS_PX = 166, 166


def show() -> None:
    """The controls beside three panels and the curve."""
    with st.container(key="curves-main-capacity"):
        left, right = st.columns([1, 3], gap="large")
    with left:
        setup, more = _controls()
    with right, st.container(key="functions-figures"):
        places = st.columns(len(ROLES), gap="small")
        pins = _pins(setup.family, places)
        found, others = study(setup, pins)
        _panels(setup, pins, found, others, places)
        with st.container(key="functions-losses"):
            _curve(setup, pins, found)
    _say(setup, pins, found, others)
    _say_more(setup, more, pins, others)


@st.cache_data(max_entries=64, show_spinner=False)
def study(setup: Setup, pins: Mapping[str, int]) -> tuple[list[Fit], np.ndarray]:
    """A fit of every capacity, and those of the pinned ones through other draws of the points (pins, draws, m)."""
    return functions.fits(setup), functions.redrawn(setup, list(pins.values()))


def _controls() -> tuple[Setup, int]:
    """What is fitted; and how many times 50 points were added."""
    _cases()
    family = dials.choice(
        "Curve", list(FAMILIES), slot="family", key="functions.family", usual="polynomial",
        words=FAMILY_TITLES.__getitem__,
    )  # fmt: skip
    count = dials.slider("Points, half for the exam", POINTS, slot="count", key="functions.count", usual=40)
    more = dials.value_of(tuple(range(MORE_MAX + 1)), slot="more", usual=0)
    with st.container(horizontal=True, key="functions-more"):
        st.button(
            f"Add {MORE} points", key="functions.add", icon=":material/add:", disabled=more == MORE_MAX,
            on_click=dials.put, args=({"more": more + 1},),
        )  # fmt: skip
        if more:
            st.button("Take back", key="functions.less", on_click=dials.put, args=({"more": more - 1 or None},))
    decay = dials.slider("Weight decay", DECAYS, slot="decay", key="functions.decay", usual=0.0)
    epochs = 400
    if family == "network":
        epochs = dials.slider("Epochs", EPOCHS, slot="passes", key="functions.passes", usual=400)
    with st.popover("More", width="stretch"):
        noise = dials.slider("Noise", NOISES, slot="spread", key="functions.spread", usual=0.3)
        target = dials.choice("Target", list(TARGETS), slot="target", key="functions.target", usual="wave")
        seed = dials.slider("Draw of the points", SEEDS, slot="draw", key="functions.draw", usual=0)
    return Setup(family, target, noise, count + MORE * more, decay, epochs, seed), more


def _cases() -> None:
    """Set-ups that show something, in one click; what stands in the controls decides which of them is on."""
    key = "functions.case"
    held = {slot: value for slot in SLOTS if (value := state.from_address(slot))}
    on = next((name for name, case in CASES.items() if held == {k: dials.shown(v) for k, v in case.items()}), None)
    if st.session_state.get(key) != on:
        st.session_state[key] = on
    st.selectbox(
        "Case", list(CASES), key=key, format_func=lambda name: read("functions", f"case_{name}"),
        placeholder=read("functions", "case_own"), on_change=_choose_case, args=(key,),
    )  # fmt: skip


def _choose_case(key: str) -> None:
    case = CASES.get(st.session_state[key] or "", {})
    dials.put({slot: case.get(slot) for slot in SLOTS})


def _pins(family: str, places: Sequence[Any]) -> dict[str, int]:
    """The pinned capacities: a choice over each panel."""
    noun = _noun(family)
    pins = {}
    for (role, usual), place in zip(PINS[family].items(), places, strict=True):
        with place:
            pins[role] = dials.choice(
                f"{MARKS[ROLES[role][0]]} {ROLES[role][1]}", FAMILIES[family], slot=f"pin_{role}",
                key=f"functions.pin.{role}", usual=usual, words=lambda capacity: f"{noun} {capacity}",
            )  # fmt: skip
    return pins


def _noun(family: str) -> str:
    return "degree" if family == "polynomial" else "hinges:"


def _panels(
    setup: Setup, pins: Mapping[str, int], found: Sequence[Fit], others: np.ndarray, places: Sequence[Any]
) -> None:
    points, by_capacity = functions.points_of(setup), {fit.capacity: fit for fit in found}
    for place, (number_, (role, capacity)) in zip(places, enumerate(pins.items()), strict=True):
        fit = by_capacity[capacity]
        with place:
            st.echarts_chart(
                fit_figure(
                    role, FINE, fit.curve, target=setup.true(FINE), train=(points.x, points.y),
                    valid=(points.x_valid, points.y_valid), others=others[number_], look=page.current_look(),
                ),
                key=f"functions.fit.{role}",
                height=FIT_PX,
                alt=page.say("functions", "fit_alt", capacity=f"{_noun(setup.family)} {capacity}",
                             train=number(fit.train_loss), valid=number(fit.valid_loss)),
            )  # fmt: skip
            st.html(_numbers(fit, len(points.x), functions.wobble(others[number_])))


def _numbers(fit: Fit, points: int, wobble: float) -> str:
    rows = (
        ("training loss", number(fit.train_loss)),
        ("exam loss", number(fit.valid_loss)),
        ("numbers to fit", f"{fit.parameters} for {points} points"),
        ("with other points", f"± {number(wobble)}"),
    )
    return f'<div class="fit">{"".join(f"<span>{name}</span><b>{value}</b>" for name, value in rows)}</div>'


def _curve(setup: Setup, pins: Mapping[str, int], found: Sequence[Fit]) -> None:
    axis = "degree of the polynomial" if setup.family == "polynomial" else "hinges of the network"
    best = functions.best_of(found)
    st.echarts_chart(
        capacity_figure(
            [fit.capacity for fit in found], [fit.train_loss for fit in found], [fit.valid_loss for fit in found],
            pins, axis=axis, look=page.current_look(),
        ),
        key="functions.capacity",
        height=LOSS_PX,
        alt=page.say("functions", "curve_alt", axis=axis, best=best.capacity, loss=number(best.valid_loss)),
    )  # fmt: skip


def _say(setup: Setup, pins: Mapping[str, int], found: Sequence[Fit], others: np.ndarray) -> None:
    """What became of the largest of the three, against the one in the middle, and whether that may be luck."""
    by_capacity, noun = {fit.capacity: fit for fit in found}, _noun(setup.family)
    misses = functions.misses_of(setup, others)
    over, right = by_capacity[pins["over"]], by_capacity[pins["right"]]
    worse = functions.worse_in(misses[2], misses[1])
    verdict = functions.judge(over, right, worse)
    best = functions.best_of(found)
    page.see(
        page.say(
            "functions", f"see_{verdict}", over=f"{noun} {over.capacity}", right=f"{noun} {right.capacity}",
            parameters=counted(over.parameters, "number"), points=counted((setup.points + 1) // 2, "training point"),
            train=number(over.train_loss), valid=number(over.valid_loss), worse=worse, times=REDRAWS,
            best=f"{noun} {best.capacity}", best_loss=number(best.valid_loss),
        ),
        {"over": "high", "under": "attention", "alike": ""}[verdict],
    )  # fmt: skip


def _say_more(setup: Setup, more: int, pins: Mapping[str, int], others: np.ndarray) -> None:
    """What the added points changed: how much each curve depends on which points were drawn, before and now."""
    if not more:
        page.note(read("functions", "add_hint"))
        return
    before = study(replace(setup, points=setup.points - MORE), pins)[1]
    changes = {
        role: (functions.wobble(before[place]), functions.wobble(others[place])) for place, role in enumerate(pins)
    }
    page.see(
        page.say(
            "functions", "see_more", before=setup.points - MORE, now=setup.points,
            **{f"{role}_{when}": number(value) for role, pair in changes.items()
               for when, value in zip(("before", "now"), pair, strict=True)},
        )
    )  # fmt: skip
