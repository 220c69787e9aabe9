"""The shelf of one import: pictures and rejected files in; read-only files, rows of a table and a report out."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.decoder import Task
from core.data.images import MAX_BYTES, Encoded
from core.data.layout import shown
from core.workspace import disk_errors, write_atomic

REJECTED_BYTES = 200 * 2**20  # of originals kept beside a data set
SYNC_THREADS = 8
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Picture:
    """One picture on its way in. `split` None leaves the side to the seed; an Encoded picture is stored as it is."""

    data: bytes | Path | Encoded | Task
    label: str
    original_name: str
    split: str | None = None
    note: str = ""


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
        self._originals_bytes = 0

    def keep(self, picture: Picture, made: Encoded) -> None:
        """Store a picture. The same one again under its label is a duplicate; under another label it is noted."""
        same = self._seen.setdefault(made.sha, {})
        if picture.label in same:
            first = self.rows[same[picture.label]]["original_name"]
            self.reject(Rejected(picture.original_name, f"The same picture as {first}.", "duplicate"))
            return
        twin = f"also stored as {', '.join(repr(label) for label in same)}" if same else ""
        if not same:
            write_once(self.path / "images" / f"{made.sha}.jpg", made.jpeg)
        same[picture.label] = len(self.rows)
        row = {
            "item": f"{len(self.rows) + 1:06d}",
            "file": made.sha,
            "label": picture.label,
            "split": picture.split or "",
            "width": made.width,
            "height": made.height,
            "source": self.source,
            "original_name": shown(picture.original_name),
            "status": "kept",
            "note": "; ".join(note for note in (picture.note, made.note, twin) if note),
        }
        self.rows.append(row)

    def reject(self, rejected: Rejected) -> None:
        """Note a file that cannot be used, and keep its bytes while there is room."""
        record = {"name": shown(rejected.name), "reason": rejected.reason, "code": rejected.code}
        self.rejected.append({**record, "file": self._keep_original(rejected.data)})

    def _keep_original(self, data: bytes | Path | None) -> str:
        """Keep bytes under their hash; returns the file's name, or "" when there are none or no room is left."""
        try:
            if isinstance(data, Path):
                data = data.read_bytes() if data.stat().st_size <= MAX_BYTES else None
        except OSError:  # unreadable: that is why it was rejected
            return ""
        if not data or self._originals_bytes + len(data) > REJECTED_BYTES:
            return ""
        name = f"{hashlib.sha256(data).hexdigest()}.bin"
        if not (self.path / "rejected" / name).exists():
            self._originals_bytes += len(data)
            write_once(self.path / "rejected" / name, data)
        return name

    def close(self) -> None:
        """Write the report and bring every file to the disk for good."""
        if self.rejected:
            write_atomic(self.path / "rejected" / "report.csv", report_csv(self.rejected))
        folders = [folder for folder in (self.path / "images", self.path / "rejected") if folder.is_dir()]
        with ThreadPoolExecutor(SYNC_THREADS) as threads:  # the disk takes several at once: three times faster
            list(threads.map(_sync, [*(file for folder in folders for file in folder.iterdir()), *folders]))


def write_once(path: Path, data: bytes) -> None:
    """Write a new read-only file; the folder above it is made, but not the one above that."""
    with disk_errors():
        path.parent.mkdir(exist_ok=True)
        with open(
            os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o444), "wb"
        ) as file:
            file.write(data)


def report_csv(rejected: Iterable[dict[str, str]]) -> str:
    """The rejected files as CSV; a cell that a spreadsheet would take for a formula gets an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(("name", "reason", "code", "file"))
    for record in rejected:
        cells = (record[column] for column in ("name", "reason", "code", "file"))
        writer.writerow([f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells])
    return buffer.getvalue()


def _sync(path: Path) -> None:
    if os.name == "nt":  # Windows syncs files open for writing only
        return
    with disk_errors():
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
