"""The table of items: a data set's folder in, a pandas table out, and back.

items.csv is the truth about a data set: one row per picture, and nothing else decides label or side. The hash of what
counts in it is the data set's version, and a run keeps a copy of the table it was trained on.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from core.data.ledger import finish_commit
from core.errors import DataError, NotFound, WorkspaceError
from core.settings import ImportSettings
from core.workspace import (
    SCHEMA,
    Workspace,
    append_line,
    check_schema,
    is_id,
    lock,
    new_id,
    read_json,
    write_atomic,
    write_json,
)

COLUMNS = ("item", "file", "label", "split", "width", "height", "source", "original_name", "status", "note")
NAME_MAX = 64
_SIZES = ("width", "height")
_FIRST_LINE = "# bearings items, schema "


@dataclass(frozen=True)
class Dataset:
    """One data set of one owner. `classes` are sorted and have pictures; those in `empty` have none yet.

    `valid_share` lies in (0, 0.9]; `version` hashes what counts in the table, `parent` is the version before it.
    """

    workspace: Workspace
    id: str
    name: str
    classes: tuple[str, ...]
    seed: int
    valid_share: float
    version: str
    parent: str | None = None
    task: str = "single_label"
    empty: tuple[str, ...] = ()

    @property
    def trainable(self) -> bool:
        """Whether there are two classes or more to tell apart."""
        return len(self.classes) >= 2

    @property
    def path(self) -> Path:
        """The data set's folder."""
        return self.workspace.folder("datasets") / self.id

    def image_path(self, sha: str) -> Path:
        """The stored JPEG of a picture; `sha` is the `file` column of the table."""
        return self.path / "images" / f"{sha}.jpg"

    def items(self) -> pd.DataFrame:
        """All rows of items.csv, whatever their status (columns: COLUMNS)."""
        return read_items(self.path / "items.csv")

    def kept(self) -> pd.DataFrame:
        """The rows that count: status "kept", in the table's order."""
        items = self.items()
        return items[items["status"] == "kept"].reset_index(drop=True)


def read_items(path: Path) -> pd.DataFrame:
    """Read an items table; NewerVersion for a newer schema, WorkspaceError for a damaged file."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            f"The file {path.name} is missing.", hint="The data set it belongs to was not finished."
        ) from error
    except UnicodeDecodeError as error:
        raise _damaged(path) from error
    first, _, rest = text.partition("\n")
    if not first.startswith(_FIRST_LINE) or not first.removeprefix(_FIRST_LINE).isdecimal():
        raise _damaged(path)
    check_schema(int(first.removeprefix(_FIRST_LINE)), path.name)
    try:
        table = pd.read_csv(io.StringIO(rest), dtype=str, keep_default_na=False, na_filter=False)
        if tuple(table.columns) != COLUMNS:
            raise WorkspaceError(
                f"The file {path.name} has other columns than expected.", hint="Restore it from a copy."
            )
        return table.astype(dict.fromkeys(_SIZES, int))
    except ValueError as error:  # no columns at all, rows of other lengths, sizes that are no numbers
        raise _damaged(path) from error


def _damaged(path: Path) -> WorkspaceError:
    return WorkspaceError(
        f"The file {path.name} is damaged.", hint="Restore it from a copy, or import the pictures again."
    )


def items_to_csv(items: pd.DataFrame) -> str:
    """The text of items.csv."""
    return f"{_FIRST_LINE}{SCHEMA}\n" + items.loc[:, list(COLUMNS)].to_csv(index=False, lineterminator="\n")


def version_of(items: pd.DataFrame) -> str:
    """The version of a table: SHA-256 over picture, label and side of the rows that count, in order; 64 hex digits.

    Two tables of one version train the same model. Deleting a picture makes a new version, taking that back brings the
    old one back, and emptying the bin changes nothing.
    """
    counts = items.loc[items["status"] == "kept", ["file", "label", "split"]]
    return hashlib.sha256(counts.to_csv(index=False, lineterminator="\n").encode()).hexdigest()


def classes_of(items: pd.DataFrame) -> tuple[str, ...]:
    """The labels that have pictures which count, sorted."""
    return tuple(sorted(items.loc[items["status"] == "kept", "label"].unique()))


def create_dataset(
    workspace: Workspace,
    dataset_id: str,
    items: pd.DataFrame,
    *,
    name: str,
    seed: int,
    valid_share: float,
    source: str,
) -> Dataset:
    """Publish a folder whose images are stored already: write items.csv, the first edit and, last of all, dataset.json.

    Until dataset.json exists the folder is no data set, so an import that was interrupted leaves nothing half-made.
    """
    path = workspace.folder("datasets") / dataset_id
    version = version_of(items)
    with lock(workspace.folder("datasets"), "The list of data sets"):
        name = check_free_name(workspace, name)
        write_atomic(path / "items.csv", items_to_csv(items))
        first = {"id": new_id(), "time": time.time(), "edit": "import", "words": f"brought {len(items)} pictures"}
        append_line(path / "edits.jsonl", {**first, "source": source, "items": len(items), "version": version})
        record = {
            "name": name,
            "classes": list(classes_of(items)),
            "task": "single_label",
            "seed": seed,
            "valid_share": valid_share,
            "version": version,
            "parent": None,
        }
        write_json(path / "dataset.json", record)
    return load_dataset(workspace, dataset_id)


def create_empty(workspace: Workspace, *, name: str, settings: ImportSettings) -> Dataset:
    """A data set without pictures, to be filled class by class. Training needs two classes, making it needs none."""
    dataset_id, _ = workspace.create("datasets")
    items = pd.DataFrame({column: pd.Series(dtype=int if column in _SIZES else str) for column in COLUMNS})
    return create_dataset(
        workspace,
        dataset_id,
        items,
        name=name,
        seed=settings.seed,
        valid_share=settings.valid_share,
        source="",
    )


def check_name(name: str) -> str:
    """A data set's name without surrounding blanks: 1 to 64 printable characters."""
    clean = " ".join(name.split())
    if not clean or len(clean) > NAME_MAX or not clean.isprintable():
        raise DataError(
            f"A data set's name has 1 to {NAME_MAX} printable characters; this one does not.", hint="Try 'pets'."
        )
    return clean


