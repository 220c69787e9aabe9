"""What became of a descent: a path in; arrived, crawled, swung or flew off out, with the numbers that say so. No torch.

Everything is read from the path alone, on the loss of all points, so that a batch's luck does not decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

KINDS = ("converge", "crawl", "zigzag", "diverge")
ARRIVED = 0.02  # of the way down is left, at most
GROWN = 1.5  # times as far above the bottom as at the start: it climbs
SWINGS = 3  # so many visible half swings are a zig-zag; one or two are a step that was a little long
VISIBLE = 0.08  # of the way from the start to the bottom: what an eye sees as a swing
SMALL, NEAR = 0.05, 0.5  # a start (nearly) at the bottom is measured against this share of the loss, this distance
TAIL = 0.1  # of the steps, at the end: their median is where it ended


@dataclass(frozen=True)
class Verdict:
    """`left` is the share of the way down that is left at the end, `swings` how often it visibly crossed the valley."""

    kind: str
    left: float
    swings: int
    end: float
    best: float


def judge(a: np.ndarray, loss: np.ndarray, bottom: np.ndarray, best: float, axes: np.ndarray, lost: bool) -> Verdict:
    """The verdict on places a (K + 1, 2) and their losses (K + 1,).

    `bottom` (2,) is the best place and `best` its loss; the columns of `axes` (2, 2) are the two directions of the
    bowl, along which swings are counted. `lost`: the loss went out of sight.
    """
    excess = np.maximum(loss - best, 0.0)
    start = max(float(excess[0]), SMALL * best, 1e-12)
    end = float(np.median(excess[-max(1, int(TAIL * len(excess))) :]))
    swings = max(half_swings((a - bottom) @ axes[:, i], _visible(a[0] - bottom)) for i in (0, 1))
    return Verdict(_kind(end / start, swings, lost), end / start, swings, float(loss[-1]), best)


def _visible(way: np.ndarray) -> float:
    return VISIBLE * max(float(np.hypot(*way)), NEAR)


def _kind(left: float, swings: int, lost: bool) -> str:
    if lost or left > GROWN:
        return "diverge"
    if swings >= SWINGS:
        return "zigzag"
    return "converge" if left <= ARRIVED else "crawl"


def half_swings(along: np.ndarray, visible: float) -> int:
    """How many times a coordinate (K,) changes side between stretches that each get further out than `visible`.

    `half_swings([1, -1, 1], 0.5) -> 2`; `[1, -0.1, 1]` has none.
    """
    sides = np.sign(along[np.abs(along) > visible])
    return int(np.count_nonzero(np.diff(sides)))


def limit_of(rule: str, momentum: float, steepest: float) -> float | None:
    """The rate above which this rule leaves a bowl whose largest curvature is `steepest`; None: it has no fixed one.

    Plain descent 2 / steepest; momentum b 2 (1 + b) / steepest (Polyak 1964); looking ahead 2 (1 + b) / ((1 + 2 b)
    steepest), from the roots of r² - (1 + b)(1 - s) r + b (1 - s) with s = rate times steepest. All points at once.
    """
    if steepest <= 0:
        return None
    if rule == "sgd":
        return 2 / steepest
    if rule == "momentum":
        return 2 * (1 + momentum) / steepest
    if rule == "nesterov":
        return 2 * (1 + momentum) / ((1 + 2 * momentum) * steepest)
    return None
