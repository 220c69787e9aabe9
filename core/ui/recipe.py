"""How to train: a data set in; controls for the recipe, its knobs and where it starts; checked settings out.

What stands in the page's address (rate, low, preset, start) is taken into the controls once, when it arrives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from core.data.table import Dataset
from core.errors import NotFound, SettingsError
from core.plots import style
from core.settings import PRECISIONS, Stage, TrainSettings
from core.text import read
from core.train.recipes import RECIPES, UNFROZEN_SHARE, preset
from core.train.starts import Start, find_start, starts_of
from core.ui import forms, page, run_rows, stage_form, state

OWN, FRESH = "own", ""
EPOCHS_ON_SLIDER = 20
PRECISION_TITLES = {"auto": "the fastest that is safe", "float32": "32 bits", "bfloat16": "16 bits (mixed)"}


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
    _arrive(start is not None)
    name = _recipe(start is not None)
    if name == OWN:
        stages, problem = stage_form.edit()
        place = st.empty()
        with st.expander("More", key="train-more"):
            more = _settings(start)
        return _checked(dataset, Choice(more, name, place, start), stages=stages, problem=problem)
    found = RECIPES[name]
    page.note(read("train", f"preset_{name}"))
    epochs = None
    if found.epochs is not None:
        st.session_state.setdefault("train.epochs", min(EPOCHS_ON_SLIDER, found.epochs))
        epochs = st.slider("Epochs", 1, EPOCHS_ON_SLIDER, key="train.epochs", persist_state="session")
    st.session_state.setdefault("train.lr", 3e-3)
    lr = st.select_slider("Learning rate", forms.RATES, format_func=style.rate, key="train.lr", persist_state="session")
    ratio = _ratio() if found.ratio is not None else None
    beside, place = st.empty(), st.empty()
    with st.expander("More", key="train-more"):
        exact = forms.exact_rate()
        more_epochs = _epochs_beyond() if found.epochs is not None else 0
        more = _settings(start)
    if exact:
        beside.html(f'<p class="note">{page.say("train", "exact", rate=style.rate(exact))}</p>')
    made = preset(name, more, epochs=more_epochs or epochs, lr=exact or lr, ratio=ratio)
    return _checked(dataset, Choice(_with_low(made), name, place, start))


def _checked(dataset: Dataset, choice: Choice, *, stages: Sequence[Stage] | None = None, problem: str = "") -> Choice:
    """The choice, or what keeps it from being one."""
    start = choice.start
    if start is not None and start.classes != dataset.classes:
        known, has = ", ".join(start.classes), ", ".join(dataset.classes)
        problem = page.say("train", "other_classes", known=known, has=has)
    if problem:
        return replace(choice, settings=None, problem=problem)
    if stages is not None:
        return replace(choice, settings=replace(choice.settings, stages=tuple(stages)))
    return choice


def _arrive(goes_on: bool) -> None:
    """Take over what came with the address, and take it out of the address: from now on the controls count."""
    wanted = st.query_params.pop("preset", None)
    if wanted in RECIPES and (wanted != "mistakes" or goes_on):
        st.session_state["train.preset"] = wanted
        _take_defaults(wanted)
    st.query_params.pop("again", None)
    rate, low = (_number(st.query_params.pop(name, None)) for name in ("rate", "low"))
    if rate is not None and low is not None:
        _take_slice(min(low, rate), rate, goes_on)
    elif rate is not None:
        state.put("train.picked", rate)
        forms.set_rate(rate)


def _take_slice(low: float, high: float, goes_on: bool) -> None:
    """A slice for all layers: after a checkpoint one stage of it, else the standard recipe's second one."""
    if goes_on:
        stage_form.take_apart((Stage(lr=(low, high), freeze_to=0, augment="photos"),))
        st.session_state["train.preset"] = OWN
        return
    if st.session_state.get("train.preset") != "standard":
        st.session_state["train.preset"] = "standard"
        _take_defaults("standard")
    forms.set_rate(UNFROZEN_SHARE * high)
    state.put("train.low", low)


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text else math.nan
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _with_low(settings: TrainSettings) -> TrainSettings:
    """The low end that the finder's page gave, in the stages that would look for one."""
    low = state.get("train.low")
    if low is None:
        return settings
    stages = tuple(
        replace(stage, lr=(min(low, stage.lr_max), stage.lr_max), find_lr=False) if stage.find_lr else stage
        for stage in settings.stages
    )
    return replace(settings, stages=stages)


def _start_from(dataset: Dataset) -> Start | None:
    """A fresh model, or a checkpoint of this data set's runs."""
    found = {start.address: start for start in starts_of(state.workspace(), dataset.id, told=run_rows.events_of)}
    wanted = state.from_address("start") or FRESH
    if wanted and wanted not in found:
        try:
            found[wanted] = find_start(state.workspace(), wanted)
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


