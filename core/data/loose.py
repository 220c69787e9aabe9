"""Pictures for a set that exists: files of any layout in; pictures of a chosen class, or of each folder's, out."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from core.data.archive import Archive, Member
from core.data.images import MAX_BYTES
from core.data.layout import Place, is_document, is_junk, look_at, normalise_label
from core.data.opened import Opened, opened
from core.data.shelf import Picture, Rejected
from core.errors import DataError, ImageRejected

Entries = Iterator[Picture | Rejected]


@contextlib.contextmanager
def loose_pictures(source: Path, *, label: str) -> Iterator[tuple[Entries, int]]:
    """All pictures of a file, a folder or a zip as pictures of one class, and how many files there are.

    Folders inside count for nothing: whoever adds pictures to a class has said what they are.
    """
    label = normalise_label(label)
    if source.suffix.lower() == ".zip":
        with Archive(source) as archive:
            yield (_of_member(archive, member, label) for member in archive.members), len(archive.members)
        return
    files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if path.is_file())
    top = source.parent if source.is_file() else source
    named = [(path, path.relative_to(top).parts) for path in files]
    wanted = [(path, words) for path, words in named if not is_junk(words)]
    yield (_of_file(path, words, label) for path, words in wanted), len(wanted)


def _of_file(path: Path, words: tuple[str, ...], label: str) -> Picture | Rejected:
    name = "/".join(words)
    if is_document(words):
        return Rejected(name, f"A {path.suffix.lower()} file is not a picture.")
    if path.stat().st_size > MAX_BYTES:
        return Rejected(name, f"The file has more than {MAX_BYTES // 2**20} MB.", "too_large")
    return Picture(path, label, name)


def _of_member(archive: Archive, member: Member, label: str) -> Picture | Rejected:
    name = "/".join(member.words)
    if is_document(member.words):
        return Rejected(name, f"A {Path(name).suffix.lower()} file is not a picture.")
    try:
        return Picture(archive.read(member), label, name)
    except ImageRejected as error:
        return Rejected(name, f"{error.message} {error.hint}".strip(), error.code)


@contextlib.contextmanager
def foldered_pictures(source: Path) -> Iterator[tuple[Entries, int]]:
    """All pictures of a folder or a zip, each in the class that its folder names, and how many files there are.

    One class is enough here: the set that they join has others.
    """
    with opened(source) as files:
        layout = look_at([words for words in files.files if not is_document(words)])
        places = [layout.place(words) for words in files.files]
        if not any(place.label for place in places):
            raise DataError(
                f"{files.what} has no folder that names a class.",
                hint="Choose the class that the pictures belong to, or put them into a folder with its name.",
            )
        pictures = (_of_place(files, number, place) for number, place in enumerate(places))
        yield (entry for stream in (files.unread, pictures) for entry in stream), len(places) + len(files.unread)


def _of_place(files: Opened, number: int, place: Place) -> Picture | Rejected:
    name = "/".join(files.files[number])
    try:
        data = files.data(number)
    except ImageRejected as error:
        return Rejected(name, f"{error.message} {error.hint}".strip(), error.code)
    if place.label is None:
        return Rejected(name, place.reason, data=data)
    return Picture(data, place.label, name, place.split)
