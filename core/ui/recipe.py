"""How to train: a data set in; controls for the recipe, its knobs and where it starts; checked settings out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.data.table import Dataset
from core.errors import NotFound, SettingsError
from core.plots import style
from core.settings import Stage, TrainSettings
from core.text import read
from core.train.recipes import RECIPES, Recipe, preset
from core.train.starts import Start, find_start, starts_of
from core.ui import forms, page, recipe_address, recipe_choice, recipe_controls, run_rows, stage_form, state

FRESH = ""


@dataclass(frozen=True)
class Choice:
    """What was chosen. `settings` is None where something is wrong, and `problem` says what.

    `place` is where the button that starts it belongs: under what is always seen, above what is folded away.
    """

    settings: TrainSettings | None
    preset: str
    place: Any
    start: Start | None = None
    problem: str = ""


def choose(dataset: Dataset) -> Choice:
    """Draw the controls beside the plan."""
    start = _start_from(dataset)
    recipe_controls.begin()
    recipe_address.arrive(goes_on=start is not None)
    name = recipe_choice.recipe(goes_on=start is not None)
    choice = _own(start) if name == recipe_choice.OWN else _of(RECIPES[name], start)
    recipe_address.remember()
    return _checked(dataset, choice)


def _own(start: Start | None) -> Choice:
    """Stage after stage as somebody likes."""
    stages, problem = stage_form.edit()
    place = st.empty()
    with st.expander("More", key="train-more"):
        more = recipe_controls.run_settings(start)
    settings = None if problem else _with_stages(more, stages)
    return Choice(settings, recipe_choice.OWN, place, start, problem)


def _with_stages(settings: TrainSettings, stages: Sequence[Stage]) -> TrainSettings:
    return replace(settings, stages=tuple(stages))


def _of(found: Recipe, start: Start | None) -> Choice:
    """A recipe and its knobs. One that is broken has its epochs under More: five controls are enough."""
    page.note(read("train", f"preset_{found.name}"))
    counts = found.epochs is not None
    if counts and not found.broken:
        recipe_controls.epochs()
    recipe_controls.rate()
    if found.ratio is not None:
        recipe_controls.ratio()
    beside, place = st.empty(), st.empty()
    with st.expander("More", key="train-more"):
        forms.exact_rate()
        if counts:
            if found.broken:
                recipe_controls.epochs()
            recipe_controls.epochs_beyond()
        more = recipe_controls.run_settings(start)
    with beside.container():
        settings, problem = _made(found, more)
    return Choice(settings, found.name, place, start, problem)


def _made(found: Recipe, more: TrainSettings) -> tuple[TrainSettings | None, str]:
    """The settings of a recipe, with a word about what counts instead of a slider; or what is wrong with them."""
    held = recipe_controls.held()
    try:
        exact = forms.parsed_rate(held["exact"]) if held["exact"].strip() else None
        epochs = held["more_epochs"] or held["epochs"]
        made = preset(found.name, more, epochs=epochs, lr=exact or held["lr"], ratio=held["ratio"])
    except SettingsError as error:
        page.show_error(error)
        return None, page.say("train", "rate_wrong")
    if exact:
        page.note(page.say("train", "exact", rate=style.rate(exact)))
    if found.epochs is not None and held["more_epochs"] and not found.broken:
        page.note(page.say("train", "beyond", epochs=held["more_epochs"]))
    made = recipe_choice.with_low(made)
    recipe_choice.made(made)
    return made, ""


def _checked(dataset: Dataset, choice: Choice) -> Choice:
    """The choice, or what keeps it from being one."""
    start = choice.start
    if start is not None and start.classes != dataset.classes:
        known, has = ", ".join(start.classes), ", ".join(dataset.classes)
        problem = page.say("train", "other_classes", known=known, has=has)
        return replace(choice, settings=None, problem=problem)
    return choice


def _start_from(dataset: Dataset) -> Start | None:
    """A fresh model, or a checkpoint of this data set's runs."""
    found = {start.address: start for start in starts_of(state.workspace(), dataset.id, told=run_rows.events_of)}
    wanted = state.from_address("start") or FRESH
    if wanted and wanted not in found:
        try:
            start = find_start(state.workspace(), wanted)
            wanted = start.address
            found[wanted] = start
            state.to_address("start", wanted)
        except NotFound as error:
            state.to_address("start", None)
            page.show_error(error)
            wanted = FRESH
    if not found:
        return None
    forms.follow("train.from", wanted)
    chosen = st.selectbox(
        "Start from",
        [FRESH, *found],
        format_func=lambda address: _start_title(found.get(address)),
        key="train.from",
        on_change=lambda: state.to_address("start", st.session_state["train.from"] or None),
    )
    return found.get(chosen)


def _start_title(start: Start | None) -> str:
    return "A fresh model" if start is None else start.title


def begins(choice: Choice) -> dict[str, str] | None:
    """The checkpoint that the run goes on from, as its request names it."""
    return {"run": choice.start.run, "file": choice.start.file} if choice.start else None
