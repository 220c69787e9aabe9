"""Controls whose value stands in the page's address: a few known values in, the chosen one out.

What an address says is taken only where it is one of those values; anything else is passed over for the usual one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from core.ui import state

T = TypeVar("T")


def shown(value: object) -> str:
    """A value as an address and a control write it: numbers without trailing zeros."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def value_of(values: Sequence[T], *, slot: str, usual: T) -> T:
    """What the address says, or said when the page was left, where that is one of `values`."""
    found = {shown(value): value for value in values}.get(state.from_address(slot) or "", usual)
    state.to_address(slot, None if found == usual else shown(found))
    return found


def slider(
    label: str,
    values: Sequence[T],
    *,
    slot: str,
    key: str,
    usual: T,
    words: Callable[[T], str] = shown,
    hint: str | None = None,
) -> T:
    """A slider over a few values."""
    _follow(key, value_of(values, slot=slot, usual=usual))
    return st.select_slider(
        label, list(values), format_func=words, key=key, help=hint, on_change=_remember, args=(key, slot)
    )  # fmt: skip


def choice(label: str, values: Sequence[T], *, slot: str, key: str, usual: T, words: Callable[[T], str] = shown) -> T:
    """A list to choose from."""
    _follow(key, value_of(values, slot=slot, usual=usual))
    return st.selectbox(label, list(values), format_func=words, key=key, on_change=_remember, args=(key, slot))


def toggle(label: str, *, slot: str, key: str, usual: bool, hint: str | None = None) -> bool:
    """A switch that is on or off."""
    _follow(key, value_of((False, True), slot=slot, usual=usual))
    return st.toggle(label, key=key, help=hint, on_change=_remember, args=(key, slot))


def put(values: dict[str, object]) -> None:
    """Set several values at once, as a preset does; None goes back to the usual one."""
    for slot, value in values.items():
        state.to_address(slot, None if value is None else shown(value))


def _remember(key: str, slot: str) -> None:
    state.to_address(slot, shown(st.session_state[key]))


def _follow(key: str, value: object) -> None:
    if st.session_state.get(key) != value:
        st.session_state[key] = value
