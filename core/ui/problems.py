"""Quality: a data set in; a look for problems, and a card for each kind that was found with what can be done, out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.data.problems import of_all, of_classes, read_issues, standing
from core.data.quality import CHECKS
from core.data.table import Dataset
from core.errors import LabError
from core.plots.style import esc
from core.text import read
from core.train.events import Progress
from core.train.runs import Run, list_runs
from core.ui import cache, contents, live, page, problem_card, state


def show(dataset: Dataset, items: pd.DataFrame) -> None:
    """Offer to look, show the look that is going on, or what the last one found."""
    looks = [run for run in list_runs(dataset.workspace, "inspect") if run.request.get("dataset") == dataset.id]
    problem_card.say_done(dataset)
    if looks and not looks[0].ended:
        _going_on(looks[0], items)
        return
    finished = next((run for run in looks if run.state == "done"), None)
    if looks and looks[0].state != "done":
        _why(looks[0])
    if finished is None:
        _offer(dataset, items)
        return
    _found(dataset, items, finished)


def _offer(dataset: Dataset, items: pd.DataFrame) -> None:
    with st.container(key="card-look"):
        st.markdown(page.say("explore", "look", count=f"{len(items):,}"))
        page.note(read("explore", "look_note"))
        if st.button("Look for problems", key="explore.look.start", type="primary", icon=":material/troubleshoot:"):
            _start(dataset)


def _start(dataset: Dataset) -> None:
    with st.spinner(read("train", "starting")):
        cache.submit(dataset.workspace, "inspect", {"dataset": dataset.id, "version": dataset.version})
    st.rerun()


def _going_on(run: Run, items: pd.DataFrame) -> None:
    with st.container(key="card-look"):
        st.markdown(page.say("explore", "looking", count=f"{len(items):,}"))
        live.watch(run, _tick)


def _tick(run: Run) -> None:
    progress = next((event for event in reversed(state.events(run)) if isinstance(event, Progress)), None)
    st.html(live.progress_html(*live.phase(run, progress)))
    if not run.ended:
        live.stop_button(run)


def _why(run: Run) -> None:
    """Why the last look did not end well."""
    if run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
    else:
        page.see(read("explore", "look_stopped"), "attention")


def _found(dataset: Dataset, items: pd.DataFrame, run: Run) -> None:
    every = cache.tables().read(run.path / "issues.csv", read_issues)
    issues, classes = standing(every, items), of_classes(every, items)
    kinds = {name: rows for name in CHECKS if len(rows := issues[issues["check"] == name])}
    left, right = st.columns([4, 1], vertical_alignment="center")
    with left:
        page.see(_summary(issues, items), "attention" if len(issues) else "")
    with right:
        if st.button("Look again", key="explore.look.again", icon=":material/replay:", width="stretch"):
            _start(dataset)
    old = run.request.get("version") != dataset.version
    for note in [*([read("explore", "look_old")] if old else []), *map(esc, of_all(every))]:
        page.note(note)
    if kinds:
        st.html(contents.key())
    for name, rows in kinds.items():
        problem_card.show(dataset, CHECKS[name], rows)
    if classes:
        problem_card.show_classes(dataset, CHECKS["shortcut"], classes, items)
    fine = [check.title.lower() for name, check in CHECKS.items() if name not in {*every["check"]}]
    if fine:
        page.note(page.say("explore", "fine", checks=", ".join(fine)))


def _summary(issues: pd.DataFrame, items: pd.DataFrame) -> str:
    if not len(issues):
        return page.say("explore", "nothing", count=f"{len(items):,}")
    count = issues["item"].nunique()
    return page.say("explore", "found", count=f"{count:,}", of=f"{len(items):,}")
