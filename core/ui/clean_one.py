"""One suspect at a time: the picture, what speaks for and against its label, and large buttons with keys."""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.data.edits import Mark
from core.plots.style import esc
from core.text import read
from core.ui import apply_bar, page, suspect_card
from core.ui import desk as desks
from core.ui.desk import NUMBERED, Desk


def show(desk: Desk) -> None:
    """The suspect somebody is at."""
    at = desk.at()
    row = desk.row(at)
    left, right = st.columns([1.1, 1], gap="medium")
    with left:
        st.html(_picture(desk, row))
    with right, st.container(key="clean-side"):
        with st.container(key="clean-facts"):
            st.html(_facts(desk, at, row))
        with st.container(key="clean-act", gap="xsmall"):
            _act(desk, at, row)
        apply_bar.show(desk)
    nearby = [desk.row(other).file for other in range(at + 1, min(at + 1 + suspect_card.AHEAD, len(desk.rows)))]
    st.html(suspect_card.ahead(nearby, desk.dataset.id))


def _picture(desk: Desk, row: Any) -> str:
    """The suspect; among twins, beside the others of its group."""
    made = desk.marks.pending
    rows = desk.twins(row) if desk.order == "duplicates" else []
    if not rows:
        return suspect_card.picture(row, desk.dataset.id, made.get(row.item))
    own = suspect_card.picture(row, desk.dataset.id, made.get(row.item), title=f"This one: {row.label}")
    return suspect_card.beside(own, rows, desk.dataset.id, made)


def _facts(desk: Desk, at: int, row: Any) -> str:
    count = desk.looking_wrong
    odd = f" · {count:,} look{'s' if count == 1 else ''} wrong" if desk.order == "label_error" else ""
    position = f'<p class="position"><b>{at + 1:,}</b> of {len(desk.rows):,}{odd}</p>'
    bars = suspect_card.bars(row, desk.order, len(desk.dataset.classes))
    return position + suspect_card.verdict(row) + suspect_card.reason(row) + bars


def _act(desk: Desk, at: int, row: Any) -> None:
    """Keep, delete, relabel, move, take back. Keys of the buttons name the item: a late click never hits another."""
    then, made = desk.item(at + 1), desk.marks.pending.get(row.item)
    with st.container(horizontal=True, key="clean-judge", gap="xsmall"):
        _button(desk, "Keep", "keep", row, Mark("keep", was=row.label), then, made, icon="check", shortcut="k")
        _button(desk, "Delete", "delete", row, Mark("delete", was=row.label), then, made, icon="delete", shortcut="d")
    numbered = _numbered(desk, row)
    with st.container(horizontal=True, key="clean-classes", gap="xsmall"):
        for number, label in enumerate(numbered, start=1):
            mark = desks.judged(row, label)
            _button(desk, esc(label), f"to{number}", row, mark, then, made, shortcut=str(number))
    others = [label for label in desk.classes if label not in numbered]
    if others:
        _other_class(desk, row, others, then)
    with st.container(horizontal=True, key="clean-move", gap="xsmall"):
        _move(desk, "Back", "previous", row, desk.item(at - 1), "left", at == 0)
        _move(desk, "Next", "next", row, then, "right", at + 1 >= len(desk.rows))
        st.button(
            "Undo", key=f"clean.undo.{row.item}", icon=":material/undo:", shortcut="u", width="stretch",
            on_click=desks.back, args=(desk,), disabled=not desk.marks.steps,
        )  # fmt: skip
    if at + 1 >= len(desk.rows) and made is not None:
        page.note(read("clean", "last"))


def _button(
    desk: Desk, title: str, name: str, row: Any, mark: Mark, then: str, made: Mark | None, *, shortcut: str,
    icon: str | None = None,
) -> None:  # fmt: skip
    st.button(
        title,
        key=f"clean.{name}.{row.item}",
        icon=f":material/{icon}:" if icon else None,
        type="primary" if made == mark else "secondary",
        shortcut=shortcut,
        width="stretch",
        on_click=desks.mark,
        args=(desk, {row.item: mark}, then),
    )


def _move(desk: Desk, title: str, name: str, row: Any, item: str, shortcut: str, disabled: bool) -> None:
    st.button(
        title, key=f"clean.{name}.{row.item}", shortcut=shortcut, width="stretch", on_click=desks.go,
        args=(desk, item), disabled=disabled,
    )  # fmt: skip


def _numbered(desk: Desk, row: Any) -> list[str]:
    """The classes on the keys 1 to 9: all of them, or the likeliest nine for this picture when there are more."""
    if len(desk.classes) <= NUMBERED:
        return list(desk.classes)
    likely = [label for label in (row.suggested, row.predicted, row.fold_guess, row.second) if label in desk.classes]
    return list(dict.fromkeys([*likely, *desk.classes]))[:NUMBERED]


def _other_class(desk: Desk, row: Any, others: list[str], then: str) -> None:
    key = f"clean.other.{row.item}"

    def choose() -> None:
        desks.mark(desk, {row.item: desks.judged(row, st.session_state[key])}, then)

    st.selectbox(
        "Another class", others, index=None, placeholder="Another class", key=key, on_change=choose,
        label_visibility="collapsed",
    )  # fmt: skip
