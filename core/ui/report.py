"""The report on a data set: its table and the import's last event in, counts, pictures and reasons out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from core.data.shelf import read_report
from core.data.table import Dataset
from core.data.text_table import guarded
from core.plots.style import counted, esc, number
from core.text import read
from core.train.events import DataReady
from core.train.runs import list_runs, read_events
from core.ui import gallery, page, state

CLASSES_AT_ONCE = 8
ENOUGH, UNBALANCED = 10, 3


def made_by(dataset: Dataset) -> DataReady | None:
    """What the import or sample that made a data set said last; None when its run is gone."""
    for run in list_runs(dataset.workspace):
        if run.kind in ("import", "sample") and (run.result or {}).get("dataset") == dataset.id:
            return next((event for event in read_events(run)[0] if isinstance(event, DataReady)), None)
    return None


def show(dataset: Dataset) -> None:
    """Counts for each class, twelve pictures of each, and why files could not be used."""
    items = state.items(dataset)
    kept = items[items["status"] == "kept"]
    if kept.empty:
        page.see(read("build", "no_pictures"), "attention")
    else:
        _counts(dataset, items, kept)
    ready = made_by(dataset)
    for note in ready.notes if ready is not None else ():
        page.see(esc(note), "attention")
    rejections(rejected(dataset, ready), key="build.rejected")
    if len(kept):
        classes = _some(list(dataset.classes))
        st.html(gallery.class_rows(dataset, kept, classes))
        page.challenge("build")


def rejected(dataset: Dataset, ready: DataReady | None) -> Sequence[Mapping[str, str]]:
    """Every file that could not be used since the set was made, from the report that lies beside it."""
    listed = read_report(dataset.path / "rejected" / "report.csv")
    return [{"name": one["name"], "reason": one["reason"]} for one in listed] or (ready.rejected if ready else ())


def _counts(dataset: Dataset, items: pd.DataFrame, kept: pd.DataFrame) -> None:
    counts = kept["label"].value_counts()
    train = int((kept["split"] == "train").sum())
    values = {
        "kept": counted(len(kept), "picture"),
        "classes": counted(len(counts), "class", "classes"),
        "train": f"{train:,}",
        "valid": f"{len(kept) - train:,}",
    }
    if dataset.trainable:
        page.see(page.say("build", "report", **values))
    else:
        page.see(page.say("build", "one_class", kept=values["kept"], label=counts.index[0]), "attention")
    if off := sorted(items.loc[items["status"] == "off", "label"].unique()):
        page.see(page.say("build", "off", classes=some_of(off)), "attention")
    _remarks(counts)


def some_of(names: Sequence[str], most: int = 3) -> str:
    """A few names as words: "cat, dog, owl and 3 more"."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def _remarks(counts: pd.Series) -> None:
    smallest, largest = int(counts.min()), int(counts.max())
    if smallest < ENOUGH:
        page.see(page.say("build", "few", pictures=counted(smallest, "picture"), label=counts.idxmin()), "attention")
    if largest >= UNBALANCED * smallest:
        page.see(page.say("build", "unbalanced", ratio=number(largest / smallest)), "attention")


def _some(classes: list[str]) -> list[str]:
    """All classes, or one page of them when there are many."""
    if len(classes) <= CLASSES_AT_ONCE:
        return classes
    pages = -(-len(classes) // CLASSES_AT_ONCE)
    shown = st.pagination(pages, key="build.page")
    return classes[(shown - 1) * CLASSES_AT_ONCE : shown * CLASSES_AT_ONCE]


def rejections(rejected: Sequence[Mapping[str, str]], *, key: str) -> None:
    """What could not be used and why, to read and to take away as a table."""
    if not rejected:
        return
    table = pd.DataFrame([dict(row) for row in rejected])
    with st.expander(page.say("build", "rejected", count=len(table)), icon=":material/report:"):
        st.dataframe(table, hide_index=True, width="stretch", key=key)
        st.download_button(
            "Save as CSV",
            data=lambda: csv_for_spreadsheets(table),
            file_name="rejected.csv",
            mime="text/csv",
            key=f"{key}.csv",
            on_click="ignore",
        )


def csv_for_spreadsheets(table: pd.DataFrame) -> str:
    """A table as CSV in which no cell can be taken for a formula: such cells begin with an apostrophe.

    A file called `=1+2.jpg` becomes `'=1+2.jpg`.
    """
    safe = table.map(lambda cell: guarded(cell) if isinstance(cell, str) else cell)
    return safe.to_csv(index=False, lineterminator="\n")
