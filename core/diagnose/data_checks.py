"""Checks of a data set before anybody trains on it: its table of items in, findings in words out.

`DATA_CHECKS` holds them in the order in which they are told; all that fire are told. A new check is one function, one
line there and one section of core/text/diagnostics.md.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from core.data.split import TRAIN, VALID, straddling
from core.diagnose.base import Check, Finding, climb
from core.train.words import counted

FEW = 10  # training pictures of a class
UNBALANCED = 10.0  # the largest class over the smallest
LUCK_NATS = 3.0  # how far the first batch of a fresh head may lie above what is to be expected
START_LOW = 0.1  # first loss over ln(classes)
TOLD_APART = (0.05, 0.10)  # error rates that an exam should tell apart
NAMED = 3


@dataclass(frozen=True)
class Pictures:
    """What the checks look at: pictures that count, and how many of each class are on each side, by name.

    `groups`: one value per row of `items`, the same for near-copies of one shot and None for a picture without any.
    """

    items: pd.DataFrame
    train: pd.Series
    valid: pd.Series
    groups: tuple[Hashable | None, ...] = ()

    @property
    def classes(self) -> list[str]:
        """Labels with at least one picture, in order."""
        return sorted(set(self.items["label"]))


def check_data(items: pd.DataFrame, *, near_copies: Sequence[Hashable | None] | None = None) -> list[Finding]:
    """Everything that speaks against training on a table of items as it is, in the order of `DATA_CHECKS`.

    `items` has the columns file (a hash), label, split ("train" or "valid") and status; rows that are not "kept" or lie
    on neither side do not count, and a table that lacks a column has no rows that do. `near_copies`: the groups that
    `core.data.copies` finds, one value per kept row, where somebody has looked. Never raises; the order of the rows
    changes nothing. An empty list says that nothing was found; "bad" is what cannot be trained on, or not be judged.
    """
    return list(climb(DATA_CHECKS, _pictures(items, near_copies)))


def _pictures(items: pd.DataFrame, near_copies: Sequence[Hashable | None] | None) -> Pictures:
    table = items.loc[:, ~items.columns.duplicated()].reindex(columns=["file", "label", "split", "status"])
    table = table[table["status"] == "kept"].drop(columns="status").reset_index(drop=True)
    counts = table.notna().all(axis=1) & table["split"].isin((TRAIN, VALID))
    groups = near_copies if near_copies is not None and len(near_copies) == len(table) else ()
    kept = table[counts].astype(str)
    sides = [kept[kept["split"] == side]["label"].value_counts().sort_index() for side in (TRAIN, VALID)]
    return Pictures(kept, sides[0], sides[1], tuple(groups[row] for row in kept.index) if len(groups) else ())


def check_start(loss: float, classes: int, *, goes_on: bool = False, dropout: float = 0.5) -> Finding | None:
    """The first batch's training loss (nats) against ln(classes), what knowing nothing costs.

    The scores of a fresh head of ours are about normal with a variance of 2 / (1 - dropout): batch norm and He's
    weights make the 2, and dropout scales up what it leaves. On average its loss is then at most
    ln(classes) + 1 / (1 - dropout). This fires 3 nats above that, for the luck of a small batch, and below a tenth of
    ln(classes). Not for a run that goes on from a checkpoint: that one has learned already.

    Measured on Lite0, first losses of 200 to 400 seeds each, lowest, median and highest:

    ==========================  ==========  ====  =======  ================  ================
    pictures                    ln(classes) batch dropout  measured          fires outside
    ==========================  ==========  ====  =======  ================  ================
    bears, 2 classes            0.69        16    0.5      0.33  1.28  2.61  0.07 and 5.69
    bears, 3 classes            1.10        64    0.5      1.32  2.01  2.94  0.11 and 6.10
    bears, 3 classes            1.10        12    0.5      0.83  1.96  4.07  0.11 and 6.10
    bears, 3 classes            1.10        12    0.95     1.17  5.24  10.6  0.11 and 24.1
    Fashion-MNIST, 10 classes   2.30        64    0        2.52  3.11  3.77  0.23 and 6.30
    Fashion-MNIST, 10 classes   2.30        64    0.5      3.00  3.75  4.53  0.23 and 7.30
    Fashion-MNIST, 10 classes   2.30        12    0.8      3.16  5.41  8.30  0.23 and 10.3
    ==========================  ==========  ====  =======  ================  ================
    """
    level = math.log(max(2, classes))
    highest = level + 1 / (1 - min(0.99, max(0.0, dropout))) + LUCK_NATS
    if goes_on or START_LOW * level <= loss <= highest:
        return None
    cost = f"cost {loss:.3g}" if math.isfinite(loss) else "had a loss that is no number"
    return Finding(
        "odd_start",
        "warning",
        "An odd start",
        f"The first batch {cost}; knowing nothing about {classes} classes costs {level:.2f}.",
        "A model that has not learned yet begins a little above that level. This one "
        + ("knew the answers before it began." if loss < level else "begins far above it."),
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
    """A class that is missing on one side, or all of them: it cannot be learned, or nobody sees whether it was."""
    unlearned = [label for label in seen.classes if label not in seen.train.index]
    unseen = [label for label in seen.classes if label not in seen.valid.index]
    if not (unlearned or unseen):
        return None
    everything = len(seen.classes)
    said = [
        f"Nothing to learn from{'' if len(unlearned) == everything else f' for {_listed(unlearned)}'}."
        if unlearned
        else "",
        f"Nothing in the exam{'' if len(unseen) == everything else f' of {_listed(unseen)}'}." if unseen else "",
    ]
    return Finding(
        "empty_side",
        "bad" if unlearned or len(unseen) == everything else "warning",
        "A class is missing on one side" if everything not in (len(unlearned), len(unseen)) else "One side is empty",
        " ".join(filter(None, said)),
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
    learned = set(seen.items.loc[seen.items["split"] == TRAIN, "file"])
    exam = seen.items.loc[seen.items["split"] == VALID, "file"]
    known = int(exam.isin(learned).sum())
    if not known:
        return None
    return Finding(
        "same_on_both_sides",
        "bad" if 2 * known >= len(exam) else "warning",
        "The exam knows its questions",
        f"{known:,} of {counted(len(exam), 'validation picture')} {'is' if known == 1 else 'are'} also among the "
        "training pictures.",
        "A picture that was learned says nothing about new ones: the error rate will look better than it is.",
        "Put each of them on one side, under Quality on the Explore page.",
    )


def near_on_both_sides(seen: Pictures) -> Finding | None:
    """Near-copies of one shot on both sides; the very same picture is for `same_on_both_sides`."""
    if not seen.groups:
        return None
    sides, files = list(seen.items["split"]), list(seen.items["file"])
    learned = {file for file, side in zip(files, sides, strict=True) if side == TRAIN}
    torn = straddling(sides, seen.groups).values()
    known = sum(sides[row] == VALID and files[row] not in learned for rows in torn for row in rows)
    if not known:
        return None
    return Finding(
        "near_on_both_sides",
        "warning",
        "The exam has seen its like",
        f"{counted(known, 'validation picture')} {'is' if known == 1 else 'are'} nearly the same as a training "
        "picture.",
        "A second shot of what was learned is an easy question: the error rate will look better than it is.",
        "Put each group on one side, under Quality on the Explore page.",
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
        "Choose which label stays, under Quality on the Explore page.",
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
        f"So 5 % wrong and 10 % wrong look alike: to tell them apart takes about {need}. With fewer, a difference of "
        "one or two pictures between two runs is luck.",
        "Count mistakes rather than per cent, and bring more pictures on the Build page when it matters.",
    )


def _listed(parts: list[str]) -> str:
    more = len(parts) - NAMED
    return ", ".join(parts[:NAMED]) + (f" and {more} more" if more > 0 else "")


DATA_CHECKS: Mapping[str, Check[Pictures]] = {
    "few_classes": few_classes,
    "empty_side": empty_side,
    "same_on_both_sides": same_on_both_sides,
    "near_on_both_sides": near_on_both_sides,
    "two_labels": two_labels,
    "small_class": small_class,
    "unbalanced": unbalanced,
    "small_exam": small_exam,
}
