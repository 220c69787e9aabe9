"""The few pictures a run is watched on: what it says about them, epoch by epoch, as one piece of HTML."""

from __future__ import annotations

from collections.abc import Sequence

from core.plots.style import esc, sureness
from core.train.events import Glimpse, History
from core.ui.gallery import thumb_url

DOTS_MAX = 24  # epochs of which a dot is shown; before that the oldest are left out


def watched_html(history: History, dataset: str) -> str:
    """The pictures with what the model says about each now, and a dot for every epoch: full where it was right.

    `dataset` is the id of the data set that holds the pictures. Empty before the run has looked at them.
    """
    seen: list[Glimpse] = history.all(Glimpse.kind)
    if not seen:
        return ""
    looks = seen[-DOTS_MAX:]
    cards = "".join(_card(looks, place, dataset) for place in range(len(looks[-1].files)))
    return f'<div class="watched" role="list">{cards}</div>'


def _card(looks: Sequence[Glimpse], place: int, dataset: str) -> str:
    now = looks[-1]
    file, label, said = now.files[place], now.labels[place], now.predicted[place]
    right = said == label
    course = "".join(
        f'<i class="{"right" if look.predicted[place] == look.labels[place] else "wrong"}"></i>'
        for look in looks
        if look.files == now.files
    )
    sure = sureness(now.probs[place])
    said_in_words = f"{esc(label)}, taken for {esc(said)}, {esc(sure)} sure"
    return (
        f'<figure class="{"right" if right else "wrong"}" role="listitem">'
        f'<img src="{thumb_url(file, dataset)}" alt="{said_in_words}">'
        f"<figcaption><b>{'✓' if right else '✗'} {esc(said)}</b><span>{esc(sure)}</span></figcaption>"
        f'<div class="dots" aria-hidden="true">{course}</div></figure>'
    )
