"""The training loop: a data set and settings in, a stream of events out. There is one loop, and this is it.

A run is a list of stages; a stage has a schedule over its epochs; an epoch is a shuffled pass in batches, then a look
at the validation set and a checkpoint. Every random choice of an epoch is drawn from (seed, stage, epoch), so a run
that was interrupted goes on with the same numbers as if it had not been.
"""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import replace

import pandas as pd
import torch

from core.data.table import Dataset
from core.settings import Stage, TrainSettings
from core.train import remarks
from core.train.checkpoint import (
    Checkpoint,
    model_tensors,
    restore_model,
    restore_optimiser,
)
from core.train.events import (
    BatchDone,
    BlocksMoved,
    EpochDone,
    Event,
    Finished,
    MemoryUsed,
    StageStarted,
    Started,
)
from core.train.found_rates import find_rates
from core.train.keeping import Loop, Save, Watch, end_stage, is_enough, keep_checkpoint, note_best
from core.train.measuring import glimpse, measure
from core.train.memory import SMALLEST_BATCH, give_room, is_out_of_memory, memory_used
from core.train.optim import make_optimiser, set_rates
from core.train.sampling import epoch_size
from core.train.schedules import check_options, momentum_at, rate_at, spread
from core.train.source import Stop, Stopped
from core.train.steps import batch_loss, begin, enter, fresh_model, plan_epoch, prepare, take_up
from core.vision.model import moved, set_training, watched

LOSS_MAX = 1000.0

Outcome = Generator[Event, None, str]


def fit(
    dataset: Dataset,
    settings: TrainSettings,
    *,
    items: pd.DataFrame | None = None,
    mistakes: pd.DataFrame | None = None,
    resume: Checkpoint | None = None,
    start: Checkpoint | None = None,
    origin: Checkpoint | None = None,
    stop: Stop = lambda: False,
    save: Save | None = None,
    watch: Watch = lambda model: None,
) -> Iterator[Event]:
    """Train and yield events, numbered from 0. The only training loop.

    `items` is the table to train on (the data set's own when left out), `mistakes` that of its set of mistakes. `stop`
    is asked before every batch. `save` is called after each epoch with a checkpoint and whether it is the best so far;
    it returns the file's name. `resume` continues after the epoch of that checkpoint of this run; `start` begins with
    the weights of a checkpoint of another run. `origin` is the one with which the resumed stage began, if there was
    one: how far its blocks moved is measured from there. `watch` is shown the model when a stage begins and after every
    step; it may look and must not touch. Raises TrainError when the data cannot be trained on.
    """
    began = time.perf_counter()
    for stage in settings.stages:
        check_options(stage.schedule, stage.options)
    learner = begin(dataset, settings, items=items, mistakes=mistakes, resume=resume, start=start, stop=stop)
    run = Loop(dataset, settings, learner, stop, save, origin, watch)
    for seq, event in enumerate(_events(run, resume, began)):
        yield replace(event, seq=seq)


def _events(run: Loop, resume: Checkpoint | None, began: float) -> Iterator[Event]:
    learner, settings = run.learner, run.settings
    yield _started(run)
    outcome = "done"
    try:
        for number, stage in enumerate(settings.resolved):
            first = _first_epoch(number, stage, resume)
            if outcome == "done" and first < stage.epochs:
                with watched(learner.model, learner.library.check_stop):
                    outcome = yield from _with_room(run, number, stage, first, resume if first else None)
    except Stopped:
        outcome = "stopped"
    last, seconds = learner.last, time.perf_counter() - began
    if last is None:
        yield Finished(0, outcome, None, None, None, seconds)
    else:
        yield Finished(0, outcome, last.error_rate, last.wrong, last.of, seconds)


def _first_epoch(number: int, stage: Stage, resume: Checkpoint | None) -> int:
    """Where a stage begins; at its end when the checkpoint lies behind it."""
    if resume is None or number > resume.meta["stage"]:
        return 0
    if number < resume.meta["stage"] or resume.meta["progress"].get("over"):
        return stage.epochs
    return resume.meta["epoch"] + 1


def _started(run: Loop) -> Started:
    source, model = run.learner.source, run.learner.model
    largest = int(torch.bincount(source.valid.labels).max())
    return Started(
        seq=0,
        dataset=run.dataset.id,
        version=run.dataset.version,
        classes=model.classes,
        train=len(source.train) - source.mistakes,
        valid=len(source.valid),
        epochs=run.settings.epochs,
        chance=1 - largest / len(source.valid),
        device=run.learner.device.kind,
        precision=run.learner.device.precision,
        threads=torch.get_num_threads(),
    )


def _with_room(run: Loop, number: int, stage: Stage, first: int, resume: Checkpoint | None) -> Outcome:
    """A stage that begins once more with half the batch when memory runs out; a second time is the end."""
    learner = run.learner
    before = resume.tensors if resume else model_tensors(learner.model, with_body=True)
    try:
        return (yield from _stage(run, number, stage, first, resume, before))
    except Exception as error:
        if not is_out_of_memory(error) or learner.batch_size < SMALLEST_BATCH:
            raise
        half = learner.batch_size // 2
    # outside the handler: the error holds the tensors that did not fit
    give_room()
    learner.model.load_state_dict(before, strict=False)
    if resume is not None:
        take_up(learner, resume)
    yield remarks.half_batch(number, half)
    return (yield from _stage(run, number, replace(stage, batch_size=half), first, resume, before))


