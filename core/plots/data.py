"""Figures of a data set: counts, sizes and shapes in; bars as HTML and options of ECharts figures out.

Class bars are plain boxes with text beside them, so that two classes and two hundred read alike, long names wrap and
a name is never anything but text. The style sheet of the app dresses the classes used here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.plots.style import Look, esc

Spec = dict[str, Any]
AT_ONCE = 9  # classes that fit beside the words about them
SIDE_STEP = 32  # pixels: the edges of the bins of widths and heights
SHAPE_STEP = 0.2  # in powers of two: 4:3, 3:2, 16:9 and 2:1 get a bin each
SHAPE_REACH = 10  # bins on each side of a square; the last one, 1:4 or 4:1, holds all that is longer still
_SHAPE_NAMES = {-10: "1:4", -5: "1:2", 0: "1:1", 5: "2:1", 10: "4:1"}


def class_bars(counts: pd.DataFrame, *, faces: Mapping[str, str] | None = None) -> str:
    """One stacked bar per class: what is learned from, then what is set aside. `counts`: see `class_counts`.

    `faces` has the address of a picture for a class. The longest bar is the largest class, whatever its size.
    """
    longest = max(1, int(counts["total"].max())) if len(counts) else 1
    rows = "".join(_class_bar(row, longest, (faces or {}).get(str(row.Index))) for row in counts.itertuples())
    kind = "counts many" if len(counts) > AT_ONCE else "counts"  # the style sheet lets many scroll
    return f'<div class="{kind}" role="list" tabindex="0" aria-label="Pictures of each class">{rows}</div>'


def _class_bar(row: Any, longest: int, face: str | None) -> str:
    name = esc(row.Index)
    picture = f'<img src="{face}" alt="" loading="lazy">' if face else "<span></span>"
    parts = "".join(f'<i style="width:{100 * part / longest:.2f}%"></i>' for part in (row.train, row.valid))
    said = f"{row.total:,}: {row.train:,} to learn from, {row.valid:,} for the exam"
    return (
        f'<div class="count" role="listitem" title="{name}: {said}">{picture}<span class="count-name">{name}</span>'
        f'<span class="count-track">{parts}</span>'
        f'<span class="count-value"><b>{row.total:,}</b><small>{row.train:,} + {row.valid:,}</small></span></div>'
    )


def side_bins(pixels: Sequence[int] | np.ndarray, longest: int) -> np.ndarray:
    """How many widths or heights lie in each bin of SIDE_STEP pixels from 0 to `longest`, which the last bin holds."""
    places = np.minimum(np.asarray(pixels, int) // SIDE_STEP, longest // SIDE_STEP - 1)
    return np.bincount(places, minlength=longest // SIDE_STEP)


def shape_bins(ratios: Sequence[float] | np.ndarray) -> np.ndarray:
    """How many shapes (width over height) lie in each of the 21 bins from 1:4 to 4:1; the middle one is a square."""
    places = np.rint(np.log2(np.asarray(ratios, float)) / SHAPE_STEP).astype(int)
    return np.bincount(np.clip(places, -SHAPE_REACH, SHAPE_REACH) + SHAPE_REACH, minlength=2 * SHAPE_REACH + 1)


def sides_figure(pixels: Sequence[int] | np.ndarray, *, side: str, longest: int, look: Look) -> Spec:
    """A histogram of widths or heights; `side` says which, `longest` is the most pixels that are stored."""
    found = side_bins(pixels, longest)
    last = len(found) - 1
    names = [
        f"{side} {SIDE_STEP * place} to {SIDE_STEP * (place + 1) - (place != last)} pixels"
        for place in range(len(found))
    ]
    scale = _axis(look, f"{side} in pixels")
    scale.update(type="value", min=0, max=longest, interval=longest / 4, position="bottom")
    bands = {"type": "category", "data": names, "show": False}
    return _histogram(found, names, [bands, scale], look)


def shapes_figure(ratios: Sequence[float] | np.ndarray, look: Look) -> Spec:
    """A histogram of shapes, from tall to wide; equal steps are equal factors."""
    found = shape_bins(ratios)
    places = range(-SHAPE_REACH, SHAPE_REACH + 1)
    axis = _axis(look, "width : height")
    axis.update(type="category", data=[_SHAPE_NAMES.get(place, "") for place in places])
    axis["axisLabel"].update(interval=0)
    return _histogram(found, [_shape_words(place) for place in places], [axis], look)


def _shape_words(place: int) -> str:
    if place == 0:
        return "square, or nearly"
    factor = 2 ** (abs(place) * SHAPE_STEP)
    more = " or more" if abs(place) == SHAPE_REACH else ""
    return f"about {factor:.2g} times as {'wide as tall' if place > 0 else 'tall as wide'}{more}"


def _histogram(found: np.ndarray, names: Sequence[str], axes: list[Spec], look: Look) -> Spec:
    pictures = _axis(look, "pictures")
    pictures.update(type="value", min=0, minInterval=1, splitNumber=3, nameLocation="end", nameGap=12)
    pictures["splitLine"] = {"show": True, "lineStyle": {"color": look.faint, "width": 1}}
    # the longest number on the left decides the margin, so that all figures of a row begin at the same place
    left = 14 + round(0.62 * look.font_px * max(4, len(f"{found.sum():,}")))
    margins = {"left": left, "right": 18, "top": 34, "bottom": 34 + look.font_px}
    bars = [{"value": int(count), "name": name} for count, name in zip(found, names, strict=True)]
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "tooltip": {"trigger": "item", "formatter": "{b}<br><b>{c}</b> pictures", "confine": True},
        "grid": [{**margins, "containLabel": False, "outerBoundsMode": "none"}],
        "xAxis": axes,
        "yAxis": [pictures],
        "series": [
            {
                "name": "pictures",
                "type": "bar",
                "barCategoryGap": "8%",
                "itemStyle": {"color": look.brand, "borderRadius": [2, 2, 0, 0]},
                "data": bars,
            }
        ],
    }


def _axis(look: Look, name: str) -> Spec:
    text = {"fontSize": look.font_px, "color": look.ink}
    return {
        "name": name,
        "nameLocation": "middle",
        "nameGap": 26,
        "nameTextStyle": text,
        "axisLabel": {**text, "hideOverlap": True},
        "axisLine": {"show": True, "lineStyle": {"color": look.faint}},
        "axisTick": {"show": False},
        "splitLine": {"show": False},
    }


CHANNELS = ("red", "green", "blue")


def channel_ranges(low: Sequence[float], middle: Sequence[float], high: Sequence[float], *, reach: float) -> str:
    """Red, green and blue of one picture as three lines from the least to the largest number, with a dot at the mean.

    The lines lie on a scale from -reach to reach; zero is marked.
    """

    def at(value: float) -> float:
        return 50 + 50 * max(-1.0, min(1.0, value / reach))

    rows = []
    for name, least, mean, most in zip(CHANNELS, low, middle, high, strict=True):
        said = f"{name}: {least:.2f} to {most:.2f}, mean {mean:.2f}"
        line = f'<i style="left:{at(least):.1f}%;right:{100 - at(most):.1f}%"></i><b style="left:{at(mean):.1f}%"></b>'
        rows.append(f'<span class="range {name}" role="img" aria-label="{said}" title="{said}">{line}</span>')
    return f'<div class="ranges">{"".join(rows)}</div>'
