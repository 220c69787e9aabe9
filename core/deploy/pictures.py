"""The pictures of a run: a run in, a zip out on which its script repeats it.

labels.csv          file, label and split (train, valid, or mistakes) in the run's order, from the table it kept
images/<hash>.jpg   the pictures, as they are stored
train.py            the script, where there is one
"""

from __future__ import annotations

import contextlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.data.export import TABLE, stored_picture, zip_entry
from core.data.mistakes import mistake_path
from core.data.table import Dataset, classes_of, load_dataset, read_items
from core.data.text_table import to_csv
from core.deploy.script import MISTAKES, script_of
from core.errors import LabError, ModelError
from core.settings import from_record
from core.train.runs import Run
from core.workspace import check_free_space, disk_errors

COLUMNS = ("file", "label", "split")
SCRIPT = "train.py"


@dataclass(frozen=True)
class _Picture:
    """One picture: its hash, its row in the table, and where it is stored."""

    sha: str
    label: str
    split: str
    path: Path


def pictures_zip(run: Run, target: Path) -> int:
    """Write the pictures of a training run into a zip at `target`; how many there are.

    ModelError for a run that pinned none; NotFound when its data set was deleted; WorkspaceError for a picture that is
    missing or damaged.
    """
    pictures = _pictures(run)
    check_free_space(target.parent, sum(one.path.stat().st_size for one in pictures if one.path.exists()))
    rows = [(f"images/{one.sha}.jpg", one.label, one.split) for one in pictures]
    with disk_errors(), zipfile.ZipFile(target, "w") as made:
        made.writestr(zip_entry(TABLE, zipfile.ZIP_DEFLATED), to_csv(COLUMNS, rows).encode())
        with contextlib.suppress(LabError):  # the page says why there is none; the pictures are of use without it
            made.writestr(zip_entry(SCRIPT, zipfile.ZIP_DEFLATED), script_of(run).encode())
        for sha, path in {one.sha: one.path for one in pictures}.items():
            made.writestr(zip_entry(f"images/{sha}.jpg", zipfile.ZIP_STORED), stored_picture(path, sha))
    return len(pictures)


def _pictures(run: Run) -> list[_Picture]:
    """The mistakes that a run learned, then what counts in its table, in order."""
    pinned = run.path / "items.csv"
    if run.kind != "train" or not pinned.exists():
        raise ModelError("This run has not chosen its pictures yet.", hint="Come back when it has begun.")
    dataset = load_dataset(run.workspace, run.request["dataset"])
    items = read_items(pinned)
    kept = items[items["status"] == "kept"]
    table = [
        _Picture(sha, label, split, dataset.image_path(sha))
        for sha, label, split in zip(kept["file"], kept["label"], kept["split"], strict=True)
    ]
    return [*_mistakes(run, dataset, classes_of(items)), *table]


def _mistakes(run: Run, dataset: Dataset, classes: tuple[str, ...]) -> list[_Picture]:
    pinned = run.path / MISTAKES
    if not pinned.exists() or all(stage.data == "all" for stage in from_record(run.request["settings"]).stages):
        return []
    table = pd.read_csv(io.StringIO(pinned.read_text(encoding="utf-8")), dtype=str, na_filter=False)
    return [
        _Picture(sha, label, "mistakes", mistake_path(dataset, sha))
        for sha, label in zip(table["file"], table["label"], strict=True)
        if label in classes
    ]
