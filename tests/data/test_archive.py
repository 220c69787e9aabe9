"""Zip files: what is inside is counted while it is read, and an unsafe archive or member is refused with a sentence."""

from __future__ import annotations

import io
import stat
import struct
import time
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

import core.data.archive as archive_module
from core.data.archive import Archive
from core.errors import ArchiveError, ImageRejected


def make_zip(path: Path, *entries: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        for name, data in entries:
            made.writestr(name, data)
    return path


def names_in(path: Path) -> list[str]:
    with Archive(path) as archive:
        return ["/".join(member.words) for member in archive.members]


def refused(path: Path) -> str:
    """The code with which the only member is refused."""
    with Archive(path) as archive, pytest.raises(ImageRejected) as caught:
        archive.read(archive.members[0])
    assert caught.value.message.endswith(".") and caught.value.hint
    return caught.value.code


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (mode | 0o644) << 16
    return info


def test_members_come_in_order_of_their_names_with_their_bytes(tmp_path):
    path = make_zip(tmp_path / "a.zip", ("dog/2.jpg", b"two"), ("cat/1.jpg", b"one"), ("cat/", b""))
    with Archive(path) as archive:
        assert [(member.name, archive.read(member)) for member in archive.members] == [
            ("cat/1.jpg", b"one"),
            ("dog/2.jpg", b"two"),
        ]


def test_system_files_are_skipped_and_hostile_names_lead_nowhere(tmp_path):
    names = ["../../x/1.jpg", "/etc/2.jpg", "C:\\c\\3.jpg", "..\\d\\4.jpg", "__MACOSX/cat/._1.jpg", "cat/.DS_Store"]
    path = make_zip(tmp_path / "a.zip", *((name, name.encode()) for name in names))
    assert names_in(path) == ["c/3.jpg", "d/4.jpg", "etc/2.jpg", "x/1.jpg"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_equal_names_and_unicode_twins_are_both_there(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = make_zip(
            tmp_path / "a.zip",
            ("cat/1.jpg", b"first"),
            ("cat/1.jpg", b"second"),
            ("cat/\u00e9.jpg", b"nfc"),
            ("cat/e\u0301.jpg", b"nfd"),
        )
    with Archive(path) as archive:
        assert sorted(archive.read(member) for member in archive.members) == [b"first", b"nfc", b"nfd", b"second"]


def test_a_ratio_bomb_is_cut_short(tmp_path):
    path = make_zip(tmp_path / "a.zip", ("cat/1.jpg", b"\0" * 45_000_000))
    tracemalloc.start()
    assert refused(path) == "zip_bomb"
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30_000_000


def test_a_small_picture_of_one_colour_is_no_bomb(tmp_path):
    path = make_zip(tmp_path / "a.zip", ("cat/1.bmp", b"\0" * 900_000))
    with Archive(path) as archive:
        assert len(archive.read(archive.members[0])) == 900_000


def test_a_member_that_states_too_many_bytes_is_refused_unread(tmp_path):
    path = make_zip(tmp_path / "a.zip", ("cat/1.jpg", b"\0" * 60_000_000))
    start = time.perf_counter()
    assert refused(path) == "too_many_bytes"
    assert time.perf_counter() - start < 0.2


def test_a_lying_size_does_not_get_through(tmp_path):
    data = bytes(range(256)) * 4000
    path = make_zip(tmp_path / "a.zip", ("cat/1.jpg", data))
    raw = path.read_bytes()
    path.write_bytes(raw.replace(struct.pack("<I", len(data)), struct.pack("<I", 10)))
    assert refused(path) == "damaged_in_zip"
    path.write_bytes(raw.replace(struct.pack("<I", len(data)), struct.pack("<I", len(data) + 5000)))
    with Archive(path) as archive:
        assert archive.read(archive.members[0]) == data


def test_the_total_is_counted_while_reading(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "a.zip", *((f"cat/{number}.jpg", bytes(200_000)) for number in range(5)))
    monkeypatch.setattr(archive_module, "MAX_TOTAL_BYTES", 1_000_001)
    with Archive(path) as archive:
        monkeypatch.setattr(archive_module, "MAX_TOTAL_BYTES", 700_000)  # as if the stated sizes had been lies
        with pytest.raises(ArchiveError, match="unpacks to more than"):
            for member in archive.members:
                archive.read(member)
    with pytest.raises(ArchiveError, match="unpacks to"):
        Archive(path)


def test_too_many_members_are_refused(tmp_path, monkeypatch):
    path = make_zip(tmp_path / "a.zip", *((f"c/{number}", b"") for number in range(31)))
    monkeypatch.setattr(archive_module, "MAX_MEMBERS", 30)
    with pytest.raises(ArchiveError, match="holds 31 files; up to 30"):
        Archive(path)


@pytest.mark.parametrize("zip64", [False, True])
def test_an_endless_list_of_files_is_refused_before_it_is_read(tmp_path, monkeypatch, zip64):
    path = make_zip(tmp_path / "a.zip", ("cat/1.jpg", b"one"))
    raw = path.read_bytes()
    end = raw.index(b"PK\x05\x06")
    huge = (2**30).to_bytes(4, "little")
    ordinary = raw[:end] + raw[end : end + 12] + (b"\xff" * 4 if zip64 else huge) + raw[end + 16 :]
    record = b"PK\x06\x06" + bytes(36) + (2**33).to_bytes(8, "little") + bytes(8)
    path.write_bytes(ordinary[:end] + record + ordinary[end:] if zip64 else ordinary)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    with pytest.raises(ArchiveError, match="far more files than the 20000"):
        Archive(path)


def overlapping_zip(path: Path, copies: int) -> Path:
    """Many names for one and the same compressed block."""
    body = zlib.compress(bytes(1_000_000), 9)[2:-4]
    crc = zlib.crc32(bytes(1_000_000))
    name = b"cat/0.jpg"
    local = struct.pack("<IHHHHHIIIHH", 0x04034B50, 20, 0, 8, 0, 33, crc, len(body), 1_000_000, len(name), 0) + name
    central = b""
    for number in range(copies):
        member = f"cat/{number % 10}.jpg".encode()
        sizes = (crc, len(body), 1_000_000, len(member), 0, 0, 0, 0, 0, 0)
        central += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 20, 20, 0, 8, 0, 33, *sizes) + member
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, copies, copies, len(central), len(local + body), 0)
    path.write_bytes(local + body + central + end)
    return path


def test_overlapping_members_are_refused(tmp_path):
    with pytest.raises(ArchiveError, match="overlap"):
        Archive(overlapping_zip(tmp_path / "a.zip", 10))
    with Archive(overlapping_zip(tmp_path / "b.zip", 1)) as archive:  # the same bytes are fine once
        assert len(archive.read(archive.members[0])) == 1_000_000


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(tmp_path, kind):
    assert refused(make_zip(tmp_path / "a.zip", (special("cat/1.jpg", kind), b"/etc/passwd"))) == "not_a_file"


def test_a_locked_member_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", ("cat/1.jpg", b"secret" * 20))
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + at] |= 1
    path.write_bytes(raw)
    assert refused(path) == "locked"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_without_a_bound_on_their_output_are_refused(tmp_path, method):
    assert refused(make_zip(tmp_path / "a.zip", ("cat/1.jpg", b"x" * 500), method=method)) == "method"


