"""What two runs have in common: settings and epoch tables in; differences in words and whether they are the same out.

A sentence speaks of the second run and says "instead of" the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from core.settings import Stage, TrainSettings, from_record
from core.train.aspects import RUN, STAGE, checkpoint_words, stage_words, tags
from core.train.events import History, Started
from core.train.recipes import RECIPES
from core.train.runs import Run

Likeness = Literal["identical", "so_far", "other_numbers", "no_numbers", "different"]
SPEED = ("seconds", "images_per_s")  # how fast it went says nothing about what was learned
MISTAKES = "mistakes.csv"  # in a run's folder: what it learned from
VERSION_SHOWN = 6  # hexadecimal digits
_Change = tuple[str, str, str]  # the name of an aspect, what it was and what it is


@dataclass(frozen=True)
class Setup:
    """All that decides the numbers of a run, and what its recipe is called.

    `version` is that of the data, `start` another run and its file that this one goes on from, `mistakes` a hash of the
    set of mistakes where a stage learns from it.
    """

    settings: TrainSettings
    dataset: str = ""
    version: str = ""
    start: tuple[str, str] | None = None
    preset: str = ""
    mistakes: str = ""


@dataclass(frozen=True)
class Fingerprint:
    """A run in a few digits: one hash of what decides its numbers, and one of each of its epochs."""

    setup: str
    epochs: tuple[str, ...] = ()


def setup_of(run: Run, history: History) -> Setup:
    """What a training run was asked for, and the version of the data that it found."""
    started, start = history.last(Started.kind), run.request.get("start")
    version = started.version if isinstance(started, Started) else run.request.get("version")
    settings, pinned = from_record(run.request["settings"]), run.path / MISTAKES
    learned = pinned.is_file() and any(stage.data == "mistakes" for stage in settings.stages)
    return Setup(
        settings=settings,
        dataset=str(run.request.get("dataset", "")),
        version=str(version or ""),
        start=(start["run"], start["file"]) if start else None,
        preset=str(run.request.get("preset", "")),
        mistakes=hashlib.sha256(pinned.read_bytes()).hexdigest() if learned else "",
    )


def between(a: Setup, b: Setup, *, names: Mapping[str, str] | None = None) -> list[str]:
    """Everything that the second run does otherwise, one sentence each; data and start come first, then the settings.

    `names` has those of data sets and runs by their id.
    """
    said, settings = [], differences(a.settings, b.settings)
    if a.version != b.version:
        said.append(_data(a, b, names or {}))
    if a.mistakes and b.mistakes and a.mistakes != b.mistakes:
        said.append("It learned from another set of mistakes.")
    if a.start != b.start:
        said.append(_start(a.start, b.start, names or {}))
    if a.preset != b.preset and settings:
        said.append(f"It follows {_recipe(b.preset)} instead of {_recipe(a.preset)}.")
    return [*said, *settings]


def _data(a: Setup, b: Setup, names: Mapping[str, str]) -> str:
    now, was = (setup.version[:VERSION_SHOWN] or "not known yet" for setup in (b, a))
    if a.dataset == b.dataset:
        return f"It learned from another version of the data: {now} instead of {was}."
    other, first = (names.get(setup.dataset, "another data set") for setup in (b, a))
    return f"It learned from {other} ({now}) instead of {first} ({was})."


def _start(was: tuple[str, str] | None, now: tuple[str, str] | None, names: Mapping[str, str]) -> str:
    from_now, from_was = (
        start and f"{names.get(start[0], 'another run')} ({checkpoint_words(start[1])})" for start in (now, was)
    )
    if from_now is None:
        return f"It starts anew instead of going on from {from_was}."
    return f"It goes on from {from_now} instead of {from_was or 'starting anew'}."


def _recipe(preset: str) -> str:
    return f"the recipe “{RECIPES[preset].title}”" if preset in RECIPES else "stages of its own"


def differences(a: TrainSettings, b: TrainSettings) -> list[str]:
    """What the second settings say otherwise, stage by stage, one sentence each; [] when they train alike.

    Where every stage changes in the same way, one sentence says so; a stage that only one of them has is told as a
    whole. `differences(TrainSettings(), TrainSettings(seed=7)) -> ["It has the seed 7 instead of 42."]`
    """
    changes = [_changes(first, second) for first, second in zip(a.resolved, b.resolved, strict=False)]
    same_length = len(a.stages) == len(b.stages)
    shared = [one for one in changes[0] if same_length and all(one in other for other in changes)]
    said = _said("It", [_change(name, a, b) for name in RUN if RUN[name].value(a) != RUN[name].value(b)])
    said += _said("It" if len(changes) == 1 else "Every stage", shared)
    for place, change in enumerate(changes, start=1):
        said += _said(f"Stage {place}", [one for one in change if one not in shared])
    said += [
        f"It has a stage {place}: {stage_words(b.resolved[place - 1])}."
        for place in range(len(changes) + 1, len(b.stages) + 1)
    ]
    said += [
        f"It has no stage {place}, which was: {stage_words(a.resolved[place - 1])}."
        for place in range(len(changes) + 1, len(a.stages) + 1)
    ]
    return said


def _changes(a: Stage, b: Stage) -> list[_Change]:
    return [_change(name, a, b) for name, aspect in STAGE.items() if aspect.value(a) != aspect.value(b)]


def _change(name: str, a: Any, b: Any) -> _Change:
    aspect = {**RUN, **STAGE}[name]
    return name, aspect.words(aspect.value(a)), aspect.words(aspect.value(b))


def _said(subject: str, changes: Sequence[_Change]) -> list[str]:
    found = {name: (was, now) for name, was, now in changes}
    said = []
    if {"layers", "rate"} <= found.keys():  # what learns and how fast are one thought
        (layers, now_layers), (was, now) = found.pop("layers"), found.pop("rate")
        said.append(f"{subject} trains {now_layers} at {now} instead of {layers} at {was}.")
    for name, (was, now) in found.items():
        said.append(f"{subject} {({**RUN, **STAGE})[name].verb} {now} instead of {_short(was, now)}.")
    return said


def _short(was: str, now: str) -> str:
    """A count loses its unit where the other one has said it: ("64 pixels", "128 pixels") -> "64"."""
    number, _, unit = was.partition(" ")
    same = unit.rstrip("s") == now.partition(" ")[2].rstrip("s")
    return number if number.isdecimal() and same else was


def differing(settings: Sequence[TrainSettings]) -> list[list[str]]:
    """For each of many settings, in a word or two, what is not the same in all of them: ["rate 3e-2", "seed 7"]."""
    return varying([tags(one) for one in settings])


def varying(said: Sequence[Mapping[str, str]]) -> list[list[str]]:
    """`differing` for settings whose `tags` are known already."""
    names = [name for name in (said[0] if said else ()) if len({one[name] for one in said}) > 1]
    return [[one[name] for name in names if one[name]] for one in said]


def fingerprint(setup: Setup, history: History) -> Fingerprint:
    """What tells a run from others, see `likeness`. Recipes are only names, and every setting is taken as it works."""
    run = [aspect.value(setup.settings) for aspect in RUN.values()]
    stages = [[aspect.value(stage) for aspect in STAGE.values()] for stage in setup.settings.resolved]
    rows = history.epochs.drop(columns=list(SPEED)).astype(object).to_numpy().tolist()
    return Fingerprint(
        _digest([run, stages, setup.version, setup.start, setup.mistakes]),
        tuple(_digest([repr(value) for value in row]) for row in rows),
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def likeness(a: Fingerprint, b: Fingerprint) -> Likeness:
    """How two runs relate: the same settings, seed, data and start, and the same numbers in every epoch, or not.

    "so_far": one has more epochs, and those that both have are the same. "no_numbers": one has none yet.
    """
    if a.setup != b.setup:
        return "different"
    common = min(len(a.epochs), len(b.epochs))
    if not common:
        return "no_numbers"
    if a.epochs[:common] != b.epochs[:common]:
        return "other_numbers"
    return "identical" if len(a.epochs) == len(b.epochs) else "so_far"
