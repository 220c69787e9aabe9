"""Your runs with their verdicts: one that has ended is chosen; its curve with the band, and its card, out."""

from __future__ import annotations

import streamlit as st

from core.data.table import Dataset
from core.diagnose.judge_run import judge_run
from core.text import read
from core.train.runs import Run, list_runs
from core.train.shelf import sorted_out
from core.ui import finding_card, forms, page, run_figure, run_rows, state
from core.ui.models import run_title

FIGURE_PX = 420
SHOWN = 30


def show(dataset: Dataset | None) -> None:
    """The newest runs that ended by themselves; the chosen one stays in the address."""
    kept, _ = sorted_out(list_runs(state.workspace(), "train"))
    runs = {run.id: run for run in kept if run.state in ("done", "diverged")
            and (dataset is None or run.request.get("dataset") == dataset.id)}  # fmt: skip
    if not runs:
        page.see(read("diagnose", "runs_none"))
        page.next_step("Train a model", "train", key="diagnose.train")
        return
    shown = list(runs)[:SHOWN]
    wanted = state.from_address("run")
    if wanted in runs and wanted not in shown:
        shown.append(wanted)
    forms.follow("diagnose.run", wanted if wanted in shown else shown[0])
    chosen = st.selectbox(
        "Run", shown, key="diagnose.run", format_func=lambda run: _title(runs[run]),
        on_change=lambda: state.to_address("run", st.session_state["diagnose.run"]),
    )  # fmt: skip
    state.to_address("run", chosen)
    _one(runs[str(chosen)])


def _title(run: Run) -> str:
    return f"{run_title(run)} · {run_rows.date(run.record['created'])}"


def _one(run: Run) -> None:
    told = run_rows.events_of(run)
    judged = judge_run(run, told)
    if judged is None:
        return
    left, right = st.columns([1.5, 1], gap="large")
    with left:
        run_figure.show(run, told, judged, key="diagnose.figure", height=FIGURE_PX)
    with right:
        finding_card.of_run(run, judged, key="runs")
