"""Growing a data set: more pictures in, stored at once and listed in batches; events out.

What was listed stays, also when the rest is stopped, fails or is killed: unlike an import, growth is not all or
nothing. Pictures that were there before keep their side.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from core.data.copies import find_copies
from core.data.decoder import Task
from core.data.edits import DELETED, KEPT, Plan, check_classes, edit
from core.data.events import DataReady, Event, Progress
from core.data.images import Encoded
from core.data.layout import shown
from core.data.looks import looks
from core.data.pool import Stopped, make_pictures
from core.data.shelf import Picture, Rejected, keep_original, read_report, report_csv, sync_pictures, write_once
from core.data.split import fill_sides
from core.data.table import Dataset, load_dataset
from core.errors import DataError, ImageRejected
from core.workspace import check_free_space, new_id, write_atomic

COMMIT_PICTURES, COMMIT_EVERY_S = 50, 3.0
STORED_BYTES = 120_000


class Growth:
    """Pictures on their way into `dataset`. `source` is where they come from, `words` what the ledger says."""

    def __init__(self, dataset: Dataset, *, source: str, words: str) -> None:
        self.dataset = dataset
        self.source = source
        self.words = words
        self.rejected: list[dict[str, str]] = []
        self.added = 0
        self._batch = new_id()  # all that this growth lists is taken back as one
        self._pending: list[tuple[Picture, Encoded]] = []
        self._unreported: list[dict[str, str]] = []
        items = dataset.items()
        self._known = {(row.file, row.label): row.status for row in items.itertuples()}
        self._labels = {*dataset.empty, *items.loc[items["status"] != DELETED, "label"]}

    @property
    def pending(self) -> int:
        """How many pictures are stored and not listed yet."""
        return len(self._pending)

    def keep(self, picture: Picture, made: Encoded) -> str:
        """Store a picture: "saved", or "duplicate", or "deleted_before" when it lies in the bin already."""
        known = self._known.get((made.sha, picture.label))
        if known is not None:
            return "deleted_before" if known == DELETED else "duplicate"
        check_classes({*self._labels, picture.label})
        self._labels.add(picture.label)
        self._store(made)
        self._known[made.sha, picture.label] = KEPT
        self._pending.append((picture, made))
        return "saved"

    def reject(self, rejected: Rejected) -> None:
        """Note a file that cannot be used, and keep its bytes while there is room."""
        record = {"name": shown(rejected.name), "reason": rejected.reason, "code": rejected.code}
        self.rejected.append(record)
        self._unreported.append({**record, "file": keep_original(self.dataset.path / "rejected", rejected.data)})

    def commit(self) -> Dataset:
        """List what was stored since the last time, as one edit that can be taken back."""
        if self._pending:
            if not self.added:  # what nobody has looked at yet is looked at before the data set is held
                looks(self.dataset)
            edited = edit(self.dataset, "add", self.words, self._plan)
            self.dataset, self._pending = edited.dataset, []
            self.added += edited.changed
        if self._unreported:
            path = self.dataset.path / "rejected" / "report.csv"
            write_atomic(path, report_csv([*read_report(path), *self._unreported]))
            self._unreported = []
        return self.dataset

    def _plan(self, now: Dataset, items: pd.DataFrame) -> Plan:
        there = set(zip(items["file"], items["label"], strict=True))
        fresh = [(picture, made) for picture, made in self._pending if (made.sha, picture.label) not in there]
        first = items["item"].map(int).max() + 1 if len(items) else 1
        rows = [self._row(first + place, picture, made) for place, (picture, made) in enumerate(fresh)]
        for _, made in fresh:
            self._store(made)  # somebody may have emptied the bin since, and the picture with it
        if not rows:
            return Plan()
        sync_pictures(self.dataset.path / "images", {made.sha for _, made in fresh})
        return Plan(rows=_with_sides(now, items, rows), more={"batch": self._batch})

    def _store(self, made: Encoded) -> None:
        path = self.dataset.image_path(made.sha)
        if not path.exists():
            write_once(path, made.jpeg)

    def _row(self, number: int, picture: Picture, made: Encoded) -> dict[str, Any]:
        return {
            "item": f"{number:06d}",
            "file": made.sha,
            "label": picture.label,
            "split": picture.split or "",
            "width": made.width,
            "height": made.height,
            "source": picture.source or self.source,
            "original_name": shown(picture.original_name),
            "status": KEPT,
            "note": "; ".join(note for note in (picture.note, made.note) if note),
        }


def _with_sides(now: Dataset, items: pd.DataFrame, rows: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """A side for each new row; what is there already keeps its own, and near-copies of it go to the same side."""
    kept = items[items["status"] == KEPT]
    together = pd.concat([kept, pd.DataFrame(rows, columns=items.columns)], ignore_index=True)
    labels, sides = list(together["label"]), list(together["split"])
    fresh = range(len(kept), len(together))
    copies = find_copies(labels, list(together["file"]), looks(now, together), fresh=fresh)
    filled = fill_sides(labels, sides, valid_share=now.valid_share, seed=now.seed, groups=copies.groups)
    return [{**row, "split": side} for row, side in zip(rows, filled[len(kept) :], strict=True)]


def extend(
    dataset: Dataset,
    pictures: Iterable[Picture | Rejected],
    *,
    source: str,
    words: str,
    total: int | None = None,
    phase: str = "import",
    workers: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Bring `pictures` into a data set that exists; yields Progress and, last of all, DataReady with `added`.

    When `stop()` turns true the events end without DataReady; what was listed until then stays.
    """
    check_free_space(dataset.path, (total or 0) * STORED_BYTES)
    growth, seq, done, told = Growth(dataset, source=source, words=words), 0, 0, time.monotonic()
    yield Progress(seq=seq, phase=phase, done=0, total=total or 0)
    try:
        tasks = ((picture, _task(picture)) for picture in pictures)
        for picture, outcome in make_pictures(tasks, workers=workers, stop=stop):
            _sort_in(growth, picture, outcome)
            done += 1
            if growth.pending >= COMMIT_PICTURES or time.monotonic() - told >= COMMIT_EVERY_S:
                growth.commit()
                seq, told = seq + 1, time.monotonic()
                yield Progress(seq=seq, phase=phase, done=done, total=max(done, total or 0))
    except Stopped:
        growth.commit()
        return
    growth.commit()
    if not growth.added and growth.rejected and not dataset.items().shape[0]:
        first = growth.rejected[0]
        raise DataError(
            f"None of these {done} files can be used. The first, {first['name']}: {first['reason']}",
            hint="Bring pictures as JPEG, PNG, GIF, WebP or BMP.",
        )
    yield ready(growth, seq=seq + 1)


