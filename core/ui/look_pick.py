"""Which picture is looked at: a model's answers in; the row of one picture, chosen by address or from a strip, out."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from core.errors import NotFound
from core.text import read
from core.ui import gallery, page, state
from core.ui.gallery import Shot
from core.ui.readings import Reading

AT_ONCE = 10
ITEM, FIRST = "item", "from"
Row = dict[str, Any]


def worst_first(reading: Reading) -> pd.DataFrame:
    """The answers about the exam, the highest loss first; about all pictures where there is no exam."""
    found: pd.DataFrame = reading.kept("looks.worst", lambda: _worst_first(reading))
    return found


def _worst_first(reading: Reading) -> pd.DataFrame:
    exam = reading.side("valid")
    rows = exam if len(exam) else reading.table
    return rows.sort_values("loss", ascending=False, kind="stable").reset_index(drop=True)


def chosen(reading: Reading) -> Row | None:
    """The row of the address's picture; None without one. A picture that is not there gets a sentence."""
    wanted = state.from_address(ITEM)
    if not wanted:
        return None
    found = reading.table[reading.table["item"] == wanted]
    if not len(found):
        state.to_address(ITEM, None)
        page.show_error(
            NotFound(f"There is no picture {wanted[:40]!r} in this data set.", hint=read(WORDS, "gone_item"))
        )
        return None
    return dict(found.iloc[0])


WORDS = "where_it_looks"


def strip(reading: Reading) -> Row:
    """A row of pictures to choose from, those with the highest loss first, and the chosen one."""
    rows = worst_first(reading)
    row = chosen(reading) or dict(rows.iloc[0])
    first = _first(rows, row)
    shown = rows.iloc[first : first + AT_ONCE]
    with st.container(key="looks-strip"):
        _step("Earlier", "looks.earlier", ":material/chevron_left:", first - AT_ONCE, disabled=first == 0)
        _pictures(reading, shown, row)
        _step("More", "looks.more", ":material/chevron_right:", first + AT_ONCE, disabled=first + AT_ONCE >= len(rows))
    return row


def _first(rows: pd.DataFrame, row: Row) -> int:
    """Where the strip begins: as the address says, else where the chosen picture is on it."""
    wanted = state.from_address(FIRST) or ""
    if wanted.isdecimal() and len(wanted) < 8 and int(wanted) < len(rows):
        return int(wanted) // AT_ONCE * AT_ONCE
    at = rows.index[rows["item"] == row["item"]]
    return int(at[0]) // AT_ONCE * AT_ONCE if len(at) else 0


def _pictures(reading: Reading, shown: pd.DataFrame, row: Row) -> None:
    items, dataset = shown["item"].tolist(), reading.dataset.id
    shots = [
        Shot(gallery.thumb_url(file, dataset), reading.names.get(item, ""))
        for file, item in zip(shown["file"], items, strict=True)
    ]
    at = items.index(row["item"]) if row["item"] in items else None
    wrong = [place for place, missed in enumerate(shown["predicted"] != shown["label"]) if missed]
    if wrong:
        st.html(
            f"<style>{', '.join(f'.st-key-pick-looks-{place}' for place in wrong)} {{ --missed: #d55e00; }}</style>"
        )
    gallery.picks(shots, key="looks", chosen=at, on_pick=lambda place: state.to_address(ITEM, items[place]))


def _step(title: str, key: str, icon: str, to: int, *, disabled: bool) -> None:
    st.button(
        title, key=key, icon=icon, disabled=disabled, on_click=state.to_address, args=(FIRST, str(max(0, to))),
    )  # fmt: skip
