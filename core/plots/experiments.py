"""Experiments about data: the points of one as records in, options of an ECharts figure out.

Every training is drawn as a dot. Over the dots of a group lie their mean and a band from the lowest to the highest
seed; each group has a colour, a line and a mark of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from core.diagnose.experiments import EXPERIMENTS, Experiment
from core.plots.charts import EXACT, legend, plain, value_axis
from core.plots.style import SLOT_LINES, SLOT_MARKS, Look
from core.train.experiment_point import ExperimentPoint

Spec = dict[str, Any]
WRONG, MISSED = "wrong in the exam (%)", "thinned class, not recognised (%)"
MEAN, DOTS, LOWEST, BAND = "mean", "each training", "lowest", "lowest to highest"
DOT, MARK = 7, 12  # pixels; dots lie above the mean, or it would hide them
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 46, 52  # pixels
_BETWEEN = 8  # per cent of the width between two figures side by side


@dataclass(frozen=True)
class Panel:
    """What one of the figures side by side shows: a title of its axis, and the value of a point in per cent."""

    axis: str
    of: Callable[[ExperimentPoint], float]


def experiment_figure(name: str, points: Sequence[ExperimentPoint], look: Look) -> Spec:
    """The points of one of EXPERIMENTS: wrong in the exam (%), from 0 up, over what was varied.

    An experiment with one value has its groups side by side instead, and a thinned class a figure of its own. Points
    may be few or none: what is not there yet is a gap. KeyError for an experiment that does not exist.
    """
    experiment = EXPERIMENTS[name]
    panels = _panels(points)
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "legend": legend([f"{group}, {MEAN}" for group in experiment.groups], look),
        "grid": [_grid(number, len(panels)) for number in range(len(panels))],
        "xAxis": [_across(experiment, number, look) for number in range(len(panels))],
        "yAxis": [_up(panel, number, look) for number, panel in enumerate(panels)],
        "series": [
            series
            for number, panel in enumerate(panels)
            for slot, group in enumerate(experiment.groups)
            for series in _group(experiment, slot, [one for one in points if one.group == group], panel, number, look)
        ],
    }


def _panels(points: Sequence[ExperimentPoint]) -> list[Panel]:
    wrong = Panel(WRONG, lambda point: 100 * point.error_rate)
    missed = Panel(MISSED, lambda point: 100 * (1 - (point.thin_recall or 0.0)))
    return [wrong, missed] if any(point.thin_recall is not None for point in points) else [wrong]


def _grid(number: int, count: int) -> Spec:
    """Two figures share the width; one has all of it."""
    sides = (
        {"left": _LEFT, "right": _RIGHT}
        if count == 1
        else [
            {"left": _LEFT, "right": f"{50 + _BETWEEN / 2:g}%"},
            {"left": f"{50 + _BETWEEN / 2:g}%", "right": _RIGHT},
        ][number]
    )
    return {**sides, "top": _TOP, "bottom": _BOTTOM, **EXACT}


def _across(experiment: Experiment, number: int, look: Look) -> Spec:
    """A place for every value in order; with one value, one for every group."""
    one = len(experiment.values) == 1
    names = list(experiment.groups) if one else [f"{100 * value:g}" for value in experiment.values]
    axis = value_axis(look, experiment.axis, gap=30)
    axis["splitLine"] = {"show": False}
    return {**axis, "type": "category", "data": names, "gridIndex": number, "boundaryGap": one}


def _up(panel: Panel, number: int, look: Look) -> Spec:
    return {**value_axis(look, panel.axis, gap=44), "min": 0, "gridIndex": number}


def _group(
    experiment: Experiment, slot: int, points: Sequence[ExperimentPoint], panel: Panel, number: int, look: Look
) -> list[Spec]:
    """The band, the dots and the mean of one group. The band is what lies on an unseen series up to its lowest."""
    name, colour = experiment.groups[slot], look.slots[slot]
    place = {"xAxisIndex": number, "yAxisIndex": number}
    columns = _columns(experiment, slot, points, panel)
    lows = [min(some) if some else None for some in columns]
    spans = [max(some) - min(some) if some else None for some in columns]
    means = [plain(fmean(some)) if some else None for some in columns]
    stacked = {**place, "stack": f"{number} {name}", "silent": True, "tooltip": {"show": False}, "z": 1}
    bar = len(experiment.values) == 1
    style = SLOT_LINES[slot]
    return [
        {**stacked, **_side(bar, look.paper, 0.0), "name": f"{name}, {LOWEST}", "data": _plain(lows)},
        {**stacked, **_side(bar, colour, 0.16), "name": f"{name}, {BAND}", "data": _plain(spans)},
        {
            **place,
            "name": f"{name}, {DOTS}",
            "type": "scatter",
            "symbol": SLOT_MARKS[slot],
            "symbolSize": DOT,
            "silent": True,
            "tooltip": {"show": False},
            "itemStyle": {"color": colour, "borderColor": look.paper, "borderWidth": 1},
            "z": 7 + slot,
            "data": [[column, plain(value)] for column, some in enumerate(columns) for value in some],
        },
        {
            **place,
            "name": f"{name}, {MEAN}",
            "type": "line",
            "symbol": SLOT_MARKS[slot],
            "symbolSize": MARK,
            "showAllSymbol": True,
            "lineStyle": {"color": colour, "width": 2.5, "type": style if isinstance(style, str) else list(style)},
            "itemStyle": {"color": colour},
            "z": 3 + slot,
            "data": means,
        },
    ]


def _columns(experiment: Experiment, slot: int, points: Sequence[ExperimentPoint], panel: Panel) -> list[list[float]]:
    """What was measured (%) at each place of the axis, by seed."""
    ordered = sorted(points, key=lambda point: point.seed)
    if len(experiment.values) > 1:
        return [[panel.of(point) for point in ordered if point.value == value] for value in experiment.values]
    return [[panel.of(point) for point in ordered] if place == slot else [] for place in range(len(experiment.groups))]


def _side(bar: bool, colour: str, opacity: float) -> Spec:
    """One side of a band: an area under a line that is not seen, or a bar where there is one place for each group."""
    if bar:
        return {"type": "bar", "barWidth": 26, "barGap": "-100%", "itemStyle": {"color": colour, "opacity": opacity}}
    return {
        "type": "line",
        "showSymbol": False,
        "lineStyle": {"opacity": 0},
        "itemStyle": {"color": colour},
        "areaStyle": {"color": colour, "opacity": opacity},
    }


def _plain(values: Sequence[float | None]) -> list[float | None]:
    return [None if value is None else plain(value) for value in values]
