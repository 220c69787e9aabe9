"""The desk of the cleaner: a data set, its marks and what is shown of a search; what its buttons do.

Marks go to disk at once; nothing else changes before somebody applies them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from core.data.edits import Mark
from core.data.marks import Marks, put_marks, take_back
from core.data.table import Dataset
from core.ui import page, state
from core.ui.suspects import Queue

NUMBERED = 9  # keys for classes


@dataclass(frozen=True)
class Desk:
    """What lies on the desk in one run of the fragment. `rows` are those of the queue that are shown."""

    dataset: Dataset
    marks: Marks
    queue: Queue
    rows: np.ndarray
    order: str
    slot: str
    by: str

    @property
    def classes(self) -> tuple[str, ...]:
        """All classes a picture can get, in the order of their numbers."""
        return tuple(sorted({*self.dataset.classes, *self.dataset.empty}))

    @property
    def looking_wrong(self) -> int:
        """How many labels of what is shown look wrong to models that never saw the pictures."""
        return int(self.queue.table["label_error"].to_numpy()[self.rows].sum())

    def row(self, at: int) -> Any:
        """The suspect at a place of what is shown."""
        return next(self.queue.table.iloc[[self.rows[at]]].itertuples(index=False))

    def twins(self, row: Any) -> list[Any]:
        """The other pictures of a suspect's group."""
        rows = [other for other in self.queue.twins.get(row.group, []) if other != self.queue.place[row.item]]
        return list(self.queue.table.iloc[rows].itertuples(index=False))

    def item(self, at: int) -> str:
        """The item at a place of what is shown; the last one beyond the end."""
        return str(self.queue.table["item"].iloc[self.rows[max(0, min(at, len(self.rows) - 1))]])

    def at(self) -> int:
        """Where somebody is: at the item looked at last, or at the first one without a mark."""
        item = state.get(self.slot)
        if item in self.queue.place:
            return min(int(np.searchsorted(self.rows, self.queue.place[item])), len(self.rows) - 1)
        items = self.queue.table["item"].to_numpy()[self.rows]
        return next((at for at, other in enumerate(items) if other not in self.marks.pending), 0)


def mark(desk: Desk, marks: Mapping[str, Mark | None], then: str) -> None:
    """Write marks down and move to an item. Called by buttons, before the page is drawn again."""
    with page.boundary():
        put_marks(desk.dataset, marks, by=desk.by)
        state.put(desk.slot, then)


def go(desk: Desk, item: str) -> None:
    """Move to an item."""
    state.put(desk.slot, item)


def back(desk: Desk) -> None:
    """Take the last mark back and look at its picture."""
    with page.boundary():
        items = take_back(desk.dataset, by=desk.by)
        shown = [item for item in items if item in desk.queue.place]
        if shown:
            state.put(desk.slot, shown[0])


def judged(row: Any, label: str) -> Mark:
    """The mark that says a picture shows `label`."""
    return Mark("keep", was=row.label) if label == row.label else Mark("relabel", label, was=row.label)
