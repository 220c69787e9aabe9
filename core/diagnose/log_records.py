"""Logs that are records of a program: JSON, lines of JSON or a printed dictionary in; rows of numbers out.

A dictionary is searched for its lists, never evaluated.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.diagnose.log_cells import meaning, number, plain_name
from core.diagnose.log_rows import BLOCK, Row, Rows, passed_over
from core.diagnose.log_tables import MOST_COLUMNS, tool_of

MOST_VALUES = 200_000  # of one list
_LIST = re.compile(r"""(['"])([^'"\n\[\]{}]{1,60})\1\s{0,20}:\s{0,20}(?:[\w.]{1,30}\()?\[([^\[\]{}]*)\]""")
_CALL = re.compile(r"\w[\w.]{0,30}\(([^(),\[\]{}]{0,40})(?:,[^()\[\]{}]{0,60})?\)")
_WRAPPERS = ("history", "log_history", "epochs")


def records(text: str) -> Rows | None:
    """One JSON value, or one on each line; None for other text and for JSON that holds no epochs."""
    text = text.strip()
    if not text.startswith(("{", "[")) and "\n{" not in text:
        return None
    whole = _parsed(text)
    if whole is not None:
        return _of_value(whole)
    lines = [(place, line.strip()) for place, line in enumerate(text.split("\n"), 1)]
    parsed = [_parsed(line) if line.startswith("{") else None for _, line in lines]
    found = _of_list([one for one in parsed if isinstance(one, dict)])
    strange = [line for line, one in zip(lines, parsed, strict=True) if one is None and line[1]]
    return None if found is None else Rows(found.tool, found.rows, passed_over(strange))


def printed(text: str) -> Rows | None:
    """The lists of a dictionary as Python prints it: `{'loss': [0.69, 0.5], 'val_loss': [0.6, nan]}`."""
    if "[" not in text or "{" not in text:
        return None
    found = {match[2]: match[3] for match in _LIST.finditer(_CALL.sub(r"\1", text))}
    return _of_columns({name: inside.split(",")[:MOST_VALUES] for name, inside in found.items() if inside.strip()})


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None


def _of_value(value: Any) -> Rows | None:
    if isinstance(value, list):
        return _of_list([one for one in value if isinstance(one, dict)])
    if not isinstance(value, dict):
        return None
    for name in _WRAPPERS:
        if isinstance(value.get(name), (dict, list)):
            return _of_value(_unwrapped(value[name]))
    columns = {
        name: list(one.values()) if isinstance(one, dict) else one  # pandas writes {"loss": {"0": 0.69, …}}
        for name, one in value.items()
        if isinstance(one, (list, dict))
    }
    return _of_columns(columns) if columns else _of_list([value])


def _unwrapped(inside: Any) -> Any:
    """What lies inside a wrapper, without wrappers of its own."""
    if isinstance(inside, list):
        return inside
    return {name: one for name, one in inside.items() if name not in _WRAPPERS}


def _of_columns(columns: Mapping[str, Sequence[Any]]) -> Rows | None:
    """Lists of equal meaning side by side. A shorter one is taken to begin with the first epoch, and that is said."""
    known = {name: list(values) for name, values in list(columns.items())[:MOST_COLUMNS] if meaning(name) is not None}
    if not known:
        return None
    length = max(len(values) for values in known.values())
    rows = tuple(
        {name: number(values[place]) if place < len(values) else None for name, values in known.items()}
        for place in range(length)
    )
    told = [
        f"{name} has {len(values)} numbers where others have {length}: they were taken for the first epochs."
        for name, values in known.items()
        if len(values) < length
    ]
    tool = tool_of({plain_name(name) for name in known})
    return Rows(tool, rows, tuple(told)) if rows else None


def _of_list(found: list[dict[str, Any]]) -> Rows | None:
    """One record for each epoch. In a file of events only the epochs count, and no summary at the end."""
    counted = any("epoch" in record for record in found)
    found = [one for one in found if one.get("kind", "epoch") == "epoch" and ("epoch" in one or not counted)]
    names = {plain_name(name) for record in found for name in list(record)[:MOST_COLUMNS]}
    tool = tool_of(names)
    rows = tuple(_of_record(record) for record in found)
    return Rows(tool, rows) if any(any(meaning(name) for name in row) for row in rows) else None


def _of_record(record: Mapping[str, Any]) -> Row:
    return {name: number(value) for name, value in list(record.items())[:MOST_COLUMNS] if name != BLOCK}
