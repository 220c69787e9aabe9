"""Controls: a page's widgets in, plain values and checked settings out.

At most five controls stand beside a figure; what most people never touch lies under "More".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data.table import Dataset
from core.errors import SettingsError
from core.plots import style
from core.settings import ImportSettings, TrainSettings
from core.text import read
from core.train.recipes import RECIPES, preset
from core.ui import page, state
from core.ui.models import Model

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
PRESET_TITLES = {name: found.title for name, found in RECIPES.items()}
BATCH_SIZES = (8, 16, 32, 64, 128, 256)
IMAGE_SIZES = (64, 96, 128, 160, 192, 224, 288)
BACKBONES = {
    "lite0": "EfficientNet Lite0, comes with Bearings",
    "resnet18": "ResNet-18, 47 MB to download once",
    "resnet34": "ResNet-34, 87 MB to download once",
    "resnet50": "ResNet-50, 103 MB to download once",
    "resnext50": "ResNeXt-50, 100 MB to download once",
}
WEIGHTS = {"pretrained": "what ImageNet taught it", "random": "random weights"}
PICTURE_MAX_MB = 20
SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8)
SPLITS = (0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)


def dataset(datasets: list[Dataset], current: Dataset, *, key: str) -> Dataset:
    """Choose one of the data sets; the choice is remembered on every page."""
    by_id = {found.id: found for found in datasets}
    _follow(key, current.id)

    def remember() -> None:
        # a browser that shows an old name or number of classes sends that line of text instead of a data set
        if st.session_state[key] in by_id:
            state.to_address("dataset", st.session_state[key])

    chosen = st.selectbox(
        "Data set",
        list(by_id),
        format_func=lambda found: f"{by_id[found].name} · {_classes(by_id[found])}",
        key=key,
        on_change=remember,
    )
    return by_id.get(chosen, current)


def _classes(dataset: Dataset) -> str:
    count = len({*dataset.classes, *dataset.empty})
    return "1 class" if count == 1 else f"{count} classes"


def model(found: list[Model], current: Model) -> Model:
    """Choose one of the models; the choice stands in the page's address."""
    by_id = {choice.id: choice for choice in found}
    _follow("predict.model", current.id)
    chosen = st.selectbox(
        "Model",
        list(by_id),
        format_func=lambda wanted: by_id[wanted].title,
        key="predict.model",
        on_change=lambda: state.to_address("model", st.session_state["predict.model"]),
    )
    return by_id[chosen]


def _follow(key: str, value: str) -> None:
    """Let a widget show what the address or a slot says, also when that changed elsewhere."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def training() -> tuple[TrainSettings, str]:
    """Settings of a run, and the preset's name."""
    name = st.segmented_control(
        "How",
        list(RECIPES),
        format_func=PRESET_TITLES.get,
        default="quick",
        key="train.preset",
        persist_state="session",
        required=True,
    )
    page.note(read("train", f"preset_{name}"))
    epochs = st.slider("Epochs", 1, 20, 4, key="train.epochs", persist_state="session")
    lr = st.select_slider("Learning rate", RATES, 3e-3, format_func=style.rate, key="train.lr", persist_state="session")
    beside = st.empty()
    with st.expander("More"):
        exact = _exact_rate()
        if exact:
            beside.html(f'<p class="note">{page.say("train", "exact", rate=style.rate(exact))}</p>')
        epochs = (
            st.number_input("Epochs beyond 20", 0, 1000, 0, key="train.more_epochs", persist_state="session") or epochs
        )
        values = {
            "backbone": st.selectbox(
                "Network", list(BACKBONES), format_func=BACKBONES.get, key="train.backbone", persist_state="session"
            ),
            "weights": st.selectbox(
                "Start from", list(WEIGHTS), format_func=WEIGHTS.get, key="train.weights", persist_state="session"
            ),
            "image_size": st.select_slider(
                "Image size (pixels)", IMAGE_SIZES, 224, key="train.image_size", persist_state="session"
            ),
            "batch_size": st.select_slider(
                "Batch size (pictures)", BATCH_SIZES, 64, key="train.batch_size", persist_state="session"
            ),
            "seed": int(st.number_input("Seed", 0, 2**32 - 1, 42, key="train.seed", persist_state="session")),
        }
    if values["backbone"] != "lite0" or values["weights"] == "random":
        page.note(read("train", f"weights_{values['weights']}"))
    return preset(name, TrainSettings(**values), epochs=int(epochs), lr=exact or lr), name


