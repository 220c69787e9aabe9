"""Publishing a data set: a stream of pictures in; stored JPEGs, a table of items, a report and events out.

Pictures are written once under the hash of their bytes, read-only. The data set exists from the moment its last file
is written; until then a failure, a full disk or a stop removes all of it.
"""

from __future__ import annotations

import os
import shutil
import stat
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core.data.copies import Copies, find_copies, notes_on
from core.data.decoder import Task
from core.data.events import DataReady, Event, Progress
from core.data.images import Encoded
from core.data.layout import check_class_count
from core.data.looks import Looks, scan
from core.data.pool import Stopped, make_pictures
from core.data.shelf import Picture, Rejected, Shelf
from core.data.split import gathered, stratified_split
from core.data.table import COLUMNS, Dataset, check_free_name, create_dataset
from core.errors import DataError, ImageRejected
from core.settings import ImportSettings
from core.workspace import Workspace, check_free_space

STORED_BYTES = 120_000  # about what a stored picture takes, for the check of free space
UNFINISHED_MAX_AGE_S = 86_400.0
PROGRESS_EVERY_S = 0.25


def publish(
    workspace: Workspace,
    pictures: Iterable[Picture | Rejected],
    *,
    name: str,
    settings: ImportSettings,
    source: str,
    total: int | None = None,
    need_bytes: int | None = None,
    phase: str = "import",
    notes: Iterable[str] = (),
    fixed_sides: bool = True,
    workers: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Store `pictures` as a data set; yields Progress and, last of all, DataReady.

    `total` is how many there will be and `need_bytes` the most they will take on the disk, where known. Near-copies of
    one shot go to one side; sides that the pictures bring along stay as they are, unless `fixed_sides` is False. When
    `stop()` turns true the events end without DataReady and nothing is left behind; the same holds for any error.
    """
    name = check_free_name(workspace, name)
    check_free_space(workspace.root, min((total or 0) * STORED_BYTES, need_bytes or sys.maxsize))
    sweep_unfinished(workspace)
    dataset_id, path = workspace.create("datasets")
    shelf, seq, published = Shelf(path, source), 0, False
    try:
        for done in _store_all(shelf, pictures, workers=workers, stop=stop):
            yield Progress(seq=seq, phase=phase, done=done, total=max(done, total or 0))
            seq += 1
        steps = scan(workspace.cache, [row["file"] for row in shelf.rows], shelf.image_path, stop=stop)
        seen, seq = yield from _numbered(steps, seq)
        items, more = _table(shelf, settings, seen, fixed_sides=fixed_sides, cache=workspace.cache)
        shelf.close()
        dataset = create_dataset(
            workspace,
            dataset_id,
            items,
            name=name,
            seed=settings.seed,
            valid_share=settings.valid_share,
            source=source,
        )
        published = True
    except Stopped:
        return
    finally:
        if not published:
            remove_tree(path)
    yield _ready(dataset, items, shelf, seq=seq, notes=(*notes, *more))


def _numbered(steps: Generator[Progress, None, Looks], seq: int) -> Generator[Progress, None, tuple[Looks, int]]:
    """Progress numbered on from `seq`; returns what the steps return, and the number that comes next."""
    while True:
        try:
            event = next(steps)
        except StopIteration as done:
            return done.value, seq
        yield replace(event, seq=seq)
        seq += 1


def sweep_unfinished(workspace: Workspace, *, max_age_s: float = UNFINISHED_MAX_AGE_S) -> int:
    """Remove data sets that a killed import never finished, once nothing was written there for a day; count them."""
    folder = workspace.folder("datasets")
    oldest = time.time() - max_age_s
    swept = 0
    for made in workspace.ids("datasets"):
        path = folder / made
        places = [place for place in (path, path / "images") if place.is_dir()]
        if places and not (path / "dataset.json").exists() and max(p.stat().st_mtime for p in places) < oldest:
            remove_tree(path)
            swept += 1
    return swept


def remove_tree(path: Path) -> None:
    """Delete a folder of the store with its read-only pictures."""
    if os.name == "nt":  # Windows does not delete read-only files
        for file in path.rglob("*"):
            file.chmod(stat.S_IWRITE)
    shutil.rmtree(path)


def _store_all(
    shelf: Shelf, pictures: Iterable[Picture | Rejected], *, workers: int | None, stop: Callable[[], bool]
) -> Iterator[int]:
    """Store one picture after the other; yields how many are done, at most a few times per second."""
    done, told = 0, time.monotonic()
    yield 0
    tasks = ((picture, _task(picture)) for picture in pictures)
    for picture, outcome in make_pictures(tasks, workers=workers, stop=stop):
        if isinstance(picture, Rejected):
            shelf.reject(picture)
        elif isinstance(outcome, ImageRejected):
            reason = f"{outcome.message} {outcome.hint}".strip()
            shelf.reject(Rejected(picture.original_name, reason, outcome.code, picture.original))
        else:
            shelf.keep(picture, outcome or _ready_made(picture))
        done += 1
        if time.monotonic() - told >= PROGRESS_EVERY_S:
            yield done
            told = time.monotonic()
    if done:
        yield done


def _task(picture: Picture | Rejected) -> Task | None:
    if isinstance(picture, Rejected) or isinstance(picture.data, Encoded):
        return None
    return picture.data if isinstance(picture.data, Task) else Task(data=picture.data)


def _ready_made(picture: Picture) -> Encoded:
    if isinstance(picture.data, Encoded):
        return picture.data
    raise TypeError(f"{picture.original_name} came back without a picture")


def _table(
    shelf: Shelf, settings: ImportSettings, seen: Looks, *, fixed_sides: bool, cache: Path
) -> tuple[pd.DataFrame, list[str]]:
    """The items with a side each, and notes; DataError when they are no data set."""
    if not shelf.rows:
        first = shelf.rejected[0] if shelf.rejected else {"name": "", "reason": ""}
        raise DataError(
            f"None of the {len(shelf.rejected)} files of {shelf.source} can be used. "
            f"The first, {first['name']}: {first['reason']}",
            hint="Import pictures as JPEG, PNG, GIF, WebP or BMP.",
        )
    items = pd.DataFrame(shelf.rows, columns=list(COLUMNS))
    check_class_count(items["label"], shelf.source)
    copies = find_copies(list(items["label"]), list(items["file"]), seen, cache=cache)
    notes = _split(items, settings, copies, fixed_sides=fixed_sides)
    _check_training_side(items)
    return items, [*notes, *notes_on(copies, list(items["split"])), *_case_twins(items["label"])]


def _split(items: pd.DataFrame, settings: ImportSettings, copies: Copies, *, fixed_sides: bool) -> list[str]:
    """Fill the empty sides of `items`; a given validation set stays as it was given."""
    given = items["split"]
    if (given == "valid").any():
        items.loc[given == "", "split"] = "train"
        if not fixed_sides:
            items["split"] = gathered(list(items["label"]), list(items["split"]), copies.groups)
        return []
    had_train = bool((given == "train").any())
    items["split"] = stratified_split(
        list(items["label"]), valid_share=settings.valid_share, seed=settings.seed, groups=copies.groups
    )
    if not had_train:
        return []
    share = f"{settings.valid_share:.0%}"
    return [f"No pictures for validation were given, so about {share} of each class were set aside."]


def _check_training_side(items: pd.DataFrame) -> None:
    missing = sorted(set(items["label"]) - set(items.loc[items["split"] == "train", "label"]))
    if missing:
        raise DataError(
            f"The class {missing[0]!r} has pictures for validation and none for training"
            f"{f', and so have {len(missing) - 1} more' if len(missing) > 1 else ''}.",
            hint="Put pictures of every class into the training folder too.",
        )


def _case_twins(labels: Iterable[str]) -> list[str]:
    folded: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        folded.setdefault(label.casefold(), []).append(label)
    return [
        f"The classes {' and '.join(repr(label) for label in twins)} differ in capitals only; they were kept apart."
        for twins in folded.values()
        if len(twins) > 1
    ]


def _ready(dataset: Dataset, items: pd.DataFrame, shelf: Shelf, *, seq: int, notes: Iterable[str]) -> DataReady:
    sides = Counter(items["split"])
    return DataReady(
        seq=seq,
        dataset=dataset.id,
        name=dataset.name,
        classes=dataset.classes,
        kept=len(items),
        train=sides["train"],
        valid=sides["valid"],
        rejected=tuple({"name": one["name"], "reason": one["reason"]} for one in shelf.rejected),
        notes=tuple(notes),
    )
