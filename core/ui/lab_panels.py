"""The panels of the lab side by side: five runs in; small figures in one frame, with a place under each, out."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from core.diagnose import lab
from core.diagnose.judge_run import judge_run
from core.diagnose.panels import Panel, panel_of
from core.plots.bands import Band, band_of
from core.plots.lab import Frame, frame_of, panel_figure
from core.plots.style import esc, wrong_of
from core.text import read
from core.train.events import History, Progress
from core.train.runs import Run
from core.ui import page
from core.ui.run_rows import events_of

PANEL_PX = 214

Under = Callable[[str, str], None]  # of a letter and its role: what stands under its figure


def panel(role: str, run: Run) -> Panel:
    """A run of one's own with the verdict that the other pages give it."""
    told = events_of(run)
    return panel_of(role, run, told, judge_run(run, told))


def covered(group: str, panels: Mapping[str, Panel], under: Under) -> None:
    """The five under their letters, with nothing said about them."""
    _row(group, panels, lambda letter, role, frame: _covered(letter, panels[role], frame), under)


def open_to(group: str, panels: Mapping[str, Panel], guessed: lab.Guessed, mended: Mapping[str, Panel]) -> None:
    """The five with what each of them is, what was guessed, and the runs that mend them (role -> panel)."""
    _row(
        group,
        panels,
        lambda letter, role, frame: _open(letter, panels[role], frame, mended.get(role)),
        lambda letter, role: st.html(_outcome(role, guessed, panels[role], mended.get(role))),
        guessed=guessed,
    )


def in_order(group: str, panels: Mapping[str, Panel]) -> dict[str, str]:
    """Letter -> role; a run that was deleted leaves its letter out."""
    letters = dict(zip(lab.LETTERS, lab.order_of(group), strict=True))
    return {letter: role for letter, role in letters.items() if role in panels}


def _row(
    group: str,
    panels: Mapping[str, Panel],
    draw: Callable[[str, str, Frame], None],
    under: Under,
    *,
    guessed: lab.Guessed | None = None,
) -> None:
    frame = frame_of([one.epochs for one in panels.values()], max(one.exam for one in panels.values()))
    letters = in_order(group, panels)
    for column, (letter, role) in zip(st.columns(len(lab.LETTERS), gap="small"), letters.items(), strict=False):
        with column, st.container(key=f"lab-panel-{letter}", gap="xsmall"):
            st.html(_title(letter, role, guessed))
            draw(letter, role, frame)
            under(letter, role)


def _title(letter: str, role: str, guessed: lab.Guessed | None) -> str:
    if guessed is None:
        return f'<div class="lab-title"><b>{letter}</b><span class="covered">covered</span></div>'
    guess = guessed.guesses.get(role)
    mark = "" if not guess else ("✔ " if guess == role else "✘ ")
    kind = "right" if guess == role else "missed" if guess else ""
    return f'<div class="lab-title {kind}"><b>{letter}</b><span>{mark}{esc(lab.ROLES[role].title)}</span></div>'


def _covered(letter: str, shown: Panel, frame: Frame) -> None:
    _figure(letter, shown, frame)
    st.html(f'<p class="lab-count">{esc(_counts(shown))}</p>')


def _open(letter: str, shown: Panel, frame: Frame, mended: Panel | None) -> None:
    band = None if shown.judged is None else band_of(shown.judged.verdict, list(shown.epochs["at"]))
    _figure(letter, shown, frame, band=band, mended=mended)


def _figure(letter: str, shown: Panel, frame: Frame, *, band: Band | None = None, mended: Panel | None = None) -> None:
    spec = panel_figure(
        shown.epochs,
        shown.batches,
        total=shown.settings.epochs,
        frame=frame,
        classes=shown.classes,
        look=page.current_look(),
        band=band,
        mended=None if mended is None else mended.epochs,
        height=PANEL_PX,
    )
    st.echarts_chart(spec, key=f"lab.figure.{letter}", height=PANEL_PX, alt=f"Run {letter}. {_counts(shown)}")


def _counts(shown: Panel) -> str:
    """The mistakes at first and now; before the first exam, what is going on."""
    if not len(shown.epochs):
        return _doing(shown)
    first, last = shown.epochs.iloc[0], shown.epochs.iloc[-1]
    now = wrong_of(int(last["wrong"]), int(last["of"])).partition(" (")[0]
    return now if len(shown.epochs) == 1 else f"{int(first['wrong'])} → {now}"


def _doing(shown: Panel) -> str:
    if shown.run is None or shown.ended:
        return "no exam"
    if shown.state == "queued":
        return "waits for its turn"
    if len(shown.batches):
        return page.say("diagnose", "lab_first", epochs=shown.settings.epochs)
    last = _last_progress(events_of(shown.run))
    return read("train", "starting") if last is None else read("train", last.phase)


def _last_progress(told: History) -> Progress | None:
    last = told.last(Progress.kind)
    return last if isinstance(last, Progress) else None


def _outcome(role: str, guessed: lab.Guessed, shown: Panel, mended: Panel | None) -> str:
    """The counts, what was guessed instead, and what mending it brought."""
    lines = [f"<p>{esc(_counts(shown))}</p>"]
    guess = guessed.guesses.get(role)
    if guess and guess != role:
        lines.append(f"<p>{esc(page.say('diagnose', 'lab_said', title=lab.ROLES[guess].title))}</p>")
    if mended is not None:
        section = "lab_mended" if mended.ended and len(mended.epochs) else "lab_mending"
        lines.append(f'<p class="mended">{esc(page.say("diagnose", section, after=_end(mended)))}</p>')
    return f'<div class="lab-count">{"".join(lines)}</div>'


def _end(shown: Panel) -> str:
    if not len(shown.epochs):
        return ""
    last = shown.epochs.iloc[-1]
    return wrong_of(int(last["wrong"]), int(last["of"])).partition(" (")[0]
