"""Out-of-fold probabilities: activations and labels in, what heads that never saw a picture say about it out.

A model that was trained on a wrong label has learned it by heart and finds nothing odd about it. So the pictures are
dealt into a few folds, and each fold is judged by a small head that was fitted to the other folds alone. The heads are
linear, fitted by least squares in one step: on noisy labels they judge better than the head that a model trains with
(98 against 94 of 100 planted errors among the first suspects, in the bears), in a twentieth of the time.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

FOLDS = 5
PENALTY = 1.0  # on squared weights, for activations of mean squared length 1; from 0.3 to 3 little changes
JUDGED_AT_ONCE = 2000  # pictures by which a head's temperature is chosen
TEMPERATURES = np.geomspace(0.02, 1.0, 40)


@dataclass(frozen=True)
class Judged:
    """The answers about one fold: `rows` (m,) of the table, `probs` (m, classes), each row summing to 1."""

    rows: np.ndarray
    probs: np.ndarray


def deal(labels: np.ndarray, *, folds: int = FOLDS, seed: int, groups: Sequence[Hashable] | None = None) -> np.ndarray:
    """A fold, 0..folds-1, for each of `labels` (n,): every class is spread evenly, and a group is never torn apart.

    `groups` (n,) names what belongs together, such as near-duplicates: a head that saw one of them has seen them all.
    """
    labels = np.asarray(labels)
    members = _members(range(len(labels)) if groups is None else groups)
    shuffled = [members[place] for place in np.random.default_rng(seed).permutation(len(members))]
    shuffled.sort(key=len, reverse=True)
    held = np.zeros((labels.max(initial=0) + 1, folds), dtype=int)
    totals, dealt = np.zeros(folds, dtype=int), np.zeros(len(labels), dtype=int)
    for rows in shuffled:
        label = labels[rows[0]]
        fold = np.lexsort((totals, held[label]))[0]
        dealt[rows] = fold
        np.add.at(held, (labels[rows], fold), 1)
        totals[fold] += len(rows)
    return dealt


def _members(groups: Sequence[Hashable] | range) -> list[list[int]]:
    found: dict[Hashable, list[int]] = {}
    for row, group in enumerate(groups):
        found.setdefault(group, []).append(row)
    return list(found.values())


def out_of_fold(
    features: np.ndarray,
    labels: np.ndarray,
    *,
    classes: int,
    folds: int = FOLDS,
    seed: int = 0,
    groups: Sequence[Hashable] | None = None,
) -> np.ndarray:
    """Probabilities (n, classes) for activations `features` (n, d) with class numbers `labels` (n,)."""
    dealt = deal(labels, folds=folds, seed=seed, groups=groups)
    probs = np.zeros((len(labels), classes))
    for judged in judge(features, labels, dealt, classes=classes):
        probs[judged.rows] = judged.probs
    return probs


def judge(features: np.ndarray, labels: np.ndarray, dealt: np.ndarray, *, classes: int) -> Iterator[Judged]:
    """One fold after the other, judged by a head fitted to all others. Each head is forgotten after its fold.

    No label of a fold has any part in what is said about that fold.
    """
    inputs, targets = _scaled(features), np.eye(classes)[labels]
    rounds = _by_pictures if len(inputs) <= inputs.shape[1] else _by_activations
    for rows, scores, held_out, seen in rounds(inputs, targets, dealt):
        yield Judged(rows, _softmax(scores / temperature(held_out, labels[seen])))


def _scaled(features: np.ndarray) -> np.ndarray:
    """Rows of length 1, centred, of mean squared length 1, and a constant 1 as the last column: (n, d + 1), float64."""
    rows = np.array(features, dtype=np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    rows -= rows.mean(axis=0)
    rows /= max(float(np.sqrt((rows**2).sum(axis=1).mean())), 1e-12)
    return np.hstack([rows, np.ones((len(rows), 1))])


# rows of the fold, their scores, held-out scores of pictures of the other folds, and the rows of those
Round = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _by_pictures(inputs: np.ndarray, targets: np.ndarray, dealt: np.ndarray) -> Iterator[Round]:
    """Ridge regression with one unknown per picture: for fewer pictures than activations."""
    products = inputs @ inputs.T
    for fold in np.unique(dealt):
        rows, others = np.flatnonzero(dealt == fold), np.flatnonzero(dealt != fold)
        inverse = np.linalg.inv(products[np.ix_(others, others)] + PENALTY * np.eye(len(others)))
        weights = inverse @ targets[others]
        # what the head would say about each picture had it been fitted without that one: exact, at no cost
        held_out = targets[others] - weights / np.diag(inverse)[:, None]
        yield rows, products[np.ix_(rows, others)] @ weights, held_out, others


def _by_activations(inputs: np.ndarray, targets: np.ndarray, dealt: np.ndarray) -> Iterator[Round]:
    """The same head with one unknown per activation: for more pictures than activations."""
    products, sums = inputs.T @ inputs, inputs.T @ targets
    for fold in np.unique(dealt):
        rows, others = np.flatnonzero(dealt == fold), np.flatnonzero(dealt != fold)
        own = inputs[rows]
        inverse = np.linalg.inv(products - own.T @ own + PENALTY * np.eye(len(products)))
        weights = inverse @ (sums - own.T @ targets[rows])
        some = _some(others)
        mine = inputs[some]
        leverage = ((mine @ inverse) * mine).sum(axis=1)
        missed = (targets[some] - mine @ weights) / (1 - leverage)[:, None]
        yield rows, own @ weights, targets[some] - missed, some


def _some(rows: np.ndarray) -> np.ndarray:
    """At most JUDGED_AT_ONCE of the rows, evenly spread."""
    if len(rows) <= JUDGED_AT_ONCE:
        return rows
    some: np.ndarray = rows[np.linspace(0, len(rows) - 1, JUDGED_AT_ONCE).astype(int)]
    return some


def temperature(scores: np.ndarray, labels: np.ndarray) -> float:
    """What scores (n, classes) are divided by so that their softmax is as sure as it is right: least mean loss."""
    if not len(labels):
        return 1.0
    losses = [_mean_loss(scores / candidate, labels) for candidate in TEMPERATURES]
    return float(TEMPERATURES[int(np.argmin(losses))])


def _mean_loss(scores: np.ndarray, labels: np.ndarray) -> float:
    largest = scores.max(axis=1)
    sums = np.log(np.exp(scores - largest[:, None]).sum(axis=1)) + largest
    return float((sums - scores[np.arange(len(labels)), labels]).mean())


def _softmax(scores: np.ndarray) -> np.ndarray:
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    probs: np.ndarray = raised / raised.sum(axis=1, keepdims=True)
    return probs
