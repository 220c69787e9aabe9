"""Whether a model is as sure as it is right: the probabilities of its answers, and which were right, in; counts out.

No torch: pages read these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True)
class Bin:
    """The answers whose probability lies from `low` to `high`. `sure` is their mean probability, `right` the share of
    right ones, both 0..1 and None where there is no answer.
    """

    low: float
    high: float
    count: int
    sure: float | None
    right: float | None


@dataclass(frozen=True)
class Kept:
    """What is left when answers below `threshold` are "not sure": of `of` pictures `answered`, and `wrong` of those."""

    threshold: float
    answered: int
    wrong: int
    of: int

    @property
    def coverage(self) -> float:
        """The share of pictures that get an answer, 0..1."""
        return self.answered / self.of if self.of else 0.0

    @property
    def error(self) -> float:
        """The share of wrong answers among those that are given, 0..1; 0 where none is given."""
        return self.wrong / self.answered if self.answered else 0.0


def reliability(sure: Sequence[float], right: Sequence[bool], bins: int = BINS) -> tuple[Bin, ...]:
    """Answers in `bins` equal steps of probability, an upper edge belonging to the step below it.

    The diagram of DeGroot and Fienberg (1983): where the model is as sure as it is right, both are equal in every bin.
    """
    probs, hits = np.asarray(sure, dtype=float), np.asarray(right, dtype=bool)
    place = np.clip(np.ceil(probs * bins).astype(int) - 1, 0, bins - 1)
    return tuple(_bin(number, bins, probs[place == number], hits[place == number]) for number in range(bins))


def _bin(number: int, bins: int, probs: np.ndarray, hits: np.ndarray) -> Bin:
    edges = number / bins, (number + 1) / bins
    if not len(probs):
        return Bin(*edges, 0, None, None)
    return Bin(*edges, len(probs), float(probs.mean()), float(hits.mean()))


def calibration_error(found: Sequence[Bin]) -> float:
    """How far sureness and share of right answers lie apart, on average over the answers, 0..1; 0 without any.

    The expected calibration error of Guo et al. (arXiv:1706.04599): each bin's distance, weighted by its answers.
    """
    total = sum(one.count for one in found)
    apart = sum(
        one.count * abs(one.sure - one.right) for one in found if one.sure is not None and one.right is not None
    )
    return apart / total if total else 0.0


def kept_above(sure: Sequence[float], right: Sequence[bool], threshold: float) -> Kept:
    """What is left when every answer with a probability below `threshold` is "not sure"."""
    probs, hits = np.asarray(sure, dtype=float), np.asarray(right, dtype=bool)
    given = probs >= threshold
    return Kept(threshold, int(given.sum()), int((given & ~hits).sum()), len(probs))


def threshold_curve(sure: Sequence[float], right: Sequence[bool], steps: int = 100) -> tuple[Kept, ...]:
    """`kept_above` for thresholds from 0 to 1 in equal steps, in order."""
    probs, hits = np.asarray(sure, dtype=float), np.asarray(right, dtype=bool)
    order = np.argsort(probs, kind="stable")
    wrong_from = np.append(np.cumsum((~hits[order])[::-1])[::-1], 0)
    thresholds = np.arange(steps + 1) / steps
    first = np.searchsorted(probs[order], thresholds, side="left")
    return tuple(
        Kept(float(threshold), len(probs) - int(place), int(wrong_from[place]), len(probs))
        for threshold, place in zip(thresholds, first, strict=True)
    )
