"""labels.csv: a table that says which picture shows what, and the files there are in; a place for each file out.

Rows without a file, files without a row and rows that contradict each other are listed; the rest goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from core.data.file_names import Words
from core.data.label_columns import Columns, find_columns
from core.data.layout import MAX_CLASSES, Place, is_document, look_at, normalise_label, shown
from core.data.shelf import Rejected
from core.data.text_table import Line, decode, unguarded
from core.errors import DataError

MAX_ROWS = 200_000
MAX_LISTED = 2_000
_SIGNS = (" ", "|", ",", ";", "/")  # between several labels in one cell


@dataclass(frozen=True)
class Labels:
    """What a table says: number of a file -> its place, in the table's order, and -> the other cells of its row.

    `rejected` lists rows and files that do not come together; `notes` says what was understood.
    """

    places: Mapping[int, Place]
    cells: Mapping[int, Mapping[str, str]]
    rejected: tuple[Rejected, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Reading:
    """What was read so far."""

    places: dict[int, tuple[Line, Place]] = field(default_factory=dict)
    listed: set[int] = field(default_factory=set)  # files of rows that cannot be used
    clashes: dict[int, list[tuple[Line, Place]]] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def take(self, file: int, line: Line, place: Place) -> None:
        """Note a row; the same once more does not count, another word about the same file is a contradiction."""
        first_line, first = self.places.setdefault(file, (line, place))
        if first != place:
            self.clashes.setdefault(file, [(first_line, first)]).append((line, place))


def read_labels(data: bytes, files: Sequence[Words], *, table: str) -> Labels:
    """Read a table of labels for `files` (their path words); `table` is its name in the sentences.

    The table has a column that names files and one with labels, and maybe one with train and valid. DataError when it
    cannot be understood, or when it gives several labels to one picture.
    """
    pictures = [number for number, words in enumerate(files) if not is_document(words)]
    columns = find_columns(decode(data, what=table), [files[number] for number in pictures], table=table)
    if len(columns.lines) > MAX_ROWS:
        raise DataError(f"{table} has more than {MAX_ROWS} lines.", hint="Import the pictures in parts.")
    _check_labels(columns, table)
    sides = _Sides(columns, [files[number] for number in pictures])
    reading = _read(columns, sides, table)
    places = {file: place for file, (_, place) in reading.places.items() if file not in reading.clashes}
    rows = {pictures[file]: columns_of(columns, reading.places[file][0]) for file in places}
    rejected = [*reading.rejected, *_clashes(reading, files, pictures, table)]
    rejected += _without_row(files, pictures, {*reading.places, *reading.listed}, table)
    return Labels(
        {pictures[file]: place for file, place in places.items()},
        rows,
        tuple(_not_too_many(rejected)),
        sides.notes,
    )


def columns_of(columns: Columns, line: Line) -> dict[str, str]:
    """All cells of a line by their header in plain words; {} without a header."""
    return {word: unguarded(columns.cell(line, place)) for place, word in enumerate(columns.header)}


def _read(columns: Columns, sides: _Sides, table: str) -> _Reading:
    reading = _Reading()
    for line in columns.lines:
        name, text = unguarded(columns.cell(line, columns.file)), unguarded(columns.cell(line, columns.label))
        fits = columns.names.find(name)
        try:
            if len(fits) != 1:
                raise DataError(_not_one(fits, sides.files))
            if not text:
                raise DataError("it gives no label")
            place = Place(_label(text), sides.of(line, fits[0]))
        except DataError as error:
            reading.rejected.append(
                Rejected(name or "(no name)", f"{table}, line {line.number}: {error.message}.", "row")
            )
            reading.listed.update(fits)
        else:
            reading.take(fits[0], line, place)
    return reading


def _not_one(fits: Sequence[int], files: Sequence[Words]) -> str:
    if not fits:
        return "there is no such picture"
    named = " and ".join("/".join(files[file]) for file in fits[:2])
    return f"{len(fits)} files fit this name, such as {named}; write the folder with it"


def _label(text: str) -> str:
    try:
        return normalise_label(text)
    except DataError as error:
        raise DataError(f"{shown(text, most=40)!r} is no class name, which has 1 to 64 visible characters") from error


class _Sides:
    """Which side a row's picture is on: the table says so, or else a folder called train or valid."""

    def __init__(self, columns: Columns, files: Sequence[Words]) -> None:
        self.files = files
        self._columns = columns
        self._layout = look_at(files)
        said = {columns.sides.get(columns.cell(line, columns.split).casefold()) for line in columns.lines}
        self._test = "" if "valid" in said else "valid"  # a test part is used when there is no other
        self.notes: tuple[str, ...] = self._layout.notes if columns.split is None else ()
        if columns.split is not None and "test" in said and self._test:
            self.notes = ("No pictures are marked for validation, so those marked test are used for it.",)

    def of(self, line: Line, file: int) -> str | None:
        """Train, valid, or None when nothing says it; DataError with a clause when the row is not used."""
        said = self._columns.cell(line, self._columns.split)
        if self._columns.split is None:
            inner = self.files[file][len(self._layout.wrapper) :]
            side = dict(self._layout.sides).get(inner[0]) if len(inner) > 1 else None
        elif not said:
            return None
        else:
            side = self._columns.sides.get(said.casefold())
            if side is None:
                raise DataError(f"{shown(said, most=40)!r} is neither train nor valid")
            side = self._test if side == "test" else side
        if side == "":
            raise DataError("it belongs to a test part, which is not used: train and validation are given")
        return side


