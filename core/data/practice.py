"""Practice: a set whose mistakes are known in, and how well somebody cleaned it out.

A sample with label noise notes the true label of every picture that it mislabels. What a picture was called when it
came, and what its class has been called since, stands in the ledger; so the key fits whatever was renamed or merged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from core.data import ledger
from core.data.edits import DELETED
from core.data.samples.gallery import TRUE_LABEL
from core.data.table import Dataset
from core.errors import DataError
from core.settings import ImportSettings

SAMPLE, NOISE, PER_CLASS = "bears", 0.05, 100
SEED = 2  # with these mistakes a model that learns from the cleaned set is clearly better: 8 and 5 of 60 wrong
RENAMING = ("rename_class", "merge_classes")


def practice_request(
    name: str, *, seed: int = SEED, noise: float = NOISE, per_class: int = PER_CLASS
) -> dict[str, Any]:
    """The request of a run of kind "sample" that makes a practice set; another `seed` gives other mistakes."""
    return {
        "sample": SAMPLE,
        "name": name,
        "per_class": per_class,
        "noise": noise,
        "biased_noise": 0.0,
        "imbalance": 0.0,
        "seed": seed,
        "valid_share": ImportSettings().valid_share,
        "split_seed": ImportSettings().seed,
    }


@dataclass(frozen=True)
class Score:
    """How a practice set was cleaned, by item. Every planted mistake is in one of the first three.

    `found_items`: relabelled rightly or deleted. `third_items`: noticed, but given another wrong label. `missed_items`:
    as planted. `spoiled_items`: pictures whose label was right, and which were relabelled or deleted all the same.
    """

    found_items: tuple[str, ...]
    third_items: tuple[str, ...]
    missed_items: tuple[str, ...]
    spoiled_items: tuple[str, ...]

    @property
    def found(self) -> int:
        """How many planted mistakes were put right."""
        return len(self.found_items)

    @property
    def missed(self) -> int:
        """How many planted mistakes are still there, untouched."""
        return len(self.missed_items)

    @property
    def wrongly_changed(self) -> int:
        """How many changes were wrong: a right label that was changed or deleted, or a third label."""
        return len(self.spoiled_items) + len(self.third_items)

    @property
    def planted(self) -> int:
        """How many labels were wrong on purpose."""
        return self.found + len(self.third_items) + self.missed

    @property
    def words(self) -> str:
        """The score in a few sentences."""
        said = [f"{self.found} of {self.planted} planted mistakes found, {self.missed} missed."]
        if self.third_items:
            said.append(f"{_pictures(self.third_items)} noticed, but given another wrong label.")
        if self.spoiled_items:
            said.append(f"{_pictures(self.spoiled_items)} right before.")
        return " ".join(said)


def _pictures(items: tuple[str, ...]) -> str:
    return "1 picture was" if len(items) == 1 else f"{len(items)} pictures were"


def is_practice(dataset: Dataset, *, items: pd.DataFrame | None = None) -> bool:
    """Whether this set's mistakes are known: it came from a sample that was given wrong labels on purpose.

    `items` is its table where that was read already.
    """
    return bool(_planted(dataset.items() if items is None else items).any())


def answer_key(dataset: Dataset) -> dict[str, str]:
    """Item -> true label, in the names that classes have now, of the pictures that came with the sample.

    Pictures added since have no key, and those that were swept from the bin are forgotten.
    """
    answers = _answers(dataset)
    return dict(zip(answers["item"], answers["true"], strict=True))


def score(dataset: Dataset) -> Score:
    """Compare the labels of a practice set, as they are now, with its answer key. A class switched off still counts."""
    answers = _answers(dataset)
    deleted, right = answers["status"] == DELETED, answers["label"] == answers["true"]
    planted, touched = answers["planted"], answers["label"] != answers["came"]

    def of(rows: pd.Series) -> tuple[str, ...]:
        return tuple(answers.loc[rows, "item"])

    return Score(
        found_items=of(planted & (deleted | right)),
        third_items=of(planted & ~deleted & ~right & touched),
        missed_items=of(planted & ~deleted & ~right & ~touched),
        spoiled_items=of(~planted & (deleted | ~right)),
    )


def _answers(dataset: Dataset) -> pd.DataFrame:
    """The rows that came with the sample, with columns `planted`, `came` (the first label) and `true` (the right one).

    Both labels are written as their classes are called now.
    """
    items = dataset.items()
    planted = _planted(items)
    if not planted.any():
        raise DataError(
            f"{dataset.name} has no answer key: its labels were not made wrong on purpose.", hint="Make a practice set."
        )
    items = items.assign(planted=planted)[items["source"] == items.loc[planted, "source"].iloc[0]]
    edits = [entry.record for entry in reversed(ledger.history(dataset.path)) if not entry.undone]
    first, names = _first_labels(edits), _renamed(edits)
    came = [first.get(item, label) for item, label in zip(items["item"], items["label"], strict=True)]
    true = [_noted(note) or label for note, label in zip(items["note"], came, strict=True)]
    return items.assign(came=[names.get(label, label) for label in came], true=[names.get(t, t) for t in true])


def _planted(items: pd.DataFrame) -> pd.Series:
    return items["note"].str.startswith(TRUE_LABEL)


def _noted(note: str) -> str:
    """The true label in a note; "" where there is none. Other notes follow after a semicolon."""
    return note.removeprefix(TRUE_LABEL).partition("; ")[0] if note.startswith(TRUE_LABEL) else ""


def _first_labels(edits: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What items were called when they came, as far as they were called something else since."""
    first: dict[str, str] = {}
    for record in edits:
        for item, column, before, _ in record.get("changes", ()):
            if column == "label":
                first.setdefault(item, before)
    return first


def _renamed(edits: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """What classes are called now, by their first names, as far as they were renamed or merged."""
    names: dict[str, str] = {}
    for record in edits:
        if record["edit"] in RENAMING:
            moves = {before: after for _, column, before, after in record["changes"] if column == "label"}
            names = {**moves, **{first: moves.get(now, now) for first, now in names.items()}}
    return names
