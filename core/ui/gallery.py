"""Pictures on a page: rows of a table or bytes in, small pieces of HTML out. Every name in them is made safe.

A grid of pictures is one piece of HTML whose images come from `/thumb`, so that hundreds of them cost one message.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.plots.probabilities import waiting_bars
from core.plots.style import esc

THUMBS_PER_CLASS = 12
THUMB_PX, LARGE_PX = 192, 512
_INLINE = (
    (re.compile(r"\*\*(.+?)\*\*", re.DOTALL), r"<em>\1</em>"),
    (re.compile(r"\*(.+?)\*", re.DOTALL), r"<i>\1</i>"),
    (re.compile(r"`(.+?)`", re.DOTALL), r"<code>\1</code>"),
    (
        re.compile(r"\[([^\[\]]+)\]\((/glossary\?term=[a-z0-9-]+)\)"),
        r'<a class="term" href="\2" target="_blank" rel="noopener">\1</a>',
    ),
)


@dataclass(frozen=True)
class Shot:
    """One picture that can be shown and looked at: where the browser finds it, and what it is said to be."""

    src: str
    name: str
    label: str | None = None


def thumb_url(sha: str, dataset_id: str, *, large: bool = False) -> str:
    """The address of a stored picture, small or as large as it is kept. `dataset_id` may be "demo"."""
    return f"/thumb/{sha}.jpg?dataset={dataset_id}" + ("&large=1" if large else "")


def heat_url(model_id: str, sha: str, dataset_id: str, label: str) -> str:
    """The address of a stored picture with what speaks for `label`, a class of the model, laid over it."""
    return f"/heat/{model_id}/{sha}.jpg?dataset={dataset_id}&label={quote(label, safe='')}"


def mistake_url(sha: str, dataset_id: str) -> str:
    """The address of a picture of a data set's mistakes, small."""
    return f"/thumb/{sha}.jpg?dataset={dataset_id}&mistake=1"


def data_url(jpeg: bytes) -> str:
    """A JPEG inside the page itself: a visitor's picture is shown without being kept anywhere."""
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def inline(text: str) -> str:
    """The little Markdown of our own sentences as HTML: `**x**`, `*x*`, `` `x` ``, and links to the glossary.

    Values in them are safe already.
    """
    for pattern, html in _INLINE:
        text = pattern.sub(html, text)
    return text


def answer(shot: Shot, *, verdict: str, bars: str, after: str = "", caption: str = "", whole: bool = False) -> str:
    """A picture beside what a model says about it. `verdict` and `after` are sentences with safe values."""
    kind = "answer whole" if whole else "answer"
    note = f"<figcaption>{esc(caption)}</figcaption>" if caption else ""
    said = f'<p class="verdict" aria-live="polite">{inline(verdict)}</p>'
    more = f'<p class="after">{inline(after)}</p>' if after else ""
    picture = f'<figure><img src="{shot.src}" alt="{esc(shot.name)}">{note}</figure>'
    return f'<div class="{kind}">{picture}<div>{said}{bars}{more}</div></div>'


def blank(text: str) -> str:
    """The place where an answer will stand, with a sentence about how to get one."""
    said = f'<p class="verdict">{inline(esc(text))}</p>'
    return f'<div class="answer"><figure><div class="blank"></div></figure><div>{said}{waiting_bars()}</div></div>'


def picks(shots: Sequence[Shot], *, key: str, chosen: int | None, on_pick: Callable[[int], None]) -> None:
    """A row of pictures that are buttons; `on_pick` is called with the place of the one that was pressed."""
    rules = [
        f".st-key-pick-{key}-{i} button {{ background-image: url('{shot.src}'); }}" for i, shot in enumerate(shots)
    ]
    if chosen is not None:
        rules.append(f".st-key-pick-{key}-{chosen} button {{ border-color: var(--brand) !important; }}")
    st.html(f"<style>{' '.join(rules)}</style>")
    with st.container(key=f"picks-{key}"):
        for i, shot in enumerate(shots):
            st.button(esc(shot.name), key=f"pick-{key}-{i}", width="stretch", on_click=on_pick, args=(i,))


def class_rows(dataset: Dataset, items: pd.DataFrame, classes: Sequence[str], *, seed: int = 0) -> str:
    """For each class: its counts, a bar of training and validation pictures, and up to 12 of its pictures."""
    largest = int(items["label"].value_counts().max())
    return "".join(_class_row(dataset, items[items["label"] == label], label, largest, seed) for label in classes)


def _class_row(dataset: Dataset, rows: pd.DataFrame, label: str, largest: int, seed: int) -> str:
    train = int((rows["split"] == "train").sum())
    valid = len(rows) - train
    shown = rows.sample(min(THUMBS_PER_CLASS, len(rows)), random_state=seed)
    return (
        f'<section class="class-row"><header><b>{esc(label)}</b><span>{train} to learn from, {valid} for the exam'
        f'</span></header><div class="balance" role="img" aria-label="{train} training, {valid} validation pictures">'
        f'<i style="width:{100 * train / largest:.1f}%"></i><i style="width:{100 * valid / largest:.1f}%"></i></div>'
        f"{thumbs(dataset, shown)}</section>"
    )


def thumbs(dataset: Dataset, rows: pd.DataFrame, *, large: bool = False) -> str:
    """The pictures of some rows of a data set's table, side by side; `large`: each leads to itself in large."""
    pictures = "".join(_thumb(dataset.id, row.file, row.original_name, large) for row in rows.itertuples())
    return f'<div class="thumbs">{pictures}</div>'


def _thumb(dataset_id: str, sha: str, name: str, large: bool) -> str:
    picture = f'<img src="{thumb_url(sha, dataset_id)}" alt="{esc(name)}" title="{esc(name)}" loading="lazy">'
    return f'<a href="{thumb_url(sha, dataset_id, large=True)}" target="_blank">{picture}</a>' if large else picture


def collage(sources: Sequence[str]) -> str:
    """A few pictures in a row, as the face of a card; a word that is no address names one of the packaged icons."""
    tiles = (
        f'<img src="{src}" alt="">' if src.startswith("/") else f'<span class="tile" aria-hidden="true">{src}</span>'
        for src in sources
    )
    return f'<div class="collage thumbs">{"".join(tiles)}</div>'
