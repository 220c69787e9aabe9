"""Near-copies in a data set: rows of a table in, groups that stay on one side and what to say about them out."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from core.data.looks import Looks, LookStore, looks
from core.data.similar import RULES, Pairs, group_rows, near_pairs
from core.data.split import VALID, binding, straddling
from core.data.table import Dataset
from core.workspace import write_json

WORTH_KEEPING = 200  # pictures: the pairs of fewer are found again sooner than read


@dataclass(frozen=True)
class Copies:
    """`groups`: one value per row, None for a picture without near-copies. `films`: classes that are mostly one shot.

    The groups of such a class are dissolved: it could not be split at all.
    """

    groups: tuple[Hashable | None, ...]
    films: tuple[str, ...] = ()


def copies_in(
    dataset: Dataset, items: pd.DataFrame | None = None, *, stop: Callable[[], bool] = lambda: False
) -> Copies:
    """The near-copies among a data set's pictures that count, or among the rows in `items`."""
    rows = dataset.kept() if items is None else items
    seen = looks(dataset, rows, stop=stop)
    return find_copies(list(rows["label"]), list(rows["file"]), seen, cache=dataset.workspace.cache)


def find_copies(
    labels: Sequence[str],
    files: Sequence[str],
    seen: Looks,
    *,
    fresh: Sequence[int] | None = None,
    cache: Path | None = None,
) -> Copies:
    """The near-copies among rows with these labels and pictures, whose looks are in `seen`.

    `fresh`: rows that are new; only pairs with one of them are looked for. Pairs found before come from `cache`.
    """
    if fresh is not None:
        pairs = near_pairs(seen, fresh=seen.rows([files[row] for row in fresh]))
    else:
        pairs = near_pairs(seen) if cache is None else kept_pairs(seen, cache)
    groups, films = binding(labels, group_rows(files, seen, pairs=pairs))
    return Copies(tuple(groups), tuple(films))


def kept_pairs(seen: Looks, cache: Path) -> Pairs:
    """The pairs of near-copies among all pictures; they depend on the pictures only and are kept beside the looks."""
    if len(seen.table) < WORTH_KEEPING:
        return near_pairs(seen)
    files = sorted(seen.table["file"])
    path = (
        LookStore.at(cache).folder / f"pairs-{RULES}" / f"{hashlib.sha256(' '.join(files).encode()).hexdigest()}.json"
    )
    with contextlib.suppress(OSError, ValueError, KeyError, IndexError):  # not there, or damaged: found again
        found = json.loads(path.read_text(encoding="utf-8"))["pairs"]
        first, second = (seen.rows([files[pair[side]] for pair in found]) for side in (0, 1))
        return Pairs(first, second, np.array([pair[2] for pair in found], dtype=float))
    pairs = near_pairs(seen)
    order = {place: number for number, place in enumerate(seen.rows(files).tolist())}
    rows = zip(pairs.first.tolist(), pairs.second.tolist(), pairs.score.round(4).tolist(), strict=True)
    write_json(path, {"pairs": [[order[one], order[two], score] for one, two, score in rows]})
    return pairs


def notes_on(copies: Copies, sides: Sequence[str]) -> list[str]:
    """What a person should know about near-copies in a data set with these sides."""
    torn = straddling(sides, copies.groups)
    whole = [name for name in copies.groups if name is not None and name not in torn]
    notes = []
    if whole:
        count = len(set(whole))
        groups = "one group" if count == 1 else f"{count} groups"
        notes.append(f"{len(whole)} near-copies in {groups} were kept on one side together.")
    if torn:
        count = sum(sides[place] == VALID for places in torn.values() for place in places)
        what = "1 validation picture is a near-copy" if count == 1 else f"{count} validation pictures are near-copies"
        notes.append(f"{what} of training pictures, so the error will look a little better than it is.")
    notes += [
        f"Most pictures of {label!r} are nearly the same, like frames of one film. They were split all the same: "
        "expect an error that looks better than it is."
        for label in copies.films
    ]
    return notes
