"""The training loop: a data set and settings in, a stream of events out. There is one loop, and this is it.

A run is a list of stages; a stage has a schedule over its epochs; an epoch is a shuffled pass in batches, then a look
at the validation set and a checkpoint. Every random choice of an epoch is drawn from (seed, stage, epoch), so a run
that was interrupted goes on with the same numbers as if it had not been.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass, replace

import pandas as pd
import torch

from core import settings as settings_of
from core.data.table import Dataset, classes_of, items_to_csv, load_dataset, read_items, version_of
from core.settings import Stage, TrainSettings
from core.train.checkpoint import (
    Checkpoint,
    model_tensors,
    optimiser_tensors,
    read_checkpoint,
    restore_optimiser,
    write_checkpoint,
)
from core.train.events import BatchDone, Diverged, EpochDone, Event, Finished, Note, Saved, StageStarted, Started
from core.train.lr_finder import lower_rate
from core.train.optim import make_optimiser, set_rates
from core.train.runs import Run
from core.train.schedules import momentum_at, rate_at, spread
from core.train.source import Stop, Stopped
from core.train.steps import Learner, batch_loss, begin, measure, plan_epoch, prepare
from core.vision.model import set_frozen, set_training, watched
from core.workspace import check_free_space, write_atomic

LOSS_MAX = 1000.0
LAST, BEST = "last.safetensors", "best.safetensors"
CHECKPOINT_BYTES = 200 * 2**20

Save = Callable[[Checkpoint, bool], str]
Outcome = Generator[Event, None, str]


@dataclass(frozen=True)
class _Run:
    """What stays the same while a run goes on."""

    dataset: Dataset
    settings: TrainSettings
    learner: Learner
    stop: Stop
    save: Save | None


def fit(
    dataset: Dataset,
    settings: TrainSettings,
    *,
    items: pd.DataFrame | None = None,
    resume: Checkpoint | None = None,
    stop: Stop = lambda: False,
    save: Save | None = None,
) -> Iterator[Event]:
    """Train and yield events, numbered from 0. The only training loop.

    `items` is the table to train on (the data set's own when left out). `stop` is asked before every batch. `save`
    is called after each epoch with a checkpoint and whether it is the best so far; it returns the file's name.
    `resume` continues after the epoch of that checkpoint. Raises TrainError when the data cannot be trained on.
    """
    began = time.perf_counter()
    learner = begin(dataset, settings, items=items, resume=resume, stop=stop)
    run = _Run(dataset, settings, learner, stop, save)
    for seq, event in enumerate(_events(run, resume, began)):
        yield replace(event, seq=seq)


def train_run(run: Run, stop: Stop) -> Iterator[Event]:
    """Do the work of a training run in its folder: pin the table, train, keep the last and the best checkpoint.

    A run that was interrupted goes on from its last checkpoint, on the table it began with.
    """
    check_free_space(run.path, CHECKPOINT_BYTES)
    dataset = load_dataset(run.workspace, run.request["dataset"])
    pinned = run.path / "items.csv"
    if not pinned.exists():
        write_atomic(pinned, items_to_csv(dataset.items()))
    items = read_items(pinned)
    dataset = replace(dataset, version=version_of(items), classes=classes_of(items))
    last = run.path / LAST

    def save(checkpoint: Checkpoint, best: bool) -> str:
        write_checkpoint(last, checkpoint)
        if best:
            kept = {name: value for name, value in checkpoint.tensors.items() if not name.startswith("optimiser.")}
            write_checkpoint(run.path / BEST, replace(checkpoint, tensors=kept))
        return LAST

    yield from fit(
        dataset,
        settings_of.from_record(run.request["settings"]),
        items=items[items["status"] == "kept"],
        resume=read_checkpoint(last) if last.exists() else None,
        stop=stop,
        save=save,
    )


def _events(run: _Run, resume: Checkpoint | None, began: float) -> Iterator[Event]:
    learner, settings = run.learner, run.settings
    yield _started(run)
    if learner.batch_size < settings.batch_size:
        yield _small_batch(learner, settings)
    outcome = "done"
    try:
        with watched(learner.model, learner.source.check_stop):
            for number, stage in enumerate(settings.stages):
                first = _first_epoch(number, resume)
                if outcome == "done" and first < stage.epochs:
                    outcome = yield from _stage(run, number, stage, first, resume if first else None)
    except Stopped:
        outcome = "stopped"
    last, seconds = learner.last, time.perf_counter() - began
    if last is None:
        yield Finished(0, outcome, None, None, None, seconds)
    else:
        yield Finished(0, outcome, last.error_rate, last.wrong, last.of, seconds)


def _first_epoch(stage: int, resume: Checkpoint | None) -> int:
    """Where a stage begins; beyond its end when the checkpoint lies in a later stage."""
    if resume is None or stage > resume.meta["stage"]:
        return 0
    return resume.meta["epoch"] + 1 if stage == resume.meta["stage"] else 10**9


def _started(run: _Run) -> Started:
    source, model = run.learner.source, run.learner.model
    largest = int(torch.bincount(source.valid.labels).max())
    return Started(
        seq=0,
        dataset=run.dataset.id,
        version=run.dataset.version,
        classes=model.classes,
        train=len(source.train),
        valid=len(source.valid),
        epochs=run.settings.epochs,
        chance=1 - largest / len(source.valid),
        device=run.learner.device.kind,
        precision=run.learner.device.precision,
    )


def _small_batch(learner: Learner, settings: TrainSettings) -> Note:
    return Note(
        0,
        "small_batch",
        f"{len(learner.source.train)} training pictures: batches of {learner.batch_size}, not {settings.batch_size}, "
        "so that an epoch takes several steps.",
    )


def _stage(run: _Run, number: int, stage: Stage, first: int, resume: Checkpoint | None) -> Outcome:
    """One stage from epoch `first` on; returns "done" or "diverged"."""
    learner = run.learner
    trainable = set_frozen(learner.model, stage.frozen)
    optimiser = make_optimiser(learner.model, weight_decay=run.settings.weight_decay)
    if resume is None:
        learner.restart_losses()
    else:
        restore_optimiser(optimiser, resume.tensors)
    yield from prepare(learner, stage, run.dataset)
    rates = spread(stage.lr, len(learner.model.groups()))
    steps = stage.epochs * len(plan_epoch(learner, number, 0).batches)
    yield StageStarted(
        seq=0,
        stage=number,
        epochs=stage.epochs,
        steps=steps,
        frozen=stage.frozen,
        cached=stage.cached,
        lr=tuple(rates),
        schedule=stage.schedule,
        trainable=trainable,
    )
    if not stage.frozen:
        learner.pristine = False
        learner.source.forget_features()
    for epoch in range(first, stage.epochs):
        outcome = yield from _epoch(run, number, stage, epoch, optimiser, rates)
        if outcome != "done":
            return outcome
        yield from _checkpoint(run, number, epoch, optimiser)
    return "done"


def _epoch(
    run: _Run, number: int, stage: Stage, epoch: int, optimiser: torch.optim.Optimizer, rates: list[float]
) -> Outcome:
    """One pass over both sides; returns "done" or "diverged"."""
    began, learner, total = time.perf_counter(), run.learner, 0.0
    plan = plan_epoch(learner, number, epoch)
    set_training(learner.model, True)
    for step, rows in enumerate(plan.batches, start=epoch * len(plan.batches)):
        learner.source.check_stop()
        pos = step / (stage.epochs * len(plan.batches))
        factor = rate_at(stage.schedule, pos, lr_max=1.0, epochs=stage.epochs)
        momentum = momentum_at(stage.schedule, pos)
        set_rates(optimiser, [factor * rate for rate in rates], momentum)
        loss = batch_loss(learner, stage, rows, plan.changes)
        value = float(loss.detach())
        yield BatchDone(0, number, epoch, step, factor * rates[-1], momentum, value, learner.record_loss(value))
        if _has_diverged(value):
            yield _diverged(number, epoch, step, value, rates[-1])
            return "diverged"
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        total += value * len(rows)
    measured = measure(learner, stage)
    seconds = time.perf_counter() - began
    learner.last = EpochDone(
        seq=0,
        stage=number,
        epoch=epoch,
        train_loss=total / len(learner.source.train),
        train_loss_smooth=learner.loss_smooth,
        lr=factor * rates[-1],
        seconds=seconds,
        images_per_s=len(learner.source.train) / seconds,
        **measured,
    )
    yield learner.last
    if _has_diverged(measured["valid_loss"]):
        yield _diverged(number, epoch, step, measured["valid_loss"], rates[-1])
        return "diverged"
    return "done"


def _has_diverged(loss: float) -> bool:
    return not math.isfinite(loss) or loss > LOSS_MAX


def _diverged(stage: int, epoch: int, step: int, loss: float, lr: float) -> Diverged:
    what = "is not a number any more" if not math.isfinite(loss) else f"has grown to {loss:.0f}"
    text = (
        f"The loss {what} in epoch {epoch + 1}: a learning rate of {lr:g} is too high. "
        f"Start again at {lower_rate(lr):g}; weights that were thrown this far do not come back."
    )
    return Diverged(0, stage, epoch, step, loss, text)


def _checkpoint(run: _Run, stage: int, epoch: int, optimiser: torch.optim.Optimizer) -> Iterator[Event]:
    learner, settings = run.learner, run.settings
    if run.save is None or learner.last is None:
        return
    best = learner.last.valid_loss < learner.best
    learner.best = min(learner.best, learner.last.valid_loss)
    tensors = {**model_tensors(learner.model, with_body=not learner.pristine), **optimiser_tensors(optimiser)}
    meta = {
        "backbone": settings.backbone,
        "weights_id": learner.model.backbone.weights_id,
        "classes": list(learner.model.classes),
        "image_size": settings.image_size,
        "dropout": settings.dropout,
        "body": "pretrained" if learner.pristine else "stored",
        "dataset": run.dataset.id,
        "version": run.dataset.version,
        "stage": stage,
        "epoch": epoch,
        "settings": settings_of.to_record(settings),
        "progress": {
            "smooth": learner.smooth,
            "count": learner.smooth_count,
            "best": learner.best,
            "last": asdict(learner.last),
        },
    }
    yield Saved(0, stage, epoch, run.save(Checkpoint(tensors, meta), best), best)
