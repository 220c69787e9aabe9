"""Checks of a data set before anybody trains on it: its table of items in, findings in words out.

`DATA_CHECKS` holds them in the order in which they are told; all that fire are told. A new check is one function, one
line there and one section of core/text/diagnostics.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from core.diagnose.base import Check, Finding, climb
from core.train.words import counted

FEW = 10  # training pictures of a class
UNBALANCED = 10.0  # the largest class over the smallest
START_HIGH, START_LOW = 4.0, 0.2  # first loss over ln(classes); fresh heads of ours begin at 1.1 to 2.2 times
TOLD_APART = (0.05, 0.10)  # error rates that an exam should tell apart
NAMED = 3


@dataclass(frozen=True)
class Pictures:
    """What the checks look at: pictures that count, and how many of each class are on each side."""

    items: pd.DataFrame
    train: pd.Series
    valid: pd.Series

    @property
    def classes(self) -> list[str]:
        """Labels with at least one picture, in order."""
        return sorted(set(self.items["label"]))


def check_data(items: pd.DataFrame) -> list[Finding]:
    """Everything that speaks against training on a table of items as it is, the worst first within each check's turn.

    `items` has the columns file (a hash), label, split ("train" or "valid") and status; rows that are not "kept" do
    not count. An empty list says that nothing was found.
    """
    kept = items[items["status"] == "kept"]
    sides = [kept[kept["split"] == side]["label"].value_counts() for side in ("train", "valid")]
    return list(climb(DATA_CHECKS, Pictures(kept, *sides)))


def check_start(loss: float, classes: int, *, goes_on: bool = False) -> Finding | None:
    """The first batch's loss (nats) against ln(classes), what knowing nothing costs.

    A head that has never learned cannot be far from it. A run that goes on from a checkpoint has learned already.
    """
    level = math.log(max(2, classes))
    if goes_on or (math.isfinite(loss) and START_LOW * level <= loss <= START_HIGH * level):
        return None
    much = "far above" if not loss < level else "far below"
    return Finding(
        "odd_start",
        "warning",
        "An odd start",
        f"The first batch cost {loss:.3g}; knowing nothing about {classes} classes costs {level:.2f}.",
        f"A model that has not learned yet should begin near that level, and this one begins {much} it.",
        "Look at a batch of pictures with their labels on the Explore page, and start from fresh weights.",
    )


def needed_for_exam(low: float = TOLD_APART[0], high: float = TOLD_APART[1]) -> int:
    """Pictures with which two error rates lie two standard errors of their difference apart.

    n = 4 (p1 (1 - p1) + p2 (1 - p2)) / (p2 - p1)^2, the usual formula of two proportions: 220 for 5 and 10 %.
    """
    return round(4 * (low * (1 - low) + high * (1 - high)) / (high - low) ** 2)


def few_classes(seen: Pictures) -> Finding | None:
    """Fewer than two classes: there is nothing to tell apart."""
    if len(seen.classes) >= 2:
        return None
    found = f"only {seen.classes[0]}" if seen.classes else "none"
    return Finding(
        "few_classes",
        "bad",
        "Two classes are needed",
        f"Classes with pictures: {found}.",
        "A classifier learns what tells classes apart.",
        "Bring pictures of another class on the Build page.",
    )


def empty_side(seen: Pictures) -> Finding | None:
    """A class that is missing on one side: it cannot be learned, or nobody sees whether it was."""
    lacking = [(label, side) for side, found in (("training", seen.train), ("validation", seen.valid))
               for label in seen.classes if found.get(label, 0) == 0]  # fmt: skip
    if not lacking:
        return None
    named = _listed([f"{label} has no {side} picture" for label, side in lacking])
    return Finding(
        "empty_side",
        "bad" if any(side == "training" for _, side in lacking) else "warning",
        "A class is missing on one side",
        f"{named}.",
        "What has no training picture cannot be learned; what has no validation picture is never examined.",
        "Bring more pictures of it, or split anew, on the Build page.",
    )


def small_class(seen: Pictures) -> Finding | None:
    """A class with so few training pictures that it is hardly learned."""
    small = {label: int(seen.train.get(label, 0)) for label in seen.classes if 0 < seen.train.get(label, 0) < FEW}
    if not small:
        return None
    named = [f"{label} has {counted(count, 'training picture')}" for label, count in small.items()]
    return Finding(
        "small_class",
        "warning",
        "A class with few pictures",
        f"{_listed(named)}.",
        f"With fewer than {FEW} a model learns those pictures rather than what they show.",
        "Bring more pictures of it on the Build page; 30 make a great difference.",
    )


def unbalanced(seen: Pictures) -> Finding | None:
    """One class has many times the pictures of another."""
    counts = seen.train[seen.train > 0]
    if len(counts) < 2 or counts.max() < UNBALANCED * counts.min():
        return None
    most, least = str(counts.idxmax()), str(counts.idxmin())
    return Finding(
        "unbalanced",
        "note",
        "Classes of very different size",
        f"{most} has {counts.max():,} training pictures, {least} {counts.min():,}: {counts.max() / counts.min():.0f} "
        "times as many.",
        f"Often this does no harm. But always answering {most} would already be right in most cases, so look at each "
        "class for itself.",
        "Train as it is first. Then try to weight the classes, or bring more pictures of the small one.",
    )


def same_on_both_sides(seen: Pictures) -> Finding | None:
    """The same picture is learned and asked for in the exam."""
    sides = seen.items.groupby("file")["split"].nunique()
    both = int((sides > 1).sum())
    if not both:
        return None
    return Finding(
        "same_on_both_sides",
        "bad",
        "The exam knows its questions",
        f"{counted(both, 'picture')} {'is' if both == 1 else 'are'} both among the training and the validation "
        "pictures.",
        "A picture that was learned says nothing about new ones: the error rate will look better than it is.",
        "Delete the twins on the Clean page, or split anew on the Build page.",
    )


def two_labels(seen: Pictures) -> Finding | None:
    """The same picture stands under two labels."""
    labels = seen.items.groupby("file")["label"].nunique()
    double = int((labels > 1).sum())
    if not double:
        return None
    return Finding(
        "two_labels",
        "warning",
        "One picture, two labels",
        f"{counted(double, 'picture')} {'stands' if double == 1 else 'stand'} under two classes.",
        "At least one of the two is wrong, and the model is told both.",
        "Decide for one of them on the Clean page.",
    )


def small_exam(seen: Pictures) -> Finding | None:
    """So few validation pictures that 5 % wrong and 10 % wrong look alike."""
    count, need = int(seen.valid.sum()), needed_for_exam()
    if not 0 < count < need:
        return None
    return Finding(
        "small_exam",
        "note",
        "A small exam",
        f"With {counted(count, 'validation picture')} one mistake is {100 / count:.1f} %.",
        f"To tell 5 % wrong from 10 % wrong takes about {need}. With fewer, a difference of one or two pictures "
        "between two runs is luck.",
        "Count mistakes rather than per cent, and bring more pictures on the Build page when it matters.",
    )


def _listed(parts: list[str]) -> str:
    more = len(parts) - NAMED
    return ", ".join(parts[:NAMED]) + (f" and {more} more" if more > 0 else "")


DATA_CHECKS: Mapping[str, Check[Pictures]] = {
    "few_classes": few_classes,
    "empty_side": empty_side,
    "same_on_both_sides": same_on_both_sides,
    "two_labels": two_labels,
    "small_class": small_class,
    "unbalanced": unbalanced,
    "small_exam": small_exam,
}
