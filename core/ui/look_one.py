"""One picture under the lamp: what speaks for a class, whether covering it says the same, and what it is among."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from core.interpret import maps
from core.plots.heat import overlay
from core.plots.style import esc, sureness, sureness_in_words
from core.text import read
from core.ui import choices, evidence, look_near, look_pick, page, state
from core.ui.evidence import Seen
from core.ui.gallery import heat_url, inline, thumb_url
from core.ui.look_pick import WORDS, Row
from core.ui.readings import Reading

FOR, COVER = "for", "cover"
ANSWER = "said"
AT_LEAST = 0.005  # of a probability: a smaller fall is none


def show(reading: Reading) -> None:
    """The strip, the picture with both maps, and what there is to see."""
    row = look_pick.strip(reading)
    with st.container(key="looks-how", horizontal=True, vertical_alignment="center"):
        label = _which_class(reading, row)
        cover = _covering()
    first, second, third = st.columns(3, gap="medium")
    first.html(_picture(reading, row))
    second.html(_map(reading, row, label))
    look = evidence.seen(reading.model, reading.dataset.image_path(row["file"]), label)
    falls = None
    with third:
        if cover:
            falls = _covered(reading, row, label, look)
        else:
            st.html(f'<div class="look blank"><p>{esc(read(WORDS, "cover_off"))}</p></div>')
    _see(row, label, look, falls)
    found = look_near.near(reading, row)
    st.html(f'<h4 class="looks-title">{esc(read(WORDS, "near_title"))}</h4>{look_near.html(reading, found, row)}')
    page.see(*look_near.sentence(found, row))


def _which_class(reading: Reading, row: Row) -> str:
    """The class whose evidence is shown: the answer itself, or any other one."""
    options: Mapping[str, str] = {
        ANSWER: f"its answer: {esc(row['predicted'])}",
        **{f"={name}": esc(name) for name in reading.classes if name != row["predicted"]},
    }
    st.html(f'<span class="looks-for">{esc(read(WORDS, "speaks_for"))}</span>', width="content")
    chosen = choices.switch(options, slot=FOR, key="looks.for", default=ANSWER, light=True)
    return chosen[1:] if chosen != ANSWER and chosen in options else str(row["predicted"])


def _covering() -> bool:
    """Whether the picture is covered piece by piece as well; it takes about a second for each picture."""
    key = "looks.cover"
    st.session_state[key] = state.from_address(COVER) == "1"
    st.toggle(
        "Check it by covering",
        key=key,
        on_change=lambda: state.to_address(COVER, "1" if st.session_state[key] else None),
    )
    return bool(st.session_state[key])


def _picture(reading: Reading, row: Row) -> str:
    name = esc(reading.names.get(row["item"], ""))
    right = row["predicted"] == row["label"]
    said = page.say(WORDS, "caption", label=row["label"], predicted=row["predicted"], p=sureness(row["p_predicted"]))
    return _figure(
        thumb_url(row["file"], reading.dataset.id, large=True),
        f"{name}, labelled {esc(row['label'])}",
        said,
        "right" if right else "wrong",
    )


def _map(reading: Reading, row: Row, label: str) -> str:
    source = heat_url(reading.model.id, row["file"], reading.dataset.id, label)
    return _figure(
        source, f"what speaks for {esc(label)}", page.say(WORDS, "caption_heat", label=label, p=_p(row, label))
    )


def _covered(reading: Reading, row: Row, label: str, look: Seen) -> np.ndarray:
    with st.spinner(read(WORDS, "covering")):
        falls = evidence.falls(reading.model, reading.dataset.image_path(row["file"]), label)
    drawn = evidence.address(np.asarray(overlay(look.square, maps.shown_falls(falls))))
    after = sureness(max(0.0, float(row[f"p:{label}"]) - max(0.0, float(falls.max()))))
    caption = page.say(WORDS, "caption_cover", label=label, after=after)
    st.html(_figure(drawn, "where covering costs most", caption))
    return falls


def _figure(source: str, alt: str, caption: str, kind: str = "") -> str:
    said = f"<figcaption>{inline(caption)}</figcaption>"
    return f'<figure class="look {kind}"><img src="{source}" alt="{alt}">{said}</figure>'


def _p(row: Row, label: str) -> str:
    return sureness(float(row[f"p:{label}"]))


def _see(row: Row, label: str, look: Seen, falls: np.ndarray | None) -> None:
    area = maps.half_area(look.heat)
    if area == 0:
        page.see(page.say(WORDS, "see_nothing", label=label), "attention")
    else:
        page.see(
            page.say(
                WORDS, "see_heat", label=label, area=f"{100 * area:.0f} %", place=_where(maps.peak_place(look.heat))
            )
        )
    if falls is not None:
        page.see(f"{_cost(row, label, falls)} {_agreement(look, falls)}")


def _where(place: str) -> str:
    return "in the middle" if place == "middle" else f"at the {place}"


def _cost(row: Row, label: str, falls: np.ndarray) -> str:
    """What the dearest patch costs the class."""
    before = float(row[f"p:{label}"])
    after = max(0.0, before - float(falls.max()))
    if falls.max() < AT_LEAST:
        return page.say(WORDS, "see_no_fall", label=label, p=sureness_in_words(before))
    return page.say(
        WORDS, "see_fall", label=label, place=_where(maps.peak_place(falls)), p=sureness_in_words(before),
        after=sureness_in_words(after),
    )  # fmt: skip


def _agreement(look: Seen, falls: np.ndarray) -> str:
    found = maps.agreement(look.heat, falls)
    number = "" if found is None else f"{found:.2f}".replace("-", "−")
    return page.say(WORDS, f"maps_{maps.verdict(found)}", agreement=number)