def set_rate(lr: float) -> None:
    """Set the rate of the form that is drawn next: on the slider where it has that rate, typed otherwise."""
    near = [known for known in RATES if math.isclose(known, lr, rel_tol=1e-6)]
    st.session_state["train.exact"] = "" if near else f"{lr:g}"
    if near:
        st.session_state["train.lr"] = near[0]


def _exact_rate() -> float | None:
    typed = st.text_input(
        "An exact rate", placeholder="for example 2.5e-3", key="train.exact", persist_state="session"
    ).strip()
    if not typed:
        return None
    try:
        value = float(typed)
    except ValueError as error:
        raise SettingsError(f"{typed!r} is not a number.", hint="Write a rate like 0.0025 or 2.5e-3.") from error
    if not (math.isfinite(value) and value > 0):
        raise SettingsError(f"The rate {typed} cannot be used; it must lie above 0.", hint="For example 2.5e-3.")
    return value


def import_options() -> tuple[str, ImportSettings]:
    """Name and split of a new data set; an empty name is filled in from its source."""
    left, middle, right = st.columns(3)
    name = left.text_input(
        "Name", placeholder="from the pictures", key="build.name", persist_state="session", max_chars=64
    )
    share = middle.select_slider(
        "For the exam", SPLITS, 0.2, format_func=style.share, key="build.valid", persist_state="session"
    )
    seed = right.number_input("Seed of the split", 0, 2**32 - 1, 42, key="build.seed", persist_state="session")
    return name.strip(), ImportSettings(valid_share=share, seed=int(seed))


def sample_options() -> Mapping[str, Any]:
    """How a sample set is made: how many pictures, and what is wrong with them on purpose."""
    first, second, third, fourth, fifth = st.columns(5)
    return {
        "per_class": first.number_input(
            "Pictures per class", 2, 2000, None, step=10, placeholder="the usual", key="build.per_class",
            persist_state="session",
        ),
        "noise": _percent(second, "Labels wrong at random", "noise"),
        "biased_noise": _percent(third, "Labels wrong one way", "biased"),
        "imbalance": _percent(fourth, "Imbalance", "imbalance"),
        "seed": int(
            fifth.number_input("Seed of the set", 0, 2**32 - 1, 0, key="build.draw_seed", persist_state="session")
        ),
    }  # fmt: skip


def _percent(place: Any, label: str, name: str) -> float:
    return place.select_slider(
        label, SHARES, 0.0, format_func=style.share, key=f"build.{name}", persist_state="session"
    )


def pictures() -> list[tuple[str, bytes]]:
    """Pictures that somebody brings, as names and bytes: from files or from the camera."""
    way = st.segmented_control(
        "Your picture", ["Files", "Camera"], default="Files", key="predict.way", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if way == "Camera":
        taken = st.camera_input("Camera", key="predict.camera", label_visibility="collapsed")
        return [("Your picture", taken.getvalue())] if taken else []
    files = st.file_uploader(
        "Pictures", accept_multiple_files=True, type="image/*", key="predict.files", label_visibility="collapsed",
        max_upload_size=PICTURE_MAX_MB,
    )  # fmt: skip
    return [(file.name, file.getvalue()) for file in files]


def threshold(default: float) -> float:
    """Below which probability the answer is "not sure"."""
    return st.slider(
        "Not sure below",
        0.0,
        1.0,
        default,
        0.01,
        format="percent",
        key="predict.threshold",
        help=read("predict", "threshold"),
    )
