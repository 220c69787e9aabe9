"""The glossary on a page: a term or a piece of one in the address in, its entry and all that hold it out."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.plots.style import esc
from core.text import read
from core.text.glossary import Entry, entries, linked, search
from core.ui import page, state

CHARS = 40


def show() -> None:
    """The term of the address, large; a field to look for others; all that fit, by the alphabet."""
    wanted = entries().get(state.from_address("term") or "")
    if wanted is not None:
        with st.container(key="card-term"):
            st.markdown(_card(wanted))
    typed = st.text_input("Look for", placeholder="for example rate", key="glossary.search", max_chars=CHARS)
    found = search(typed)
    if not found:
        page.note(read("glossary", "none"))
        return
    half = -(-len(found) // 2)
    for column, some in zip(st.columns(2, gap="large"), (found[:half], found[half:]), strict=True):
        with column:
            st.markdown(_list(some))


def _card(entry: Entry) -> str:
    """A term with everything about it; other terms in it are links."""
    formula = f"\n\n{entry.formula}" if entry.formula else ""
    also = f"\n\n*also: {esc(', '.join(entry.also))}*" if entry.also else ""
    return f"### {entry.term}\n\n{linked(entry.meaning, but=entry.slug)}{formula}{also}\n\n{_where(entry)}"


def _list(some: Sequence[Entry]) -> str:
    return "\n\n".join(_line(entry) for entry in some)


def _line(entry: Entry) -> str:
    formula = f" {entry.formula}" if entry.formula else ""
    return f"**{entry.term}**: {entry.meaning}{formula} {_where(entry)}"


def _where(entry: Entry) -> str:
    """Links to the pages that use a term."""
    return " · ".join(f"[{page.PAGES[name].title}](/{name})" for name in entry.pages)
