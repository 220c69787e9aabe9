"""Logs that are tables: text with a line of column names and lines of numbers below it in; rows of numbers out.

The signs between cells are read off the line of names, so that CSV, tab-separated, Markdown and printed tables are all
the same. Every further line of names begins a new table.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

from core.diagnose.log_cells import NUMBER_CHARS, meaning, number, plain_name
from core.diagnose.log_rows import BLOCK, Row, Rows, passed_over

MOST_COLUMNS = 200
_GAPS = r"\s{2,}"
_SPACES = r"\s+"
_SIGNS = ("\t", "|", ";", ",")
_WORD = re.compile(r"[\w./%()#*-]+")
_RULE = re.compile(r"[\s|:+=_\-\u2500-\u257f]*")
_NOISE = re.compile(r"\[\d+ rows x \d+ columns\]|.{0,200}\d%\|.*|sep=.|```.*|\.\.\..*", re.DOTALL)
_BEFORE_PERCENT = re.compile(r"(\d)\s+%")
_BRACKETED = re.compile(r"\[([^\[\]\n]{3,400})\]\s*$")
_INNER_ARRAY = re.compile(r"array\(\[?([^\[\]()\n]{0,100})\]?(?:,\s*dtype=\w+)?\)")
_BRACKET_NAMES = ("epoch", "trn_loss", "val_loss", "accuracy")


@dataclass(frozen=True)
class Header:
    """The names of a table's columns, "" for a column without one, and what stands between its cells."""

    names: tuple[str, ...]
    separator: str


def tables(text: str) -> Rows | None:
    """Every table of a text, one below the other; None when no line of names is followed by numbers."""
    header: Header | None = None
    block, rows, names = -1, [], set()
    strange: list[tuple[int, str]] = []
    for place, line in enumerate(text.split("\n"), 1):
        if _RULE.fullmatch(line) or _NOISE.fullmatch(line.strip()):
            continue
        found = read_header(line)
        row = None if header is None or found is not None else _row(line, header)
        if found is not None:
            header, block = found, block + 1
            names |= {plain_name(name) for name in found.names}
        elif row is not None:
            rows.append({**row, BLOCK: float(block)})
        else:
            strange.append((place, line))
    return Rows(tool_of(names), tuple(rows), passed_over(strange)) if rows else None


def read_header(line: str) -> Header | None:
    """A line of column names; None for any other line."""
    for separator in _SIGNS:
        cells = _split(line, separator)
        if _known(cells) >= 1:
            return Header(tuple(cells), separator)
    # words with only blanks between them may be a sentence: two of them must be known
    found = [(_GAPS, _split(line, _GAPS)), (_SPACES, _split(line, _SPACES))]
    separator, cells = max(found, key=lambda one: _known(one[1], words=True))
    return Header(tuple(cells), separator) if _known(cells, words=True) >= 2 else None


def _known(cells: list[str], *, words: bool = False) -> int:
    """How many of the cells name a column that we know; 0 where they cannot be the names of a table."""
    if not 2 <= len(cells) <= MOST_COLUMNS:
        return 0
    if any(len(cell) > NUMBER_CHARS or number(cell) is not None for cell in cells):
        return 0
    if words and not all(_WORD.fullmatch(cell.replace(" ", "_")) for cell in cells):
        return 0
    return sum(meaning(cell) is not None for cell in cells)


def _split(line: str, separator: str) -> list[str]:
    if separator in (_GAPS, _SPACES):
        return re.split(separator, _BEFORE_PERCENT.sub(r"\1%", line.strip()))
    if separator not in line:
        return []
    if separator == "|":
        line = line.strip().removeprefix("|").removesuffix("|")
        return [cell.strip() for cell in line.split("|")]
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])
    except csv.Error:  # a lone quote in a cell of many thousand characters
        cells = line.split(separator)
    return [cell.strip() for cell in cells]


def _row(line: str, header: Header) -> Row | None:
    """The numbers of a line below the names; None when it is no row of that table."""
    for separator in (_GAPS, _SPACES) if header.separator in (_GAPS, _SPACES) else (header.separator,):
        cells = _fitted(_split(line, separator), header)
        if cells is not None:
            break
    else:
        return None
    pairs = [(name, cell) for name, cell in zip(header.names, cells, strict=True) if name]
    row = {name: number(cell.rstrip("% ") if "%" in name else cell) for name, cell in pairs}
    counted = [name for name in row if meaning(name) == "epoch"]
    has_numbers = any(value is not None for name, value in row.items() if name not in counted)
    text_for_epoch = any(row[name] is None and cells[header.names.index(name)] for name in counted)
    return row if has_numbers and not text_for_epoch else None


def _fitted(cells: list[str], header: Header) -> list[str] | None:
    """As many cells as there are names; None when that cannot be told."""
    width, last = len(header.names), len(header.names) - 1
    if len(cells) == width:
        return cells
    if header.separator not in (_GAPS, _SPACES):
        filled = [*cells, *[""] * (width - len(cells))]
        return filled[:width] if len(cells) > 1 and not any(filled[width:]) else None
    if len(cells) == width + 1:  # a time without a name at the end, or the count of rows that pandas puts in front
        return cells[:-1] if ":" in cells[-1] else cells[1:]
    return [*cells, ""] if len(cells) == last and meaning(header.names[last]) == "seconds" else None


def tool_of(names: set[str]) -> str:
    """Who writes a table with columns of these plain names."""
    if names & {"train_loss_smooth", "train_loss_eval", "images_per_s"}:
        return "Bearings"
    if "epoch" in names and "step" in names and any(name.startswith(("train", "val", "test")) for name in names):
        return "Lightning"
    if "trn_loss" in names or {"train_loss", "valid_loss"} <= names:
        return "fastai"
    return "Keras" if "loss" in names and "train_loss" not in names else "table"


def bracketed(text: str) -> Rows | None:
    """The rows that fastai 0.7 prints without names: `[ 0.       0.04955  0.02605  0.98975]`."""
    rows, more, block, last = [], False, 0, -1.0
    for line in _INNER_ARRAY.sub(r"\1", text).split("\n"):
        found = _BRACKETED.search(line[-500:])
        cells = [number(cell) for cell in re.split(r"[\s,]+", found[1].strip())] if found else []
        values = [value for value in cells if value is not None]
        if len(values) < 3 or len(values) < len(cells) or not float(values[0]).is_integer():
            continue
        block, last = block + (values[0] <= last), values[0]
        rows.append({**dict(zip(_BRACKET_NAMES, values, strict=False)), BLOCK: float(block)})
        more = more or len(values) > len(_BRACKET_NAMES)
    told = ["The rows carry no names: they were taken for epoch, training loss, validation loss and accuracy."]
    if more:
        told.append("What stands behind the fourth number was passed over.")
    return Rows("fastai", tuple(rows), tuple(told)) if rows else None
