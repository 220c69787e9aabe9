"""The confusion matrix as a figure: counts in, a Plotly figure out. Rows are what a picture is, columns what was said.

A Plotly heat map sends no click. So every cell has a square mark that is seen only once it is chosen, with the numbers
of its row and column as custom data: whoever clicks anywhere in a cell hits the mark nearest to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from core.interpret.metrics import row_shares
from core.plots.heat import colours
from core.plots.style import SEQUENTIAL, Look, esc, share

Spec = dict[str, Any]
LIMIT = 30  # classes that can be read in one figure
ZERO_UNTIL = 12  # classes up to which a cell without pictures shows its 0
NAME_CHARS = 14
HEIGHT_PX = 384
MANY_MARK_PX = 14
ROW_PX = 19  # of the least height of a row; many classes make the figure higher
_TOP, _BOTTOM, _SIDE = 52, 6, 4  # pixels
_WHITE, _BLACK = "#FFFFFF", "#000000"
_FONT = "Source Sans, sans-serif"


def shown_classes(matrix: np.ndarray) -> list[int]:
    """The rows of at most LIMIT classes, those with the most mistakes in row and column, in their order."""
    counts = np.asarray(matrix)
    mistakes = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    first = np.argsort(-mistakes, kind="stable")[:LIMIT]
    return sorted(int(place) for place in first)


def height_of(classes: int) -> int:
    """The height of the figure in pixels."""
    return max(HEIGHT_PX, _TOP + _BOTTOM + ROW_PX * classes)


def confusion_figure(
    matrix: np.ndarray,
    classes: Sequence[str],
    look: Look,
    *,
    shares: bool = False,
    chosen: tuple[int, int] | None = None,
) -> Spec:
    """Counts (n, n) of `classes`, or the share of each row. `chosen` is the row and column of the cell that is marked.

    Colours always follow the share of the row, so that a small class shows its mistakes as clearly as a large one.
    """
    counts, parts, size = np.asarray(matrix), row_shares(matrix), len(classes)
    places = [(row, column) for row in range(size) for column in range(size)]
    light = np.array([[_contrast(part) == _BLACK for part in row] for row in parts.tolist()]).reshape(parts.shape)
    texts = np.array(_texts(counts, parts, shares), dtype=object).reshape(parts.shape)
    heats = [_heat(parts, texts, light, _BLACK, look), _heat(parts, texts, ~light, _WHITE, look)]
    return {
        "data": [*heats, _marks(counts, parts, classes, places, chosen, look)],
        "layout": _layout(classes, look),
    }


def _heat(parts: np.ndarray, texts: np.ndarray, mine: np.ndarray, ink: str, look: Look) -> Spec:
    """The cells on which numbers are written in one colour; the others are left to another map."""
    last = len(SEQUENTIAL) - 1
    return {
        "type": "heatmap",
        "z": [[value if own else None for value, own in zip(*row, strict=True)]
              for row in zip(parts.round(4).tolist(), mine.tolist(), strict=True)],
        "zmin": 0,
        "zmax": 1,
        "colorscale": [[place / last, colour] for place, colour in enumerate(SEQUENTIAL)],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverinfo": "skip",
        "text": np.where(mine, texts, "").tolist(),
        "texttemplate": "%{text}",
        "textfont": {"size": _cell_px(len(parts), look), "color": ink},
    }  # fmt: skip


def _texts(counts: np.ndarray, parts: np.ndarray, shares: bool) -> list[list[str]]:
    few = len(counts) <= ZERO_UNTIL
    return [
        [_text(count, part, shares, few) for count, part in zip(*row, strict=True)]
        for row in zip(counts.tolist(), parts.tolist(), strict=True)
    ]


def _text(count: int, part: float, shares: bool, few: bool) -> str:
    if not count:
        return "0" if few else ""
    return f"{100 * part:.0f}{' %' if few else ''}" if shares else f"{count:,}"


def _cell_px(classes: int, look: Look) -> int:
    return look.font_px + 5 if classes <= 6 else look.font_px if classes <= ZERO_UNTIL else look.font_px - 3


def _marks(
    counts: np.ndarray,
    parts: np.ndarray,
    classes: Sequence[str],
    places: Sequence[tuple[int, int]],
    chosen: tuple[int, int] | None,
    look: Look,
) -> Spec:
    few = len(classes) <= ZERO_UNTIL
    side = 0.78 * min(height_of(len(classes)) - _TOP - _BOTTOM, 250) / max(1, len(classes)) if few else MANY_MARK_PX
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [column for _, column in places],
        "y": [row for row, _ in places],
        "customdata": [list(place) for place in places],
        "text": [_words(counts, parts, classes, row, column) for row, column in places],
        "hovertemplate": "%{text}<extra></extra>",
        "hoverlabel": {"font": {"size": look.font_px}},
        "marker": {
            "symbol": "square-open",
            "size": round(side),
            "color": [_contrast(parts[place]) for place in places],
            "line": {"width": 4 if few else 2},
            "opacity": 0,
        },
        "selectedpoints": [] if chosen is None else [places.index(chosen)] if chosen in places else [],
        "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 0}},
    }


def _contrast(part: float) -> str:
    """Black or white, whichever is read better on the colour of a share: a contrast of 4.5 or more."""
    linear = np.where((rgb := colours(np.array(part)) / 255) <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ np.array([0.2126, 0.7152, 0.0722]))
    return _BLACK if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else _WHITE


def _words(counts: np.ndarray, parts: np.ndarray, classes: Sequence[str], row: int, column: int) -> str:
    total, count = int(counts[row].sum()), int(counts[row, column])
    actual, said = esc(_cut(classes[row], 40)), esc(_cut(classes[column], 40))
    what = f"recognised as <b>{said}</b>" if row == column else f"<b>{actual}</b> taken for <b>{said}</b>"
    return f"{count:,} of {total:,} ({share(float(parts[row, column]))})<br>{what}"


def _cut(name: str, chars: int = NAME_CHARS) -> str:
    """A name short enough, without its middle: names that are alike often differ at the end."""
    last = chars // 3
    return name if len(name) <= chars else f"{name[: chars - 1 - last]}…{name[-last:]}"


def _layout(classes: Sequence[str], look: Look) -> Spec:
    font = {
        "size": look.font_px if len(classes) <= ZERO_UNTIL else look.font_px - 2,
        "color": look.ink,
        "family": _FONT,
    }
    across, up = _axis(classes, font, "what the model said", look), _axis(classes, font, "what it is", look)
    return {
        "height": height_of(len(classes)),
        "margin": {"l": _SIDE, "r": _SIDE, "t": _TOP, "b": _BOTTOM},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": font,
        "showlegend": False,
        "dragmode": False,
        "hovermode": "closest",
        "hoverdistance": -1,  # the nearest mark however far: a click in the corner of a cell counts
        "hoverlabel": {"align": "left"},
        "xaxis": {**across, "side": "top", "tickangle": -45 if len(classes) > 6 else 0},
        "yaxis": {**up, "autorange": "reversed"},
    }


def _axis(classes: Sequence[str], font: Spec, title: str, look: Look) -> Spec:
    return {
        "tickmode": "array",
        "tickvals": list(range(len(classes))),
        "ticktext": [esc(_cut(name)) for name in classes],
        "tickfont": font,
        "title": {"text": title, "font": {**font, "size": look.font_px}, "standoff": 8},
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }
