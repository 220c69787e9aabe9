"""A heat map over its picture: two arrays in, one picture out, in the colours of every map in the app."""

from __future__ import annotations

import numpy as np
from PIL import Image

from core.plots.style import SEQUENTIAL

STRENGTH = 0.7  # how much of the picture's own colour a map's highest place covers


def overlay(seen: np.ndarray, heat: np.ndarray) -> Image.Image:
    """A picture (S, S, 3) uint8 with a map (h, w) in 0..1 laid over it: grey where nothing speaks, bright where most.

    The colours get lighter with the value, so that they read without their hue as well.
    """
    side = (seen.shape[1], seen.shape[0])
    smooth = Image.fromarray((255 * np.clip(heat, 0, 1)).astype(np.uint8)).resize(side, Image.Resampling.BICUBIC)
    value = np.asarray(smooth, dtype=np.float32)[..., None] / 255
    grey = seen.mean(axis=2, keepdims=True) * 0.6 + seen * 0.4
    cover = STRENGTH * value
    mixed = grey * (1 - cover) + colours(value[..., 0]) * cover
    return Image.fromarray(mixed.round().astype(np.uint8))


def colours(values: np.ndarray) -> np.ndarray:
    """Values in 0..1 of any shape to colours of the scale, 0..255 in a last axis of 3."""
    anchors = np.array([[int(one[at : at + 2], 16) for at in (1, 3, 5)] for one in SEQUENTIAL], dtype=np.float32)
    places = np.linspace(0, 1, len(anchors))
    return np.stack([np.interp(values, places, anchors[:, channel]) for channel in range(3)], axis=-1)
