"""Experiments about data: an items table in, the table that one training of an experiment learns from out.

Only training rows are ever changed, so that every training of an experiment sits the same true exam. What is drawn is
drawn by a seed alone: a smaller share is part of every larger one, and so are the labels that are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import TrainError

SEEDS = (0, 1, 2)
THIN_TO, THIN_MIN = 0.1, 2  # the thinned class keeps this share of its training pictures, and at least so many
BALANCE_OF: Mapping[str, str] = {"left alone": "none", "weighted": "weights", "oversampled": "oversample"}


@dataclass(frozen=True)
class Setup:
    """What one training of an experiment is asked for: a group, a value on the axis, and a seed."""

    group: str
    value: float
    seed: int


@dataclass(frozen=True)
class Changed:
    """A table to train on, and what was done to it; see ExperimentPoint for `changed` and `classes`.

    `share` of the training pictures of each class are used, see TrainSettings.train_share.
    """

    items: pd.DataFrame
    changed: int = 0
    classes: tuple[str, ...] = ()
    share: float = 1.0


@dataclass(frozen=True)
class Experiment:
    """Trainings that differ in one thing. `axis` names the values with their unit.

    `groups` are compared at every one of `values`, each with every one of `seeds`; `change` makes their tables.
    """

    name: str
    title: str
    axis: str
    groups: tuple[str, ...]
    values: tuple[float, ...]
    change: Callable[[pd.DataFrame, Setup], Changed]
    seeds: tuple[int, ...] = SEEDS

    @property
    def setups(self) -> tuple[Setup, ...]:
        """All trainings, the whole axis with one seed before the next seed: a chart of them is soon complete."""
        return tuple(Setup(group, value, seed) for seed in self.seeds for value in self.values for group in self.groups)


def share_alone(items: pd.DataFrame, setup: Setup) -> Changed:
    """The table as it is, to be trained on a share of: with one seed, the smaller shares lie in the larger ones."""
    _rows_of_classes(items)
    return Changed(items, share=setup.value)


def wrong_labels(items: pd.DataFrame, setup: Setup) -> Changed:
    """A share (0..1) of all training labels made wrong, in one of two ways.

    "random": each label may become any other class. "biased": pictures of the largest class are all called the next
    largest one; as many as in the random case, but no more than there are. One picture of each class keeps its label,
    as no class can be examined that nobody has shown.
    """
    rows = _rows_of_classes(items)
    names = list(rows)
    rng = np.random.default_rng((setup.seed, 1))
    free = {label: rng.permutation(rows[label])[1:] for label in names}
    wanted = round(setup.value * sum(len(some) for some in rows.values()))
    labels = items["label"].copy()
    if setup.group == "biased":
        source, target = sorted(names, key=lambda label: (-len(rows[label]), label))[:2]
        changed = free[source][:wanted]
        labels.loc[changed] = target
        return Changed(items.assign(label=labels), len(changed), (source, target))
    order = rng.permutation(np.concatenate(list(free.values())))
    steps = rng.integers(1, len(names), size=len(order))  # so many classes further on: never the true one
    changed = order[:wanted]
    places = np.searchsorted(names, labels.loc[changed].to_numpy(dtype=str))
    labels.loc[changed] = np.array(names, dtype=object)[(places + steps[:wanted]) % len(names)]
    return Changed(items.assign(label=labels), len(changed))


def thinned(items: pd.DataFrame, setup: Setup) -> Changed:
    """One class with a share (0..1) of its training rows, at least THIN_MIN: the class that has most of them.

    TrainError when no class has more than THIN_MIN training pictures and some for validation.
    """
    examined = set(items.loc[items["split"] == "valid", "label"])
    rows = {label: some for label, some in _rows_of_classes(items).items() if label in examined}
    largest = max(sorted(rows), key=lambda label: len(rows[label]), default="")
    most = len(rows.get(largest, ()))
    if most <= THIN_MIN:
        raise TrainError(
            f"The largest class has {most} training pictures; to be thinned, it needs at least {THIN_MIN + 1}.",
            hint="Bring more pictures of one class.",
        )
    kept = max(THIN_MIN, round(setup.value * most))
    gone = np.random.default_rng((setup.seed, 2)).permutation(rows[largest])[kept:]
    return Changed(items.drop(index=gone), kept, (largest,))


def _rows_of_classes(items: pd.DataFrame) -> dict[str, np.ndarray]:
    """The index labels of the training rows of each class, by class name; TrainError for fewer than two classes."""
    train = items[items["split"] == "train"]
    rows = {str(label): some.index.to_numpy() for label, some in train.groupby("label", sort=True)}
    if len(rows) < 2:
        raise TrainError(
            f"There are training pictures of {len(rows)} class; an experiment needs at least 2 classes.",
            hint="Add pictures of another class.",
        )
    return rows


def _registry(*experiments: Experiment) -> Mapping[str, Experiment]:
    return {one.name: one for one in experiments}


EXPERIMENTS: Mapping[str, Experiment] = _registry(
    Experiment(
        name="size",
        title="How much do more pictures help?",
        axis="training pictures used (%)",
        groups=("training pictures",),
        values=(0.1, 0.25, 0.5, 1.0),
        change=share_alone,
    ),
    Experiment(
        name="noise",
        title="How much do wrong labels harm?",
        axis="training labels that are wrong (%)",
        groups=("random", "biased"),
        values=(0.0, 0.1, 0.2, 0.3, 0.4),
        change=wrong_labels,
    ),
    Experiment(
        name="balance",
        title="What helps a class with few pictures?",
        axis="thinned class: 10 % of its training pictures, or 2",
        groups=tuple(BALANCE_OF),
        values=(THIN_TO,),
        change=thinned,
    ),
)