def check_free_name(workspace: Workspace, name: str) -> str:
    """`check_name`, and DataError when a data set of that name exists. Ask before long work, not only after it."""
    clean = check_name(name)
    if clean in {dataset.name for dataset in list_datasets(workspace)}:
        raise DataError(f"There is a data set called {clean!r} already.", hint="Choose another name.")
    return clean


def load_dataset(workspace: Workspace, wanted: str) -> Dataset:
    """The data set with this id or this name; NotFound with a sentence when there is none."""
    if not is_id(wanted) or not (workspace.folder("datasets") / wanted).is_dir():
        for dataset in list_datasets(workspace):
            if dataset.name == wanted:
                return dataset
        names = ", ".join(sorted(dataset.name for dataset in list_datasets(workspace))[:10]) or "none yet"
        raise NotFound(f"There is no data set {wanted[:NAME_MAX]!r} in this workspace.", hint=f"There are: {names}.")
    path = workspace.find("datasets", wanted)
    finish_commit(path)
    return of_record(workspace, wanted, read_json(path / "dataset.json"))


def of_record(workspace: Workspace, dataset_id: str, record: Mapping[str, Any]) -> Dataset:
    """A data set from what its dataset.json holds."""
    return Dataset(
        workspace=workspace,
        id=dataset_id,
        name=record["name"],
        classes=tuple(record["classes"]),
        seed=record["seed"],
        valid_share=record["valid_share"],
        version=record["version"],
        parent=record["parent"],
        task=record["task"],
        empty=tuple(record.get("empty", ())),
    )


def list_datasets(workspace: Workspace) -> list[Dataset]:
    """All finished data sets of this owner, oldest first.

    One that cannot be read (damaged, or from a newer Bearings) is left out, so that it does not hide all others;
    `load_dataset` with its id says what is wrong with it.
    """
    folder = workspace.folder("datasets")
    found = []
    for made in workspace.ids("datasets"):
        if (folder / made / "dataset.json").is_file():
            with contextlib.suppress(WorkspaceError):
                found.append(load_dataset(workspace, made))
    return found