def _stage(
    run: Loop, number: int, stage: Stage, first: int, resume: Checkpoint | None, before: Mapping[str, torch.Tensor]
) -> Outcome:
    """One stage from epoch `first` on; returns "done" or "diverged". `before`: its weights when it began."""
    learner = run.learner
    trainable = enter(learner, stage)
    if resume is None:
        learner.restart()
    if learner.batch_size < (stage.batch_size or 0):
        yield remarks.small_batch(epoch_size(learner.source, stage), learner.batch_size, stage.batch_size)
    yield from prepare(learner, stage, run.dataset)
    rates = resume.meta["progress"]["rates"] if resume else (yield from _rates(run, number, stage))
    optimiser = make_optimiser(learner.model, weight_decay=stage.weight_decay or 0.0)
    if resume is not None:
        restore_optimiser(optimiser, resume.tensors)
    yield StageStarted(
        seq=0,
        stage=number,
        epochs=stage.epochs,
        steps=stage.epochs * len(plan_epoch(learner, number, 0, stage).batches),
        frozen=stage.frozen,
        cached=stage.cached,
        lr=tuple(rates),
        schedule=stage.schedule,
        trainable=trainable,
        freeze_to=stage.first_group,
        size=learner.source.size,
        batch=learner.batch_size,
        precision=learner.device.precision,
    )
    yield glimpse(learner, stage, number, first - 1)
    run.watch(learner.model)
    if not stage.frozen:
        learner.pristine = False
        learner.source.forget_features()
    for epoch in range(first, stage.epochs):
        outcome = yield from _epoch(run, number, stage, epoch, optimiser, rates)
        if outcome != "done":
            return outcome
        over = epoch + 1 == stage.epochs or is_enough(run, epoch)
        if over:
            yield from end_stage(run, number, stage, epoch)
        yield from keep_checkpoint(run, number, epoch, optimiser, rates, over=over)
        if over:
            break
    shares = moved(learner.model, before if resume is None else _began_with(run))
    yield BlocksMoved(0, number, tuple(shares), tuple(shares.values()))
    return "done"


def _began_with(run: Loop) -> Mapping[str, torch.Tensor]:
    """The weights of a resumed stage when it began: its origin's, or fresh ones, which the seed gives once more."""
    if run.origin is not None:
        return restore_model(run.origin).state_dict()
    return fresh_model(run.learner.model.classes, run.settings).state_dict()


def _rates(run: Loop, number: int, stage: Stage) -> Generator[Event, None, list[float]]:
    """The highest rate of each layer group: as the stage says, or with the low end that a range test finds."""
    groups = len(run.learner.model.groups())
    if not stage.find_lr:
        return spread(stage.lr, groups)
    found = yield from find_rates(run.dataset, run.settings, run.learner, stage, number)
    yield found
    if stage.frozen:
        return spread(found.high, groups)
    return spread((found.low, found.high), groups)


def _epoch(
    run: Loop, number: int, stage: Stage, epoch: int, optimiser: torch.optim.Optimizer, rates: list[float]
) -> Outcome:
    """One pass over both sides; returns "done" or "diverged"."""
    began, learner, total, seen = time.perf_counter(), run.learner, 0.0, 0
    plan = plan_epoch(learner, number, epoch, stage)
    set_training(learner.model, True)
    for step, rows in enumerate(plan.batches, start=epoch * len(plan.batches)):
        learner.library.check_stop()
        pos = step / (stage.epochs * len(plan.batches))
        factor = rate_at(stage.schedule, pos, lr_max=1.0, epochs=stage.epochs, **stage.options)
        momentum = momentum_at(stage.schedule, pos, **stage.options)
        set_rates(optimiser, [factor * rate for rate in rates], momentum)
        loss = batch_loss(learner, stage, rows, plan.changes)
        value = float(loss.detach())
        yield BatchDone(0, number, epoch, step, factor * rates[-1], momentum, value, learner.record_loss(value))
        if _has_diverged(value):
            yield remarks.diverged(number, epoch, step, value, rates[-1])
            return "diverged"
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        run.watch(learner.model)
        total, seen = total + value * len(rows), seen + len(rows)
    measured = measure(learner, stage)
    seconds = time.perf_counter() - began
    learner.last = EpochDone(
        seq=0,
        stage=number,
        epoch=epoch,
        train_loss=total / seen,
        train_loss_smooth=learner.loss_smooth,
        lr=factor * rates[-1],
        seconds=seconds,
        images_per_s=seen / seconds,
        **measured,
    )
    yield learner.last
    yield glimpse(learner, stage, number, epoch)
    yield MemoryUsed(0, number, epoch, *memory_used(learner.device.kind))
    if _has_diverged(measured["valid_loss"]):
        yield remarks.diverged(number, epoch, step, measured["valid_loss"], rates[-1])
        return "diverged"
    note_best(run)
    return "done"


def _has_diverged(loss: float) -> bool:
    return not math.isfinite(loss) or loss > LOSS_MAX
