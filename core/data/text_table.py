"""Tables as people write them: bytes of a .csv, .tsv or .txt in; lines of cells with their numbers out, and back.

The charset and the sign between cells are found by looking. Nothing here knows what the cells mean.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.errors import DataError

MAX_BYTES = 20 * 2**20
DELIMITERS = ("\t", ";", ",", "|")
_BOMS = (  # the longer ones first: UTF-32 begins like UTF-16
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_LOOK_AT = 200  # lines
_CELL_MAX = 131_072  # of the csv module
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")


@dataclass(frozen=True)
class Line:
    """One row that is not empty: the number of its first line, from 1, and its cells without blanks around them."""

    number: int
    cells: tuple[str, ...]


def decode(data: bytes, *, what: str = "The list", refused: re.Pattern[str] = _CONTROLS) -> str:
    """The text of a file in UTF-8, UTF-16, UTF-32 or Latin-1 (as Windows writes it), with or without a mark in front.

    DataError, with `what` in the sentence, when it is too large or no text: when it holds any of the `refused` signs.
    """
    if len(data) > MAX_BYTES:
        raise DataError(
            f"{what} has {len(data) / 2**20:.0f} MB; a list may have up to {MAX_BYTES // 2**20} MB.",
            hint="Cut it into several.",
        )
    if data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise DataError(f"{what} is a workbook or an archive, not text.", hint="Save the sheet as CSV.")
    try:
        text = data.decode(_charset(data))
    except UnicodeDecodeError as error:
        raise DataError(f"{what} is damaged: its text cannot be read.", hint="Save it as UTF-8.") from error
    if refused.search(text):
        raise DataError(f"{what} is not text.", hint="Save it as CSV or as plain text, in UTF-8.")
    return text


def _charset(data: bytes) -> str:
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    head = data[:2000]
    odd, even = head[1::2].count(0), head[0::2].count(0)
    if max(odd, even) > len(head) / 5:  # UTF-16 without a mark: every second byte of plain words is zero
        return "utf-16-le" if odd > even else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "latin-1" if re.search(rb"[\x81\x8d\x8f\x90\x9d]", data) else "cp1252"
    return "utf-8"


def delimiters(text: str) -> list[str]:
    """The signs that may stand between cells, the likeliest first; "" (one cell per line) is always the last."""
    stated = re.match(r"sep=(.)\r?\n", text)
    if stated:
        return [stated[1], ""]
    head = text[: _LOOK_AT * 500]
    scores = {sign: _evenness(head, sign) for sign in DELIMITERS if sign in head}
    likely = [sign for sign in scores if scores[sign] > 0]
    return [*sorted(likely, key=lambda sign: -scores[sign]), ""]


def _evenness(text: str, sign: str) -> float:
    """The share of lines that have the commonest number of cells, 0 when that is one."""
    widths = Counter(len(line.cells) for line in lines(text, sign)[:_LOOK_AT])
    if not widths:
        return 0.0
    width, count = widths.most_common(1)[0]
    return count / widths.total() if width > 1 else 0.0


def lines(text: str, delimiter: str) -> list[Line]:
    """The lines of a table that hold something. Quotes count as in CSV, unless they do not add up."""
    text = re.sub(r"\Asep=.\r?\n", "\n", text) if delimiter else text
    try:
        found = _read(text, delimiter, quoting=csv.QUOTE_MINIMAL)
    except csv.Error:  # a lone quote would swallow every line up to the next one
        found = _read(text, delimiter, quoting=csv.QUOTE_NONE)
    return [line for line in found if any(line.cells)]


def _read(text: str, delimiter: str, *, quoting: int) -> list[Line]:
    # a sign that no text holds: control characters were refused before
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=delimiter or "\x1f",
        quoting=quoting,
        strict=quoting != csv.QUOTE_NONE,
        skipinitialspace=True,
    )
    found, before = [], 0
    try:
        for cells in reader:
            found.append(Line(before + 1, tuple(cell.strip() for cell in cells)))
            before = reader.line_num
    except csv.Error as error:
        if quoting != csv.QUOTE_NONE:
            raise
        raise DataError(
            f"Line {before + 1} is longer than {_CELL_MAX} characters.", hint="Put one entry on each line."
        ) from error
    return found


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe goes in front of `=`, `+`, `-`, `@` and tabs."""
    return f"'{cell}" if cell.lstrip("'").startswith(_FORMULA) else cell


def unguarded(cell: str) -> str:
    """Inverse of `guarded`."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(_FORMULA) else cell


def to_csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as CSV text that is safe to open in a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)  # a lone \r would not be quoted otherwise
    for row in (header, *rows):
        writer.writerow([guarded(str(cell)) for cell in row])
    return buffer.getvalue()