def test_a_damaged_member_is_refused_and_the_others_are_read(tmp_path):
    path = make_zip(tmp_path / "a.zip", ("a/1.jpg", b"one" * 99), ("b/2.jpg", b"two"), method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"oneone", b"onione", 1))
    with Archive(path) as archive:
        with pytest.raises(ImageRejected, match="damaged inside the zip"):
            archive.read(archive.members[0])
        assert archive.read(archive.members[1]) == b"two"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is not a zip file"),
        (b"hello", "is not a zip file"),
        (b"\x89PNG\r\n\x1a\n" * 50, "is not a zip file"),
        (b"Rar!\x1a\x07\0" * 50, "is not a zip file"),
    ],
)
def test_what_is_not_a_zip_is_refused(tmp_path, data, sentence):
    path = tmp_path / "photos.zip"
    path.write_bytes(data)
    with pytest.raises(ArchiveError, match=f"photos.zip {sentence}") as caught:
        Archive(path)
    assert caught.value.hint


@pytest.mark.parametrize("share", [0.2, 0.6, 0.95])
def test_a_truncated_zip_is_called_incomplete(tmp_path, share):
    path = make_zip(tmp_path / "photos.zip", *((f"cat/{number}.jpg", bytes(500)) for number in range(30)))
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(ArchiveError, match="ends too early or is damaged"):
        Archive(path)


def test_a_zip_after_other_bytes_is_read(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made:
        made.writestr("cat/1.jpg", b"one")
    path = tmp_path / "a.zip"
    path.write_bytes(b"#!/bin/sh\n" + buffer.getvalue())
    assert names_in(path) == ["cat/1.jpg"]