def _recipe(goes_on: bool) -> str:
    names = [name for name in RECIPES if name != "mistakes" or goes_on]
    if st.session_state.get("train.preset") not in (*names, OWN):
        st.session_state["train.preset"] = "quick"
    return st.selectbox(
        "Recipe",
        [*names, OWN],
        format_func=lambda name: RECIPES[name].title if name in RECIPES else "Own stages",
        key="train.preset",
        persist_state="session",
        on_change=_changed,
    )


def _changed() -> None:
    """Another recipe begins with its own epochs and rate; own stages begin as those of the recipe before."""
    now = st.session_state["train.preset"]
    if now == OWN:
        before = state.get("recipe", "quick")
        epochs, lr = st.session_state.get("train.epochs"), st.session_state.get("train.lr")
        stage_form.take_apart(_with_low(preset(before, epochs=epochs, lr=lr)).stages)
        return
    _take_defaults(now)
    state.put("train.low", None)


def _take_defaults(name: str) -> None:
    found = RECIPES[name]
    state.put("recipe", name)
    picked = state.get("train.picked")  # the rate that was read off one's own curve outlives a change of the recipe
    forms.set_rate(found.lr if found.broken or picked is None else picked)
    if found.epochs is not None:
        st.session_state["train.epochs"] = min(EPOCHS_ON_SLIDER, found.epochs)
        st.session_state["train.more_epochs"] = found.epochs if found.epochs > EPOCHS_ON_SLIDER else 0


def _ratio() -> float:
    return st.segmented_control(
        "Pictures",
        [10.0, 3.0],
        format_func={10.0: "ordinary photos", 3.0: "medical, satellite"}.get,
        default=10.0,
        key="train.ratio",
        persist_state="session",
        required=True,
        help=read("train", "ratio"),
    )


def _epochs_beyond() -> int:
    st.session_state.setdefault("train.more_epochs", 0)
    return int(
        st.number_input(f"Epochs beyond {EPOCHS_ON_SLIDER}", 0, 1000, key="train.more_epochs", persist_state="session")
    )


def _settings(start: Start | None) -> TrainSettings:
    """What most people never touch."""
    if start is not None:
        page.note(page.say("train", "network_fixed", network=forms.BACKBONES[start.backbone].split(",")[0]))
        network = {"backbone": start.backbone}
    else:
        network = _network()
    left, right = st.columns(2)
    values = {
        "image_size": left.select_slider(
            "Image size (pixels)", forms.IMAGE_SIZES, 224, key="train.image_size", persist_state="session"
        ),
        "batch_size": right.select_slider(
            "Batch size (pictures)", forms.BATCH_SIZES, 64, key="train.batch_size", persist_state="session"
        ),
        "weight_decay": left.number_input(
            "Weight decay", 0.0, 0.99, 0.01, 0.01, key="train.decay", persist_state="session", format="%g"
        ),
        "dropout": right.number_input(
            "Dropout", 0.0, 0.95, 0.5, 0.1, key="train.dropout", persist_state="session", format="%g"
        ),
        "precision": left.selectbox(
            "Numbers", PRECISIONS, format_func=PRECISION_TITLES.get, key="train.precision", persist_state="session"
        ),
        "seed": int(right.number_input("Seed", 0, 2**32 - 1, 42, key="train.seed", persist_state="session")),
        "train_share": left.select_slider(
            "Share of the pictures", (0.1, 0.25, 0.5, 0.75, 1.0), 1.0, format_func=style.share, key="train.share",
            persist_state="session",
        ),
        "patience": int(
            right.number_input(
                "Stop early after (epochs)", 0, 1000, 0, key="train.patience", persist_state="session",
                help=read("train", "patience"),
            )
        ),
        "keep_best": st.toggle(
            "End each stage with its best epoch", key="train.keep_best", persist_state="session",
            help=read("train", "keep_best"),
        ),
    }  # fmt: skip
    try:
        return TrainSettings(**network, **values)
    except SettingsError as error:
        page.show_error(error)
        return TrainSettings(**network)


def _network() -> dict[str, str]:
    chosen = {
        "backbone": st.selectbox(
            "Network", list(forms.BACKBONES), format_func=forms.BACKBONES.get, key="train.backbone",
            persist_state="session",
        ),
        "weights": st.selectbox(
            "Weights", list(forms.WEIGHTS), format_func=forms.WEIGHTS.get, key="train.weights",
            persist_state="session",
        ),
    }  # fmt: skip
    if chosen["backbone"] != "lite0" or chosen["weights"] == "random":
        page.note(read("train", f"weights_{chosen['weights']}"))
    return chosen


def begins(choice: Choice) -> dict[str, str] | None:
    """The checkpoint that the run goes on from, as its request names it."""
    return {"run": choice.start.run, "file": choice.start.file} if choice.start else None