def ready(growth: Growth, *, seq: int, notes: Iterable[str] = ()) -> DataReady:
    """The last event of growing: what the data set holds now, and what could not be used."""
    dataset = load_dataset(growth.dataset.workspace, growth.dataset.id)
    kept = dataset.kept()
    train = int((kept["split"] == "train").sum())
    return DataReady(
        seq=seq,
        dataset=dataset.id,
        name=dataset.name,
        classes=dataset.classes,
        kept=len(kept),
        train=train,
        valid=len(kept) - train,
        rejected=tuple({"name": one["name"], "reason": one["reason"]} for one in growth.rejected),
        notes=tuple(notes),
        added=growth.added,
    )


def _sort_in(growth: Growth, picture: Picture | Rejected, outcome: Encoded | ImageRejected | None) -> None:
    if isinstance(picture, Rejected):
        growth.reject(picture)
    elif isinstance(outcome, ImageRejected):
        reason = f"{outcome.message} {outcome.hint}".strip()
        growth.reject(Rejected(picture.original_name, reason, outcome.code, picture.original))
    else:
        made = outcome or picture.data
        told = growth.keep(picture, made) if isinstance(made, Encoded) else "failed"
        if told != "saved":
            growth.reject(Rejected(picture.original_name, ALREADY[told], told))


ALREADY: Mapping[str, str] = {
    "duplicate": "The same picture is in this class already.",
    "deleted_before": "This picture was deleted from the class before; take it out of the bin if you want it back.",
    "failed": "The picture could not be opened.",
}


def _task(picture: Picture | Rejected) -> Task | None:
    if isinstance(picture, Rejected) or isinstance(picture.data, Encoded):
        return None
    return picture.data if isinstance(picture.data, Task) else Task(data=picture.data)
