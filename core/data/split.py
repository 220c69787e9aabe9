"""Splitting: labels and a seed in, "train" or "valid" for each picture out.

Near-copies of one shot stay on one side: a model that has seen a picture in training would look better than it is on
the copy. Such groups come in as one value per picture, None for pictures that stand alone.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Hashable, Sequence

from core.errors import DataError, SettingsError

TRAIN, VALID = "train", "valid"
Groups = Sequence[Hashable | None]
_Unit = tuple[int, ...]  # places that go to one side together


def stratified_split(
    labels: Sequence[str], *, valid_share: float, seed: int, groups: Groups | None = None
) -> list[str]:
    """A side, "train" or "valid", for each label: about `valid_share` of every class is set aside for validation.

    A class of n pictures gives max(1, round(n * valid_share)) of them, but always keeps one for training; a class
    with a single picture trains on it. Each class draws from a random state of its own, made from `seed` and the
    class's name: other classes, their order and the global random state change nothing. With `groups` the count is
    met as nearly as whole groups allow.
    `stratified_split(["cat"] * 5 + ["dog"] * 5, valid_share=0.2, seed=42)` sets one cat and one dog aside.
    """
    sides = fill_sides(labels, [""] * len(labels), valid_share=valid_share, seed=seed, groups=groups)
    if VALID not in sides:
        names = _named(sorted(set(labels)))
        what = "has a single picture" if groups is None else "has a single picture, or copies of one shot only"
        raise DataError(
            f"Every class {what} ({names}), so none is left for validation.",
            hint="Add pictures: two per class are the least, twenty are a good start.",
        )
    return sides


def fill_sides(
    labels: Sequence[str], sides: Sequence[str], *, valid_share: float, seed: int, groups: Groups | None = None
) -> list[str]:
    """`sides` with the empty ones ("") filled as `stratified_split` does; given sides stay.

    A group that has a member with a given side follows it; one whose members were given both sides binds no more.
    Each class comes as near to its share as its open pictures allow; nothing is raised when none can be set aside.
    """
    if not 0 < valid_share < 1:
        raise SettingsError(
            f"The validation share is {valid_share:g}; it must lie between 0 and 1.",
            hint="0.2 keeps every fifth picture for validation.",
        )
    draft = _Draft(labels, sides, groups if groups is not None else [None] * len(labels))
    for label in sorted(draft.places):
        members = draft.places[label]
        wanted = min(max(1, round(len(members) * valid_share)), len(members) - 1)
        missing = wanted - sum(draft.sides[place] == VALID for place in members)
        drawn_anew = not any(sides[place] for place in members)
        rng = random.Random(f"{seed}:{label}" if drawn_anew else f"{seed}:{label}:{len(members)}")
        draft.set_aside(label, missing, rng)
    if VALID not in draft.sides:
        draft.set_smallest_aside()
    return [side or TRAIN for side in draft.sides]


def gathered(labels: Sequence[str], sides: Sequence[str], groups: Groups) -> list[str]:
    """`sides` with groups that lie on both brought to the training side, as long as their classes keep validation."""
    moved = list(sides)
    left = Counter(label for label, side in zip(labels, sides, strict=True) if side == VALID)
    for places in straddling(sides, groups).values():
        leaving = Counter(labels[place] for place in places if sides[place] == VALID)
        if all(left[label] > count for label, count in leaving.items()):
            left -= leaving
            for place in places:
                moved[place] = TRAIN
    return moved


def side_changes(
    labels: Sequence[str], sides: Sequence[str], *, valid_share: float, seed: int, groups: Groups | None = None
) -> dict[int, str]:
    """Which pictures (their places) would change sides if all were drawn anew with this share and seed, and to where.

    Nothing is changed: it is the preview of a new split.
    """
    drawn = stratified_split(labels, valid_share=valid_share, seed=seed, groups=groups)
    return {place: new for place, (old, new) in enumerate(zip(sides, drawn, strict=True)) if old != new}


def binding(labels: Sequence[str], groups: Groups) -> tuple[list[Hashable | None], list[str]]:
    """The groups that can be kept together, and the classes for which one cannot.

    A group with more than half of a class's pictures would leave that class without a training or a validation side,
    as when all of them are frames of one film. It is dissolved, and its pictures are split like any others.
    """
    sizes = Counter(labels)
    shares = Counter((group, label) for group, label in zip(groups, labels, strict=True) if group is not None)
    broken = {group: label for (group, label), count in shares.items() if 2 * count > sizes[label] > 1}
    return [None if group in broken else group for group in groups], sorted(set(broken.values()))


def straddling(sides: Sequence[str], groups: Groups) -> dict[Hashable, list[int]]:
    """The groups that have members on both sides, with the places of all their members."""
    members = _members(groups)
    return {group: places for group, places in members.items() if len({sides[place] for place in places}) > 1}


def _members(groups: Groups) -> dict[Hashable, list[int]]:
    members: dict[Hashable, list[int]] = {}
    for place, group in enumerate(groups):
        if group is not None:
            members.setdefault(group, []).append(place)
    return members


class _Draft:
    """Sides while they are being filled. Open pictures stand in `units` that go to one side together."""

    def __init__(self, labels: Sequence[str], sides: Sequence[str], groups: Groups) -> None:
        self.labels = labels
        self.sides = list(sides)
        self.places: dict[str, list[int]] = {}
        for place, label in enumerate(labels):
            self.places.setdefault(label, []).append(place)
        members = _members(groups)
        torn = {group for group, places in members.items() if not self._follow(places)}
        groups = [None if group in torn else group for group in groups]
        self.units: dict[str, list[_Unit]] = {label: [] for label in self.places}
        for place, group in enumerate(groups):
            if not self.sides[place] and (group is None or members[group][0] == place):
                unit = (place,) if group is None else tuple(members[group])
                for label in dict.fromkeys(labels[place] for place in unit):
                    self.units[label].append(unit)
        # how many of each class are left for training
        self._left = Counter(label for label, side in zip(labels, self.sides, strict=True) if side != VALID)

    def _follow(self, places: Sequence[int]) -> bool:
        """Where some of a group have a side, the others follow; False when it lies on both sides already."""
        given = {self.sides[place] for place in places} - {""}
        if len(given) == 1:
            for place in places:
                self.sides[place] = next(iter(given))
        return len(given) < 2

    def set_aside(self, label: str, missing: int, rng: random.Random) -> None:
        """Give `missing` pictures of a class to validation, as nearly as whole units allow."""
        units = [unit for unit in self.units[label] if not self.sides[unit[0]]]
        if missing <= 0 or not units:
            return
        if all(len(unit) == 1 for unit in units):
            for unit in rng.sample(units, min(missing, len(units))):
                self._place(unit)
            return
        sizes = {unit: sum(self.labels[place] == label for place in unit) for unit in units}
        for unit in rng.sample(units, len(units)):
            if sizes[unit] <= missing and self._may_leave(unit):
                missing -= sizes[unit]
                self._place(unit)
        over = [unit for unit in units if not self.sides[unit[0]] and self._may_leave(unit)]
        smallest = min(over, key=sizes.__getitem__, default=())
        if smallest and self._is_better(label, sizes[smallest], missing):
            self._place(smallest)

    def _is_better(self, label: str, size: int, missing: int) -> bool:
        """Whether a unit that is larger than what is missing should be taken all the same."""
        places = self.places[label]
        nearer = size - missing < missing
        return nearer or (2 * size <= len(places) and not any(self.sides[place] == VALID for place in places))

    def set_smallest_aside(self) -> None:
        """One picture for validation is better than none, whatever the shares say."""
        units = sorted((unit for units in self.units.values() for unit in units), key=len)
        smallest = next((unit for unit in units if self._may_leave(unit)), ())
        self._place(smallest)

    def _place(self, unit: _Unit) -> None:
        for place in unit:
            self.sides[place] = VALID
            self._left[self.labels[place]] -= 1

    def _may_leave(self, unit: _Unit) -> bool:
        """Whether every class of this unit keeps a training picture without it."""
        gone = Counter(self.labels[place] for place in unit)
        return all(self._left[label] > count for label, count in gone.items())


def _named(labels: Sequence[str], most: int = 5) -> str:
    """A few names in quotes: 'cat', 'dog' and 3 more."""
    shown = ", ".join(repr(label) for label in labels[:most])
    return f"{shown} and {len(labels) - most} more" if len(labels) > most else shown or "no pictures at all"
