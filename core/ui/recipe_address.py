"""What the form says, in the page's address: a refresh, a second tab or a link finds the same recipe.

`preset` names the recipe. `form` holds what differs from its usual values, and own stages, as JSON in letters that an
address may carry. `rate` and `low` come from pages that found them; they are taken into the controls once.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import streamlit as st

from core.errors import SettingsError
from core.settings import STAGES_MAX, Stage, stage_from_record
from core.train.recipes import RECIPES, UNFROZEN_SHARE
from core.train.schedules import check_options
from core.ui import forms, recipe_controls, stage_form, state
from core.ui.recipe_choice import LENT, OWN, chosen, select
from core.ui.recipe_controls import CONTROLS

PRESET, FORM = "preset", "form"
FORM_CHARS = 8_000  # far more than twenty stages take
_USUAL_STAGE = asdict(Stage())


def arrive(*, goes_on: bool) -> None:
    """Take over what the address says, where that is not what this session wrote there itself."""
    st.query_params.pop("again", None)
    wanted = st.query_params.get(PRESET)
    if wanted and wanted != state.get(PRESET) and (wanted == OWN or wanted in RECIPES):
        if wanted != "mistakes" or goes_on:
            select(wanted)
    said = st.query_params.get(FORM)
    if said and said != state.get(FORM):
        _take_over(unpacked(said))
    rate, low = (_number(st.query_params.pop(name, None)) for name in ("rate", "low"))
    if rate is not None and low is not None:
        _take_slice(min(low, rate), rate, goes_on)
    elif rate is not None:
        state.put("train.picked", rate)
        recipe_controls.put(forms.rate_controls(rate))


def remember() -> None:
    """Write what the controls hold into the address."""
    name = chosen()
    usual = {key: control.usual for key, control in CONTROLS.items()}
    if name in RECIPES:
        usual |= recipe_controls.usual(name)
    said = {key: value for key, value in recipe_controls.held().items() if value != usual[key]}
    if name == OWN:
        said = {key: value for key, value in said.items() if key not in ("epochs", "more_epochs", "lr", "exact")}
        if state.get(LENT):
            said["lent"] = state.get(LENT)
        said["stages"] = [_short(record) for record in state.get(stage_form.SLOT) or ()]
    elif state.get("train.low") is not None:
        said["low"] = state.get("train.low")
    state.to_address(PRESET, name)
    state.to_address(FORM, packed(said) if said else None)


def forget() -> None:
    """Take the form out of the address: from now on it names a run."""
    for name in (PRESET, FORM):
        state.to_address(name, None)


def packed(values: Mapping[str, Any]) -> str:
    """Plain values as letters for an address."""
    return base64.urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def unpacked(text: str) -> dict[str, Any]:
    """Inverse of `packed`; nothing for what is no such text, whoever wrote it."""
    if len(text) > FORM_CHARS:
        return {}
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _take_over(said: Mapping[str, Any]) -> None:
    """Put what an address says into the controls; what none of them may hold is passed over."""
    recipe_controls.put(_fitting(said))
    state.put(LENT, _fitting(said["lent"]) if isinstance(said.get("lent"), dict) else None)
    state.put("train.low", _number(said.get("low")))
    stages = _stages(said.get("stages"))
    if stages:
        stage_form.take_apart(stages)


def _fitting(said: Mapping[str, Any]) -> dict[str, Any]:
    fitting = {key: control for key, control in CONTROLS.items() if key in said and control.fits(said[key])}
    return {key: type(control.usual)(said[key]) for key, control in fitting.items()}


def _stages(records: Any) -> Sequence[Stage]:
    """Stages out of an address; none where one of them cannot be shown by the form."""
    if not isinstance(records, list) or len(records) > STAGES_MAX:
        return ()
    try:
        stages = [stage_from_record({**_USUAL_STAGE, **record}) for record in records]
        for stage in stages:
            check_options(stage.schedule, stage.options)
    except (SettingsError, TypeError):
        return ()
    return stages if all(stage_form.shows(stage) for stage in stages) else ()


def _short(record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name in _USUAL_STAGE and value != _USUAL_STAGE[name]}


def _take_slice(low: float, high: float, goes_on: bool) -> None:
    """A slice for all layers: after a checkpoint one stage of it, else the standard recipe's second one."""
    if goes_on:
        stage_form.take_apart((Stage(lr=(low, high), freeze_to=0, augment="photos"),))
        select(OWN)
        return
    select("standard")
    recipe_controls.put(forms.rate_controls(UNFROZEN_SHARE * high))
    state.put("train.low", low)


def _number(value: Any) -> float | None:
    try:
        number = float(value) if value else math.nan
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and number > 0 else None
