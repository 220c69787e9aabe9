"""Addresses of pictures: a pasted or uploaded list in; what was understood of it and, if wanted, a fetch out."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.data.text_table import decode
from core.data.url_list import UrlList, parse
from core.errors import DataError
from core.plots.style import counted
from core.text import read
from core.train.runs import Run, list_runs
from core.ui import choices, jobs, page, report, state, uploads

SNIPPET = Path(__file__).with_name("collect.js")
MAX_MB = 2  # of a list that is shown in a box
EARLIER = 5


def show(dataset: Dataset) -> None:
    """The list, its class, what was understood, and the helper that collects addresses from a page."""
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        known = choices.class_names(dataset)
        label = choices.class_name(known, key="bring.class", placeholder="The list names the classes")
        page.note(read("build", "bring_web"))
        _uploader()
    with right:
        typed = _box()
        if typed.strip():
            _understood(dataset, parse(typed, label=label), label)
    helper(expanded=not typed.strip())
    _earlier(dataset)


def _key(name: str) -> str:
    return f"list.{name}.{state.get('build.round', 0)}"


def _box() -> str:
    return st.text_area(
        "Addresses",
        height=190,
        key=_key("text"),
        placeholder=read("build", "list_example").format(web="https://"),
        label_visibility="collapsed",
    )


def _uploader() -> None:
    st.file_uploader(
        "A list",
        type=["txt", "csv", "tsv"],
        key=_key("file"),
        label_visibility="collapsed",
        max_upload_size=MAX_MB,
        on_change=_take_file,
    )


def _take_file() -> None:
    """Put the text of an uploaded list into the box, where it can be read and changed; the file itself is forgotten."""
    file = st.session_state[_key("file")]
    if file is None:
        return
    with page.boundary():
        data = file.getvalue()
        uploads.forget_uploads()
        if len(data) > MAX_MB * 2**20:
            raise DataError(f"The list has more than {MAX_MB} MB.", hint="Cut it into several.")
        st.session_state[_key("text")] = decode(data)


def _understood(dataset: Dataset, found: UrlList, label: str | None) -> None:
    """How many addresses for which classes, the lines that cannot be used, and the button that fetches."""
    counts = pd.Series([row.label for row in found.rows], dtype=str).value_counts()
    if len(counts):
        named = report.some_of([f"{name} ({count:,})" for name, count in counts.items()])
        page.see(page.say("build", "understood", addresses=_addresses(len(found.rows)), classes=named))
    else:
        page.see(read("build", "understood_none"), "attention")
    for note in found.notes:
        page.note(note)
    if found.problems:
        with st.expander(page.say("build", "problems", count=len(found.problems)), expanded=not len(counts)):
            table = pd.DataFrame(found.problems, columns=["line", "reason"])
            st.dataframe(table, hide_index=True, width="stretch", key="list.problems", height="content")
    if st.button(
        f"Fetch {counted(len(found.rows), 'picture')}", key="list.fetch", type="primary", icon=":material/download:",
        disabled=not found.rows,
    ):  # fmt: skip
        uploads.forget_uploads()
        jobs.fetch(dataset.id, found.rows, name=label or "")


def helper(*, expanded: bool) -> None:
    """Three steps to a list of addresses: open a page's console, paste the snippet, bring the file here."""
    with st.expander("Collect addresses from a page", icon=":material/terminal:", expanded=expanded):
        left, right = st.columns([1, 1], gap="medium")
        with left:
            st.markdown(read("build", "collect"))
        with right:
            st.code(SNIPPET.read_text(encoding="utf-8"), language="javascript", height=150)
            with st.container(key="collect-keys"):
                st.markdown(read("build", "collect_keys"))
        page.note(read("build", "collect_fair"))


def _earlier(dataset: Dataset) -> None:
    """The lists that were fetched into this set before, to look at or to go on with."""
    lists = [run for run in list_runs(dataset.workspace, "fetch") if run.request["dataset"] == dataset.id]
    if not lists or (len(lists) == 1 and lists[0].id == state.from_address("job")):
        return
    with st.expander(page.say("build", "earlier", count=len(lists)), icon=":material/history:"):
        for run in lists[:EARLIER]:
            if st.button(_title(run), key=f"list.open.{run.id}", type="tertiary"):
                page.go("build", job=run.id, dataset=dataset.id, part="bring", way="web")


def _title(run: Run) -> str:
    added = (run.result or {}).get("added")
    told = f"{added:,} new" if added is not None else run.state
    addresses = _addresses(len(run.request["rows"]))
    return page.say("build", "earlier_one", addresses=addresses, label=run.request["name"] or "…", told=told)


def _addresses(count: int) -> str:
    return counted(count, "address", "addresses")
