"""The bar below the suspects: what is marked in words, Apply, and the way to forget it all."""

from __future__ import annotations

import streamlit as st

from core.data.marks import Marks, apply_marks, forget_marks
from core.text import read
from core.ui import page, suspects
from core.ui.desk import Desk


def show(desk: Desk) -> None:
    """What Apply would do, with Apply and the way to forget it all."""
    marks = desk.marks
    with st.container(key="clean-summary", horizontal=True, vertical_alignment="center"):
        if not marks.pending:
            page.note(read("clean", "marks_none"))
            return
        st.html(f'<p class="marked">{_counted(marks)}</p>')
        if st.button("Apply", key="clean.apply", type="primary", icon=":material/done_all:"):
            with st.spinner(read("clean", "applying")):
                apply_marks(desk.dataset)
            st.rerun()
        with st.popover("Forget", type="tertiary"):
            label = f"Yes, forget all {len(marks.pending)} marks"
            st.button(label, key="clean.forget", on_click=_forget, args=(desk,))
    left = _emptied(desk)
    if left:
        page.see(page.say("clean", "empties", labels=", ".join(left)), "attention")


def _forget(desk: Desk) -> None:
    with page.boundary():
        forget_marks(desk.dataset)


def _counted(marks: Marks) -> str:
    """What is marked, as 3 to delete, 5 to relabel, 2 kept."""
    parts = [
        (marks.count("delete"), "to delete"),
        (marks.count("relabel"), "to relabel"),
        (marks.count("keep"), "kept"),
    ]
    return ", ".join(f"<b>{count}</b> {words}" for count, words in parts if count)


def _emptied(desk: Desk) -> list[str]:
    """The classes that would have no picture left."""
    if not desk.marks.changes:
        return []
    after = dict(suspects.labels_now(desk.dataset))
    for item, made in desk.marks.pending.items():
        if made.action == "delete":
            after.pop(item, None)
        elif made.action == "relabel":
            after[item] = made.label
    return sorted(set(desk.dataset.classes) - set(after.values()))
