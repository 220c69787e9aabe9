"""Controls: a page's widgets in, plain values and checked settings out.

At most five controls stand beside a figure; what most people never touch lies under "More".
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data.table import Dataset
from core.errors import SettingsError
from core.plots import style
from core.settings import ImportSettings
from core.text import read
from core.train.recipes import RECIPES
from core.ui import state
from core.ui.models import Model
from core.ui.run_rows import date

RATES = (1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
PRESET_TITLES = {name: found.title for name, found in RECIPES.items()}
RATE_CHARS = 24
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
    follow(key, current.id)

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
    by_id, titles = {choice.id: choice for choice in found}, _titles(found)
    follow("predict.model", current.id)
    chosen = st.selectbox(
        "Model",
        list(by_id),
        format_func=titles.get,
        key="predict.model",
        on_change=lambda: state.to_address("model", st.session_state["predict.model"]),
    )
    return by_id.get(chosen, current)  # a browser may send a title that has changed meanwhile


def _titles(found: list[Model]) -> dict[str, str]:
    """What is written on each model, no two alike: a browser tells them apart by that alone."""
    often = Counter(model.title for model in found)
    titles: dict[str, str] = {}
    for model in found:
        title = model.title
        if often[title] > 1 and model.run is not None:
            title = f"{title} · {date(model.run.record['created'])}"
        alike = sum(other == title or other.startswith(f"{title} (") for other in titles.values())
        titles[model.id] = f"{title} ({alike + 1})" if alike else title
    return titles


def pick(title: str, options: Mapping[str, str], *, slot: str, key: str, default: str, **how: Any) -> str:
    """Choose one of several by what is written on them; the choice stands in the page's address under `slot`."""
    wanted = state.from_address(slot)
    follow(key, wanted if wanted in options else default)
    chosen = st.selectbox(
        title,
        list(options),
        format_func=lambda name: options.get(name, name),
        key=key,
        on_change=lambda: state.to_address(slot, st.session_state[key]),
        **how,
    )
    return chosen if chosen in options else default


def follow(key: str, value: str) -> None:
    """Let a widget show what the address or a slot says, also when that changed elsewhere."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def rate_controls(lr: float) -> dict[str, Any]:
    """A rate as its two controls hold it: the nearest one on the slider, and typed where that is not the same."""
    near = min(RATES, key=lambda known: abs(math.log(known / lr)))
    return {"lr": near, "exact": "" if math.isclose(near, lr, rel_tol=1e-6) else f"{lr:g}"}


def exact_rate() -> None:
    """A rate that is typed; it counts instead of the slider's."""
    st.text_input(
        "An exact rate", placeholder="for example 2.5e-3", key="train.exact", persist_state="session",
        max_chars=RATE_CHARS,
    )  # fmt: skip


def parsed_rate(typed: str) -> float:
    """A rate that somebody typed; SettingsError for what is no number above 0."""
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


def threshold(default: float, *, key: str = "predict.threshold") -> float:
    """Below which probability the answer is "not sure"; it stands in the page's address, so that pages share it."""
    wanted = _share_of(state.from_address("threshold"), default)
    if st.session_state.get(key) != wanted:
        st.session_state[key] = wanted
    return st.slider(
        "Not sure below",
        0.0,
        1.0,
        step=0.01,
        format="percent",
        key=key,
        help=read("predict", "threshold"),
        on_change=lambda: state.to_address("threshold", f"{st.session_state[key]:.2f}"),
    )


def _share_of(typed: str | None, default: float) -> float:
    """A share of one as an address holds it, in hundredths; the default for anything else."""
    with contextlib.suppress(ValueError):
        value = float(typed or "")
        if 0 <= value <= 1:
            return round(value, 2)
    return default
