"""The list of data sets: a set and its new name in, or a set that is to go; the list without it or with it renamed out.

Neither is an edit: the pictures, the version and the ledger of a set that is renamed stay as they are.
"""

from __future__ import annotations

from core.data import ledger
from core.data.store import remove_tree
from core.data.table import Dataset, check_free_name, check_name, list_datasets, load_dataset
from core.workspace import Workspace, disk_errors, lock, read_json, write_json

_LIST = "The list of data sets"


def free_name(workspace: Workspace, wanted: str) -> str:
    """A name that no data set has yet: "bears", then "bears 2", and so on."""
    taken = {dataset.name for dataset in list_datasets(workspace)}
    names = [wanted, *(f"{wanted} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def rename_dataset(dataset: Dataset, name: str) -> Dataset:
    """Give a data set another name; DataError when it is no name, or another set has it."""
    with lock(dataset.workspace.folder("datasets"), _LIST):
        if check_name(name) != load_dataset(dataset.workspace, dataset.id).name:
            name = check_free_name(dataset.workspace, name)
        with ledger.editing(dataset.path):
            record = read_json(dataset.path / ledger.RECORD)
            write_json(dataset.path / ledger.RECORD, {**record, "name": check_name(name)})
    return load_dataset(dataset.workspace, dataset.id)


def delete_dataset(dataset: Dataset) -> None:
    """Remove a data set with its pictures for good.

    Without its record a folder is no data set; so one that is killed in the middle is gone as well, and what is left
    of it is swept away later.
    """
    path = load_dataset(dataset.workspace, dataset.id).path
    with ledger.editing(path), disk_errors():
        (path / ledger.RECORD).unlink()
    with disk_errors():
        remove_tree(path)
