"""Rates that a finder has suggested for the stages of a run: the workspace's range tests in, stage -> rate out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from core.settings import Stage, TrainSettings, from_record
from core.train.events import CurveDone, History, RateFound, RatePoint, Started
from core.train.finder_rules import suggest
from core.train.lr_finder import STEPS_BETWEEN
from core.train.runs import Run, history, list_runs


def known_rates(run: Run, tests: Sequence[Run] | None = None, *, said: History | None = None) -> dict[int, float]:
    """The recommended rate of each stage (from 0) of a training run, as far as a range test tells it.

    A test that the run itself made before a stage comes first, where `said` holds its events. Else the newest one that
    fits: made on the same version of the same data set, with the same network and the same layers frozen, and that
    began as the stage did, with a fresh head or with weights that had learned. `tests` are the workspace's range tests,
    newest first, where they were read already.
    """
    settings = from_record(run.request["settings"])
    found = own_rates(settings, said) if said is not None else {}
    missing = [number for number in range(len(settings.stages)) if number not in found]
    if missing and tests is None:
        tests = list_runs(run.workspace, "lr_find")
    mine = [test for test in tests or () if _same_pictures(test, run, said)]
    for number in missing:
        stage, goes_on = settings.stages[number], bool(number or run.request.get("start"))
        rates = (recommended(test) for test in mine if _fits(test, settings, stage, goes_on=goes_on))
        rate = next((rate for rate in rates if rate is not None), None)
        if rate is not None:
            found[number] = rate
    return found


def _same_pictures(test: Run, run: Run, said: History | None) -> bool:
    """Whether both saw the same pictures; where one does not say which version that was, the set has to do."""
    started = said.last(Started.kind) if said is not None else None
    version, other = getattr(started, "version", None), test.request.get("version")
    return test.request.get("dataset") == run.request["dataset"] and (not version or not other or version == other)


def _fits(test: Run, settings: TrainSettings, stage: Stage, *, goes_on: bool) -> bool:
    asked = from_record(test.request["settings"])
    same = (asked.backbone, asked.stages[0].first_group) == (settings.backbone, stage.first_group)
    return same and bool(test.request.get("start")) == goes_on


def recommended(test: Run) -> float | None:
    """What a range test recommends; None where its curve gives no answer, or while it is not done."""
    said = history(test)
    done, points = said.last(CurveDone.kind), said.all(RatePoint.kind)
    if not isinstance(done, CurveDone) or not points:
        return None
    lrs, losses = ([getattr(point, name) for point in points] for name in ("lr", "loss_smooth"))
    return suggest(lrs, losses, steps=done.steps)["recommended"].lr


def own_rates(settings: TrainSettings, said: History) -> dict[int, float]:
    """What the range tests that a run made between its stages recommend, by stage."""
    answers = {number: _answer(settings.stages[number], event) for number, event in _tests(settings, said).items()}
    return {number: rate for number, rate in answers.items() if rate is not None}


def as_trained(settings: TrainSettings, said: History) -> TrainSettings:
    """Settings with the rates that a run really used where its own range tests chose them."""
    tests = _tests(settings, said)
    stages = (_used(stage, tests[number]) if number in tests else stage for number, stage in enumerate(settings.stages))
    return replace(settings, stages=tuple(stages))


def _tests(settings: TrainSettings, said: History) -> Mapping[int, RateFound]:
    return {event.stage: event for event in said.all(RateFound.kind) if event.stage < len(settings.stages)}


def _answer(stage: Stage, event: RateFound) -> float | None:
    """For a frozen stage the rate that was chosen; the high end of a spread was given, so there the curve is asked."""
    if stage.frozen:
        return event.high
    return suggest(event.lrs, event.losses_smooth, steps=STEPS_BETWEEN)["recommended"].lr


def _used(stage: Stage, event: RateFound) -> Stage:
    return replace(stage, lr=event.high if stage.frozen else (event.low, event.high), find_lr=False)
