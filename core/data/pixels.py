"""Pixels: stored pictures in, uint8 tensors out. Each picture is decoded once and kept as bytes, not as floats.

A picture is resized so that its shorter side fits and its centre is kept: what the model sees is `size` x `size`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from core.errors import DataError

DECODE_THREADS = min(8, os.cpu_count() or 1)


def square(image: Image.Image, size: int) -> np.ndarray:
    """The centre of an RGB picture as a uint8 array (size, size, 3); the shorter side is scaled to `size`."""
    width, height = image.size
    edge = min(width, height)
    left, top = (width - edge) // 2, (height - edge) // 2
    box = (left, top, left + edge, top + edge)
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0))


def decode(path: Path, size: int) -> np.ndarray:
    """A stored JPEG as a uint8 array (size, size, 3), decoded at reduced scale where that loses nothing."""
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            image.draft("RGB", (size, size))
            return square(image.convert("RGB"), size)
    except OSError as error:
        raise DataError(
            f"The stored picture {path.name[:12]}… is missing or damaged.", hint="Import the pictures again."
        ) from error


def decode_all(paths: Sequence[Path], size: int, *, batch: int = 32) -> Iterator[torch.Tensor]:
    """Decode in threads, in order: yields uint8 tensors (up to `batch`, 3, size, size), channels last in memory."""
    with ThreadPoolExecutor(DECODE_THREADS) as pool:
        pending = [pool.submit(decode, path, size) for path in paths[: 2 * batch]]
        for start in range(0, len(paths), batch):
            ahead = paths[start + 2 * batch : start + 3 * batch]
            pending += [pool.submit(decode, path, size) for path in ahead]
            ready = [pending.pop(0).result() for _ in range(min(batch, len(paths) - start))]
            yield torch.from_numpy(np.stack(ready)).permute(0, 3, 1, 2)
