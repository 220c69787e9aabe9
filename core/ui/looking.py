"""How a model sees pictures: a data set in, a batch as tensors and augmented versions of one picture out.

torch is imported when somebody looks, by the functions whose answers are kept. What is kept is named by the hash of
the picture and by the settings, so it cannot be stale; it is bounded and forgotten after an hour.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image

from core.data.table import Dataset
from core.plots.data import channel_ranges
from core.plots.style import esc, number
from core.text import read
from core.ui import changes, forms, gallery, page, state
from core.ui.gallery import Shot

AT_ONCE = 8
VERSIONS, VERSIONS_PX = 6, 224
REACH = 2.8  # the largest number that a white or a black pixel becomes
COARSE_PX = 128  # up to here single pixels are shown as squares
_KEPT = {"max_entries": 64, "ttl": 3600, "show_spinner": "Turning pictures into numbers …"}


@dataclass(frozen=True)
class Drawn:
    """A batch ready to be shown: addresses of pictures, a range for each colour of each, shapes and scale."""

    pictures: tuple[str, ...]
    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    x: tuple[tuple[int, ...], str, int]
    y: tuple[tuple[int, ...], str, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]


@st.cache_data(**_KEPT)
def _batch(
    folder: str, files: tuple[str, ...], targets: tuple[int, ...], backbone: str, size: int, augment: str, seed: int
) -> Drawn:
    from core.vision.augment import AUGMENTS
    from core.vision.preview import batch_of

    paths = [Path(folder) / f"{sha}.jpg" for sha in files]
    made = batch_of(paths, targets, backbone=backbone, size=size, augment=AUGMENTS[augment], seed=seed)
    pictures = tuple(_address(picture) for picture in made.drawn)
    return Drawn(pictures, made.low, made.middle, made.high, made.x, made.y, made.mean, made.std)


@st.cache_data(**_KEPT)
def _versions(folder: str, file: str, settings: tuple[tuple[str, Any], ...], seed: int) -> tuple[str, ...]:
    from core.vision.augment import Augment
    from core.vision.preview import versions_of

    made = versions_of(
        Path(folder) / f"{file}.jpg", Augment(**dict(settings)), size=VERSIONS_PX, seed=seed, count=VERSIONS
    )
    return tuple(_address(picture) for picture in made)


def _address(picture: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=90)
    return gallery.data_url(buffer.getvalue())


def _images(dataset: Dataset) -> str:
    return str(dataset.image_path("x").parent)


def _some(items: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """`count` pictures to learn from, drawn by chance but the same ones for a seed; any when none are to learn from."""
    train = items[items["split"] == "train"]
    pool = train if len(train) else items
    chosen = np.random.default_rng(seed).permutation(len(pool))[:count]
    return pool.iloc[chosen].reset_index(drop=True)


# --- a batch


def batch(dataset: Dataset, items: pd.DataFrame) -> None:
    """A few pictures as they are stored, below each what the model gets, and the tensors they become."""
    turn = state.get("explore.turn", 0)
    with st.container(key="explore-controls", horizontal=True, vertical_alignment="bottom"):
        backbone, size, augment = _batch_settings()
        st.button("Another batch", key="explore.turn.next", icon=":material/casino:", on_click=_next, args=("turn",))
    some = _some(items, AT_ONCE, turn)
    classes = sorted(items["label"].unique())
    targets = tuple(classes.index(label) for label in some["label"])
    made = _batch(_images(dataset), tuple(some["file"]), targets, backbone, size, augment, turn)
    page.note(page.say("explore", "batch" if augment == "none" else "batch_augmented", size=size))
    st.html(_pairs(dataset, some, targets, made, coarse=size <= COARSE_PX))
    with st.container(key="explore-tensors"):
        left, right = st.columns([1.25, 1], gap="large")
        left.html(_tensors(made, targets))
        right.html(_scale(made))


def _batch_settings() -> tuple[str, int, str]:
    backbone = st.selectbox(
        "Network", list(forms.BACKBONES), format_func=lambda name: forms.BACKBONES[name].partition(",")[0],
        key="explore.backbone", persist_state="session", width=220,
    )  # fmt: skip
    size = st.select_slider(
        "Image size (pixels)", forms.IMAGE_SIZES, 224, key="explore.size", persist_state="session", width=260
    )
    augment = st.selectbox(
        "Augmentation", ["none", "photos", "top_down"], format_func=changes.TITLES.get, key="explore.batch_augment",
        persist_state="session", width=190,
    )  # fmt: skip
    return backbone, size, augment


def _next(slot: str) -> None:
    state.put(f"explore.{slot}", state.get(f"explore.{slot}", 0) + 1)


def _pairs(dataset: Dataset, some: pd.DataFrame, targets: Sequence[int], made: Drawn, *, coarse: bool) -> str:
    figures = []
    for place, row in enumerate(some.itertuples()):
        label, name = esc(row.label), esc(row.original_name)
        ranges = channel_ranges(made.low[place], made.middle[place], made.high[place], reach=REACH)
        stored = gallery.thumb_url(row.file, dataset.id)
        figures.append(
            f'<figure><div class="whole"><img src="{stored}" alt="{name}" title="{name}"></div>'
            f'<small>{row.width} × {row.height}</small><img class="net" src="{made.pictures[place]}" alt="{label}">'
            f'{ranges}<figcaption title="{label}"><b>{targets[place]}</b> {label}</figcaption></figure>'
        )
    return f'<div class="pairs{" coarse" if coarse else ""}">{"".join(figures)}</div>'


def _tensors(made: Drawn, targets: Sequence[int]) -> str:
    count, _, size, _ = made.x[0]
    numbers = ", ".join(str(target) for target in targets)
    x = page.say("explore", "tensor_x", count=count, size=size)
    y = page.say("explore", "tensor_y", numbers=numbers)
    rows = "".join(_tensor(name, *tensor, words) for name, tensor, words in (("x", made.x, x), ("y", made.y, y)))
    return f'<div class="tensors">{rows}</div>'


def _tensor(name: str, shape: tuple[int, ...], kind: str, size: int, words: str) -> str:
    weight = f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size} bytes"
    return (
        f"<div><code>{name}</code><p><b>{esc(shape)}</b> <span>{kind} · {weight}</span><br>"
        f"<small>{words}</small></p></div>"
    )


def _scale(made: Drawn) -> str:
    """The table of the three colours over the batch, and the sum that is done with every number."""
    rows = "".join(
        f'<tr><td><i class="dot {name}"></i>{name}</td><td>{_signed(made.low[:, place].min())}</td>'
        f"<td>{_signed(made.middle[:, place].mean())}</td><td>{_signed(made.high[:, place].max())}</td></tr>"
        for place, name in enumerate(("red", "green", "blue"))
    )
    said = page.say("explore", "scale", mean=_triple(made.mean), std=_triple(made.std))
    head = "<tr><th></th><th>least</th><th>mean</th><th>largest</th></tr>"
    notes = f"{said} {read('explore', 'lines')}"
    return f'<div class="epochs colours"><table>{head}{rows}</table></div><p class="note scale">{notes}</p>'


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _triple(values: Sequence[float]) -> str:
    return number(round(values[0], 3)) if len(set(values)) == 1 else ", ".join(f"{value:.3f}" for value in values)


# --- augmentation


def augmentation(dataset: Dataset, items: pd.DataFrame) -> None:
    """One picture, six augmented versions of it, and a control for each change."""
    offered = _offered(items, state.get("explore.offer", 0))
    chosen = min(state.get("explore.pick", 0), len(offered) - 1)
    row, seed = offered.iloc[chosen], state.get("explore.seed", 0)
    preset = changes.preset()
    with st.container(key="explore-augment"):
        left, right = st.columns([1, 2.2], gap="large")
        with left:
            augment = changes.sliders()
            page.note(read("explore", f"preset_{preset}"))
        with right:
            with st.container(key="explore-offer"):
                _picture_row(dataset, offered, chosen)
                st.button("Six more", key="explore.seed.next", icon=":material/casino:", on_click=_next, args=("seed",))
            made = _versions(_images(dataset), row["file"], tuple(asdict(augment).items()), seed)
            st.html(_six(made, row["label"]))
    page.see(page.say("explore", "ask", label=row["label"]), "attention")
    page.see(changes.words(augment))


def _offered(items: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Six pictures: one of each class first, then any."""
    some = _some(items, len(items), seed)
    first = ~some.duplicated("label")
    return pd.concat([some[first], some[~first]]).head(VERSIONS).reset_index(drop=True)


def _picture_row(dataset: Dataset, offered: pd.DataFrame, chosen: int) -> None:
    shots = [Shot(gallery.thumb_url(row.file, dataset.id), row.original_name) for row in offered.itertuples()]
    gallery.picks(shots, key="augment", chosen=chosen, on_pick=lambda place: state.put("explore.pick", place))


def _six(pictures: Sequence[str], label: str) -> str:
    images = "".join(f'<img src="{source}" alt="{esc(label)}, augmented">' for source in pictures)
    return f'<div class="six">{images}</div>'
