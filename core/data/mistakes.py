"""The set of mistakes of a data set: pictures that a model got wrong in, with their right labels; a table of them out.

It lies in `mistakes/` inside the data set's folder: `mistakes.csv` and the pictures, stored like all others. The table
of items knows nothing of it, so that a mistake makes no new version, and it goes when the data set is deleted.
"""

from __future__ import annotations

import contextlib
import io
import math
import re
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import pandas as pd

from core.data.images import reencode
from core.data.layout import LABEL_MAX, shown
from core.data.shelf import sync_pictures, write_once
from core.data.table import Dataset, load_dataset
from core.errors import DataError, NotFound, WorkspaceError
from core.workspace import (
    SCHEMA,
    check_free_space,
    check_schema,
    disk_errors,
    is_id,
    lock,
    write_atomic,
)

MISTAKES_MAX = 500
STORED_BYTES = 120_000  # about what a stored picture takes, for the check of free space
FOLDER, TABLE = "mistakes", "mistakes.csv"
_FIRST_LINE = "# bearings mistakes, schema "
_SHA = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Mistake:
    """A picture that the model of `run` took for `said` with `probability` (0 to 1), and that is a `label`.

    `file` is the hash of the stored picture, `name` what its file was called, `added` a time in unix seconds.
    """

    file: str
    label: str
    said: str
    probability: float
    run: str
    name: str
    added: float


COLUMNS = tuple(field.name for field in fields(Mistake))
_NUMBERS = ("probability", "added")


def add_mistake(
    dataset: Dataset, picture: bytes, *, label: str, said: str, probability: float, run: str, name: str = ""
) -> Mistake:
    """Keep a picture with its right label; the same picture again takes the new label and counts once.

    `said` is what the model of `run` (an id) answered. DataError for a label that is no class of the data set, for an
    answer that was right, and when there are MISTAKES_MAX already; ImageRejected for what is not a picture.
    """
    _check_answer(label, said, probability, run)
    made = reencode(picture)
    mistake = Mistake(made.sha, label, shown(said, most=LABEL_MAX), float(probability), run, shown(name), time.time())
    with _held(dataset) as now:
        _check_label(now, label)
        found = read_mistakes(now)
        others = found[found["file"] != made.sha]
        _check_room(now, len(others))
        path = mistake_path(now, made.sha)
        if not path.exists():
            write_once(path, made.jpeg)
        sync_pictures(path.parent, [made.sha])
        table = pd.DataFrame([*others.to_dict("records"), asdict(mistake)], columns=list(COLUMNS))
        _write(now, table)
        _sweep(now, table)
    return mistake


def read_mistakes(dataset: Dataset) -> pd.DataFrame:
    """The mistakes of a data set, oldest first (columns: COLUMNS); none where nobody kept any.

    A class may have been renamed since: whoever needs a label looks whether there is such a class.
    """
    try:
        text = (dataset.path / FOLDER / TABLE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return _typed(pd.DataFrame(columns=list(COLUMNS)))
    except UnicodeDecodeError as error:
        raise _damaged() from error
    first, _, rest = text.partition("\n")
    if not first.startswith(_FIRST_LINE) or not first.removeprefix(_FIRST_LINE).isdecimal():
        raise _damaged()
    check_schema(int(first.removeprefix(_FIRST_LINE)), TABLE)
    try:
        table = pd.read_csv(io.StringIO(rest), dtype=str, keep_default_na=False, na_filter=False)
        if tuple(table.columns) != COLUMNS or not table["file"].str.fullmatch(_SHA).all():
            raise _damaged()
        return _typed(table)
    except ValueError as error:  # no columns at all, rows of other lengths, numbers that are none
        raise _damaged() from error


def remove_mistake(dataset: Dataset, sha: str) -> None:
    """Take a picture out of the set and delete it for good; one that is not there any more is no fault."""
    with _held(dataset) as now:
        found = read_mistakes(now)
        left = found[found["file"] != sha]
        if len(left) < len(found):
            _write(now, left)  # first what names it, then the picture: no row is without one
        _sweep(now, left)


def mistake_path(dataset: Dataset, sha: str) -> Path:
    """The stored JPEG of a mistake; `sha` is the `file` column of the table."""
    if _SHA.fullmatch(sha) is None:
        raise NotFound("There is no such picture among the mistakes.", hint="Look at the list of them.")
    return dataset.path / FOLDER / "images" / f"{sha}.jpg"


@contextlib.contextmanager
def _held(dataset: Dataset) -> Iterator[Dataset]:
    """Hold the set of mistakes, and the data set as it is now; NotFound when it was deleted."""
    load_dataset(dataset.workspace, dataset.id)  # a lock would make the folder of a deleted one anew
    with lock(dataset.path / FOLDER, "The set of mistakes"):
        yield load_dataset(dataset.workspace, dataset.id)


def _sweep(dataset: Dataset, table: pd.DataFrame) -> None:
    """Delete pictures that no row names: what was removed, and what a change that was killed halfway left behind."""
    named = set(table["file"])
    for path in (dataset.path / FOLDER / "images").glob("*.jpg"):
        if path.stem not in named:
            with disk_errors():
                path.chmod(0o644)  # Windows does not delete read-only files
                path.unlink()


def _write(dataset: Dataset, table: pd.DataFrame) -> None:
    text = table.loc[:, list(COLUMNS)].to_csv(index=False, lineterminator="\n")
    write_atomic(dataset.path / FOLDER / TABLE, f"{_FIRST_LINE}{SCHEMA}\n{text}")


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype(dict.fromkeys(_NUMBERS, float))


def _check_answer(label: str, said: str, probability: float, run: str) -> None:
    if label == said:
        raise DataError(f"The model said {said!r} itself, so that was no mistake.", hint="Choose the right class.")
    if not (math.isfinite(probability) and 0 <= probability <= 1):
        raise DataError(f"A probability lies between 0 and 1; this one is {probability}.", hint="Ask the model again.")
    if not is_id(run):
        raise DataError(f"{run[:40]!r} is not the id of a run.", hint="Ask a model of your own.")


def _check_label(dataset: Dataset, label: str) -> None:
    if label not in dataset.classes:
        raise DataError(
            f"{label[:LABEL_MAX]!r} is no class of the data set {dataset.name!r}.",
            hint=f"There are {', '.join(dataset.classes[:10])}.",
        )


def _check_room(dataset: Dataset, others: int) -> None:
    if others >= MISTAKES_MAX:
        raise DataError(
            f"There are {others} mistakes already; a set holds up to {MISTAKES_MAX}.",
            hint="Train on them, then remove those that the model gets right now.",
        )
    check_free_space(dataset.path, STORED_BYTES)


def _damaged() -> WorkspaceError:
    return WorkspaceError(f"The file {TABLE} is damaged.", hint="Restore it from a copy.")
