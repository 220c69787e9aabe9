"""The plan of a run: stages in; their rates and momentum over the epochs, as options of an ECharts figure, out.

The live figure of a run draws the same panel under its losses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from core.plots.charts import BOTTOM, EXACT, SIDE, TOP, Spec, epoch_axis, legend, line, value_axis
from core.plots.style import Look, rate
from core.settings import LAYER_GROUPS, Stage
from core.train.schedules import momentum_at, rate_at, spread

STEPS, STEPS_PER_EPOCH, EPOCHS_FINE = 80, 24, 20  # of a stage; of each epoch at least, up to so many epochs
FOUND_BY_THEN = {"low": "first layers:\nfound by then", "rate": "this rate:\nfound by then"}
LOG_FROM = 5  # where one peak is so many times another, rates are drawn on a logarithmic axis


def planned(stages: Sequence[Stage]) -> pd.DataFrame:
    """The rate and momentum that stages will go through: columns at (epochs), lr, low, momentum, stage and finds.

    `lr` is the rate of the last layers, `low` that of the first ones that learn; a gap where a finder has yet to say
    it. `finds` is what a finder will say: "low", "rate" where the head alone learns, or "".
    """
    rows, begin = [], 0
    for number, stage in enumerate(stages):
        finds = ("rate" if stage.frozen else "low") if stage.find_lr else ""
        first = math.nan if stage.find_lr else spread(stage.lr, LAYER_GROUPS)[stage.first_group] / stage.lr_max
        steps = _steps(stage.epochs)
        for step in range(steps + 1):
            pos = step / steps
            lr = rate_at(stage.schedule, pos, lr_max=stage.lr_max, epochs=stage.epochs, **stage.options)
            momentum = momentum_at(stage.schedule, pos, **stage.options)
            rows.append((begin + step * stage.epochs / steps, lr, lr * first, momentum, number, finds))
        begin += stage.epochs
    return pd.DataFrame(rows, columns=["at", "lr", "low", "momentum", "stage", "finds"])


def _steps(epochs: int) -> int:
    """So many that every quarter of a stage is one, where one cycle peaks, and every epoch, where restarts are."""
    return STEPS if epochs > EPOCHS_FINE else epochs * 4 * math.ceil(max(STEPS / epochs, STEPS_PER_EPOCH) / 4)


def needs_log(plan: pd.DataFrame) -> bool:
    """Whether the peaks of stages or of layer groups differ so much that a straight axis would hide the low ones."""
    peaks = [*plan.groupby("stage")["lr"].max(), *plan.groupby("stage")["low"].max().dropna()]
    return max(peaks) > LOG_FROM * min(peaks)


def plan_figure(plan: pd.DataFrame, look: Look, *, names: Sequence[str] = ()) -> Spec:
    """Rate and momentum of a run that has not begun, over its epochs; see `planned`. `names` are the stages."""
    series = rate_series(plan, plan, look, grid=0)
    named = _stage_names(plan, names, look) if plan["stage"].max() > 0 else []
    series[0]["markArea"] = {"silent": True, "data": [*named, *_to_be_found(plan, look)]}
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "legend": legend([entry["name"] for entry in series[1:]], look),
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "grid": [{"left": SIDE, "right": SIDE, "top": TOP, "bottom": BOTTOM, **EXACT}],
        "xAxis": [epoch_axis(round(plan["at"].max()), look, 0)],
        "yAxis": rate_axes(0, plan, look),
        "series": series,
    }


def _stage_names(plan: pd.DataFrame, names: Sequence[str], look: Look) -> list[list[Spec]]:
    """Every other stage lies on a faint ground, and each has its name at the top."""
    return [
        _area(plan, stage, names[stage] if stage < len(names) else "", look, opacity=0.35 * (stage % 2))
        for stage in plan["stage"].unique()
    ]


def _to_be_found(plan: pd.DataFrame, look: Look) -> list[list[Spec]]:
    """Where a line cannot be drawn yet, or not as it will be, words say why."""
    finds = plan.groupby("stage")["finds"].first()
    return [
        _area(plan, stage, FOUND_BY_THEN[what], look, position="insideBottom") for stage, what in finds.items() if what
    ]


def _area(
    plan: pd.DataFrame, stage: int, words: str, look: Look, *, opacity: float = 0.0, position: str = "insideTop"
) -> list[Spec]:
    """The stretch of a stage, as an area of ECharts with words in it."""
    at = plan.loc[plan["stage"] == stage, "at"]
    label = {"color": look.ink, "fontSize": look.font_px, "lineHeight": look.font_px + 4, "position": position}
    ground = {"color": look.faint, "opacity": opacity}
    return [{"xAxis": float(at.min()), "name": words, "label": label, "itemStyle": ground}, {"xAxis": float(at.max())}]


def rate_axes(grid: int, plan: pd.DataFrame, look: Look) -> list[Spec]:
    """The rate on the left and the momentum on the right. A straight axis of rates ends at the peak, which is named."""
    left, right = value_axis(look, "rate"), value_axis(look, "momentum")
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


def rate_series(plan: pd.DataFrame, done: pd.DataFrame, look: Look, *, grid: int) -> list[Spec]:
    """What is planned, faint; what has been done, strong; and the rate of the first layers where that is another."""
    place = {"xAxisIndex": grid, "yAxisIndex": grid}  # every panel above has one axis of values
    beside = {"xAxisIndex": grid, "yAxisIndex": grid + 1}
    rate_line = {"color": look.brand, "width": 2.5}
    momentum_line = {"color": look.training, "width": 2, "type": [6, 5]}
    ahead = line("planned rate", plan["at"], plan["lr"], {"color": look.brand, "width": 1.5, "opacity": 0.4}, place)
    ahead.update(silent=True, tooltip={"show": False}, markLine=_peaks(plan, look))
    ahead["areaStyle"] = {"color": look.brand, "opacity": 0.0 if needs_log(plan) else 0.08}
    series = [ahead, line("learning rate", done["at"], done["lr"], rate_line, place)]
    if (plan["low"] < plan["lr"] * (1 - 1e-9)).any():
        first_layers = plan["low"].where(plan["low"] < plan["lr"] * (1 - 1e-9))
        style = {"color": look.brand, "width": 1.5, "type": "dotted"}
        series.append(line("rate of the first layers", plan["at"], first_layers, style, place))
    return [*series, line("momentum", done["at"], done["momentum"], momentum_line, beside)]


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
