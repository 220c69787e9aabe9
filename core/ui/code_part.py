"""Show the code: a training run in; the script that repeats it, to read and to take along, out."""

from __future__ import annotations

import streamlit as st

from core.deploy.script import script_of
from core.errors import LabError
from core.plots.style import esc
from core.text import read
from core.train.runs import Run
from core.ui import page

CODE_PX = 520


def show(run: Run) -> None:
    """The script of a run that is over, folded away, and its pictures; where there can be none, a sentence."""
    if not run.ended:
        return
    box = st.expander(read("train", "code_title"), icon=":material/code:", key=f"code.{run.id}", on_change="rerun")
    if box.open:  # only then is it worth reading all that the run has said
        with box, page.boundary():
            _show(run)


def _show(run: Run) -> None:
    try:
        text = script_of(run)
    except LabError as error:
        page.note(esc(f"{error.message} {error.hint or ''}"))
        return
    page.note(page.say("train", "code_what", lines=len(text.splitlines())))
    with st.container(horizontal=True, vertical_alignment="center", key="code-take"):
        st.html(f'<a class="download" href="/pictures/{run.id}.zip" download>{read("train", "code_pictures")}</a>')
        st.download_button(
            read("train", "code_script"), data=text, file_name="train.py", mime="text/x-python",
            key=f"code.script.{run.id}", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    page.note(read("train", "code_run"))
    st.code(text, language="python", height=CODE_PX)
