"""Training runs as rows: a workspace in; name, score, verdict and fingerprint of each run out.

What is worked out from a run's events is kept by the process until the run says something new, so that two hundred runs
cost no reading the second time.
"""

from __future__ import annotations

import datetime
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from zoneinfo import ZoneInfo

import streamlit as st

from core.data.table import load_dataset
from core.diagnose.judge_run import judge_run
from core.diagnose.of_run import Judgement
from core.errors import LabError
from core.plots.runs import Curve, curve
from core.plots.style import duration
from core.train.aspects import tags
from core.train.compare import VERSION_SHOWN, Fingerprint, Setup, fingerprint, setup_of, varying
from core.train.events import Finished, History, Note, StageStarted, Started
from core.train.runs import Run, history, list_runs
from core.ui import cache as shared
from core.ui.models import run_name
from core.ui.verdict import Verdict, verdict
from core.workspace import Workspace

KEPT_FACTS, KEPT_HISTORIES = 2_000, 32
log = logging.getLogger("bearings")


@dataclass(frozen=True)
class Facts:
    """What the events of a run say. `wrong` of `of` and `seconds` are None before the first epoch is over.

    `ran_on` is the device and the precision, "" before the run has begun; `halved` says whether memory ran out, so that
    a stage went on in smaller batches.
    """

    setup: Setup
    tags: Mapping[str, str]
    mark: Fingerprint
    epochs: int
    wrong: int | None
    of: int | None
    seconds: float | None
    ran_on: str
    halved: bool
    judged: Judgement | None
    verdict: Verdict | None


@dataclass(frozen=True)
class Row:
    """A run as the page shows it. `dataset` is a name, `differs` what is not the same in all runs that are shown."""

    run: Run
    facts: Facts
    dataset: str
    differs: tuple[str, ...]

    @property
    def name(self) -> str:
        """What the run is called."""
        return run_name(self.run)

    @property
    def version(self) -> str:
        """The first digits of the version of the data; "" while it is not known."""
        return self.facts.setup.version[:VERSION_SHOWN]

    @property
    def score(self) -> str:
        """The error as a count: "3 of 60 wrong"."""
        return "no exam yet" if self.facts.wrong is None else f"{self.facts.wrong} of {self.facts.of} wrong"

    @property
    def error(self) -> float:
        """The share of wrong answers, above all others while there is none: for putting rows in order."""
        return self.facts.wrong / (self.facts.of or 1) if self.facts.wrong is not None else 2.0

    @property
    def standing(self) -> str:
        """The verdict in two or three words, or where a run that goes on stands."""
        if not self.run.ended:
            planned = self.facts.setup.settings.epochs
            words = {"queued": "waiting", "starting": "getting ready"}
            return words.get(self.run.state, f"training, {self.facts.epochs} of {planned} epochs done")
        return self.facts.verdict.title if self.facts.verdict else self.run.state

    @property
    def kind(self) -> str:
        """How the verdict is drawn: "", "attention" or "high"; "going" while it goes on."""
        if not self.run.ended:
            return "going"
        return self.facts.verdict.kind if self.facts.verdict else "attention"

    @property
    def took(self) -> str:
        """How long it trained, with its unit."""
        return "" if self.facts.seconds is None else duration(self.facts.seconds)


@cache
def _facts() -> shared.Warm:
    return shared.Warm(KEPT_FACTS)


@cache
def _histories() -> shared.Warm:
    return shared.Warm(KEPT_HISTORIES)


def read(workspace: Workspace) -> list[Row]:
    """All training runs of this owner as rows, newest first."""
    return rows_of(workspace, list_runs(workspace))


def rows_of(workspace: Workspace, runs: Sequence[Run]) -> list[Row]:
    """The training runs among `runs` as rows, in their order; the range tests among them count for their verdicts.

    One that cannot be read is logged and left out.
    """
    found = []
    tests = [run for run in runs if run.kind == "lr_find" and run.ended]
    for run in (one for one in runs if one.kind == "train"):
        try:
            found.append((run, facts(run, tests)))
        except LabError as error:
            log.warning("run %s was left out of the list: %s", run.id, error)
    names = _dataset_names(workspace, {one.setup.dataset for _, one in found})
    differs = varying([one.tags for _, one in found])
    return [
        Row(run, one, names[one.setup.dataset], tuple(words))
        for (run, one), words in zip(found, differs, strict=True)
    ]  # fmt: skip


def _dataset_names(workspace: Workspace, ids: set[str]) -> dict[str, str]:
    names = {}
    for wanted in ids:
        try:
            names[wanted] = load_dataset(workspace, wanted).name
        except LabError:
            names[wanted] = "a deleted data set"
    return names


def _said(run: Run) -> tuple[str, int]:
    """What tells a run from the same run later: its events only ever grow."""
    path = run.path / "events.jsonl"
    return str(run.path), path.stat().st_size if path.exists() else 0


def facts(run: Run, tests: Sequence[Run] = ()) -> Facts:
    """What a run's events say so far. `tests` are the range tests of its workspace: a new one may change a verdict."""
    mine = [test for test in tests if run.ended and test.request.get("dataset") == run.request["dataset"]]
    return _facts().get((_said(run), run.state, *(test.id for test in mine)), lambda: _fold(run, mine))


def events_of(run: Run) -> History:
    """Everything that a run said so far."""
    return _histories().get(_said(run), lambda: history(run))


def _fold(run: Run, tests: Sequence[Run]) -> Facts:
    said = history(run)
    judged, setup, epochs = judge_run(run, said, tests), setup_of(run, said), said.epochs
    started, finished = said.last(Started.kind), said.last(Finished.kind)
    last = epochs.iloc[-1] if len(epochs) else None
    spent = float(epochs["seconds"].sum()) if len(epochs) else None
    return Facts(
        setup=setup,
        tags=tags(setup.settings),
        mark=fingerprint(setup, said),
        epochs=len(epochs),
        wrong=None if last is None else int(last["wrong"]),
        of=None if last is None else int(last["of"]),
        seconds=finished.seconds if isinstance(finished, Finished) and run.ended else spent,
        ran_on=f"{started.device.upper()}, {started.precision}" if isinstance(started, Started) else "",
        halved=any(note.code == "half_batch" for note in said.all(Note.kind)),
        judged=judged,
        verdict=verdict(run, said, judged),
    )


def curves(slots: Mapping[int, Row]) -> list[Curve]:
    """The tables of the chosen runs, placed on their axes, by slot."""
    return [
        _histories().get((_said(row.run), slot), lambda slot=slot, run=row.run: _curve(slot, events_of(run)))
        for slot, row in slots.items()
    ]


def _curve(slot: int, said: History) -> Curve:
    stages = {event.stage: (event.stage, event.epochs, event.steps) for event in said.all(StageStarted.kind)}
    return curve(slot, [stages[stage] for stage in sorted(stages)], said.epochs, said.batches)


def when(time_s: float) -> datetime.datetime:
    """A time as the clock of this browser shows it."""
    return datetime.datetime.fromtimestamp(time_s, ZoneInfo(st.context.timezone or "UTC"))


def date(time_s: float) -> str:
    """A time in a few characters: "25 Nov, 21:03"."""
    at = when(time_s)
    return f"{at.day} {at:%b, %H:%M}"


def twins(row: Row, rows: Sequence[Row]) -> list[Row]:
    """The other runs that are the same run done again: same settings, seed, data and start, and the same numbers."""
    mark = row.facts.mark
    return [other for other in rows if other.run.id != row.run.id and mark.epochs and other.facts.mark == mark]
