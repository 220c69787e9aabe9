"""Runs over one another: up to four histories as tables in, options of an ECharts figure out.

Each run keeps the colour, the line and the mark of its slot. What is drawn are the numbers themselves: every epoch has
its mark, and behind the training loss lies every batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.plots.bands import Band, band_area
from core.plots.charts import value_axis
from core.plots.style import SLOT_LINES, SLOT_MARKS, SLOTS, Look
from core.plots.training import positions, thin

Spec = dict[str, Any]
AXES = {"epochs": "epochs", "seconds": "seconds of training"}
OFF_SCALE = 8  # a run that reaches so many times as high as the calmest one leaves a linear figure at the top
SIZES = (13, 10, 10, 10)  # pixels of a mark: where runs are equal, the first one stands out behind the others
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 30, 14, 50  # pixels
_POINTS = 250  # batches of one run


@dataclass(frozen=True)
class Measure:
    """What is drawn over the epochs: a title, and the value of each row of an epoch table."""

    title: str
    axis: str
    of: Callable[[pd.DataFrame], pd.Series]


MEASURES: Mapping[str, Measure] = {
    "valid": Measure("Validation loss", "validation loss", lambda epochs: epochs["valid_loss"]),
    "error": Measure("Error", "wrong in the exam (%)", lambda epochs: 100 * epochs["error_rate"]),
    "train": Measure("Training loss", "training loss", lambda epochs: epochs["train_loss"]),
}


@dataclass(frozen=True)
class Curve:
    """A run in its slot (from 0). Both tables have a column for each of AXES: where a row lies; see `curve`."""

    slot: int
    epochs: pd.DataFrame
    batches: pd.DataFrame


def curve(slot: int, stages: Sequence[tuple[int, int, int]], epochs: pd.DataFrame, batches: pd.DataFrame) -> Curve:
    """Place the tables of a run on both axes. `stages`: (stage, epochs, steps) in order.

    An epoch lies at its end: after 3 and 4 seconds, the second one lies at 7. Inside an epoch time runs evenly.
    """
    ends, spent = positions(stages, epochs), epochs["seconds"].cumsum()
    at = positions(stages, batches)
    between = np.interp(at, [0.0, *ends], [0.0, *spent])
    seconds = pd.Series(between, index=batches.index).where(at <= (ends.max() if len(ends) else 0.0))
    return Curve(slot, epochs.assign(epochs=ends, seconds=spent), batches.assign(epochs=at, seconds=seconds))


def overlay(
    curves: Sequence[Curve],
    look: Look,
    *,
    show: str = "valid",
    by: str = "epochs",
    log: bool = False,
    band: Band | None = None,
) -> Spec:
    """Curves over one another. `show` is one of MEASURES, `by` one of AXES; `band` lies behind the first curve.

    On a logarithmic axis an error of 0 is drawn where half a wrong picture would lie, as there is no place for nothing.
    """
    lines = [_values(one, show, log) for one in curves]
    ends = [float(end) for one in curves if math.isfinite(end := one.epochs[by].max())]
    drawn = [_line(one, by, line, look) for one, line in zip(curves, lines, strict=True)]
    if drawn and band is not None:
        drawn[0]["markArea"] = band_area(band, look)
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "line", "snap": True}, "valueFormatter": "%.3g"},
        "grid": [
            {
                **{"left": _LEFT, "right": _RIGHT, "top": _TOP, "bottom": _BOTTOM},
                **{"containLabel": False, "outerBoundsMode": "none"},  # the margins hold the labels already
            }
        ],
        "xAxis": [_across(max(ends, default=1.0), by, look)],
        "yAxis": [_up(lines, show, log, look)],
        "series": [
            *(_batches(one, by, log, look) for one in curves if show == "train"),
            *drawn,
        ],
    }


def _values(one: Curve, show: str, log: bool) -> list[float | None]:
    """What is drawn of each epoch; None where there is no number, or none that the axis has."""
    values = MEASURES[show].of(one.epochs)
    if show == "error" and log:
        values = values.clip(lower=50 / one.epochs["of"])
    return [_plain(value, log) for value in values]


def _plain(value: float, log: bool) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) and (value > 0 or not log) else None


def _line(one: Curve, by: str, values: Sequence[float | None], look: Look) -> Spec:
    """A line with a mark for every epoch. Later slots lie above and are smaller, so that equal runs are all seen."""
    colour, style = look.slots[one.slot], SLOT_LINES[one.slot]
    text = {"color": colour, "fontWeight": "bold", "fontSize": look.font_px + 2}
    return {
        "name": SLOTS[one.slot],
        "type": "line",
        "symbol": SLOT_MARKS[one.slot],
        "symbolSize": SIZES[one.slot],
        "showAllSymbol": True,
        "lineStyle": {"color": colour, "width": 2.5, "type": style if isinstance(style, str) else list(style)},
        "itemStyle": {"color": colour},
        "endLabel": {"show": True, "formatter": "{a}", **text},
        "labelLayout": {"moveOverlap": "shiftY"},
        "z": 3 + one.slot,
        "data": [[_plain(x, False), y] for x, y in zip(one.epochs[by], values, strict=True)],
    }


def _batches(one: Curve, by: str, log: bool, look: Look) -> Spec:
    shown = thin(one.batches[one.batches[by].notna()], _POINTS)
    return {
        "name": f"{SLOTS[one.slot]}, each batch",
        "type": "scatter",
        "symbol": SLOT_MARKS[one.slot],
        "symbolSize": 4,
        "silent": True,
        "tooltip": {"show": False},
        "itemStyle": {"color": look.slots[one.slot], "opacity": 0.35},
        "data": [[_plain(x, False), _plain(y, log)] for x, y in zip(shown[by], shown["loss"], strict=True)],
    }


def _across(end: float, by: str, look: Look) -> Spec:
    axis = value_axis(look, AXES[by], gap=30)
    if by == "epochs":
        axis.update(min=0, max=max(1, math.ceil(end)), interval=max(1, math.ceil(end / 12)))
    else:
        axis.update(min=0, max=float(f"{end:.3g}"))
        axis["axisLabel"]["showMaxLabel"] = False  # the last one is no round number
    return axis


def _up(lines: Sequence[Sequence[float | None]], show: str, log: bool, look: Look) -> Spec:
    axis = value_axis(look, MEASURES[show].axis, gap=44)
    tops = sorted(max((value for value in line if value is not None), default=0.0) for line in lines)
    tops = [top for top in tops if top > 0]
    if log:
        return {**axis, "type": "log", "name": f"{MEASURES[show].axis}, log scale"}
    if tops and tops[-1] > OFF_SCALE * tops[0] and show != "error":
        return {**axis, "min": 0, "max": _round_up(OFF_SCALE * tops[0] / 2), "name": f"{MEASURES[show].axis}, cut off"}
    return {**axis, "min": 0}


def _round_up(value: float) -> float:
    step = 10 ** math.floor(math.log10(value)) / 2
    return float(f"{math.ceil(value / step) * step:.3g}")
