"""Activations of the pictures of a table, in its order: kept ones where the body is as published, else computed now."""

from __future__ import annotations

from collections.abc import Generator

import pandas as pd
import torch

from core.data.events import Progress
from core.data.table import Dataset
from core.train.source import Part, Source, Stop
from core.vision.backbones import backbone_of
from core.vision.device import Device
from core.vision.features import FeatureStore
from core.vision.model import Classifier, build_model, freeze_to, watched

FALLBACK = "lite0"  # carries its weights with it
Activations = Generator[Progress, None, torch.Tensor]


def body_activations(
    model: Classifier,
    dataset: Dataset,
    items: pd.DataFrame,
    *,
    size: int,
    device: Device,
    pristine: bool,
    stop: Stop = lambda: False,
) -> Activations:
    """Rows (n, 2 * features) for `items`, on the device. `pristine`: the body's weights are as published.

    Only then are activations taken from the store that training fills, and put there. Raises Stopped within a batch
    after `stop()` turns true; what was computed until then is kept.
    """
    freeze_to(model, -1)
    hashes = list(items["file"])
    if not hashes:
        return torch.zeros((0, 2 * model.backbone.features), device=device.torch)
    part = Part(hashes, [dataset.image_path(sha) for sha in hashes], torch.zeros(len(hashes), dtype=torch.int64))
    source = Source(part, Part([], [], torch.zeros(0, dtype=torch.int64)), size, device, stop)
    store = None
    if pristine:
        cache, weights_id = dataset.workspace.cache, model.backbone.weights_id
        store = FeatureStore.at(cache, weights_id=weights_id, size=size, device=device)
    with watched(model, source.check_stop):
        yield from source.prepare_features(model, store, sides=("train",))
    if part.features is None:
        raise RuntimeError("activations were not prepared")
    return part.features


def published_activations(
    name: str,
    dataset: Dataset,
    items: pd.DataFrame,
    *,
    size: int,
    device: Device,
    stop: Stop = lambda: False,
) -> Activations:
    """Rows for `items` from the published weights of a backbone, or of FALLBACK where those are not on this computer.

    A body that was trained on these pictures has seen their labels. The published one has not.
    """
    ready = backbone_of(name).is_ready()
    model = build_model(name if ready else FALLBACK, ("", " "), seed=0).to(device.torch)
    return (yield from body_activations(model, dataset, items, size=size, device=device, pristine=True, stop=stop))
