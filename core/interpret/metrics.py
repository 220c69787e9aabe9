"""What a table of predictions says about a model: labels and probabilities in, counts, shares and orders out.

Rows are items, columns those of `core.interpret.predictions`. No torch: pages read these.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def accuracy(actual: Sequence[str], predicted: Sequence[str]) -> float:
    """The share of pictures whose predicted class, the one with the highest score, is the actual one; NaN for none."""
    pairs = list(zip(actual, predicted, strict=True))
    return sum(a == p for a, p in pairs) / len(pairs) if pairs else float("nan")


def error_rate(actual: Sequence[str], predicted: Sequence[str]) -> float:
    """What accuracy leaves: the share of pictures with another class predicted than the actual one."""
    return 1 - accuracy(actual, predicted)


def confusion(actual: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """Counts (classes, classes) int: rows are the actual class, columns the predicted one.

    Pictures with a class that is not listed are left out.
    """
    index = {label: place for place, label in enumerate(classes)}
    counts = np.zeros((len(classes), len(classes)), dtype=int)
    for a, p in zip(actual, predicted, strict=True):
        if a in index and p in index:
            counts[index[a], index[p]] += 1
    return counts


def most_confused(matrix: np.ndarray, classes: Sequence[str], min_count: int = 1) -> list[tuple[str, str, int]]:
    """(actual, predicted, count) of the mistakes made at least `min_count` times, most frequent first.

    Ties stay in the order of the rows, then of the columns.
    """
    found = [
        (classes[row], classes[column], int(matrix[row, column]))
        for row in range(len(classes))
        for column in range(len(classes))
        if row != column and matrix[row, column] >= min_count
    ]
    return sorted(found, key=lambda pair: -pair[2])


def top_losses(table: pd.DataFrame, k: int = 9) -> pd.DataFrame:
    """The k rows with the highest loss, highest first; equal losses stay in the order of the table."""
    return table.sort_values("loss", ascending=False, kind="stable").head(k).reset_index(drop=True)
