"""What one session remembers: slots in, plain values out. Only this module touches the session state by name.

A slot holds ids and settings, never objects; the address of the page comes before a slot, so that a refresh, a second
tab or a link finds the same thing.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.data.table import Dataset, list_datasets, load_dataset, read_items
from core.errors import NotFound, WorkspaceError
from core.text import read
from core.train.events import Event
from core.train.runs import Run, read_events
from core.ui import cache
from core.ui.guests import MARK
from core.ui.identity import COOKIE, LOCAL, owner_of, signing_key
from core.workspace import Workspace


def cookie() -> str | None:
    """What this browser sent to say who it is."""
    return st.context.cookies.get(COOKIE)


def guest() -> bool:
    """Whether somebody looks at a laptop's app from elsewhere; only friends' pages are for them."""
    return MARK in st.context.headers


def workspace() -> Workspace:
    """The workspace of whoever looks at the page; every read of the app goes through it."""
    settings = cache.settings()
    if settings.profile == "laptop":
        if guest():
            raise WorkspaceError(read("shell", "guest"))
        return Workspace(settings.home, LOCAL)
    owner = owner_of(cookie(), signing_key(settings.home))
    if owner is None:
        raise WorkspaceError(read("shell", "no_cookie"))
    return Workspace(settings.home, owner)


def get(slot: str, default: Any = None) -> Any:
    """The value of a slot."""
    return st.session_state.get(f"slot.{slot}", default)


def put(slot: str, value: Any) -> None:
    """Remember a value under a slot's name; None forgets it."""
    if value is None:
        st.session_state.pop(f"slot.{slot}", None)
    else:
        st.session_state[f"slot.{slot}"] = value


def from_address(name: str) -> str | None:
    """A value of the page's address, such as the run in `/train?run=…`; the slot of that name when it has none."""
    return st.query_params.get(name) or get(name)


def to_address(name: str, value: str | None) -> None:
    """Put a value into the page's address and its slot; None takes it out of both."""
    put(name, value)
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value


def datasets() -> list[Dataset]:
    """All data sets of this owner, newest first."""
    return list_datasets(workspace())[::-1]


def dataset() -> Dataset | None:
    """The data set of the page's address, or the one chosen last, or the newest; None when there is none."""
    chosen = from_address("dataset")
    if chosen:
        try:
            return load_dataset(workspace(), chosen)
        except NotFound:
            to_address("dataset", None)
    found = datasets()
    return found[0] if found else None


def items(dataset: Dataset) -> pd.DataFrame:
    """All rows of a data set's table; only a table that has changed is read anew (20 to 40 ms at 10,000 rows)."""
    return cache.tables().read(dataset.path / "items.csv", read_items)


def kept(dataset: Dataset) -> pd.DataFrame:
    """The rows that count, as `Dataset.kept` has them, read like `items`."""
    table = items(dataset)
    return table[table["status"] == "kept"].reset_index(drop=True)


def events(run: Run) -> list[Event]:
    """What a run said so far; each call reads only what is new."""
    key = f"events.{run.id}"
    offset, known = st.session_state.get(key, (0, []))
    fresh, offset = read_events(run, offset)
    known = [*known, *fresh] if fresh else known
    for other in [name for name in st.session_state if str(name).startswith("events.") and name != key]:
        del st.session_state[other]
    st.session_state[key] = (offset, known)
    return known


def theme() -> str:
    """Either "light" or "dark", as the browser shows it."""
    return st.context.theme.type or "light"


def projector() -> bool:
    """Whether projector mode is on."""
    return bool(st.session_state.get("shell.projector"))
