"""From scores to an answer: the scores of one real picture in, a table with each step of softmax as HTML out."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.plots.style import esc, number, sureness, sureness_in_words
from core.text import read
from core.ui import page
from core.ui.tensor_pixels import png_url
from core.ui.tensor_ranks import signed

SHOWN = 12  # classes
LARGE = 50.0  # scores above it have powers that nobody can read, and soon none that a computer can hold


def show(numbers: Any) -> None:
    """Scores, their exponentials, shares and the largest, for one real picture."""
    trace, at = numbers.trace, numbers.at
    scores = trace.scores[at].astype(float)
    shift = scores.max() if np.abs(scores).max() > LARGE else 0.0
    powers = np.exp(scores - shift)
    shares = powers / powers.sum()
    order = np.argsort(-scores, kind="stable")[:SHOWN]
    best = int(scores.argmax())
    left, right = st.columns([1, 2.4], gap="large")
    with left:
        picture = np.ascontiguousarray(trace.pixels[at].transpose(1, 2, 0))
        st.html(f'<div class="pixels"><img src="{png_url(picture)}" alt="{esc(numbers.names[at])}"></div>')
    with right:
        head = "".join(
            f"<th>{esc(read('tensors', f'answer_{name}'))}</th>" for name in ("class", "score", "power", "share")
        )
        rows = "".join(_row(trace.classes[k], scores[k], powers[k], shares[k], first=k == best) for k in order)
        st.html(f'<table class="steps"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>')
        page.see(page.say("tensors", "answer_see", label=trace.classes[best], total=number(float(powers.sum())),
                          power=number(float(powers[best])), share=sureness_in_words(float(shares[best]))))  # fmt: skip
        if shift:
            page.note(page.say("tensors", "answer_shift", shift=number(float(shift))))


def _row(label: str, score: float, power: float, share: float, *, first: bool) -> str:
    mark = f'<span class="max">{"← arg max" if first else ""}</span>'
    bar = f'<span class="bar"><i style="width:{100 * share:.1f}%"></i></span>'
    return (
        f'<tr{" class=first" if first else ""}><th scope="row">{esc(label)}</th><td>{signed(score)}</td>'
        f'<td>{number(power)}</td><td>{bar}<span class="share">{sureness(share)}</span>{mark}</td></tr>'
    )
