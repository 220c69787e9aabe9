"""Opened sources: a folder or a zip in; its files as path words out, and the bytes of each when they are wanted."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from core.data.archive import Archive
from core.data.images import MAX_BYTES
from core.data.layout import is_junk, shown
from core.data.shelf import Rejected
from core.errors import DataError, ImageRejected

MAX_FILES = 100_000
Words = tuple[str, ...]


class Opened(Protocol):
    """A folder or a zip that is being read. `files` are in order of their names, system files left out."""

    what: str
    files: Sequence[Words]
    unread: Sequence[Rejected]
    need_bytes: int

    def data(self, number: int) -> bytes | Path:
        """The bytes of a file, or where they lie; ImageRejected when they cannot be had."""


@contextlib.contextmanager
def opened(source: Path) -> Iterator[Opened]:
    """Open a folder or a .zip; DataError when it is neither."""
    if _is_folder(source):
        yield _Folder(source)
    else:
        with Archive(source) as archive:
            yield _Zip(archive, shown(source.name))


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


class _Zip:
    def __init__(self, archive: Archive, what: str) -> None:
        self.what = what
        self.files = [member.words for member in archive.members]
        self.unread: list[Rejected] = []
        self.need_bytes = sum(member.info.file_size for member in archive.members)
        self._archive = archive

    def data(self, number: int) -> bytes | Path:
        return self._archive.read(self._archive.members[number])


class _Folder:
    def __init__(self, source: Path) -> None:
        self.what = shown(source.name or str(source))
        found, self.unread = _scan(source, self.what)
        self.files = [words for words, _ in found]
        self.need_bytes = sum(_size(path) for _, path in found)
        self._paths = [path for _, path in found]

    def data(self, number: int) -> bytes | Path:
        try:
            found = self._paths[number].stat()
        except OSError as error:
            raise ImageRejected("unreadable", "The file cannot be read.") from error
        if not stat.S_ISREG(found.st_mode):
            raise ImageRejected("not_a_file", "The entry is a pipe or a device, not a file.")
        return self._paths[number]


def _scan(source: Path, what: str) -> tuple[list[tuple[Words, Path]], list[Rejected]]:
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


def read_all(files: Opened, number: int) -> bytes:
    """The bytes of a small file such as a table; ImageRejected when they cannot be had."""
    data = files.data(number)
    if isinstance(data, bytes):
        return data
    if data.stat().st_size > MAX_BYTES:
        raise ImageRejected("too_many_bytes", f"The file has more than {MAX_BYTES // 2**20} MB.")
    try:
        return data.read_bytes()
    except OSError as error:
        raise ImageRejected("unreadable", "The file cannot be read.") from error
