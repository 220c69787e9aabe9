"""Edits: a data set that exists and what is to be different in; a new version and a line of the ledger out.

Each verb reads the table afresh while it holds the data set, so two people (or two tabs) that edit at once lose
nothing. Every edit can be taken back; pictures stay in the bin until somebody empties it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pandas as pd

from core.data import ledger
from core.data.copies import copies_in
from core.data.layout import MAX_CLASSES, normalise_label
from core.data.ledger import Entry
from core.data.split import stratified_split
from core.data.table import Dataset, classes_of, items_to_csv, of_record, version_of
from core.errors import DataError, SettingsError
from core.settings import ImportSettings
from core.workspace import disk_errors, read_json

ACTIONS = ("keep", "delete", "relabel")
SIDES = ("train", "valid")
KEPT, DELETED, OFF = "kept", "deleted", "off"


class Change(NamedTuple):
    """One cell of the table that becomes another."""

    item: str
    column: str
    before: str
    after: str


@dataclass(frozen=True)
class Mark:
    """What is to happen to a picture. `was` is the label it had when it was marked: "" does not care."""

    action: str
    label: str = ""
    was: str = ""

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise SettingsError(f"A mark is one of {', '.join(ACTIONS)}, not {self.action!r}.", hint="Mark it again.")
        if (self.action == "relabel") != bool(self.label):
            raise SettingsError("A mark has a new label when it relabels, and only then.", hint="Choose a class.")


@dataclass(frozen=True)
class Edited:
    """The data set after an edit, how many pictures changed, and which had changed meanwhile and were left alone."""

    dataset: Dataset
    changed: int
    skipped: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What an edit does: changes of cells, rows to add, settings of the data set to change, items left alone."""

    changes: Sequence[Change] = ()
    rows: Sequence[Mapping[str, Any]] = ()
    settings: Mapping[str, Any] | None = None
    skipped: Sequence[str] = ()
    more: Mapping[str, Any] | None = None  # for the ledger's line


Planner = Callable[[Dataset, pd.DataFrame], Plan]


def edit(dataset: Dataset, kind: str, words: str, planner: Planner) -> Edited:
    """Make one edit: `planner` is asked with the data set and its table as they are now, while nobody else edits."""
    with ledger.editing(dataset.path):
        now = of_record(dataset.workspace, dataset.id, read_json(dataset.path / ledger.RECORD))
        items = now.items()
        plan = planner(now, items)
        plan = replace(plan, changes=_net([*plan.changes, *_twins(_changed(items, plan), plan)]))
        if not plan.changes and not plan.rows and not plan.settings and kind not in ("undo", "redo"):
            return Edited(now, 0, tuple(plan.skipped))
        after = _commit(now, items, plan, kind=kind, words=words)
    return Edited(after, len({change.item for change in plan.changes}) + len(plan.rows), tuple(plan.skipped))


def _changed(items: pd.DataFrame, plan: Plan) -> pd.DataFrame:
    table = items.set_index("item", drop=False)
    for column in {change.column for change in plan.changes}:
        cells = {change.item: change.after for change in plan.changes if change.column == column}
        table.loc[list(cells), column] = list(cells.values())
    table = table.reset_index(drop=True)
    return pd.concat([table, pd.DataFrame(list(plan.rows), columns=items.columns)]) if plan.rows else table


def _net(changes: Iterable[Change]) -> list[Change]:
    """One change per cell: from what it was first to what it becomes last."""
    net: dict[tuple[str, str], Change] = {}
    for change in changes:
        first = net.get((change.item, change.column), change)
        net[change.item, change.column] = change._replace(before=first.before)
    return [change for change in net.values() if change.before != change.after]


def _twins(items: pd.DataFrame, plan: Plan) -> list[Change]:
    """One picture counts once under one label: later rows of the same file and label go to the bin."""
    kept = items[items["status"] == KEPT]
    touched = kept[kept["item"].isin({change.item for change in plan.changes})]
    pairs = set(zip(touched["file"], touched["label"], strict=True))
    extra = kept[kept.duplicated(["file", "label"])]
    return [Change(row.item, "status", KEPT, DELETED) for row in extra.itertuples() if (row.file, row.label) in pairs]


