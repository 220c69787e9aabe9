"""The way through the lessons: what somebody has made and opened in; which steps are done and what to try next out."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache as once

import streamlit as st

from core.data.table import Dataset
from core.plots.style import counted
from core.text import read
from core.train.runs import list_runs
from core.ui import page, state, visits
from core.ui.cache import Warm
from core.workspace import Workspace


@dataclass(frozen=True)
class Traces:
    """What an owner has left behind: how many data sets, how many finished runs of each kind, which pages opened.

    `edited`: whether a picture of a set was ever relabelled, deleted or the like.
    """

    datasets: int
    runs: Mapping[str, int]
    opened: frozenset[str]
    edited: bool = False


Done = Callable[[Traces], bool]


def _ran(*kinds: str) -> Done:
    return lambda traces: any(traces.runs.get(kind) for kind in kinds)


def _opened(name: str) -> Done:
    return lambda traces: name in traces.opened


def _read(name: str) -> Done:
    return lambda traces: bool(traces.runs.get("read")) and name in traces.opened


# page -> when its step is done, in the order of the lessons; home, where this is shown, and the glossary are no steps
STEPS: Mapping[str, Done] = {
    "build": lambda traces: traces.datasets > 0,
    "explore": _opened("explore"),
    "lr_finder": _ran("lr_find"),
    "train": _ran("train"),
    "diagnose": _opened("diagnose"),
    "runs": lambda traces: traces.runs.get("train", 0) > 1 and "runs" in traces.opened,
    "top_losses": _read("top_losses"),
    "confusion": _read("confusion"),
    "where_it_looks": _read("where_it_looks"),
    "clean": lambda traces: traces.edited or bool(traces.runs.get("suspects")),
    "predict": _opened("predict"),
    "export": _opened("export"),
    "sgd": _opened("sgd"),
    "schedules": _opened("schedules"),
    "functions": _opened("functions"),
    "tensors": _opened("tensors"),
}
NO_STEPS = ("home", "glossary")


def traces() -> Traces:
    """What this owner has left behind so far."""
    workspace, datasets = state.workspace(), state.datasets()
    runs = _counts().get((workspace.root, stamp(workspace)), lambda: _count(workspace))
    return Traces(len(datasets), runs, frozenset(visits.opened(workspace)), _edited(datasets))


def stamp(workspace: Workspace) -> tuple[tuple[str, int], ...]:
    """The runs of an owner and when each record was last written: what was counted holds while this does."""
    found = []
    with contextlib.suppress(FileNotFoundError), os.scandir(workspace.folder("runs")) as folders:
        for folder in folders:
            with contextlib.suppress(OSError):
                found.append((folder.name, os.stat(os.path.join(folder.path, "run.json")).st_mtime_ns))
    return tuple(sorted(found))


@once
def _counts() -> Warm:
    return Warm()


def _count(workspace: Workspace) -> Mapping[str, int]:
    return Counter(run.kind for run in list_runs(workspace) if run.state in ("done", "diverged", "stopped"))


def _edited(datasets: Sequence[Dataset]) -> bool:
    """Whether the log of any set goes on after its import."""
    return any(_lines(dataset) > 1 for dataset in datasets)


def _lines(dataset: Dataset) -> int:
    with contextlib.suppress(OSError), (dataset.path / "edits.jsonl").open("rb") as file:
        return sum(1 for _ in zip(range(2), file, strict=False))
    return 0


def done_steps(found: Traces) -> dict[str, bool]:
    """Step -> whether it is done, in the order of the lessons."""
    return {name: done(found) for name, done in STEPS.items()}


def show() -> None:
    """The steps by section with a tick at each that is done, and the next one with the reason to take it."""
    found = traces()
    steps = done_steps(found)
    upcoming = next((name for name, done in steps.items() if not done), None)
    with st.container(key="card-journey"):
        with st.container(horizontal=True, vertical_alignment="center", key="journey-next"):
            st.html(f'<p class="journey">{_words(found, steps, upcoming)}</p>')
            if upcoming:
                page.next_step(page.PAGES[upcoming].title, upcoming, key="journey.go", kind="secondary")
        with st.container(horizontal=True, key="journey-steps", gap="small"):
            for name, done in steps.items():
                icon = ":material/check_circle:" if done else ":material/radio_button_unchecked:"
                st.page_link(page.entry(name), label=page.PAGES[name].title, icon=icon)


def _words(found: Traces, steps: Mapping[str, bool], upcoming: str | None) -> str:
    """How far somebody is, and why the next step is worth it."""
    far = page.say("home", "journey_far", done=sum(steps.values()), of=len(steps))
    if upcoming is None:
        return f"{far} {read('home', 'journey_done')}"
    made = page.say(
        "home",
        f"next_{upcoming}",
        sets=counted(found.datasets, "data set"),
        models=counted(found.runs.get("train", 0), "model"),
    )
    return f"{far} {made}"
