"""Export: a data set in, a zip out that others can use and that becomes the same data set when it comes back.

train/<class>/<item>-<name>.jpg   valid/<class>/…   what torchvision's ImageFolder reads, for example
labels.csv                        what counts: file, label, side and where each picture came from, in order
bearings.json                     name, classes, seed, share and version
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from core.data.layout import path_words, shown
from core.data.safe_names import safe_name, unique_names
from core.data.table import Dataset, version_of
from core.data.text_table import to_csv
from core.errors import DataError, SettingsError, WorkspaceError
from core.settings import ImportSettings
from core.workspace import SCHEMA, check_free_space, check_schema, disk_errors, new_id

TABLE, MARKER = "labels.csv", "bearings.json"
KIND = "data set"
COLUMNS = ("file", "label", "split", "original_name", "source", "note")
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a zip can hold: the same data set gives the same bytes at any time
_STEM_MAX = 60
_CELL_MAX = 10_000
_MARKER_BYTES = 2**20


@dataclass(frozen=True)
class Exported:
    """What was written: how many pictures, how many bytes, and the version of the data set."""

    pictures: int
    bytes: int
    version: str


def export_zip(dataset: Dataset, target: Path | BinaryIO) -> Exported:
    """Write the pictures that count into a zip at `target`, a path or an open binary file.

    A file appears under its name when it is complete; one that was there is replaced. The same version of a data set
    gives the same bytes. Pictures pass through one by one, and each is compared with its hash.
    """
    items = dataset.kept()
    if items.empty:
        raise DataError(f"{dataset.name} has no pictures to export.", hint="Add some first.")
    if isinstance(target, Path):
        sizes = [dataset.image_path(sha) for sha in items["file"]]
        check_free_space(target.absolute().parent, sum(path.stat().st_size for path in sizes if path.exists()))
        with _replacing(target) as file:
            return _write(dataset, items, file)
    return _write(dataset, items, target)


def _write(dataset: Dataset, items: pd.DataFrame, file: BinaryIO) -> Exported:
    paths, version, size = _paths(items), version_of(items), 0
    told = [[shown(cell, most=_CELL_MAX) for cell in items[column]] for column in COLUMNS[3:]]
    cells = (paths, items["label"], items["split"], *told)
    with disk_errors(), zipfile.ZipFile(file, "w") as made:
        for path, sha in zip(paths, items["file"], strict=True):
            data = stored_picture(dataset.image_path(sha), sha)
            size += len(data)
            made.writestr(zip_entry(path, zipfile.ZIP_STORED), data)  # a JPEG does not get any smaller
        for name, text in ((TABLE, to_csv(COLUMNS, zip(*cells, strict=True))), (MARKER, _marker(dataset, items))):
            made.writestr(zip_entry(name, zipfile.ZIP_DEFLATED), text.encode())
    return Exported(len(items), size, version)


def zip_entry(name: str, method: int) -> zipfile.ZipInfo:
    """What a zip says about a member, the same on every computer and at any time."""
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type = method
    info.create_system = 3  # Unix, wherever it is written
    info.external_attr = 0o644 << 16
    return info


def _paths(items: pd.DataFrame) -> list[str]:
    """Where each picture lies in the zip: its side, its class and a name that says what it was called."""
    folders = unique_names(sorted(set(items["label"])))
    names = unique_names(f"{row.item}-{_stem(row.original_name)}" for row in items.itertuples())
    return [
        f"{row.split}/{folders[row.label]}/{names[f'{row.item}-{_stem(row.original_name)}']}.jpg"
        for row in items.itertuples()
    ]


def _stem(original_name: str) -> str:
    name = (path_words(original_name) or ("picture",))[-1]
    return safe_name(Path(name).stem, most=_STEM_MAX)


def stored_picture(path: Path, sha: str) -> bytes:
    """The bytes of a stored picture, compared with its hash; WorkspaceError when they are missing or others."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise WorkspaceError(
            f"The picture {path.name[:12]}… is missing on the disk.",
            hint="Delete it from the data set, or restore it from a copy.",
        ) from error
    if hashlib.sha256(data).hexdigest() != sha:
        raise WorkspaceError(
            f"The picture {path.name[:12]}… is damaged on the disk.",
            hint="Delete it from the data set, or restore it from a copy.",
        )
    return data


def _marker(dataset: Dataset, items: pd.DataFrame) -> str:
    record = {
        "schema": SCHEMA,
        "kind": KIND,
        "name": dataset.name,
        "classes": sorted(set(items["label"])),
        "pictures": len(items),
        "seed": dataset.seed,
        "valid_share": dataset.valid_share,
        "version": version_of(items),
    }
    return json.dumps(record, ensure_ascii=False, indent=1) + "\n"


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """A file that appears as `target` when all went well, and leaves nothing behind when not."""
    if not target.absolute().parent.is_dir():
        raise DataError(f"There is no folder {target.absolute().parent} to write to.", hint="Check the path.")
    temp = target.with_name(f".tmp-{new_id()}")
    try:
        with disk_errors(), temp.open("w+b") as file:
            yield file
        with disk_errors():
            temp.replace(target)
    finally:
        temp.unlink(missing_ok=True)


def read_marker(data: bytes) -> Mapping[str, Any] | None:
    """What bearings.json of an export says; None when it is something else. NewerVersion for a newer form."""
    try:
        record = json.loads(data[: _MARKER_BYTES + 1]) if len(data) <= _MARKER_BYTES else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("kind") != KIND:
        return None
    check_schema(record.get("schema"), MARKER)
    try:
        ImportSettings(valid_share=record["valid_share"], seed=record["seed"])
        known = isinstance(record["name"], str) and re.fullmatch(r"[0-9a-f]{64}", record["version"])
    except (KeyError, TypeError, SettingsError):
        return None
    return record if known else None
