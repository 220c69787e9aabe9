"""The page of tensors: a picture of one's own or of a set, what it becomes on the way to an answer, part by part.

A new part is one line in PARTS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache as once
from typing import Any

import streamlit as st

from core.data.images import reencode
from core.errors import ImageRejected
from core.text import read
from core.ui import answers, choices, gallery, models, page, state, tensor_answer, tensor_pixels, tensor_product
from core.ui import cache as shared
from core.ui.models import Model
from core.ui.pictures import MAX_MB


@dataclass(frozen=True)
class Numbers:
    """What the parts draw: the `trace` (core.interpret.tracing) of the pictures at hand; the chosen one is at `at`."""

    model: Model
    trace: Any
    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    at: int = 0


@dataclass(frozen=True)
class Part:
    """One part: `show` draws it, `source` is what did the work; its words are sections of tensors.md."""

    title: str
    show: Callable[[Any], None]
    source: str
    name: str = ""

    def section(self, what: str) -> str:
        """The section of "try" or "behind" that belongs to this part."""
        return f"{what}_{self.name}" if self.name else what


PARTS: Mapping[str, Part] = {
    "pixels": Part("Pixels", tensor_pixels.show, "core.data.pixels:square"),
    "ranks": Part("Ranks", tensor_pixels.ranks, "core.interpret.tracing:trace", "ranks"),
    "product": Part("Rows times columns", tensor_product.show, "core.sgd.products:by_loops", "product"),
    "answer": Part("Scores to an answer", tensor_answer.show, "core.interpret.predictions:answers", "answer"),
    "stretch": Part("Broadcasting", tensor_answer.broadcasting, "core.vision.model:Classifier.normalise", "stretch"),
}


def show() -> Part:
    """The choice of part, which stays in the address, the pictures to choose from, and the part."""
    titles = {name: part.title for name, part in PARTS.items()}
    part = PARTS[choices.switch(titles, slot="part", key="tensors.part", default="pixels")]
    with page.boundary():
        numbers = _numbers()
        if numbers is not None:
            part.show(numbers)
    return part


def _numbers() -> Numbers | None:
    """The pictures at hand through the newest model, or through the bears' where there is none; None while it wakes."""
    model = next((one for one in models.list_models(state.workspace()) if answers.samples(one)), models.shipped())
    if model.run is None and not shared.demo().ready():
        _wait()
        return None
    at_hand = answers.samples(model)
    own = state.get("tensors.own")
    shots = [sample.shot for sample in at_hand]
    pictures = [sample.data for sample in at_hand]
    if own is not None:
        shots, pictures = [gallery.Shot(gallery.data_url(own[1]), own[0]), *shots], [own[1], *pictures]
    chosen = min(state.get("tensors.at", 0), len(shots) - 1)
    with st.container(key="tensors-pictures", horizontal=True, vertical_alignment="center"):
        gallery.picks(shots, key="tensors", chosen=chosen, on_pick=lambda place: state.put("tensors.at", place))
        with st.popover("Your own", icon=":material/upload:", key="tensors.bring"):
            _bring()
    trace = _kept().get(
        (model.id, model.saved_at, tuple(map(hash, pictures))), lambda: shared.predictors().trace(model, pictures)
    )
    return Numbers(model, trace, tuple(s.name for s in shots), tuple(s.label for s in shots), chosen)


@once
def _kept() -> shared.Warm:
    return shared.Warm(8)


@st.fragment(run_every=0.5)
def _wait() -> None:
    st.html(f'<p class="note">{read("home", "waking")}</p>')
    waking = shared.demo()
    if waking.error:
        page.show_error(waking.error)
    elif waking.ready():
        st.rerun()


def _bring() -> None:
    """A picture of one's own, made small and clean first; a bad one gets a sentence."""
    file = st.file_uploader(
        "A picture", type="image/*", key="tensors.file", label_visibility="collapsed", max_upload_size=MAX_MB
    )
    if file is None:
        return
    try:
        clean = reencode(file.getvalue()).jpeg
    except ImageRejected as error:
        st.warning(
            page.say("predict", "rejected", name=file.name, reason=error.message), icon=":material/broken_image:"
        )
        return
    if (state.get("tensors.own") or (None, None))[1] != clean:
        state.put("tensors.own", (file.name, clean))
        state.put("tensors.at", 0)
        st.rerun()
