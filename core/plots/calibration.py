"""Whether a model is as sure as it is right, and what "not sure" buys, as options of ECharts figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.interpret.calibration import Bin, Kept
from core.plots.charts import EXACT, legend, plain, value_axis
from core.plots.style import Look, counted, share

Spec = dict[str, Any]
RIGHT, EVEN = "how often it was right", "as sure as it is right"
ANSWERED, WRONG = "answered", "wrong, of those answered"
_LEFT, _SIDE, _TOP, _BOTTOM = 52, 18, 44, 48  # pixels


def reliability_figure(bins: Sequence[Bin], look: Look) -> Spec:
    """A bar for each step of sureness: how often such answers were right, with their number on it.

    On the dashed line the model is as sure as it is right. Below it, it is too sure; above it, not sure enough.
    """
    text = {"fontSize": look.font_px, "color": look.ink}
    bands = {"type": "category", "data": [_step(one) for one in bins], "show": False}
    return {
        **_frame(look),
        "legend": legend([RIGHT, EVEN], look),
        "tooltip": {"trigger": "item", "formatter": "{b}", "confine": True},
        "xAxis": [bands, {**_percent("how sure the model was (%)", look, gap=28), "position": "bottom"}],
        "yAxis": [_percent("right (%)", look, gap=36)],
        "series": [
            {
                "name": RIGHT,
                "type": "bar",
                "barCategoryGap": "10%",
                "itemStyle": {"color": look.brand, "borderRadius": [3, 3, 0, 0]},
                "label": {"show": True, "position": "top", **text},
                "data": [_bar(one) for one in bins],
            },
            {
                "name": EVEN,
                "type": "line",
                "xAxisIndex": 1,
                "symbol": "none",
                "silent": True,
                "lineStyle": {"color": look.ink, "width": 2, "type": "dashed"},
                "itemStyle": {"color": look.ink},
                "data": [[0, 0], [100, 100]],
            },
        ],
    }


def _frame(look: Look) -> Spec:
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "grid": [{"left": _LEFT, "right": _SIDE, "top": _TOP, "bottom": _BOTTOM, **EXACT}],
    }


def _percent(name: str, look: Look, *, gap: int) -> Spec:
    return {**value_axis(look, name, gap=gap), "min": 0, "max": 100, "interval": 20}


def _step(one: Bin) -> str:
    return f"{100 * one.low:.0f} to {100 * one.high:.0f} %"


def _bar(one: Bin) -> Spec:
    """The bar of a step. The number of its answers stands on it; a step without any stays empty."""
    if one.right is None:
        return {"value": None, "name": f"{_step(one)} sure: no answer"}
    right = round(one.right * one.count)
    said = f"{_step(one)} sure: {counted(one.count, 'answer')}<br><b>{right} right</b> ({share(one.right)})"
    return {"value": plain(100 * one.right), "name": said, "label": {"formatter": f"{one.count:,}"}}


def threshold_figure(curve: Sequence[Kept], chosen: Kept, look: Look) -> Spec:
    """How many pictures get an answer, and how many of those answers are wrong, over the least probability asked for.

    `chosen` is marked. Where nothing is answered any more, no answer can be wrong, and that line ends.
    """
    answered = [[plain(100 * one.threshold), plain(100 * one.coverage)] for one in curve]
    wrong = [[plain(100 * one.threshold), plain(100 * one.error) if one.answered else None] for one in curve]
    at = 100 * chosen.threshold
    return {
        **_frame(look),
        "legend": legend([ANSWERED, WRONG], look),
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "xAxis": [_percent("not sure below (%)", look, gap=28)],
        "yAxis": [_percent("pictures (%)", look, gap=36)],
        "series": [
            {**_line(ANSWERED, answered, look.brand, "solid"), "markLine": _chosen(at, look)},
            _line(WRONG, wrong, look.ink, "dashed"),
            _point(ANSWERED, "circle", at, 100 * chosen.coverage, look.brand),
            *([_point(WRONG, "rect", at, 100 * chosen.error, look.ink)] if chosen.answered else []),
        ],
    }


def _line(name: str, data: list[list[float | None]], colour: str, kind: str) -> Spec:
    style = {"color": colour, "width": 2.5, "type": kind}
    return {"name": name, "type": "line", "symbol": "none", "lineStyle": style,
            "itemStyle": {"color": colour}, "data": data}  # fmt: skip


def _chosen(at: float, look: Look) -> Spec:
    return {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": look.attention, "width": 2, "type": "solid"},
        "label": {"show": False},
        "data": [{"xAxis": plain(at)}],
    }


def _point(name: str, symbol: str, x: float, y: float, colour: str) -> Spec:
    return {
        "name": f"{name}, chosen",
        "type": "scatter",
        "symbol": symbol,
        "symbolSize": 11,
        "silent": True,
        "tooltip": {"show": False},
        "itemStyle": {"color": colour},
        "data": [[plain(x), plain(y)]],
    }
