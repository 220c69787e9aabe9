"""Answers of a model on a page: a picture's bytes in, a card with the verdict and its bars out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pandas as pd
import streamlit as st

from core.data.images import LONGEST_SIDE, reencode
from core.data.table import Dataset, load_dataset, read_items
from core.errors import ImageRejected, NotFound
from core.plots.probabilities import probability_bars, ranked, waiting_bars
from core.plots.style import esc, number, sureness_in_words
from core.text import read
from core.ui import cache, gallery, mistakes, models, page, state, why
from core.ui.gallery import Shot
from core.ui.mistakes import Said
from core.ui.models import DEMO, Model
from core.ui.why import PLAIN, Asked

SAMPLES, SHOWN_AT_ONCE = 6, 12
SURE = 0.6


@dataclass(frozen=True)
class Sample:
    """A picture that is at hand: shown as `shot`, looked at as `data`."""

    shot: Shot
    data: bytes


def samples(model: Model) -> list[Sample]:
    """Pictures one click away: those of the shipped model, some that a run kept aside, or none."""
    if model.imported is not None:
        return []
    if model.run is None:
        return [
            Sample(Shot(gallery.thumb_url(sha, DEMO, large=True), f"{picture.label} bear", picture.label), picture.jpeg)
            for sha, picture in cache.demo_pictures().items()
        ]
    try:
        dataset = load_dataset(model.run.workspace, model.run.request["dataset"])
        items = read_items(model.run.path / "items.csv")
    except NotFound:
        return []
    exam = items[(items["status"] == "kept") & (items["split"] == "valid")]
    return some_of(dataset, exam)


def some_of(dataset: Dataset, rows: pd.DataFrame) -> list[Sample]:
    """A few pictures of some rows of a data set's table, always the same ones; those whose file is there."""
    found = []
    for row in rows.sample(min(SAMPLES, len(rows)), random_state=0).itertuples():
        path = dataset.image_path(row.file)
        if path.is_file():
            shot = Shot(gallery.thumb_url(row.file, dataset.id, large=True), row.original_name, row.label)
            found.append(Sample(shot, path.read_bytes()))
    return found


def verdict(probabilities: dict[str, float], threshold: float) -> str:
    """One sentence for a prediction, with every name made safe."""
    first, *rest = ranked(probabilities, 2)
    if first[1] >= threshold:
        return page.say("predict", "sure", label=first[0], share=sureness_in_words(first[1]))
    if not rest:
        return page.say("predict", "unsure_one", label=first[0], share=sureness_in_words(first[1]))
    return page.say(
        "predict",
        "unsure",
        label=first[0],
        share=sureness_in_words(first[1]),
        second=rest[0][0],
        second_share=sureness_in_words(rest[0][1]),
    )


def _time(ms: float) -> str:
    return f'<span class="time">{page.say("predict", "time", ms=number(max(ms, 0.1)), device="CPU")}</span>'


def _card(shot: Shot, prediction: Any, threshold: float, *, after: str = "", caption: str = "", top: int = 3) -> str:
    bars = probability_bars(prediction.probabilities, top=top, threshold=threshold)
    said = verdict(prediction.probabilities, threshold)
    return gallery.answer(shot, verdict=said, bars=bars, after=after + _time(prediction.ms), caption=caption)


@lru_cache(maxsize=32)
def _demo_answer(data: bytes) -> Any:
    return cache.predictors().predict(models.shipped(), data)


def hero() -> None:
    """The shipped model at work on a sample picture, with the others one click away; wakes up by itself."""
    waking = cache.demo()
    was_waiting = not waking.ready()

    @st.fragment(run_every=0.4 if was_waiting and not waking.error else None)
    def show() -> None:
        with page.boundary():
            pictures = samples(models.shipped())
            chosen = min(state.get("home.pick", 0), len(pictures) - 1)
            ready = waking.ready()
            st.html(_hero_card(pictures[chosen], waiting=not ready))
            st.html(f'<p class="picks-title">{esc(read("home", "pick"))}</p>')
            gallery.picks(
                [sample.shot for sample in pictures],
                key="home",
                chosen=chosen,
                on_pick=lambda place: state.put("home.pick", place),
            )
        if waking.error:
            page.show_error(waking.error)
        if was_waiting and waking.ready():
            st.rerun()  # once more as a whole, which ends the polling

    show()


