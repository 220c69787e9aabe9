"""The set-up of the descent in the page's address: read, validated and written there; so is what is shown of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import streamlit as st

from core.errors import LabError, SettingsError
from core.sgd import setup as setups
from core.sgd.address import PARAMETERS, read_setup, write_setup
from core.sgd.setup import Setup
from core.text import read
from core.train.schedules import SCHEDULES
from core.ui import page, state

AXES = ("updates", "epochs", "samples", "seconds")
SHOWN = ("squares", "batch")
VIEW = ("x", "show")
SLOT = "sgd.link"
SENTENCES = 2  # about what cannot be read in a link, before the rest is only counted


@dataclass(frozen=True)
class View:
    """What the figures show: the axis of the loss, the squared errors as areas, the batch's own bowl."""

    axis: str = "updates"
    squares: bool = False
    batch: bool = True


def current() -> Setup:
    """The set-up of the address; for every value there that cannot be, a sentence stands on the page."""
    setup, faults = read_setup(_said(), tuple(SCHEDULES))
    for fault in faults[:SENTENCES]:
        page.show_error(fault)
    if len(faults) > SENTENCES:
        page.show_error(SettingsError(read("sgd", "faults_more").format(count=len(faults) - SENTENCES)))
    write(setup)
    return setup


def _said() -> dict[str, str]:
    """What the address says of a set-up; where it says nothing, what this session had before it went elsewhere."""
    said = {name: st.query_params[name] for name in PARAMETERS if name in st.query_params}
    return said or dict(state.get(SLOT) or {})


def write(setup: Setup) -> None:
    """Put a set-up into the address: what differs from the usual, and nothing else."""
    said = write_setup(setup)
    state.put(SLOT, said)
    for name in PARAMETERS:
        _put(name, said.get(name))


def _put(name: str, value: str | None) -> None:
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def change(**fields: Any) -> None:
    """Another value for some fields."""
    with page.boundary():
        write(replace(quiet(), **fields))


def quiet() -> Setup:
    """The set-up of the address, without a word about what cannot be read there."""
    return read_setup(_said(), tuple(SCHEDULES))[0]


def view() -> View:
    """What is shown; an address that asks for something else gets a sentence and the usual."""
    axis, shown = st.query_params.get("x", "updates"), st.query_params.get("show")
    parts = set(() if shown in (None, "none") else str(shown).split(","))
    wrong = axis not in AXES, not parts <= set(SHOWN)
    for name, bad, allowed in zip(VIEW, wrong, (AXES, (*SHOWN, "none")), strict=True):
        if bad:
            text = st.query_params.pop(name)[:40]
            page.show_error(
                SettingsError(f"In the link, {name}: {text!r} cannot be used.", hint=f"Allowed: {', '.join(allowed)}.")
            )
    usual = View()
    return View(
        axis=usual.axis if wrong[0] else axis,
        squares="squares" in parts and not wrong[1],
        batch=usual.batch if shown is None or wrong[1] else "batch" in parts,
    )


# --- what the browser sends; none of it is trusted


def take_start(sent: Any) -> None:
    """A place on the contour that was clicked."""
    with page.boundary():
        a1, a2 = _numbers(sent, "a1", "a2")
        change(start=(float(f"{a1:.3g}"), float(f"{a2:.3g}")))


def take_edit(points: list[setups.Pair], sent: Any) -> None:
    """A point that was moved, added or deleted among those on the screen."""
    with page.boundary():
        setup, kind = quiet(), sent.get("kind") if isinstance(sent, Mapping) else None
        if kind == "add":
            write(setups.added(setup, points, _numbers(sent, "x", "y")))
        elif kind == "move":
            write(setups.moved(setup, points, _index(sent), _numbers(sent, "x", "y")))
        elif kind == "delete":
            write(setups.deleted(setup, points, _index(sent)))


def take_view(sent: Any) -> None:
    """What the student wants to see."""
    if not isinstance(sent, Mapping) or sent.get("axis") not in AXES:
        return
    asked = View(str(sent["axis"]), sent.get("squares") is True, sent.get("batch") is True)
    shown = ",".join(name for name in SHOWN if asdict(asked)[name]) or "none"
    _put("x", None if asked.axis == View().axis else asked.axis)
    _put("show", None if shown == "batch" else shown)


def _numbers(sent: Any, *names: str) -> setups.Pair:
    values = [sent.get(name) if isinstance(sent, Mapping) else None for name in names]
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values):
        raise _unknown(sent)
    return (float(values[0]), float(values[1]))  # type: ignore[arg-type]


def _index(sent: Mapping[str, Any]) -> int:
    if not isinstance(sent.get("index"), int):
        raise _unknown(sent)
    return int(sent["index"])


def _unknown(sent: Any) -> LabError:
    return SettingsError(f"{str(sent)[:40]!r} is no place in the picture.", hint="Click or drag inside it.")
