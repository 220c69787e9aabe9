"""The loss surface of a head and the walks on it: arrays in, a Plotly figure of the window and an ECharts line out.

The surface is drawn by the logarithm of the loss, in the colours of every map of the app: dark is deep. A walk carries
the colour, the line and the mark of its role; its pale rim keeps it readable on every ground. Where it leaves the
window an arrow says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.interpret.valley import View, Walk, left_at
from core.plots.charts import BOTTOM, EXACT, Spec, legend, plain, value_axis
from core.plots.style import LINES, SEQUENTIAL, Look, number

DEEPEST, HIGHEST = 1e-3, 1e3  # nats: what lies beyond is drawn as these
STEPS_A_TENFOLD = 5  # contour lines
_DASHES = {"solid": "solid", "dotted": "dot", "dashed": "dash"}
_SYMBOLS = {"good": "circle", "too_high": "triangle-up", "too_low": "triangle-down", "other": "diamond"}
_ECHARTS = {"good": "circle", "too_high": "triangle", "too_low": "triangle", "other": "diamond"}
_FONT = "Source Sans, sans-serif"  # the app's own
_ARROW = 0.05  # of the window's side
_FEW = 20  # so many points of a walk have large marks
_TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


@dataclass(frozen=True)
class Role:
    """What a walk is: "good", "too_high", "too_low" or "other", and the name that stands beside it."""

    kind: str
    name: str


def scale_of(colours: Sequence[str] = SEQUENTIAL) -> list[list[float | str]]:
    """A sequence of colours as Plotly takes it: places from 0 to 1 and what stands there."""
    return [[place / (len(colours) - 1), colour] for place, colour in enumerate(colours)]


def surface_figure(
    view: View, walks: Sequence[Walk], roles: Sequence[Role], look: Look, *, axes: tuple[str, str], height: int = 470
) -> Spec:
    """A window with its contour lines, the walks on it, and marks at start, end and best epoch.

    `axes` are the titles of x and y. The first walk lies on top.
    """
    paths = [inside(view, place) for place in range(len(walks))]
    traces = [_contours(view, look)]
    for place in reversed(range(len(walks))):
        traces += _path(paths[place], walks[place], roles[place], look, place)
    return {
        "data": [*traces, *_marks(view, paths, roles, look)],
        "layout": {
            "height": height,
            "margin": {"l": 52, "r": 8, "t": 30, "b": 46},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": look.paper,
            "font": {"size": look.font_px, "color": look.ink, "family": _FONT},
            "dragmode": False,
            "hovermode": "closest",
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "itemclick": False,
                       "itemdoubleclick": False, "bgcolor": "rgba(0,0,0,0)"},
            "xaxis": _axis(view.xs, axes[0], look),
            "yaxis": _axis(view.ys, axes[1], look),
            "annotations": _notes(view, walks, paths, roles, look),
        },
    }  # fmt: skip


def inside(view: View, place: int) -> np.ndarray:
    """The points of a walk (n, 2) up to where it leaves a window; the last one lies on its edge then."""
    path, out = view.paths[place], left_at(view, place)
    if out is None:
        return path
    before, after = path[out - 1], path[out]
    ways = [1.0]
    for axis, ticks in enumerate((view.xs, view.ys)):
        step = after[axis] - before[axis]
        ways += [
            (edge - before[axis]) / step for edge in (ticks[0], ticks[-1]) if step and (edge - before[axis]) / step > 0
        ]
    return np.vstack([path[:out], before + min(ways) * (after - before)])


def _contours(view: View, look: Look) -> Spec:
    heights = np.log10(np.clip(view.loss, DEEPEST, HIGHEST))
    low, high = float(heights.min()), float(heights.max())
    ticks = [tick for tick in _TICKS if low - 0.02 <= math.log10(tick) <= high + 0.02] or [10**low]
    return {
        "type": "contour",
        "x": view.xs.tolist(),
        "y": view.ys.tolist(),
        "z": heights.tolist(),
        "text": [[f"{loss:.3g}" for loss in row] for row in view.loss],
        "hovertemplate": "loss %{text}<extra></extra>",
        "colorscale": scale_of(),
        "contours": {"start": math.floor(low * STEPS_A_TENFOLD) / STEPS_A_TENFOLD, "end": high,
                     "size": 1 / STEPS_A_TENFOLD, "coloring": "heatmap"},
        "line": {"width": 0.7, "color": "rgba(255,255,255,0.45)"},
        "showlegend": False,
        "colorbar": _colour_bar(ticks, look),
    }  # fmt: skip


def _colour_bar(ticks: Sequence[float], look: Look) -> Spec:
    return {
        "title": {"text": "loss", "side": "top", "font": {"size": look.font_px}},
        "thickness": 12,
        "outlinewidth": 0,
        "len": 0.98,
        "x": 1.01,
        "xpad": 4,
        "tickvals": [math.log10(tick) for tick in ticks],
        "ticktext": [f"{tick:g}" for tick in ticks],
    }


def _path(path: np.ndarray, walk: Walk, role: Role, look: Look, place: int) -> list[Spec]:
    """A pale rim, and over it the line of a role with its marks."""
    colour, few = _colour(role, look), len(path) <= _FEW
    where = {"type": "scatter", "x": path[:, 0].tolist(), "y": path[:, 1].tolist()}
    said = [f"after step {step}: loss {number(loss)}" for step, loss in zip(walk.steps, walk.losses, strict=True)]
    rim = {"width": 7, "color": look.paper}
    line = {"width": 3, "color": colour, "dash": _DASHES[_line_of(role)]}
    mark = {
        "symbol": _SYMBOLS[role.kind],
        "size": 9 if few else 6,
        "color": colour,
        "line": {"width": 1, "color": look.paper},
    }
    return [
        {**where, "mode": "lines", "line": rim, "opacity": 0.75, "hoverinfo": "skip", "showlegend": False},
        {
            **where,
            "mode": "lines+markers",
            "name": _as_it_is(role.name),
            "legendrank": place,
            "line": line,
            "marker": mark,
            "text": said[: len(path)],
            "hovertemplate": "%{text}<extra></extra>",
        },
    ]


def _marks(view: View, paths: Sequence[np.ndarray], roles: Sequence[Role], look: Look) -> list[Spec]:
    """The start, the end of each walk that is inside, and its best epoch."""
    marks = [_mark(paths[0][0], "square", "#FFFFFF", "#26221C")]
    for place, role in enumerate(roles):
        if left_at(view, place) is None:
            marks.append(_mark(paths[place][-1], _SYMBOLS[role.kind], _colour(role, look), "#FFFFFF", size=17))
        if view.best[place] is not None and place == 0:
            marks.append(_mark(np.array(view.best[place]), "diamond", "#FFFFFF", _colour(role, look)))
    return marks


def _mark(at: np.ndarray, symbol: str, fill: str, rim: str, *, size: int = 13) -> Spec:
    return {
        "type": "scatter", "x": [float(at[0])], "y": [float(at[1])], "mode": "markers", "hoverinfo": "skip",
        "showlegend": False,
        "marker": {"symbol": symbol, "size": size, "color": fill, "line": {"width": 2.5, "color": rim}},
    }  # fmt: skip


def _notes(
    view: View, walks: Sequence[Walk], paths: Sequence[np.ndarray], roles: Sequence[Role], look: Look
) -> list[Spec]:
    """Words at the marks, and an arrow where a walk leaves the window."""
    notes = [_words("start", paths[0][0], look, view, below=_is_above(paths[0][1], paths[0][0]))]
    if view.best[0] is not None:
        notes.append(_words("best in the exam", np.array(view.best[0]), look, view))
    for place in range(len(walks)):
        path, out = paths[place], left_at(view, place)
        if out is None:
            name = "its end" if place else "end"
            notes.append(_words(name, path[-1], look, view, below=_is_above(path[-2], path[-1])))
        else:
            notes.append(_arrow(path, _colour(roles[place], look), view))
            far = number(walks[place].moved[-1])
            notes.append(_words(f"goes on, as far as {far}", path[-1], look, view))
    return notes


def _is_above(point: np.ndarray, other: np.ndarray) -> bool:
    """Whether the way lies above a mark, so that its words go below it."""
    return bool(point[1] >= other[1])


def _arrow(path: np.ndarray, colour: str, view: View) -> Spec:
    """A short arrow up to the edge, in the direction of the last stretch."""
    way = path[-1] - path[-2]
    size = np.abs(way / (view.xs[-1] - view.xs[0], view.ys[-1] - view.ys[0])).max()
    tail = path[-1] - way * min(1.0, _ARROW / size if size else 1.0)
    return {
        "x": float(path[-1][0]), "y": float(path[-1][1]), "ax": float(tail[0]), "ay": float(tail[1]), "xref": "x",
        "yref": "y", "axref": "x", "ayref": "y", "showarrow": True, "arrowhead": 2, "arrowsize": 1.3, "arrowwidth": 3,
        "arrowcolor": colour, "text": "",
    }  # fmt: skip


def _words(text: str, at: np.ndarray, look: Look, view: View, *, below: bool = False) -> Spec:
    """A label beside a mark, on the side where there is room."""
    right = at[0] < (view.xs[0] + view.xs[-1]) / 2
    above = not below and at[1] < view.ys[0] + 0.8 * (view.ys[-1] - view.ys[0])
    return {
        "x": float(at[0]), "y": float(at[1]), "text": text, "showarrow": False,
        "xanchor": "left" if right else "right", "yanchor": "bottom" if above else "top",
        "xshift": 8 if right else -8, "yshift": 8 if above else -8, "bgcolor": look.paper, "opacity": 0.92,
        "borderpad": 3, "font": {"size": look.font_px, "color": look.ink},
    }  # fmt: skip


def _axis(ticks: np.ndarray, title: str, look: Look) -> Spec:
    return {
        "range": [float(ticks[0]), float(ticks[-1])],
        "title": {"text": _as_it_is(title), "standoff": 6, "font": {"size": look.font_px}},
        "fixedrange": True,
        "showgrid": False,
        "zeroline": False,
        "nticks": 7,
        "tickfont": {"size": look.font_px, "color": look.ink},
    }


def _as_it_is(text: str) -> str:
    """Text that Plotly shows as it was typed: it reads some marks of HTML."""
    return text.replace("&", "&amp;").replace("<", "&lt;")


def _colour(role: Role, look: Look) -> str:
    return {"good": look.good, "too_high": look.too_high, "too_low": look.too_low, "other": look.ink}[role.kind]


def _line_of(role: Role) -> str:
    return LINES.get(role.kind, "dashed")


def losses_figure(walks: Sequence[Walk], roles: Sequence[Role], look: Look, *, classes: int) -> Spec:
    """The loss at each kept point of the walks over the steps, by its logarithm, with the level of guessing."""
    most = max(walk.of for walk in walks)
    step = max(1, math.ceil(most / 6))
    across = {**value_axis(look, "steps", gap=28), "min": 0, "max": most, "interval": step}
    ends = [min(max(loss, DEEPEST), HIGHEST) for walk in walks for loss in walk.losses]
    up = {
        **value_axis(look, "loss, log scale", gap=46),
        "type": "log",
        "min": 10 ** math.floor(math.log10(min(ends))),
        "max": 10 ** math.ceil(math.log10(max(*ends, 1.01))),
    }
    return {
        "animation": False,
        "textStyle": {"fontSize": look.font_px, "color": look.ink},
        "legend": legend([role.name for role in roles], look),
        "tooltip": {"trigger": "axis", "valueFormatter": "%.3g"},
        "grid": [{"left": 66, "right": 16, "top": 40, "bottom": BOTTOM, **EXACT}],
        "xAxis": [across],
        "yAxis": [up],
        "series": [_line(walk, role, look, classes) for walk, role in zip(walks, roles, strict=True)],
    }


def _line(walk: Walk, role: Role, look: Look, classes: int) -> Spec:
    colour = _colour(role, look)
    level = {
        "silent": True,
        "symbol": "none",
        "lineStyle": {"color": look.training, "type": "dotted", "width": 1.2},
        "label": {"formatter": f"guessing among {classes}", "position": "insideEndBottom", "color": look.ink,
                  "fontSize": look.font_px - 1, "backgroundColor": look.paper, "padding": 2},
        "data": [{"yAxis": round(math.log(max(2, classes)), 4)}],
    }  # fmt: skip
    return {
        "name": role.name,
        "type": "line",
        "symbol": _ECHARTS[role.kind],
        "symbolRotate": 180 if role.kind == "too_low" else 0,
        "symbolSize": 8 if len(walk.steps) <= _FEW else 5,
        "showAllSymbol": True,
        "lineStyle": {"color": colour, "width": 3, "type": _line_of(role)},
        "itemStyle": {"color": colour},
        "data": [
            [step, plain(min(max(loss, DEEPEST), HIGHEST))] for step, loss in zip(walk.steps, walk.losses, strict=True)
        ],
        "markLine": level,
    }
