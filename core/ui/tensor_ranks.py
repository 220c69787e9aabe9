"""Numbers by their rank: the traced tensors in, one real example of each rank as HTML out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from core.plots.style import counted, esc, sureness_in_words
from core.text import read
from core.ui import page
from core.ui.tensor_pixels import png_url

AXES = ("picture", "colour", "row", "column")
WRITTEN = 6  # of a list that is longer
DRAWN = 6  # pictures of a batch
SMALL = 112  # pixels on a side of a drawn picture of a batch


@dataclass(frozen=True)
class Example:
    """A tensor from these very pictures: `what` it is, in safe words, its axes by name, and how it is `drawn`."""

    tensor: np.ndarray
    what: str
    axes: tuple[str, ...]
    drawn: str


def show(numbers: Any) -> None:
    """One tensor of each rank: its shape, its numbers and how much room they take."""
    st.html(f'<div class="ranks" role="list">{"".join(map(_row, examples(numbers)))}</div>')
    batch = numbers.trace.pixels
    page.see(page.say("tensors", "ranks_see", count=counted(len(batch), "picture"), numbers=f"{batch.size:,}",
                      bytes=f"{batch.nbytes / 2**20:.2f} MB"))  # fmt: skip


def examples(numbers: Any) -> list[Example]:
    """An example of rank 0, 1, 2, 3 and 4, in this order."""
    trace, at = numbers.trace, numbers.at
    batch, scores = trace.pixels, trace.scores[at]
    picture = np.ascontiguousarray(batch[at].transpose(1, 2, 0))
    drawn = (f"<b>{_list(scores)}</b>", _img(picture[..., 0], "red, in grey"), _img(picture, numbers.names[at]))
    return [
        _single(numbers),
        Example(scores, read("tensors", "rank_1"), ("class",), drawn[0]),
        Example(batch[at, 0], read("tensors", "rank_2"), AXES[2:], drawn[1]),
        Example(batch[at], read("tensors", "rank_3"), AXES[1:], drawn[2]),
        Example(batch, read("tensors", "rank_4"), AXES, _batch(batch)),
    ]


def loss_of(scores: np.ndarray, place: int) -> np.ndarray:
    """The cross-entropy of scores (K,) for the class at `place`, as a tensor of rank 0, float32, in nats."""
    shifted = scores.astype(np.float64) - scores.max()
    return np.array(np.log(np.exp(shifted).sum()) - shifted[place], dtype=np.float32)


def _single(numbers: Any) -> Example:
    """The loss of a picture with a label that the model knows; else one pixel of it."""
    trace, at = numbers.trace, numbers.at
    label = numbers.labels[at]
    if label in trace.classes:
        loss = loss_of(trace.scores[at], trace.classes.index(label))
        share = sureness_in_words(float(np.exp(-float(loss))))
        words = page.say("tensors", "rank_0_loss", label=label, share=share).replace(" &#37;", "\u00a0&#37;")
        return Example(loss, words, (), f"<b>{float(loss):.3f}</b>")
    middle = trace.pixels.shape[-1] // 2
    pixel = trace.pixels[at, 0, middle, middle].reshape(())
    return Example(pixel, read("tensors", "rank_0_pixel"), (), f"<b>{int(pixel)}</b>")


def _list(values: np.ndarray) -> str:
    written = ", ".join(signed(float(value)) for value in values[:WRITTEN])
    return f"[{written}, …]" if len(values) > WRITTEN else f"[{written}]"


def signed(value: float, digits: int = 2) -> str:
    """A number with a real minus sign: -3.317 -> "−3.32"."""
    return f"{value:.{digits}f}".replace("-", "−")


def _img(pixels: np.ndarray, what: str) -> str:
    return f'<img src="{png_url(pixels)}" alt="{esc(what)}">'


def _batch(pixels: np.ndarray) -> str:
    """The first pictures of a batch side by side."""
    step = max(1, pixels.shape[-1] // SMALL)
    row = np.concatenate([one.transpose(1, 2, 0)[::step, ::step] for one in pixels[:DRAWN]], axis=1)
    return f'<img class="wide" src="{png_url(np.ascontiguousarray(row))}" alt="the pictures of the batch">'


def shape(sides: Sequence[int]) -> str:
    """A shape as Python writes it: (6,) -> "(6,)", () -> "()"."""
    return str(tuple(int(side) for side in sides))


def _row(example: Example) -> str:
    tensor = example.tensor
    axes = f'<i class="axes">{", ".join(example.axes)}</i>' if example.axes else ""
    size = f"{counted(int(tensor.size), 'number')}, {tensor.dtype}, {counted(tensor.nbytes, 'byte')}"
    return (
        f'<div role="listitem"><span class="rank">{tensor.ndim}</span><div><b>{example.what}</b>'
        f"<p><code>{shape(tensor.shape)}</code>{axes} <small>{size}</small></p></div>"
        f"<figure>{example.drawn}</figure></div>"
    )
