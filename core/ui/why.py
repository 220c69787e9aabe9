"""Why a model answered so: a picture in; where it looked, and the pictures it learned from that are most like it, out.

Both are worked out when somebody asks for them, and kept in the session's memory alone: the picture is a visitor's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import JobError, ModelError
from core.interpret.neighbours import nearest
from core.interpret.reading import ANSWERS, load_activations, load_answers
from core.plots.style import esc
from core.text import read
from core.ui import cache, gallery, models, page, readings, state
from core.ui.live import watch
from core.ui.models import Model
from core.ui.suspects import progress

HEAT, ALIKE = "Where it looked", "Pictures like it"
NEAREST = 5
KEPT = 24
_SLOT = "predict.heats"


@dataclass(frozen=True)
class Asked:
    """What is shown beside an answer. `alike` are the rows of a reading and their activations, where there are any."""

    heat: bool = False
    alike: tuple[pd.DataFrame, Any] | None = None


PLAIN = Asked()


def choose(model: Model, *, own: bool = True) -> Asked:
    """The choice of what is shown beside an answer. Pictures of a data set are for its owner alone."""
    dataset = models.dataset_of(model.run) if own and model.run else None
    ways = [HEAT, ALIKE] if dataset is not None else [HEAT]
    if dataset is None and ALIKE in (st.session_state.get("predict.why") or []):
        st.session_state["predict.why"] = [way for way in st.session_state["predict.why"] if way != ALIKE]
    picked = st.pills(
        "Show", ways, selection_mode="multi", key="predict.why", label_visibility="collapsed", persist_state="session"
    )
    alike = None
    if ALIKE in picked and dataset is not None:
        with page.boundary():
            alike = _learned(model, readings.begin(model, dataset))
    return Asked(HEAT in picked, alike)


def _learned(model: Model, run: Any) -> tuple[pd.DataFrame, Any] | None:
    """What the model learned from, with its activations; None while it is being asked about them."""
    if run.state == "done":
        table = cache.tables().read(run.path / ANSWERS, lambda _: load_answers(run))
        learned = (table["split"] == "train").to_numpy()
        return table[learned].reset_index(drop=True), load_activations(run)[learned]
    if run.ended:
        raise JobError(run.record["message"] or read("predict", "alike_stopped"), hint=run.record["hint"] or "")
    page.note(read("predict", "alike_wait"))
    watch(run, progress)
    return None


def heat_url(model: Model, data: bytes, sha: str) -> str | None:
    """The picture as the model sees it under a map of its evidence, as an address; None where there is no such map."""
    key = (model.id, model.saved_at, sha)
    known: dict[Any, str] = state.get(_SLOT, {})
    if key not in known:
        try:
            known = dict([*known.items(), (key, gallery.data_url(cache.predictors().heat(model, data)))][-KEPT:])
        except ModelError as error:
            page.show_error(error)
            return None
        state.put(_SLOT, known)
    return known[key]


def alike(model: Model, data: bytes, asked: Asked) -> str:
    """The pictures most like this one among those the model learned from, as HTML; "" where nobody asked."""
    if asked.alike is None:
        return ""
    table, activations = asked.alike
    places, _ = nearest(cache.predictors().activations(model, data), activations, NEAREST)
    rows = [table.iloc[place] for place in places]
    figures = "".join(_figure(model, row) for row in rows)
    return f'<div class="alike"><p>{gallery.inline(_sentence(rows))}</p>{figures}</div>'


def _sentence(rows: list[pd.Series]) -> str:
    labels = pd.Series([row["label"] for row in rows], dtype=str).value_counts()
    if labels.empty:
        return esc(read("predict", "alike_none"))
    return page.say("predict", "alike", count=len(rows), same=int(labels.iloc[0]), label=labels.index[0])


def _figure(model: Model, row: pd.Series) -> str:
    label = esc(row["label"])
    src = gallery.thumb_url(row["file"], model.run.request["dataset"]) if model.run else ""
    return f'<figure><img src="{src}" alt="{label}" loading="lazy"><figcaption>{label}</figcaption></figure>'
