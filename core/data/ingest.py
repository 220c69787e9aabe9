"""Import: a folder or a zip of pictures in, a data set of the workspace and a report out."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from core.data.archive import Archive, Member
from core.data.events import Event
from core.data.images import MAX_BYTES, Encoded, open_image, reencode
from core.data.layout import Layout, is_junk, read_layout, shown
from core.data.shelf import Picture, Rejected
from core.data.store import publish
from core.data.table import check_free_name
from core.errors import DataError, ImageRejected
from core.settings import ImportSettings
from core.workspace import Workspace

__all__ = ["Encoded", "Picture", "Rejected", "import_source", "open_image", "publish", "reencode"]

MAX_FILES = 100_000
Stop = Callable[[], bool]


def import_source(
    workspace: Workspace,
    source: Path,
    *,
    name: str,
    settings: ImportSettings,
    workers: int | None = None,
    stop: Stop = lambda: False,
) -> Iterator[Event]:
    """Import a folder or a .zip as data set `name`; yields Progress and, last of all, DataReady.

    `source` holds `class/…` or `train|valid/class/…`. `workers` processes open the pictures (None: one per core).
    Files that cannot be used are listed with a reason each; an import that cannot become a data set raises DataError
    with a sentence. On an error, or when `stop()` turns true (then the events end without DataReady), nothing of it
    remains.
    """
    check_free_name(workspace, name)
    source = Path(source).expanduser().absolute()
    read = _read_folder if _is_folder(source) else _read_zip
    yield from read(workspace, source, name=name, settings=settings, workers=workers, stop=stop)


def _is_folder(source: Path) -> bool:
    try:
        mode = source.stat().st_mode
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise DataError(
            f"There is no folder or file {shown(str(source))}.", hint="Check the path: give a folder or a .zip."
        ) from error
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise DataError(f"{shown(source.name)} is neither a folder nor a zip file.", hint="Give a folder or a .zip.")
    return stat.S_ISDIR(mode)


def _read_zip(
    workspace: Workspace, source: Path, *, name: str, settings: ImportSettings, workers: int | None, stop: Stop
) -> Iterator[Event]:
    what = shown(source.name)
    with Archive(source) as archive:
        layout = read_layout((member.words for member in archive.members), what=what)
        yield from publish(
            workspace,
            (_from_zip(archive, member, layout) for member in archive.members),
            name=name,
            settings=settings,
            source=what,
            total=len(archive.members),
            need_bytes=sum(member.info.file_size for member in archive.members),
            notes=layout.notes,
            workers=workers,
            stop=stop,
        )


def _from_zip(archive: Archive, member: Member, layout: Layout) -> Picture | Rejected:
    place, name = layout.place(member.words), "/".join(member.words)
    try:
        data = archive.read(member)
    except ImageRejected as error:
        return Rejected(name, f"{error.message} {error.hint}".strip(), error.code)
    if place.label is None:
        return Rejected(name, place.reason, data=data)
    return Picture(data, place.label, name, place.split)


def _read_folder(
    workspace: Workspace, source: Path, *, name: str, settings: ImportSettings, workers: int | None, stop: Stop
) -> Iterator[Event]:
    what = shown(source.name or str(source))
    files, unread = _scan(source, what)
    layout = read_layout((words for words, _ in files), what=what)
    pictures = (_from_folder(words, path, layout) for words, path in files)
    yield from publish(
        workspace,
        (entry for stream in (unread, pictures) for entry in stream),
        name=name,
        settings=settings,
        source=what,
        total=len(files) + len(unread),
        need_bytes=sum(_size(path) for _, path in files),
        notes=layout.notes,
        workers=workers,
        stop=stop,
    )


def _scan(source: Path, what: str) -> tuple[list[tuple[tuple[str, ...], Path]], list[Rejected]]:
    """All files below `source` in order of their names, and the folders that cannot be read or are links."""
    files, unread = [], []

    def refused(error: OSError) -> None:
        unread.append(Rejected(_inside(source, Path(error.filename)), "The folder may not be read."))

    for place, folders, names in os.walk(source, onerror=refused):
        here = Path(place)
        for folder in [folder for folder in folders if (here / folder).is_symlink()]:
            unread.append(Rejected(_inside(source, here / folder), "The folder is a link; links are not followed."))
        folders[:] = [folder for folder in folders if not is_junk((folder,))]
        for file in names:
            words = (*here.relative_to(source).parts, file)
            if not is_junk(words):
                files.append((words, here / file))
        if len(files) > MAX_FILES:
            raise DataError(f"{what} holds more than {MAX_FILES} files.", hint="Import fewer pictures.")
    return sorted(files), unread


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone or not to be read: its reason comes when its turn comes
        return 0


def _inside(source: Path, path: Path) -> str:
    return "/".join(path.relative_to(source).parts) or source.name


def _from_folder(words: tuple[str, ...], path: Path, layout: Layout) -> Picture | Rejected:
    name = "/".join(words)
    try:
        found = path.stat()
    except OSError:
        return Rejected(name, "The file cannot be read.", "unreadable")
    if not stat.S_ISREG(found.st_mode):
        return Rejected(name, "The entry is a pipe or a device, not a file.", "not_a_file")
    place = layout.place(words)
    if place.label is None:
        return Rejected(name, place.reason, data=path if found.st_size <= MAX_BYTES else None)
    return Picture(path, place.label, name, place.split)
