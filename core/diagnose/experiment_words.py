"""What came of an experiment about data: its points in; plain sentences with the measured numbers out.

Two groups of trainings are told apart by more than BAR_PICTURES pictures and more than BAR_ERRORS standard errors of
the difference. That error has two parts: the exam has only so many pictures (binomial), and the seeds differ.
Class names stand in the sentences as they are: whoever shows them makes them safe.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from core.train.experiment_point import ExperimentPoint

BAR_PICTURES, BAR_ERRORS = 2, 2
NOT_YET = "There is nothing to compare yet."


@dataclass(frozen=True)
class Count:
    """How many of `of` pictures, in each of some trainings that differ only in their seed."""

    counts: tuple[int, ...]
    of: int

    @property
    def mean(self) -> float:
        """The mean count of pictures."""
        return fmean(self.counts)

    @property
    def error(self) -> float:
        """The standard error of the mean in pictures: of an exam with `of` pictures, and of the seeds."""
        share = self.mean / self.of
        seeds = variance(self.counts) / len(self.counts) if len(self.counts) > 1 else 0.0
        return math.sqrt(self.of * share * (1 - share) + seeds)

    def __str__(self) -> str:
        low, high = min(self.counts), max(self.counts)
        spread = f" ({low} to {high})" if low < high else ""
        return f"{_number(self.mean)} of {self.of}{spread}"


def bar(one: Count, other: Count) -> float:
    """The difference in pictures that chance alone may well make; only more than that counts as one."""
    return max(float(BAR_PICTURES), BAR_ERRORS * math.hypot(one.error, other.error))


def told_apart(before: Count, after: Count) -> int:
    """1 when `after` has more pictures than `before` beyond chance, -1 when it has fewer, 0 when they are alike."""
    change = after.mean - before.mean
    return 0 if abs(change) <= bar(before, after) else int(math.copysign(1, change))


def summary(name: str, points: Sequence[ExperimentPoint]) -> list[str]:
    """Sentences about the points of one of EXPERIMENTS, as many as there are; one sentence where they say nothing yet.

    KeyError for a name that is none of theirs.
    """
    return _SUMMARIES[name](points) or [NOT_YET]


def _size(points: Sequence[ExperimentPoint]) -> list[str]:
    values = sorted({point.value for point in points})
    if len(values) < 2:
        return []
    counts = {value: _wrong(points, value=value) for value in values}
    least, half, most = counts[values[0]], counts[values[-2]], counts[values[-1]]
    seen = (
        f"With {_share(values[0])} of the training pictures, {least} were wrong in the exam; "
        f"with {_share(values[-1])}, {most}."
    )
    verdict = {
        -1: "More pictures helped.",
        0: f"No difference shown: {_chance(least, most)}. More pictures may help too little to be seen in this exam.",
        1: "More pictures made it worse here. Look for wrong labels among them, or train for more epochs.",
    }[told_apart(least, most)]
    if told_apart(least, most) >= 0 or len(values) == 2:
        return [seen, verdict]
    step = f"From {_share(values[-2])} to {_share(values[-1])} it went from {half} to {most}"
    goes_on = {
        -1: f"{step}: it was still getting better, so yet more pictures are likely to help.",
        0: f"{step}: no difference shown, as {_chance(half, most)}. Yet more pictures may help little.",
        1: f"{step}: the last ones made it worse. Look for wrong labels among them.",
    }[told_apart(half, most)]
    return [seen, verdict, goes_on]


def _noise(points: Sequence[ExperimentPoint]) -> list[str]:
    said = []
    values = sorted({point.value for point in points if point.group == "random"})
    if len(values) > 1:
        said += _survived({value: _wrong(points, "random", value) for value in values})
    both = [value for value in values if value > 0 and _has(points, "biased", value)]
    if both:
        fair = [value for value in both if _changed(points, "random", value) == _changed(points, "biased", value)]
        said += _biased(points, max(fair) if fair else min(both))
    return said


def _survived(counts: Mapping[float, Count]) -> list[str]:
    """How much random noise the training took, from no noise (or the least that was tried) up."""
    values = list(counts)
    clean, noisiest = counts[values[0]], counts[values[-1]]
    seen = (
        f"With {_labels(values[0])} wrong at random, {clean} were wrong in the exam; with {_labels(values[-1])}, "
        f"{noisiest}."
    )
    worse = [value for value in values[1:] if told_apart(clean, counts[value]) > 0]
    if not worse:
        return [seen, f"The training survived it: no amount did harm that shows, as {_chance(clean, noisiest)}."]
    first = worse[0]
    before = values[values.index(first) - 1]
    if before == values[0]:
        return [seen, f"Already {_labels(first)} wrong did harm: {counts[first]} instead of {clean}."]
    return [
        seen,
        f"Up to {_labels(before)} wrong it survived: no difference shown. From {_labels(first)} on it did harm: "
        f"{counts[first]} instead of {clean}.",
    ]


def _biased(points: Sequence[ExperimentPoint], value: float) -> list[str]:
    random, biased = _wrong(points, "random", value), _wrong(points, "biased", value)
    one = next(point for point in points if (point.group, point.value) == ("biased", value))
    source, target = one.classes
    amount, other = _changed(points, "random", value), one.changed
    lead = f"With {amount} of {one.train} labels wrong at random, {random} were wrong in the exam; with "
    same = "as many, all of them" if amount == other else f"{other}, all of them"
    seen = f"{lead}{same} {source} called {target}, {biased}."
    verdict = {
        1: "Mistakes that all point one way did more harm than the same kind of mistakes scattered.",
        0: f"The two are not told apart: {_chance(random, biased)}.",
        -1: "Here the scattered mistakes did more harm than those that all point one way.",
    }[told_apart(random, biased)]
    return [seen, verdict]


def _balance(points: Sequence[ExperimentPoint]) -> list[str]:
    alone = [point for point in points if point.group == "left alone"]
    if not alone or not alone[0].thin_of:
        return []
    thin = alone[0].classes[0]
    found = _found(alone)
    said = [f"Of the exam's pictures of {thin}, which kept {alone[0].changed} training pictures, {found} were found."]
    for group, verb in (("weighted", "Weighting"), ("oversampled", "Oversampling")):
        tried = [point for point in points if point.group == group]
        if tried:
            said.append(_helped(verb, thin, found, _found(tried)))
            said += _price(verb, _wrong(alone), _wrong(tried))
    return said


def _helped(verb: str, thin: str, before: Count, after: Count) -> str:
    return {
        1: f"{verb} helped {thin}: {after} found instead of {before}.",
        0: f"{verb}, it was {after}: no difference shown, as {_chance(before, after)}.",
        -1: f"{verb} harmed {thin}: {after} found instead of {before}.",
    }[told_apart(before, after)]


def _price(verb: str, before: Count, after: Count) -> list[str]:
    """What it did to the exam as a whole, where that shows."""
    change = told_apart(before, after)
    if not change:
        return []
    better = "fewer" if change < 0 else "more"
    return [f"{verb} left {better} wrong over all classes: {after} instead of {before}."]


_SUMMARIES: Mapping[str, Callable[[Sequence[ExperimentPoint]], list[str]]] = {
    "size": _size,
    "noise": _noise,
    "balance": _balance,
}


def _wrong(points: Sequence[ExperimentPoint], group: str | None = None, value: float | None = None) -> Count:
    """How many were wrong in the trainings of a group (of all groups) at a value (at all values)."""
    some = [point for point in points if group in (None, point.group) and value in (None, point.value)]
    return Count(tuple(point.wrong for point in some), some[0].of)


def _found(points: Sequence[ExperimentPoint]) -> Count:
    """How many pictures of the thinned class were recognised."""
    return Count(tuple(round((point.thin_recall or 0.0) * point.thin_of) for point in points), points[0].thin_of)


def _has(points: Sequence[ExperimentPoint], group: str, value: float) -> bool:
    return any((point.group, point.value) == (group, value) for point in points)


def _changed(points: Sequence[ExperimentPoint], group: str, value: float) -> int:
    return next(point.changed for point in points if (point.group, point.value) == (group, value))


def _chance(one: Count, other: Count) -> str:
    difference = abs(one.mean - other.mean)
    bound = _number(bar(one, other))
    return f"they differ by {_number(difference)} of {one.of} pictures, and chance alone can make up to {bound}"


def _share(value: float) -> str:
    return "all" if value == 1 else f"{100 * value:g} %"


def _labels(value: float) -> str:
    return "no label" if value == 0 else f"{100 * value:g} % of the labels"


def _number(value: float) -> str:
    """A mean count with at most one decimal: 18.0 -> "18", 7.333 -> "7.3"."""
    return f"{round(value, 1):g}"
