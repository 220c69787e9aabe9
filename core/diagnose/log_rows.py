"""What every form of a log is read into: rows of named numbers, and a list of what was passed over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BLOCK = "\x00block"  # which table of the text a row stands in; no column can have this name
TOLD, QUOTED_CHARS = 8, 60

Row = Mapping[str, float | None]


@dataclass(frozen=True)
class Rows:
    """One log: its rows by the names it uses itself, None where a cell is empty.

    `tool`: whose form it is. `n_valid`: the number of validation pictures where the log says so.
    """

    tool: str
    rows: tuple[Row, ...]
    skipped: tuple[str, ...] = ()
    n_valid: int | None = None


def passed_over(lines: list[tuple[int, str]]) -> tuple[str, ...]:
    """Sentences about lines that were not understood: number and text of each; many are only counted."""
    told = [f"Line {number} was passed over: “{_short(text)}”." for number, text in lines[:TOLD]]
    if len(lines) > TOLD:
        told.append(f"So were {len(lines) - TOLD:,} more lines.")
    return tuple(told)


def _short(text: str) -> str:
    text = " ".join(text[: 4 * QUOTED_CHARS].split())
    return text if len(text) <= QUOTED_CHARS else f"{text[:QUOTED_CHARS]}…"