def _commit(now: Dataset, items: pd.DataFrame, plan: Plan, *, kind: str, words: str) -> Dataset:
    table = _changed(items, plan)
    classes, before = classes_of(table), _settings(now)
    settings = {**before, **(plan.settings or {})}
    settings["empty"] = sorted(set(settings["empty"]) - set(classes))
    check_classes({*settings["empty"], *table.loc[table["status"] != DELETED, "label"]})
    version = version_of(table)
    after = replace(
        now,
        classes=classes,
        seed=settings["seed"],
        valid_share=settings["valid_share"],
        empty=tuple(settings["empty"]),
        version=version,
        parent=now.version if version != now.version else now.parent,
    )
    line = {
        "edit": kind,
        "words": words,
        "changes": [list(change) for change in plan.changes],
        "added": [row["item"] for row in plan.rows],
        "settings": [before, settings] if settings != before else [],
        "version": version,
        "parent": now.version,
        **(plan.more or {}),
    }
    ledger.commit(now.path, table=items_to_csv(table), record=_record(after), line=line)
    return after


def _settings(dataset: Dataset) -> dict[str, Any]:
    return {"seed": dataset.seed, "valid_share": dataset.valid_share, "empty": list(dataset.empty)}


def _record(dataset: Dataset) -> dict[str, Any]:
    names = ("name", "task", "seed", "valid_share", "version", "parent")
    lists = {"classes": list(dataset.classes), "empty": list(dataset.empty)}
    return {**{name: getattr(dataset, name) for name in names}, **lists}


def check_classes(labels: Iterable[str]) -> None:
    """Raise DataError when there are more than MAX_CLASSES classes."""
    count = len(set(labels))
    if count > MAX_CLASSES:
        raise DataError(
            f"That would make {count} classes; up to {MAX_CLASSES} are allowed.", hint="Merge or delete some first."
        )


def relabel(dataset: Dataset, labels: Mapping[str, str], *, words: str = "") -> Edited:
    """Give items (by their `item`) new labels."""
    clean_labels = {item: normalise_label(label) for item, label in labels.items()}
    return clean(
        dataset,
        {item: Mark("relabel", label) for item, label in clean_labels.items()},
        kind="relabel",
        words=words or f"relabelled {_pictures(len(labels))}",
    )


def delete(dataset: Dataset, items: Iterable[str], *, words: str = "") -> Edited:
    """Put items into the bin."""
    wanted = list(items)
    words = words or f"deleted {_pictures(len(wanted))}"
    return clean(dataset, {item: Mark("delete") for item in wanted}, kind="delete", words=words)


def restore(dataset: Dataset, items: Iterable[str]) -> Edited:
    """Take items out of the bin."""
    wanted = list(items)

    def plan(now: Dataset, table: pd.DataFrame) -> Plan:
        return _each(table, {item: ("status", DELETED, KEPT) for item in wanted})

    return edit(dataset, "restore", f"restored {_pictures(len(wanted))}", plan)


def place(dataset: Dataset, sides: Mapping[str, str], *, words: str = "") -> Edited:
    """Put items on a side, "train" or "valid"."""
    wrong = sorted(set(sides.values()) - set(SIDES))
    if wrong:
        raise SettingsError(f"There is no side {wrong[0]!r}; there are train and valid.", hint="Choose one of them.")

    def plan(now: Dataset, table: pd.DataFrame) -> Plan:
        return _each(table, {item: ("split", None, side) for item, side in sides.items()})

    return edit(dataset, "resplit", words or f"moved {_pictures(len(sides))} to the other side", plan)


def clean(dataset: Dataset, marks: Mapping[str, Mark], *, kind: str = "clean", words: str = "") -> Edited:
    """Carry out marks as one edit. An item that is gone or has another label than when it was marked is left alone."""
    labels = {mark.label for mark in marks.values() if mark.label}
    if wrong := sorted(label for label in labels if normalise_label(label) != label):
        raise DataError(f"{wrong[0]!r} is not a class name as it is stored.", hint="Choose one of the classes.")

    def plan(now: Dataset, table: pd.DataFrame) -> Plan:
        found = table.set_index("item")
        cells: dict[str, tuple[str, str | None, str]] = {}
        skipped = []
        for item, mark in marks.items():
            row = found.loc[item] if item in found.index else None
            if row is None or row["status"] != KEPT or (mark.was and row["label"] != mark.was):
                skipped.append(item)
            elif mark.action == "delete":
                cells[item] = ("status", KEPT, DELETED)
            elif mark.action == "relabel":
                cells[item] = ("label", None, mark.label)
        made = _each(table, cells)
        return replace(made, skipped=[*skipped, *made.skipped])

    return edit(dataset, kind, words or _clean_words(marks), plan)


def _clean_words(marks: Mapping[str, Mark]) -> str:
    actions = [mark.action for mark in marks.values()]
    parts = [f"{word} {_pictures(actions.count(action))}" for action, word in _VERBS if actions.count(action)]
    return "cleaned: " + ", ".join(parts) if parts else "cleaned"


_VERBS = (("delete", "deleted"), ("relabel", "relabelled"))


