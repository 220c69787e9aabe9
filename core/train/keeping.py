"""What the training loop keeps: the best epoch of a stage, and a checkpoint after each epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import torch

from core import settings as settings_of
from core.data.table import Dataset
from core.settings import Stage, TrainSettings
from core.train import remarks
from core.train.checkpoint import Checkpoint, model_tensors, optimiser_tensors
from core.train.events import Event, Saved
from core.train.source import Stop
from core.train.steps import Learner
from core.vision.model import Classifier

Save = Callable[[Checkpoint, bool], str]
Watch = Callable[[Classifier], None]


@dataclass(frozen=True)
class Loop:
    """What stays the same while a run goes on.

    `origin`: the weights with which the stage began in whose midst the run goes on, where they are not fresh ones.
    """

    dataset: Dataset
    settings: TrainSettings
    learner: Learner
    stop: Stop
    save: Save | None
    origin: Checkpoint | None = None
    watch: Watch = lambda model: None


def note_best(run: Loop) -> None:
    """Remember the best epoch of the stage, and its weights where the stage is to end with them."""
    learner = run.learner
    if learner.stage_best is None or learner.last.valid_loss < learner.stage_best.valid_loss:
        learner.stage_best = learner.last
        if run.settings.keep_best:
            learner.kept = model_tensors(learner.model, with_body=not learner.pristine)


def is_enough(run: Loop, epoch: int) -> bool:
    """Whether a stage ends early: its validation loss has not been lower for as many epochs as the run is patient."""
    patience, best = run.settings.patience, run.learner.stage_best
    return patience > 0 and best is not None and epoch - best.epoch >= patience


def end_stage(run: Loop, number: int, stage: Stage, epoch: int) -> Iterator[Event]:
    """Say when a stage ends early, and put the best epoch's weights back where that was asked for."""
    learner, best = run.learner, run.learner.stage_best
    if epoch + 1 < stage.epochs:
        yield remarks.stopped_early(number, epoch, stage.epochs, best)
    if run.settings.keep_best and best.epoch != epoch:
        learner.model.load_state_dict(learner.kept, strict=False)
        learner.last = best
        yield remarks.kept_best(number, best)


def keep_checkpoint(
    run: Loop, stage: int, epoch: int, optimiser: torch.optim.Optimizer, rates: list[float], *, over: bool
) -> Iterator[Event]:
    """Hand the run's checkpoint after an epoch to `save`; `over` says that it is the last of its stage."""
    learner, settings = run.learner, run.settings
    if run.save is None or learner.last is None:
        return
    best = learner.last.valid_loss < learner.best
    learner.best = min(learner.best, learner.last.valid_loss)
    tensors = model_tensors(learner.model, with_body=not learner.pristine)
    if not over:  # the next stage begins with an optimiser and a best epoch of its own
        tensors |= optimiser_tensors(optimiser)
        tensors |= {f"kept.{name}": value for name, value in learner.kept.items()}
    meta = {
        "backbone": settings.backbone,
        "weights_id": learner.model.backbone.weights_id,
        "classes": list(learner.model.classes),
        "image_size": learner.source.size,
        "dropout": settings.dropout,
        "body": "pretrained" if learner.pristine else "stored",
        "keeps_statistics": learner.model.keeps_statistics,
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
            "stage_best": asdict(learner.stage_best) if learner.stage_best else None,
            "rates": list(rates),
            "over": over,
        },
    }
    yield Saved(0, stage, epoch, run.save(Checkpoint(tensors, meta), best), best)
