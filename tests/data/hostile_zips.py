"""A corpus of zips as nobody should pack them: how each is written, and what must become of it.

Every zip holds six good pictures of two classes besides what is wrong with it.
"""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class Case:
    """`write` makes the zip. `refused` is what its refusal says; else so many `more` pictures and `rejected` files."""

    write: Callable[[Path], None]
    refused: str = ""
    more: int = 0
    rejected: int = 0


def picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


GOOD = {f"{label}/{n}.png": picture(10 * place + n) for place, label in enumerate(("cat", "dog")) for n in range(3)}


def entry(name: str, mode: int = stat.S_IFREG) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (mode | 0o644) << 16
    return info


def with_entries(
    *more: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> Callable[[Path], None]:
    """A zip of the good pictures and of these."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as made, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a name that is there already
            for name, data in GOOD.items():
                made.writestr(name, data)
            for name, data in more:
                made.writestr(name, data, compress_type=method)

    return write


def changed(change: Callable[[bytes], bytes], *more: tuple[str, bytes]) -> Callable[[Path], None]:
    """A zip of the good pictures and of these, whose bytes are then changed."""

    def write(path: Path) -> None:
        with_entries(*more, method=zipfile.ZIP_STORED)(path)
        path.write_bytes(change(path.read_bytes()))

    return write


def bytes_of(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data) and None


def locked(raw: bytes) -> bytes:
    """The last member is said to need a password."""
    data = bytearray(raw)
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.rindex(mark) + at] |= 1
    return bytes(data)


def other_name_inside(raw: bytes) -> bytes:
    """The list of files says another name than the file itself."""
    place = raw.index(b"cat/x.png")
    return raw[:place] + b"cat/y.png" + raw[place + 9 :]


def overlapping(path: Path) -> None:
    """Thousands of names for one and the same block."""
    body = zlib.compress(bytes(1_000_000), 9)[2:-4]
    crc, name = zlib.crc32(bytes(1_000_000)), b"cat/0.png"
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 33, crc, len(body), 1_000_000, len(name), 0) + name
    sizes = (crc, len(body), 1_000_000, len(name), 0, 0, 0, 0, 0, 0)
    central = (struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 33, *sizes) + name) * 3000
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 3000, 3000, len(central), len(local + body), 0)
    path.write_bytes(local + body + central + end)


def endless_list(raw: bytes) -> bytes:
    end = raw.rindex(b"PK\x05\x06")
    return raw[: end + 12] + (2**30).to_bytes(4, "little") + raw[end + 16 :]


def stated(size: int) -> Callable[[bytes], bytes]:
    """The size that the list of files gives for the last member is a lie."""

    def change(raw: bytes) -> bytes:
        place = raw.rindex(b"PK\x01\x02") + 24
        return raw[:place] + size.to_bytes(4, "little") + raw[place + 4 :]

    return change


def packed_good() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        for name, data in GOOD.items():
            made.writestr(name, data)
    return buffer.getvalue()


def names() -> dict[str, Case]:
    """Names that lead out, or that some system cannot tell apart."""
    one, two = picture(50), picture(51)
    return {
        "up and out": Case(with_entries(("../../../tmp/evil.png", one), ("cat/../../evil.png", two)), more=2),
        "up into a class": Case(with_entries(("../cat/evil.png", one)), more=1),
        "from the root": Case(with_entries(("/cat/evil.png", one)), more=1),
        "of a drive": Case(with_entries(("C:\\cat\\evil.png", one), ("D:/dog/evil.png", two)), more=2),
        "backslashes": Case(with_entries(("..\\..\\cat\\evil.png", one)), more=1),
        "of a share": Case(with_entries(("\\\\server\\share\\evil.png", one)), more=1),
        "the same twice": Case(with_entries(("cat/0.png", one), ("cat/0.png", two)), more=2),
        "accents in two ways": Case(with_entries(("cat/\u00e9.png", one), ("cat/e\u0301.png", two)), more=2),
        "capitals": Case(with_entries(("cat/A.png", one), ("cat/a.png", two)), more=2),
        "a file that is a folder": Case(with_entries(("cat/0.png/evil.png", one), ("dog", two)), more=1, rejected=1),
        "reserved": Case(with_entries(("cat/CON.png", one), ("dog/nul", two)), more=2),
        "control and direction": Case(
            with_entries(("cat/a\nb\u202egnp.exe.png", one), ("cat/\x1b[31m.png", two)), more=2
        ),
        "far too long": Case(with_entries(("cat/" + "x" * 60_000 + ".png", one)), more=1),
        "200 folders deep": Case(with_entries(("cat/" + "d/" * 200 + "1.png", one)), more=1),
        "markup": Case(with_entries(("cat/<img src=x onerror=alert(1)>.png", one), ("dog/=cmd|'x'!A1", two)), more=2),
        "system files": Case(with_entries(("__MACOSX/cat/._0.png", one), ("cat/.DS_Store", two), ("Thumbs.db", two))),
    }  # fmt: skip


def members() -> dict[str, Case]:
    """Members that are no ordinary files."""
    one = picture(60)
    return {
        "a link": Case(with_entries((entry("cat/x.png", stat.S_IFLNK), b"/etc/passwd")), rejected=1),
        "a link to a folder": Case(
            with_entries((entry("cat/up", stat.S_IFLNK), b"../../.."), ("cat/up/evil.png", one)), more=1, rejected=1
        ),
        "a device": Case(with_entries((entry("cat/x.png", stat.S_IFCHR), b"")), rejected=1),
        "a pipe": Case(with_entries((entry("cat/x.png", stat.S_IFIFO), b"")), rejected=1),
        "a password": Case(changed(locked, ("cat/x.png", one)), rejected=1),
        "a wrong checksum": Case(
            changed(lambda raw: raw.replace(b"tail", b"tall"), ("cat/x.png", one + b"tail")), rejected=1
        ),
        "another name inside": Case(changed(other_name_inside, ("cat/x.png", one)), rejected=1),
        "a slow method": Case(with_entries(("cat/x.png", one), method=zipfile.ZIP_LZMA), rejected=1),
        "a method of old": Case(with_entries(("cat/x.png", one), method=zipfile.ZIP_BZIP2), rejected=1),
        "a zip inside": Case(with_entries(("cat/more.zip", packed_good())), rejected=1),
        "a zip called a picture": Case(with_entries(("cat/more.png", packed_good())), rejected=1),
        "a program": Case(with_entries(("cat/run.exe", b"MZ"), ("cat/run.png", b"MZ\x90")), rejected=2),
    }  # fmt: skip


def sizes() -> dict[str, Case]:
    """Zips that are larger than they look."""
    one = picture(70)
    return {
        "a bomb": Case(with_entries(("cat/x.png", bytes(40_000_000))), rejected=1),
        "a member beyond the limit": Case(with_entries(("cat/x.png", bytes(52_500_000))), rejected=1),
        "a bomb that says it is small": Case(changed(stated(10), ("cat/x.png", one)), rejected=1),
        "a picture that says it is large": Case(changed(stated(len(one) + 99), ("cat/x.png", one)), more=1),
        "more gigabytes than allowed": Case(changed(stated(2**32 - 2), ("cat/x.png", one)), refused="unpacks to"),
        "one block for all": Case(overlapping, refused="overlap"),
        "too many files": Case(
            with_entries(*((f"c/{n}", b"") for n in range(20_001)), method=zipfile.ZIP_STORED), refused="20007 files"
        ),
        "an endless list": Case(changed(endless_list), refused="far more files"),
    }


def wrecks() -> dict[str, Case]:
    """What is no zip any more, or never was one."""
    good = packed_good()
    return {
        "cut off": Case(bytes_of(good[: len(good) * 2 // 3]), refused="ends too early"),
        "without its list": Case(bytes_of(good[: good.index(b"PK\x01\x02")]), refused="ends too early"),
        "empty": Case(bytes_of(b"PK\x05\x06" + bytes(18)), refused="holds no pictures"),
        "no bytes": Case(bytes_of(b""), refused="is not a zip file"),
        "another archive": Case(bytes_of(b"Rar!\x1a\x07\0" * 50), refused="is not a zip file"),
        "a picture": Case(bytes_of(picture(1)), refused="is not a zip file"),
        "behind a program": Case(bytes_of(b"#!/bin/sh\nexit\n" + good)),
        "a mark in its comment": Case(
            changed(lambda raw: raw[:-2] + b"\x16\0" + b"PK\x05\x06" + bytes(18)), refused="."
        ),
    }


def corpus() -> dict[str, Case]:
    """All cases by their names."""
    return names() | members() | sizes() | wrecks()
