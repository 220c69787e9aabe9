"""Laying one thumbnail over another: pairs of small grey pictures in, how well they agree once aligned out.

Two copies of one shot differ by a little cropping and stretching. The scale and the shift along each axis are found by
least squares on ever finer pictures (Lucas and Kanade 1981, in the inverse form of Baker and Matthews 2004); then fine
structure is compared, because light and rough shape agree between different pictures too.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from core.data.pool import process_count

MOVE_MAX = 0.35  # of half a side: how much of a picture may have been cut away
FIRST_LOOK, SECOND_LOOK = 0.8, 0.75  # pairs that agree less in rough, then in finer shape are given up
BATCH = 512
_MARGIN = 3 / 32  # of a side: what a crop has cut away cannot be compared


class _Fit(NamedTuple):
    """What does not change while others are laid over a picture: itself, smoothed, and how it answers to a move."""

    smooth: np.ndarray  # (P, S, S)
    answers: np.ndarray  # (P, 6, S * S)
    solve: np.ndarray  # (P, 6, 6)


def agreement(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """How well pairs of grey thumbnails (P, S, S) agree, each laid over the other: correlations (P,) of fine structure.

    Copies of one shot that were saved again, resized, lit or cropped reach 0.93 and more, other pictures rarely 0.85.
    Pairs that already disagree at half the resolution get a low value without closer inspection.
    """

    def batch(at: int) -> np.ndarray:
        return _batch(*(pictures[at : at + BATCH].astype(np.float32) for pictures in (first, second)))

    with ThreadPoolExecutor(process_count()) as threads:
        parts = list(threads.map(batch, range(0, len(first), BATCH)))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _batch(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    first, second = _unit(first), _unit(second)
    small = _halved(first), _halved(second)
    moves = _align(*small, smoothings=2)
    found = _alike(_smooth(small[0]), _smooth(_moved(small[1], moves)))
    near = np.flatnonzero(found >= FIRST_LOOK)
    found = np.minimum(found, FIRST_LOOK)
    if near.size:
        one, two, small_one, small_two = (pictures[near] for pictures in (first, second, *small))
        straight = _closely(one, two, small_one, small_two, moves[near])
        back = _closely(two, one, small_two, small_one, _align(small_two, small_one, smoothings=2))
        found[near] = np.maximum(straight, back)
    return found


def _closely(
    below: np.ndarray, above: np.ndarray, small_below: np.ndarray, small_above: np.ndarray, moves: np.ndarray
) -> np.ndarray:
    """Agreement of `above` laid over `below`; what was cut away from `below` is cut away from `above` too."""
    moves = _align(small_below, small_above, moves, smoothings=1)
    found = _in_detail(small_below, small_above, moves)
    near = np.flatnonzero(found >= SECOND_LOOK)
    found = np.minimum(found, SECOND_LOOK)
    if near.size:
        moves = _align(below[near], above[near], moves[near], smoothings=1)
        found[near] = _in_detail(below[near], above[near], moves)
    return found


def _in_detail(below: np.ndarray, above: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Agreement without light and rough shape, and without what only sharpness or noise changes."""
    above = _moved(above, moves)
    return _alike(_smooth(below) - _smooth(below, 3), _smooth(above) - _smooth(above, 3))


def _align(
    below: np.ndarray, above: np.ndarray, moves: np.ndarray | None = None, *, smoothings: int, steps: int = 2
) -> np.ndarray:
    """Better moves (scale and shift across, scale and shift down) that bring `above` onto `below`."""
    moves = np.zeros((len(below), 4), np.float32) if moves is None else moves
    fit = _fit(below, smoothings)
    above = _smooth(above, smoothings)
    for _ in range(steps):
        rest = (_unit(_moved(above, moves)) - fit.smooth).reshape(len(below), -1, 1)
        change = np.clip((fit.solve @ (fit.answers @ rest))[:, :4, 0], -0.15, 0.15)
        moves = np.clip(_undone(moves, change), -MOVE_MAX, MOVE_MAX)
    return moves


