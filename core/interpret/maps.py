"""What a map of evidence says in numbers: two maps of one picture in, how well they agree, where and how wide out."""

from __future__ import annotations

import numpy as np
import pandas as pd
from PIL import Image

AGREES, PARTLY = 0.5, 0.25  # of a rank correlation: maps of two different pictures have about 0.23
_FINE = 56  # cells on a side in which areas are counted
_ROWS, _COLUMNS = ("top", "middle", "bottom"), ("left", "middle", "right")


def resized(heat: np.ndarray, side: int) -> np.ndarray:
    """A map (h, w) as (side, side) float32, smooth between the middles of its cells, within its own range."""
    image = Image.fromarray(np.asarray(heat, dtype=np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    found: np.ndarray = np.clip(np.asarray(image), float(heat.min()), float(heat.max()))
    return found


def agreement(heat: np.ndarray, falls: np.ndarray) -> float | None:
    """Spearman's rank correlation, -1..1, of a map (h, w) with what covering showed (n, n); None if one is flat.

    1 when both put all places into the same order, 0 when one says nothing about the other.
    """
    both = [pd.Series(values.ravel()).rank().to_numpy() for values in (resized(heat, len(falls)), falls)]
    if any(np.ptp(ranks) == 0 for ranks in both):
        return None
    return float(np.corrcoef(*both)[0, 1])


def verdict(correlation: float | None) -> str:
    """An agreement as "agrees", "partly", "disagrees" or, without one, "flat"."""
    if correlation is None:
        return "flat"
    return "agrees" if correlation >= AGREES else "partly" if correlation >= PARTLY else "disagrees"


def half_area(heat: np.ndarray) -> float:
    """The least share of the picture, 0..1, that holds half of a map's evidence; 0 for a map without any."""
    fine = np.sort(np.maximum(resized(heat, _FINE), 0).ravel())[::-1]
    if fine.sum() <= 0:
        return 0.0
    return float((np.searchsorted(fine.cumsum(), fine.sum() / 2) + 1) / fine.size)


def peak_place(heat: np.ndarray) -> str:
    """Where a map is highest, by thirds of the picture: "top left", "middle", or "bottom" for the bottom's middle."""
    fine = resized(_blurred(heat), _FINE)
    down, across = np.unravel_index(int(fine.argmax()), fine.shape)
    row, column = _ROWS[3 * int(down) // _FINE], _COLUMNS[3 * int(across) // _FINE]
    words = [word for word in (row, column) if word != "middle"]
    return " ".join(words) or "middle"


def _blurred(heat: np.ndarray) -> np.ndarray:
    """The mean of each place and the eight around it, so that of many equally high places a lone one does not count."""
    wide = np.pad(np.maximum(heat, 0), 1)
    rows, columns = heat.shape
    found: np.ndarray = sum(wide[y : y + rows, x : x + columns] for y in range(3) for x in range(3)) / 9
    return found


def shown(values: np.ndarray) -> np.ndarray:
    """Any map as 0..1 for an overlay: nothing up to its middle value, all at its highest; zeros for a flat one."""
    above = np.maximum(np.asarray(values, dtype=np.float32) - np.float32(np.median(values)), 0)
    peak = float(above.max())
    found: np.ndarray = above / peak if peak > 0 else above
    return found


def shown_falls(falls: np.ndarray) -> np.ndarray:
    """What covering showed as 0..1 for an overlay: the deepest fall is 1, no fall and a rise are 0."""
    deepest = float(falls.max())
    return np.maximum(falls, 0) / deepest if deepest > 0 else np.zeros_like(falls)
