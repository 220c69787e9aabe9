"""Lists of edits: a CSV that says what is to happen to which pictures, and their table in; marks and problems out.

One line per picture: the picture (its item, its hash, what it was called, or its path in an export) and what to do
(keep, delete, or the name of a class). Columns may stand in any order and have other names.
"""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from core.data.edits import KEPT, Mark
from core.data.file_names import FileNames
from core.data.layout import path_words, shown
from core.data.text_table import Line, decode, delimiters, lines, unguarded
from core.errors import DataError

ACTION_HEADERS = ("action", "mark", "do", "edit", "what", "newlabel", "label", "class", "category")
LABEL_HEADERS = ("newlabel", "label", "class", "to", "category")
WAS_HEADERS = ("was", "oldlabel", "before", "from")
PICTURE_HEADERS = {
    "item": ("item", "id", "number"),
    "file": ("file", "hash", "sha", "sha256"),
    "name": ("originalname", "name", "filename", "picture", "image", "path", "file"),
    "export": ("file", "path"),
}
_HINT = "Write the columns item and action: 000012,delete"
_ACTIONS = {"keep": "keep", "delete": "delete", "relabel": "relabel", "": ""}


class Problem(NamedTuple):
    """A line that cannot be carried out: its number, the picture as it was written, and why."""

    line: int
    name: str
    reason: str


@dataclass(frozen=True)
class EditList:
    """What a list asks for: item -> mark, where each was written, and the lines that cannot be carried out."""

    marks: Mapping[str, Mark]
    lines: Mapping[str, int]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Columns:
    rows: Sequence[Line]
    find: Callable[[str], list[str]]
    picture: int
    action: int
    label: int | None
    was: int | None

    def cell(self, line: Line, column: int | None) -> str:
        return unguarded(line.cells[column]) if column is not None and column < len(line.cells) else ""


def read_edits(data: bytes, items: pd.DataFrame, labels: Sequence[str], *, what: str = "The list") -> EditList:
    """Read a list of edits for the table `items` of a data set with the classes `labels`.

    DataError when it cannot be understood as a whole; single lines that make no sense are problems.
    """
    columns = _columns(decode(data, what=what), items, what)
    kept = set(items.loc[items["status"] == KEPT, "item"])
    wanted: dict[str, list[tuple[int, Mark]]] = defaultdict(list)
    problems = []
    for line in columns.rows:
        name = columns.cell(line, columns.picture)
        try:
            item = _item(columns.find(name), kept)
            mark = _mark(columns, line, labels)
            if mark is not None:
                wanted[item].append((line.number, mark))
        except DataError as error:
            problems.append(Problem(line.number, shown(name), error.message))
    marks = {}
    for item, said in wanted.items():
        if len({mark for _, mark in said}) == 1:
            marks[item] = said[0][1]
        else:
            numbers = ", ".join(str(number) for number, _ in said)
            problems += [Problem(number, item, f"Lines {numbers} contradict each other.") for number, _ in said]
    found = {item: wanted[item][0][0] for item in marks}
    return EditList(marks, found, tuple(sorted(problems)))


def _item(found: Sequence[str], kept: set[str]) -> str:
    if not found:
        raise DataError("There is no such picture.")
    there = [item for item in found if item in kept]
    if not there:
        raise DataError("The picture does not count now: it is in the bin or its class is switched off.")
    if len(there) > 1:
        raise DataError(f"{len(there)} pictures fit: the items {', '.join(there[:4])}. Write the item.")
    return there[0]


def _mark(columns: _Columns, line: Line, labels: Sequence[str]) -> Mark | None:
    """What a line asks for; None when it asks for nothing."""
    said, was = columns.cell(line, columns.action), columns.cell(line, columns.was)
    action = _ACTIONS.get(said.casefold())
    if action == "relabel" or (action is None and said):
        label = said if action is None else columns.cell(line, columns.label)
        return Mark("relabel", _known(label, labels), was)
    return Mark(action, was=was) if action else None


