"""What is in a data set: its table in, bars, histograms, extremes and sentences from its own numbers out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from core.data.images import LONGEST_SIDE
from core.data.summary import balance_of, class_counts, extremes, lost_share, shapes
from core.data.table import Dataset
from core.plots.data import AT_ONCE, class_bars, shapes_figure, sides_figure
from core.plots.style import esc, share
from core.text import read
from core.ui import gallery, page

EVEN, UNBALANCED = 1.25, 3.0  # the largest class over the smallest
SEEN_PX = 224  # what a model is shown unless somebody chooses another size
MUCH_LOST = 1 / 3  # of a picture's surface
FIGURE_PX = 230


def show(dataset: Dataset, items: pd.DataFrame) -> None:
    """Counts of each class and what they mean; then sizes, shapes and extremes."""
    counts = class_counts(items)
    with st.container(key="explore-counts"):
        left, right = st.columns([1.7, 1], gap="large")
        order = read("explore", "order") if len(counts) > AT_ONCE else ""
        left.html(key(order) + class_bars(counts, faces=_faces(dataset, items)))
        with right:
            _say_counts(counts)
    st.subheader(read("explore", "sizes"), anchor=False)
    page.note(read("explore", "sizes_note"))
    _sizes(items)
    _say_sizes(items)
    if len(items[["width", "height"]].drop_duplicates()) > 1:
        st.html(f'<h4 class="extremes-title">{esc(read("explore", "extremes"))}</h4>{_extremes(dataset, items)}')


def key(more: str = "") -> str:
    """What the two colours of a bar or a mark mean, and a word about the order."""
    return (
        '<p class="note counts-key"><span><i class="key" style="background:var(--training)"></i>to learn from</span>'
        '<span><i class="key" style="background:var(--ink)"></i>for the exam</span>'
        f'<span class="order">{esc(more)}</span></p>'
    )


def _faces(dataset: Dataset, items: pd.DataFrame) -> dict[str, str]:
    first = items.drop_duplicates("label")
    return {row.label: gallery.thumb_url(row.file, dataset.id) for row in first.itertuples()}


def _say_counts(counts: pd.DataFrame) -> None:
    train, valid = int(counts["train"].sum()), int(counts["valid"].sum())
    classes = "1 class" if len(counts) == 1 else f"{len(counts)} classes"
    page.see(
        page.say("explore", "total", kept=f"{train + valid:,}", classes=classes, train=f"{train:,}", valid=f"{valid:,}")
    )
    if len(counts) == 1:
        page.see(read("explore", "one_class"), "attention")
        return
    _say_balance(counts)
    missing = [str(label) for label in counts.index[counts["valid"] == 0]]
    if missing:
        page.see(page.say("explore", "no_exam", labels=_named(missing)), "attention")


def _say_balance(counts: pd.DataFrame) -> None:
    found = balance_of(counts)
    most, least = int(counts["total"].iloc[0]), int(counts["total"].iloc[-1])
    section = "equal" if most == least else _evenness(found.ratio)
    values = {"largest": found.largest, "smallest": found.smallest, "most": f"{most:,}", "least": f"{least:,}"}
    text = page.say("explore", section, ratio=times(found.ratio), **values)
    page.see(text, "attention" if section == "unbalanced" else "")
    if found.exam:
        page.see(
            page.say(
                "explore",
                "always",
                favourite=found.favourite,
                always=f"{found.always:,}",
                exam=f"{found.exam:,}",
                share=share(found.always / found.exam),
            )
        )


def _evenness(ratio: float) -> str:
    if ratio < EVEN:
        return "even"
    return "uneven" if ratio < UNBALANCED else "unbalanced"


def times(ratio: float) -> str:
    """A factor in a sentence: 1.84 -> "1.8", 24.6 -> "25"."""
    return f"{ratio:.1f}" if ratio < 9.95 else f"{ratio:,.0f}"


def _named(labels: Sequence[str], most: int = 4) -> str:
    more = f" and {len(labels) - most} more" if len(labels) > most else ""
    return ", ".join(labels[:most]) + more


def _sizes(items: pd.DataFrame) -> None:
    look = page.current_look()
    figures = {
        side: sides_figure(items[side].to_numpy(), side=side, longest=LONGEST_SIDE, look=look)
        for side in ("width", "height")
    }
    figures["shape"] = shapes_figure(shapes(items), look)
    for column, (name, spec) in zip(st.columns(3), figures.items(), strict=True):
        with column:
            alt = f"Histogram of the {name} of {len(items):,} pictures."
            st.echarts_chart(spec, key=f"explore.{name}", height=FIGURE_PX, alt=alt)


def _say_sizes(items: pd.DataFrame) -> None:
    narrow, wide = int(items["width"].min()), int(items["width"].max())
    low, high = int(items["height"].min()), int(items["height"].max())
    same = narrow == wide and low == high
    values = {"narrow": narrow, "wide": wide, "low": low, "high": high, "width": wide, "height": high}
    said = [page.say("explore", "same_size" if same else "spread", **values)]
    lost = lost_share(items)
    cropped, soft = int((lost > MUCH_LOST).sum()), int((items[["width", "height"]].min(axis=1) < SEEN_PX).sum())
    if not lost.any():
        said.append(read("explore", "square"))
    if cropped:
        said.append(page.say("explore", "cropped", count=_of(cropped, items)))
    if soft:
        said.append(page.say("explore", "small", count=_of(soft, items)))
    page.see(" ".join(said))


def _of(count: int, items: pd.DataFrame) -> str:
    return f"{count:,} of {len(items):,} pictures"


def _extremes(dataset: Dataset, items: pd.DataFrame) -> str:
    figures = []
    for name, row in extremes(items).items():
        source = gallery.thumb_url(row["file"], dataset.id, large=True)
        file = esc(row["original_name"])
        figures.append(
            f'<figure><div class="whole"><img src="{source}" alt="{file}" loading="lazy"></div><figcaption>'
            f"<b>{esc(read('explore', name))}</b><span>{row['width']} × {row['height']}</span>"
            f"<span>{esc(row['label'])}</span><small>{file}</small></figcaption></figure>"
        )
    return f'<div class="extremes">{"".join(figures)}</div>'
