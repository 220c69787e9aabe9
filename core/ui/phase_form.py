"""A phase under one's hands: phases in the page's address, the controls of one of them in, changed phases out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from core.errors import SettingsError
from core.plots.style import counted, rate, share
from core.text import read
from core.train.phases import EPOCHS_MAX, Phase, parsed, written
from core.train.schedules import SCHEDULES, options_of
from core.ui import forms, page, state
from core.ui.stage_form import OPTION_TITLES, SCHEDULE_TITLES

PAINT = "paint"  # the slot of the painted schedule
PAINTED = Phase("painted", 4, 3e-3, {name: tuple(knots) for name, knots in options_of("painted").items()})
VALUES: Mapping[str, Sequence[Any]] = {
    "pct_start": (0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9),
    "div": (5.0, 10.0, 25.0, 50.0, 100.0),
    "div_final": (10.0, 100.0, 1e3, 1e4, 1e5),
    "cycle_len": (1, 2, 3, 4, 5),
    "cycle_mult": (1, 1.5, 2, 3),
    "at": ((0.5, 0.75), (0.33, 0.66), (0.25, 0.5, 0.75), (0.5,)),
    "factor": (0.1, 0.2, 0.5),
}  # the lowest rate is left to the recipe's own form: what it means depends on the rate there


def title(schedule: str) -> str:
    """A schedule by the name that people give it."""
    return SCHEDULE_TITLES.get(schedule, schedule.replace("_", " "))


def words(phase: Phase) -> str:
    """A phase in a line: "restarts (SGDR), 7 epochs, 3e-3"."""
    return f"{title(phase.schedule)}, {counted(phase.epochs, 'epoch')}, {rate(phase.lr)}"


def current(slot: str, usual: Sequence[Phase]) -> tuple[Phase, ...]:
    """The phases of the address, or the usual ones; an address that holds none gets a sentence."""
    text = state.from_address(slot)
    try:
        return parsed(text) if text else tuple(usual)
    except SettingsError as error:
        state.to_address(slot, None)
        page.show_error(error)
        return tuple(usual)


def put(slot: str, phases: Sequence[Phase]) -> None:
    """Write phases into the address."""
    state.to_address(slot, written(phases))


def painted() -> Phase:
    """The schedule that was painted last, or the one that painting begins with."""
    [phase] = current(PAINT, [PAINTED])[:1]
    return phase if phase.schedule == "painted" else PAINTED


def edit(phases: Sequence[Phase], place: int, *, slot: str, key: str, pick: bool = True) -> None:
    """The controls of one phase: its schedule where `pick`, its length, its rate and what its schedule can be told."""
    phase = phases[place]

    def control(field: str, value: Any) -> dict[str, Any]:
        name = f"{key}.{field}"
        forms.follow(name, value)
        return {"key": name, "on_change": _change, "args": (slot, tuple(phases), place, field, name)}

    if pick:
        st.selectbox("Schedule", list(SCHEDULES), format_func=title, **control("schedule", phase.schedule))
    left, right = st.columns([1, 1.35])
    left.number_input("Epochs", 1, EPOCHS_MAX, **control("epochs", phase.epochs))
    rates = sorted({*forms.RATES, phase.lr})
    right.select_slider("Highest rate", rates, format_func=rate, **control("lr", phase.lr))
    for field, usual in options_of(phase.schedule).items():
        if field not in VALUES:
            continue
        value = phase.options.get(field, usual)
        values = _with(VALUES[field], value)
        st.select_slider(OPTION_TITLES[field], values, format_func=_shown(field), **control(field, value))
    if phase.schedule == "painted" and slot != PAINT:
        page.note(read("schedules", "knots_elsewhere"))


def _with(values: Sequence[Any], value: Any) -> list[Any]:
    return list(values) if value in values else sorted([*values, value])


def _shown(field: str) -> Any:
    if field == "at":
        return lambda places: " and ".join(share(place) for place in places)
    return share if field == "pct_start" else lambda number: f"{number:,g}"


def _change(slot: str, phases: tuple[Phase, ...], place: int, field: str, key: str) -> None:
    """Take over what a control now holds."""
    phase, value = phases[place], st.session_state[key]
    if field == "schedule":
        options = dict(painted().options) if value == "painted" else {}
        phase = replace(phase, schedule=value, options=options)
    elif field in ("epochs", "lr"):
        phase = replace(phase, **{field: value})
    else:
        phase = replace(phase, options={**phase.options, field: value})
    put(slot, [*phases[:place], phase, *phases[place + 1 :]])
