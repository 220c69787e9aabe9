"""What follows an Apply: take it back, train once more on the cleaned data, and compare both models.

Nothing is remembered here: a run's request says which model it follows, so a refresh finds everything again.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.data import edits, ledger
from core.data.ledger import Entry
from core.data.marks import read_marks
from core.data.table import Dataset
from core.errors import LabError
from core.plots.style import esc
from core.text import read
from core.train.events import Reported
from core.train.runs import Run, list_runs, read_events
from core.ui import cache, page, practice, state, suspects
from core.ui.live import watch
from core.ui.suspects import progress
from core.workspace import lock

NAMED = 8  # pictures that are named one by one


@dataclass(frozen=True)
class Round:
    """A training run that follows another one, and the search that compares the two once it has begun."""

    train: Run
    before: str
    search: Run | None


def latest(dataset: Dataset) -> Round | None:
    """The last round on a data set; None when nobody has trained again yet."""
    for run in list_runs(dataset.workspace, "train"):
        before = run.request.get("before")
        if before and run.request.get("dataset") == dataset.id:
            found = [search for search in suspects.searches_of(run) if search.request.get("against") == before]
            return Round(run, before, found[0] if found else None)
    return None


def show(dataset: Dataset, model: Run) -> bool:
    """The card above the suspects: what was applied and what to do about it, or what came of training again.

    True while something is at work here.
    """
    now, last, undone = latest(dataset), ledger.to_undo(dataset.path), ledger.to_redo(dataset.path)
    learned = suspects.trained_version(model) == dataset.version
    if now is not None and _going_on(now, model, dataset):
        _progress(now)
        return True
    if not learned:
        _offer(dataset, model, last, undone)
        if now is not None and now.train.request.get("version") == dataset.version:
            _failed(now.train)
    elif undone is not None and undone.kind == "clean":
        with st.container(key="card-round"):
            page.see(page.say("clean", "undone", words=_words(undone)))
            _back_and_forth(dataset, last, undone)
    elif now is not None and now.train.id == model.id:
        _outcome(now, dataset)
    return False


def _going_on(now: Round, model: Run, dataset: Dataset) -> bool:
    """Whether something is at work; the comparison begins by itself when the training is done."""
    if not now.train.ended:
        return True
    if now.search is None and now.train.id == model.id and suspects.trained_version(model) == dataset.version:
        try:
            suspects.start_search(now.train, dataset, against=now.before)
        except LabError as error:  # no engine, or no room in its queue: the rest of the page goes on
            page.show_error(error)
            return False
        st.rerun()
    return now.search is not None and not now.search.ended


def _progress(now: Round) -> None:
    with st.container(key="card-round"):
        page.see(read("clean", "comparing" if now.train.ended else "retraining"))
        watch(now.search if now.train.ended and now.search else now.train, progress)


def _offer(dataset: Dataset, model: Run, last: Entry | None, undone: Entry | None) -> None:
    """The data is not what the model learned: train again, or take the edit back."""
    with st.container(key="card-round"):
        done = page.say("clean", "applied", words=_words(last)) if last is not None and last.kind == "clean" else ""
        page.see(f"{done} {read('clean', 'retrain')}")
        if done:
            _skipped(dataset)
        with st.container(horizontal=True):
            if st.button("Retrain and compare", key="clean.retrain", type="primary", icon=":material/replay:"):
                with st.spinner(read("train", "starting")):
                    retrain(model, dataset)
                st.rerun()
            _back_and_forth(dataset, last, undone)
            practice.score_button(dataset)


def _words(entry: Entry) -> str:
    return entry.words.removeprefix("cleaned: ")


def way_back(dataset: Dataset) -> None:
    """For data that cannot be learned any more: take the last cleaning back."""
    last = ledger.to_undo(dataset.path)
    if last is not None and last.kind == "clean":
        with st.container(key="card-round"):
            page.see(page.say("clean", "applied", words=_words(last)), "attention")
            _undo_button(dataset, last)


def _back_and_forth(dataset: Dataset, last: Entry | None, undone: Entry | None) -> None:
    """Buttons to take the last cleaning back as a whole, and to do it again."""
    if last is not None and last.kind == "clean":
        _undo_button(dataset, last)
    if undone is not None and undone.kind == "clean":
        _redo_button(dataset, undone)


def _undo_button(dataset: Dataset, entry: Entry) -> None:
    st.button(
        "Take it back", key=f"clean.edits.undo.{entry.id}", icon=":material/undo:", on_click=_undo,
        args=(dataset, entry.id),
    )  # fmt: skip


def _redo_button(dataset: Dataset, entry: Entry) -> None:
    st.button(
        "Do it again", key=f"clean.edits.redo.{entry.id}", icon=":material/redo:", on_click=_redo,
        args=(dataset, entry.id),
    )  # fmt: skip


def _undo(dataset: Dataset, wanted: str) -> None:
    with page.boundary():
        entry = ledger.to_undo(dataset.path)
        if entry is not None and entry.id == wanted:  # else it was taken back already, here or in another tab
            edits.undo(dataset)


def _redo(dataset: Dataset, wanted: str) -> None:
    with page.boundary():
        entry = ledger.to_redo(dataset.path)
        if entry is not None and entry.id == wanted:
            edits.redo(dataset)


def _skipped(dataset: Dataset) -> None:
    applied = read_marks(dataset, suspects.labels_now(dataset)).applied
    if applied is None or not applied.skipped:
        return
    items = state.items(dataset).set_index("item")["original_name"]
    names = [items.get(item, item) for item in applied.skipped]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    said = page.say("clean", "skipped", count=len(names), names=", ".join(names[:NAMED]))
    page.see(said + more, "attention")


def retrain(model: Run, dataset: Dataset) -> str:
    """Train once more with a model's settings on the data as it is now, unless that goes on already; the run's id."""
    with lock(model.path, "This run"):
        for run in list_runs(dataset.workspace, "train"):
            follows = run.request.get("before") == model.id and run.request.get("version") == dataset.version
            if follows and (not run.ended or run.state == "done"):
                break
        else:
            request = {**model.request, "dataset": dataset.id, "before": model.id, "version": dataset.version}
            made = cache.submit(dataset.workspace, "train", request)
            state.to_address("run", None)
            return made
    state.to_address("run", run.id if run.ended else None)
    return run.id


def compared(search: Run) -> Reported | None:
    """What a search said last, when it asked two models."""
    said = [event for event in read_events(search)[0] if isinstance(event, Reported)]
    return said[-1] if said and "before_wrong" in said[-1].found else None


def _outcome(now: Round, dataset: Dataset) -> None:
    """Both models on the same exam, or why there is no comparison."""
    found = compared(now.search) if now.search is not None and now.search.state == "done" else None
    with st.container(key="card-round"):
        if found is None:
            _failed(now.search or now.train)
        else:
            before, after, of = (found.found[name] for name in ("before_wrong", "after_wrong", "of"))
            section = "better" if after < before else "same" if after == before else "worse"
            said = page.say("clean", f"compared_{section}", before=before, after=after, of=of)
            page.see(said, "" if after <= before else "attention")
            st.html(_bars(before, after, of))
            for note in found.notes:
                page.see(esc(note), "attention")
        with st.container(horizontal=True):
            page.next_step("Look at the new run", "train", key="clean.new_run", run=now.train.id)
            _back_and_forth(dataset, ledger.to_undo(dataset.path), None)
            practice.score_button(dataset)


def _failed(run: Run) -> None:
    page.see(read("clean", "compared_failed"), "attention")
    if run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))


def _bars(before: int, after: int, of: int) -> str:
    """Two bars of wrong answers on one scale."""
    most = max(before, after, 1)
    rows = [("before", before, "rest"), ("now", after, "sure")]
    return '<div class="bars rounds" role="list" aria-label="Wrong answers">' + "".join(
        f'<div class="bar bar-{kind}" role="listitem"><span class="bar-name">{esc(name)}</span><span class="bar-track">'
        f'<b style="width:{max(0.6, 100 * count / most):.1f}%"></b></span>'
        f'<span class="bar-value">{count} of {of} wrong</span></div>'
        for name, count, kind in rows
    ) + "</div>"  # fmt: skip
