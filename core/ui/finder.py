"""The finder as it happens, and what came of it: a run's folder in; the curve, the rules and the way to Train out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.errors import LabError, NotFound
from core.plots.lr_finder import Reading, finder_figure, points_table
from core.plots.style import counted, number, rate
from core.settings import from_record
from core.text import read
from core.train.events import CurveDone, History, Progress, RatePoint, StageStarted
from core.train.finder_advice import Zone, texture, zones
from core.train.finder_rules import Suggestion, suggest
from core.train.lr_finder import FIRST, LAST
from core.train.runs import Run, load_run
from core.ui import cache, finder_pick, finder_words, live, page, state
from core.ui.finder_example import STEPS, example
from core.ui.finder_form import KIND
from core.ui.live import phase, progress_html, stop_button, watch

FIGURE_PX = 404


@dataclass(frozen=True)
class Curve:
    """A test's points (see `points_table`), the rates it goes through, and the steps that were planned."""

    table: pd.DataFrame
    first: float = FIRST
    last: float = LAST
    steps: int = STEPS
    frozen: bool = True

    @property
    def answers(self) -> dict[str, Suggestion]:
        """What the rules say."""
        return suggest(self.table["lr"], self.table["loss_smooth"], steps=self.steps)

    @property
    def zones(self) -> tuple[Zone, ...]:
        """Which rates are too low, good and too high."""
        return zones(*(list(self.table[name]) for name in ("lr", "loss", "loss_smooth")), steps=self.steps)

    @property
    def texture(self) -> str:
        """Whether the descent is bumpy or smooth, in a sentence."""
        return texture(*(list(self.table[name]) for name in ("lr", "loss", "loss_smooth")), steps=self.steps).why


def follow_link() -> None:
    """Let an address that names only a test choose the data set of that test."""
    wanted = st.query_params.get("finder")
    if not wanted or "dataset" in st.query_params:
        return
    try:
        run = load_run(state.workspace(), wanted)
    except NotFound:
        return  # the page says so when it looks for the run itself
    if run.kind == KIND:
        state.to_address("dataset", run.request["dataset"])


def current(dataset: Dataset) -> Run | None:
    """The test of the page's address, or the one that is still going on; None for one of another data set."""
    run = live.current((KIND,), slot="finder")
    if run is None or run.request["dataset"] == dataset.id:
        return run
    state.to_address("finder", None)
    return None


def start(request: Mapping[str, object]) -> None:
    """Hand a new test to the engine and show it."""
    with st.spinner(read("train", "starting")):
        made = cache.submit(state.workspace(), KIND, dict(request))
    state.to_address("finder", made)
    st.rerun()


def curve_of(run: Run, history: History) -> Curve:
    """The curve of a test as far as it has come."""
    asked, stage = run.request, history.last(StageStarted.kind)
    ends = (asked.get("first") or FIRST, asked.get("last") or LAST)
    frozen = from_record(asked["settings"]).stages[0].frozen
    steps = stage.steps if isinstance(stage, StageStarted) else (asked.get("steps") or STEPS)
    return Curve(points_table(history.all(RatePoint.kind)), *ends, steps, frozen)


def show_running(run: Run) -> None:
    """A test that goes on: how far it is, a way to stop it, and its curve."""
    watch(run, _tick)


def _tick(run: Run) -> None:
    history = History.of(state.events(run))
    curve = curve_of(run, history)
    left, right = st.columns([1, 2.1], gap="large")
    with left:
        st.html(progress_html(*_where(run, history, curve)))
        stop_button(run)
        page.note(read("lr_finder", "running"))
    with right:
        _draw(curve, None, key="finder.live")


def _where(run: Run, history: History, curve: Curve) -> tuple[float, str, str]:
    if len(curve.table):
        now = rate(float(f"{curve.table['lr'].iloc[-1]:.2g}"))
        return len(curve.table) / curve.steps, f"Batch {len(curve.table)} of {curve.steps}", f"rate {now}"
    last = history.last(Progress.kind)
    return phase(run, last if isinstance(last, Progress) else None)


def show_example() -> None:
    """What a curve looks like, while there is none of one's own."""
    curve = Curve(example())
    _draw(curve, Reading(curve.zones, curve.answers), key="finder.example")
    page.see(read("lr_finder", "example"), "attention")


def show_curve(run: Run, dataset: Dataset) -> None:
    """A test that is over: its curve, the student's own pick under it, and the way to Train."""
    history = History.of(state.events(run))
    curve = curve_of(run, history)
    _trouble(run, history, curve)
    if not len(curve.table):
        return
    pick = finder_pick.current(run, curve.answers["recommended"].lr)
    _draw(curve, Reading(curve.zones, curve.answers, pick), key="finder.done")
    finder_pick.choose(run, dataset, pick, curve.zones, (curve.first, curve.last))


def show_words(run: Run, dataset: Dataset) -> None:
    """What there is to see on a test's curve: the recommendation, the slice, every rule and the texture."""
    curve = curve_of(run, History.of(state.events(run)))
    if not len(curve.table):
        return
    answers = curve.answers
    finder_words.recommend(answers["recommended"])
    if not curve.frozen:
        finder_words.offer_slice(run, dataset, curve.table, curve.steps)
    left, right = st.columns([1.7, 1], gap="large")
    left.html(finder_words.rules_html(answers))
    with right:
        page.note(curve.texture)
        for zone in curve.zones:
            page.note(finder_words.zone_words(zone))


def _draw(curve: Curve, reading: Reading | None, *, key: str) -> None:
    spec = finder_figure(
        curve.table,
        first=curve.first,
        last=curve.last,
        look=page.current_look(),
        reading=reading,
    )
    st.echarts_chart(spec, key=key, height=FIGURE_PX, alt=_alt(curve))


def _alt(curve: Curve) -> str:
    losses = [loss for loss in curve.table["loss_smooth"] if math.isfinite(loss)]
    if not losses:
        return "Loss over growing learning rates; nothing yet."
    seen = counted(len(losses), "batch", "batches")
    return f"Loss over growing learning rates, {seen}; the lowest is {number(min(losses))}."


def _trouble(run: Run, history: History, curve: Curve) -> None:
    """What kept a test from its end, or that there is nothing to read."""
    if run.state == "failed":
        page.show_error(LabError(run.record["message"] or read("lr_finder", "failed"), hint=run.record["hint"] or ""))
    elif run.state == "interrupted":
        page.see(read("lr_finder", "interrupted"), "attention")
    elif not len(curve.table):
        page.see(read("lr_finder", "nothing"), "attention")
    elif run.state == "stopped":
        count = counted(len(curve.table), "batch", "batches")
        page.see(page.say("lr_finder", "stopped", count=count), "attention")
    done = history.last(CurveDone.kind)
    if run.state == "done" and isinstance(done, CurveDone) and done.stopped and len(curve.table) < 10:
        page.see(done.stopped, "attention")
