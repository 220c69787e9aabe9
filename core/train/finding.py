"""The learning-rate finder as a run: a data set and one stage of settings in; progress, points and their end out.

How many steps a test has and how many pictures each of them sees depends on what learns and where, unless the request
says it. On a CPU a step of a whole network takes as long as fifty of its head, so there it gets fewer and smaller ones.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from core.data.mistakes import read_mistakes
from core.data.table import load_dataset
from core.settings import Stage, TrainSettings, from_record
from core.train.checkpoint import read_start
from core.train.events import CurveDone, Event, StageStarted
from core.train.lr_finder import FIRST, LAST, STEPS, range_test_events
from core.train.runs import Run, Stop
from core.train.source import Stopped
from core.train.steps import Learner, begin, enter
from core.vision.model import watched

FEWER_STEPS, SMALLER_BATCH = 50, 16  # for a network that learns whole on a CPU: half a minute or so


@dataclass(frozen=True)
class Plan:
    """What a test does: the resolved stage with its batch size, and the ladder of rates."""

    stage: Stage
    first: float
    last: float
    steps: int


def plan_for(run: Run, settings: TrainSettings, device: str) -> Plan:
    """What a run asks for; what it leaves open depends on whether only the head learns and on a "cpu"."""
    asked = run.request
    stage = settings.resolved[0]
    slow = device == "cpu" and not stage.frozen
    batch = asked.get("batch_size") or (min(SMALLER_BATCH, stage.batch_size or SMALLER_BATCH) if slow else None)
    steps = asked.get("steps") or (FEWER_STEPS if slow else STEPS)
    return Plan(
        replace(stage, batch_size=batch or stage.batch_size),
        float(asked.get("first") or FIRST),
        float(asked.get("last") or LAST),
        int(steps),
    )


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Do the range test of a run. One that is stopped keeps the points it has."""
    settings = from_record(run.request["settings"])
    dataset = load_dataset(run.workspace, run.request["dataset"])
    start = read_start(run.workspace, run.request["start"]) if run.request.get("start") else None
    learner = begin(dataset, settings, mistakes=read_mistakes(dataset), start=start, stop=stop)
    plan = plan_for(run, settings, learner.device.kind)
    trainable = enter(learner, plan.stage)
    yield _started(plan, learner, trainable)
    test = range_test_events(
        dataset,
        settings,
        learner,
        stage=plan.stage,
        start=plan.first,
        end=plan.last,
        steps=plan.steps,
        calm=math.log(len(learner.model.classes)) if start else 0.0,  # it has learned already
        stop=stop,
    )
    try:
        with watched(learner.model, learner.library.check_stop):
            found = yield from test
    except Stopped:
        yield CurveDone(0, plan.steps, "It was stopped.")
        return
    yield CurveDone(0, found.steps, found.stopped)


def _started(plan: Plan, learner: Learner, trainable: int) -> StageStarted:
    """What is tested, in the words of a stage: the spread of rates is that of the ladder."""
    stage = plan.stage
    return StageStarted(
        seq=0,
        stage=0,
        epochs=1,
        steps=plan.steps,
        frozen=stage.frozen,
        cached=stage.cached,
        lr=(plan.first, plan.last),
        schedule="finder",
        trainable=trainable,
        freeze_to=stage.first_group,
        size=learner.source.size,
        batch=learner.batch_size,
        precision=learner.device.precision,
    )
