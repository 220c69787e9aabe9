"""Loose pictures: files of any layout in, one class's pictures out. For uploads that go into a class somebody chose."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from core.data.archive import Archive, Member
from core.data.images import MAX_BYTES
from core.data.layout import is_document, is_junk, normalise_label
from core.data.shelf import Picture, Rejected
from core.errors import ImageRejected

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
