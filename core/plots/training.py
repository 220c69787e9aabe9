"""Figures of a training run: tables of batches and epochs in, options of an ECharts figure out.

The x axis counts epochs and has its full length from the first moment, so that nothing jumps while points arrive.
The raw loss of every batch stays visible behind the smooth line.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.plots.style import MAX_POINTS, Look, rate
from core.settings import LAYER_GROUPS, Stage
from core.train.schedules import momentum_at, rate_at, spread

Spec = dict[str, Any]
LOG_CEILING = 1_000  # where a run is ended anyway
LOG_FROM = 5  # where one peak is so many times another, rates are drawn on a logarithmic axis
MARKED_MAX = 12  # so many epochs have their count written at their mark
_SIDE, _TOP, _BETWEEN, _BOTTOM = 60, 46, 22, 52  # pixels
_EXACT = {"containLabel": False, "outerBoundsMode": "none"}  # the margins above hold the labels already


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
    batches: pd.DataFrame, epochs: pd.DataFrame, plan: pd.DataFrame, *, classes: int, look: Look, height: int = 430
) -> Spec:
    """Loss above, wrong answers in the middle, rate and momentum below, over the same epochs.

    The tables carry `at` and `batches` also `begin`, see `positions`. `plan` (see `planned`) stands faint behind the
    rate. The dotted level is the loss of knowing nothing, ln(classes).
    Where the loss runs far above it, the axis turns logarithmic, so that an explosion is seen whole.
    """
    shown = thin(batches)
    chance = math.log(max(2, classes))
    losses = [*shown["loss"], *epochs["valid_loss"]]
    exploded = any(not math.isfinite(value) or value > 20 * chance for value in losses)
    total, middle, lower = round(plan["at"].max()), round(height * 0.14), round(height * 0.16)
    upper = height - middle - lower - _TOP - 2 * _BETWEEN - _BOTTOM
    tops = (_TOP, _TOP + upper + _BETWEEN, _TOP + upper + middle + 2 * _BETWEEN)
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "legend": _legend(["each batch", "training, smoothed", "validation"], look),
        "tooltip": {"trigger": "axis", "axisPointer": {"type": "line", "snap": False}, "valueFormatter": "%.3g"},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            {"left": _SIDE, "right": _SIDE, "top": top, "height": tall, **_EXACT}
            for top, tall in zip(tops, (upper, middle, lower), strict=True)
        ],
        "xAxis": [_epoch_axis(total, look, grid, labels=grid == 2) for grid in range(3)],
        "yAxis": [
            _loss_axis(losses, chance, exploded, look),
            _wrong_axis(epochs, look),
            *_rate_axes(2, plan, look),
        ],
        "series": [
            *_loss_series(shown, epochs, chance, classes, look),
            _wrong_series(epochs, look),
            *_rate_series(plan, shown.assign(at=shown["begin"]), look, grid=2),
        ],
    }


def planned(stages: Sequence[Stage], *, points: int = 81) -> pd.DataFrame:
    """The rate and momentum that stages will go through: columns at (epochs), lr, low, momentum and stage.

    `lr` is the rate of the last layers, `low` that of the first ones that learn; a gap where a finder has yet to say
    it. There are `points` rows per stage; with 81 a quarter of the way, where one cycle peaks, is one of them.
    """
    rows, begin = [], 0
    for number, stage in enumerate(stages):
        first = math.nan if stage.find_lr else spread(stage.lr, LAYER_GROUPS)[stage.first_group] / stage.lr_max
        for pos in np.linspace(0.0, 1.0, points):
            lr = rate_at(stage.schedule, float(pos), lr_max=stage.lr_max, epochs=stage.epochs, **stage.options)
            momentum = momentum_at(stage.schedule, float(pos), **stage.options)
            rows.append((begin + pos * stage.epochs, lr, lr * first, momentum, number))
        begin += stage.epochs
    return pd.DataFrame(rows, columns=["at", "lr", "low", "momentum", "stage"])


def needs_log(plan: pd.DataFrame) -> bool:
    """Whether the peaks of stages or of layer groups differ so much that a straight axis would hide the low ones."""
    peaks = [*plan.groupby("stage")["lr"].max(), *plan.groupby("stage")["low"].max().dropna()]
    return max(peaks) > LOG_FROM * min(peaks)


def plan_figure(plan: pd.DataFrame, look: Look, *, names: Sequence[str] = ()) -> Spec:
    """Rate and momentum of a run that has not begun, over its epochs; see `planned`. `names` are the stages."""
    series = _rate_series(plan, plan, look, grid=0)
    if plan["stage"].max() > 0:
        series[0]["markArea"] = _stage_names(plan, names, look)
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "legend": _legend([entry["name"] for entry in series[1:]], look),
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "grid": [{"left": _SIDE, "right": _SIDE, "top": _TOP, "bottom": _BOTTOM, **_EXACT}],
        "xAxis": [_epoch_axis(round(plan["at"].max()), look, 0)],
        "yAxis": _rate_axes(0, plan, look),
        "series": series,
    }


def _stage_names(plan: pd.DataFrame, names: Sequence[str], look: Look) -> Spec:
    """Every other stage lies on a faint ground, and each has its name at the top."""
    spans = plan.groupby("stage")["at"].agg(["min", "max"])
    label = {"color": look.ink, "fontSize": look.font_px, "position": "insideTop"}
    return {
        "silent": True,
        "itemStyle": {"color": look.faint, "opacity": 0.35},
        "data": [
            [
                {
                    "xAxis": float(span["min"]),
                    "name": names[place] if place < len(names) else "",
                    "label": label,
                    "itemStyle": {"opacity": 0.35 * (place % 2)},
                },
                {"xAxis": float(span["max"])},
            ]
            for place, (_, span) in enumerate(spans.iterrows())
        ],
    }


def _legend(names: list[str], look: Look) -> Spec:
    text = {"fontSize": look.font_px, "color": look.ink}
    return {"data": names, "top": 4, "left": 0, "itemGap": 14, "textStyle": text, "selectedMode": False}


def _epoch_axis(total: int, look: Look, grid: int, *, labels: bool = True) -> Spec:
    axis = _axis(look, "epochs" if labels else "")
    step = max(1, math.ceil(total / 12))
    axis.update(gridIndex=grid, min=0, max=total, interval=step, nameLocation="middle", nameGap=30)
    axis["axisLabel"]["show"] = labels
    axis["splitLine"]["show"] = True
    return axis


def _loss_axis(losses: Sequence[float], chance: float, exploded: bool, look: Look) -> Spec:
    axis = _axis(look, "loss")
    axis["gridIndex"] = 0
    if exploded:
        # what lies higher leaves the figure at the top; longer numbers would leave it at the side
        return {**axis, "type": "log", "max": LOG_CEILING, "name": "loss, log scale"}
    return {**axis, "min": 0, "max": loss_ceiling(losses, chance)}


def _wrong_axis(epochs: pd.DataFrame, look: Look) -> Spec:
    """Wrong answers from 0 to a little above the most there were; one number at its end is enough."""
    most = int(epochs["wrong"].max()) if len(epochs) else 1
    top = max(2, math.ceil(1.25 * most))
    axis = _axis(look, "wrong")
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
        "data": _pairs(epochs["at"], epochs["wrong"]),
    }


def _rate_axes(grid: int, plan: pd.DataFrame, look: Look) -> list[Spec]:
    """The rate on the left and the momentum on the right. A straight axis of rates ends at the peak, which is named."""
    left, right = _axis(look, "rate"), _axis(look, "momentum")
    top = float(plan["lr"].max())
    if needs_log(plan):
        low = min(plan.groupby("stage")["lr"].max().min(), plan.groupby("stage")["low"].max().min())
        ends = {"min": 10 ** math.floor(math.log10(low / 30)), "max": 10 ** math.ceil(math.log10(top))}
        left.update(gridIndex=grid, type="log", **ends)
        left["axisLabel"]["show"] = False
    else:
        left.update(gridIndex=grid, min=0, max=1.05 * top, interval=1.05 * top)
        left["axisLabel"]["show"] = False
    right.update(gridIndex=grid, min=0.8, max=1, interval=0.1, position="right", nameRotate=-90)
    right["splitLine"]["show"] = False
    return [left, right]


def _axis(look: Look, name: str) -> Spec:
    text = {"fontSize": look.font_px, "color": look.ink}
    return {
        "type": "value",
        "name": name,
        "nameLocation": "middle",
        "nameGap": 40,
        "nameTextStyle": text,
        "axisLabel": {**text, "hideOverlap": True},
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "splitLine": {"show": True, "lineStyle": {"color": look.faint, "width": 1}},
    }


def _loss_series(batches: pd.DataFrame, epochs: pd.DataFrame, chance: float, classes: int, look: Look) -> list[Spec]:
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
            "data": _pairs(batches["at"], batches["loss"]),
            "markLine": level,
        },
        _line("training, smoothed", batches["at"], batches["loss_smooth"], {"color": look.training, "width": 2.5}, {}),
        {
            "name": "validation",
            "type": "line",
            "symbol": "circle",
            "symbolSize": 9,
            "lineStyle": {"color": look.validation, "width": 3},
            "itemStyle": {"color": look.validation},
            "data": _pairs(epochs["at"], epochs["valid_loss"]),
        },
    ]


def _rate_series(plan: pd.DataFrame, done: pd.DataFrame, look: Look, *, grid: int) -> list[Spec]:
    """What is planned, faint; what has been done, strong; and the rate of the first layers where that is another."""
    place = {"xAxisIndex": grid, "yAxisIndex": grid}  # every panel above has one axis of values
    beside = {"xAxisIndex": grid, "yAxisIndex": grid + 1}
    rate_line = {"color": look.brand, "width": 2.5}
    momentum_line = {"color": look.training, "width": 2, "type": [6, 5]}
    ahead = _line("planned rate", plan["at"], plan["lr"], {"color": look.brand, "width": 1.5, "opacity": 0.4}, place)
    ahead.update(silent=True, tooltip={"show": False}, markLine=_peaks(plan, look))
    ahead["areaStyle"] = {"color": look.brand, "opacity": 0.0 if needs_log(plan) else 0.08}
    series = [ahead, _line("learning rate", done["at"], done["lr"], rate_line, place)]
    if (plan["low"] < plan["lr"] * (1 - 1e-9)).any():
        first_layers = plan["low"].where(plan["low"] < plan["lr"] * (1 - 1e-9))
        style = {"color": look.brand, "width": 1.5, "type": "dotted"}
        series.append(_line("rate of the first layers", plan["at"], first_layers, style, place))
    return [*series, _line("momentum", done["at"], done["momentum"], momentum_line, beside)]


def _peaks(plan: pd.DataFrame, look: Look) -> Spec:
    """The highest rate of each stage, written as people say it."""
    tops = sorted({float(f"{top:.6g}") for top in plan.groupby("stage")["lr"].max()})
    label = {"position": "start", "color": look.ink, "fontSize": look.font_px}
    shown = tops if needs_log(plan) else tops[-1:]
    return {
        "silent": True,
        "symbol": "none",
        "precision": 9,  # ECharts rounds to hundredths otherwise, and a rate to nothing
        "lineStyle": {"color": look.faint, "type": "solid", "width": 1},
        "data": [{"yAxis": top, "label": {**label, "formatter": rate(top)}} for top in shown],
    }


def _line(name: str, xs: pd.Series, ys: pd.Series, style: Spec, place: Spec) -> Spec:
    return {
        "name": name,
        "type": "line",
        "showSymbol": False,
        "lineStyle": style,
        "itemStyle": {"color": style["color"]},
        "data": _pairs(xs, ys),
        **place,
    }


def _pairs(xs: pd.Series, ys: pd.Series) -> list[list[float | None]]:
    """Points as plain numbers; one that is not finite becomes a gap."""
    return [[_plain(x), _plain(y)] for x, y in zip(xs, ys, strict=True)]


def _plain(value: float) -> float | None:
    return float(f"{value:.5g}") if math.isfinite(value) else None


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
