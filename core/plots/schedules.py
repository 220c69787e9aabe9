"""Schedules as figures: phases in; options of an ECharts figure over real epochs, or small SVG curves, out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from urllib.parse import quote

import pandas as pd

from core.plots.charts import BOTTOM, EXACT, SIDE, TOP, Spec, epoch_axis, legend
from core.plots.plan import planned, rate_axes, rate_series
from core.plots.style import Look
from core.train.phases import Phase, cycles
from core.train.schedules import rate_at

TILE = (100, 44)  # the box of a small curve
_POINTS = 120
_WORDS_MAX = 6  # more cycles than these are told by their numbers alone
_ROOM = 0.14  # of all epochs: shorter cycles are told by their numbers, too
_MARKS_MAX = 24  # more restarts than these are drawn without words


def schedule_figure(phases: Sequence[Phase], look: Look) -> Spec:
    """Rate and momentum over the epochs of all phases; where restarts are, a line marks each."""
    plan = planned([phase.stage() for phase in phases])
    series = rate_series(plan, plan, look, grid=0)[1:]
    series[0]["areaStyle"] = {"color": look.brand, "opacity": 0.1}
    series[0]["markLine"] = _restarts(phases, look)
    series[0]["markArea"] = {"silent": True, "data": _grounds(phases, look)}
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "legend": legend([entry["name"] for entry in series], look),
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "grid": [{"left": SIDE, "right": SIDE, "top": TOP, "bottom": BOTTOM, **EXACT}],
        "xAxis": [epoch_axis(sum(phase.epochs for phase in phases), look, 0)],
        "yAxis": _axes(plan, look),
        "series": series,
    }


def _axes(plan: pd.DataFrame, look: Look) -> list[Spec]:
    axes = rate_axes(0, plan, look)
    axes[0]["axisLabel"]["show"] = True
    axes[0]["name"] = ""  # the legend names it
    if axes[0]["type"] == "value":
        top = float(plan["lr"].max())
        axes[0].update(max=top * 1.08, interval=top / 2)
        axes[0]["axisLabel"]["showMaxLabel"] = False
    return axes


def restarts_of(phases: Sequence[Phase]) -> list[tuple[float, float, bool]]:
    """The cycles of all phases of warm restarts, on the axis of all epochs."""
    begins = [0, *accumulate(phase.epochs for phase in phases)]
    return [
        (begin + start, begin + end, whole)
        for begin, phase in zip(begins, phases, strict=False)
        if phase.schedule == "sgdr"
        for start, end, whole in cycles(
            phase.epochs, phase.options.get("cycle_len", 1), phase.options.get("cycle_mult", 1)
        )
    ]


def _restarts(phases: Sequence[Phase], look: Look) -> Spec:
    """A line where each cycle begins."""
    return {
        "silent": True,
        "symbol": "none",
        "label": {"show": False},
        "lineStyle": {"color": look.training, "type": "dotted", "width": 1.2},
        "data": [{"xAxis": start} for start, _, _ in restarts_of(phases)],
    }


def _grounds(phases: Sequence[Phase], look: Look) -> list[list[Spec]]:
    """Every other phase lies on a faint ground, and each cycle of restarts says how long it is."""
    ends, found = list(accumulate(phase.epochs for phase in phases)), restarts_of(phases)
    label = {"color": look.ink, "fontSize": look.font_px - 1, "position": "insideTop"}
    unseen = {"itemStyle": {"opacity": 0}}
    named = [
        [{"xAxis": start, "name": _length(end - start, ends[-1], len(found)), "label": label, **unseen}, {"xAxis": end}]
        for start, end, _ in (found if len(found) <= _MARKS_MAX else [])
    ]
    return named + [
        [
            {"xAxis": end - phase.epochs, "itemStyle": {"color": look.faint, "opacity": 0.35 * (number % 2)}},
            {"xAxis": end},
        ]
        for number, (phase, end) in enumerate(zip(phases, ends, strict=True))
    ]


def _length(epochs: float, total: float, cycles: int) -> str:
    """How long a cycle is: in words where there is room for them."""
    if cycles > _WORDS_MAX or epochs < _ROOM * total:
        return f"{epochs:g}"
    return "1 epoch" if epochs == 1 else f"{epochs:g} epochs"


def tile(phase: Phase, look: Look) -> str:
    """A schedule as a small curve, as the address of an SVG that a style may show."""
    width, height = TILE
    top, points = _highest(phase), []
    for step in range(_POINTS + 1):
        pos = step / _POINTS
        rate = rate_at(phase.schedule, pos, lr_max=1.0, epochs=phase.epochs, **phase.options) / top
        points.append(f"{4 + pos * (width - 8):.1f},{4 + (1 - rate) * (height - 8):.1f}")
    drawn = " ".join(points)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" preserveAspectRatio="none">'
        f'<polygon points="4,{height - 4} {drawn} {width - 4},{height - 4}" fill="{look.brand}" fill-opacity="0.12"/>'
        f'<polyline points="{drawn}" fill="none" stroke="{look.brand}" stroke-width="2.5" '
        'vector-effect="non-scaling-stroke"/></svg>'
    )
    return f"data:image/svg+xml,{quote(svg)}"


def _highest(phase: Phase) -> float:
    rates = (
        rate_at(phase.schedule, step / _POINTS, lr_max=1.0, epochs=phase.epochs, **phase.options)
        for step in range(_POINTS)
    )
    return max(*rates, math.ulp(1.0))
