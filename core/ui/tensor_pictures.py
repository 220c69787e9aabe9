"""The pictures whose numbers are looked at: some of the exam of the current set, a picture of one's own before them."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from core.data.images import reencode
from core.data.table import Dataset
from core.errors import ImageRejected
from core.text import read
from core.ui import answers, gallery, models, page, state
from core.ui.answers import Sample
from core.ui.gallery import Shot
from core.ui.models import Model
from core.ui.pictures import MAX_MB

OWN, AT = "tensors.own", "tensors.at"


@dataclass(frozen=True)
class AtHand:
    """Pictures, the model that reads them, and a safe sentence about both. `at` is the place of the chosen one."""

    model: Model
    samples: tuple[Sample, ...]
    about: str
    at: int = 0


def at_hand() -> AtHand:
    """Some exam pictures of the current set and its newest model; the bears where there is no set."""
    found = _of_current_set() or AtHand(
        models.shipped(), tuple(answers.samples(models.shipped())), read("tensors", "at_hand_shipped")
    )
    own = state.get(OWN)
    if own is None:
        samples, about = found.samples, found.about
    else:
        samples = (Sample(Shot(gallery.data_url(own[1]), own[0]), own[1]), *found.samples)
        about = read("tensors", "own") if not state.get(AT, 0) else found.about
    return AtHand(found.model, samples, about, min(state.get(AT, 0), len(samples) - 1))


def _of_current_set() -> AtHand | None:
    dataset = page.current_dataset()
    if dataset is None:
        return None
    samples = _exam_of(dataset)
    if not samples:
        return None
    model = next((one for one in models.list_models(state.workspace()) if _learned(one, dataset)), models.shipped())
    title = models.run_name(model.run) if model.run else model.title
    return AtHand(model, samples, page.say("tensors", "at_hand", name=dataset.name, model=title))


def _learned(model: Model, dataset: Dataset) -> bool:
    return model.run is not None and model.run.request.get("dataset") == dataset.id


def _exam_of(dataset: Dataset) -> tuple[Sample, ...]:
    """A few exam pictures of a set, always the same ones; of all its pictures where none was set aside."""
    kept = state.kept(dataset)
    exam = kept[kept["split"] == "valid"] if (kept["split"] == "valid").any() else kept
    return tuple(answers.some_of(dataset, exam))


def choose(found: AtHand) -> None:
    """The pictures as buttons, what they are, and the way to bring one."""
    with st.container(key="tensors-pictures", horizontal=True, vertical_alignment="center"):
        shots = [sample.shot for sample in found.samples]
        gallery.picks(shots, key="tensors", chosen=found.at, on_pick=lambda place: state.put(AT, place))
        page.note(found.about)
        with st.popover("Your own", icon=":material/upload:", key="tensors.bring"):
            _bring()


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
    if (state.get(OWN) or (None, None))[1] != clean:
        state.put(OWN, (file.name, clean))
        state.put(AT, 0)
        st.rerun()
