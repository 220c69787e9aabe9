"""A picture as numbers: it loses pixels in the browser until each is a number. The traced tensors in."""

from __future__ import annotations

import base64
import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from core.text import read
from core.ui import page, state

HERE = Path(__file__).parent
KEY = "tensors.zoom"
SIDES = (224, 112, 56, 28, 18)
NUMBERS = "numbers"  # the stage after the last side: every pixel is written out
CHANNELS = ("red", "green", "blue")
WORDS = (
    "label", "channels", "slider", "alt", "table", "at_pixels", "at_numbers", "play", "pause", "back", "point", "cell",
    *CHANNELS,
)  # fmt: skip
_component = st.components.v2.component(
    "bearings_zoom",
    css=(HERE / "zoom.css").read_text(encoding="utf-8"),
    js=(HERE / "zoom.js").read_text(encoding="utf-8"),
)


def show(numbers: Any) -> None:
    """The picture that can be zoomed into, and how its numbers lie."""
    picture = np.ascontiguousarray(numbers.trace.pixels[numbers.at].transpose(1, 2, 0))
    _component(key=KEY, data=zoom_of(picture, numbers.names[numbers.at]), on_view_change=_to_address)
    small = at_side(picture, SIDES[-1])
    spans = {name: _span(small[..., place]) for place, name in enumerate(CHANNELS)}
    page.see(page.say("tensors", "pixels_see", side=len(picture), all=f"{picture.size:,}", **spans))


def zoom_of(picture: np.ndarray, name: str) -> dict[str, Any]:
    """What the browser draws of a picture (S, S, 3) uint8: every stage, the last one as numbers, too."""
    sides = sides_of(len(picture))
    stages = [{"side": side, "src": png_url(at_side(picture, side))} for side in sides]
    last = at_side(picture, sides[-1])
    return {
        "id": hashlib.sha256(picture.tobytes()).hexdigest()[:16], "name": name, "stages": stages,
        "numbers": {channel: last[..., place].tolist() for place, channel in enumerate(CHANNELS)},
        "stage": _stage(sides), "channel": _channel(),
        "words": {word: read("tensors", f"zoom_{word}") for word in WORDS},
    }  # fmt: skip


def sides_of(size: int) -> list[int]:
    """The sides that are gone through: `sides_of(128) -> [128, 112, 56, 28, 18]`."""
    return [size, *(side for side in SIDES if side < size)]


def at_side(picture: np.ndarray, side: int) -> np.ndarray:
    """A picture (S, S, 3) as (side, side, 3): each pixel the mean of those it stands for."""
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BOX))


def _stage(sides: list[int]) -> int:
    """The stage in the address: one of the sides, or what comes after them; the picture itself without one."""
    known = {**{str(side): place for place, side in enumerate(sides)}, NUMBERS: len(sides)}
    return known.get(state.from_address("side") or "", 0)


def _channel() -> str:
    wanted = state.from_address("channel")
    return wanted if wanted in CHANNELS else CHANNELS[0]


def _to_address() -> None:
    """Keep what the browser says is looked at; whatever else it sends is passed over."""
    view = getattr(st.session_state[KEY], "view", None)
    if not isinstance(view, dict):
        return
    stage, channel = view.get("stage"), view.get("channel")
    if stage == NUMBERS or (isinstance(stage, str) and stage.isdecimal() and len(stage) <= 3):
        state.to_address("side", stage)
    if channel in CHANNELS:
        state.to_address("channel", channel)


def _span(channel: np.ndarray) -> str:
    return f"{int(channel.min())} to {int(channel.max())}"


def png_url(pixels: np.ndarray) -> str:
    """A picture (H, W, 3) or (H, W) uint8 as an address that holds it, every pixel as it is."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
