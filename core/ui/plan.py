"""The plan of a run that has not begun: settings in; its rates, its time, and the network it will train, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from core.data.table import Dataset
from core.plots.network import network_html, weights_in_words
from core.plots.plan import plan_figure, planned
from core.plots.style import counted, duration
from core.settings import LAYER_GROUPS, Stage, TrainSettings, from_record
from core.text import read
from core.train.estimate import WIDE, Estimate, Speed, estimate, measured_speed
from core.train.events import EpochDone, Started
from core.train.runs import list_runs
from core.train.schedules import spread
from core.ui import page, run_rows, stage_form, state
from core.vision.blocks import Block, blocks_of, trainable

FIGURE_PX = 250
RUNS_MEASURED = 10


@dataclass(frozen=True)
class Plan:
    """What will happen: settings, the blocks of the network, and the time it is thought to take."""

    settings: TrainSettings
    blocks: tuple[Block, ...]
    time: Estimate
    speed: Speed


def show(dataset: Dataset, settings: TrainSettings) -> None:
    """The rates over all stages, a sentence with the numbers, and the network."""
    plan = _plan_of(dataset, settings)
    stages = settings.stages
    spec = plan_figure(planned(stages), page.current_look(), names=stage_form.names(stages))
    st.echarts_chart(spec, key="train.plan", height=FIGURE_PX, alt=_alt(stages))
    page.see(_numbers(plan))
    _network(plan)
    if any(stage.cached for stage in stages):
        _kept(plan)


def _alt(stages: Sequence[Stage]) -> str:
    said = "; ".join(f"{place}: {stage_form.words(stage)}" for place, stage in enumerate(stages, start=1))
    return f"The planned learning rate and momentum, stage by stage. {said}."


def _plan_of(dataset: Dataset, settings: TrainSettings) -> Plan:
    sides = state.kept(dataset)["split"].value_counts()
    train, valid = int(sides.get("train", 0)), int(sides.get("valid", 0))
    speed = speed_here()
    time = estimate(settings, train=train, valid=valid, speed=speed)
    return Plan(settings, blocks_of(settings.backbone, len(dataset.classes)), time, speed)


def speed_here() -> Speed:
    """How fast this computer was in the last runs."""
    done = [run for run in list_runs(state.workspace(), "train") if run.state == "done"][:RUNS_MEASURED]
    found = []
    for run in done:
        told = run_rows.events_of(run)
        started = told.last(Started.kind)
        if isinstance(started, Started):
            epochs = [(epoch.stage, epoch.seconds) for epoch in told.all(EpochDone.kind)]
            found.append((from_record(run.request["settings"]), started.train, started.valid, epochs))
    return measured_speed(found)


def _numbers(plan: Plan) -> str:
    """Epochs, time, and how many weights learn in each stage."""
    total = sum(block.weights for block in plan.blocks)
    learning = [trainable(plan.blocks, stage.first_group) for stage in plan.settings.stages]
    counts = list(dict.fromkeys(learning))
    first = weights_in_words(counts[0]) if counts[0] < total else f"all {weights_in_words(total)}"
    section = "weights_one" if len(counts) == 1 else "weights_first"
    said = page.say("train", section, first=first, total=weights_in_words(total))
    if len(counts) > 1:
        last = "all of them" if learning[-1] == total else weights_in_words(learning[-1])
        said += " " + page.say("train", "weights_then", last=last)
    finds = {"finds_rate" if stage.frozen else "finds" for stage in plan.settings.stages if stage.find_lr}
    found = [read("train", section) for section in sorted(finds)]
    return " ".join(
        [f"{counted(plan.settings.epochs, 'epoch')}, {time_words(plan.time.seconds, plan.speed)}. {said}", *found]
    )


def time_words(seconds: float, speed: Speed) -> str:
    """How long something is thought to take; a guess is a range, and says that it is one."""
    if speed.epochs:
        return page.say("train", "time_measured", time=duration(max(1.0, seconds)))
    low, high = duration(max(1.0, seconds / WIDE)), duration(max(2.0, seconds * WIDE))
    return page.say("train", "time_guess", low=low, high=high)


def _network(plan: Plan) -> None:
    stages = plan.settings.stages
    shown = stages[0]
    title = st.container(horizontal=True, vertical_alignment="center")
    if len(stages) > 1:
        labels = stage_form.names(stages)
        place = title.segmented_control(
            "Stage", range(len(stages)), format_func=lambda number: labels[number], default=0,
            key=f"plan.stage.{len(stages)}", label_visibility="collapsed", required=True,
        )  # fmt: skip
        shown = stages[place or 0]
    st.html(network_html(plan.blocks, freeze_to=shown.first_group, rates=_rates(shown)))


def _rates(stage: Stage) -> list[float | None]:
    """The highest rate of each layer group; None for what a finder will say."""
    if stage.find_lr:
        return [*[None] * (LAYER_GROUPS - 1), None if stage.frozen else stage.lr_max]
    return [*spread(stage.lr, LAYER_GROUPS)]


def _kept(plan: Plan) -> None:
    """What is kept of each picture, why augmentation has no effect then, and what switching it off would cost."""
    numbers = 2 * plan.blocks[-2].channels
    with st.expander(read("train", "kept_title"), icon=":material/bolt:"):
        now, without = (duration(max(1.0, s)) for s in (plan.time.seconds, plan.time.without_cache_s))
        st.markdown(page.say("train", "kept", numbers=f"{numbers:,}", now=now, without=without))
