"""Which pages somebody has opened, for those that leave no other trace: one small file beside their data sets."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping

import streamlit as st

from core.errors import WorkspaceError
from core.ui import state
from core.workspace import Workspace, lock, read_json, write_json

FILE = "visits.json"
_SLOT = "visits"


def opened(workspace: Workspace) -> Mapping[str, float]:
    """Page -> when this owner first opened it, in unix seconds; of a file that cannot be read, nothing."""
    with contextlib.suppress(WorkspaceError, OSError):
        found = read_json(workspace.root / FILE).get("pages")
        return found if isinstance(found, dict) else {}
    return {}


def remember(page: str) -> None:
    """Note that a page was opened, once. A mark is not worth a page: where it cannot be written, there is none."""
    seen: set[str] = st.session_state.setdefault(_SLOT, set())
    if page in seen:
        return
    seen.add(page)
    with contextlib.suppress(WorkspaceError, OSError):
        workspace = state.workspace()
        if page in opened(workspace):
            return
        workspace.root.mkdir(parents=True, exist_ok=True)
        with lock(workspace.root, "Your workspace"):
            write_json(workspace.root / FILE, {"pages": {**opened(workspace), page: time.time()}})
