"""The shelf of one import: pictures and rejected files in; read-only files, rows of a table and a report out."""

from __future__ import annotations

import csv
import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.decoder import Task
from core.data.images import MAX_BYTES, Encoded
from core.data.layout import shown
from core.data.text_table import to_csv, unguarded
from core.workspace import disk_errors, new_id, write_atomic

REJECTED_BYTES = 200 * 2**20  # of originals kept beside a data set
SYNC_THREADS = 8
TWIN_NOTE = "also stored as"
REPORT_COLUMNS = ("name", "reason", "code", "file")


@dataclass(frozen=True)
class Picture:
    """One picture on its way in. `split` None leaves the side to the seed; an Encoded picture is stored as it is.

    `source` says where this very picture comes from, such as its address; "" means the source of all.
    """

    data: bytes | Path | Encoded | Task
    label: str
    original_name: str
    split: str | None = None
    note: str = ""
    source: str = ""

    @property
    def original(self) -> bytes | Path | None:
        """The file as it came, where there is one."""
        return self.data if isinstance(self.data, bytes | Path) else None


@dataclass(frozen=True)
class Rejected:
    """One file that cannot be used, with the reason as a sentence; `data` is kept beside the data set if given."""

    name: str
    reason: str
    code: str = "not_used"
    data: bytes | Path | None = None


class Shelf:
    """What has been stored so far of one data set: `rows` of its table, and the `rejected` files with reasons."""

    def __init__(self, path: Path, source: str) -> None:
        self.path = path
        self.source = source
        self.rows: list[dict[str, Any]] = []
        self.rejected: list[dict[str, str]] = []
        self._seen: dict[str, dict[str, int]] = {}  # hash -> label -> place in rows

    def keep(self, picture: Picture, made: Encoded) -> None:
        """Store a picture. The same one again under its label is a duplicate; under another label it is noted."""
        same = self._seen.setdefault(made.sha, {})
        if picture.label in same:
            first = self.rows[same[picture.label]]["original_name"]
            self.reject(Rejected(picture.original_name, f"The same picture as {first}.", "duplicate"))
            return
        twin = f"{TWIN_NOTE} {', '.join(repr(label) for label in same)}" if same else ""
        if not same:
            write_once(self.image_path(made.sha), made.jpeg)
        same[picture.label] = len(self.rows)
        row = {
            "item": f"{len(self.rows) + 1:06d}",
            "file": made.sha,
            "label": picture.label,
            "split": picture.split or "",
            "width": made.width,
            "height": made.height,
            "source": picture.source or self.source,
            "original_name": shown(picture.original_name),
            "status": "kept",
            "note": "; ".join(note for note in (picture.note, made.note, twin) if note),
        }
        self.rows.append(row)

    def image_path(self, sha: str) -> Path:
        """Where a stored picture lies."""
        return self.path / "images" / f"{sha}.jpg"

    def reject(self, rejected: Rejected) -> None:
        """Note a file that cannot be used, and keep its bytes while there is room."""
        record = {"name": shown(rejected.name), "reason": rejected.reason, "code": rejected.code}
        self.rejected.append({**record, "file": keep_original(self.path / "rejected", rejected.data)})

    def close(self) -> None:
        """Write the report and bring every file to the disk for good."""
        if self.rejected:
            write_atomic(self.path / "rejected" / "report.csv", report_csv(self.rejected))
        folders = [folder for folder in (self.path / "images", self.path / "rejected") if folder.is_dir()]
        with ThreadPoolExecutor(SYNC_THREADS) as threads:  # the disk takes several at once: three times faster
            list(threads.map(_sync, [*(file for folder in folders for file in folder.iterdir()), *folders]))


def keep_original(folder: Path, data: bytes | Path | None) -> str:
    """Keep the bytes of a file that cannot be used under their hash, while there is room in `folder`.

    Returns the name, or "" when there are no bytes, they cannot be read, or the room is used up.
    """
    try:
        if isinstance(data, Path):
            data = data.read_bytes() if data.stat().st_size <= MAX_BYTES else None
    except OSError:  # unreadable: that is why it was rejected
        return ""
    if not data:
        return ""
    name = f"{hashlib.sha256(data).hexdigest()}.bin"
    if not (folder / name).exists():
        if folder_bytes(folder) + len(data) > REJECTED_BYTES:
            return ""
        write_once(folder / name, data)
    return name


def folder_bytes(folder: Path) -> int:
    """How much the files of a folder take together."""
    return sum(entry.stat().st_size for entry in os.scandir(folder)) if folder.is_dir() else 0


def write_once(path: Path, data: bytes) -> None:
    """Write a new read-only file, whole or not at all; the folder above it is made, but not the one above that."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with disk_errors():
        path.parent.mkdir(exist_ok=True)
        temp = path.parent / f".tmp-{new_id()}"
        try:
            with open(os.open(temp, flags, 0o444), "wb") as file:
                file.write(data)
            os.replace(temp, path)
        except BaseException:
            temp.unlink(missing_ok=True)
            raise


def report_csv(rejected: Iterable[dict[str, str]]) -> str:
    """The rejected files as CSV that no spreadsheet takes for formulas."""
    return to_csv(REPORT_COLUMNS, ([record[column] for column in REPORT_COLUMNS] for record in rejected))


def read_report(path: Path) -> list[dict[str, str]]:
    """The records of a report written before; [] when there is none."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: unguarded(cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def sync_pictures(folder: Path, shas: Iterable[str]) -> None:
    """Bring stored pictures to the disk for good, so that a power cut takes none that a table names."""
    with ThreadPoolExecutor(SYNC_THREADS) as threads:
        list(threads.map(_sync, [*(folder / f"{sha}.jpg" for sha in shas), folder]))


def _sync(path: Path) -> None:
    if os.name == "nt":  # Windows syncs files open for writing only
        return
    with disk_errors():
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
