"""Class by class: a model's answers in; precision, recall, F1 and the counts behind them out."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from core.interpret.metrics import ClassScore, class_scores
from core.plots.style import counted, esc, number, share
from core.text import read
from core.ui import confusion_cells, page
from core.ui.readings import Reading

NOTHING = "–"


def show(reading: Reading) -> None:
    """One row per class, the sentence about the weakest one, and what the three words mean."""
    matrix = confusion_cells.matrix_of(reading)
    scores = class_scores(matrix.counts, matrix.classes)
    if not matrix.counts.sum():
        page.see(read("confusion", "no_exam"), "attention")
        return
    page.see(_see(scores))
    st.html(_table(reading, scores))
    st.html(f'<dl class="read-words">{"".join(_meaning(name) for name in ("precision", "recall", "f1"))}</dl>')


def _see(scores: tuple[ClassScore, ...]) -> str:
    """The class that is recognised least often, with its counts."""
    found = [score for score in scores if score.recall is not None]
    weakest = min(found, key=lambda score: score.recall or 0.0)
    if weakest.recall == 1.0:
        return page.say("confusion", "see_each_right", count=counted(len(found), "class", "classes"))
    return page.say(
        "confusion", "see_weakest", label=weakest.label, right=weakest.right, support=weakest.support,
        share=share(weakest.recall or 0.0),
    )  # fmt: skip


def _table(reading: Reading, scores: tuple[ClassScore, ...]) -> str:
    head = "".join(
        f"<th>{read('confusion', f'head_{name}')}</th>" for name in ("class", "support", "recall", "precision", "f1")
    )
    rows = "".join(_row(reading, score) for score in scores)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return f'<div class="read-scores" tabindex="0">{table}</div>'


def _row(reading: Reading, score: ClassScore) -> str:
    asked = urlencode({"model": reading.model.id, "class": f"={score.label}"})
    name = f'<a href="/top_losses?{asked}" target="_self">{esc(score.label)}</a>'
    if score.label not in reading.classes:
        name += f" <small>{read('confusion', 'unknown_class')}</small>"
    support = f"{score.support:,}" if score.support else read("confusion", "no_picture")
    cells = (
        _share(score.recall, score.right, score.support),
        _share(score.precision, score.right, score.said),
        f"<td>{NOTHING if score.f1 is None else number(score.f1)}</td>",
    )
    return f"<tr><th>{name}</th><td>{support}</td>{''.join(cells)}</tr>"


def _share(value: float | None, part: int, of: int) -> str:
    """A share as a bar with its counts."""
    if value is None:
        return f"<td>{NOTHING}</td>"
    said = f"{share(value)} <small>{part:,} of {of:,}</small>"
    return f'<td><span class="read-bar"><i style="width:{100 * value:.1f}%"></i></span>{said}</td>'


def _meaning(name: str) -> str:
    return f"<dt>{read('confusion', f'head_{name}')}</dt><dd>{read('confusion', f'what_{name}')}</dd>"