def _hero_card(sample: Sample, *, waiting: bool) -> str:
    caption = read("home", "picture")
    if waiting:
        return gallery.answer(sample.shot, verdict=read("home", "waking"), bars=waiting_bars(), caption=caption)
    prediction = _demo_answer(sample.data)
    section = "right" if prediction.label == sample.shot.label else "wrong"
    after = page.say("home", section, label=sample.shot.label)
    return _card(sample.shot, prediction, 0.0, after=after, caption=caption)


def chosen_model() -> Model:
    """The model in the page's address, else the newest; one that is not yours ends the page with the ways on."""
    wanted = state.from_address("model")
    if not wanted:
        return models.list_models(state.workspace())[0]
    try:
        return models.find_model(state.workspace(), wanted)
    except NotFound as error:
        state.put("model", None)
        page.show_error(error)
        st.markdown(read("predict", "unknown"))
        page.next_step("Use the bear model", "predict", key="predict.demo", model=DEMO)
        page.next_step("Train one", "train", key="predict.train")
        st.stop()


def show_all(model: Model, pictures: list[tuple[str, bytes]], threshold: float) -> None:
    """Answers for the pictures somebody brought; without any, pictures that are at hand, one click away."""
    kept = None
    with page.boundary():
        kept = mistakes.find(model)
    asked = why.choose(model)
    for place, (name, data) in enumerate(pictures[:SHOWN_AT_ONCE]):
        said = show(model, name, data, threshold, asked=asked)
        if said is not None and kept is not None:
            mistakes.offer(kept, place, said)
    _too_many(pictures)
    if not pictures:
        _at_hand(model, threshold, asked)
    if kept is not None:
        mistakes.summary(kept)


def show_plain(model: Model, pictures: list[tuple[str, bytes]], threshold: float) -> None:
    """Answers for the pictures somebody brought and nothing else: no picture of a data set, nothing that is kept."""
    if not pictures:
        st.html(gallery.blank(read("predict", "friends_empty")))
        return
    asked = why.choose(model, own=False)
    for name, data in pictures[:SHOWN_AT_ONCE]:
        show(model, name, data, threshold, asked=asked)
    _too_many(pictures)


def _too_many(pictures: list[tuple[str, bytes]]) -> None:
    if len(pictures) > SHOWN_AT_ONCE:
        page.note(page.say("predict", "too_many", count=SHOWN_AT_ONCE))


def _at_hand(model: Model, threshold: float, asked: Asked) -> None:
    """Pictures one click away, and the answer about the one that was picked."""
    slot = f"predict.pick.{model.id}"
    at_hand = samples(model)
    chosen = state.get(slot)
    if chosen is None or chosen >= len(at_hand):
        st.html(gallery.blank(read("predict", "empty" if at_hand else "empty_brought")))
    else:
        picked = at_hand[chosen]
        show(model, picked.shot.name, picked.data, threshold, sample=picked.shot, asked=asked)
    if at_hand:
        shots = [sample.shot for sample in at_hand]
        gallery.picks(shots, key="predict", chosen=chosen, on_pick=lambda place: state.put(slot, place))
    page.note(read("predict", "privacy" if model.run is None else "privacy_own"))


def show(
    model: Model, name: str, data: bytes, threshold: float, *, sample: Shot | None = None, asked: Asked = PLAIN
) -> Said | None:
    """One picture and its answer; a picture that cannot be used is named with the reason, and the rest goes on."""
    try:
        shown = reencode(data, longest_side=LONGEST_SIDE)
        prediction = cache.predictors().predict(model, data)
    except ImageRejected as error:
        st.warning(page.say("predict", "rejected", name=name, reason=error.message), icon=":material/broken_image:")
        return None
    shot = sample or Shot(gallery.data_url(shown.jpeg), name)
    seen = why.heat_url(model, data, shown.sha) if asked.heat else None
    caption = f"{name} (labelled {sample.label})" if sample and sample.label and model.run else name
    card = _card(dataclasses.replace(shot, src=seen or shot.src), prediction, threshold, caption=caption, top=5)
    st.html(card + why.alike(model, data, asked))
    return Said(name, data, shown.sha, prediction.probabilities)
