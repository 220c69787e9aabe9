"""What a table of predictions says about a model: labels and probabilities in, counts, shares and orders out.

Rows are items, columns those of `core.interpret.predictions`. No torch: pages read these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

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


def row_shares(matrix: np.ndarray) -> np.ndarray:
    """Each row over its sum: which share of the pictures of a class was taken for what; 0 for a class without any.

    `row_shares([[3, 1], [0, 0]]) -> [[0.75, 0.25], [0, 0]]`
    """
    totals = np.asarray(matrix).sum(axis=1, keepdims=True)
    shares: np.ndarray = np.asarray(matrix) / np.maximum(totals, 1)
    return shares


@dataclass(frozen=True)
class ClassScore:
    """How a model does on one class: it has `support` pictures, was said `said` times, and `right` times rightly.

    A share is None where it would be a share of nothing: precision of a class that was never said, recall of one
    without pictures, F1 where one of the two is None.
    """

    label: str
    support: int
    said: int
    right: int

    @property
    def precision(self) -> float | None:
        """How often the model is right when it says this class, 0..1."""
        return self.right / self.said if self.said else None

    @property
    def recall(self) -> float | None:
        """How many pictures of this class the model recognises, 0..1."""
        return self.right / self.support if self.support else None

    @property
    def f1(self) -> float | None:
        """The harmonic mean of precision and recall: 2 right / (support + said), 0..1."""
        return 2 * self.right / (self.support + self.said) if self.support and self.said else None


def class_scores(matrix: np.ndarray, classes: Sequence[str]) -> tuple[ClassScore, ...]:
    """The scores of every class, in their order, from a confusion matrix (rows actual, columns predicted)."""
    counts = np.asarray(matrix)
    return tuple(
        ClassScore(label, int(counts[place].sum()), int(counts[:, place].sum()), int(counts[place, place]))
        for place, label in enumerate(classes)
    )


def log_loss(probs: Sequence[float] | np.ndarray) -> float:
    """Mean of -log p in nats over the probabilities p that each picture's own class was given; NaN for none.

    What training makes small (cross-entropy). A probability of 0 counts as the smallest number above it.
    """
    found = np.asarray(probs, dtype=float)
    return float(-np.log(np.maximum(found, np.finfo(float).tiny)).mean()) if len(found) else float("nan")


def sharpened(logs: np.ndarray, factor: float) -> np.ndarray:
    """Logarithms of probabilities (n, classes) after all scores were multiplied by `factor`.

    The order of the classes stays as it is, and with it every answer; above 1 the model is surer of them, below 1 less.
    """
    scores = np.asarray(logs, dtype=float) * factor
    scores -= scores.max(axis=1, keepdims=True)
    found: np.ndarray = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return found


def _highest_loss(table: pd.DataFrame) -> pd.DataFrame:
    return top_losses(table, len(table))


def _sure_and_wrong(table: pd.DataFrame) -> pd.DataFrame:
    return _by_sureness(table[table["predicted"] != table["label"]])


def _sure_and_right(table: pd.DataFrame) -> pd.DataFrame:
    return _by_sureness(table[table["predicted"] == table["label"]])


def _by_sureness(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("p_predicted", ascending=False, kind="stable").reset_index(drop=True)


def _least_certain(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values("certainty", kind="stable").reset_index(drop=True)


ORDERS: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "loss": _highest_loss,
    "wrong": _sure_and_wrong,
    "right": _sure_and_right,
    "unsure": _least_certain,
}
"""Orders of a table of answers, all of them stable. "wrong" and "right" leave the other pictures out."""
