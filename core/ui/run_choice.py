"""Which runs are compared: the page's address in, up to four slots out. A link shows the same runs in the same colours.

`compare=a..b` holds ids by their slots, with nothing between two dots for a slot that is free.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.errors import NotFound
from core.plots.style import SLOTS
from core.ui import page, state
from core.ui.run_rows import Row

ADDRESS = "compare"
NONE = "none"


def chosen(rows: Sequence[Row]) -> dict[int, Row]:
    """The runs of the address by their slots; without one the last two that have something to show.

    An id that is none of this owner's gets a sentence and loses its slot.
    """
    wanted = state.from_address(ADDRESS)
    if wanted is None:
        ready = [row for row in rows if row.facts.epochs][:2]
        return dict(enumerate(reversed(ready)))  # the older one first: the newer one is told by what it does otherwise
    by_id = {row.run.id: row for row in rows}
    asked = [] if wanted == NONE else wanted.split(".")[: len(SLOTS)]
    found = {slot: by_id[one] for slot, one in enumerate(asked) if one in by_id and asked.index(one) == slot}
    if len(found) < len([one for one in asked if one]):
        page.show_error(
            NotFound(
                "There is no such run in this workspace, so it is left out here.",
                hint="It may have been deleted, or it belongs to somebody else.",
            )
        )
    put(found)
    return found


def put(slots: dict[int, Row]) -> None:
    """Write slots into the address."""
    last = max(slots, default=-1)
    ids = [slots[slot].run.id if slot in slots else "" for slot in range(last + 1)]
    state.to_address(ADDRESS, ".".join(ids) if ids else NONE)


def toggle(slots: dict[int, Row], row: Row) -> None:
    """Take a run out of its slot, or put it into the first free one; nothing happens when all are taken."""
    left = {slot: other for slot, other in slots.items() if other.run.id != row.run.id}
    free = next((slot for slot in range(len(SLOTS)) if slot not in slots), None)
    if len(left) == len(slots) and free is not None:
        left[free] = row
    put(left)


def slot_of(slots: dict[int, Row], row: Row) -> int | None:
    """The slot of a run; None when it is not compared."""
    return next((slot for slot, other in slots.items() if other.run.id == row.run.id), None)
