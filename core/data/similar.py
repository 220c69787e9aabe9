"""Near-duplicates: signatures of pictures (and their activations) in, groups of copies of one shot out.

A picture's nearest neighbours come from blocked matrix products over short descriptors; each such pair is then laid
over one another. How closely a pair must agree depends on how close strangers come: trousers on black are alike
without being copies.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from core.data.looks import CHROMA, SIDE, Looks
from core.data.overlay import agreement

AGREE = 0.93  # least agreement of two copies where strangers look quite different
STRANGERS = 0.25  # copies lie at most this part of the distance to strangers apart
SAME = 0.995  # with this much agreement it is a copy, however close the strangers are
RANKS = (0, 1, 2, 3, 7, 15)  # neighbours that are looked at closely; the far ones tie a long series together
STRANGER = 16  # the neighbour that stands for the strangers
CANDIDATE, ACTIVATION_CANDIDATE = 0.5, 0.85  # least cosines of two descriptors, of two rows of activations
CONTRAST, LIGHT, TINT = 0.25, 0.2, 12.0  # how far copies may differ: logarithm, 0..1, grey levels
GAUDY = 0.9  # of its spread of colours, where that is more
FLAT = 4.0  # grey levels: with less contrast there is nothing to compare
BLOCK = 512
RULES = 1  # a new number for every change of what counts as a copy
_WAVES = 8
Likeness = Callable[[np.ndarray], np.ndarray]


class Pairs(NamedTuple):
    """Pairs of pictures (places in the table of looks) that show the same shot, and how sure that is (0 to 1)."""

    first: np.ndarray
    second: np.ndarray
    score: np.ndarray


def near_pairs(looks: Looks, *, fresh: Sequence[int] | None = None, activations: np.ndarray | None = None) -> Pairs:
    """Pairs of pictures that are copies of one shot: saved again, resized, cropped, lit or mirrored.

    `fresh`: compare only these places with all others. `activations` (N, D), where known, bring in candidates that
    were cropped more. Measured: no pair among 1,200 drawn bears and 88 photos; of their copies at JPEG quality 30 to
    90, at 0.3 to 1 of the size, lit by up to 15 % or mirrored all are found, with up to 5 % cut from every edge 99 %;
    10 pairs among 10,000 pictures of Fashion-MNIST (mostly one product in two tones), where 86 % of copies saved at 30
    to 90 and 62 % of cropped ones are found: 28 pixels of black trousers cannot be told from others with certainty.
    """
    greys, descriptors = _greys(looks), _descriptors(looks)
    asked = np.arange(len(greys)) if fresh is None else np.unique(np.asarray(fresh, dtype=np.int64))
    asked = asked[greys[asked].std((1, 2)) >= FLAT]
    pairs = _candidates(partial(_by_waves, descriptors), asked, CANDIDATE)
    if activations is not None:
        more = _candidates(partial(_by_activations, _unit_rows(activations)), asked, ACTIVATION_CANDIDATE)
        pairs = np.concatenate([pairs, more])
    pairs = _once(pairs, looks, greys)
    score = _scores(pairs, greys, descriptors)
    pairs, score = pairs[score >= AGREE], score[score >= AGREE]
    is_copy = score >= np.minimum(1 - STRANGERS * (1 - _strangers(pairs, descriptors)), SAME)
    return Pairs(pairs[is_copy, 0], pairs[is_copy, 1], score[is_copy].astype(float))


def group(count: int, pairs: Pairs) -> list[int | None]:
    """The group of each of `count` places, numbered from 0 in order of their first places; None for one alone."""
    above = list(range(count))

    def top(place: int) -> int:
        while above[place] != place:
            above[place] = place = above[above[place]]
        return place

    for first, second in zip(pairs.first.tolist(), pairs.second.tolist(), strict=True):
        one, two = sorted((top(first), top(second)))
        above[two] = one
    tops = [top(place) for place in range(count)]
    sizes = np.bincount(tops, minlength=count)
    numbers = {place: number for number, place in enumerate(np.flatnonzero(sizes > 1).tolist())}
    return [numbers.get(place) for place in tops]


def group_rows(files: Sequence[str], looks: Looks, *, pairs: Pairs | None = None) -> list[int | None]:
    """The group of each row of a table, by its picture: near-copies and rows of one and the same file go together.

    `pairs`: the near-copies where they are known already. Groups are numbered in the order of their first rows.
    """
    places = looks.rows(files)
    by_place = group(len(looks.table), near_pairs(looks) if pairs is None else pairs)
    names = [("alone", place) if by_place[place] is None else ("group", by_place[place]) for place in places.tolist()]
    count = Counter(names)
    numbers: dict[tuple[str, int | None], int] = {}
    return [numbers.setdefault(name, len(numbers)) if count[name] > 1 else None for name in names]


def _greys(looks: Looks) -> np.ndarray:
    """Luminance (N, SIDE, SIDE) uint8."""
    return looks.signatures[:, : SIDE * SIDE].reshape(-1, SIDE, SIDE)


def _descriptors(looks: Looks) -> np.ndarray:
    """The lowest waves of the luminance (N, 64) float32, unit length; the higher ones count more, as in nature less."""
    at, wave = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(_WAVES))
    cosines = np.cos(np.pi * wave * at / SIDE).astype(np.float32)
    weight = np.hypot(*np.mgrid[:_WAVES, :_WAVES])
    weight[weight >= _WAVES] = 0
    greys = _greys(looks)
    parts = [
        (cosines @ greys[start : start + BLOCK].astype(np.float32) @ cosines.T * weight).reshape(-1, _WAVES**2)
        for start in range(0, len(greys), BLOCK)
    ]
    found = np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, _WAVES**2), np.float32)
    return found / (np.linalg.norm(found, axis=1, keepdims=True) + 1e-6)


def _mirrored(descriptors: np.ndarray) -> np.ndarray:
    """The descriptors of the mirrored pictures: waves with an odd number of halves across change their sign."""
    signs = np.where(np.arange(_WAVES) % 2, -1, 1).astype(np.float32)
    return descriptors * np.tile(signs, _WAVES)


def _by_waves(descriptors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Cosines (rows, N) with all pictures or their mirror images, whichever is larger; -1 with itself."""
    some = descriptors[rows]
    found = np.maximum(some @ descriptors.T, _mirrored(some) @ descriptors.T)
    found[np.arange(len(rows)), rows] = -1
    return found


