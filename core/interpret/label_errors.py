"""Label errors: probabilities from heads that never saw the pictures, and their labels, in; wrong labels out.

Confident learning (Northcutt, Jiang and Chuang, arXiv:1911.00068). A label counts as wrong when another class is at
least as probable for that picture as it usually is for pictures of that class. What is usual is measured for each class
by itself, so that a class about which the heads are never sure is not full of suspects.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NOTHING = -1


@dataclass(frozen=True)
class LabelErrors:
    """What was found, one entry per picture.

    `likely`: the class that the picture confidently belongs to, or NOTHING; `is_error`: whether that is another class
    than its label; `margin`: probability of the label minus the largest other one, -1 (surely wrong) to 1.
    """

    likely: np.ndarray
    is_error: np.ndarray
    margin: np.ndarray

    @property
    def order(self) -> np.ndarray:
        """Row numbers, the errors first, in each part by falling doubt; ties keep the order of the table."""
        return np.lexsort((self.margin, ~self.is_error))


def find_label_errors(probs: np.ndarray, labels: np.ndarray) -> LabelErrors:
    """Judge `labels` (n,), class numbers, by `probs` (n, classes), which must come from heads that never saw them."""
    likely = likely_classes(probs, labels)
    is_error = (likely != NOTHING) & (likely != labels)
    return LabelErrors(likely, is_error, margins(probs, labels))


def usual_confidence(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """How probable each class is, on average, for the pictures that carry its label: (classes,), inf without any.

    `usual_confidence([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8]], [0, 0, 1]) -> [0.8, 0.8]`
    """
    probs, labels = np.asarray(probs, dtype=float), np.asarray(labels)
    own = [probs[labels == number, number] for number in range(probs.shape[1])]
    return np.array([part.mean() if len(part) else np.inf for part in own])


def likely_classes(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The most probable among the classes that reach their usual confidence, (n,); NOTHING where none does."""
    probs = np.asarray(probs, dtype=float)
    reached = np.where(probs >= usual_confidence(probs, labels), probs, -np.inf)
    return np.where(np.isfinite(reached).any(axis=1), reached.argmax(axis=1), NOTHING)


def confident_joint(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Counts (classes, classes): rows the label that was given, columns the class it confidently belongs to.

    What lies off the diagonal are label errors; pictures that belong to nothing confidently are not counted.
    """
    likely, given = likely_classes(probs, labels), np.asarray(labels)
    counts = np.zeros((np.shape(probs)[1],) * 2, dtype=int)
    sure = likely != NOTHING
    np.add.at(counts, (given[sure], likely[sure]), 1)
    return counts


def margins(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probability of the label minus the largest probability of another class, (n,), from -1 to 1."""
    probs, rows = np.asarray(probs, dtype=float), np.arange(len(probs))
    others = probs.copy()
    others[rows, labels] = -np.inf
    return probs[rows, labels] - others.max(axis=1)
