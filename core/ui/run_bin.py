"""Deleting a run, taking that back at once or later, and removing one for good."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from core.errors import NotFound
from core.plots.style import esc
from core.text import read
from core.train import shelf
from core.train.runs import Run, load_run
from core.ui import dialogs, page, state
from core.ui.models import dataset_name, run_name
from core.ui.run_rows import date

_DELETED = "runs.deleted"
AT_ONCE = 20


def delete(run: Run) -> None:
    """Put a run into the bin. Called by a button, before the page is drawn again."""
    with page.boundary():
        shelf.delete(run)
        state.to_address("compare", None)
        state.put(_DELETED, run.id)


def restore(run: Run) -> None:
    """Take a run out of the bin and look at it."""
    with page.boundary():
        shelf.restore(run)
        done()
        state.to_address("compare", run.id)


def done() -> None:
    """Whoever does something else does not want to take the last deletion back."""
    state.put(_DELETED, None)


def undo_bar() -> None:
    """What was deleted just now, with the way back."""
    wanted = state.get(_DELETED)
    if wanted is None:
        return
    try:
        run = load_run(state.workspace(), wanted, binned=True)
    except NotFound:
        return
    if not run.binned:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="runs-back"):
        page.see(page.say("runs", "deleted", name=run_name(run)), "attention")
        st.button("Undo", key="runs.undo", icon=":material/undo:", on_click=partial(restore, run))


def show(runs: Sequence[Run]) -> None:
    """The bin, folded away; nothing when it is empty."""
    if not runs:
        return
    with st.expander(page.say("runs", "bin", count=len(runs)), icon=":material/delete:"):
        page.note(read("runs", "bin_note"))
        for run in runs[:AT_ONCE]:
            with st.container(horizontal=True, vertical_alignment="center", key=f"runs-binned-{run.id}"):
                st.html(f'<p class="binned">{_line(run)}</p>')
                st.button(
                    "Restore", key=f"runs.restore.{run.id}", icon=":material/undo:", on_click=partial(restore, run)
                )
                st.button(
                    "Remove for good", key=f"runs.forget.{run.id}", icon=":material/delete_forever:",
                    on_click=dialogs.ask, args=("forget_run", run.id),
                )  # fmt: skip
        if len(runs) > AT_ONCE:
            page.note(page.say("runs", "bin_more", count=len(runs) - AT_ONCE))
    asked = next((run for run in runs if dialogs.asked("forget_run") == run.id), None)
    if asked is not None:
        dialogs.show("Remove it for good?", partial(_ask_to_forget, asked))


def _line(run: Run) -> str:
    wrong, of = ((run.result or {}).get(name) for name in ("wrong", "of"))
    facts = [dataset_name(run), "" if wrong is None else f"{wrong} of {of} wrong", f"deleted {date(run.binned or 0.0)}"]
    return f"<b>{esc(run_name(run))}</b> · {' · '.join(esc(fact) for fact in facts if fact)}"


def _ask_to_forget(run: Run) -> None:
    page.see(page.say("runs", "forget", name=run_name(run)), "attention")
    dialogs.answer("Remove it for good", partial(shelf.forget, run), key="runs.forget.do")
