"""Runs: everything long that somebody started, as folders. A request in, a state, events and a result on disk.

A run's folder is the truth about it: run.json says where it stands, events.jsonl what it said, and the empty file
`stop` asks it to end. Whoever does the work (an engine's worker or the terminal) writes; everybody else reads.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from core.errors import DiskFull, JobError, NotFound, WorkspaceError
from core.train.events import Event, History, from_record, to_record
from core.workspace import (
    Workspace,
    append_line,
    check_free_space,
    disk_errors,
    lock,
    read_json,
    read_lines,
    write_json,
)

log = logging.getLogger(__name__)

STATES = ("queued", "starting", "running", "done", "stopped", "failed", "diverged", "interrupted")
ENDED = frozenset({"done", "stopped", "failed", "diverged", "interrupted"})
TRANSITIONS: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"starting", "stopped", "failed", "interrupted"}),
    "starting": frozenset({"running", "stopped", "failed", "interrupted"}),
    # back to the queue: its process was ended for want of memory, and it goes on with half the batch
    "running": frozenset({"done", "stopped", "failed", "diverged", "interrupted", "queued"}),
    "done": frozenset(),
    "diverged": frozenset(),
    # a run that ended too early may go on from its last checkpoint
    "stopped": frozenset({"queued"}),
    "failed": frozenset({"queued"}),
    "interrupted": frozenset({"queued"}),
}
_CHANGES = frozenset({"code", "message", "hint", "lease", "result", "submitted"})
_RESERVE_BYTES = 64 * 1024
LAST, BEST = "last.safetensors", "best.safetensors"  # checkpoints in a training run's folder


@dataclass(frozen=True)
class Run:
    """One run as it was when it was read; `load_run` again to see what has changed since."""

    workspace: Workspace
    id: str
    record: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """What is done: a key of PERFORM."""
        return self.record["kind"]

    @property
    def state(self) -> str:
        """Where it stands: one of STATES."""
        return self.record["state"]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen unless somebody resumes it."""
        return self.state in ENDED

    @property
    def path(self) -> Path:
        """The run's folder."""
        return self.workspace.folder("runs") / self.id

    @property
    def request(self) -> Mapping[str, Any]:
        """What was asked for; its keys depend on the kind."""
        return self.record["request"]

    @property
    def result(self) -> Mapping[str, Any] | None:
        """What came out, once there is something: a data set's id, or an error rate."""
        return self.record["result"]

    @property
    def name(self) -> str:
        """The name that somebody gave it; "" when nobody did. Not unique."""
        return self.record.get("name") or ""

    @property
    def note(self) -> str:
        """What somebody wrote down about it."""
        return self.record.get("note") or ""

    @property
    def binned(self) -> float | None:
        """When it was put into the bin, in unix seconds; None while it counts."""
        return self.record.get("binned")


def save_point(stage: int) -> str:
    """The checkpoint in a run's folder that holds the weights after a stage, counted from 0."""
    return f"stage-{stage}.safetensors"


def is_checkpoint(name: str) -> bool:
    """Whether a file of this name in a run's folder is a checkpoint: LAST, BEST or a save point."""
    return name in (LAST, BEST) or re.fullmatch(r"stage-\d{1,2}\.safetensors", name) is not None


def create_run(workspace: Workspace, kind: str, request: Mapping[str, Any]) -> Run:
    """Write down a new run in state "queued". Nothing happens until it is submitted or worked on."""
    if kind not in PERFORM:
        raise JobError(f"There is no kind of run called {kind!r}.", hint=f"There are {', '.join(PERFORM)}.")
    check_free_space(workspace.root)
    made, path = workspace.create("runs")
    # kept so that the last state can still be written when the disk is full
    with disk_errors():
        (path / "reserve").write_bytes(b"\0" * _RESERVE_BYTES)
    record: dict[str, Any] = {
        "kind": kind,
        "state": "queued",
        "code": None,
        "message": None,
        "hint": None,
        "created": time.time(),
        "submitted": None,
        "started": None,
        "ended": None,
        "request": dict(request),
        "lease": None,
        "result": None,
    }
    write_json(path / "run.json", record)
    return load_run(workspace, made)


def load_run(workspace: Workspace, run_id: str, *, binned: bool = False) -> Run:
    """The run with this id; NotFound says the same for a foreign, a deleted and an invented id.

    One in the bin is as good as deleted, unless `binned` asks for it as well.
    """
    path = workspace.find("runs", run_id)
    run = Run(workspace, run_id, read_json(path / "run.json"))
    if run.binned and not binned:
        raise NotFound(f"There is no run {run_id!r} in this workspace.", hint="It may have been deleted.")
    return run


def list_runs(workspace: Workspace, kind: str | None = None) -> list[Run]:
    """All runs of this owner (of one kind) that are not in the bin, newest first."""
    return [run for run in read_runs(workspace, kind) if not run.binned]


def read_runs(workspace: Workspace, kind: str | None = None) -> list[Run]:
    """All runs of this owner (of one kind), also those in the bin, newest first.

    A record that cannot be read is logged and left out.
    """
    runs = []
    for made in workspace.ids("runs"):
        if (workspace.folder("runs") / made / "run.json").is_file():
            try:
                runs.append(load_run(workspace, made, binned=True))
            except WorkspaceError as error:
                log.warning("run %s was left out of the list: %s", made, error)
    runs.sort(key=lambda run: run.record["created"], reverse=True)
    return [run for run in runs if kind is None or run.kind == kind]


