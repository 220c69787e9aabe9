"""The steps a run is made of: preparing pictures, one batch, one look at the validation set. Values in, numbers out."""

from __future__ import annotations

import contextlib
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, fields

import pandas as pd
import torch
import torch.nn.functional as F

from core.data.mistakes import mistake_path
from core.data.table import Dataset
from core.errors import TrainError
from core.settings import Stage, TrainSettings
from core.train.checkpoint import Checkpoint, restore_model
from core.train.events import EpochDone, Progress
from core.train.sampling import (
    DROP,
    LOOK,
    MIX,
    ORDER,
    batch_size_for,
    batches_of,
    class_weights,
    epoch_size,
    rows_of_epoch,
    seed_for,
    share_of,
)
from core.train.source import Library, Mixed, Source, Stop, scores
from core.vision.augment import AUGMENTS
from core.vision.device import Device, pick_device
from core.vision.features import FeatureStore
from core.vision.model import Classifier, SeededDropout, build_model, freeze_to, set_training

SMOOTH_BETA = 0.98


def check_ready(items: pd.DataFrame) -> None:
    """Raise TrainError, with what was found, unless two classes and each class can be learned and some validated."""
    train = items[items["split"] == "train"]
    if train["label"].nunique() < 2:
        raise TrainError(
            f"The training set has {train['label'].nunique()} class; a classifier needs at least 2.",
            hint="Add pictures of another class.",
        )
    if unseen := sorted(set(items["label"]) - set(train["label"])):
        raise TrainError(
            f"The class {unseen[0]!r} has pictures for validation and none for training.",
            hint="Split the data set anew on the Build page, or bring more pictures of that class.",
        )
    if len(items) == len(train):
        raise TrainError(
            "The validation set is empty, so nothing could be measured.",
            hint="Split the data set anew on the Build page, or bring more pictures.",
        )


@dataclass
class Learner:
    """What changes while a run goes on. Mutable; a run has one.

    `pristine`: the body is still as published. `weights` (classes,): what a class counts in the loss, where classes are
    weighted. `stage_best`: the epoch with the lowest validation loss of this stage, and `kept` its weights, where a
    stage is to end with them. `exam` (N, classes): the scores of the validation pictures after the last epoch.
    """

    model: Classifier
    library: Library
    source: Source
    device: Device
    batch_size: int
    seed: int
    pristine: bool
    wish: str = "auto"
    weights: torch.Tensor | None = None
    smooth: float = 0.0
    smooth_count: int = 0
    best: float = math.inf
    last: EpochDone | None = None
    stage_best: EpochDone | None = None
    kept: dict[str, torch.Tensor] = field(default_factory=dict)
    exam: torch.Tensor | None = None

    @property
    def loss_smooth(self) -> float:
        """The debiased running mean of the batch losses since the stage began."""
        return self.smooth / (1 - SMOOTH_BETA**self.smooth_count)

    def record_loss(self, loss: float) -> float:
        """Take a batch's loss into the running mean; returns that mean."""
        self.smooth = SMOOTH_BETA * self.smooth + (1 - SMOOTH_BETA) * loss
        self.smooth_count += 1
        return self.loss_smooth

    def restart(self) -> None:
        """Begin a stage: a new running mean, and no best epoch yet."""
        self.smooth, self.smooth_count = 0.0, 0
        self.stage_best, self.kept, self.exam = None, {}, None


def begin(
    dataset: Dataset,
    settings: TrainSettings,
    *,
    items: pd.DataFrame | None = None,
    mistakes: pd.DataFrame | None = None,
    resume: Checkpoint | None = None,
    start: Checkpoint | None = None,
    stop: Stop = lambda: False,
) -> Learner:
    """A learner ready for its first stage. TrainError when the data cannot be used.

    `resume` is a checkpoint of this run, `start` one of another run whose weights this one goes on with.
    """
    table = dataset.kept() if items is None else items
    check_ready(table)
    classes = tuple(sorted(table["label"].unique()))
    table = share_of(table, settings.train_share, settings.seed)
    given = resume or start
    model = restore_model(given) if given else fresh_model(classes, settings)
    check_fits(model, classes, settings)
    stage = settings.resolved[0]
    device = pick_device(settings.device, stage.precision or "auto")
    library = Library(table, classes, dataset.image_path, stop, mistakes, lambda sha: mistake_path(dataset, sha))
    source = library.source(size=stage.image_size or settings.image_size, device=device, data=stage.data)
    learner = Learner(
        model.to(device.torch),
        library,
        source,
        device,
        batch_size_for(epoch_size(source, stage), stage.batch_size or settings.batch_size),
        settings.seed,
        pristine=given.meta["body"] == "pretrained" if given else settings.weights == "pretrained",
        wish=settings.device,
    )
    if resume is not None:
        take_up(learner, resume)
    return learner


def take_up(learner: Learner, resume: Checkpoint) -> None:
    """Let a learner stand where it stood when a checkpoint of its run was written."""
    progress = resume.meta["progress"]
    learner.smooth, learner.smooth_count, learner.best = progress["smooth"], progress["count"], progress["best"]
    learner.last = EpochDone(**progress["last"])
    if progress.get("stage_best"):
        learner.stage_best = EpochDone(**progress["stage_best"])
    learner.kept = {
        name.removeprefix("kept."): value for name, value in resume.tensors.items() if name.startswith("kept.")
    }


