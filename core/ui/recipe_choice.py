"""Which recipe: one of those there are, one that goes wrong on purpose, or own stages; its name out.

Another recipe begins with its own epochs and rate; own stages begin as those of the recipe before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from core.settings import TrainSettings, from_record, to_record
from core.train.recipes import RECIPES, preset
from core.ui import recipe_controls, stage_form, state

OWN, BREAK = "own", "break"
FIRST = "quick"
BROKEN: Sequence[str] = tuple(name for name, found in RECIPES.items() if found.broken)
PREFIX = "Break it: "
LENT = "train.lent"  # what controls held before own stages took over what their recipe decides
_MADE = "train.made"


def recipe(*, goes_on: bool) -> str:
    """Choose a recipe. With `goes_on` a checkpoint is there to learn from its mistakes."""
    names = [name for name in RECIPES if not RECIPES[name].broken and (name != "mistakes" or goes_on)]
    if st.session_state.get("train.preset") not in (*names, BREAK, OWN):
        select(FIRST)
    st.session_state.setdefault("train.broken", BROKEN[0])
    titles = {**{name: RECIPES[name].title for name in names}, BREAK: "Break it", OWN: "Own stages"}
    st.selectbox(
        "Recipe", list(titles), format_func=titles.get, key="train.preset", persist_state="session",
        on_change=_changed,
    )  # fmt: skip
    if st.session_state["train.preset"] == BREAK:
        st.pills(
            "What goes wrong", BROKEN, format_func=lambda name: RECIPES[name].title.removeprefix(PREFIX),
            key="train.broken", persist_state="session", required=True, wrap=True, on_change=_changed,
        )  # fmt: skip
    return chosen()


def chosen() -> str:
    """The name of the recipe that the controls show."""
    name = st.session_state.get("train.preset", FIRST)
    return st.session_state["train.broken"] if name == BREAK else name


def select(name: str) -> None:
    """Let the controls show a recipe, with its own epochs and rate."""
    broken = name in BROKEN
    st.session_state["train.preset"] = BREAK if broken else name
    if broken:
        st.session_state["train.broken"] = name
    if name in RECIPES:
        _take_defaults(name)


def made(settings: TrainSettings) -> None:
    """Remember what the controls of a recipe make, for whoever takes it apart."""
    state.put(_MADE, to_record(settings))


def _changed() -> None:
    st.session_state.setdefault("train.broken", BROKEN[0])
    if chosen() == OWN:
        _take_apart()
        return
    recipe_controls.put(state.get(LENT, {}))
    state.put(LENT, None)
    state.put("train.low", None)
    _take_defaults(chosen())


def _take_apart() -> None:
    """Own stages like those before, down to a typed rate. What a recipe decides for the whole run shows under More."""
    before = from_record(state.get(_MADE)) if state.get(_MADE) else preset(FIRST)
    stage_form.take_apart(before.stages)
    held = recipe_controls.held()
    values = {control: getattr(before, field) for field, control in recipe_controls.RUN_FIELDS.items()}
    lent = {control: held[control] for control, value in values.items() if held[control] != value}
    recipe_controls.put({control: values[control] for control in lent})
    state.put(LENT, lent)


def _take_defaults(name: str) -> None:
    picked = state.get("train.picked")  # the rate that was read off one's own curve outlives a change of the recipe
    recipe_controls.put(recipe_controls.usual(name, lr=None if RECIPES[name].broken else picked))


def with_low(settings: TrainSettings) -> TrainSettings:
    """The low end that the finder's page gave, in the stages that would look for one."""
    low = state.get("train.low")
    if low is None:
        return settings
    stages = tuple(
        replace(stage, lr=(min(low, stage.lr_max), stage.lr_max), find_lr=False) if stage.find_lr else stage
        for stage in settings.stages
    )
    return replace(settings, stages=stages)
