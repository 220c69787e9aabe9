"""The controls of the descent: what the address says in, widgets that show it and write it there out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from core.plots.style import esc
from core.sgd.setup import ALL, MENU, POINTS_MAX, STEPS_MAX, X_FAR, Y_FAR, Setup
from core.text import read
from core.train.schedules import SCHEDULES
from core.ui import page, sgd_address
from core.ui.descents import rate_words
from core.ui.finder_pick import MANTISSAS

LADDER = (*(float(f"{mantissa}e{exponent}") for exponent in (-3, -2, -1, 0) for mantissa in MANTISSAS), 10.0)
BATCHES = (1, 2, 5, 10, 20, 50, 100)
PRESETS: Mapping[str, Setup] = {  # the lesson's numbers
    "good": Setup(rate=0.1),
    "low": Setup(rate=0.001),
    "high": Setup(rate=1.2),
    "batches": Setup(rate=0.1, batch=20),
}


def presets(setup: Setup) -> None:
    """The lesson's own set-ups; the one that is on is marked."""
    key = "sgd.preset"
    _show(key, next((name for name, preset in PRESETS.items() if preset == setup), None))

    def take() -> None:
        if st.session_state[key] in PRESETS:
            sgd_address.write(PRESETS[st.session_state[key]])

    st.pills(
        "The lesson", list(PRESETS), format_func=lambda name: read("sgd", f"preset_{name}"), key=key, on_change=take,
        label_visibility="collapsed",
    )  # fmt: skip


def rate(setup: Setup, limit: float, *, field: str = "rate", label: str = "Learning rate") -> None:
    """A rate on a logarithmic slider, with the limit of plain descent marked under it."""
    now = getattr(setup, field)
    options = sorted({*LADDER, now})
    key = f"sgd.{field}"
    _show(key, now, [rate_words(option) for option in options])
    with st.container(key=f"sgd-rate-{field}"):
        st.select_slider(label, options, format_func=rate_words, key=key, on_change=_takes(key, field))
        st.html(_ruler(options, limit, "ruler" if setup.rule == "sgd" else "ruler_plain"))


def _ruler(options: list[float], limit: float, section: str) -> str:
    """Where the limit of plain descent lies along a slider whose steps are `options`, and what to say of it."""
    below = sum(option <= limit for option in options)
    if below == 0 or below == len(options):
        at = 0.0 if below == 0 else 1.0
    else:
        low, high = options[below - 1], options[below]
        at = (below - 1 + math.log(limit / low) / math.log(high / low)) / (len(options) - 1)
    words = esc(page.say("sgd", section, limit=rate_words(limit)))
    side = "left" if at > 0.5 else "right"
    return f'<div class="ruler" style="--at:{100 * at:.1f}%"><i></i><b></b><span class="{side}">▲ {words}</span></div>'


def batch(setup: Setup) -> None:
    """How many points a step looks at."""
    known = {size for size in BATCHES if size < setup.count}
    now = ALL if setup.batch_size is None else setup.batch_size
    options = [*sorted(known | ({now} - {ALL})), ALL]
    names = {size: str(size) for size in options} | {ALL: f"all {setup.count}"}
    key = "sgd.batch"
    _show(key, now, list(names.values()))
    st.select_slider("Points a step", options, key=key, on_change=_takes(key, "batch"), format_func=names.get)


def rule(setup: Setup) -> None:
    """Which rule makes a step out of a slope."""
    key = "sgd.rule"
    _show(key, setup.rule)
    st.selectbox("Rule", MENU, format_func=lambda name: read("sgd", f"rule_{name}"), key=key,
                 on_change=_takes(key, "rule"))  # fmt: skip


def momentum(setup: Setup) -> None:
    """How much of the last direction is kept; plain descent keeps none."""
    key = "sgd.momentum"
    _show(key, setup.momentum)
    st.slider(
        "Momentum", 0.0, 0.99, step=0.01, key=key, disabled=setup.rule == "sgd", on_change=_takes(key, "momentum"),
        help=read("sgd", "momentum_help"),
    )  # fmt: skip


def more(setup: Setup, *extra: Callable[[Setup], None]) -> None:
    """What most people never touch, with what a part shows less of."""
    with st.popover("More", icon=":material/tune:", width="stretch"):
        for control in extra:
            control(setup)
        _way(setup)
        _points(setup)
        page.note(read("sgd", "link_help"))


def _way(setup: Setup) -> None:
    left, right = st.columns(2)
    with left:
        key = "sgd.plan"
        _show(key, setup.schedule)
        st.selectbox("Schedule", list(SCHEDULES), format_func=lambda name: name.replace("_", " "), key=key,
                     on_change=_takes(key, "schedule"))  # fmt: skip
    with right:
        _number(setup, "steps", "Steps", 10, STEPS_MAX, step=10)
    for place, name, at, far in ((left, "a₁", 0, 10 * X_FAR), (right, "a₂", 1, Y_FAR)):
        key = f"sgd.start.{at}"
        _show(key, float(setup.start[at]))
        place.number_input(f"Start {name}", -far, far, key=key, format="%g", step=0.5, on_change=_take_start)


def _take_start() -> None:
    sgd_address.change(start=(float(st.session_state["sgd.start.0"]), float(st.session_state["sgd.start.1"])))


def _points(setup: Setup) -> None:
    """How points are drawn; where some were moved by hand, the way back to drawn ones."""
    if setup.points is not None:
        page.note(page.say("sgd", "points_own", count=len(setup.points)))
        st.button("Draw new points", key="sgd.draw", icon=":material/casino:",
                  on_click=lambda: sgd_address.change(points=None))  # fmt: skip
        return
    left, right = st.columns(2)
    with left:
        _number(setup, "n", "Points", 2, POINTS_MAX)
        _number(setup, "outlier", "Outlier (moved up by)", -20.0, 20.0, step=1.0)
    with right:
        _number(setup, "noise", "Noise", 0.0, 5.0, step=0.05)
        _number(setup, "seed", "Seed", 0, 9999)


def _number(setup: Setup, field: str, label: str, low: Any, high: Any, **options: Any) -> None:
    key = f"sgd.{field}"
    _show(key, getattr(setup, field))
    kind: Mapping[str, Any] = {"format": "%g"} if isinstance(low, float) else {}
    st.number_input(label, low, high, key=key, on_change=_takes(key, field), **kind, **options)


def _takes(key: str, field: str) -> Callable[[], None]:
    return lambda: sgd_address.change(**{field: st.session_state[key]})


def _show(key: str, value: Any, labels: Sequence[str] = ()) -> None:
    """Let a widget show what the address says; one whose options have changed has forgotten what it showed."""
    known = f"slot.{key}.labels"
    if st.session_state.get(key) != value or st.session_state.get(known, labels) != labels:
        st.session_state[key] = value
    st.session_state[known] = labels
