"""Committing an edit: a new table and a line for the ledger in, both on disk or neither.

Three files change together: items.csv, dataset.json and edits.jsonl. The plan, edit.json, is written first and names
all that is to happen; from then on the edit counts. Whoever finds a plan left by a killed process carries it out.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.workspace import append_line, disk_errors, lock, new_id, read_json, read_lines, write_atomic, write_json

TABLE, NEXT_TABLE = "items.csv", "items.next.csv"
RECORD, PLAN, LINES = "dataset.json", "edit.json", "edits.jsonl"
BARRIERS = ("import", "empty_bin")  # edits that cannot be taken back


@dataclass(frozen=True)
class Entry:
    """One edit of the ledger. `time` in unix seconds; `count` pictures changed; `undone` when it was taken back."""

    id: str
    time: float
    kind: str
    words: str
    count: int
    undone: bool
    record: Mapping[str, Any]


@contextlib.contextmanager
def editing(folder: Path) -> Iterator[None]:
    """Hold a data set for an edit; what a killed process left is finished first."""
    with lock(folder, "This data set"):
        _carry_out(folder)
        yield


def finish_commit(folder: Path) -> None:
    """Finish an edit that somebody is making now, or that a killed process left in the middle."""
    if (folder / PLAN).exists():
        with editing(folder):
            pass


def commit(folder: Path, *, table: str, record: Mapping[str, Any], line: Mapping[str, Any]) -> None:
    """Replace items.csv by `table` and dataset.json by `record`, and append `line`; to be called while `editing`."""
    write_atomic(folder / NEXT_TABLE, table)
    write_json(folder / PLAN, {"record": dict(record), "line": {"id": new_id(), "time": time.time(), **line}})
    _carry_out(folder)


def _carry_out(folder: Path) -> None:
    """Do what the plan says, however much of it was done before."""
    if not (folder / PLAN).exists():
        return
    plan = read_json(folder / PLAN)
    with disk_errors(), contextlib.suppress(FileNotFoundError):  # moved before the process was killed
        os.replace(folder / NEXT_TABLE, folder / TABLE)
    write_json(folder / RECORD, plan["record"])
    if plan["line"]["id"] not in {line.get("id") for line in read_lines(folder / LINES)[0]}:
        append_line(folder / LINES, plan["line"])
    with disk_errors():
        (folder / PLAN).unlink()


def history(folder: Path) -> list[Entry]:
    """All edits, newest first. Taking back and doing again are no edits of their own: they change `undone`."""
    done, undone = _stacks(folder)
    entries = [_entry(line, undone=False) for line in done] + [_entry(line, undone=True) for line in undone]
    return sorted(entries, key=lambda entry: entry.time, reverse=True)


def to_undo(folder: Path) -> Entry | None:
    """The edit that is taken back next, or None."""
    done, _ = _stacks(folder)
    return _entry(done[-1], undone=False) if done and done[-1]["edit"] not in BARRIERS else None


def to_redo(folder: Path) -> Entry | None:
    """The edit that is done again next, or None."""
    _, undone = _stacks(folder)
    return _entry(undone[-1], undone=True) if undone else None


def _stacks(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The edits that count, oldest first, and those taken back, the next to be done again last."""
    done: list[dict[str, Any]] = []
    undone: list[dict[str, Any]] = []
    for line in read_lines(folder / LINES)[0]:
        if line["edit"] == "undo" and done:
            undone.append(done.pop())
        elif line["edit"] == "redo" and undone:
            done.append(undone.pop())
        elif line["edit"] not in ("undo", "redo"):
            if done and line.get("batch") and line["batch"] == done[-1].get("batch"):
                line = _joined(done.pop(), line)
            done.append(line)
            undone = []
    return done, undone


def _joined(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Two lines of one piece of work, such as a long fetch that is listed bit by bit, as one edit."""
    lists = {name: [*first.get(name, ()), *second.get(name, ())] for name in ("changes", "added")}
    settings = [*(first.get("settings") or ())[:1], *(second.get("settings") or ())]
    ends = settings[:1] + settings[-1:] if len(settings) > 1 else first.get("settings", [])
    return {**first, **lists, "settings": ends, "version": second["version"], "time": second["time"]}


def _entry(line: Mapping[str, Any], *, undone: bool) -> Entry:
    changed = {change[0] for change in line.get("changes", ())} | set(line.get("added", ()))
    return Entry(
        id=line.get("id", ""),
        time=line.get("time", 0.0),
        kind=line["edit"],
        words=line.get("words", line["edit"]),
        count=line.get("items", len(changed)),
        undone=undone,
        record=line,
    )
