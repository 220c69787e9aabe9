"""Import: a folder or a zip of pictures in, a data set of the workspace and a report out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

from core.data.decoder import Task
from core.data.events import DataReady, Event
from core.data.export import MARKER, TABLE, read_marker
from core.data.images import MAX_BYTES, Encoded, open_image, reencode
from core.data.labels import Labels, read_labels
from core.data.layout import Place, document_reason, is_document, look_at, read_layout, shown
from core.data.opened import Opened, opened, read_all
from core.data.shelf import TWIN_NOTE, Picture, Rejected
from core.data.store import publish
from core.data.table import check_free_name, load_dataset
from core.errors import DataError, ImageRejected
from core.settings import ImportSettings
from core.workspace import Workspace

__all__ = ["Encoded", "Picture", "Rejected", "import_source", "open_image", "publish", "reencode"]

Stop = Callable[[], bool]


@dataclass(frozen=True)
class _Plan:
    """How a source is read: number of a file -> its place, in the order of the table to be; what is left out."""

    places: Mapping[int, Place]
    rejected: Sequence[Rejected] = ()
    notes: tuple[str, ...] = ()
    cells: Mapping[int, Mapping[str, str]] = field(default_factory=dict)
    record: Mapping[str, Any] | None = None  # of an export that comes back


def import_source(
    workspace: Workspace,
    source: Path,
    *,
    name: str,
    settings: ImportSettings,
    labels: Path | None = None,
    workers: int | None = None,
    stop: Stop = lambda: False,
) -> Iterator[Event]:
    """Import a folder or a .zip as data set `name`; yields Progress and, last of all, DataReady.

    `source` holds `class/…` or `train|valid/class/…`, or pictures of any layout with a table (`labels`, or labels.csv
    inside) that gives each its label. What was exported comes back as it was. `workers` processes open the pictures
    (None: one per core). Files that cannot be used are listed with a reason each; an import that cannot become a data
    set raises DataError with a sentence. On an error, or when `stop()` turns true (then the events end without
    DataReady), nothing of it remains.
    """
    check_free_name(workspace, name)
    with opened(Path(source).expanduser().absolute()) as files:
        plan = _plan(files, labels)
        for event in publish(
            workspace,
            _pictures(files, plan),
            name=name,
            settings=_settings(plan, settings),
            source=files.what,
            total=len(files.unread) + len(plan.places) + len(plan.rejected),
            need_bytes=files.need_bytes,
            notes=plan.notes,
            workers=workers,
            stop=stop,
        ):
            yield _compared(workspace, event, plan) if isinstance(event, DataReady) and plan.record else event


def _pictures(files: Opened, plan: _Plan) -> Iterator[Picture | Rejected]:
    yield from files.unread
    for number, place in plan.places.items():
        yield _picture(files, number, place, plan)
    yield from plan.rejected


def _picture(files: Opened, number: int, place: Place, plan: _Plan) -> Picture | Rejected:
    name = "/".join(files.files[number])
    try:
        data = files.data(number)
    except ImageRejected as error:
        return Rejected(name, f"{error.message} {error.hint}".strip(), error.code)
    if place.label is None:
        return Rejected(name, place.reason, data=data)
    if plan.record is None:
        return Picture(data, place.label, name, place.split)
    cells = plan.cells.get(number, {})
    return Picture(
        Task("stored", data=data),
        place.label,
        cells.get("originalname") or name,
        place.split,
        note="; ".join(note for note in cells.get("note", "").split("; ") if not note.startswith(TWIN_NOTE)),
        source=cells.get("source", ""),
    )


def _plan(files: Opened, labels: Path | None) -> _Plan:
    if labels is not None:
        return _by_table(files, _table_bytes(labels), shown(labels.name))
    exported = _export(files)
    if exported is not None:
        table, record = exported
        plan = _by_table(files, _bytes_of(files, table), TABLE)
        return replace(plan, notes=(), record=record)
    table = _table_inside(files)
    if table is not None and _classes(files) < 2:
        name = files.files[table][-1]
        try:
            plan = _by_table(files, _bytes_of(files, table), shown(name))
        except DataError:
            if _is_labels(name):
                raise
        else:
            note = f"{shown(name)} says what the pictures show, since no folders name classes."
            return replace(plan, notes=(note, *plan.notes))
    return _by_folders(files, table)


def _by_folders(files: Opened, table: int | None) -> _Plan:
    layout = read_layout(files.files, what=files.what)
    notes = layout.notes
    if table is not None and _is_labels(files.files[table][-1]):
        name = shown(files.files[table][-1])
        notes += (f"{name} was not used, since folders name the classes; choose it as the table of labels to use it.",)
    return _Plan({number: layout.place(words) for number, words in enumerate(files.files)}, notes=notes)


def _by_table(files: Opened, data: bytes, name: str) -> _Plan:
    if all(is_document(words) for words in files.files):
        raise DataError(f"{files.what} holds no pictures.", hint="Put the pictures and their table side by side.")
    read: Labels = read_labels(data, files.files, table=name)
    found = {place.label for place in read.places.values()}
    if len(found) == 1:
        raise DataError(
            f"{name} gives every picture the label {next(iter(found))!r}; 2 labels or more are needed.",
            hint="If another column holds the labels, name it label in the first line.",
        )
    others = [words for words in files.files if is_document(words) and words[-1] not in (name, MARKER)]
    documents = [Rejected("/".join(words), document_reason(words)) for words in others]
    return _Plan(read.places, (*read.rejected, *documents), read.notes, read.cells)


def _bytes_of(files: Opened, number: int) -> bytes:
    try:
        return read_all(files, number)
    except ImageRejected as error:
        raise DataError(f"{shown(files.files[number][-1])}: {error.message}", hint="Write it anew.") from error


def _table_bytes(path: Path) -> bytes:
    path = path.expanduser()
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DataError(f"{shown(path.name)} is too large for a table of labels.", hint="Leave other columns out.")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(f"There is no file {shown(str(path))} that can be read.", hint="Check the path.") from error


def _is_labels(name: str) -> bool:
    return PurePosixPath(name.casefold()).stem == "labels"


def _table_inside(files: Opened) -> int | None:
    """The table beside or above all pictures: one called labels, or else the only .csv or .tsv."""
    pictures = [words for words in files.files if not is_document(words)]
    tables = {}
    for number, words in enumerate(files.files):
        suffix, folder = PurePosixPath(words[-1].casefold()).suffix, words[:-1]
        known = suffix in (".csv", ".tsv") or (suffix == ".txt" and _is_labels(words[-1]))
        if known and all(picture[: len(folder)] == folder for picture in pictures):
            tables[number] = (not _is_labels(words[-1]), len(words))
    first = sorted(tables, key=lambda number: (tables[number], number))
    return first[0] if len(first) == 1 or (first and not tables[first[0]][0]) else None


def _classes(files: Opened) -> int:
    """How many classes the folders name."""
    pictures = [words for words in files.files if not is_document(words)]
    layout = look_at(pictures)
    return len({label for words in pictures if (label := layout.place(words).label) is not None})


def _export(files: Opened) -> tuple[int, Mapping[str, Any]] | None:
    """The table and the record of an export by Bearings, when this is one."""
    places = {words: number for number, words in enumerate(files.files)}
    for words, number in places.items():
        if words[-1] == MARKER and (*words[:-1], TABLE) in places and len(words) <= 2:
            record = read_marker(_bytes_of(files, number))
            if record is not None:
                return places[*words[:-1], TABLE], record
    return None


def _settings(plan: _Plan, settings: ImportSettings) -> ImportSettings:
    """An export brings its own share and seed: every side is given, and pictures that come later shall fit in."""
    if plan.record is None:
        return settings
    return ImportSettings(valid_share=plan.record["valid_share"], seed=plan.record["seed"])


def _compared(workspace: Workspace, ready: DataReady, plan: _Plan) -> DataReady:
    record = plan.record or {}
    same = load_dataset(workspace, ready.dataset).version == record["version"]
    name = shown(record["name"], most=64)
    told = "pictures, labels and sides are as they were" if same else "it has been changed since"
    return replace(ready, notes=(f"This is an export of {name!r}; {told}.", *ready.notes))
