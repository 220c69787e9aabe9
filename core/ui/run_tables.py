"""All runs as one table, and files to take along: the table, and the epochs of the runs that are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.plots.style import SLOTS
from core.text import read
from core.ui import report, run_rows
from core.ui.run_rows import Row

ROW_PX, MOST_PX = 36, 420


def show(rows: Sequence[Row], slots: Mapping[int, Row]) -> None:
    """The table to read and to sort, and both files."""
    st.subheader(read("runs", "table"), anchor=False)
    table = overview(rows, slots)
    widths = {"run": 140, "data": 90, "version": 70, "differs": 200, "wrong": 75, "verdict": 150, "note": 200}
    columns = {
        **{name: st.column_config.TextColumn(name.capitalize(), width=width) for name, width in widths.items()},
        "": st.column_config.TextColumn(width=36),
        "error": st.column_config.NumberColumn("Error", format="%.1f %%", width=70),
        "seconds": st.column_config.NumberColumn("Seconds", format="%.1f", width=75),
        "begun": st.column_config.DatetimeColumn("Begun", format="calendar", timezone=st.context.timezone, width=130),
    }
    st.dataframe(
        table.assign(error=100 * table["error"]),
        hide_index=True,
        width="stretch",
        key="runs.table",
        height=min(MOST_PX, ROW_PX * (len(table) + 1)),
        column_config=columns,
    )
    with st.container(horizontal=True, key="runs-files"):
        _file("Save the table as CSV", lambda: report.csv_for_spreadsheets(overview(rows, slots)), "runs.csv")
        if any(row.facts.epochs for row in slots.values()):
            _file(
                "Save the epochs of the chosen runs", lambda: report.csv_for_spreadsheets(epochs(slots)), "epochs.csv"
            )


def _file(label: str, data: object, name: str) -> None:
    st.download_button(
        label, data=data, file_name=name, mime="text/csv", key=f"runs.save.{name}", on_click="ignore"
    )  # fmt: skip


def overview(rows: Sequence[Row], slots: Mapping[int, Row]) -> pd.DataFrame:
    """One row per run, newest first; times are UTC, errors shares."""
    letters = {row.run.id: SLOTS[slot] for slot, row in slots.items()}
    return pd.DataFrame(
        {
            "": [letters.get(row.run.id, "") for row in rows],
            "run": [row.name for row in rows],
            "data": [row.dataset for row in rows],
            "version": [row.version for row in rows],
            "differs": [", ".join(row.differs) for row in rows],
            "wrong": ["" if row.facts.wrong is None else f"{row.facts.wrong} of {row.facts.of}" for row in rows],
            "error": pd.array([None if row.facts.wrong is None else row.error for row in rows], dtype="Float64"),
            "seconds": [row.facts.seconds for row in rows],
            "verdict": [row.standing for row in rows],
            "begun": pd.to_datetime([row.run.record["created"] for row in rows], unit="s", utc=True),
            "note": [" ".join(row.run.note.split()) for row in rows],
        }
    )


def epochs(slots: Mapping[int, Row]) -> pd.DataFrame:
    """One row per epoch of the chosen runs: slot, run, then the columns of an epoch table."""
    tables = [
        run_rows.events_of(row.run).epochs.assign(slot=SLOTS[slot], run=row.name, id=row.run.id)
        for slot, row in sorted(slots.items())
    ]
    table = pd.concat(tables, ignore_index=True)
    first = ["slot", "run", "id"]
    return table[[*first, *(name for name in table.columns if name not in first)]]
