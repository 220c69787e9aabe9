"""Zip files: an archive from anywhere in, its pictures as bytes out, one by one.

Nothing is unpacked to the disk and no name inside becomes a path. What comes out is counted while it is read: the
sizes an archive states about itself are not believed.
"""

from __future__ import annotations

import itertools
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.data.images import MAX_BYTES
from core.data.layout import is_junk, path_words
from core.errors import ArchiveError, ImageRejected

MAX_MEMBERS = 20_000
MAX_TOTAL_BYTES = 4 * 2**30
MAX_RATIO = 200
RATIO_FREE_BYTES = 2**20  # small members may be packed tightly: one colour makes a tiny file
_CHUNK = 2**18
_LOCAL_HEADER = 30  # bytes before the name
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MAX_DIRECTORY_BYTES = 16 * 2**20
_TAIL = 2**16 + 200  # a zip ends with a comment of up to 65,535 bytes
_CUT_OFF = "Download or pack it again."


@dataclass(frozen=True)
class Member:
    """One file inside a zip: its name as written, and the words of its path."""

    name: str
    words: tuple[str, ...]
    info: zipfile.ZipInfo


class Archive:
    """An open zip. `members` are its files without folders and system files; `read` gives the bytes of one."""

    def __init__(self, path: Path) -> None:
        self._zip = _open(path)
        try:
            infos = self._zip.infolist()
            _check(infos, path)
        except BaseException:
            self._zip.close()
            raise
        named = ((info, path_words(info.orig_filename)) for info in infos if not _is_folder(info))
        found = (Member(info.orig_filename, words, info) for info, words in named if not is_junk(words))
        self.members = tuple(sorted(found, key=lambda member: member.words))
        self._total = 0

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def read(self, member: Member) -> bytes:
        """The bytes of a member; ImageRejected when they cannot be had, ArchiveError when all of it gets too much."""
        _check_member(member.info)
        data = bytearray()
        most = min(MAX_BYTES, RATIO_FREE_BYTES + MAX_RATIO * member.info.compress_size)
        for chunk in self._chunks(member.info):
            data += chunk
            self._total += len(chunk)
            if len(data) > most:
                raise _too_much(len(data))
            if self._total > MAX_TOTAL_BYTES:
                raise ArchiveError(
                    f"The zip unpacks to more than {MAX_TOTAL_BYTES // 2**30} GB; that is the most an import may have.",
                    hint="Import it in parts.",
                )
        return bytes(data)

    def _chunks(self, info: zipfile.ZipInfo) -> Iterator[bytes]:
        try:
            with self._zip.open(info) as file:
                while chunk := file.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
            raise ImageRejected(
                "damaged_in_zip", "The file is damaged inside the zip.", hint="Pack or download it again."
            ) from error


def _open(path: Path) -> zipfile.ZipFile:
    if _directory_bytes(path) > MAX_DIRECTORY_BYTES:
        raise ArchiveError(
            f"{path.name} holds far more files than the {MAX_MEMBERS} that are read from one zip.",
            hint="Import the unpacked folder instead, or fewer pictures.",
        )
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, IndexError) as error:
        with path.open("rb") as file:
            head = file.read(4)
        if head == b"PK\x03\x04":
            raise ArchiveError(
                f"{path.name} is a zip file that ends too early or is damaged.", hint=_CUT_OFF
            ) from error
        raise ArchiveError(f"{path.name} is not a zip file.", hint="Give a folder, or a .zip made from one.") from error


def _directory_bytes(path: Path) -> int:
    """How long the archive says its list of files is: the list is read as a whole, so a huge one fills the memory."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        tail = file.read()
    stated = [0]
    for mark, at, length in ((b"PK\5\6", 12, 4), (b"PK\6\6", 40, 8)):  # the ordinary end record and the one of zip64
        place = tail.find(mark)
        while place >= 0:
            number = int.from_bytes(tail[place + at : place + at + length], "little")
            stated.append(0 if number == 0xFFFFFFFF else number)  # 0xFFFFFFFF: see the other record
            place = tail.find(mark, place + 1)
    return max(stated)


def _check(infos: Sequence[zipfile.ZipInfo], path: Path) -> None:
    if len(infos) > MAX_MEMBERS:
        raise ArchiveError(
            f"{path.name} holds {len(infos)} files; up to {MAX_MEMBERS} are read from one zip.",
            hint="Import the unpacked folder instead, or fewer pictures.",
        )
    stated = sum(info.file_size for info in infos)
    if stated > MAX_TOTAL_BYTES:
        raise ArchiveError(
            f"{path.name} unpacks to {stated / 2**30:.0f} GB; up to {MAX_TOTAL_BYTES // 2**30} GB are allowed.",
            hint="Import it in parts.",
        )
    starts = sorted((info.header_offset, info.header_offset + _LOCAL_HEADER + info.compress_size) for info in infos)
    if any(end > start for (_, end), (start, _) in itertools.pairwise(starts)):
        raise ArchiveError(
            f"In {path.name} files overlap each other, which no ordinary program writes; it is not opened.",
            hint="Pack the pictures anew.",
        )


def _is_folder(info: zipfile.ZipInfo) -> bool:
    return info.orig_filename.endswith(("/", "\\")) or stat.S_ISDIR(info.external_attr >> 16)


def _check_member(info: zipfile.ZipInfo) -> None:
    mode = info.external_attr >> 16
    refusals: tuple[tuple[bool, str, str, Callable[[], str]], ...] = (
        (
            bool(info.flag_bits & 1),
            "locked",
            "Pack it without a password.",
            lambda: "The file is locked by a password.",
        ),
        (
            stat.S_IFMT(mode) not in (0, stat.S_IFREG),
            "not_a_file",
            "Put the picture itself into the zip.",
            lambda: "The entry is a link or a device, not a file.",
        ),
        (
            info.compress_type not in _METHODS,
            "method",
            "Pack the pictures with ordinary zip compression.",
            lambda: "The file is packed by a method that is not opened here.",
        ),
    )
    for refused, code, hint, message in refusals:
        if refused:
            raise ImageRejected(code, message(), hint=hint)
    if info.file_size > MAX_BYTES:
        raise _too_much(info.file_size)


def _too_much(size: int) -> ImageRejected:
    if size > MAX_BYTES:
        return ImageRejected(
            "too_many_bytes",
            f"The file unpacks to more than {MAX_BYTES // 2**20} MB.",
            hint="Save the picture as JPEG and pack it again.",
        )
    return ImageRejected(
        "zip_bomb", f"The file unpacks to more than {MAX_RATIO} times its size, as no photo does.", hint="Leave it out."
    )