def _known(label: str, labels: Sequence[str]) -> str:
    if label in labels:
        return label
    near = [known for known in labels if known.casefold() == label.casefold()]
    if len(near) == 1:
        return near[0]
    close = difflib.get_close_matches(label, labels, n=1)
    guess = f" Is it {close[0]!r}?" if close else ""
    raise DataError(f"{shown(label, most=40)!r} is neither keep, delete nor a class of this data set.{guess}")


def _columns(text: str, items: pd.DataFrame, what: str) -> _Columns:
    finders = _finders(items)
    best: tuple[int, int, int, str, list[Line]] = (0, 0, 0, "", [])
    rivals: list[tuple[int, str]] = []
    for sign in delimiters(text)[:-1]:
        table = lines(text, sign)
        for column in range(max((len(line.cells) for line in table), default=0)):
            for kind, find in finders.items():
                count = sum(bool(find(unguarded(_cell(line, column)))) for line in table)
                headed = int(_word(_cell(table[0], column)) in PICTURE_HEADERS[kind])
                if count and (count, headed) > best[:2]:
                    best, rivals = (count, headed, column, kind, table), [(column, kind)]
                elif count and (count, headed) == best[:2] and table == best[4]:
                    rivals.append((column, kind))
    _, _, column, kind, table = best
    if not table:
        raise DataError(f"No column of {what} names pictures of this data set.", hint=_HINT)
    _check_rivals(table, finders, rivals, what)
    return _others(table, column, finders[kind], what)


def _check_rivals(
    table: Sequence[Line],
    finders: Mapping[str, Callable[[str], list[str]]],
    rivals: Sequence[tuple[int, str]],
    what: str,
) -> None:
    """Raise DataError when two ways to read the pictures are as good and mean different ones."""
    meant = [[finders[kind](unguarded(_cell(line, column))) for line in table] for column, kind in rivals]
    if any(other != meant[0] for other in meant):
        raise DataError(
            f"{what} can be read in two ways: as {rivals[0][1]} or as {rivals[1][1]} of the pictures.",
            hint="Name the column item or original_name in the first line.",
        )


def _others(table: Sequence[Line], picture: int, find: Callable[[str], list[str]], what: str) -> _Columns:
    width = max(len(line.cells) for line in table)
    others = [column for column in range(width) if column != picture]
    has_header = not find(unguarded(_cell(table[0], picture)))
    words = {_word(_cell(table[0], column)): column for column in reversed(others)} if has_header else {}
    action = next((words[word] for word in ACTION_HEADERS if word in words), None)
    if action is None and len(others) == 1:
        action = others[0]
    if action is None:
        raise DataError(f"{what} does not say which column holds what to do.", hint=_HINT)
    label = next((words[word] for word in LABEL_HEADERS if word in words and words[word] != action), None)
    was = next((words[word] for word in WAS_HEADERS if word in words), None)
    is_header = has_header and (bool(words.keys() & {*ACTION_HEADERS}) or _word(_cell(table[0], picture)) in _ALL)
    return _Columns(table[1:] if is_header else table, find, picture, action, label, was)


_ALL = frozenset(word for words in PICTURE_HEADERS.values() for word in words)


def _finders(items: pd.DataFrame) -> dict[str, Callable[[str], list[str]]]:
    """Ways in which a cell may mean pictures: kind -> what gives the items it means."""
    known = list(items["item"])
    by_item = {item.lstrip("0"): [item] for item in known} | {item: [item] for item in known}
    by_file: dict[str, list[str]] = defaultdict(list)
    for item, file in zip(known, items["file"], strict=True):
        by_file[file].append(item)
    words = [path_words(name) or ("",) for name in items["original_name"]]
    names = FileNames(words)

    def exported(cell: str) -> list[str]:
        match = re.match(r"(\d+)-", (path_words(cell) or ("",))[-1])
        return [match[1]] if match and by_item.get(match[1]) == [match[1]] else []

    return {
        "item": lambda cell: by_item.get(cell, []),
        "file": lambda cell: by_file.get(cell.casefold().removesuffix(".jpg"), []),
        "name": lambda cell: [known[number] for number in names.find(cell)],
        "export": exported,
    }


def _cell(line: Line, column: int) -> str:
    return line.cells[column] if column < len(line.cells) else ""


def _word(cell: str) -> str:
    return re.sub(r"[\W_]+", "", cell.casefold())
