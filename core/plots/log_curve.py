"""The curve of a training log from anywhere: a table of epochs in, options of an ECharts figure out.

The numbers are read by `core.diagnose.curves.measure`, so that what is drawn is what was judged.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from core.diagnose.base import Finding
from core.diagnose.curves import Curves, Series, measure
from core.plots.bands import band_area, band_of
from core.plots.charts import BOTTOM, EXACT, SIDE, TOP, Spec, epoch_axis, legend, line, value_axis
from core.plots.style import Look

OFF_SCALE = 50.0  # a loss that no training that learns has: the axis turns logarithmic
MARKED_MAX = 60  # so many epochs have a mark each
LOG_CEILING = 1e10  # what lies higher leaves the figure at the top
_BETWEEN, _WIDE = 24, 130  # pixels; long numbers need a wide margin


def log_figure(epochs: pd.DataFrame, *, look: Look, finding: Finding | None = None, height: int = 360) -> Spec:
    """Losses above and, where the log has it, the share of wrong answers below, over the epochs.

    The first row of the table lies at 1. What a `finding` says to be wrong is a band over its rows. Numbers that are
    not finite are gaps.
    """
    seen = measure(epochs)
    lower = round(height * 0.22) if seen.error is not None else 0
    upper = height - TOP - BOTTOM - (lower + _BETWEEN if lower else 0)
    tops = [(TOP, upper), (TOP + upper + _BETWEEN, lower)][: 2 if lower else 1]
    total, side = max(1, seen.epochs), _margin(seen) if _exploded(seen) else SIDE
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "legend": legend(["training", "validation"], look),
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "line", "snap": True}, "valueFormatter": "%.3g"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [{"left": side, "right": SIDE, "top": top, "height": tall, **EXACT} for top, tall in tops],
        "xAxis": [epoch_axis(total + 1, look, grid, labels=grid == len(tops) - 1) for grid in range(len(tops))],
        "yAxis": [_loss_axis(seen, look), *([_error_axis(look)] if lower else [])],
        "series": [*_losses(seen, finding, total, look), *([_errors(seen.error, total, look)] if seen.error else [])],
    }


def _loss_axis(seen: Curves, look: Look) -> Spec:
    axis = {**value_axis(look, "loss"), "gridIndex": 0}
    if not _exploded(seen):
        return {**axis, "min": 0}
    return {**axis, "type": "log", "name": "loss, log scale", "max": _ceiling(seen), "nameGap": _margin(seen) - 20}


def _ceiling(seen: Curves) -> float:
    """The power of ten above all losses, as far as the axis goes."""
    return float(min(LOG_CEILING, 10 ** math.ceil(math.log10(_highest(seen) * 1.01))))


def _margin(seen: Curves) -> int:
    """Room for the longest number, in pixels."""
    return _WIDE if _ceiling(seen) > 1e5 else SIDE + 20


def _exploded(seen: Curves) -> bool:
    return _highest(seen) > OFF_SCALE


def _highest(seen: Curves) -> float:
    values = [value for series in (seen.train, seen.valid) if series is not None for value in series.values]
    return max(values, default=0.0)


def _error_axis(look: Look) -> Spec:
    return {**value_axis(look, "wrong (%)"), "gridIndex": 1, "min": 0, "splitNumber": 2}


def _losses(seen: Curves, finding: Finding | None, total: int, look: Look) -> list[Spec]:
    marks, log = {"showSymbol": total <= MARKED_MAX, "symbolSize": 7}, _exploded(seen)
    training = line("training", *_points(seen.train, total, log=log), {"color": look.training, "width": 2.5}, marks)
    validation = line("validation", *_points(seen.valid, total, log=log), {"color": look.validation, "width": 3}, marks)
    return [{**training, "symbol": "emptyCircle"}, {**validation, "symbol": "circle", **_band(finding, total, look)}]


def _band(finding: Finding | None, total: int, look: Look) -> Spec:
    """The epochs that a finding speaks of, as an area behind the curve; each reaches half way to its neighbours."""
    ends = [row + 1.0 for row in range(total)]
    band = None if finding is None else band_of(finding, ends)
    if band is None:
        return {}
    return {"markArea": band_area(replace(band, first=band.first + 0.5, last=band.last + 0.5), look)}


def _errors(error: Series, total: int, look: Look) -> Spec:
    places, values = _points(error, total)
    style = {"color": look.validation, "width": 1.5, "type": "dotted"}
    where = {"xAxisIndex": 1, "yAxisIndex": 1, "showSymbol": total <= MARKED_MAX, "symbolSize": 5}
    return line("wrong answers (%)", places, 100 * values, style, where)


def _points(series: Series | None, total: int, *, log: bool = False) -> tuple[pd.Series, pd.Series]:
    """Where each row lies and what stands in it; NaN, a gap, where the axis has no place for it."""
    known = {} if series is None else dict(zip(series.rows, series.values, strict=True))
    values = [known.get(row, math.nan) for row in range(total)]
    values = [value if value > 0 or not log else math.nan for value in values]
    return pd.Series(range(1, total + 1), dtype=float), pd.Series(values, dtype=float)
