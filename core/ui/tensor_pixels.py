"""A picture as numbers, and numbers by their rank: the traced tensors in, tables as HTML out."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from core.plots.style import counted, esc
from core.text import read
from core.ui import choices, page, state

SIDES = (224, 112, 56, 28, 18)
WINDOW = 18  # rows and columns of numbers that are written out
CHANNELS = {"red": "Red", "green": "Green", "blue": "Blue"}


def show(numbers: Any) -> None:
    """The picture with fewer and fewer pixels, and the numbers of one colour beside it."""
    picture = np.ascontiguousarray(numbers.trace.pixels[numbers.at].transpose(1, 2, 0))
    left, right = st.columns([1, 1.55], gap="large")
    with left:
        side = _side(picture.shape[0])
        channel = choices.switch(CHANNELS, slot="channel", key="tensors.channel", default="red", light=True)
        small = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX))
        st.html(_picture(small, numbers.names[numbers.at], side))
    with right:
        window = _window(small[..., list(CHANNELS).index(channel)])
        st.html(_table(window, channel))
        whole = "pixels_all" if side == WINDOW else "pixels_part"
        page.see(page.say("tensors", whole, side=side, numbers=f"{side * side:,}", all=f"{3 * side * side:,}",
                          channel=channel, low=int(window.min()), high=int(window.max())))  # fmt: skip


def _side(size: int) -> int:
    sides = [side for side in SIDES if side <= size]
    wanted = state.from_address("side")
    start = int(wanted) if wanted and wanted.isdecimal() and int(wanted) in sides else WINDOW
    if st.session_state.get("tensors.side") != start:
        st.session_state["tensors.side"] = start
    chosen: int = st.select_slider(
        "Pixels on a side", sides, key="tensors.side",
        on_change=lambda: state.to_address("side", str(st.session_state["tensors.side"])),
    )  # fmt: skip
    return chosen


def _window(channel: np.ndarray) -> np.ndarray:
    """The middle WINDOW x WINDOW of a channel."""
    first = (channel.shape[0] - WINDOW) // 2
    return channel[first : first + WINDOW, first : first + WINDOW]


def _picture(pixels: np.ndarray, name: str, side: int) -> str:
    mark = 100 * WINDOW / side
    frame = "" if side == WINDOW else f'<i style="width:{mark:.1f}%;height:{mark:.1f}%"></i>'
    return f'<div class="pixels"><img src="{png_url(pixels)}" alt="{esc(name)}, {side} pixels on a side">{frame}</div>'


def png_url(pixels: np.ndarray) -> str:
    """A picture (H, W, 3) or (H, W) uint8 as an address that holds it, every pixel as it is."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def _table(window: np.ndarray, channel: str) -> str:
    """The numbers as they are, each on its own brightness."""
    rows = "".join("<tr>" + "".join(_cell(int(value)) for value in row) + "</tr>" for row in window)
    return f'<table class="numbers {channel}" aria-label="{WINDOW} by {WINDOW} numbers, {channel}">{rows}</table>'


def _cell(value: int) -> str:
    return f'<td style="--v:{value / 255:.2f}"{" class=dark" if value < 140 else ""}>{value}</td>'


def ranks(numbers: Any) -> None:
    """One tensor of each rank from these very pictures: its shape, its numbers and how much room they take."""
    trace, at = numbers.trace, numbers.at
    scores = trace.scores[at]
    likely = scores.max() + np.log(np.exp(scores - scores.max()).sum()) - scores.max()
    picture = np.ascontiguousarray(trace.pixels[at].transpose(1, 2, 0))
    batch = np.concatenate([np.ascontiguousarray(one.transpose(1, 2, 0))[::2, ::2] for one in trace.pixels[:6]], axis=1)
    values = ", ".join(f"{value:.2f}" for value in scores[:6]) + (", …" if len(scores) > 6 else "")
    rows = [
        ("rank_0", np.float32(likely), f"<b>{likely:.3f}</b>"),
        ("rank_1", scores, f"<b>[{values}]</b>"),
        ("rank_2", trace.pixels[at, 0], f'<img src="{png_url(picture[..., 0])}" alt="the red channel in grey">'),
        ("rank_3", trace.pixels[at], f'<img src="{png_url(picture)}" alt="{esc(numbers.names[at])}">'),
        ("rank_4", trace.pixels, f'<img class="wide" src="{png_url(batch)}" alt="the pictures of the batch">'),
    ]
    body = "".join(_rank(rank, *row) for rank, row in enumerate(rows))
    st.html(f'<div class="ranks" role="list">{body}</div>')
    page.see(page.say("tensors", "ranks_see", count=counted(len(trace.pixels), "picture"),
                      numbers=f"{trace.pixels.size:,}", bytes=f"{trace.pixels.nbytes / 2**20:.2f} MB"))  # fmt: skip


def _rank(rank: int, words: str, tensor: Any, drawn: str) -> str:
    shape = "(" + ", ".join(map(str, tensor.shape)) + ("," if tensor.ndim == 1 else "") + ")"
    return (
        f'<div role="listitem"><span class="rank">{rank}</span><div><b>{esc(read("tensors", words))}</b>'
        f"<code>{shape}</code> <small>{counted(int(tensor.size), 'number')}, {tensor.dtype}, "
        f"{tensor.nbytes:,} bytes</small></div><figure>{drawn}</figure></div>"
    )
