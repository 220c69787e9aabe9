"""The parts of the explore page: a name in the address in, one thing to look at out. PARTS is the only list of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.train.runs import list_runs
from core.ui import choices, contents, forms, looking, page, problems, state


@dataclass(frozen=True)
class Part:
    """One part: `show` draws it from the rows that count; `try<words>` and `behind<words>` are its sections."""

    title: str
    show: Callable[[Dataset, pd.DataFrame], None]
    source: str
    words: str = ""


PARTS: Mapping[str, Part] = {
    "contents": Part("What is in it", contents.show, "core.data.summary:class_counts"),
    "model": Part("As the model sees it", looking.batch, "core.vision.preview:normalise", "_model"),
    "augment": Part("Augmentation", looking.augmentation, "core.vision.augment:augment_batch", "_augment"),
    "quality": Part("Quality", problems.show, "core.data.quality:inspect", "_quality"),
}


def choose(dataset: Dataset) -> tuple[Dataset, Part]:
    """Which data set and which part of the page; both stand in the address."""
    left, right = st.columns([1, 2.6], vertical_alignment="bottom")
    with left:
        dataset = forms.dataset(state.datasets(), dataset, key="explore.dataset")
    with right:
        titles = {name: part.title for name, part in PARTS.items()}
        chosen = choices.switch(titles, slot="look", key="explore.look", default="contents")
    return dataset, PARTS[chosen]


def rows(dataset: Dataset) -> pd.DataFrame:
    """The rows that count; without any the page ends here, with the way to bring pictures."""
    items = state.kept(dataset)
    if len(items):
        return items
    with st.container(key="card-gate"):
        st.markdown(page.say("explore", "no_pictures", name=dataset.name))
        page.next_step("Bring pictures", "build", key="explore.bring", dataset=dataset.id, part="bring")
    st.stop()


def next_step(dataset: Dataset) -> None:
    """One button: bring a second class, train, or clean together with a model that has been trained."""
    if not dataset.trainable:
        page.next_step("Bring pictures", "build", key="explore.next", dataset=dataset.id, part="bring")
    elif any(run.request.get("dataset") == dataset.id for run in list_runs(dataset.workspace, "train") if run.ended):
        page.next_step("Clean it", "clean", key="explore.next", dataset=dataset.id)
    else:
        page.next_step("Train", "train", key="explore.next", dataset=dataset.id)
