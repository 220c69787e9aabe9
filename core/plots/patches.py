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


def sheet(cuts: Sequence[np.ndarray], px: int, columns: int, gap: int = 3) -> np.ndarray:
    """Square pictures in rows as one, uint8 (h, w, 3), each `px` pixels wide, with `gap` grey ones between."""
    rows = -(-len(cuts) // columns)
    made = Image.new("RGB", (columns * (px + gap) - gap, rows * (px + gap) - gap), (128, 128, 128))
    for number, one in enumerate(cuts):
        place = (number % columns * (px + gap), number // columns * (px + gap))
        made.paste(Image.fromarray(one).resize((px, px), Image.Resampling.BICUBIC), place)
    return np.asarray(made)