def _by_activations(unit: np.ndarray, rows: np.ndarray) -> np.ndarray:
    found = unit[rows] @ unit.T
    found[np.arange(len(rows)), rows] = -1
    return found


def _candidates(likeness: Likeness, asked: np.ndarray, least: float) -> np.ndarray:
    """Pairs (P, 2) of each place asked for with some of its nearest neighbours, as far as they are `least` alike."""
    found = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(asked), BLOCK):
        rows = asked[start : start + BLOCK]
        alike = likeness(rows)
        count = min(RANKS[-1] + 1, alike.shape[1])
        nearest = np.argpartition(alike, -count, axis=1)[:, -count:]
        close = np.take_along_axis(alike, nearest, axis=1)
        order = np.argsort(-close, axis=1)[:, [rank for rank in RANKS if rank < count]]
        row, column = np.nonzero(np.take_along_axis(close, order, axis=1) >= least)
        found.append(np.stack([rows[row], np.take_along_axis(nearest, order, axis=1)[row, column]], axis=1))
    return np.concatenate(found)


def _unit_rows(activations: np.ndarray) -> np.ndarray:
    rows = activations.astype(np.float32)
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-6)


def _once(pairs: np.ndarray, looks: Looks, greys: np.ndarray) -> np.ndarray:
    """Each pair once, without those that differ too much in light, contrast or colour to be of one shot."""
    pairs = np.unique(np.sort(pairs, axis=1), axis=0)
    one, two = pairs[:, 0], pairs[:, 1]
    spread = np.log(greys.std((1, 2)) + 1.0)
    mean = looks.table["brightness"].to_numpy()
    fits = np.abs(spread[one] - spread[two]) <= CONTRAST
    fits &= np.abs(mean[one] - mean[two]) <= LIGHT
    fits &= np.minimum(spread[one], spread[two]) >= np.log(FLAT + 1)
    return pairs[fits & _same_colours(pairs, looks)]


def _same_colours(pairs: np.ndarray, looks: Looks) -> np.ndarray:
    """Whether pairs have the same colours in the same places; cropping moves those of a gaudy picture a little."""
    half = CHROMA // 2
    tints = looks.signatures[:, SIDE * SIDE :].reshape(-1, 2, half, 2, half, 2).mean((3, 5), dtype=np.float32)
    spread = np.abs(tints - tints.mean((2, 3), keepdims=True)).mean((2, 3)).max(1)
    one, two = pairs[:, 0], pairs[:, 1]
    allowed = np.maximum(TINT, GAUDY * np.minimum(spread[one], spread[two]))
    straight, turned = (np.abs(tints[one] - other[two]).mean((2, 3)).max(1) for other in (tints, tints[..., ::-1]))
    return np.minimum(straight, turned) <= allowed


def _scores(pairs: np.ndarray, greys: np.ndarray, descriptors: np.ndarray) -> np.ndarray:
    """Agreement of each pair, as it is or mirrored, whichever its descriptors say."""
    one, two = pairs[:, 0], pairs[:, 1]
    straight = (descriptors[one] * descriptors[two]).sum(1)
    turned = (_mirrored(descriptors[one]) * descriptors[two]).sum(1)
    second = greys[two]
    second = np.where((turned > straight)[:, None, None], second[:, :, ::-1], second)
    return agreement(greys[one], second)


def _strangers(pairs: np.ndarray, descriptors: np.ndarray) -> np.ndarray:
    """How close strangers come to a pair: its cosine with the STRANGERth neighbour, the larger of both."""
    count = len(descriptors)
    rank = min(STRANGER, count // 2)
    if rank < 2:  # there are no strangers
        return np.zeros(len(pairs))
    close = np.zeros(count, np.float32)
    asked = np.unique(pairs)
    for start in range(0, len(asked), BLOCK):
        rows = asked[start : start + BLOCK]
        close[rows] = np.partition(_by_waves(descriptors, rows), -rank, axis=1)[:, -rank]
    return np.maximum(close[pairs[:, 0]], close[pairs[:, 1]])
