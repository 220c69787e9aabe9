"""Marks: what somebody wants done with pictures, kept on disk until it is applied; nothing changes before that.

`marks/marks.jsonl` in a data set's folder holds one line per step and one per step taken back. Whoever reads folds
them, so marks outlive a refresh, a second tab and another order. Applying them is one edit, and leaves one line.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.data.edits import Edited, Mark, clean
from core.data.table import Dataset
from core.workspace import SCHEMA, append_line, lock, new_id, read_lines, write_atomic

FOLDER, LINES = "marks", "marks.jsonl"
_LOCKED = "The list of marks"


@dataclass(frozen=True)
class Applied:
    """What came of the last Apply: pictures changed, and items left alone because they had changed meanwhile."""

    changed: int
    skipped: tuple[str, ...]
    time: float


@dataclass(frozen=True)
class Marks:
    """What is marked now. `judged`: items a person looked at in earlier rounds, with the label that was found right."""

    pending: Mapping[str, Mark] = field(default_factory=dict)
    judged: Mapping[str, str] = field(default_factory=dict)
    applied: Applied | None = None
    steps: int = 0  # that can be taken back

    def count(self, action: str) -> int:
        """How many pictures are marked with an action: "keep", "delete" or "relabel"."""
        return sum(mark.action == action for mark in self.pending.values())

    @property
    def changes(self) -> int:
        """How many marks would change something."""
        return self.count("delete") + self.count("relabel")


@dataclass(frozen=True)
class _Step:
    id: str
    by: str
    marks: Mapping[str, Mark | None]


def labels_of(dataset: Dataset) -> dict[str, str]:
    """Item -> label of all pictures that count."""
    kept = dataset.kept()
    return dict(zip(kept["item"], kept["label"], strict=True))


def read_marks(dataset: Dataset, labels: Mapping[str, str]) -> Marks:
    """The marks of a data set. `labels` (item -> label of what counts now) tells which were carried out already."""
    steps, base = _fold(dataset.path)
    return _marks(steps, base, labels)


def put_marks(dataset: Dataset, marks: Mapping[str, Mark | None], *, by: str = "") -> None:
    """Mark items, all in one step; None takes an item's mark away. `by` tells whose step it is."""
    cells = {item: None if mark is None else [mark.action, mark.label, mark.was] for item, mark in marks.items()}
    with lock(dataset.path / FOLDER, _LOCKED):
        append_line(_file(dataset.path), {"id": new_id(), "by": by, "marks": cells})


def take_back(dataset: Dataset, *, by: str = "") -> tuple[str, ...]:
    """Take the latest step back: the latest of `by`, or of anybody when `by` made none. The items it was about."""
    with lock(dataset.path / FOLDER, _LOCKED):
        steps, _ = _fold(dataset.path)
        own = [step for step in steps if step.by == by] or steps
        if not own:
            return ()
        append_line(_file(dataset.path), {"id": new_id(), "by": by, "undo": own[-1].id})
    return tuple(own[-1].marks)


def forget_marks(dataset: Dataset) -> None:
    """Take all marks away. What was judged in earlier rounds stays so."""
    with lock(dataset.path / FOLDER, _LOCKED):
        _, base = _fold(dataset.path)
        _begin_anew(dataset.path, {**base, "applied": None})


def apply_marks(dataset: Dataset) -> Edited:
    """Carry out all marks as one edit and begin anew. Twice at once does it once."""
    with lock(dataset.path / FOLDER, _LOCKED):
        steps, base = _fold(dataset.path)
        marks = _marks(steps, base, labels_of(dataset))
        if not marks.pending:
            return Edited(dataset, 0)
        edited = clean(dataset, marks.pending)
        applied = {"changed": edited.changed, "skipped": list(edited.skipped), "time": time.time()}
        judged = {**marks.judged, **_judged(marks.pending, edited.skipped)}
        _begin_anew(dataset.path, {"judged": judged, "applied": applied})
    return edited


def _judged(pending: Mapping[str, Mark], skipped: tuple[str, ...]) -> dict[str, str]:
    """The labels that a person has confirmed or given."""
    done = {item: mark for item, mark in pending.items() if mark.action != "delete" and item not in skipped}
    return {item: mark.label or mark.was for item, mark in done.items()}


def _marks(steps: list[_Step], base: Mapping[str, Any], labels: Mapping[str, str]) -> Marks:
    pending: dict[str, Mark] = {}
    for step in steps:
        for item, mark in step.marks.items():
            pending.pop(item, None)
            if mark is not None and not _carried_out(mark, labels.get(item)):
                pending[item] = mark
    judged = {item: label for item, label in base["judged"].items() if labels.get(item) == label}
    applied = base["applied"]
    if applied is not None:
        applied = Applied(applied["changed"], tuple(applied["skipped"]), applied["time"])
    return Marks(pending, judged, applied, len(steps))


def _carried_out(mark: Mark, label: str | None) -> bool:
    """Whether there is nothing left to do: somebody was killed between an edit and the end of its marks."""
    if mark.action == "relabel":
        return label == mark.label
    return label is None


def _fold(folder: Path) -> tuple[list[_Step], dict[str, Any]]:
    """The steps that count, oldest first, and what the first line says about earlier rounds."""
    steps: dict[str, _Step] = {}
    base: dict[str, Any] = {"judged": {}, "applied": None}
    for line in read_lines(_file(folder))[0]:
        if "marks" in line:
            marks = {item: Mark(*cells) if cells else None for item, cells in line["marks"].items()}
            steps[line["id"]] = _Step(line["id"], line["by"], marks)
        elif "undo" in line:
            steps.pop(line["undo"], None)
        else:
            base = {"judged": line.get("judged", {}), "applied": line.get("applied")}
    return list(steps.values()), base


def _begin_anew(folder: Path, base: Mapping[str, Any]) -> None:
    write_atomic(_file(folder), json.dumps({"schema": SCHEMA, **base}, allow_nan=False) + "\n")


def _file(folder: Path) -> Path:
    return folder / FOLDER / LINES
