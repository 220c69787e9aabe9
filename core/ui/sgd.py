"""The parts of the descent's page: one descent, three rates, a range test and one cycle. PARTS is the only list."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import streamlit as st

from core.sgd.address import write_setup
from core.sgd.setup import Setup
from core.text import read
from core.ui import cache, choices, descent, descents, page, sgd_address, sgd_controls, state

COMMON = (
    "alt_whole", "alt_bowl", "alt_loss", "player", "play", "play_calm", "pause", "step_back", "step_on", "reset",
    "scrub", "speed", "steps_a_second", "of", "out_of_picture", "off_scale", "panel_bowl", "panel_loss", "axis",
    "axis_updates", "axis_epochs", "axis_samples", "axis_seconds", "axis_loss", "axis_rate", "axis_rate_y",
    "limit_short", "of_all", "of_batch", "suggested_short",
)  # fmt: skip
ONE = (
    "alt_points", "panel_points", "guess_ask", "guess_converge", "guess_crawl", "guess_zigzag", "guess_diverge",
    "guess_right", "guess_missed", "guess_score", "guess_late", "view_squares", "view_batch", "view_squares_help",
    "view_batch_help", "keep", "keep_none", "keep_help", "keep_none_help", "number_step", "number_a1", "number_a2",
    "number_loss", "number_slope",
)  # fmt: skip
THREE = ("rate_too_low", "rate_good", "rate_too_high")
TEST = ("panel_loss_plain", "panel_range", "panel_rate", "panel_path", "alt_range", "alt_rate")
Controls = Callable[[Setup, float], None]


@dataclass(frozen=True)
class Part:
    """One part: its controls, the function that walks its paths, and the words its figures need."""

    walk: Callable[[Setup], descents.Data]
    controls: Controls
    words: Sequence[str]


def _in_row(setup: Setup, limit: float, *, top: str = "Learning rate") -> None:
    cells = st.columns([2.3, 1.3, 1.15, 1.15, 0.9], gap="medium", vertical_alignment="top")
    with cells[0]:
        sgd_controls.rate(setup, limit, label=top)
    for cell, control in zip(cells[1:4], (sgd_controls.batch, sgd_controls.rule, sgd_controls.momentum), strict=True):
        with cell:
            control(setup)
    with cells[4], st.container(key="sgd-more"):
        sgd_controls.more(setup)


def _three_rates(setup: Setup, limit: float) -> None:
    cells = st.columns([1, 1, 1, 0.5], gap="medium", vertical_alignment="top")
    for cell, field, tone in zip(cells, ("low", "rate", "high"), descents.TONES, strict=False):
        with cell:
            sgd_controls.rate(setup, limit, field=field, label=read("sgd", f"rate_{tone}"))
    with cells[3], st.container(key="sgd-more"):
        sgd_controls.more(setup, sgd_controls.batch, sgd_controls.rule, sgd_controls.momentum)


PARTS: Mapping[str, Part] = {
    "one": Part(descents.one_descent, _in_row, ONE),
    "three": Part(descents.three_rates, _three_rates, THREE),
    "test": Part(descents.range_and_cycle, partial(_in_row, top="Top of the cycle"), TEST),
}


def show() -> None:
    """The choice of part and of a set-up, the controls, the moving picture and where to go from it."""
    with st.container(key="sgd-ways", horizontal=True, horizontal_alignment="distribute"):
        titles = {name: read("sgd", f"part_{name}") for name in PARTS}
        name = choices.switch(titles, slot="figure", key="sgd.figure", default="one")
        place = st.container(key="sgd-presets", width="content")
    setup, view = sgd_address.current(), sgd_address.view()
    with place:
        sgd_controls.presets(setup)
    part = PARTS[name]
    with st.container(key="sgd-main"):
        with st.container(key="sgd-controls"):
            part.controls(setup, descents.limit(setup))
        with st.container(key="sgd-picture"), page.boundary():
            descent.show(_picture(name, setup, view), key=f"sgd.picture.{name}", said=_said(setup))
    if name == "test":
        _suggestion(setup)
    page.challenge("sgd", "try" if name == "one" else f"try_{name}")
    _ways_on()


def _picture(name: str, setup: Setup, view: sgd_address.View) -> dict[str, Any]:
    """The paths of a set-up, walked once, with how they are to look."""
    part = PARTS[name]
    walked = _walked(name, setup)
    look, dark = page.current_look(), state.theme() == "dark"
    return {
        **walked,
        "id": _name_of(name, setup),
        "start": list(setup.start),
        "view": asdict(view),
        "look": descent.colours(look, dark=dark),
        "words": descents.sayings((*COMMON, *part.words)),
    }


def _walked(name: str, setup: Setup) -> descents.Data:
    found: descents.Data = cache.descents().get((name, setup), lambda: PARTS[name].walk(setup))
    return found


def _name_of(part: str, setup: Setup) -> str:
    return "&".join([part, *(f"{name}={value}" for name, value in write_setup(setup).items())])


def _said(setup: Setup) -> descent.Said:
    points = descents.pairs(setup)
    return descent.Said(
        start=sgd_address.take_start,
        edit=lambda sent: sgd_address.take_edit(points, sent),
        view=sgd_address.take_view,
    )


def _suggestion(setup: Setup) -> None:
    """What the range test says, and the limit it should keep below."""
    found = _walked("test", setup)
    whose = "limit_points" if setup.rule == "sgd" else "limit_plain"
    limit = page.say("sgd", whose, limit=descents.rate_words(found["limit"]))
    if found["suggested"] is None:
        page.see(page.say("sgd", "no_suggestion", limit=limit, why=found["runs"][2]["why"]), "attention")
    else:
        page.see(page.say("sgd", "suggestion", limit=limit, rate=descents.rate_words(found["suggested"])))


def _ways_on() -> None:
    """The same on a model of the student's own: its range test, and its loss surface."""
    with st.container(horizontal=True, key="sgd-on"):
        page.next_step(read("sgd", "on_finder"), "lr_finder", key="sgd.finder", kind="secondary")
        page.next_step(read("sgd", "on_surface"), "where_it_looks", key="sgd.surface", kind="secondary", show="valley")
