"""The page of tensors: a picture of one's own or of a set, what it becomes on the way to an answer, part by part.

A new part is one line in PARTS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache as once
from typing import Any

import numpy as np
import streamlit as st

from core.errors import ModelError
from core.text import read
from core.ui import cache as shared
from core.ui import (
    choices,
    page,
    tensor_answer,
    tensor_pictures,
    tensor_pixels,
    tensor_product,
    tensor_ranks,
    tensor_stretch,
)
from core.ui.tensor_pictures import AtHand


@dataclass(frozen=True)
class Numbers:
    """What the parts draw: the `trace` (core.interpret.tracing) of the pictures at hand; the chosen one is at `at`."""

    trace: Any
    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    at: int = 0


@dataclass(frozen=True)
class Part:
    """One part: `show` draws it, `source` is what did the work; its words are sections of tensors.md.

    `needs_pictures` tells whether the pictures are to be chosen from at the moment.
    """

    title: str
    show: Callable[[Any], None]
    source: str
    name: str = ""
    needs_pictures: Callable[[], bool] = lambda: True

    def section(self, what: str) -> str:
        """The section of "try" or "behind" that belongs to this part."""
        return f"{what}_{self.name}" if self.name else what


PARTS: Mapping[str, Part] = {
    "pixels": Part("Pixels", tensor_pixels.show, "core.data.pixels:square"),
    "ranks": Part("Ranks", tensor_ranks.show, "core.interpret.tracing:trace", "ranks"),
    "product": Part(
        "Rows times columns", tensor_product.show, "core.sgd.products:by_loops", "product", tensor_product.is_real
    ),
    "answer": Part("Scores to an answer", tensor_answer.show, "core.interpret.predictions:answers", "answer"),
    "stretch": Part("Broadcasting", tensor_stretch.show, "core.vision.model:Classifier.normalise", "stretch"),
}


def show() -> Part:
    """The choice of part, which stays in the address, the pictures to choose from, and the part."""
    titles = {name: part.title for name, part in PARTS.items()}
    part = PARTS[choices.switch(titles, slot="part", key="tensors.part", default="pixels")]
    with page.boundary():
        found = tensor_pictures.at_hand()
        if found.model.run is None and not shared.demo().ready():
            _wait()
        else:
            if part.needs_pictures():
                tensor_pictures.choose(found)
            part.show(_numbers(found))
    return part


def next_step(part: Part) -> None:
    """The one button that leads on: to the next part, and from the last one to gradient descent."""
    names = list(PARTS)
    place = next(place for place, name in enumerate(names) if PARTS[name] is part)
    if place + 1 < len(names):
        page.next_step(PARTS[names[place + 1]].title, "tensors", key="tensors.next", part=names[place + 1])
    else:
        page.next_step(page.PAGES["sgd"].title, "sgd", key="tensors.next")


def _numbers(found: AtHand) -> Numbers:
    """The pictures at hand through their model; worked out once for the same pictures."""
    pictures = [sample.data for sample in found.samples]
    model = found.model
    owner = model.run.workspace.owner if model.run else ""
    key = (owner, model.id, model.saved_at, tuple(map(hash, pictures)))
    trace = _kept().get(key, lambda: shared.predictors().trace(model, pictures))
    if not np.isfinite(trace.scores).all():
        raise ModelError(
            "The newest model of this set has weights that are no numbers: its training diverged.",
            hint="Train once more at a lower rate; its numbers can be looked at then.",
        )
    shots = [sample.shot for sample in found.samples]
    return Numbers(trace, tuple(shot.name for shot in shots), tuple(shot.label for shot in shots), found.at)


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
