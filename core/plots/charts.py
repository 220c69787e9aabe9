"""What figures over epochs share: axes, lines and a legend, as options of an ECharts figure."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from core.plots.style import Look

Spec = dict[str, Any]
SIDE, TOP, BOTTOM = 60, 46, 52  # pixels
EXACT: Spec = {"containLabel": False, "outerBoundsMode": "none"}  # the margins above hold the labels already


def legend(names: list[str], look: Look) -> Spec:
    """The names of series, in a row above the figure."""
    text = {"fontSize": look.font_px, "color": look.ink}
    return {"data": names, "top": 4, "left": 0, "itemGap": 14, "textStyle": text, "selectedMode": False}


def epoch_axis(total: int, look: Look, grid: int, *, labels: bool = True) -> Spec:
    """All epochs from the first moment on, with at most about twelve numbers."""
    axis = value_axis(look, "epochs" if labels else "")
    step = max(1, math.ceil(total / 12))
    axis.update(gridIndex=grid, min=0, max=total, interval=step, nameLocation="middle", nameGap=30)
    axis["axisLabel"]["show"] = labels
    axis["splitLine"]["show"] = True
    return axis


def value_axis(look: Look, name: str, *, gap: int = 40) -> Spec:
    """An axis of values with its name along it, `gap` pixels away."""
    text = {"fontSize": look.font_px, "color": look.ink}
    return {
        "type": "value",
        "name": name,
        "nameLocation": "middle",
        "nameGap": gap,
        "nameTextStyle": text,
        "axisLabel": {**text, "hideOverlap": True},
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"show": True, "lineStyle": {"color": look.faint, "width": 1}},
    }


def line(name: str, xs: pd.Series, ys: pd.Series, style: Spec, place: Spec) -> Spec:
    """A line without marks. `style` is that of ECharts, `place` says which axes it belongs to."""
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "lineStyle": style,
        "itemStyle": {"color": style["color"]},
        "data": pairs(xs, ys),
        **place,
    }


def pairs(xs: pd.Series, ys: pd.Series) -> list[list[float | None]]:
    """Points as plain numbers; one that is not finite becomes a gap."""
    return [[plain(x), plain(y)] for x, y in zip(xs, ys, strict=True)]


def plain(value: float) -> float | None:
    """A number in five digits; None for one that is not finite."""
    return float(f"{value:.5g}") if math.isfinite(value) else None
