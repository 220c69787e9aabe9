"""A set as a whole: its name, its file to take along, what was done to it so far, and its end."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from core.data.catalogue import delete_dataset, rename_dataset
from core.data.edits import history
from core.data.ledger import Entry
from core.data.table import Dataset
from core.errors import JobError
from core.plots.style import counted, esc
from core.text import read
from core.train.runs import list_runs
from core.ui import dialogs, page, state

SHORT = 8  # characters of a version


def show(dataset: Dataset) -> None:
    """The file to take along and the name; under "More" the versions, what was done, and the way to delete the set."""
    if dataset.classes:
        _download(dataset)
    _name(dataset)
    with st.expander("More", icon=":material/history:"):
        _versions(dataset)
        _history(history(dataset))
        st.button(
            "Delete this data set", key="take.delete", icon=":material/delete_forever:", on_click=dialogs.ask,
            args=("delete_dataset", dataset.id),
        )  # fmt: skip
    if dialogs.asked("delete_dataset") == dataset.id:
        dialogs.show(f"Delete {esc(dataset.name)}?", partial(_ask_to_delete, dataset))


def _download(dataset: Dataset) -> None:
    with st.container(key="card-take"):
        page.note(page.say("build", "take", pictures=_pictures(dataset)))
        st.html(
            f'<a class="download" href="/export/{dataset.id}.zip" download>Download {esc(dataset.name)} as a zip</a>'
        )


def _pictures(dataset: Dataset) -> str:
    return counted(len(state.kept(dataset)), "picture")


def _name(dataset: Dataset) -> None:
    with st.form("take.rename", border=False):
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        name = left.text_input("Name of the set", value=dataset.name, key=f"take.name.{dataset.id}", max_chars=64)
        if right.form_submit_button("Rename", key="take.rename.do", icon=":material/edit:", width="stretch"):
            rename_dataset(dataset, name)
            st.rerun()


def _versions(dataset: Dataset) -> None:
    came = page.say("build", "came_from", parent=dataset.parent[:SHORT]) if dataset.parent else ""
    page.note(page.say("build", "version", version=dataset.version[:SHORT]) + " " + came)


def _history(entries: list[Entry]) -> None:
    table = pd.DataFrame(
        {
            "when": pd.to_datetime([entry.time for entry in entries], unit="s", utc=True),
            "what": [_words(entry) for entry in entries],
            "pictures": [entry.count for entry in entries],
        }
    )
    when = st.column_config.DatetimeColumn("When", format="calendar", timezone=st.context.timezone)
    st.dataframe(
        table, hide_index=True, key="take.history", width="stretch", height=min(320, 36 * (len(table) + 1)),
        column_config={"when": when, "what": "What was done", "pictures": st.column_config.NumberColumn("Pictures")},
    )  # fmt: skip


def _words(entry: Entry) -> str:
    words = read("build", "made_empty") if entry.kind == "import" and not entry.count else entry.words
    return f"{words} (taken back)" if entry.undone else words


def _ask_to_delete(dataset: Dataset) -> None:
    runs = [run for run in list_runs(dataset.workspace) if run.request.get("dataset") == dataset.id]
    trained = sum(run.kind == "train" for run in runs)
    page.see(page.say("build", "delete", pictures=_pictures(dataset), name=dataset.name), "attention")
    if trained:
        page.note(page.say("build", "delete_runs", runs=counted(trained, "run")))
    dialogs.answer("Delete it for good", partial(_delete, dataset), key="take.delete.do")


def _delete(dataset: Dataset) -> None:
    going_on = [run for run in list_runs(dataset.workspace) if not run.ended]
    if any(run.request.get("dataset") == dataset.id for run in going_on):
        raise JobError("Something is still at work on this data set.", hint="Stop it or wait until it is done.")
    delete_dataset(dataset)
    for slot in ("dataset", "part", "job"):
        state.to_address(slot, None)
