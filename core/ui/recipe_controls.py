"""The controls of a recipe, one by one: what each holds at first and what it may hold, and the control itself.

Values lie in the session under "train.<name>"; `begin` puts there what nobody has chosen yet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from core.errors import SettingsError
from core.plots import style
from core.settings import PRECISIONS, TrainSettings
from core.text import read
from core.train.recipes import FROZEN_RATE, RECIPES
from core.train.starts import Start
from core.ui import forms, page

EPOCHS_ON_SLIDER, EPOCHS_MAX = 20, 1000
PRECISION_TITLES = {"auto": "the fastest that is safe", "float32": "32 bits", "bfloat16": "16 bits (mixed)"}
RATIOS = {10.0: "ordinary photos", 3.0: "medical, satellite"}
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Control:
    """What a control holds when nobody has touched it, and whether it may hold a value."""

    usual: Any
    fits: Callable[[Any], bool]


def _one_of(allowed: Collection[Any]) -> Callable[[Any], bool]:
    return lambda value: not isinstance(value, (bool, list, dict)) and value in allowed


def _whole(least: int, most: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _number(most: float) -> Callable[[Any], bool]:
    return lambda value: type(value) in (int, float) and math.isfinite(value) and 0 <= value <= most


CONTROLS: Mapping[str, Control] = {
    "epochs": Control(4, _whole(1, EPOCHS_ON_SLIDER)),
    "more_epochs": Control(0, _whole(0, EPOCHS_MAX)),
    "lr": Control(FROZEN_RATE, _one_of(forms.RATES)),
    "exact": Control("", lambda value: isinstance(value, str) and len(value) <= forms.RATE_CHARS),
    "ratio": Control(10.0, _one_of(RATIOS)),
    "backbone": Control("lite0", _one_of(forms.BACKBONES)),
    "weights": Control("pretrained", _one_of(forms.WEIGHTS)),
    "image_size": Control(224, _one_of(forms.IMAGE_SIZES)),
    "batch_size": Control(64, _one_of(forms.BATCH_SIZES)),
    "decay": Control(0.01, _number(0.99)),
    "dropout": Control(0.5, _number(0.95)),
    "precision": Control("auto", _one_of(PRECISIONS)),
    "seed": Control(42, _whole(0, 2**32 - 1)),
    "share": Control(1.0, _one_of(SHARES)),
    "patience": Control(0, _whole(0, 1000)),
    "keep_best": Control(False, lambda value: isinstance(value, bool)),
}
RUN_FIELDS: Mapping[str, str] = {  # what a recipe may decide for a whole run, and the control that shows it
    "weights": "weights",
    "image_size": "image_size",
    "weight_decay": "decay",
    "dropout": "dropout",
    "train_share": "share",
}


def begin() -> None:
    """Give every control that has no value its usual one."""
    for name, control in CONTROLS.items():
        st.session_state.setdefault(f"train.{name}", control.usual)


def put(values: Mapping[str, Any]) -> None:
    """Set controls that are drawn after this."""
    for name, value in values.items():
        st.session_state[f"train.{name}"] = value


def held() -> dict[str, Any]:
    """What every control holds."""
    return {name: st.session_state.get(f"train.{name}", control.usual) for name, control in CONTROLS.items()}


def usual(name: str, *, lr: float | None = None) -> dict[str, Any]:
    """Epochs and rate with which a recipe begins, as its controls show them; `lr` replaces its own rate."""
    found = RECIPES[name]
    values = forms.rate_controls(found.lr if lr is None else lr)
    if found.epochs is not None:
        values["epochs"] = min(EPOCHS_ON_SLIDER, found.epochs)
        values["more_epochs"] = found.epochs if found.epochs > EPOCHS_ON_SLIDER else 0
    return values


def epochs() -> None:
    """How long: a slider for what a lesson needs."""
    st.slider("Epochs", 1, EPOCHS_ON_SLIDER, key="train.epochs", persist_state="session")


def epochs_beyond() -> None:
    """More epochs than the slider has."""
    st.number_input(
        f"Epochs beyond {EPOCHS_ON_SLIDER}", 0, EPOCHS_MAX, key="train.more_epochs", persist_state="session"
    )


def rate() -> None:
    """The rate, in steps of about three."""
    st.select_slider("Learning rate", forms.RATES, format_func=style.rate, key="train.lr", persist_state="session")


def ratio() -> None:
    """How far the rates of neighbouring layer groups lie apart, by what the pictures are."""
    st.segmented_control(
        "Pictures", list(RATIOS), format_func=RATIOS.get, key="train.ratio", persist_state="session", required=True,
        help=read("train", "ratio"),
    )  # fmt: skip


def run_settings(start: Start | None) -> TrainSettings:
    """What most people never touch. The network is that of a checkpoint where the run goes on from one."""
    network = {"backbone": start.backbone} if start else _network()
    if start is not None:
        page.note(page.say("train", "network_fixed", network=forms.BACKBONES[start.backbone].split(",")[0]))
    values = _numbers()
    try:
        return TrainSettings(**network, **values)
    except SettingsError as error:
        page.show_error(error)
        return TrainSettings(**network)


def _numbers() -> dict[str, Any]:
    left, right = st.columns(2)
    kept: Mapping[str, Any] = {"persist_state": "session"}
    return {
        "image_size": left.select_slider("Image size (pixels)", forms.IMAGE_SIZES, key="train.image_size", **kept),
        "batch_size": right.select_slider("Batch size (pictures)", forms.BATCH_SIZES, key="train.batch_size", **kept),
        "weight_decay": left.number_input("Weight decay", 0.0, 0.99, step=0.01, key="train.decay", format="%g", **kept),
        "dropout": right.number_input("Dropout", 0.0, 0.95, step=0.1, key="train.dropout", format="%g", **kept),
        "precision": left.selectbox(
            "Numbers", PRECISIONS, format_func=PRECISION_TITLES.get, key="train.precision", **kept
        ),
        "seed": int(right.number_input("Seed", 0, 2**32 - 1, key="train.seed", **kept)),
        "train_share": left.select_slider(
            "Share of the pictures", SHARES, format_func=style.share, key="train.share", **kept
        ),
        "patience": int(
            right.number_input(
                "Stop early after (epochs)", 0, 1000, key="train.patience", help=read("train", "patience"), **kept
            )
        ),
        "keep_best": st.toggle(
            "End each stage with its best epoch", key="train.keep_best", help=read("train", "keep_best"), **kept
        ),
    }


def _network() -> dict[str, str]:
    kept: Mapping[str, Any] = {"persist_state": "session"}
    chosen = {
        "backbone": st.selectbox(
            "Network", list(forms.BACKBONES), format_func=forms.BACKBONES.get, key="train.backbone", **kept
        ),
        "weights": st.selectbox(
            "Weights", list(forms.WEIGHTS), format_func=forms.WEIGHTS.get, key="train.weights", **kept
        ),
    }
    if chosen["backbone"] != "lite0" or chosen["weights"] == "random":
        page.note(read("train", f"weights_{chosen['weights']}"))
    return chosen
