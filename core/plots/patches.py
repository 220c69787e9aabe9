"""Cuts out of pictures: where a channel answered most in, the part of the picture that it saw there out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

LEAST, MOST = 1 / 7, 4 / 7  # of the picture's side
CELLS = 6  # places of a map that a cut is wide: about what a channel there goes by


def cut(seen: np.ndarray, place: int, side: int) -> np.ndarray:
    """The square of a picture (S, S, 3) around place number `place` of a map of side x side, moved inside at the edge.

    It is six places wide, but at least a seventh and at most four sevenths of the picture: deep maps have few places,
    and each of them sees far around.
    """
    size = len(seen)
    wide = max(1, round(size * min(MOST, max(LEAST, CELLS / side))))
    starts = [
        min(size - wide, max(0, round((at + 0.5) * size / side - wide / 2))) for at in (place // side, place % side)
    ]
    return seen[starts[0] : starts[0] + wide, starts[1] : starts[1] + wide]


def strip(cuts: Sequence[np.ndarray], px: int, gap: int = 2) -> Image.Image:
    """Square pictures side by side as one, each `px` pixels wide, `gap` white pixels between them."""
    made = Image.new("RGB", (len(cuts) * (px + gap) - gap, px), "white")
    for number, one in enumerate(cuts):
        made.paste(Image.fromarray(one).resize((px, px), Image.Resampling.BICUBIC), (number * (px + gap), 0))
    return made
