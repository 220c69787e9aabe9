"""The steps a run is made of: preparing pictures, one batch, one look at the validation set. Values in, numbers out."""

from __future__ import annotations

import contextlib
import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F

from core.data.table import Dataset
from core.errors import TrainError
from core.settings import Stage, TrainSettings
from core.train.checkpoint import Checkpoint, restore_model
from core.train.events import EpochDone, Progress
from core.train.source import Part, Source, Stop, scores
from core.vision.augment import AUGMENTS
from core.vision.device import Device, pick_device
from core.vision.features import FeatureStore
from core.vision.model import Classifier, SeededDropout, build_model, set_training

SMOOTH_BETA = 0.98
EVAL_ITEMS = 200
SMALLEST_BATCH = 8


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


def batch_size_for(n_train: int, wanted: int) -> int:
    """The batch size for `n_train` pictures: smaller than wanted where an epoch would have fewer than two batches."""
    if n_train >= 2 * wanted:
        return wanted
    return min(wanted, n_train, max(SMALLEST_BATCH, n_train // 4))


def batches_of(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """Cut a shuffled order (N,) into batches; a last batch of one joins the one before (batch norm needs two)."""
    parts = list(order.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def seed_for(seed: int, stage: int, epoch: int, purpose: int) -> int:
    """A seed of 63 bits for one use in one epoch, unrelated to its neighbours: the SHA-256 of the four numbers.

    Anybody can draw it again with Python alone, as the script does that repeats a run.
    """
    digest = hashlib.sha256(f"{seed} {stage} {epoch} {purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


@dataclass
class Learner:
    """What changes while a run goes on. `pristine`: the body is still as published. Mutable; a run has one."""

    model: Classifier
    source: Source
    device: Device
    batch_size: int
    seed: int
    pristine: bool
    smooth: float = 0.0
    smooth_count: int = 0
    best: float = math.inf
    last: EpochDone | None = None

    @property
    def loss_smooth(self) -> float:
        """The debiased running mean of the batch losses since the stage began."""
        return self.smooth / (1 - SMOOTH_BETA**self.smooth_count)

    def record_loss(self, loss: float) -> float:
        """Take a batch's loss into the running mean; returns that mean."""
        self.smooth = SMOOTH_BETA * self.smooth + (1 - SMOOTH_BETA) * loss
        self.smooth_count += 1
        return self.loss_smooth

    def restart_losses(self) -> None:
        """Begin a new running mean."""
        self.smooth, self.smooth_count = 0.0, 0


def begin(
    dataset: Dataset,
    settings: TrainSettings,
    *,
    items: pd.DataFrame | None = None,
    resume: Checkpoint | None = None,
    stop: Stop = lambda: False,
) -> Learner:
    """A learner ready for its first stage, or where `resume` left off. TrainError when the data cannot be used."""
    table = dataset.kept() if items is None else items
    check_ready(table)
    device = pick_device(settings.device, settings.precision)
    classes = tuple(sorted(table["label"].unique()))
    model = restore_model(resume) if resume else _fresh_model(classes, settings)
    source = Source.of(table, dataset.image_path, classes, size=settings.image_size, device=device, stop=stop)
    learner = Learner(
        model.to(device.torch),
        source,
        device,
        batch_size_for(len(source.train), settings.batch_size),
        settings.seed,
        pristine=settings.weights == "pretrained" and (resume is None or resume.meta["body"] == "pretrained"),
    )
    if resume is not None:
        progress = resume.meta["progress"]
        learner.smooth, learner.smooth_count, learner.best = progress["smooth"], progress["count"], progress["best"]
        learner.last = EpochDone(**progress["last"])
    return learner


def _fresh_model(classes: tuple[str, ...], settings: TrainSettings) -> Classifier:
    pretrained = settings.weights == "pretrained"
    return build_model(settings.backbone, classes, seed=settings.seed, pretrained=pretrained, dropout=settings.dropout)


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
class EpochPlan:
    """The random choices of one epoch: batches of row numbers, and the generator that augments them."""

    batches: list[torch.Tensor]
    changes: torch.Generator


def plan_epoch(learner: Learner, stage: int, epoch: int) -> EpochPlan:
    """Shuffle, and seed dropout and augmentation, from (seed, stage, epoch) alone."""
    order, changes = (
        torch.Generator().manual_seed(seed_for(learner.seed, stage, epoch, purpose)) for purpose in (0, 2)
    )
    learner.model.seed_dropout(seed_for(learner.seed, stage, epoch, 1))
    shuffled = torch.randperm(len(learner.source.train), generator=order)
    return EpochPlan(batches_of(shuffled, learner.batch_size), changes)


def batch_loss(learner: Learner, stage: Stage, rows: torch.Tensor, changes: torch.Generator) -> torch.Tensor:
    """Mean cross-entropy (nats) of the training pictures `rows`, in training mode, ready for backward."""
    part, device = learner.source.train, learner.device
    output = scores(
        learner.model,
        part,
        rows,
        device,
        use_features=stage.cached,
        augment=AUGMENTS[stage.augment],
        generator=changes,
    )
    return F.cross_entropy(output, part.labels[rows].to(device.torch))


@contextlib.contextmanager
def kept_as_it_was(learner: Learner) -> Iterator[None]:
    """Put weights, buffers, gradient switches, dropout's random state and the running mean back at the end."""
    model = learner.model
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    switches = [parameter.requires_grad for parameter in model.parameters()]
    dropouts = [(layer, layer.generator) for layer in model.modules() if isinstance(layer, SeededDropout)]
    was_training, means = model.training, (learner.smooth, learner.smooth_count)
    features = learner.source.train.features, learner.source.valid.features
    try:
        yield
    finally:
        model.load_state_dict(weights)
        for parameter, switch in zip(model.parameters(), switches, strict=True):
            parameter.requires_grad_(switch)
            parameter.grad = None
        for layer, generator in dropouts:
            layer.generator = generator
        set_training(model, was_training)
        learner.smooth, learner.smooth_count = means
        learner.source.train.features, learner.source.valid.features = features


@torch.inference_mode()
def measure(learner: Learner, stage: Stage) -> dict[str, Any]:
    """Losses and errors in evaluation mode: all of the validation set, and at most EVAL_ITEMS training pictures."""
    set_training(learner.model, False)
    train, valid = learner.source.train, learner.source.valid
    some = torch.linspace(0, len(train) - 1, min(EVAL_ITEMS, len(train))).long()
    train_losses, _ = _evaluate(learner, train, some, use_features=stage.cached)
    losses, wrong = _evaluate(learner, valid, torch.arange(len(valid)), use_features=stage.frozen)
    n_wrong = int(wrong.sum())
    return {
        "train_loss_eval": float(train_losses.mean()),
        "valid_loss": float(losses.mean()),
        "error_rate": n_wrong / len(valid),
        "accuracy": 1 - n_wrong / len(valid),
        "wrong": n_wrong,
        "of": len(valid),
    }


def _evaluate(
    learner: Learner, part: Part, rows: torch.Tensor, *, use_features: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Loss (N,) in nats and whether the arg max is wrong (N,) for some rows of a part."""
    losses, wrong = [], []
    for some in rows.split(2 * learner.batch_size):
        output = scores(learner.model, part, some, learner.device, use_features=use_features)
        labels = part.labels[some].to(output.device)
        losses.append(F.cross_entropy(output, labels, reduction="none").cpu())
        wrong.append((output.argmax(1) != labels).cpu())
    return torch.cat(losses), torch.cat(wrong)