def set_state(run: Run, state: str, **changes: Any) -> Run:
    """Move a run to `state` and change fields of its record (code, message, hint, lease, result, submitted) with it.

    The move is judged by what is on disk now, under the run's lock; one that TRANSITIONS does not allow raises
    JobError and changes nothing. `started` and `ended` are filled in here, in unix seconds.
    """
    with lock(run.path, "This run"):
        record = dict(load_run(run.workspace, run.id).record)
        if state not in TRANSITIONS[record["state"]]:
            raise JobError(f"This run is {record['state']}; it cannot become {state}.", hint="Look at it again.")
        record.update(_checked(changes), state=state)
        if state == "starting":
            record.update(started=time.time())
        if state in ENDED:
            record.update(ended=time.time())
        if state == "queued":
            record.update(code=None, message=None, hint=None, started=None, ended=None, lease=None)
        return _write(run, record)


def note_down(run: Run, **changes: Any) -> Run:
    """Change fields of a run's record without moving it; the same fields as in `set_state`."""
    with lock(run.path, "This run"):
        return _write(run, {**load_run(run.workspace, run.id).record, **_checked(changes)})


def revise(run: Run, change: Callable[[Run], Mapping[str, Any]]) -> Run:
    """Change a run's record by what `change` makes of the run as it is now, under its lock; also of one in the bin."""
    load_run(run.workspace, run.id, binned=True)  # a lock would bring the folder of one that is gone back
    with lock(run.path, "This run"):
        now = load_run(run.workspace, run.id, binned=True)
        return _write(run, {**now.record, **change(now)})


def _checked(changes: dict[str, Any]) -> dict[str, Any]:
    unknown = set(changes) - _CHANGES
    if unknown:
        raise JobError(f"A run's record has no field {', '.join(sorted(unknown))}.", hint="Look at runs.py.")
    return changes


def _write(run: Run, record: Mapping[str, Any]) -> Run:
    path = run.path / "run.json"
    try:
        write_json(path, dict(record))
    except DiskFull:
        (run.path / "reserve").unlink(missing_ok=True)
        write_json(path, dict(record))
    return load_run(run.workspace, run.id, binned=True)


def requeue(run: Run) -> Run:
    """Put a run that ended too early back into the queue, under the same id and with its checkpoints."""
    with disk_errors():
        (run.path / "stop").unlink(missing_ok=True)
    return set_state(run, "queued", submitted=None)


def discard(run: Run) -> None:
    """Delete a run that never started, for example because too many were waiting already."""
    with lock(run.path, "This run"):
        state = load_run(run.workspace, run.id).state
        if state != "queued":
            raise JobError(f"This run is {state}; only one that is queued can be discarded.", hint="Stop it instead.")
        (run.path / "run.json").unlink()  # from here on it is no run any more, whatever happens to the rest
    shutil.rmtree(run.path)


def append_event(run: Run, event: Event) -> None:
    """Write one event as one line at the end of events.jsonl. Only the one who does the work may write."""
    append_line(run.path / "events.jsonl", to_record(event))


def mend_events(run: Run) -> int:
    """Cut off a last line that a killed process left unfinished; the `seq` that comes next."""
    path = run.path / "events.jsonl"
    if not path.exists():
        return 0
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    if end < len(data):
        with disk_errors():
            os.truncate(path, end)
    records, _ = read_lines(path)
    return max((record["seq"] for record in records), default=-1) + 1


def read_events(run: Run, start: int = 0) -> tuple[list[Event], int]:
    """Events from byte `start` of events.jsonl on, and where to read on. An unfinished last line is left for later."""
    records, offset = read_lines(run.path / "events.jsonl", start)
    return [from_record(record) for record in records], offset


def history(run: Run) -> History:
    """All events of a run so far, ready to be folded into tables."""
    return History.of(read_events(run)[0])


def request_stop(run: Run) -> None:
    """Ask a run to end; whoever works on it looks after every batch."""
    if not run.path.is_dir():
        raise NotFound("There is no such run in this workspace.", hint="It may have been deleted.")
    with disk_errors():
        (run.path / "stop").touch()


def stop_requested(run: Run) -> bool:
    """Whether somebody asked this run to end."""
    return (run.path / "stop").exists()


Stop = Callable[[], bool]
Perform = Callable[[Run, Stop], Iterator[Event]]


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Do the work of a run and say what happens. The run's record is not touched: see core.jobs.worker.work."""
    return performer(run.kind)(run, stop)


def performer(kind: str) -> Perform:
    """The function that does runs of this kind."""
    found = PERFORM[kind]
    if not isinstance(found, str):
        return found
    module, _, name = found.partition(":")
    return getattr(import_module(module), name)


# kind of run -> who does it, as "module:function" of a run and a stop question. The module is imported when the first
# run of the kind is performed: torch takes seconds, and some of the work lies in packages above this one.
PERFORM: dict[str, str | Perform] = {
    "train": "core.train.train_run:train_run",
    "import": "core.train.work:perform_import",
    "sample": "core.train.work:perform_sample",
    "add": "core.train.work:perform_add",
    "fetch": "core.train.work:perform_fetch",
    "lr_find": "core.train.finding:perform",
    "inspect": "core.train.inspection:perform",
    "suspects": "core.interpret.suspects:perform",
    "read": "core.interpret.reading:perform",
    "experiment": "core.diagnose.experimenting:perform",
    "landscape": "core.interpret.walking:perform",
    "tta": "core.interpret.tta:perform",
}