def _clashes(reading: _Reading, files: Sequence[Words], pictures: Sequence[int], table: str) -> Iterable[Rejected]:
    for file, said in reading.clashes.items():
        parts = [
            f"{place.label!r}{f' in {place.split}' if place.split else ''} (line {line.number})" for line, place in said
        ]
        words = " and ".join(dict.fromkeys(parts))
        yield Rejected("/".join(files[pictures[file]]), f"{table} contradicts itself: it says {words}.", "conflict")


def _without_row(files: Sequence[Words], pictures: Sequence[int], listed: set[int], table: str) -> Iterable[Rejected]:
    for place, number in enumerate(pictures):
        if place not in listed:
            yield Rejected("/".join(files[number]), f"{table} has no line for this picture.", "no_row")


def _not_too_many(rejected: Sequence[Rejected]) -> list[Rejected]:
    """The list, its end summed up when it is very long."""
    if len(rejected) <= MAX_LISTED:
        return list(rejected)
    more = len(rejected) - MAX_LISTED
    last = Rejected(f"{more} more", f"{more} more lines or pictures are not used for such reasons.", "more")
    return [*rejected[:MAX_LISTED], last]


def _check_labels(columns: Columns, table: str) -> None:
    """Raise DataError when the label column cannot be one: several labels in a cell, or far too many."""
    labels = Counter(cell for line in columns.lines if (cell := columns.cell(line, columns.label)))
    for sign in _SIGNS:
        several = _several(labels, sign)
        if several:
            raise DataError(
                f"{table} gives several labels to one picture, such as {shown(several, most=60)!r}; "
                "a picture has one label here.",
                hint="Keep the label that matters. If it is one name, write it without blanks: black_bear.",
            )
    if len(labels) > MAX_CLASSES:
        raise DataError(
            f"{table} has {len(labels)} different labels; up to {MAX_CLASSES} are allowed.",
            hint="If another column holds the labels, name it label in the first line.",
        )


def _several(labels: Mapping[str, int], sign: str) -> str:
    """A cell that clearly holds several labels, or "": its parts are labels themselves, or are mixed in many ways."""
    cells = {cell: [part.strip() for part in cell.split(sign) if part.strip()] for cell in labels}
    longer = [cell for cell, parts in cells.items() if len(parts) > 1]
    if not longer:
        return ""
    alone = [cell for cell in longer if all(part in labels for part in cells[cell])]
    parts = {part for cell in longer for part in cells[cell]}
    lengths = {len(split) for split in cells.values()}
    mixed = len(longer) >= 12 and len(longer) > 1.5 * len(parts) and len(lengths) >= 3
    return alone[0] if 2 * len(alone) >= len(longer) else longer[0] if mixed else ""
