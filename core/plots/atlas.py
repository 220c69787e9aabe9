"""The map of a data set: places in the plane with what is known of each picture in, a Plotly figure as plain data out.

Every point carries its item, so that a click can tell which picture was meant. Colour never stands alone: each class
has its mark as well, pictures of the exam are large and dark-rimmed, and wrong answers are crosses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from core.plots.style import Look, esc, sureness

Spec = dict[str, Any]
# Okabe and Ito's, their yellow darker and their black as grey, so that both can be seen on either paper; a ninth class
# has the first colour again with another mark
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#A89F00", "#8B8275")
MARKS = ("circle", "square", "triangle-up", "diamond", "triangle-down", "pentagon", "hexagon", "star")
COLOURINGS = ("label", "wrong")
FONT = "Source Sans, sans-serif"
WITH_GL = 2_500  # above so many points the browser's graphics card draws them
_LEARNED, _EXAM, _WRONG, _PICKED = 7, 11, 13, 22  # pixels
_FEW = 10  # classes that fit into a row above the figure


def colour_and_mark(number: int) -> tuple[str, str]:
    """The colour and the mark of class number 0, 1 …; the first 64 classes all differ."""
    turn = number // len(COLOURS)
    return COLOURS[number % len(COLOURS)], MARKS[(number + turn) % len(MARKS)]


def atlas_figure(
    places: np.ndarray,
    table: pd.DataFrame,
    *,
    colouring: str,
    classes: Sequence[str],
    look: Look,
    names: Sequence[str] | None = None,
    ringed: str | None = None,
    height: int = 430,
) -> Spec:
    """A scatter of pictures. `places` (n, 2); `table` has item, label, split, predicted and p_predicted in that order.

    `colouring` is "label", a colour for each of `classes`, or "wrong", right answers against wrong ones. `names` are
    what hovering shows of each picture, and `ringed` is the item that a ring stands around.
    """
    points = pd.DataFrame({"x": places[:, 0], "y": places[:, 1], "said": _said(table, names)}, index=table.index)
    points = pd.concat([points, table[["item", "label", "split", "predicted"]]], axis=1)
    groups = _by_label(points, classes, look) if colouring == "label" else _by_answer(points, look)
    kind = "scattergl" if len(points) > WITH_GL else "scatter"
    traces = [_trace(kind, *group) for group in groups if len(group[1])]
    last = {trace["legendgroup"]: number for number, trace in enumerate(traces)}
    for number, trace in enumerate(traces):
        trace["showlegend"] = last[trace["legendgroup"]] == number
    ring = points[points["item"] == ringed]
    return {
        "data": [*traces, *([_ring(kind, ring, look)] if len(ring) else [])],
        "layout": _layout(look, height, many=colouring == "label" and len(classes) > _FEW),
    }


def _said(table: pd.DataFrame, names: Sequence[str] | None) -> list[str]:
    """What stands beside a point when somebody hovers over it. Plotly reads a little HTML there."""
    titles = list(names) if names is not None else [""] * len(table)
    return [
        f"{esc(name)}<br>labelled <b>{esc(label)}</b> · the model says <b>{esc(predicted)}</b> {esc(sureness(p))}"
        for name, label, predicted, p in zip(
            titles, table["label"], table["predicted"], table["p_predicted"], strict=True
        )
    ]


def _by_label(points: pd.DataFrame, classes: Sequence[str], look: Look) -> list[tuple[str, pd.DataFrame, Spec, str]]:
    """For each class what was learned from, small and pale, and the exam, large and rimmed; one entry in the legend."""
    groups = []
    for number, label in enumerate(classes):
        colour, mark = colour_and_mark(number)
        mine = points[points["label"] == label]
        exam = mine["split"] == "valid"
        groups += [
            (label, mine[~exam], {"color": colour, "symbol": mark, "size": _LEARNED, "opacity": 0.5}, "learned"),
            (label, mine[exam], _exam(colour, mark, look), "exam"),
        ]
    return groups


def _by_answer(points: pd.DataFrame, look: Look) -> list[tuple[str, pd.DataFrame, Spec, str]]:
    wrong, exam = points["predicted"] != points["label"], points["split"] == "valid"
    pale = {"color": look.training, "symbol": "circle", "size": _LEARNED, "opacity": 0.45}
    cross = {"color": look.too_high, "symbol": "x", "line": {"color": look.ink, "width": 1}}
    return [
        ("right, learned from", points[~wrong & ~exam], pale, "learned"),
        ("right, in the exam", points[~wrong & exam], _exam(look.good, "circle", look), "exam"),
        ("wrong, learned from", points[wrong & ~exam], {**cross, "size": _LEARNED + 2, "opacity": 0.8}, "learned"),
        ("wrong, in the exam", points[wrong & exam], {**cross, "size": _WRONG, "opacity": 1}, "exam"),
    ]


def _exam(colour: str, mark: str, look: Look) -> Spec:
    line = {"color": look.ink, "width": 1.2}
    return {"color": colour, "symbol": mark, "size": _EXAM, "opacity": 0.95, "line": line}


def _trace(kind: str, name: str, points: pd.DataFrame, marker: Spec, side: str) -> Spec:
    others = {"marker": {"opacity": marker["opacity"]}}  # a click must not make all other points pale
    picked = {"marker": {"opacity": 1, "size": _PICKED}}
    return {
        "type": kind,
        "mode": "markers",
        "name": esc(name),
        "legendgroup": name,
        "x": points["x"].to_numpy(np.float32),
        "y": points["y"].to_numpy(np.float32),
        "customdata": points["item"].to_numpy(object),  # Plotly checks lists one by one, arrays at once
        "text": points["said"].to_numpy(object),
        "hovertemplate": "%{text}<extra></extra>",
        "marker": marker,
        "meta": side,
        "selected": picked,
        "unselected": others,
    }


def _ring(kind: str, points: pd.DataFrame, look: Look) -> Spec:
    marker = {"symbol": "circle-open", "size": 24, "color": look.ink, "line": {"width": 3, "color": look.ink}}
    return {
        "type": kind,
        "mode": "markers",
        "x": points["x"].to_numpy(np.float32),
        "y": points["y"].to_numpy(np.float32),
        "marker": marker,
        "hoverinfo": "skip",
        "showlegend": False,
        "name": "chosen",
    }


def _layout(look: Look, height: int, *, many: bool) -> Spec:
    axis = {"showgrid": False, "zeroline": False, "showticklabels": False, "ticks": "", "title": {"text": ""}}
    legend = {"font": {"color": look.ink, "size": look.font_px + 1}, "bgcolor": "rgba(0,0,0,0)", "itemsizing": "trace"}
    place = {"orientation": "v"} if many else {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
    return {
        "height": height,
        "margin": {"l": 4, "r": 4, "t": 4 if many else 30, "b": 4},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"color": look.ink, "size": look.font_px, "family": FONT},
        "xaxis": axis,
        "yaxis": {**axis, "scaleanchor": "x"},
        "shapes": [_frame(look)],
        "legend": {**legend, **place},
        "dragmode": "pan",
        "hovermode": "closest",
        "hoverlabel": {"bgcolor": look.paper, "bordercolor": look.ink, "font": {"color": look.ink, "family": FONT}},
    }


def _frame(look: Look) -> Spec:
    whole = {"xref": "paper", "yref": "paper", "x0": 0, "x1": 1, "y0": 0, "y1": 1}
    return {"type": "rect", **whole, "line": {"color": look.faint, "width": 1}, "layer": "below"}
