"""Splitting: labels and a seed in, "train" or "valid" for each picture out."""

from __future__ import annotations

import random
from collections.abc import Sequence

from core.errors import DataError, SettingsError


def stratified_split(labels: Sequence[str], *, valid_share: float, seed: int) -> list[str]:
    """A side, "train" or "valid", for each label: about `valid_share` of every class is set aside for validation.

    A class of n pictures gives max(1, round(n * valid_share)) of them, but always keeps one for training; a class
    with a single picture trains on it. Each class draws from a random state of its own, made from `seed` and the
    class's name: other classes, their order and the global random state change nothing.
    `stratified_split(["cat"] * 5 + ["dog"] * 5, valid_share=0.2, seed=42)` sets one cat and one dog aside.
    """
    if not 0 < valid_share < 1:
        raise SettingsError(
            f"The validation share is {valid_share:g}; it must lie between 0 and 1.",
            hint="0.2 keeps every fifth picture for validation.",
        )
    places: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    sides = ["train"] * len(labels)
    for label, members in places.items():
        count = min(max(1, round(len(members) * valid_share)), len(members) - 1)
        for place in random.Random(f"{seed}:{label}").sample(members, count):
            sides[place] = "valid"
    if "valid" not in sides:
        raise DataError(
            f"Every class has a single picture ({_named(sorted(places))}), so none is left for validation.",
            hint="Add pictures: two per class are the least, twenty are a good start.",
        )
    return sides


def _named(labels: Sequence[str], most: int = 5) -> str:
    """A few names in quotes: 'cat', 'dog' and 3 more."""
    shown = ", ".join(repr(label) for label in labels[:most])
    return f"{shown} and {len(labels) - most} more" if len(labels) > most else shown or "no pictures at all"


def fill_sides(labels: Sequence[str], sides: Sequence[str], *, valid_share: float, seed: int) -> list[str]:
    """Sides with the empty ones ("") filled: each class comes as near to `valid_share` as its new pictures allow."""
    filled = list(sides)
    for label in dict.fromkeys(labels):
        members = [place for place, name in enumerate(labels) if name == label]
        open_places = [place for place in members if not sides[place]]
        wanted = min(max(1, round(len(members) * valid_share)), len(members) - 1)
        missing = max(0, wanted - sum(sides[place] == "valid" for place in members))
        chosen = random.Random(f"{seed}:{label}:{len(members)}").sample(open_places, min(missing, len(open_places)))
        for place in open_places:
            filled[place] = "valid" if place in chosen else "train"
    return filled