def _fit(picture: np.ndarray, smoothings: int) -> _Fit:
    picture = _smooth(picture, smoothings)
    count, side = len(picture), picture.shape[1]
    at = _positions(side)
    down, across = np.gradient(picture, 2 / side, axis=(1, 2))
    answers = np.stack(
        [across * at, across, down * at[:, None], down, picture, np.ones_like(picture)], axis=1, dtype=np.float32
    )
    edge = side // 16  # what lies there may have been cut away in the other picture
    answers[:, :, :edge] = answers[:, :, -edge:] = answers[:, :, :, :edge] = answers[:, :, :, -edge:] = 0
    answers = answers.reshape(count, 6, -1)
    normal = answers @ answers.transpose(0, 2, 1)
    normal += np.eye(6, dtype=np.float32) * (1e-3 / 6 * np.trace(normal, axis1=1, axis2=2) + 1e-6)[:, None, None]
    return _Fit(picture, answers, np.linalg.inv(normal))


def _undone(moves: np.ndarray, change: np.ndarray) -> np.ndarray:
    """`moves` after the inverse of `change`."""
    better = np.empty_like(moves)
    for axis in (0, 2):
        scale = (1 + moves[:, axis]) / (1 + change[:, axis])
        better[:, axis], better[:, axis + 1] = scale - 1, moves[:, axis + 1] - scale * change[:, axis + 1]
    return better


def _moved(picture: np.ndarray, moves: np.ndarray) -> np.ndarray:
    """Sampled at (1 + scale) x + shift along each axis; beyond the border lies what is at the border."""
    side = picture.shape[1]
    across, down = (_sampling(moves[:, axis], moves[:, axis + 1], side) for axis in (0, 2))
    return down @ picture @ across.transpose(0, 2, 1)


def _sampling(scale: np.ndarray, shift: np.ndarray, side: int) -> np.ndarray:
    """Matrices (P, side, side) that interpolate linearly between neighbours."""
    wanted = (((1 + scale[:, None]) * _positions(side) + shift[:, None] + 1) * side - 1) / 2
    wanted = np.clip(wanted, 0, side - 1).astype(np.float32)
    return np.maximum(0, 1 - np.abs(wanted[:, :, None] - np.arange(side, dtype=np.float32)))


def _positions(side: int) -> np.ndarray:
    """Where pixels lie along an axis from -1 to 1."""
    return ((np.arange(side) + 0.5) / side * 2 - 1).astype(np.float32)


def _unit(picture: np.ndarray) -> np.ndarray:
    """Mean 0, standard deviation 1."""
    picture = picture - picture.mean((1, 2), keepdims=True)
    return picture / (picture.std((1, 2), keepdims=True) + 1e-3)


def _halved(picture: np.ndarray) -> np.ndarray:
    return (picture[:, ::2, ::2] + picture[:, 1::2, ::2] + picture[:, ::2, 1::2] + picture[:, 1::2, 1::2]) / 4


def _smooth(picture: np.ndarray, times: int = 1) -> np.ndarray:
    """A quarter, a half and a quarter of three neighbours, along both axes, so many times."""
    matrix = _smoothing(picture.shape[1], times)
    return matrix @ picture @ matrix.T


@lru_cache(maxsize=16)
def _smoothing(side: int, times: int) -> np.ndarray:
    one = np.diag(np.full(side, 0.5)) + np.diag(np.full(side - 1, 0.25), 1) + np.diag(np.full(side - 1, 0.25), -1)
    one[0, 0] = one[-1, -1] = 0.75  # beyond the border lies what is at the border
    return np.linalg.matrix_power(one, times).astype(np.float32)


def _alike(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlation away from the border."""
    edge = round(_MARGIN * first.shape[1])
    one, two = (picture[:, edge:-edge, edge:-edge].reshape(len(picture), -1) for picture in (first, second))
    one, two = one - one.mean(1, keepdims=True), two - two.mean(1, keepdims=True)
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(two, axis=1)
    return (one * two).sum(1) / (norms + 1e-6)
