"""The panels of the lab: tables of a run in, options of a small ECharts figure out. All share one axis of loss."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from core.plots.bands import Band, band_area
from core.plots.charts import EXACT, Spec, pairs, value_axis
from core.plots.style import Look
from core.plots.training import thin

FLOOR, CEILING = 1e-3, 1e4
_POINTS = 80
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 26  # pixels


def shared_range(tables: Sequence[pd.DataFrame]) -> tuple[float, float]:
    """The powers of ten around every loss of all panels (tables with train_loss and valid_loss, in nats)."""
    values = [
        float(value)
        for table in tables
        for column in ("train_loss", "valid_loss")
        for value in table[column]
        if math.isfinite(value) and value > 0
    ]
    low, high = min(values, default=0.1), max(values, default=10.0)
    return (
        max(FLOOR, 10 ** math.floor(math.log10(low))),
        min(CEILING, 10 ** math.ceil(math.log10(max(high, 1.01 * low)))),
    )


def panel_figure(
    epochs: pd.DataFrame,
    batches: pd.DataFrame,
    *,
    total: int,
    limits: tuple[float, float],
    classes: int,
    look: Look,
    band: Band | None = None,
    height: int = 190,
) -> Spec:
    """One run: the loss of each batch as dots, training and validation loss per epoch, and the level of guessing.

    `epochs` has `at`, train_loss and valid_loss, `batches` has `at` and loss (nats); `total` epochs are planned.
    """
    low, high = limits
    axis = {**value_axis(look, ""), "type": "log", "min": low, "max": high}
    across = {**value_axis(look, ""), "min": 0, "max": total, "interval": max(1, math.ceil(total / 4))}
    few = len(epochs) <= 12
    validation: Spec = {
        "name": "validation",
        "type": "line",
        "symbol": "circle",
        "symbolSize": 7 if few else 4,
        "lineStyle": {"color": look.validation, "width": 2.5},
        "itemStyle": {"color": look.validation},
        "data": _inside(epochs["at"], epochs["valid_loss"], limits),
        "markLine": {
            "silent": True,
            "symbol": "none",
            "lineStyle": {"color": look.training, "type": "dotted", "width": 1.2},
            "label": {"show": False},
            "data": [{"yAxis": round(math.log(max(2, classes)), 4)}],
        },
    }
    if band is not None:
        validation["markArea"] = band_area(band, look, titled=False)
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "grid": [{"left": _LEFT, "right": _RIGHT, "top": _TOP, "height": height - _TOP - _BOTTOM, **EXACT}],
        "xAxis": [across],
        "yAxis": [axis],
        "series": [
            {
                "name": "each batch",
                "type": "scatter",
                "symbolSize": 4,
                "silent": True,
                "tooltip": {"show": False},
                "itemStyle": {"color": look.training, "opacity": 0.4},
                "data": _inside(thin(batches, _POINTS)["at"], thin(batches, _POINTS)["loss"], limits),
            },
            {
                "name": "training",
                "type": "line",
                "showSymbol": len(epochs) == 1,
                "lineStyle": {"color": look.training, "width": 2, "type": "dashed"},
                "itemStyle": {"color": look.training},
                "data": _inside(epochs["at"], epochs["train_loss"], limits),
            },
            validation,
        ],
    }


def _inside(xs: pd.Series, ys: pd.Series, limits: tuple[float, float]) -> list[list[float | None]]:
    """Points with what lies outside the axis drawn at its edge; what is no number becomes a gap."""
    return pairs(xs, ys.where(ys.isna(), ys.clip(*limits)))
