"""The valley it walked: a training run in; its way over the loss surface of its own head, and what that says, out.

A part of the page that shows where a model looks. A walk is made once for a run and what goes beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.diagnose.judge_run import judge_run
from core.interpret import valley
from core.interpret.valley import KIND, Valley, View, same_start, why_not
from core.plots.landscape import Role, losses_figure, surface_figure
from core.plots.style import rate
from core.settings import from_record
from core.text import read
from core.train.runs import Run, list_runs
from core.ui import cache, choices, forms, landscape_words, page, run_rows, state
from core.ui.live import ended_early, watch
from core.ui.models import run_name
from core.ui.suspects import progress

SOURCE = "core.interpret.landscape:surface"
ALONE, USUAL = "alone", "100"
TIMES: Mapping[str, float] = {"100": 100.0, "10": 10.0, "0.1": 0.1}
OTHERS = 8  # runs that are offered
SURFACE_PX, LOSSES_PX = 430, 260
_ROLES = {"lr_too_high": "too_high", "lr_too_low": "too_low"}


@dataclass(frozen=True)
class Beside:
    """What goes beside a run: the request's part of it, and its name in the list and in the figure."""

    request: Mapping[str, float | str]
    title: str
    name: str


def show(run: Run | None) -> None:
    """The walk of a training run; where it has none, why, and how to come to one."""
    why = "need_run" if run is None else why_not(from_record(run.request["settings"]))
    if run is None or why is not None:
        page.see(read("landscape", str(why)), "attention")
        page.next_step("Train with Quick", "train", key="landscape.train", preset="quick")
        return
    left, right = st.columns([1.75, 1], gap="medium")  # on a phone the figure comes first
    with right:
        chosen = _choose(_offered(run))
    walked = _walk_of(run, chosen)
    if walked is not None and walked.state == "done":
        _show(run, valley.load(walked), chosen, left, right)
        return
    with left:
        if walked is None or walked.ended:
            _ask(run, chosen, walked)
        else:
            page.note(read("landscape", "walking"))
            watch(walked, progress)


def _offered(run: Run) -> dict[str, Beside]:
    """What can go beside a run: the same at another rate, nothing, or another run from the same start."""
    settings = from_record(run.request["settings"])
    own = settings.stages[0].lr_max
    found = {}
    for name, times in TIMES.items():
        said, at = landscape_words.times_words(times), rate(times * own)
        found[name] = Beside(
            {"times": times}, read("landscape", "beside_times").format(times=said, rate=at), f"at {at}"
        )
    found[ALONE] = Beside({}, read("landscape", "beside_alone"), "")
    others = [
        one for one in list_runs(run.workspace, "train") if one.id != run.id and one.state in ("done", "diverged")
    ]
    for other in [one for one in others if same_start(run, one)][:OTHERS]:
        at = rate(from_record(other.request["settings"]).stages[0].lr_max)
        title = f"{run_name(other)} at {at} · {run_rows.date(other.record['created'])}"
        found[other.id] = Beside({"against": other.id}, title, f"{run_name(other)}, at {at}")
    return found


def _choose(offered: Mapping[str, Beside]) -> Beside:
    """What goes beside it; the choice stays in the address."""
    wanted = state.from_address("beside")
    forms.follow("landscape.beside", wanted if wanted and wanted in offered else USUAL)
    chosen = st.selectbox(
        read("landscape", "beside"), list(offered), key="landscape.beside", format_func=lambda one: offered[one].title,
        on_change=lambda: state.to_address("beside", st.session_state["landscape.beside"]),
    )  # fmt: skip
    return offered[chosen]


def _walk_of(run: Run, beside: Beside) -> Run | None:
    """The newest walk of a run with this beside it."""
    for walked in list_runs(run.workspace, KIND):
        asked = walked.request
        if asked.get("run") == run.id and {name: asked[name] for name in ("times", "against") if name in asked} == dict(
            beside.request
        ):
            return walked
    return None


def _ask(run: Run, beside: Beside, before: Run | None) -> None:
    """The button that lets the engine walk, and what became of a walk that was not finished."""
    if before is None:
        page.see(read("landscape", "empty"))
    else:
        ended_early(before, "landscape", stopped="stopped", failed="failed")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Walk it again", key="landscape.walk", type="primary", icon=":material/hiking:"):
            with page.boundary(), st.spinner(read("train", "starting")):
                cache.submit(run.workspace, KIND, {"run": run.id, **beside.request})
                st.rerun()
        page.note(read("landscape", "cost"))


def _show(run: Run, found: Valley, beside: Beside, left: DeltaGenerator, right: DeltaGenerator) -> None:
    """The window on the left, the losses on the right, and below them what there is to see."""
    with right:
        view = _window(found)
    roles, look = _roles(run, found, beside), page.current_look()
    said = landscape_words.own(found, view)
    with left:
        st.plotly_chart(
            surface_figure(view, found.walks, roles, look, axes=landscape_words.axes(view), height=SURFACE_PX),
            key="landscape.surface", theme=None, config={"displayModeBar": False},
            alt=read("landscape", "alt_surface").format(said=landscape_words.as_text(said)),
        )  # fmt: skip
    with right:
        st.echarts_chart(
            losses_figure(found.walks, roles, look, classes=found.classes), key="landscape.losses", height=LOSSES_PX,
            alt=read("landscape", "alt_losses").format(said=landscape_words.as_text(said)),
        )  # fmt: skip
        page.note(read("landscape", "what"))
    page.see(said)
    if len(found.walks) > 1:
        page.see(*landscape_words.beside(found, view, beside.name))
    page.note(landscape_words.small_print(found, view))


def _window(found: Valley) -> View:
    """The window; where there are two, with a choice that stays in the address."""
    if len(found.views) < 2:
        return found.views[0]
    titles = {view.name: read("landscape", f"window_{view.name}") for view in found.views}
    return found.view(choices.switch(titles, slot="window", key="landscape.window", default="points", light=True))


def _roles(run: Run, found: Valley, beside: Beside) -> list[Role]:
    """What each walk is called and stands for: its verdict, where it has one; beside it, higher or lower than it."""
    first = Role(_judged(run) or "good", f"your run, at {rate(found.walks[0].rate)}")
    if len(found.walks) < 2:
        return [first]
    other = found.walks[1]
    if not other.run:
        return [first, Role("too_high" if other.times > 1 else "too_low", beside.name)]
    judged = next((_judged(one) for one in list_runs(run.workspace, "train") if one.id == other.run), None)
    return [first, Role("other" if judged in (None, first.kind) else judged, beside.name)]


def _judged(run: Run) -> str | None:
    """The role of a run whose first stage was judged to have too high or too low a rate; "good" for any other."""
    judged = judge_run(run, run_rows.events_of(run))
    if judged is None:
        return None
    return _ROLES.get(judged.verdict.kind, "good") if judged.stage == 0 else "good"
