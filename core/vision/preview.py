"""Previews: stored pictures and settings in, arrays to look at out.

What a page shows of a batch goes through the functions that training uses, in their order: decode, augment, normalise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.data.pixels import decode
from core.vision.augment import Augment, augment_batch
from core.vision.backbones import backbone_of


@dataclass(frozen=True)
class Batch:
    """A batch as a model gets it. `drawn` (B, S, S, 3) uint8: its numbers turned back into pictures.

    `low`, `middle`, `high` (B, 3): the least, the mean and the largest number of each picture's red, green and blue.
    `x` and `y` describe the two tensors: shape, number format, bytes.
    """

    drawn: np.ndarray
    low: np.ndarray
    middle: np.ndarray
    high: np.ndarray
    x: tuple[tuple[int, ...], str, int]
    y: tuple[tuple[int, ...], str, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def batch_of(
    paths: Sequence[Path],
    targets: Sequence[int],
    *,
    backbone: str,
    size: int,
    augment: Augment | None = None,
    seed: int = 0,
) -> Batch:
    """The tensors x (B, 3, size, size) and y (B,) of these pictures and class numbers, ready to be looked at."""
    chosen = backbone_of(backbone)
    pixels = torch.from_numpy(np.stack([decode(path, size) for path in paths])).permute(0, 3, 1, 2)
    if augment is not None:
        pixels = augment_batch(pixels, augment, generator=torch.Generator().manual_seed(seed))
    x = normalise(pixels, chosen.mean, chosen.std)
    y = torch.tensor(list(targets), dtype=torch.int64)
    return Batch(
        drawn=drawn(x, chosen.mean, chosen.std),
        low=x.amin((2, 3)).numpy(),
        middle=x.mean((2, 3)).numpy(),
        high=x.amax((2, 3)).numpy(),
        x=_described(x),
        y=_described(y),
        mean=chosen.mean,
        std=chosen.std,
    )


def normalise(pixels: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> torch.Tensor:
    """Pixels (B, 3, S, S), uint8 0..255 or float 0..1, to the scale that a network's weights were trained with."""
    x = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels
    return (x - _channels(mean)) / _channels(std)


def drawn(x: torch.Tensor, mean: Sequence[float], std: Sequence[float]) -> np.ndarray:
    """The inverse of `normalise`, as uint8 pictures (B, S, S, 3)."""
    back = ((x * _channels(std) + _channels(mean)) * 255).round().clamp(0, 255)
    return back.to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def _channels(values: Sequence[float]) -> torch.Tensor:
    return torch.tensor(list(values)).view(1, 3, 1, 1)


def _described(tensor: torch.Tensor) -> tuple[tuple[int, ...], str, int]:
    return tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."), tensor.nbytes


def versions_of(path: Path, augment: Augment, *, size: int, seed: int, count: int = 6) -> np.ndarray:
    """`count` augmented versions of one stored picture, uint8 (count, size, size, 3); the same seed, the same ones."""
    pixels = torch.from_numpy(decode(path, size).copy()).permute(2, 0, 1)[None].repeat(count, 1, 1, 1)
    changed = augment_batch(pixels, augment, generator=torch.Generator().manual_seed(seed))
    return (changed * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
