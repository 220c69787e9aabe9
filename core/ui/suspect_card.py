"""One suspect on a page: a row of the search's table in; its picture, and what speaks for and against its label, out.

Pieces of HTML in which every name is made safe. Large pictures that come next are fetched ahead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.data.edits import Mark
from core.plots.style import esc, number, sureness
from core.text import read
from core.ui import gallery, page

AHEAD = 3
SIDES = {"train": "to learn from", "valid": "for the exam"}


def badge(mark: Mark | None) -> str:
    """What somebody wants done with a picture, in words with a sign, so that colour never stands alone."""
    if mark is None:
        return ""
    words = {"keep": "✓ keep", "delete": "✕ delete", "relabel": f"→ {esc(mark.label)}"}[mark.action]
    return f'<span class="badge {mark.action}">{words}</span>'


def picture(row: Any, dataset_id: str, mark: Mark | None, *, title: str = "") -> str:
    """A suspect, large, with its name, its side and its mark."""
    src = gallery.thumb_url(row.file, dataset_id, large=True)
    name = esc(short_name(row.name))
    head = f'<span class="which">{esc(title)}</span>' if title else ""
    return (
        f'<figure class="suspect {mark.action if mark else ""}">{head}{badge(mark)}'
        f'<img src="{src}" alt="{name}, labelled {esc(row.label)}">'
        f'<figcaption><b class="short">{_short(row)}</b>{name} · {SIDES.get(row.split, "")}</figcaption>'
        "</figure>"
    )


def short_name(name: str) -> str:
    """A picture's name without its folders: they often tell the answer."""
    return name.replace("\\", "/").rsplit("/", 1)[-1]


def beside(own: str, twins: Sequence[Any], dataset_id: str, marks: Mapping[str, Mark]) -> str:
    """A picture beside the first of its twins, and in words how many more there are."""
    other = picture(twins[0], dataset_id, marks.get(twins[0].item), title=f"Its twin: {twins[0].label}")
    more = f'<p class="note">And {len(twins) - 1} more like it.</p>' if len(twins) > 1 else ""
    return f'<div class="pair">{own}{other}</div>{more}'


def _short(row: Any) -> str:
    """Label and suggestion in one line; a phone has no room for more beside the buttons."""
    if row.suggested not in ("", row.label):
        return f"{esc(row.label)}, or rather {esc(row.suggested)}?"
    return f"{esc(row.label)}, and the model agrees"


def verdict(row: Any) -> str:
    """Label and guess as large words: what it is said to be, what the model says, and what it probably should be."""
    parts = [("Label", "label", row.label)]
    parts.append(("The model says", "guess", "the same" if row.predicted == row.label else row.predicted))
    if row.suggested not in ("", row.predicted):
        parts.append(("Suggested", "guess", row.suggested))
    words = "".join(f'<span><i>{what}</i><b class="{kind}">{esc(label)}</b></span>' for what, kind, label in parts)
    return f'<div class="versus">{words}</div>'


def reason(row: Any) -> str:
    """Why this picture is here, in a sentence."""
    learned = row.predicted == row.label and row.suggested not in ("", row.label) and row.split == "train"
    more = f" {esc(read('clean', 'by_heart'))}" if learned else ""
    return f'<p class="reason">{esc(row.reason)}{more}</p>'


def bars(row: Any, order: str, classes: int) -> str:
    """Probabilities and the loss as small bars with their numbers in words."""
    drawn = "".join(_bar(*bar) for bar in _probabilities(row, order))
    return f'<div class="bars" role="list" aria-label="Probabilities">{drawn}</div>{_loss(row.loss, classes)}'


def _probabilities(row: Any, order: str) -> list[tuple[str, str, float, str]]:
    """Name, what it is, probability and kind of each bar: the label, and what was said instead."""
    if order == "label_error":
        found = [(row.label, "label", row.fold_p_label, "rest"), (row.fold_guess, "guess", row.fold_p_guess, "sure")]
    else:
        found = [(row.label, "label", row.p_label, "rest"), (row.predicted, "guess", row.p_predicted, "sure")]
    if found[0][0] == found[1][0]:
        found = [(*found[0][:3], "sure")]
        if order != "label_error" and row.second:
            found.append((row.second, "second", row.p_second, "rest"))
    return found


def _bar(label: str, what: str, probability: float, kind: str) -> str:
    return (
        f'<div class="bar bar-{kind}" role="listitem"><span class="bar-name" title="{esc(label)}">{esc(label)} '
        f'<i>{what}</i></span><span class="bar-track"><b style="width:{max(0.6, 100 * probability):.1f}%"></b></span>'
        f'<span class="bar-value">{esc(sureness(probability))}</span></div>'
    )


def _loss(loss: float, classes: int) -> str:
    """The loss beside what a blind guess costs; the bar ends at three times that."""
    blind = math.log(max(classes, 2))
    section = "huge" if loss >= 3 * blind else "high" if loss >= blind else "some" if loss >= blind / 4 else "low"
    words = page.say("clean", f"loss_{section}", loss=f"{loss:.2f}", classes=classes, blind=number(blind))
    width = min(100.0, max(0.6, 100 * loss / (3 * blind)))
    return (
        f'<div class="loss"><span class="bar-track"><b style="width:{width:.1f}%"></b>'
        f'<i class="bar-mark" style="left:33.3%"></i></span><p>{gallery.inline(words)}</p></div>'
    )


def ahead(files: Iterable[str], dataset_id: str) -> str:
    """The next large pictures, unseen: the browser has them when they are asked for."""
    images = "".join(
        f'<img src="{gallery.thumb_url(file, dataset_id, large=True)}" alt="" fetchpriority="low">' for file in files
    )
    return f'<div class="ahead" aria-hidden="true">{images}</div>'
