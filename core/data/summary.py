"""What is in a data set: the rows that count in, counts per class, sizes, shapes and extremes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd


def class_counts(items: pd.DataFrame) -> pd.DataFrame:
    """One row per class, the largest first: its pictures in all (`total`), to learn from (`train`) and set aside
    (`valid`); indexed by label. Classes of one size come in the order of their names.
    """
    total = items["label"].value_counts()
    train = items.loc[items["split"] == "train", "label"].value_counts()
    table = pd.DataFrame({"total": total, "train": train.reindex(total.index, fill_value=0)})
    table["valid"] = table["total"] - table["train"]
    return table.sort_index().sort_values("total", ascending=False, kind="stable").astype(int)


@dataclass(frozen=True)
class Balance:
    """How even the classes are. `ratio`: the largest over the smallest; `always` pictures of the exam's `exam` are
    right for a model that always answers `favourite`, the largest class to learn from.
    """

    largest: str
    smallest: str
    ratio: float
    favourite: str
    always: int
    exam: int


def balance_of(counts: pd.DataFrame) -> Balance:
    """The balance of a table of `class_counts` that has a row."""
    favourite = str(counts["train"].idxmax())
    totals = counts["total"]
    return Balance(
        largest=str(counts.index[0]),
        smallest=str(counts.index[-1]),
        ratio=float(totals.iloc[0] / totals.iloc[-1]),
        favourite=favourite,
        always=int(counts.at[favourite, "valid"]),
        exam=int(counts["valid"].sum()),
    )


def shapes(items: pd.DataFrame) -> np.ndarray:
    """Width divided by height, per row."""
    return items["width"].to_numpy() / items["height"].to_numpy()


def lost_share(items: pd.DataFrame) -> np.ndarray:
    """The share of each picture, 0..1, that lies outside its middle square: what the model never sees."""
    ratio = shapes(items)
    return 1 - np.minimum(ratio, 1 / ratio)


def extremes(items: pd.DataFrame) -> dict[str, pd.Series]:
    """The rows with the most and the fewest pixels, and the widest and the tallest by shape; ties: the first row."""
    area = items["width"].to_numpy() * items["height"].to_numpy()
    ratio = shapes(items)
    places = {"largest": area.argmax(), "smallest": area.argmin(), "widest": ratio.argmax(), "tallest": ratio.argmin()}
    return {name: items.iloc[int(place)] for name, place in places.items()}
