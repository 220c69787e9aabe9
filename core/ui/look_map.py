"""A map of all pictures: a model's answers and activations in; a scatter with one picture in the light out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from core.interpret import atlas
from core.interpret.neighbours import units
from core.plots.atlas import atlas_figure
from core.plots.style import esc, sureness
from core.text import read
from core.ui import choices, evidence, look_near, look_pick, page, state, taps
from core.ui.gallery import inline, thumb_url
from core.ui.look_pick import ITEM, WORDS, Row
from core.ui.readings import Reading

CHART = "looks.map"
VIEWS: Mapping[str, str] = {"body": "As the body sees it", "head": "As the head sees it"}
COLOURINGS: Mapping[str, str] = {"label": "Colour: label", "wrong": "Colour: right or wrong"}
HEIGHT = 392


def show(reading: Reading) -> None:
    """The map and its controls, the picture that was clicked, and what there is to see."""
    left, right = st.columns([2.3, 1], gap="medium")
    with left:
        with st.container(key="looks-map-how", horizontal=True, vertical_alignment="center"):
            view = choices.switch(VIEWS, slot="view", key="looks.view", default="body", light=True)
            colouring = choices.switch(COLOURINGS, slot="colour", key="looks.colour", default="label", light=True)
        row = look_pick.chosen(reading)
        _chart(reading, view, colouring, row)
    with right:
        if row is None:
            st.html(f'<div class="look blank map-blank"><p>{esc(read(WORDS, "map_hint"))}</p></div>')
        else:
            _card(reading, row)
    _see(reading, view)


def places(reading: Reading, view: str) -> np.ndarray:
    """Where each picture lies, (n, 2), as the body or as the head sees it."""
    found: np.ndarray = reading.kept(("looks.places", view), lambda: _places(reading, view))
    return found


def _places(reading: Reading, view: str) -> np.ndarray:
    with st.spinner(read(WORDS, "mapping")):
        rows = reading.activations()
        return atlas.plane(units(rows) if view == "body" else evidence.head_view(reading.model, rows))


def _chart(reading: Reading, view: str, colouring: str, row: Row | None) -> None:
    ringed = _ringed(None if row is None else str(row["item"]), (reading.run.id, view, colouring))
    key = ("looks.figure", view, colouring, ringed, page.current_look())
    figure = reading.kept(key, lambda: _figure(reading, view, colouring, ringed))
    st.plotly_chart(
        figure, key=CHART, on_select=_remember, selection_mode="points", theme=None,
        config={"displayModeBar": False, "scrollZoom": False}, alt=read(WORDS, "map_alt"),
    )  # fmt: skip
    taps.heed()


def _figure(reading: Reading, view: str, colouring: str, ringed: str | None) -> dict[str, Any]:
    table = reading.table
    names = table["item"].map(reading.names).fillna("").tolist()
    return atlas_figure(
        places(reading, view), table, colouring=colouring, classes=reading.known, look=page.current_look(),
        names=names, ringed=ringed, height=HEIGHT,
    )  # fmt: skip


def _ringed(chosen: str | None, drawn: tuple[str, ...]) -> str | None:
    """The item to draw a ring around. While a figure has none, what is clicked in it is marked by itself: a ring would
    draw all anew and lose where somebody has zoomed to.
    """
    bare = (*drawn, "") == state.get("looks.drawn")
    ringed = None if bare and chosen == _clicked() else chosen
    state.put("looks.drawn", (*drawn, ringed or ""))
    return ringed


def _clicked() -> str | None:
    """The item of the point that is selected in the figure."""
    event = st.session_state.get(CHART) or {}
    points = event.get("selection", {}).get("points", [])
    item = points[0].get("customdata") if points else None
    return str(item[0] if isinstance(item, list) else item) if item else None


def _remember() -> None:
    """What was clicked is the picture of the page's address; a click beside the points changes nothing."""
    item = _clicked()
    if item is not None:
        state.to_address(ITEM, item)


def _card(reading: Reading, row: Row) -> None:
    """The picture that was chosen, what it is said to be, its nearest, and the ways on."""
    name = reading.names.get(row["item"], "")
    right = row["predicted"] == row["label"]
    said = page.say(WORDS, "caption", label=row["label"], predicted=row["predicted"], p=sureness(row["p_predicted"]))
    source = thumb_url(row["file"], reading.dataset.id, large=True)
    side = read(WORDS, f"side_{row['split']}")
    with st.container(key="card-looks-map"):
        st.html(
            f'<figure class="look {"right" if right else "wrong"}"><img src="{source}" alt="{esc(name)}">'
            f"<figcaption>{inline(said)}<small>{esc(name)} · {side}</small></figcaption></figure>"
        )
        found = look_near.near(reading, row)
        st.html(f'<p class="note">{esc(read(WORDS, "near_short"))}</p>{look_near.html(reading, found, row)}')
        with st.container(horizontal=True):
            st.button(
                "Look closer", key="looks.closer", icon=":material/search:", on_click=_closer, args=(row["item"],)
            )
            if st.button("Clean", key="looks.clean", icon=":material/mop:"):
                page.go("clean", dataset=reading.dataset.id, run=reading.model.id, find="1", order="loss", view="one",
                        item=str(row["item"]))  # fmt: skip


def _closer(item: str) -> None:
    state.to_address(ITEM, item)
    state.to_address(look_pick.FIRST, None)
    state.to_address("show", "picture")


def _see(reading: Reading, view: str) -> None:
    exam = int((reading.table["split"] == "valid").sum())
    if not exam:
        page.see(read(WORDS, "map_no_exam"), "attention")
        return
    body = _misplaced(reading, "body")
    if view == "body":
        page.see(page.say(WORDS, "see_body", wrong=body, of=exam))
    else:
        page.see(page.say(WORDS, "see_head", wrong=_misplaced(reading, "head"), of=exam, body=body))


def _misplaced(reading: Reading, view: str) -> int:
    return int(reading.kept(("looks.misplaced", view), lambda: _count(reading.table, places(reading, view))))


def _count(table: pd.DataFrame, where: np.ndarray) -> int:
    return int(atlas.misplaced(where, table["label"].tolist(), (table["split"] == "train").to_numpy()).sum())
