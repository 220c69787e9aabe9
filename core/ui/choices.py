"""Choices that stand in the page's address: options in, the chosen one out, the same after a refresh or by a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.data.layout import normalise_label
from core.data.table import Dataset
from core.ui import state


def switch(options: Mapping[str, str], *, slot: str, key: str, default: str, light: bool = False) -> str:
    """One of a few ways or parts, side by side. `options` are names and what is written on them.

    A `light` one looks different from the switch above it.
    """
    wanted = state.from_address(slot)
    _follow(key, wanted if wanted in options else default)
    return (st.pills if light else st.segmented_control)(
        slot,
        list(options),
        format_func=options.get,
        key=key,
        required=True,
        label_visibility="collapsed",
        wrap=True,
        on_change=lambda: state.to_address(slot, st.session_state[key]),
    )


def class_name(known: Sequence[str], *, key: str, placeholder: str) -> str | None:
    """The class that pictures go into: one of the known ones, or a new name; None while nothing was chosen."""
    wanted = state.from_address("label")
    _follow(key, wanted)
    chosen = st.selectbox(
        "Class",
        sorted({*known, *([wanted] if wanted else [])}),
        index=None,
        placeholder=placeholder,
        accept_new_options=True,
        key=key,
        on_change=lambda: state.to_address("label", st.session_state[key]),
    )
    return normalise_label(chosen) if chosen else None


def class_names(dataset: Dataset) -> list[str]:
    """Every class somebody may put pictures into, those without pictures and those that are switched off too."""
    items = state.items(dataset)
    return sorted({*dataset.empty, *items.loc[items["status"] != "deleted", "label"]})


def _follow(key: str, value: str | None) -> None:
    """Let a widget show what the address says, also when that changed elsewhere."""
    if st.session_state.get(key) != value:
        st.session_state[key] = value
