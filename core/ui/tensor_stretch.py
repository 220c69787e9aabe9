"""One mean for every pixel: the shapes that meet in the normalisation, drawn with the numbers of a real model."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.plots.style import esc
from core.text import read
from core.ui import page
from core.ui.tensor_pixels import CHANNELS, png_url
from core.ui.tensor_ranks import AXES, signed

SPREAD = 2.0  # a normalised value of so much is drawn white, of as much below zero black
STEP = 2  # every second pixel of a plane is drawn


def show(numbers: Any) -> None:
    """The shapes one under another, the planes they stand for, and one real pixel through the formula."""
    trace, at = numbers.trace, numbers.at
    left, right = st.columns([1.1, 1], gap="large")
    with left:
        st.html(_shapes(trace.pixels.shape))
        page.note(page.say("tensors", "stretch_how", count=len(trace.pixels), size=trace.pixels.shape[-1]))
        st.html(_pixel(trace, at))
    with right:
        st.html(_planes(trace, at))
    page.see(page.say("tensors", "stretch_see", numbers=f"{trace.pixels.size:,}"))


def _shapes(shape: tuple[int, ...]) -> str:
    """The shape of the pictures and of the mean, aligned at their last axes, and that of the result."""
    whole = "".join(f"<td>{side}</td>" for side in shape)
    kinds = {"": "missing", "1": "stretched"}
    small = "".join(f'<td class="{kinds.get(one, "")}">{one or "·"}</td>' for one in ("", "3", "1", "1"))
    rows = (("pictures", whole), ("− mean", small), ("÷ std", small), ("result", whole))
    head = "".join(f"<th>{name}</th>" for name in ("", *AXES))
    body = "".join(f'<tr><th scope="row">{name}</th>{cells}</tr>' for name, cells in rows)
    return f'<table class="steps shapes"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def _planes(trace: Any, at: int) -> str:
    """For each colour: its plane of the picture, minus one number everywhere, over another one, gives a plane."""
    rows = []
    for place, colour in enumerate(CHANNELS):
        before, after = trace.pixels[at, place][::STEP, ::STEP], trace.normalised[at, place]
        rows.append(
            f"<b>{colour}</b>{_plane(before, f'{before.min() / 255:.2f} to {before.max() / 255:.2f}', colour)}"
            f"<i>−</i>{_tile(trace.mean[place], 'mean')}<i>÷</i>{_tile(trace.std[place], 'std')}<i>=</i>"
            + _plane(
                grey(after[::STEP, ::STEP]), f"{signed(float(after.min()))} to {signed(float(after.max()))}", colour
            )
        )
    said = esc(read("tensors", "stretch_drawn"))
    return f'<div class="planes" role="img" aria-label="{said}">{"".join(rows)}</div>'


def _plane(pixels: np.ndarray, span: str, colour: str) -> str:
    url = png_url(np.ascontiguousarray(pixels))
    return f'<figure><img src="{url}" alt="{colour}"><figcaption>{span}</figcaption></figure>'


def grey(plane: np.ndarray) -> np.ndarray:
    """Normalised values as grey, uint8: -SPREAD is black, 0 in the middle, SPREAD white."""
    scaled = (np.clip(plane, -SPREAD, SPREAD) + SPREAD) / (2 * SPREAD)
    found: np.ndarray = np.round(255 * scaled).astype(np.uint8)
    return found


def _tile(value: float, name: str) -> str:
    """One number, stretched over a plane."""
    return f'<figure><span class="flat"><span>{value:.3f}</span></span><figcaption>{name}</figcaption></figure>'


def _pixel(trace: Any, at: int) -> str:
    """The middle pixel through the formula, colour by colour."""
    middle, rows = trace.pixels.shape[-1] // 2, ""
    for place, colour in enumerate(CHANNELS):
        raw = int(trace.pixels[at, place, middle, middle])
        done = signed(float(trace.normalised[at, place, middle, middle]), 3)
        formula = f"({raw} / 255 − {trace.mean[place]:.3f}) / {trace.std[place]:.3f}"
        rows += f'<tr><th scope="row">{colour}</th><td>{formula}</td><td>{done}</td></tr>'
    head = "".join(f"<th>{esc(read('tensors', f'stretch_{name}'))}</th>" for name in ("colour", "formula", "seen"))
    return f'<table class="steps"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
