"""A prediction as bars: probabilities by class in, a small piece of HTML out.

Bars are plain boxes with text beside them: they need no chart library, follow the theme's colours and are read out
by a screen reader as "grizzly, 87 %". The style sheet of the app dresses the classes used here.
"""

from __future__ import annotations

from collections.abc import Mapping

from core.plots.style import esc, sureness


def ranked(probabilities: Mapping[str, float], top: int | None = None) -> list[tuple[str, float]]:
    """Classes with their probabilities, the likeliest first; equal ones in the order of their names."""
    return sorted(probabilities.items(), key=lambda pair: (-pair[1], pair[0]))[:top]


def probability_bars(
    probabilities: Mapping[str, float], *, top: int = 3, threshold: float = 0.0, caption: str = "Probabilities"
) -> str:
    """The `top` likeliest classes as bars from 0 to 100 %; a mark shows the threshold when there is one.

    The first bar is full-coloured when it reaches the threshold, and hatched when the answer is "not sure".
    """
    rows = []
    for place, (label, probability) in enumerate(ranked(probabilities, top)):
        kind = "rest" if place else ("sure" if probability >= threshold else "unsure")
        rows.append(_row(label, probability, kind, threshold))
    hidden = len(probabilities) - len(rows)
    more = f'<div class="bars-more">and {hidden} more below</div>' if hidden > 0 else ""
    return f'<div class="bars" role="list" aria-label="{esc(caption)}">{"".join(rows)}{more}</div>'


def _row(label: str, probability: float, kind: str, threshold: float) -> str:
    mark = f'<i class="bar-mark" style="left:{100 * threshold:.1f}%"></i>' if threshold > 0 else ""
    width = min(100.0, max(0.6, 100 * probability))
    return (
        f'<div class="bar bar-{kind}" role="listitem"><span class="bar-name" title="{esc(label)}">{esc(label)}</span>'
        f'<span class="bar-track"><b style="width:{width:.1f}%"></b>{mark}</span>'
        f'<span class="bar-value">{esc(sureness(probability))}</span></div>'
    )


def waiting_bars(rows: int = 3) -> str:
    """Empty bars in the place where an answer will stand, so that nothing jumps when it comes."""
    row = (
        '<div class="bar bar-waiting"><span class="bar-name"></span><span class="bar-track"></span><span></span></div>'
    )
    return f'<div class="bars" aria-hidden="true">{row * rows}</div>'
