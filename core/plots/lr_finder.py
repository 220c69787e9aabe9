"""The finder's figure: points of a range test and what its rules say in, options of an ECharts figure out.

The x axis is the exponent of the rate and has its full length from the first moment. Above the curve stands a strip
with one row a rule and the names of the zones. An explosion does not flatten the curve: higher dots sit on the edge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from core.plots.charts import plain, value_axis
from core.plots.style import LINES, MARKS, Look, number, rate
from core.plots.training import loss_ceiling
from core.train.finder_advice import Zone
from core.train.finder_rules import Suggestion
from core.train.lr_finder import STOP_FACTOR

Spec = dict[str, Any]
RULE_TITLES: Mapping[str, str] = {
    "valley": "valley",
    "steep": "steepest",
    "minimum": "a tenth of the minimum",
    "slide": "slide",
    "before_rise": "ten times before the rise",
}
ZONE_TITLES = {"too_low": "too low", "good": "good", "too_high": "too high"}
LEFT, RIGHT = 62, 18  # pixels beside the axis; the slider under the figure keeps the same
_TOP, _ROW, _BETWEEN, _BOTTOM = 30, 5, 22, 46  # pixels; a row is so much higher than its words
_EXACT = {"containLabel": False, "outerBoundsMode": "none"}
_MUCH_HIGHER = 1.6  # a stop line further than this above the calm part of the curve would flatten it


@dataclass(frozen=True)
class Reading:
    """What stands on a curve: zones, an answer for each rule, and the student's own rate."""

    zones: Sequence[Zone] = ()
    answers: Mapping[str, Suggestion] | None = None
    pick: float | None = None


def points_table(points: Sequence[Any]) -> pd.DataFrame:
    """One row a batch: lr, loss, loss_smooth, from events or records that have these fields."""
    names = ("lr", "loss", "loss_smooth")
    return pd.DataFrame([[getattr(point, name) for name in names] for point in points], columns=list(names))


