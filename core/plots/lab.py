"""The panels of the lab: tables of a run in, options of a small ECharts figure out. All share one axis of loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from core.plots.bands import Band, band_area
from core.plots.charts import EXACT, Spec, pairs, plain, value_axis
from core.plots.style import Look
from core.plots.training import thin

FLOOR, CEILING = 1e-3, 1e4
USUAL = (FLOOR, 1e3)  # where the five nearly always lie: an axis that is there from the start does not jump
FEW = 12  # so many epochs have a mark each
_POINTS = 80
_LEFT, _RIGHT, _TOP, _BOTTOM, _BETWEEN = 46, 10, 8, 26, 12  # pixels
_STRIP = 0.17  # of the height, for the wrong answers


@dataclass(frozen=True)
class Frame:
    """What all panels share: the ends of the axis of loss (nats), and the pictures of the exam."""

    low: float
    high: float
    exam: int


def frame_of(tables: Sequence[pd.DataFrame], exam: int) -> Frame:
    """The frame around panels with these tables of epochs (train_loss, valid_loss), in powers of ten.

    `exam`: pictures of the exam.
    """
    values = [
        float(value)
        for table in tables
        for column in ("train_loss", "valid_loss")
        for value in table[column]
        if math.isfinite(value) and value > 0
    ]
    high = min(CEILING, 10 ** math.ceil(math.log10(max([*values, USUAL[1]]))))
    return Frame(USUAL[0], float(high), max(1, exam))


def panel_figure(
    epochs: pd.DataFrame,
    batches: pd.DataFrame,
    *,
    total: int,
    frame: Frame,
    classes: int,
    look: Look,
    band: Band | None = None,
    mended: pd.DataFrame | None = None,
    height: int = 220,
) -> Spec:
    """One run: the loss of each batch as dots, training and validation loss per epoch, and the level of guessing.

    Below it the wrong answers of each epoch. `epochs` has `at`, train_loss, valid_loss and wrong, `batches` has `at`
    and loss (nats); `total` epochs are planned. `mended`: the epochs of the run that mends it, drawn over it.
    """
    strip = round(_STRIP * height)
    upper = height - _TOP - _BETWEEN - strip - _BOTTOM
    longest = max(total, 0 if mended is None or not len(mended) else math.ceil(mended["at"].max()))
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            {"left": _LEFT, "right": _RIGHT, "top": top, "height": tall, **EXACT}
            for top, tall in ((_TOP, upper), (_TOP + upper + _BETWEEN, strip))
        ],
        "xAxis": [*(_across(longest, look, grid) for grid in range(2)), _epochs(longest)],
        "yAxis": [
            _loss_axis(frame, look),
            {**value_axis(look, ""), "gridIndex": 1, "min": 0, "max": frame.exam, "interval": frame.exam},
        ],
        "series": [
            _dots(batches, frame, look),
            _training(epochs, frame, look),
            _validation(epochs, frame, classes, look, band, faded=mended is not None),
            _wrong(epochs, longest, look, faded=mended is not None),
            *([] if mended is None else [_mended(mended, frame, look)]),
        ],
    }


def _loss_axis(frame: Frame, look: Look) -> Spec:
    axis = {**value_axis(look, ""), "type": "log", "min": frame.low, "max": frame.high}
    axis["axisLabel"] = {**axis["axisLabel"], "showMinLabel": False}  # it would touch the first one below
    return axis


def _across(total: int, look: Look, grid: int) -> Spec:
    axis = {**value_axis(look, ""), "gridIndex": grid, "min": 0, "max": total, "interval": max(1, math.ceil(total / 4))}
    axis["axisLabel"] = {**axis["axisLabel"], "show": grid == 1}
    return axis


def _epochs(total: int) -> Spec:
    """The axis of the bars: a place for each epoch, from where it begins to where it ends."""
    return {"type": "category", "gridIndex": 1, "show": False, "data": [str(number + 1) for number in range(total)]}


def _dots(batches: pd.DataFrame, frame: Frame, look: Look) -> Spec:
    shown = thin(batches, _POINTS)
    return {
        "name": "each batch",
        "type": "scatter",
        "symbolSize": 4,
        "silent": True,
        "tooltip": {"show": False},
        "itemStyle": {"color": look.training, "opacity": 0.4},
        "data": _inside(shown["at"], shown["loss"], frame),
    }


def _training(epochs: pd.DataFrame, frame: Frame, look: Look) -> Spec:
    return {
        "name": "training",
        "type": "line",
        "showSymbol": len(epochs) == 1,
        "lineStyle": {"color": look.training, "width": 2, "type": "dashed"},
        "itemStyle": {"color": look.training},
        "data": _inside(epochs["at"], epochs["train_loss"], frame),
    }


def _validation(
    epochs: pd.DataFrame, frame: Frame, classes: int, look: Look, band: Band | None, *, faded: bool
) -> Spec:
    guessing = {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": look.training, "type": "dotted", "width": 1.2},
        "label": {"show": False},
        "data": [{"yAxis": round(math.log(max(2, classes)), 4)}],
    }
    return {
        "name": "validation",
        "type": "line",
        "symbol": "circle",
        "symbolSize": 7 if len(epochs) <= FEW else 4,
        "lineStyle": {"color": look.validation, "width": 2.5, "opacity": 0.35 if faded else 1},
        "itemStyle": {"color": look.validation, "opacity": 0.35 if faded else 1},
        "data": _inside(epochs["at"], epochs["valid_loss"], frame),
        "markLine": guessing,
        **({} if band is None else {"markArea": band_area(band, look, titled=False)}),
    }


def _wrong(epochs: pd.DataFrame, total: int, look: Look, *, faded: bool) -> Spec:
    """A bar for each epoch, as wide as the epoch; a step of a pixel or two would be drawn as a slope."""
    return {
        "name": "wrong answers",
        "type": "bar",
        "xAxisIndex": 2,
        "yAxisIndex": 1,
        "barCategoryGap": "12%" if total <= FEW else "0%",
        "itemStyle": {"color": look.validation, "opacity": 0.25 if faded else 0.65},
        "data": [plain(wrong) for wrong in epochs["wrong"]],
    }


def _mended(mended: pd.DataFrame, frame: Frame, look: Look) -> Spec:
    return {
        "name": "mended",
        "type": "line",
        "symbol": "circle",
        "symbolSize": 7,
        "lineStyle": {"color": look.good, "width": 3},
        "itemStyle": {"color": look.good},
        "data": _inside(mended["at"], mended["valid_loss"], frame),
    }


def _inside(xs: pd.Series, ys: pd.Series, frame: Frame) -> list[list[float | None]]:
    """Points with what lies outside the axis drawn at its edge; what is no number becomes a gap."""
    return pairs(xs, ys.where(ys.isna(), ys.clip(frame.low, frame.high)))
