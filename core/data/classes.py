"""Classes of a data set: names in, a new version out. Created, renamed, merged, disabled and deleted, all with undo."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

import pandas as pd

from core.data.edits import DELETED, KEPT, OFF, Change, Edited, Plan, edit
from core.data.layout import normalise_label
from core.data.table import Dataset
from core.errors import DataError, NotFound

COUNTS = ("label", "kept", "train", "valid", "off", "deleted")


def class_table(dataset: Dataset) -> pd.DataFrame:
    """One row per class with its counts (columns: COUNTS), sorted by name; classes without pictures too."""
    items = dataset.items()
    kept = items["status"] == KEPT
    flags = {
        "kept": kept,
        "train": kept & (items["split"] == "train"),
        "valid": kept & (items["split"] == "valid"),
        "off": items["status"] == OFF,
        "deleted": items["status"] == DELETED,
    }
    counted = pd.DataFrame({"label": items["label"], **flags}).groupby("label").sum().astype(int)
    counted = counted[(counted["kept"] > 0) | (counted["off"] > 0)]
    counted = counted.reindex(sorted({*counted.index, *dataset.empty}), fill_value=0)
    return counted.rename_axis("label").reset_index()[list(COUNTS)]


def create_class(dataset: Dataset, label: str) -> Edited:
    """Add a class without pictures yet; DataError when there is one of that name."""
    return create_classes(dataset, [label])


def create_classes(dataset: Dataset, labels: Sequence[str]) -> Edited:
    """Add several classes without pictures as one edit; DataError when there is one of these names."""
    wanted = list(dict.fromkeys(normalise_label(label) for label in labels))

    def plan(now: Dataset, items: pd.DataFrame) -> Plan:
        known = {*now.empty, *items.loc[items["status"] != DELETED, "label"]}
        for label in wanted:
            if label in known:
                raise DataError(f"There is a class {label!r} already.", hint="Choose another name.")
        return Plan(settings={"empty": sorted({*now.empty, *wanted})})

    words = f"created the class {wanted[0]}" if len(wanted) == 1 else f"created {len(wanted)} classes"
    return edit(dataset, "create_class", words, plan)


def rename_class(dataset: Dataset, old: str, new: str) -> Edited:
    """Give a class another name. When there is a class of that name, the two become one."""
    return merge_classes(dataset, [old], new, kind="rename_class", words=f"renamed {old} to {normalise_label(new)}")


def merge_classes(
    dataset: Dataset, olds: Sequence[str], into: str, *, kind: str = "merge_classes", words: str = ""
) -> Edited:
    """Give the pictures of several classes one name, new or known. Pictures in the bin follow their class."""
    into = normalise_label(into)
    leaving = [label for label in dict.fromkeys(olds) if label != into]

    def plan(now: Dataset, items: pd.DataFrame) -> Plan:
        _check_known(now, items, leaving)
        rows = items[items["label"].isin(leaving)]
        empty = set(now.empty) - set(leaving)
        if rows.empty:
            empty.add(into)
        changes = [Change(row.item, "label", row.label, into) for row in rows.itertuples()]
        # a class that is switched off stays off when it is renamed, and joins one that is on when merged
        target_on = bool(((items["label"] == into) & (items["status"] == KEPT)).any())
        joined = rows[rows["status"] == OFF] if target_on else rows.iloc[:0]
        changes += [Change(row.item, "status", OFF, KEPT) for row in joined.itertuples()]
        settings = {"empty": sorted(empty)} if empty != set(now.empty) else None
        return Plan(changes, settings=settings)

    return edit(dataset, kind, words or f"merged {', '.join(leaving)} into {into}", plan)


def disable_class(dataset: Dataset, label: str) -> Edited:
    """Leave a class out of training without deleting anything."""
    return _switch(dataset, label, before=KEPT, after=OFF, kind="disable_class", words=f"switched {label} off")


def enable_class(dataset: Dataset, label: str) -> Edited:
    """Let a class that was switched off count again."""
    return _switch(dataset, label, before=OFF, after=KEPT, kind="enable_class", words=f"switched {label} on")


def delete_class(dataset: Dataset, label: str) -> Edited:
    """Put all pictures of a class into the bin; the class is gone until that is taken back."""

    def plan(now: Dataset, items: pd.DataFrame) -> Plan:
        _check_known(now, items, [label])
        rows = items[(items["label"] == label) & (items["status"] != DELETED)]
        empty = [other for other in now.empty if other != label]
        settings = {"empty": empty} if label in now.empty else None
        return Plan([Change(row.item, "status", row.status, DELETED) for row in rows.itertuples()], settings=settings)

    return edit(dataset, "delete_class", f"deleted the class {label}", plan)


def _switch(dataset: Dataset, label: str, *, before: str, after: str, kind: str, words: str) -> Edited:
    def plan(now: Dataset, items: pd.DataFrame) -> Plan:
        _check_known(now, items, [label])
        rows = items[(items["label"] == label) & (items["status"] == before)]
        return Plan([Change(item, "status", before, after) for item in rows["item"]])

    return edit(dataset, kind, words, plan)


def _check_known(now: Dataset, items: pd.DataFrame, labels: Iterable[str]) -> None:
    known = {*now.empty, *items.loc[items["status"] != DELETED, "label"]}
    for label in labels:
        if label not in known:
            raise NotFound(f"There is no class {label!r} in this data set.", hint="It may have been renamed meanwhile.")


def near_equal(labels: Iterable[str]) -> list[tuple[str, ...]]:
    """Groups of names that are probably one class, written differently: capitals, accents, blanks, signs, a plural s.

    `near_equal(["Cat", "cat", "dogs", "dog", "bear"]) == [("Cat", "cat"), ("dog", "dogs")]`.
    """
    groups: dict[str, list[str]] = {}
    for label in sorted(set(labels)):
        groups.setdefault(_core_of(label), []).append(label)
    return sorted(tuple(group) for group in groups.values() if len(group) > 1)


def _core_of(label: str) -> str:
    plain = "".join(c for c in unicodedata.normalize("NFKD", label) if not unicodedata.combining(c)).casefold()
    words = re.sub(r"[\W_]+", "", plain)
    if len(words) > 3 and words.endswith("s") and not words.endswith("ss"):
        words = words[:-1]
    return words or label