def ceiling(table: pd.DataFrame) -> float:
    """The upper end of the loss axis: above the calm part of the curve, and above the stop line where that is near."""
    losses = table["loss"].to_numpy(dtype=float)
    losses = losses[np.isfinite(losses)]
    if not len(losses):
        return 1.0
    smoothed = table["loss_smooth"].to_numpy(dtype=float)[len(losses) // 10 : max(1, len(losses) // 2)]
    start = max(
        float(np.median(losses[: max(1, len(losses) // 5)])), float(smoothed[np.isfinite(smoothed)].max(initial=0.0))
    )
    calm = max(float(losses[losses <= 2 * start].max(initial=start)), 1e-6)
    stop = stop_level(table)
    near = stop if stop is not None and calm < stop <= _MUCH_HIGHER * calm else calm
    return loss_ceiling([near], calm)


def stop_level(table: pd.DataFrame) -> float | None:
    """The loss at which a test ends: four times the best smoothed one; None without a point."""
    smoothed = table["loss_smooth"].to_numpy(dtype=float)
    smoothed = smoothed[np.isfinite(smoothed)]
    return STOP_FACTOR * float(smoothed.min()) if len(smoothed) else None


def finder_figure(
    table: pd.DataFrame,
    *,
    first: float,
    last: float,
    look: Look,
    reading: Reading | None = None,
) -> Spec:
    """Losses over rates from `first` to `last`. `table`: see `points_table`; `reading` is what stands on the curve.

    Without answers the strip of rules is left out, as while a test runs.
    """
    read = reading or Reading()
    strip = (look.font_px + _ROW) * (len(RULE_TITLES) + 1) if read.answers is not None else 0
    top = _TOP + (strip + _BETWEEN if strip else 0)
    ends, highest = (math.log10(first), math.log10(last)), ceiling(table)
    grids = [{"left": LEFT, "right": RIGHT, "top": top, "bottom": _BOTTOM, **_EXACT}]
    series, text = _curve(table, highest, read, look), {"fontSize": look.font_px, "color": look.ink}
    axes = [_rate_axis(ends, look, 0)], [_loss_axis(highest, look)]
    if strip and read.answers is not None:
        grids.append({"left": LEFT, "right": RIGHT, "top": _TOP, "height": strip, **_EXACT})
        axes[0].append(_rate_axis(ends, look, 1))
        axes[1].append(_row_axis())
        series += _rules(table, read.answers, read, ends, highest, look)
    return {
        "animation": False,
        "textStyle": text,
        "legend": {"data": ["each batch", "smoothed"], "top": 2, "left": 0, "textStyle": text, "selectedMode": False},
        "tooltip": {"trigger": "item", "formatter": "{b}"},
        "grid": grids,
        "xAxis": axes[0],
        "yAxis": axes[1],
        "series": series,
    }


def _rate_axis(ends: tuple[float, float], look: Look, grid: int) -> Spec:
    axis = value_axis(look, "learning rate, each step a little higher" if grid == 0 else "", gap=28)
    axis.update(gridIndex=grid, min=ends[0], max=ends[1], interval=1)
    axis["axisLabel"].update(formatter="1e{value}", show=grid == 0)
    return axis


def _loss_axis(highest: float, look: Look) -> Spec:
    return {**value_axis(look, "loss", gap=44), "gridIndex": 0, "min": 0, "max": highest}


def _row_axis() -> Spec:
    """The rows of the strip, the first at the top, and one for the names of the zones."""
    hidden = {name: {"show": False} for name in ("axisLabel", "axisLine", "axisTick", "splitLine")}
    return {"type": "value", "gridIndex": 1, "min": -0.5, "max": len(RULE_TITLES) + 0.5, "inverse": True, **hidden}


def _curve(table: pd.DataFrame, highest: float, read: Reading, look: Look) -> list[Spec]:
    inside, above = _dots(table, highest)
    return [
        {
            "name": "each batch",
            "type": "scatter",
            "symbolSize": 6,
            "itemStyle": {"color": look.training, "opacity": 0.75},
            "data": inside,
            "markArea": _areas(read.zones, look, labels=read.answers is None),
        },
        {
            "name": "higher than the figure",
            "type": "scatter",
            "symbol": "triangle",
            "symbolSize": 8,
            "itemStyle": {"color": look.too_high},
            "data": above,
            "clip": False,
        },
        {
            "name": "smoothed",
            "type": "line",
            "showSymbol": False,
            "silent": True,
            "lineStyle": {"color": look.ink, "width": 2.5},
            "itemStyle": {"color": look.ink},
            "data": [
                [_at(row.lr), plain(row.loss_smooth)] for row in table.itertuples() if row.loss_smooth <= 2 * highest
            ],
            "markLine": _lines(table, highest, read, look),
        },
    ]


def _dots(table: pd.DataFrame, highest: float) -> tuple[list[Spec], list[Spec]]:
    """The losses of single batches inside the figure, and those that are higher or no number, on its upper edge."""
    inside, above = [], []
    for row in table.itertuples():
        finite = math.isfinite(row.loss)
        name = f"rate {rate(row.lr)}: loss {number(row.loss) if finite else 'is not a number'}"
        if finite and row.loss <= highest:
            inside.append({"name": name, "value": [_at(row.lr), plain(row.loss)]})
        else:
            above.append({"name": name, "value": [_at(row.lr), highest]})
    return inside, above


def _areas(zones: Sequence[Zone], look: Look, *, labels: bool) -> Spec:
    data = []
    for zone in zones:
        colour = getattr(look, zone.kind)
        style = {"color": colour, "opacity": 0.16 if zone.kind == "good" else 0.09}
        edge = {"borderColor": colour, "borderWidth": 1.5, "borderType": LINES[zone.kind]}
        label = {
            "show": labels,
            "position": "insideBottom",
            "color": look.ink,
            "fontSize": look.font_px,
            "formatter": MARKS[zone.kind] + (f" {ZONE_TITLES[zone.kind]}" if zone.high > 10 * zone.low else ""),
        }
        data.append(
            [{"xAxis": _at(zone.low), "itemStyle": {**style, **edge}, "label": label}, {"xAxis": _at(zone.high)}]
        )
    return {"silent": True, "data": data}


def _lines(table: pd.DataFrame, highest: float, read: Reading, look: Look) -> Spec:
    """The stop line, and the student's own rate."""
    data: list[Spec] = []
    stop = stop_level(table)
    if stop is not None:
        words = f"ends at {number(stop)}, {STOP_FACTOR} × the best"
        label = {
            "formatter": words if stop <= highest else f"{words} ↑",
            "position": "insideMiddleBottom" if stop > 0.93 * highest else "insideMiddleTop",
            "color": look.ink,
            "fontSize": look.font_px - 1,
            "textBorderColor": look.paper,
            "textBorderWidth": 3,
        }
        line = {"color": look.too_high, "type": "dotted", "width": 1.6}
        data.append({"yAxis": min(stop, highest), "lineStyle": line, "label": label})
    if read.pick is not None:
        data.append(_pick(read.pick, look, label=True))
    return {"silent": True, "symbol": "none", "precision": 9, "data": data}


def _pick(pick: float, look: Look, *, label: bool) -> Spec:
    words = {
        "show": label,
        "formatter": f"your pick {rate(pick)}",
        "position": "end",
        "distance": 4,
        "color": look.brand,
        "fontWeight": "bold",
        "fontSize": look.font_px,
    }
    return {"xAxis": _at(pick), "lineStyle": {"color": look.brand, "type": "solid", "width": 2.5}, "label": words}


def _rules(
    table: pd.DataFrame,
    answers: Mapping[str, Suggestion],
    read: Reading,
    ends: tuple[float, float],
    highest: float,
    look: Look,
) -> list[Spec]:
    """A row a rule in the strip with its mark and name, and the same mark on the smoothed line."""
    rows, on_curve = [], []
    for row, (name, title) in enumerate(RULE_TITLES.items()):
        answer = answers.get(name)
        if answer is None or answer.lr is None:
            rows.append(_row(ends[0], row, f"{title}: no answer", look, symbol="circle", right=True))
            continue
        x = min(max(_at(answer.lr), ends[0]), ends[1])
        right = x < (ends[0] + ends[1]) / 2
        rows.append(_row(x, row, f"{title} {rate(float(f'{answer.lr:.2g}'))}", look, symbol="diamond", right=right))
        on_curve.append({"name": f"{title} {rate(answer.lr)}", "value": [x, _height(table, answer.lr, highest)]})
    picked = [] if read.pick is None else [_pick(read.pick, look, label=False)]
    return [
        {
            "name": "rules",
            "type": "scatter",
            "xAxisIndex": 1,
            "yAxisIndex": 1,
            "symbolSize": 9,
            "itemStyle": {"color": look.brand},
            "data": rows,
            "markArea": _areas(read.zones, look, labels=True),
            "markLine": {"silent": True, "symbol": "none", "precision": 9, "z": 1, "data": picked},
        },
        {
            "name": "rules on the curve",
            "type": "scatter",
            "symbol": "diamond",
            "symbolSize": 11,
            "itemStyle": {"color": look.brand, "borderColor": look.paper, "borderWidth": 1},
            "data": on_curve,
        },
    ]


def _row(x: float, row: int, words: str, look: Look, *, symbol: str, right: bool) -> Spec:
    label = {
        "show": True,
        "formatter": words,
        "position": "right" if right else "left",
        "color": look.ink,
        "fontSize": look.font_px - 1,
        "textBorderColor": look.paper,
        "textBorderWidth": 2,
    }
    dot = {"opacity": 0} if symbol == "circle" else {}
    return {"name": words, "value": [x, row], "symbol": symbol, "itemStyle": dot, "label": label}


def _height(table: pd.DataFrame, lr: float, highest: float) -> float | None:
    """The smoothed line at a rate."""
    known = table[np.isfinite(table["loss_smooth"])]
    if not len(known):
        return None
    return plain(min(highest, float(np.interp(math.log(lr), np.log(known["lr"]), known["loss_smooth"]))))


def _at(lr: float) -> float:
    """Where a rate lies on the axis: its exponent."""
    return round(math.log10(lr), 5)
