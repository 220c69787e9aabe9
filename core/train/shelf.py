"""The shelf of runs: a run in; the same one with a name, a note, in the bin, back from it, or gone out.

A run in the bin keeps its folder and is hidden everywhere else, so that nothing is lost before somebody says so.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterable, Mapping
from typing import Any

from core.data.layout import visible
from core.errors import JobError, SettingsError
from core.train.runs import Run, list_runs, load_run, read_runs, revise
from core.workspace import Workspace, disk_errors, lock

NAME_MAX, NOTE_MAX = 64, 2_000


def rename(run: Run, name: str) -> Run:
    """Give a run a name of its own, which others may have as well; "" takes it away."""
    return revise(run, lambda now: {"name": check_name(name) if name.strip() else None})


def check_name(name: str) -> str:
    """A run's name without surrounding blanks: 1 to 64 printable characters."""
    clean = " ".join(name.split())
    if not clean or len(clean) > NAME_MAX or not clean.isprintable():
        raise SettingsError(
            f"A run's name has 1 to {NAME_MAX} printable characters; this one does not.", hint="Try 'high rate'."
        )
    return clean


def annotate(run: Run, note: str) -> Run:
    """Write a note down beside a run, in place of the one before; "" takes it away.

    Lines stay as they are; characters that nobody sees are dropped.
    """
    lines = [visible(line).rstrip() for line in note.splitlines()]
    clean = "\n".join(lines).strip("\n")
    if len(clean) > NOTE_MAX:
        raise SettingsError(
            f"The note has {len(clean):,} characters; it may have up to {NOTE_MAX:,}.", hint="Keep what matters."
        )
    return revise(run, lambda now: {"note": clean or None})


def delete(run: Run) -> Run:
    """Put a run that has ended into the bin. JobError while it goes on, or while another one needs it."""
    _check_free(run)
    return revise(run, _binned)


def _binned(now: Run) -> Mapping[str, Any]:
    if not now.ended:
        raise JobError(f"This run is {now.state}; only one that has ended can be deleted.", hint="Stop it first.")
    return {"binned": now.binned or time.time()}


def restore(run: Run) -> Run:
    """Take a run out of the bin; one that is not in it stays as it is."""
    return revise(run, lambda now: {"binned": None})


def binned(workspace: Workspace, kind: str | None = None) -> list[Run]:
    """The runs in the bin (of one kind), the one deleted last first."""
    return sorted_out(read_runs(workspace, kind))[1]


def sorted_out(runs: Iterable[Run]) -> tuple[list[Run], list[Run]]:
    """The runs that count, as they come, and those in the bin, the one deleted last first."""
    both: tuple[list[Run], list[Run]] = ([], [])
    for run in runs:
        both[bool(run.binned)].append(run)
    return both[0], sorted(both[1], key=lambda run: run.binned or 0.0, reverse=True)


def forget(run: Run) -> None:
    """Remove a run in the bin with everything it saved, for good."""
    load_run(run.workspace, run.id, binned=True)  # a lock would bring the folder of one that is gone back
    _check_free(run)
    with lock(run.path, "This run"):
        now = load_run(run.workspace, run.id, binned=True)
        if not (now.binned and now.ended):
            raise JobError("Only a run in the bin can be removed for good.", hint="Delete it first.")
        with disk_errors():
            (run.path / "run.json").unlink()  # from here on it is no run any more, whatever happens to the rest
    with disk_errors():
        shutil.rmtree(run.path)


def _check_free(run: Run) -> None:
    """JobError while a run that goes on needs this one: it starts from its weights, or asks its model."""
    for other in list_runs(run.workspace):
        if not other.ended and run.id in _named(other.request):
            raise JobError(
                "A run that is going on still needs this one.", hint="Stop that one or wait until it is done."
            )


def _named(request: Mapping[str, Any]) -> set[Any]:
    """The runs that a request names."""
    start = request.get("start") or {}
    return {request.get("run"), request.get("before"), request.get("against"), start.get("run")}
