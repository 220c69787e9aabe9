"""The exam of a set: another share or seed in, what that would change; and, once it is wanted, the new split out."""

from __future__ import annotations

from core.data.table import Dataset
from core.text import read
from core.ui import page


def show(dataset: Dataset) -> None:
    """How the set is split now, and another way to split it."""
    page.note(read("build", "split"))
