"""Figures of a training run: tables of batches and epochs in, options of an ECharts figure out.

The x axis counts epochs and has its full length from the first moment, so that nothing jumps while points arrive.
The raw loss of every batch stays visible behind the smooth line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from core.plots.bands import Band, band_area
from core.plots.charts import BOTTOM, EXACT, SIDE, TOP, Spec, epoch_axis, legend, line, pairs, value_axis
from core.plots.plan import rate_axes, rate_series
from core.plots.style import MAX_POINTS, Look, rate

LOG_CEILING = 1_000  # where a run is ended anyway
MARKED_MAX = 12  # so many epochs have their count written at their mark
_BETWEEN = 22  # pixels


def positions(stages: Sequence[tuple[int, int, int]], table: pd.DataFrame, *, begin: bool = False) -> pd.Series:
    """Where rows of a batch or epoch table lie on an axis of epochs. `stages`: (stage, epochs, steps) in order.

    A batch lies where its step ends, an epoch at its end: with 8 steps in 4 epochs, step 0 lies at 0.5. With `begin`
    a batch lies where its step begins, which is where its rate was read off the schedule.
    """
    starts, lengths, done = {}, {}, 0
    for stage, epochs, steps in stages:
        starts[stage], lengths[stage] = done, epochs / steps
        done += epochs
    start = table["stage"].map(starts)
    if "step" in table:
        return start + (table["step"] + (not begin)) * table["stage"].map(lengths)
    return start + table["epoch"] + 1


def thin(table: pd.DataFrame, most: int = MAX_POINTS) -> pd.DataFrame:
    """At most `most` rows of a table, evenly spread, with its first and last row."""
    if len(table) <= most:
        return table
    return table.iloc[np.unique(np.linspace(0, len(table) - 1, most).round().astype(int))]


def loss_ceiling(values: Sequence[float], chance: float) -> float:
    """A calm upper end for the loss axis: above chance level and above nearly all points, in steps that rarely move."""
    finite = [value for value in values if math.isfinite(value)]
    top = max(float(np.quantile(finite, 0.98)) if finite else 0.0, chance) * 1.1
    step = 10 ** math.floor(math.log10(top)) / 2
    return math.ceil(top / step) * step


def training_figure(
    batches: pd.DataFrame,
    epochs: pd.DataFrame,
    plan: pd.DataFrame,
    *,
    classes: int,
    look: Look,
    height: int = 430,
    band: Band | None = None,
) -> Spec:
    """Loss above, wrong answers in the middle, rate and momentum below, over the same epochs.

    The tables carry `at` and `batches` also `begin`, see `positions`. `plan` (see `planned`) stands faint behind the
    rate. The dotted level is the loss of knowing nothing, ln(classes). `band` is the stretch of a finding.
    Where the loss runs far above it, the axis turns logarithmic, so that an explosion is seen whole.
    """
    shown = thin(batches)
    chance = math.log(max(2, classes))
    losses = [*shown["loss"], *epochs["valid_loss"]]
    exploded = any(not math.isfinite(value) or value > 20 * chance for value in losses)
    total, middle, lower = round(plan["at"].max()), round(height * 0.14), round(height * 0.16)
    upper = height - middle - lower - TOP - 2 * _BETWEEN - BOTTOM
    tops = (TOP, TOP + upper + _BETWEEN, TOP + upper + middle + 2 * _BETWEEN)
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "legend": legend(["each batch", "training, smoothed", "validation"], look),
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "line", "snap": False}, "valueFormatter": "%.3g"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            {"left": SIDE, "right": SIDE, "top": top, "height": tall, **EXACT}
            for top, tall in zip(tops, (upper, middle, lower), strict=True)
        ],
        "xAxis": [epoch_axis(total, look, grid, labels=grid == 2) for grid in range(3)],
        "yAxis": [
            _loss_axis(losses, chance, exploded, look),
            _wrong_axis(epochs, look),
            *rate_axes(2, plan, look),
        ],
        "series": [
            *_loss_series(shown, epochs, chance, classes, look, band),
            _wrong_series(epochs, look),
            *rate_series(plan, shown.assign(at=shown["begin"]), look, grid=2),
        ],
    }


def _loss_axis(losses: Sequence[float], chance: float, exploded: bool, look: Look) -> Spec:
    axis = value_axis(look, "loss")
    axis["gridIndex"] = 0
    if exploded:
        # what lies higher leaves the figure at the top; longer numbers would leave it at the side
        return {**axis, "type": "log", "max": LOG_CEILING, "name": "loss, log scale"}
    return {**axis, "min": 0, "max": loss_ceiling(losses, chance)}


def _wrong_axis(epochs: pd.DataFrame, look: Look) -> Spec:
    """Wrong answers from 0 to a little above the most there were; one number at its end is enough."""
    most = int(epochs["wrong"].max()) if len(epochs) else 1
    top = max(2, math.ceil(1.25 * most))
    axis = value_axis(look, "wrong")
    axis.update(gridIndex=1, min=0, max=top, interval=top)
    return axis


def _wrong_series(epochs: pd.DataFrame, look: Look) -> Spec:
    """One mark per epoch; while there are few of them, each with its count."""
    few = len(epochs) <= MARKED_MAX
    return {
        "name": "wrong answers",
        "type": "line",
        "xAxisIndex": 1,
        "yAxisIndex": 1,
        "symbol": "circle",
        "symbolSize": 6,
        "lineStyle": {"color": look.validation, "width": 1.5, "type": "dotted"},
        "itemStyle": {"color": look.validation},
        "label": {"show": few, "position": "top", "distance": 3, "color": look.ink, "fontSize": look.font_px},
        "data": pairs(epochs["at"], epochs["wrong"]),
    }


def _loss_series(
    batches: pd.DataFrame, epochs: pd.DataFrame, chance: float, classes: int, look: Look, band: Band | None
) -> list[Spec]:
    level = {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": look.training, "type": "dotted", "width": 1.2},
        "label": {
            "formatter": f"guessing among {classes}",
            "position": "insideEndTop",
            "color": look.ink,
            "fontSize": look.font_px - 1,
        },
        "data": [{"yAxis": round(chance, 4)}],
    }
    return [
        {
            "name": "each batch",
            "type": "scatter",
            "symbolSize": 5,
            "itemStyle": {"color": look.training, "opacity": 0.45},
            "data": pairs(batches["at"], batches["loss"]),
            "markLine": level,
        },
        line("training, smoothed", batches["at"], batches["loss_smooth"], {"color": look.training, "width": 2.5}, {}),
        {
            "name": "validation",
            "type": "line",
            "symbol": "circle",
            "symbolSize": 9,
            "lineStyle": {"color": look.validation, "width": 3},
            "itemStyle": {"color": look.validation},
            "data": pairs(epochs["at"], epochs["valid_loss"]),
            **({} if band is None else {"markArea": band_area(band, look)}),
        },
    ]


def epochs_table(epochs: pd.DataFrame) -> pd.DataFrame:
    """The epochs as a table to read: what other tools print, and beside it the true means, with counts and units."""
    return pd.DataFrame(
        {
            "epoch": range(1, len(epochs) + 1),
            "train loss": epochs["train_loss_smooth"],
            "valid loss": epochs["valid_loss"],
            "error": epochs["error_rate"],
            "wrong": [f"{row.wrong} of {row.of}" for row in epochs.itertuples()],
            "train, true mean": epochs["train_loss"],
            "train, eval mode": epochs["train_loss_eval"],
            "rate": [rate(value) if value > 0 else "0" for value in epochs["lr"]],
            "time (s)": epochs["seconds"],
            "images / s": epochs["images_per_s"],
        }
    )
