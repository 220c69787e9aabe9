"""After a run: one that has ended in; buttons that lead on, and what it left behind, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from core.data.table import load_dataset
from core.plots.network import network_html
from core.plots.style import rate
from core.settings import TrainSettings, from_record
from core.text import read
from core.train.events import BlocksMoved, History, StageStarted, Started
from core.train.lr_finder import lower_rate
from core.train.runs import Run
from core.train.starts import Start, of_run
from core.ui import cache, code_part, models, page, state
from core.ui.verdict import rate_of
from core.vision.blocks import blocks_of

SMALLER = {512: 384, 384: 288, 288: 224, 256: 192, 224: 160, 192: 128, 160: 128, 128: 96, 96: 64}
GOES_ON = ("stopped", "failed", "interrupted")

Begin = Callable[..., None]  # of a data set, settings, a recipe's name and a checkpoint to go on from


def next_steps(run: Run, begin: Begin, *, to_mend: bool) -> None:
    """Buttons, the most useful first: go on, read the model, try it, clean its data, save points, train another.

    `begin` starts a new run. A run that is `to_mend` has its fix on its card, and that button comes first.
    """
    usable = (run.path / models.WEIGHTS).is_file()
    if run.state in GOES_ON:
        label = "Go on from the last epoch" if usable else "Start it again"
        st.button(label, key="train.resume", icon=":material/resume:", width="stretch", on_click=_resume, args=(run,))
    if run.state == "failed" and run.record["code"] == "oom":
        _more_room(run, begin)
    if usable and run.state != "diverged":
        kind = "secondary" if to_mend else "primary"
        if run.state == "done":
            page.next_step("Read the model", "top_losses", key="train.read", width="stretch", kind=kind, model=run.id)
            kind = "secondary"
        page.next_step("Try your model", "predict", key="train.predict", width="stretch", kind=kind, model=run.id)
        if st.button("Clean its data", key="train.clean", icon=":material/mop:", width="stretch"):
            page.go("clean", dataset=run.request["dataset"], run=run.id, find="1")
    _save_points(run)
    label = f"Again, at {rate(lower_rate(rate_of(run)))}" if run.state == "diverged" else "Train another"
    if st.button(label, key="train.again", icon=":material/replay:", width="stretch"):
        _again(run)
    if usable and st.button("Compare it", key="train.compare", icon=":material/stacked_line_chart:", width="stretch"):
        page.go("runs", compare=run.id)


def more(run: Run, history: History) -> None:
    """What a run leaves behind besides numbers: how far each block moved, and its code."""
    _network(run, history)
    code_part.show(run)


def _resume(run: Run) -> None:
    with page.boundary():
        cache.resubmit(run)


def _again(run: Run) -> None:
    """The form once more; after an explosion with a rate that is far lower."""
    state.to_address("run", None)
    lower = {"rate": f"{lower_rate(rate_of(run)):g}"} if run.state == "diverged" else {}
    page.go("train", dataset=run.request["dataset"], again="1", **lower)


def _save_points(run: Run) -> None:
    """Go on from any checkpoint this run has, in a run of its own: this one stays as it is."""
    found = of_run(run)
    if not found or models.dataset_of(run) is None:
        return
    with st.popover("Go back to a save point", icon=":material/bookmark:", width="stretch"):
        page.note(read("train", "save_points"))
        for start in found:
            if st.button(start.title, key=f"train.start.{start.file}", width="stretch"):
                _leave_for(start, run)


def _leave_for(start: Start, run: Run) -> None:
    state.to_address("run", None)
    page.go("train", dataset=run.request["dataset"], start=f"{start.run}:{start.file}")


def _more_room(run: Run, begin: Begin) -> None:
    """Memory ran out twice: smaller pictures or half the digits, each with what it costs."""
    settings = from_record(run.request["settings"])
    page.note(read("train", "no_room"))
    smaller = SMALLER.get(settings.image_size)
    if smaller:
        share = f"{100 * (smaller / settings.image_size) ** 2:.0f} %"
        page.note(page.say("train", "smaller_cost", size=smaller, share=share))
        if st.button(f"Pictures of {smaller} pixels", key="train.smaller", icon=":material/photo_size_select_small:",
                     width="stretch"):  # fmt: skip
            stages = tuple(replace(stage, image_size=None) for stage in settings.stages)
            _instead(run, begin, replace(settings, image_size=smaller, stages=stages))
    if settings.precision == "float32":
        page.note(read("train", "mixed_cost"))
        if st.button("Mixed precision", key="train.mixed", icon=":material/compress:", width="stretch"):
            stages = tuple(replace(stage, precision=None) for stage in settings.stages)
            _instead(run, begin, replace(settings, precision="bfloat16", stages=stages))


def _instead(run: Run, begin: Begin, settings: TrainSettings) -> None:
    """The same run with other settings, from where this one began."""
    dataset = load_dataset(run.workspace, run.request["dataset"])
    begin(dataset, settings, run.request.get("preset", "own"), run.request.get("start"))


def _network(run: Run, history: History) -> None:
    """The network by blocks: which learned in the last stage, at what rate, and how far each moved."""
    begun, started, moves = history.last(StageStarted.kind), history.last(Started.kind), history.last(BlocksMoved.kind)
    if not isinstance(begun, StageStarted) or not isinstance(started, Started):
        return
    blocks = blocks_of(run.request["settings"]["backbone"], len(started.classes))
    moved = _moved(moves) if isinstance(moves, BlocksMoved) else None
    with st.expander(page.say("train", "network", stage=begun.stage + 1), icon=":material/lan:"):
        st.html(network_html(blocks, freeze_to=begun.freeze_to, rates=begun.lr, moved=moved))
        if moved:
            page.note(read("train", "moved"))


def _moved(event: BlocksMoved) -> Mapping[str, float]:
    return dict(zip(event.names, event.moved, strict=True))
