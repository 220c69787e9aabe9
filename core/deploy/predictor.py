"""Predictions: pictures in, labels with probabilities and the time they took out. One picture needs no GPU."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from core.data.images import LONGEST_SIDE, open_image
from core.data.pixels import square
from core.deploy.bundle import Bundle
from core.errors import ModelError
from core.train.checkpoint import restore_model
from core.vision.device import pick_device

Picture = Image.Image | bytes | Path


@dataclass(frozen=True)
class Prediction:
    """`probabilities` by label, in the model's order, summing to 1; `ms`: from opening the picture to the answer."""

    label: str
    probabilities: dict[str, float]
    ms: float

    @property
    def probability(self) -> float:
        """How sure the model is of its answer, 0..1."""
        return self.probabilities[self.label]


def opened(image: Picture) -> Image.Image:
    """An upright picture, no larger than the model's own pictures were stored; ImageRejected when it is none."""
    return image if isinstance(image, Image.Image) else open_image(image, longest_side=LONGEST_SIDE)


def _round_once(body: nn.Module) -> None:
    """Keep the weights of convolutions in bfloat16: autocast would round them anew, to the same, for every picture.

    For ResNet-34 that takes about a third of an answer's time.
    """
    for layer in body.modules():
        if isinstance(layer, nn.Conv2d):
            layer.weight.data = layer.weight.data.bfloat16()


class Predictor:
    """A model ready to answer. Safe to call from several threads: it only reads."""

    def __init__(self, bundle: Bundle, *, device: str = "cpu", precision: str = "auto") -> None:
        self.classes = bundle.classes
        self.size = int(bundle.checkpoint.meta["image_size"])
        self.device = pick_device(device, precision)
        self.model = restore_model(bundle.checkpoint).to(self.device.torch)
        if self.device.bf16:
            _round_once(self.model.body)

    def predict(self, images: Sequence[Picture]) -> list[Prediction]:
        """One answer per picture; ImageRejected for the first that cannot be opened."""
        return [self._predict_one(image) for image in images]

    def _predict_one(self, image: Picture) -> Prediction:
        began = time.perf_counter()
        image = opened(image)
        probs = self._probabilities(image)
        best = int(np.argmax(probs))
        by_label = dict(zip(self.classes, probs.tolist(), strict=True))
        return Prediction(self.classes[best], by_label, 1000 * (time.perf_counter() - began))

    def pixels(self, image: Image.Image) -> torch.Tensor:
        """What the model sees of an upright picture, (1, 3, S, S) uint8."""
        return torch.from_numpy(square(image.convert("RGB"), self.size).copy()).permute(2, 0, 1)[None]

    def activations(self, image: Image.Image) -> np.ndarray:
        """What the body gives for an upright picture, (2 * features,) float32."""
        found: np.ndarray = self._pooled(image)[0].cpu().numpy()
        return found

    @torch.inference_mode()
    def _probabilities(self, image: Image.Image) -> np.ndarray:
        """Probabilities (classes,) of an upright picture."""
        probs = self.model.head(self._pooled(image)).softmax(1)[0].cpu().double().numpy()
        if not np.isfinite(probs).all():  # weights so large that their sums are beyond all numbers
            raise ModelError("This model gives no numbers for this picture.", hint="Train it again, at a lower rate.")
        return probs

    @torch.inference_mode()
    def _pooled(self, image: Image.Image) -> torch.Tensor:
        with self.device.autocast():
            return self.model.pooled(self.pixels(image).to(self.device.torch)).float()
