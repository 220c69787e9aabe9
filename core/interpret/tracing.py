"""The numbers on the way from pictures to an answer: a model and a batch in, every tensor that matters out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from core.vision.device import Device
from core.vision.model import Classifier, pool


@dataclass(frozen=True)
class Trace:
    """What stands between B pictures and their K scores, as float32 arrays on the CPU.

    `pixels` (B, 3, S, S) uint8; `mean` and `std` (3,) of the normalisation, for pixels in 0..1; `normalised`
    (B, 3, S, S); `maps`, the shape of the body's last map; `pooled` (B, 2 * features); `hidden` (B, 512), what the
    last layer gets; `weights` (K, 512), that layer; `scores` (B, K) = hidden @ weights.T; `classes` in their order.
    """

    pixels: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    normalised: np.ndarray
    maps: tuple[int, ...]
    pooled: np.ndarray
    hidden: np.ndarray
    weights: np.ndarray
    scores: np.ndarray
    classes: tuple[str, ...]


@torch.inference_mode()
def trace(model: Classifier, pictures: Sequence[torch.Tensor], *, device: Device) -> Trace:
    """Run `pictures`, each (n, 3, S, S) uint8, through a model as one batch, and keep the tensors on the way."""
    model.eval()
    pixels = torch.cat(list(pictures))
    images = pixels.to(device.torch)
    with device.autocast():
        maps = model.maps(images)
    pooled = pool(maps)
    *before, last = model.head
    hidden = pooled
    for layer in before:
        hidden = layer(hidden)
    return Trace(
        pixels=pixels.numpy(),
        mean=_array(model.mean.flatten()),
        std=_array(model.std.flatten()),
        normalised=_array(model.normalise(images)),
        maps=tuple(maps.shape),
        pooled=_array(pooled),
        hidden=_array(hidden),
        weights=_array(last.weight),
        scores=_array(last(hidden)),
        classes=model.classes,
    )


def _array(tensor: torch.Tensor) -> np.ndarray:
    found: np.ndarray = tensor.detach().float().cpu().contiguous().numpy()
    return found
