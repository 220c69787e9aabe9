"""A map of a data set: activations in, a place in the plane for each picture out, and how well it keeps classes apart.

The plane is that of the two directions in which the activations differ most (principal components). A neighbourhood map
such as t-SNE draws prettier islands, but its distances mean nothing, and it would bring 275 MB of packages; docs/LOG.md
has the figures. No torch: pages read this.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MORE = 8  # directions beside the wanted two that the search follows
ROUNDS = 8
AROUND = 5
_AT_ONCE = 512


def plane(rows: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Rows (n, D) to places (n, 2) float32 in the plane in which they differ most, around (0, 0).

    The first axis is the wider one. Found by randomised subspace iteration (Halko et al., arXiv:0909.4061), which takes
    0.2 s for 2,000 rows of 2,560 numbers; the same seed gives the same places, and each axis points to where its
    longest arm reaches. Fewer than two directions leave zeros.
    """
    wide = np.asarray(rows, dtype=np.float32)
    if not len(wide):
        return np.zeros((0, 2), dtype=np.float32)
    centred = wide - wide.mean(axis=0)
    kept = min(2 + MORE, *centred.shape)
    basis = np.random.default_rng(seed).normal(size=(centred.shape[1], kept)).astype(np.float32)
    for _ in range(ROUNDS):
        basis = np.linalg.qr(centred.T @ (centred @ basis))[0]
    found = centred @ basis
    turn = np.linalg.svd(found, full_matrices=False)[2][:2]
    places = np.zeros((len(wide), 2), dtype=np.float32)
    places[:, : len(turn)] = found @ turn.T
    longest = places[np.abs(places).argmax(axis=0), [0, 1]]
    return places * np.where(longest < 0, -1, 1).astype(np.float32)


def misplaced(places: np.ndarray, labels: Sequence[str], known: np.ndarray) -> np.ndarray:
    """Which pictures lie among another class, (n,) bool: of their five nearest `known` ones most have another label.

    `places` (n, 2), `labels` (n,), `known` (n,) bool: the pictures that the model has learned from. These themselves
    are never counted. Where labels tie, that of the nearest of them counts.
    """
    names, numbers = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
    asked, taught = np.flatnonzero(~known), np.flatnonzero(known)
    found = np.zeros(len(places), dtype=bool)
    if not len(taught):
        return found
    for at in range(0, len(asked), _AT_ONCE):
        some = asked[at : at + _AT_ONCE]
        around = numbers[taught[_nearest_few(places[some], places[taught])]]
        votes = (around[:, :, None] == np.arange(len(names))).sum(axis=1)
        first = np.take_along_axis(votes, around, axis=1).argmax(axis=1)
        found[some] = around[np.arange(len(some)), first] != numbers[some]
    return found


def _nearest_few(asked: np.ndarray, taught: np.ndarray) -> np.ndarray:
    """For each place (m, 2) the numbers of the five nearest of others (t, 2), nearest first, (m, up to 5)."""
    across, down = (asked[:, None, axis] - taught[None, :, axis] for axis in (0, 1))
    apart = across**2 + down**2
    few = min(AROUND, len(taught))
    near = np.argpartition(apart, few - 1, axis=1)[:, :few]
    order = np.argsort(np.take_along_axis(apart, near, axis=1), axis=1, kind="stable")
    found: np.ndarray = np.take_along_axis(near, order, axis=1)
    return found
