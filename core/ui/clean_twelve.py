"""Twelve suspects at once: choose what a click does, click the pictures it is meant for, keep the rest."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.data.edits import Mark
from core.plots.style import esc
from core.text import read
from core.ui import apply_bar, gallery, page, state
from core.ui import desk as desks
from core.ui.desk import NUMBERED, Desk

AT_ONCE = 12
DELETE = "delete"


def show(desk: Desk) -> None:
    """The page of twelve that somebody is at."""
    first = desk.at() // AT_ONCE * AT_ONCE
    rows = [desk.row(at) for at in range(first, min(first + AT_ONCE, len(desk.rows)))]
    brush = _brushes(desk)
    st.html(_pictures(desk, rows))
    with st.container(key="tiles"):
        for row in rows:
            _tile(desk, row, brush)
    _move(desk, first, rows)
    apply_bar.show(desk)
    after = range(first + AT_ONCE, min(first + 2 * AT_ONCE, len(desk.rows)))
    st.html(
        '<div class="ahead" aria-hidden="true">'
        + "".join(f'<img src="{gallery.thumb_url(desk.row(at).file, desk.dataset.id)}" alt="">' for at in after)
        + "</div>"
    )


def _brushes(desk: Desk) -> str:
    """What a click does: delete, or give a class. The same keys as for one picture."""
    brush = state.get("clean.brush", DELETE)
    if brush != DELETE and brush not in desk.classes:
        brush = DELETE
    with st.container(horizontal=True, key="clean-brushes", vertical_alignment="center", gap="xsmall"):
        _brush("Delete", DELETE, brush, "d", icon=":material/delete:")
        for number, label in enumerate(desk.classes[:NUMBERED], start=1):
            _brush(esc(label), label, brush, str(number))
        if len(desk.classes) > NUMBERED:
            _other_brush(desk, brush)
        page.note(read("clean", "brush"))
    return brush


def _brush(title: str, value: str, brush: str, shortcut: str, icon: str | None = None) -> None:
    st.button(
        title, key=f"clean.brush.{shortcut}", icon=icon, shortcut=shortcut, on_click=state.put,
        type="primary" if value == brush else "secondary", args=("clean.brush", value),
    )  # fmt: skip


def _other_brush(desk: Desk, brush: str) -> None:
    others = list(desk.classes[NUMBERED:])
    key = f"clean.brush.other.{others.index(brush) if brush in others else 'none'}"
    st.selectbox(
        "Another class", others, index=others.index(brush) if brush in others else None, placeholder="Another class",
        key=key, on_change=lambda: state.put("clean.brush", st.session_state[key]), label_visibility="collapsed",
        width=200,
    )  # fmt: skip


def _pictures(desk: Desk, rows: list[Any]) -> str:
    """The pictures of the tiles, as backgrounds of their buttons."""
    rules = []
    for row in rows:
        src = gallery.thumb_url(row.file, desk.dataset.id)
        rules.append(f".st-key-tile-{_key(row)} button::before {{ background-image: url('{src}'); }}")
    return f"<style>{' '.join(rules)}</style>"


def _key(row: Any) -> str:
    return f"{row.file[:16]}-{row.split}"


def _tile(desk: Desk, row: Any, brush: str) -> None:
    """One picture as a button with its label and the model's guess, or with its mark."""
    made = desk.marks.pending.get(row.item)
    mark = Mark("delete", was=row.label) if brush == DELETE else desks.judged(row, brush)
    kind = made.action if made else "none"
    with st.container(key=f"tile-{_key(row)}"), st.container(key=f"marked-{kind}-{row.item}"):
        st.button(
            _words(row, made), key=f"clean.tile.{row.item}", width="stretch", on_click=desks.mark,
            args=(desk, {row.item: None if made == mark else mark}, row.item),
        )  # fmt: skip


def _words(row: Any, made: Mark | None) -> str:
    if made is not None:
        what = {"keep": "✓ keep", "delete": "✕ delete", "relabel": f"→ {esc(made.label)}"}[made.action]
        return f"{what}  \nwas {esc(row.label)}" if made.action == "relabel" else f"{what}  \n{esc(row.label)}"
    guess = "agrees" if row.suggested in ("", row.label) else f"or {esc(row.suggested)}?"
    return f"{esc(row.label)}  \n{guess}"


def _move(desk: Desk, first: int, rows: list[Any]) -> None:
    """Keep the rest of the page, turn the page, take back."""
    last = first + AT_ONCE >= len(desk.rows)
    then = desk.item(first + AT_ONCE) if not last else rows[0].item
    rest = {row.item: Mark("keep", was=row.label) for row in rows if row.item not in desk.marks.pending}
    page_of = f"{first // AT_ONCE + 1:,} of {-(-len(desk.rows) // AT_ONCE):,}"
    with st.container(horizontal=True, key="clean-move", vertical_alignment="center"):
        st.button(
            "Keep all the rest", key=f"clean.rest.{first}", icon=":material/check:", shortcut="k", disabled=not rest,
            on_click=desks.mark, args=(desk, rest, then),
        )  # fmt: skip
        st.button(
            "Back", key=f"clean.previous.{first}", shortcut="left", disabled=first == 0, on_click=desks.go,
            args=(desk, desk.item(first - AT_ONCE)),
        )  # fmt: skip
        st.button(
            "Next", key=f"clean.next.{first}", shortcut="right", disabled=last, on_click=desks.go, args=(desk, then)
        )
        st.button(
            "Undo", key=f"clean.undo.{first}", icon=":material/undo:", shortcut="u", on_click=desks.back, args=(desk,),
            disabled=not desk.marks.steps,
        )  # fmt: skip
        page.note(f"Page {page_of}")
