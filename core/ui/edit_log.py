"""The log of edits: a data set's ledger in; a small table, and a file with every single change, out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.data.edits import history
from core.data.ledger import Entry
from core.data.table import Dataset
from core.text import read
from core.ui import report, state

COLUMNS = ("when", "edit", "picture", "what", "before", "after", "taken back")


def show(dataset: Dataset) -> None:
    """What was done so far, folded away."""
    entries = history(dataset)
    with st.expander(read("clean", "log"), icon=":material/history:"):
        table = pd.DataFrame(
            {
                "when": pd.to_datetime([entry.time for entry in entries], unit="s", utc=True),
                "what": [f"{entry.words} (taken back)" if entry.undone else entry.words for entry in entries],
                "pictures": [entry.count for entry in entries],
            }
        )
        columns = {
            "when": st.column_config.DatetimeColumn("When", format="calendar", timezone=st.context.timezone),
            "what": "What was done",
            "pictures": st.column_config.NumberColumn("Pictures"),
        }
        st.dataframe(
            table, hide_index=True, width="stretch", key="clean.log", height=min(320, 36 * (len(table) + 1)),
            column_config=columns,
        )  # fmt: skip
        st.download_button(
            "Save every change as CSV",
            data=lambda: report.csv_for_spreadsheets(changes(dataset, entries)),
            file_name="edits.csv",
            mime="text/csv",
            key="clean.log.csv",
            on_click="ignore",
        )


def changes(dataset: Dataset, entries: list[Entry]) -> pd.DataFrame:
    """One row per cell that an edit changed, newest edit first (columns: COLUMNS); times are UTC."""
    names = state.items(dataset).set_index("item")["original_name"].to_dict()
    rows = []
    for entry in entries:
        when = pd.Timestamp(entry.time, unit="s").strftime("%Y-%m-%d %H:%M:%S")
        undone = "yes" if entry.undone else "no"
        for item, column, before, after in entry.record.get("changes", ()):
            rows.append((when, entry.kind, names.get(item, item), column, before, after, undone))
    return pd.DataFrame(rows, columns=COLUMNS)