def _each(table: pd.DataFrame, cells: Mapping[str, tuple[str, str | None, str]]) -> Plan:
    """Changes from item -> (column, value it must have or None, new value); what does not fit is skipped."""
    found = table.set_index("item")
    changes, skipped = [], []
    for item, (column, must, after) in cells.items():
        before = found.at[item, column] if item in found.index else None
        if before is None or (must is not None and before != must):
            skipped.append(item)
        elif before != after:
            changes.append(Change(item, column, before, after))
    return Plan(changes, skipped=skipped)


def _pictures(count: int) -> str:
    return "1 picture" if count == 1 else f"{count} pictures"


def resplit(dataset: Dataset, *, valid_share: float, seed: int) -> Edited:
    """Draw the sides of all pictures that count anew; near-copies of one shot go to one side."""
    settings = ImportSettings(valid_share=valid_share, seed=seed)
    copies_in(dataset)  # found once before the data set is held, and remembered

    def plan(now: Dataset, table: pd.DataFrame) -> Plan:
        kept = table[table["status"] == KEPT]
        sides = stratified_split(
            list(kept["label"]),
            valid_share=settings.valid_share,
            seed=settings.seed,
            groups=copies_in(now, kept).groups,
        )
        made = _each(table, {item: ("split", None, side) for item, side in zip(kept["item"], sides, strict=True)})
        return replace(made, settings={"seed": settings.seed, "valid_share": settings.valid_share})

    return edit(dataset, "resplit", f"set {valid_share:.0%} aside with seed {seed}", plan)


def undo(dataset: Dataset) -> Edited:
    """Take the latest edit back, as a whole. DataError when there is none."""

    def plan(now: Dataset, table: pd.DataFrame) -> Plan:
        entry = _wanted(ledger.to_undo(now.path), "There is nothing to take back.")
        settings = entry.record.get("settings") or [None, None]
        made = _moved(table, entry, forward=False)
        return replace(made, settings=settings[0], more={"of": entry.id})

    return edit(dataset, "undo", "took the last edit back", plan)


def redo(dataset: Dataset) -> Edited:
    """Do the edit again that was taken back last. DataError when there is none."""

    def plan(now: Dataset, table: pd.DataFrame) -> Plan:
        entry = _wanted(ledger.to_redo(now.path), "There is nothing to do again.")
        settings = entry.record.get("settings") or [None, None]
        made = _moved(table, entry, forward=True)
        return replace(made, settings=settings[1], more={"of": entry.id})

    return edit(dataset, "redo", "did the edit again", plan)


def _moved(table: pd.DataFrame, entry: Entry, *, forward: bool) -> Plan:
    """The changes of an entry once more, or backwards; an item may have several."""
    found = table.set_index("item")
    changes = []
    for item, column, before, after in entry.record.get("changes", ()):
        old, new = (before, after) if forward else (after, before)
        if item in found.index and found.at[item, column] == old:
            changes.append(Change(item, column, old, new))
    old, new = (DELETED, KEPT) if forward else (KEPT, DELETED)
    added = [item for item in entry.record.get("added", ()) if item in found.index and found.at[item, "status"] == old]
    return Plan([*changes, *(Change(item, "status", old, new) for item in added)])


def _wanted(entry: Entry | None, message: str) -> Entry:
    if entry is None:
        raise DataError(message, hint="The list of edits says what happened.")
    return entry


def history(dataset: Dataset) -> list[Entry]:
    """All edits of a data set, newest first."""
    return ledger.history(dataset.path)


def empty_bin(dataset: Dataset) -> Edited:
    """Remove the rows in the bin and the pictures that no other row needs, for good. Earlier edits stay as they are."""
    with ledger.editing(dataset.path):
        now = of_record(dataset.workspace, dataset.id, read_json(dataset.path / ledger.RECORD))
        items = now.items()
        binned = items["status"] == DELETED
        if not binned.any():
            return Edited(now, 0)
        left = items[~binned].reset_index(drop=True)
        line = {"edit": "empty_bin", "words": f"emptied the bin: {_pictures(int(binned.sum()))}"}
        ledger.commit(
            now.path,
            table=items_to_csv(left),
            record=_record(now),
            line={**line, "items": int(binned.sum()), "version": now.version},
        )
        sweep_pictures(now, left)
    return Edited(now, int(binned.sum()))


def sweep_pictures(dataset: Dataset, items: pd.DataFrame) -> int:
    """Delete stored pictures that no row of `items` names; to be called while `editing`. Counts them."""
    named, swept = set(items["file"]), 0
    for path in (dataset.path / "images").glob("*.jpg"):
        if path.stem not in named:
            with disk_errors():
                path.chmod(0o644)  # Windows does not delete read-only files
                path.unlink()
            swept += 1
    return swept
