"""Work on data as it happens: an import, a sample or pictures being added in; how far it is and what came of it out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from core.data.url_list import UrlRow
from core.errors import LabError
from core.plots.style import counted, esc
from core.text import read
from core.train.events import DataReady, Progress
from core.train.runs import Run, read_events
from core.ui import cache, live, page, report, state

MAKE = ("import", "sample")
KINDS = (*MAKE, "add", "fetch")


def start(kind: str, request: Mapping[str, Any], **address: str) -> None:
    """Hand work on data to the engine, and go where it can be watched."""
    with st.spinner(read("train", "starting")):
        made = cache.submit(state.workspace(), kind, dict(request))
    state.put("job", made)
    state.put("new", None)
    page.go("build", job=made, **address)


def fetch(dataset_id: str, rows: Iterable[UrlRow], *, name: str) -> None:
    """Have addresses fetched into a set; `name` is the class they are for, or "" when the list names several."""
    request = {"dataset": dataset_id, "rows": [list(row) for row in rows], "name": name}
    start("fetch", request, dataset=dataset_id, part="bring", way="web")


def current() -> Run | None:
    """The work in the page's address, or what is going on; None when there is none.

    An import or a sample that is done has become the current data set and is nothing to look at any more.
    """
    run = live.current(KINDS, slot="job")
    if run is None:
        return None
    if run.kind in MAKE and run.state == "done":
        state.to_address("dataset", (run.result or {}).get("dataset"))
        state.to_address("job", None)
        return None
    if run.kind not in MAKE and not state.from_address("dataset"):
        state.to_address("dataset", run.request["dataset"])
    return run


def card(run: Run) -> None:
    """How far the work is, with a way to stop it; or what came of it, with a way to put that aside."""
    with st.container(key="card-job"):
        st.markdown(f"### {_title(run)}")
        if not run.ended:
            page.note(read("build", "working"))
            live.watch(run, _tick)
            return
        _outcome(run)
        label = "Choose again" if run.kind in MAKE else "Close"
        icon = ":material/replay:" if run.kind in MAKE else ":material/check:"
        st.button(label, key="build.again", icon=icon, on_click=close)


def close() -> None:
    """Put work that has ended aside."""
    state.to_address("job", None)


def _title(run: Run) -> str:
    if run.kind in MAKE:
        return esc(run.request["name"])
    label = run.request.get("label")
    return page.say("build", "adding", label=label) if label else read("build", "adding_folders")


def _tick(run: Run) -> None:
    events = state.events(run)
    progress = next((event for event in reversed(events) if isinstance(event, Progress)), None)
    st.html(live.progress_html(*live.phase(run, progress)))
    if not run.ended:
        live.stop_button(run)


def _outcome(run: Run) -> None:
    if run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
    elif run.state != "done":
        page.see(read("build", run.state if run.kind in MAKE else f"add_{run.state}"), "attention")
    else:
        _added(run)


def _added(run: Run) -> None:
    ready = next((event for event in read_events(run)[0] if isinstance(event, DataReady)), None)
    if ready is None:
        return
    page.see(page.say("build", "added", pictures=counted(ready.added, "picture")), "" if ready.added else "attention")
    for note in ready.notes:
        page.see(esc(note), "attention")
    report.rejections(ready.rejected, key="build.job.rejected")