def check_fits(model: Classifier, classes: tuple[str, ...], settings: TrainSettings) -> None:
    """Raise TrainError when a checkpoint that a run is to go on from is of another network or knows other classes."""
    if model.backbone.name != settings.backbone:
        raise TrainError(
            f"The checkpoint is a {model.backbone.title}, and the run was to train {settings.backbone}.",
            hint="Choose the network of the checkpoint, or start from a fresh model.",
        )
    if model.classes != classes:
        raise TrainError(
            f"The checkpoint knows the classes {_listed(model.classes)}; the data set has {_listed(classes)}.",
            hint="Start from a fresh model, or from a checkpoint that was trained on these classes.",
        )


def _listed(classes: tuple[str, ...]) -> str:
    more = f" and {len(classes) - 5} more" if len(classes) > 5 else ""
    return ", ".join(classes[:5]) + more


def fresh_model(classes: tuple[str, ...], settings: TrainSettings) -> Classifier:
    """The model that a run begins with when it goes on from nothing; the same for the same seed."""
    pretrained = settings.weights == "pretrained"
    return build_model(settings.backbone, classes, seed=settings.seed, pretrained=pretrained, dropout=settings.dropout)


def enter(learner: Learner, stage: Stage) -> int:
    """Make a learner ready for a resolved stage: number format, pictures, batches, dropout and which layers learn.

    Returns how many weights may change.
    """
    device = pick_device(learner.wish, stage.precision or "auto")
    source = learner.source
    if (source.size, source.device, source.mistakes > 0) != (stage.image_size, device, stage.data == "mistakes"):
        learner.source = learner.library.source(size=stage.image_size or source.size, device=device, data=stage.data)
    learner.device = device
    learner.batch_size = batch_size_for(epoch_size(learner.source, stage), stage.batch_size or learner.batch_size)
    learner.model.set_dropout(stage.dropout or 0.0)
    weighted = stage.balance == "weights"
    learner.weights = class_weights(learner.source.train.labels).to(device.torch) if weighted else None
    return freeze_to(learner.model, stage.first_group)


def prepare(learner: Learner, stage: Stage, dataset: Dataset) -> Iterator[Progress]:
    """Decode pictures and compute activations, as far as this stage needs them."""
    if not stage.cached:
        yield from learner.source.prepare_pixels()
    if stage.frozen:
        store = None
        if learner.pristine:
            weights_id = learner.model.backbone.weights_id
            size, device = learner.source.size, learner.device
            store = FeatureStore.at(dataset.workspace.cache, weights_id=weights_id, size=size, device=device)
        sides = ("train", "valid") if stage.cached else ("valid",)
        yield from learner.source.prepare_features(learner.model, store, sides=sides)


@dataclass(frozen=True)
class Changes:
    """Where an epoch's changes to its pictures come from: `augment` for each picture, `mix` for whole batches."""

    augment: torch.Generator
    mix: random.Random


@dataclass(frozen=True)
class EpochPlan:
    """The random choices of one epoch: batches of row numbers, and what changes their pictures."""

    batches: list[torch.Tensor]
    changes: Changes


def plan_epoch(learner: Learner, number: int, epoch: int, stage: Stage) -> EpochPlan:
    """Shuffle, and seed dropout and augmentation, from (seed, stage number, epoch) alone."""
    order, augment = (
        torch.Generator().manual_seed(seed_for(learner.seed, number, epoch, use)) for use in (ORDER, LOOK)
    )
    learner.model.seed_dropout(seed_for(learner.seed, number, epoch, DROP))
    rows = rows_of_epoch(learner.source, stage, order)
    shuffled = rows[torch.randperm(len(rows), generator=order)]
    changes = Changes(augment, random.Random(seed_for(learner.seed, number, epoch, MIX)))
    return EpochPlan(batches_of(shuffled, learner.batch_size), changes)


def batch_loss(learner: Learner, stage: Stage, rows: torch.Tensor, changes: Changes) -> torch.Tensor:
    """Mean cross-entropy (nats) of the training pictures `rows`, in training mode, ready for backward."""
    part, device = learner.source.train, learner.device
    mixed = None
    if stage.mixup > 0:
        share = changes.mix.betavariate(stage.mixup, stage.mixup)
        mixed = Mixed(share, torch.randperm(len(rows), generator=changes.augment))
    output = scores(
        learner.model,
        part,
        rows,
        device,
        use_features=stage.cached,
        augment=AUGMENTS[stage.augment],
        generator=changes.augment,
        mixed=mixed,
    )
    labels = part.labels[rows].to(device.torch)

    def loss(targets: torch.Tensor) -> torch.Tensor:
        smoothing = stage.label_smoothing
        return F.cross_entropy(output, targets, weight=learner.weights, label_smoothing=smoothing)

    return loss(labels) if mixed is None else mixed.losses(loss, labels)


@contextlib.contextmanager
def kept_as_it_was(learner: Learner) -> Iterator[None]:
    """Put weights, buffers, gradient switches, dropout, pictures and the running mean back at the end."""
    model = learner.model
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    switches = [parameter.requires_grad for parameter in model.parameters()]
    dropouts = [(layer, layer.generator, layer.p) for layer in model.modules() if isinstance(layer, SeededDropout)]
    was_training = model.training
    source = learner.source
    features = source.train.features, source.valid.features
    names = [item.name for item in fields(learner) if item.name not in ("model", "library")]
    others = {name: getattr(learner, name) for name in names}
    try:
        yield
    finally:
        model.load_state_dict(weights)
        for parameter, switch in zip(model.parameters(), switches, strict=True):
            parameter.requires_grad_(switch)
            parameter.grad = None
        for layer, generator, p in dropouts:
            layer.generator, layer.p = generator, p
        set_training(model, was_training)
        for name, value in others.items():
            setattr(learner, name, value)
        source.train.features, source.valid.features = features
