"""The search for suspects: a data set in, the model that looks at it, the run that looks, and what it found in order.

Tables are kept by the process, so that the next suspect costs no reading: a table that was replaced is read anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from core.data.table import Dataset, read_items, version_of
from core.interpret.orders import ALONE
from core.interpret.suspects import FILE, ORDERS, load_suspects
from core.train.events import Progress
from core.train.runs import Run, list_runs
from core.ui import cache as shared
from core.ui import state
from core.ui.live import phase, progress_html, stop_button
from core.ui.models import WEIGHTS
from core.workspace import lock

KIND = "suspects"
ORDER_TITLES = {"label_error": "Wrong labels", "loss": "By loss", "unsure": "Unsure", "duplicates": "Twins"}
Stamp = tuple[int, int, int]


@dataclass(frozen=True)
class Queue:
    """Suspects in the order in which they are shown.

    `table` has one row each; `place` tells an item's row, `twins` the rows of a group of copies.
    """

    table: pd.DataFrame
    place: Mapping[str, int]
    twins: Mapping[int, list[int]]

    def __len__(self) -> int:
        return len(self.table)


def models_of(dataset: Dataset) -> list[Run]:
    """The training runs on a data set that left a usable model, newest first."""
    return [
        run
        for run in list_runs(dataset.workspace, "train")
        if run.request.get("dataset") == dataset.id
        and run.ended
        and run.state != "diverged"
        and (run.path / WEIGHTS).is_file()
    ]


def chosen_model(found: list[Run]) -> Run:
    """The run of the page's address or slot when it is one of them, else the newest."""
    wanted = state.from_address("run")
    return next((run for run in found if run.id == wanted), found[0])


def trained_version(model: Run) -> str:
    """The version of the data set that a model was trained on; "" while its run has not begun."""
    path = model.path / "items.csv"
    if not path.is_file():
        return ""
    return warm().get((path, stamp(path), "version"), lambda: version_of(read_items(path)))


def searches_of(model: Run) -> list[Run]:
    """All searches with a model, newest first."""
    return [run for run in list_runs(model.workspace, KIND) if run.request.get("run") == model.id]


def start_search(model: Run, dataset: Dataset, *, against: str | None = None) -> str:
    """Let the engine look for suspects, unless it does so already; the run's id."""
    with lock(model.path, "This run"):
        for run in searches_of(model):
            if not run.ended and run.request.get("against") == against:
                return run.id
        request = {"run": model.id, "dataset": dataset.id, "against": against, "version": dataset.version}
        return shared.submit(dataset.workspace, KIND, request)


def progress(run: Run) -> None:
    """How far a run is, with a way to stop it."""
    events = state.events(run)
    last = next((event for event in reversed(events) if isinstance(event, Progress)), None)
    st.html(progress_html(*phase(run, last)))
    if not run.ended:
        stop_button(run)


def read_search(search: Run) -> pd.DataFrame:
    """What a search wrote down: one row per picture."""
    return shared.tables().read(search.path / FILE, lambda _: load_suspects(search))


def stamp(path: Path) -> Stamp:
    """What tells a file from the one that replaces it."""
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


@cache
def warm() -> shared.Warm:
    """What this process keeps about suspects."""
    return shared.Warm()


def labels_now(dataset: Dataset) -> Mapping[str, str]:
    """Item -> label of all pictures that count now."""
    path = dataset.path / "items.csv"
    return warm().get((path, stamp(path), "labels"), lambda: _labels(dataset))


def _labels(dataset: Dataset) -> Mapping[str, str]:
    kept = state.kept(dataset)
    return dict(zip(kept["item"], kept["label"], strict=True))


def queue(search: Run, dataset: Dataset, order: str) -> Queue:
    """What a search found, in an order, without pictures that have gone or got another label since."""
    path = dataset.path / "items.csv"
    return warm().get((search.path, path, stamp(path), order), lambda: _queue(search, dataset, order))


def _queue(search: Run, dataset: Dataset, order: str) -> Queue:
    table = ORDERS[order](read_search(search))
    kept = state.kept(dataset).set_index("item")[["label", "original_name"]]
    table = table[kept["label"].reindex(table["item"]).to_numpy() == table["label"].to_numpy()]
    names = kept["original_name"].reindex(table["item"]).to_numpy()
    table = table.assign(name=names).reset_index(drop=True)
    twins: dict[int, list[int]] = {}
    for row, group in enumerate(table["group"].tolist()):
        if group != ALONE:
            twins.setdefault(group, []).append(row)
    return Queue(table, {item: row for row, item in enumerate(table["item"])}, twins)


def is_old(search: Run, dataset: Dataset) -> bool:
    """Whether pictures came, went or got another label since a search."""
    path = dataset.path / "items.csv"
    return warm().get((search.path, path, stamp(path), "old"), lambda: _is_old(search, dataset))


def _is_old(search: Run, dataset: Dataset) -> bool:
    table = read_search(search)
    return dict(zip(table["item"], table["label"], strict=True)) != labels_now(dataset)


def rows_of(found: Queue, *, label: str | None, split: str | None, without: Mapping[str, str]) -> np.ndarray:
    """The rows of a queue with a label and a side, without items that were judged before."""
    keep = np.ones(len(found), dtype=bool)
    if label:
        keep &= (found.table["label"] == label).to_numpy()
    if split:
        keep &= (found.table["split"] == split).to_numpy()
    for item in without:
        if item in found.place:
            keep[found.place[item]] = False
    return np.flatnonzero(keep)
