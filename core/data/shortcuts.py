"""Shortcuts: a table of pictures with plain measures in, classes that such a measure alone gives away out.

A model takes the easiest way: if all photos of one class were taken at night, it learns the night.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

ENOUGH = 8  # pictures in the class, and in all others together
GIVEN_AWAY = 0.92  # of the pairs of a picture of the class and one of another are told apart
CERTAIN = 0.85  # and at least this many when chance is allowed for
_DEVIATIONS = 1.64

# measure -> what pictures with more and with less of it are
TRAITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "brightness": ("brighter", "darker"),
        "colourfulness": ("more colourful", "greyer"),
        "warmth": ("redder", "bluer"),
        "sharpness": ("sharper", "more blurred"),
        "size": ("larger", "smaller"),
        "shape": ("wider", "narrower"),
    }
)


@dataclass(frozen=True)
class Shortcut:
    """One class that one measure gives away. `share`: of pairs with a picture of another class, told apart by it."""

    label: str
    measure: str
    share: float
    words: str


def shortcuts(table: pd.DataFrame) -> list[Shortcut]:
    """The shortcuts in a table with a column label and those of TRAITS, clearest first; one per class and measure.

    With two classes the same difference would be told twice: it is told of the first.
    """
    found = []
    labels = sorted(set(table["label"]))
    for label in labels[:1] if len(labels) == 2 else labels:
        inside = (table["label"] == label).to_numpy()
        for measure, (more, less) in TRAITS.items():
            share, error = told_apart(table[measure].to_numpy(dtype=float), inside)
            told = max(share, 1 - share)
            if told >= GIVEN_AWAY and told - _DEVIATIONS * error >= CERTAIN:
                trait = more if share > 0.5 else less
                words = (
                    f"The pictures of {label!r} are {trait} than the others in {told:.0%} of all comparisons. "
                    "A model may learn that instead of what they show."
                )
                found.append(Shortcut(label, measure, told, words))
    return sorted(found, key=lambda one: -one.share)


def told_apart(values: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """How often a value inside exceeds one outside (ties count half), and the standard error of that.

    This is the area under the ROC curve; its error follows Hanley and McNeil 1982. With fewer than ENOUGH values on
    either side, or none that differ, it is 0.5 and 0: nothing can be said.
    """
    known = np.isfinite(values)
    values, inside = values[known], inside[known]
    n, m = int(inside.sum()), int((~inside).sum())
    if min(n, m) < ENOUGH:
        return 0.5, 0.0
    ranks = pd.Series(values).rank().to_numpy()
    share = (ranks[inside].sum() - n * (n + 1) / 2) / (n * m)
    far = max(share, 1 - share)
    one, two = far / (2 - far), 2 * far**2 / (1 + far)
    variance = (far * (1 - far) + (n - 1) * (one - far**2) + (m - 1) * (two - far**2)) / (n * m)
    return float(share), float(np.sqrt(max(variance, 0.0)))
