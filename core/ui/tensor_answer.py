"""From scores to an answer, and one mean for every pixel: the traced tensors in, small tables as HTML out."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from core.plots.style import esc, number, sureness, sureness_in_words
from core.text import read
from core.ui import page
from core.ui.tensor_pixels import png_url

SHOWN = 12  # classes


def show(numbers: Any) -> None:
    """Scores, their exponentials, shares and the largest, for one real picture."""
    trace, at = numbers.trace, numbers.at
    scores = trace.scores[at].astype(float)
    powers = np.exp(scores)
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


def _row(label: str, score: float, power: float, share: float, *, first: bool) -> str:
    mark = ' <span class="max">← arg max</span>' if first else ""
    return (
        f'<tr{" class=first" if first else ""}><th scope="row">{esc(label)}</th><td>{score:.2f}</td><td>{number(power)}'
        f'</td><td><span class="bar"><i style="width:{100 * share:.1f}%"></i></span> {sureness(share)}{mark}</td></tr>'
    )


def broadcasting(numbers: Any) -> None:
    """The shapes of the normalisation one under another, and what it does to one real pixel."""
    trace, at = numbers.trace, numbers.at
    size = trace.pixels.shape[-1]
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        st.html(_shapes(trace.pixels.shape))
        page.note(page.say("tensors", "stretch_how", count=len(trace.pixels), size=size))
    with right:
        middle = size // 2
        st.html(_pixel(trace, at, middle))
        page.see(page.say("tensors", "stretch_see", numbers=f"{trace.pixels.size:,}"))


def _shapes(shape: tuple[int, ...]) -> str:
    """Both shapes, aligned at their last axes, and the result."""
    small = ("", 3, 1, 1)
    rows = [
        ("pictures", "".join(f"<td>{side}</td>" for side in shape)),
        (
            "− mean",
            "".join(
                f'<td class="{"missing" if one == "" else "stretched" if one == 1 else ""}">{one or "·"}</td>'
                for one in small
            ),
        ),
        ("result", "".join(f"<td>{side}</td>" for side in shape)),
    ]
    axes = "".join(f"<th>{name}</th>" for name in ("", "picture", "colour", "row", "column"))
    body = "".join(f'<tr><th scope="row">{name}</th>{cells}</tr>' for name, cells in rows)
    return f'<table class="steps shapes"><thead><tr>{axes}</tr></thead><tbody>{body}</tbody></table>'


def _pixel(trace: Any, at: int, middle: int) -> str:
    """One pixel through the formula, colour by colour."""
    rows = ""
    for place, colour in enumerate(("red", "green", "blue")):
        raw = int(trace.pixels[at, place, middle, middle])
        done = float(trace.normalised[at, place, middle, middle])
        mean, std = float(trace.mean[place]), float(trace.std[place])
        formula = f"({raw}/255 − {mean:.3f}) / {std:.3f}"
        rows += f'<tr><th scope="row">{colour}</th><td>{raw}</td><td>{formula}</td><td>{done:.3f}</td></tr>'
    head = "".join(
        f"<th>{esc(read('tensors', f'stretch_{name}'))}</th>" for name in ("colour", "stored", "formula", "seen")
    )
    return f'<table class="steps"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
