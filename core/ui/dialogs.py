"""Questions that stand over the page: a question and what it is about in, the same question until it is answered out.

What is asked lies in a slot, so that a question stays open while the page behind it is drawn anew.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.ui import page, state

_SLOT = "asked"


def ask(question: str, about: str = "") -> None:
    """Open a question."""
    state.put(_SLOT, [question, about])


def close() -> None:
    """Put the question away."""
    state.put(_SLOT, None)


def asked(question: str) -> str | None:
    """What the open question is about; None when this one is not open."""
    found = state.get(_SLOT)
    return found[1] if found and found[0] == question else None


def show(title: str, body: Callable[[], None]) -> None:
    """Draw a question; `body` draws what is in it."""

    @st.dialog(title, on_dismiss=close)
    def drawn() -> None:
        # a dialog lies outside the part of the page that knows which theme is on
        st.html(f"<style>[data-testid='stDialog'] {{ color-scheme: {state.theme()}; }}</style>")
        with page.boundary():
            body()

    drawn()


def answer(label: str, act: Callable[[], object], *, key: str, disabled: bool = False) -> None:
    """The button that does it. The question goes away when that worked and stays, with the reason, when it did not."""
    if st.button(label, key=key, type="primary", disabled=disabled):
        act()
        close()
        st.rerun()
