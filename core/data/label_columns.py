"""Which column is which: a text table and the files it should speak of in; the columns of file, label and side out.

Headers may have any names or be missing: the file column is the one whose cells name files.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.data.file_names import FileNames, Words, is_picture_name
from core.data.layout import MAX_CLASSES, TEST_WORDS, TRAIN_WORDS, VALID_WORDS, shown
from core.data.text_table import Line, delimiters, lines
from core.errors import DataError

LABEL_HEADERS = (  # the first that is there is taken
    "labelname classname categoryname label class category target labels classes categories targets tag tags"
).split()
MAYBE_HEADERS = "species breed kind type answer diagnosis y name".split()  # taken when the cells repeat as labels do
SPLIT_HEADERS = (
    "split side set subset part partition usage phase stage isvalid valid isval val isvalidation validation"
    " istrain train training istest test"
).split()
FILE_HEADERS = "file filename filepath path image imagename imagepath imageid picture photo img fname id name".split()
WORD_SIDES = {
    **dict.fromkeys(TRAIN_WORDS, "train"),
    **dict.fromkeys((*VALID_WORDS, "dev"), "valid"),
    **dict.fromkeys(TEST_WORDS, "test"),
}
_YES = ("1", "true", "yes", "y", "1.0")
_NO = ("0", "false", "no", "n", "0.0")
_SAMPLE = 20_000
_HINT = "Name the two columns file and label in the first line."


@dataclass(frozen=True)
class Columns:
    """A table that was understood: its lines without the header, and the places of its columns."""

    lines: tuple[Line, ...]
    header: tuple[str, ...]  # () when there is none
    file: int
    label: int
    split: int | None
    sides: Mapping[str, str]  # what the split column says -> train, valid or test
    names: FileNames

    def cell(self, line: Line, column: int | None) -> str:
        """A cell of a line, "" where the line is too short."""
        return line.cells[column] if column is not None and column < len(line.cells) else ""

    def column(self, header: str) -> int | None:
        """The place of the column with this header."""
        return self.header.index(header) if header in self.header else None


def find_columns(text: str, files: Sequence[Words], *, table: str) -> Columns:
    """Understand a table that says what `files` show; DataError with a sentence when it cannot be decided.

    `table` names it in the sentences.
    """
    tables = [lines(text, sign) for sign in [*delimiters(text)[:-1], " "]]
    for loose in (False, True):
        names = FileNames(files, loose=loose)
        hits = [(_file_column(found, names), found) for found in tables]
        (score, column), found = max(hits, key=lambda hit: hit[0][0], default=((0, 0), []))
        if score:
            return _columns(found, column, names, table)
    raise _no_file_column(text, files, table)


def _file_column(table: Sequence[Line], names: FileNames) -> tuple[int, int]:
    """How many different files the best column names (0: too few to be that column), and which it is."""
    sample = _sample(table)
    width = max((len(line.cells) for line in sample), default=0)
    best = (0, 0, 0)
    for column in range(width if width > 1 else 0):
        found = [places for line in sample if (places := names.find(_cell(line, column)))]
        different = len({places[0] for places in found})
        known = _header_word(_cell(table[0], column)) in FILE_HEADERS
        if len(found) * 10 >= len(sample) or different * 2 >= names.count:  # a few chance hits are no column
            best = max(best, (different, int(known), -column))
    return best[0], -best[2]


def _sample(table: Sequence[Line]) -> Sequence[Line]:
    return table[:: max(1, len(table) // _SAMPLE)]


def _cell(line: Line, column: int) -> str:
    return line.cells[column] if column < len(line.cells) else ""


def _columns(table: list[Line], file: int, names: FileNames, table_name: str) -> Columns:
    header = _header(table, file, names)
    rows = tuple(table[1:] if header else table)
    width = max(len(line.cells) for line in _sample(rows))
    others = [column for column in range(width) if column != file and _values(rows, column)]
    split, sides = _split_column(rows, header, others)
    labels = [column for column in others if column != split]
    return Columns(rows, header, file, _label_column(rows, header, labels, table_name), split, sides, names)


def _header(table: Sequence[Line], file: int, names: FileNames) -> tuple[str, ...]:
    """The first line in plain words when it is a header, else ()."""
    first = table[0]
    words = tuple(_header_word(cell) for cell in first.cells)
    if words[file : file + 1] and words[file] in FILE_HEADERS and set(words) & {*LABEL_HEADERS, *MAYBE_HEADERS[:-1]}:
        return words
    if names.find(_cell(first, file)) or is_picture_name(_cell(first, file)) or len(table) == 1:
        return ()
    known = {*LABEL_HEADERS, *MAYBE_HEADERS, *SPLIT_HEADERS, *FILE_HEADERS}
    others = [column for column in range(len(words)) if column != file]
    fresh = not any(_cell(first, column) in _values(table[1:], column) for column in others)
    return words if known & set(words) or fresh else ()


def _header_word(cell: str) -> str:
    return re.sub(r"[\W_]+", "", cell.casefold())


def _values(rows: Sequence[Line], column: int) -> Counter[str]:
    """How often each cell of a column is there, empty ones left out."""
    return Counter(cell for line in rows if (cell := _cell(line, column)))


def _split_column(
    rows: Sequence[Line], header: tuple[str, ...], others: Sequence[int]
) -> tuple[int | None, dict[str, str]]:
    """The column that says which side a picture is on, and what its cells mean."""
    if len(others) < 2:  # one column besides the file is the label, whatever it is called
        return None, {}
    for column in others:
        word = header[column] if column < len(header) else ""
        values = {cell.casefold() for cell in _values(rows, column)}
        sides = dict(WORD_SIDES)
        if word in SPLIT_HEADERS:
            true = "train" if "train" in word else "test" if "test" in word else "valid"
            sides |= {**dict.fromkeys(_YES, true), **dict.fromkeys(_NO, "valid" if true == "train" else "train")}
        known = len(values & set(sides))
        if known == len(values) or (word in SPLIT_HEADERS and known * 2 >= len(values)):
            return column, sides
    return None, {}


def _label_column(rows: Sequence[Line], header: tuple[str, ...], columns: Sequence[int], table: str) -> int:
    if not columns:
        raise DataError(f"{table} has no column with labels beside the one with the files.", hint=_HINT)
    by_word = {header[column]: column for column in reversed(columns) if column < len(header)}
    likely = [column for column in columns if _could_be_labels(_values(rows, column))]
    for word in (*LABEL_HEADERS, *MAYBE_HEADERS):
        if word in by_word and (word in LABEL_HEADERS or by_word[word] in likely):
            return by_word[word]
    if len(columns) == 1 or len(likely) == 1:
        return likely[0] if likely else columns[0]
    asked = [header[column] if column < len(header) else f"number {column + 1}" for column in likely or columns]
    raise DataError(
        f"{table} has several columns that could hold the labels: {', '.join(shown(name) for name in asked[:6])}.",
        hint="Name the right one label in the first line.",
    )


def _could_be_labels(values: Counter[str]) -> bool:
    """Whether cells repeat as labels do, and are no measurements."""
    measured = all(re.fullmatch(r"-?\d*[.,]\d+", cell) for cell in values)
    return 2 <= len(values) <= min(MAX_CLASSES, max(2, values.total() // 2)) and not measured


def _no_file_column(text: str, files: Sequence[Words], table: str) -> DataError:
    found = lines(text, (delimiters(text))[0])
    if not found:
        return DataError(f"{table} is empty.", hint="Write one line per picture: its file and its label.")
    file = "/".join(files[0]) if files else "no file"
    cells = ", ".join(repr(shown(cell, most=40)) for cell in found[len(found) // 2].cells[:4])
    return DataError(
        f"No column of {table} names the pictures: line {found[len(found) // 2].number} holds {cells}, "
        f"and a picture is called {shown(file, most=60)!r}.",
        hint="Write one line per picture: its file and its label, with a comma between.",
    )
