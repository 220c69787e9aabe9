"""How long a run will take, before it starts: settings and counts in, seconds out. No torch is imported.

Work is counted in billions of multiply-adds. A training step of layers costs about three times their forward pass: one
more for the gradient of what flows through them, one for the gradient of their weights.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.settings import Stage, TrainSettings

FORWARD: Mapping[str, float] = {  # billions of multiply-adds of one forward pass at 224 pixels
    "lite0": 0.39,
    "resnet18": 1.81,
    "resnet34": 3.66,
    "resnet50": 4.09,
    "resnext50": 4.23,
}
# multiply-adds are not all equally fast: depthwise convolutions wait for memory
HEAVIER: Mapping[str, float] = {"lite0": 4.0, "resnext50": 1.5}
TRAINING = {0: 3.0, 1: 1.9, 2: 1.0}  # by the first layer group that learns: everything, the late layers, the head
USUAL_PER_S = 170.0  # a guess for two cores with bf16: a ResNet-34 looks at 47 pictures a second
DECODING_S, HEAD_S = 0.003, 0.0002  # a picture decoded, a picture through the head
EVALUATED = 64  # training pictures that are looked at again after an epoch
FINDER_PICTURES = 40 * 16
WIDE = 1.6  # the truth lies within this factor of a guess


@dataclass(frozen=True)
class Speed:
    """Billions of multiply-adds a second, and how many of one's own epochs that was measured on (0: a guess)."""

    per_s: float = USUAL_PER_S
    epochs: int = 0


@dataclass(frozen=True)
class Estimate:
    """Seconds in all and by stage; `without_cache_s`: with no activations kept, so the body runs in every epoch."""

    seconds: float
    per_stage: tuple[float, ...]
    without_cache_s: float


def estimate(settings: TrainSettings, *, train: int, valid: int, speed: Speed | None = None) -> Estimate:
    """The seconds that a run takes on so many pictures (`train` before a share of them is taken)."""
    speed = speed or Speed()
    used = max(1, round(train * settings.train_share))
    first_look: set[int | None] = set()
    per_stage, without = [], 0.0
    for stage in settings.resolved:
        seconds = 0.0 if stage.image_size in first_look else DECODING_S * (used + valid)
        first_look.add(stage.image_size)
        body = work(settings.backbone, stage, used, valid) / speed.per_s
        if stage.find_lr and not stage.frozen:
            body += FINDER_PICTURES * _per_picture(settings.backbone, stage) * TRAINING[stage.first_group] / speed.per_s
        head = HEAD_S * stage.epochs * (used + valid)
        per_stage.append(seconds + body + head)
        without += seconds + head + work(settings.backbone, stage, used, valid, kept=False) / speed.per_s
    return Estimate(sum(per_stage), tuple(per_stage), max(without, sum(per_stage)))


def work(backbone: str, stage: Stage, train: int, valid: int, *, kept: bool = True) -> float:
    """Billions of multiply-adds of a resolved stage. With `kept` a cached stage sees every picture once."""
    if kept and stage.cached:
        return _per_picture(backbone, stage) * (train + valid)
    return stage.epochs * epoch_work(backbone, stage, train, valid)


def epoch_work(backbone: str, stage: Stage, train: int, valid: int) -> float:
    """Billions of multiply-adds of one epoch in which the body runs: steps, exam, and training pictures measured."""
    again = min(EVALUATED, train) + (0 if stage.frozen else valid)
    return _per_picture(backbone, stage) * (TRAINING[stage.first_group] * train + again)


def _per_picture(backbone: str, stage: Stage) -> float:
    size = stage.image_size or 224
    return FORWARD[backbone] * HEAVIER.get(backbone, 1.0) * (size / 224) ** 2


def measured_speed(done: Sequence[tuple[TrainSettings, int, int, Sequence[tuple[int, float]]]]) -> Speed:
    """The speed of this computer by runs that it has done; a guess where none of their epochs ran the body.

    Each run is its settings, its training and validation pictures, and (stage, seconds) of each epoch.
    """
    found = [
        epoch_work(settings.backbone, settings.resolved[stage], train, valid) / seconds
        for settings, train, valid, epochs in done
        for stage, seconds in epochs
        if seconds > 0 and not settings.resolved[stage].cached
    ]
    return Speed(statistics.median(found), len(found)) if found else Speed()
