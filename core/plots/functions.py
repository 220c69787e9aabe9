"""Curves through points: fits in; options of ECharts figures out, one panel for each fit and losses over capacity.

Training points are grey and full, those of the exam ink and hollow. Too little is blue and dashed, right is green and
solid, too much is vermilion and dotted, as on every page.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from core.plots.charts import EXACT, Spec, legend, plain, value_axis
from core.plots.style import LINES, MARKS, Look

HIGH = 2.4  # the axis of heights ends there, and what lies beyond is drawn at its edge
FLOOR, CEILING = 1e-3, 1e3  # of the axis of losses
ROLES: Mapping[str, tuple[str, str]] = {
    "under": ("too_low", "Too little"),
    "right": ("good", "About right"),
    "over": ("too_high", "Too much"),
}  # what each panel is for: its meaning among the colours, and its title
_FAINT_LINES = 5  # other draws of the points that are drawn


def style_of(role: str, look: Look) -> tuple[str, str, str]:
    """Colour, line and mark of "under", "right" or "over"."""
    meaning = ROLES[role][0]
    return getattr(look, meaning), LINES[meaning], MARKS[meaning]


def fit_figure(
    role: str,
    fine: np.ndarray,
    curve: np.ndarray,
    *,
    target: np.ndarray,
    train: tuple[np.ndarray, np.ndarray],
    valid: tuple[np.ndarray, np.ndarray],
    others: np.ndarray,
    look: Look,
) -> Spec:
    """One panel: the points of both halves, the target, the fit over `fine` (m,), and fits of other draws (d, m)."""
    colour, kind, _ = style_of(role, look)
    faint = [
        {**_line(f"other points {number}", fine, other, {"color": colour, "width": 1, "opacity": 0.28}), "silent": True}
        for number, other in enumerate(others[:_FAINT_LINES])
    ]
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "grid": [{"left": 30, "right": 8, "top": 8, "bottom": 24, **EXACT}],
        "xAxis": [{**_axis(look), "min": -1, "max": 1, "interval": 1}],
        "yAxis": [{**_axis(look), "min": -HIGH, "max": HIGH, "interval": HIGH}],
        "series": [
            *faint,
            _line("target", fine, target, {"color": look.training, "width": 1.5, "type": [2, 4]}),
            _line("fit", fine, curve, {"color": colour, "width": 3, "type": kind}),
            _dots("training", *train, {"color": look.training}, 7),
            _dots("exam", *valid, {"color": look.paper, "borderColor": look.ink, "borderWidth": 1.5}, 7),
        ],
    }


def _axis(look: Look) -> Spec:
    axis = value_axis(look, "")
    axis["axisLabel"] = {**axis["axisLabel"], "formatter": "{value}", "showMinLabel": True, "showMaxLabel": True}
    return axis


def _line(name: str, x: np.ndarray, y: np.ndarray, style: Spec) -> Spec:
    data = [[plain(one), plain(other)] for one, other in zip(x, np.clip(y, -HIGH, HIGH), strict=True)]
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "lineStyle": style,
        "itemStyle": {"color": style["color"]},
        "data": data,
    }


def _dots(name: str, x: np.ndarray, y: np.ndarray, style: Spec, size: int) -> Spec:
    data = [[plain(one), plain(other)] for one, other in zip(x, np.clip(y, -HIGH, HIGH), strict=True)]
    return {"name": name, "type": "scatter", "symbolSize": size, "itemStyle": style, "silent": True, "data": data}


def capacity_figure(
    capacities: Sequence[int],
    train: Sequence[float],
    valid: Sequence[float],
    pins: Mapping[str, int],
    *,
    axis: str,
    look: Look,
) -> Spec:
    """Both losses over capacity, on a logarithmic axis, with a mark at each of the pinned ones."""
    names = [str(capacity) for capacity in capacities]
    across = value_axis(look, axis, gap=24)
    across["splitLine"] = {"show": False}
    up = {**value_axis(look, ""), "type": "log", "min": FLOOR, "max": CEILING}
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "legend": {**legend(["training loss", "exam loss"], look), "right": 0, "left": "auto", "top": 0},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "grid": [{"left": 52, "right": 12, "top": 30, "bottom": 42, **EXACT}],
        "xAxis": [{**across, "type": "category", "data": names, "boundaryGap": True}],
        "yAxis": [up],
        "series": [
            _losses("training loss", train, {"color": look.training, "width": 2, "type": "dashed"}, "emptyCircle"),
            _losses("exam loss", valid, {"color": look.validation, "width": 2.5, "type": "solid"}, "circle"),
            *(_pin(role, list(capacities).index(capacity), valid, look) for role, capacity in pins.items()),
        ],
    }


def _losses(name: str, losses: Sequence[float], style: Spec, symbol: str) -> Spec:
    data = [plain(min(CEILING, max(FLOOR, loss))) if math.isfinite(loss) else None for loss in losses]
    return {
        "name": name,
        "type": "line",
        "symbol": symbol,
        "symbolSize": 5,
        "lineStyle": style,
        "itemStyle": {"color": style["color"]},
        "data": data,
    }


def _pin(role: str, place: int, valid: Sequence[float], look: Look) -> Spec:
    colour, _, mark = style_of(role, look)
    label = {"show": True, "formatter": mark, "color": colour, "fontSize": look.font_px + 5, "position": "inside"}
    return {
        "name": ROLES[role][1],
        "type": "scatter",
        "symbol": "circle",
        "symbolSize": 22,
        "silent": True,
        "tooltip": {"show": False},
        "itemStyle": {"color": look.paper, "borderColor": colour, "borderWidth": 2},
        "label": label,
        "z": 5,
        "data": [[place, plain(min(CEILING, max(FLOOR, valid[place])))]],
    }
