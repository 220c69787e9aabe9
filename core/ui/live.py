"""Runs as they happen: a run's folder in, a picture of where it stands out, once a second while it goes on.

The browser asks; the server keeps no timer. Everything shown is read from the run's folder, so a refresh, a second tab
and a restart of the server all find the same.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import LabError, NotFound
from core.plots.style import esc, number
from core.text import read
from core.train.events import Progress
from core.train.runs import Run, list_runs, load_run, stop_requested
from core.ui import cache, page, state

EVERY_S = 0.7


def current(kinds: tuple[str, ...], *, slot: str) -> Run | None:
    """The run in the page's address, or the one that is still going on; None when there is neither."""
    workspace = state.workspace()
    wanted = state.from_address(slot)
    if wanted:
        try:
            run = load_run(workspace, wanted)
            if run.kind in kinds:
                state.to_address(slot, run.id)
                return run
            raise NotFound(f"{wanted[:40]!r} is no run of this page.", hint="Start a new one.")
        except NotFound as error:
            state.to_address(slot, None)
            page.show_error(error)
    going_on = [run for run in list_runs(workspace) if run.kind in kinds and not run.ended]
    if going_on:
        state.to_address(slot, going_on[0].id)
        return going_on[0]
    return None


def watch(run: Run, body: Callable[[Run], None]) -> None:
    """Draw `body` now, again and again while the run goes on, and the whole page once when it has ended.

    A run that has ended is drawn as a part of the page: its buttons lead elsewhere, and inside a fragment they would
    redraw only the fragment.
    """
    if run.ended:
        body(run)
        return

    @st.fragment(run_every=EVERY_S)
    def tick() -> None:
        with page.boundary():
            now = load_run(run.workspace, run.id)
            if now.ended:
                st.rerun()
            body(now)

    tick()


def stop_button(run: Run, label: str = "Stop") -> None:
    """Ask a run to end; while it winds down the button says so."""
    asked = stop_requested(run)
    st.button(
        "Stopping …" if asked else label,
        key=f"stop.{run.id}",
        icon=":material/stop_circle:",
        disabled=asked,
        width="stretch",
        on_click=_stop,
        args=(run,),
    )


def _stop(run: Run) -> None:
    with page.boundary():
        cache.engine().get().stop(run)


def ended_early(run: Run, name: str, *, stopped: str, failed: str) -> None:
    """Why a run has no result: its own reason, or a section of a page's words for one that was stopped or failed."""
    if run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
    else:
        page.see(read(name, stopped if run.state == "stopped" else failed), "attention")


def phase(run: Run, progress: Progress | None) -> tuple[float, str, str]:
    """How far (0..1), what is done now, and the count beside it."""
    if progress is None:
        return 0.0, waiting(run), ""
    words = read("train", progress.phase)
    if not progress.total:
        return 0.0, words, number(progress.done)
    return progress.done / progress.total, words, f"{progress.done:,} of {progress.total:,}"


def waiting(run: Run) -> str:
    """What a run that has not begun is waiting for."""
    if run.state != "queued":
        return read("train", "starting")
    status = cache.engine().get().status(run)
    if status.position is None:
        return status.message or read("train", "starting")
    return page.say("train", "waiting", place=_place(status.position))


def _place(position: int) -> str:
    ending = "th" if 10 <= position % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(position % 10, "th")
    return f"{position}{ending}"


def progress_html(part: float, left: str, right: str) -> str:
    """A bar filled to `part` in 0..1, with words on both sides under it."""
    percent = 100 * min(1.0, max(0.0, part))
    return (
        f'<div class="progress" role="progressbar" aria-valuenow="{percent:.0f}" aria-valuemin="0" aria-valuemax="100">'
        f'<i style="width:{percent:.1f}%"></i></div>'
        f'<div class="progress-text"><span>{esc(left)}</span><span>{esc(right)}</span></div>'
    )
