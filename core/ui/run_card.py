"""One run that was chosen: its name and its note to write, and the ways on from it."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.text import read
from core.train.aspects import checkpoint_words
from core.train.runs import BEST, LAST, Run, save_point
from core.train.shelf import NAME_MAX, NOTE_MAX, annotate, rename
from core.ui import page, run_bin
from core.ui.run_rows import Row


def show(row: Row) -> None:
    """Name and note on the left, the ways on at the right."""
    with st.container(key="card-run"):
        left, right = st.columns([1.55, 1], gap="large")
        with left:
            _written(row)
        with right:
            _ways_on(row)


def _written(row: Row) -> None:
    run = row.run
    with st.form(f"runs.written.{run.id}", border=False):
        name = st.text_input("Name", run.name, key=f"runs.name.{run.id}", max_chars=NAME_MAX, placeholder=row.name)
        note = st.text_area(
            "Note", run.note, key=f"runs.note.{run.id}", max_chars=NOTE_MAX, height=96,
            placeholder=read("runs", "note_hint"),
        )  # fmt: skip
        if st.form_submit_button("Save", key=f"runs.save.{run.id}", icon=":material/edit_note:"):
            with page.boundary():
                annotate(rename(run, name), note)
                st.rerun()


def _ways_on(row: Row) -> None:
    run, files = row.run, checkpoints(row.run)
    if run.ended and run.state != "diverged" and LAST in files:
        page.next_step("Try it on a picture", "predict", key="runs.predict", width="stretch", model=run.id)
    if st.button("Open in Train", key="runs.open", icon=":material/show_chart:", width="stretch"):
        page.go("train", run=run.id)
    if run.ended and files:
        _go_on(run, files)
    st.button(
        "Delete", key="runs.delete", icon=":material/delete:", width="stretch", disabled=not run.ended,
        help=None if run.ended else read("runs", "going_on"), on_click=partial(run_bin.delete, run),
    )  # fmt: skip


def _go_on(run: Run, files: list[str]) -> None:
    """A new run from one of the weights of this one."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="runs-start"):
        file = files[0]
        if len(files) > 1:
            file = st.selectbox("Weights", files, format_func=checkpoint_words, key=f"runs.file.{run.id}") or file
        if st.button("Go on from it", key="runs.start", icon=":material/fork_right:", width="stretch"):
            page.go("train", start=f"{run.id}:{file}")


def checkpoints(run: Run) -> list[str]:
    """The files of weights that a run has saved: the last, the best, then one for each stage."""
    stages = [save_point(stage) for stage in range(len(run.request["settings"]["stages"]))]
    return [name for name in (LAST, BEST, *stages) if (run.path / name).is_file()]
