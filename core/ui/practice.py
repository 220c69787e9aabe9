"""Practice: bears with known mistakes, made in one click; after cleaning them, a score with the pictures."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.data import ledger
from core.data.catalogue import free_name
from core.data.practice import Score, answer_key, is_practice, practice_request, score
from core.data.table import Dataset
from core.errors import LabError
from core.plots.style import esc
from core.text import read
from core.train.runs import Run, list_runs
from core.ui import cache, gallery, live, page, state, suspects
from core.ui.suspects import progress

SHOWN, NAME = 24, "practice"
SLOT, SCORE = "practice", "clean.scored"


def making() -> bool:
    """Whether a practice set is being made here; then this shows how far it is. One that is done becomes current."""
    if not state.from_address(SLOT):
        return False
    run = live.current(("sample",), slot=SLOT)
    if run is None:
        return False
    if run.state == "done":
        state.to_address("dataset", (run.result or {}).get("dataset"))
        _put_aside()
        return False
    with st.container(key="card-practice"):
        if run.ended:
            _failed(run)
        else:
            page.note(read("clean", "practice_making"))
            live.watch(run, progress)
    return True


def _failed(run: Run) -> None:
    if run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
    else:
        page.see(read("build", run.state), "attention")
    st.button("Close", key="clean.practice.close", icon=":material/check:", on_click=_put_aside)


def _put_aside() -> None:
    state.to_address(SLOT, None)


def card() -> None:
    """The offer to practise on a set whose mistakes are known."""
    with st.container(key="card-practice"):
        st.markdown(read("clean", "practice"))
        if st.button("Make the practice set", key="clean.practice", icon=":material/fitness_center:"):
            with st.spinner(read("train", "starting")):
                state.to_address(SLOT, _make())
            st.rerun()


def _make() -> str:
    """Have a practice set made, unless one is being made already; the run's id."""
    workspace = state.workspace()
    for run in list_runs(workspace, "sample"):
        if not run.ended and str(run.request.get("name", "")).startswith(NAME):
            return run.id
    return cache.submit(workspace, "sample", practice_request(free_name(workspace, NAME)))


def known(dataset: Dataset) -> bool:
    """Whether the mistakes of a data set are known."""
    path = dataset.path / "items.csv"
    return suspects.warm().get((path, suspects.stamp(path), "practice"), lambda: is_practice(dataset))


def hint(dataset: Dataset) -> None:
    """Before anything was applied to a practice set: that it is one."""
    if known(dataset) and not _cleaned(dataset):
        page.note(read("clean", "practice_note"))


def score_button(dataset: Dataset) -> None:
    """For a practice set to which something was applied: tell the score."""
    if known(dataset) and _cleaned(dataset) and state.get(SCORE) != dataset.version:
        st.button(
            "Score me", key="clean.score", icon=":material/scoreboard:", on_click=state.put,
            args=(SCORE, dataset.version),
        )  # fmt: skip


def _cleaned(dataset: Dataset) -> bool:
    return any(entry.kind == "clean" and not entry.undone for entry in ledger.history(dataset.path))


def show_score(dataset: Dataset) -> None:
    """The score somebody asked for, until the data changes again."""
    if state.get(SCORE) == dataset.version and known(dataset):
        _show(dataset, score(dataset))


def _show(dataset: Dataset, found: Score) -> None:
    key = answer_key(dataset)
    with st.container(key="card-score"):
        perfect = not found.missed and not found.wrongly_changed
        page.see(read("clean", "score_full") if perfect else f"**{esc(found.words)}**")
        items = state.items(dataset).set_index("item", drop=False)
        for section, wanted in (
            ("score_missed", found.missed_items),
            ("score_third", found.third_items),
            ("score_spoiled", found.spoiled_items),
            ("score_found", found.found_items),
        ):
            if wanted:
                st.html(_group(dataset, items.loc[list(wanted)], section, key))


def _group(dataset: Dataset, rows: pd.DataFrame, section: str, key: dict[str, str]) -> str:
    """Pictures under a heading, each with its label now and the true one."""
    shown = "".join(_figure(dataset, row, key[row.item]) for row in rows.head(SHOWN).itertuples())
    more = f'<p class="note">and {len(rows) - SHOWN} more</p>' if len(rows) > SHOWN else ""
    return f'<h4>{esc(read("clean", section))}: {len(rows)}</h4><div class="scored">{shown}</div>{more}'


def _figure(dataset: Dataset, row: Any, true: str) -> str:
    now = "deleted" if row.status == "deleted" else row.label
    words = esc(now) if now == true else f"{esc(now)}, truly {esc(true)}"
    image = f'<img src="{gallery.thumb_url(row.file, dataset.id)}" alt="{words}" loading="lazy">'
    return f"<figure>{image}<figcaption>{words}</figcaption></figure>"
