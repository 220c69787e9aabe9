"""The nearest pictures: activations in, the rows most like one of them out, and what their labels say in words.

Two pictures are near when the body's answers to them point the same way. No torch: pages and tables read these.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

ROWS_AT_ONCE = 4096  # float16 rows are widened in parts: a set of any size fits


def nearest(query: np.ndarray, rows: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k rows most like `query`, nearest first: their places (k,) int and cosine distances (k,) float in 0..2.

    `query` (D,), `rows` (n, D), any float type, an array on disk too. Fewer than k come back where there are fewer
    rows. Equal distances keep the order of the rows; a row of zeros points nowhere and has the distance 1.
    """
    if query.ndim != 1 or rows.ndim != 2 or rows.shape[1] != len(query):
        raise ValueError(f"a query (D,) and rows (n, D) are needed, not {query.shape} and {rows.shape}")
    unit = units(np.asarray(query, dtype=np.float32)[None])[0]
    parts = [units(rows[at : at + ROWS_AT_ONCE]) @ unit for at in range(0, len(rows), ROWS_AT_ONCE)]
    distance = np.clip(1 - np.concatenate([np.zeros(0, np.float32), *parts]), 0, 2)
    order = np.argsort(distance, kind="stable")[: max(0, k)]
    return order, distance[order].astype(float)


def units(rows: np.ndarray) -> np.ndarray:
    """Rows (n, D) at length one, float32: then their distances go by directions alone. A row of zeros stays one."""
    wide = np.asarray(rows, dtype=np.float32)
    length = np.linalg.norm(wide, axis=1, keepdims=True)
    found: np.ndarray = wide / np.where(length > 0, length, 1)
    return found


@dataclass(frozen=True)
class Company:
    """Whom a picture is among. `label` is the most frequent one of its neighbours and `count` how many of `of` have it.

    `kind`: "agrees" when label, answer and company are one; "misled" when the answer follows the company away from the
    label; "doubtful" when the model says the label in spite of its company; "alone" when a wrong answer goes against
    company that has the picture's own label; "mixed" when no label has more than half.
    """

    kind: str
    label: str
    count: int
    of: int


def company(label: str, predicted: str, neighbours: Sequence[str]) -> Company | None:
    """What the labels of a picture's neighbours, nearest first, say about its label and the model's answer.

    None without neighbours. Of labels that are equally frequent the one that came first counts.
    `company("grizzly", "black", ["black"] * 4 + ["teddy"]) -> Company("misled", "black", 4, 5)`.
    """
    if not neighbours:
        return None
    most, count = Counter(neighbours).most_common(1)[0]
    return Company(_kind(label, predicted, most, count, len(neighbours)), most, count, len(neighbours))


def _kind(label: str, predicted: str, most: str, count: int, of: int) -> str:
    if 2 * count <= of:
        return "mixed"
    if most == label:
        return "agrees" if predicted == label else "alone"
    if most == predicted:
        return "misled"
    return "doubtful"
