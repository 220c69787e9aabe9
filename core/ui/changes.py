"""Which changes augmentation may make: presets and one control for each change in, checked settings and words out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.plots.style import share
from core.text import read
from core.ui import page

if TYPE_CHECKING:
    from core.vision.augment import Augment

TITLES: Mapping[str, str] = {"none": "None", "photos": "Side-on photos", "top_down": "From above"}
OWN = "own"
FLIPS: Mapping[str, str] = {"flip": "mirrored", "flip_vertical": "upside down"}
KEY = "explore.change."


def preset() -> str:
    """Choose a preset, which sets every control; a control that is moved makes it your own."""
    names = {**TITLES, OWN: "Your own"}
    if f"{KEY}preset" not in st.session_state:
        st.session_state[f"{KEY}preset"] = "photos"
        _set("photos")
    return st.segmented_control(
        "Augmentation", ["photos", "top_down", "none", OWN], format_func=names.get, key=f"{KEY}preset", required=True,
        label_visibility="collapsed", persist_state="session",
        on_change=lambda: _set(st.session_state[f"{KEY}preset"]),
    )  # fmt: skip


def _set(name: str) -> None:
    """Put the controls where a preset wants them."""
    if name == OWN:
        return
    for field, value in _values(name).items():
        st.session_state[KEY + field] = value


def _values(name: str) -> dict[str, Any]:
    from core.vision.augment import AUGMENTS, Augment

    still = Augment(flip=False, flip_vertical=False, rotate_deg=0.0, zoom=1.0, warp=0.0, light=0.0)
    found = AUGMENTS[name] or still
    return {
        "flips": [flip for flip in FLIPS if getattr(found, flip)],
        "rotate": round(found.rotate_deg),
        "zoom": round(found.zoom, 2),
        "warp": round(found.warp, 2),
        "light": round(found.light, 2),
        "p": found.p,
    }


def sliders() -> Augment:
    """One control for each change; what most people never touch lies under "More"."""
    from core.vision.augment import Augment

    flips = st.pills(
        "Flip", list(FLIPS), selection_mode="multi", format_func=FLIPS.get, key=f"{KEY}flips", on_change=_own,
        persist_state="session",
    )  # fmt: skip
    rotate = _slider("Turn (degrees, either way)", "rotate", 0, 90, 5)
    zoom = _slider("Zoom (times)", "zoom", 1.0, 2.0, 0.05)
    warp = _slider("Tilt", "warp", 0.0, 0.6, 0.05)
    light = _slider("Light", "light", 0.0, 0.8, 0.05)
    with st.expander("More"):
        p = _slider("How often each change happens", "p", 0.0, 1.0, 0.05, format="percent")
    return Augment(
        flip="flip" in flips,
        flip_vertical="flip_vertical" in flips,
        rotate_deg=float(rotate),
        zoom=float(zoom),
        warp=float(warp),
        light=float(light),
        p=float(p),
    )


def _slider(label: str, field: str, least: Any, most: Any, step: Any, **options: Any) -> Any:
    return st.slider(
        label, least, most, step=step, key=KEY + field, on_change=_own, persist_state="session", **options
    )  # fmt: skip


def _own() -> None:
    st.session_state[f"{KEY}preset"] = OWN


def words(augment: Augment) -> str:
    """What happens to a picture, from the settings that are on."""
    always = [
        *(["mirrored half of the time"] if augment.flip else []),
        *(["put upside down half of the time"] if augment.flip_vertical else []),
    ]
    sometimes = [
        *([f"turned by up to {augment.rotate_deg:.0f}°"] if augment.rotate_deg else []),
        *([f"enlarged up to {augment.zoom:g} times"] if augment.zoom > 1 else []),
        *(["tilted"] if augment.warp else []),
        *(["lit anew"] if augment.light else []),
    ]
    if sometimes and augment.p > 0:
        always.append(page.say("explore", "sometimes", chance=share(augment.p), changes=_and(sometimes)))
    if not always:
        return read("explore", "no_changes")
    return read("explore", "changes").format(changes="; ".join(always))


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
