"""The lab: five runs under letters, guesses, and what there really was: a round of runs in, panels and a score out."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.data.table import Dataset
from core.diagnose import lab
from core.diagnose.panels import RECORDING, Panel, panel_of, recorded_panels
from core.plots.lab import panel_figure, shared_range
from core.plots.style import duration, esc, wrong_of
from core.settings import TrainSettings, to_record
from core.text import read
from core.train.aspects import stage_words
from core.train.estimate import estimate
from core.train.events import EpochDone
from core.train.runs import history, list_runs
from core.ui import cache, finding_card, page, state
from core.ui.live import EVERY_S, stop_button
from core.workspace import new_id

PANEL_PX = 190
AGAIN = "lab.again"  # a recorded round under other letters, once it was revealed


def show(dataset: Dataset | None) -> None:
    """The newest round of a data set, or the recorded one while there is none."""
    runs = list_runs(state.workspace(), "train")
    group, found = lab.newest_round(runs, dataset.id) if dataset else ("", {})
    own = bool(found) and state.from_address("round") != RECORDING
    if not own:
        group = state.get(AGAIN, RECORDING)
    _head(dataset, own=own, going=any(not run.ended for run in found.values()))
    if own and any(not run.ended for run in found.values()):
        _going(group)
        return
    panels = {role: panel_of(role, run) for role, run in found.items()} if own else dict(recorded_panels())
    _round(group, panels)


def _head(dataset: Dataset | None, *, own: bool, going: bool) -> None:
    """What is shown, and the one button that starts a round of one's own."""
    left, right = st.columns([1.9, 1], gap="large", vertical_alignment="center")
    with left:
        mine = own and dataset is not None
        page.see(page.say("diagnose", "lab_own", name=dataset.name) if mine else read("diagnose", "lab_recorded"))
        page.note(read("diagnose", "lab_axis"))
    with right:
        if dataset is None or not dataset.trainable:
            page.note(read("diagnose", "need_data"))
            page.next_step("Build a data set", "build", key="diagnose.build", width="stretch")
        elif not going:
            label = page.say("diagnose", "lab_start", name=dataset.name[:24])
            if st.button(label, key="lab.start", type="primary", icon=":material/science:", width="stretch"):
                with page.boundary(), st.spinner(read("train", "starting")):
                    _start(dataset)
                    st.rerun()
            page.note(page.say("diagnose", "lab_time", time=_time(dataset)))


def _time(dataset: Dataset) -> str:
    rows = state.kept(dataset)
    train, valid = int((rows["split"] == "train").sum()), int((rows["split"] == "valid").sum())
    guesses = [estimate(lab.settings_of(role), train=train, valid=valid) for role in lab.ROLES]
    return duration(sum(one.seconds for one in guesses))


def _start(dataset: Dataset) -> None:
    """Hand the five to the engine, in the order of their letters, so that it gives nothing away."""
    group, workspace = new_id(), state.workspace()
    state.to_address("round", None)
    for role in lab.order_of(group):
        request = {
            "dataset": dataset.id,
            "settings": to_record(lab.settings_of(role, TrainSettings())),
            "preset": lab.ROLES[role].recipe,
            "lab": {"group": group, "role": role},
        }
        cache.submit(workspace, "train", request)


def _going(group: str) -> None:
    """The panels while their runs go on; guesses may be made already."""

    @st.fragment(run_every=EVERY_S)
    def tick() -> None:
        with page.boundary():
            runs = {about[1]: run for run in list_runs(state.workspace(), "train")
                    if (about := lab.group_of(run)) and about[0] == group}  # fmt: skip
            waiting = [run for run in runs.values() if not run.ended]
            if not waiting:
                st.rerun()
            page.note(page.say("diagnose", "lab_going", done=len(runs) - len(waiting)))
            _panels(group, {role: panel_of(role, run) for role, run in runs.items()}, open_to=False)
            for run in waiting[-1:]:
                stop_button(run, "Stop the one that runs")

    tick()


def _round(group: str, panels: Mapping[str, Panel]) -> None:
    """Panels with a guess under each, and below them what there was, once it was revealed."""
    rounds = lab.revealed(state.workspace())
    done = rounds.get(group)
    _panels(group, panels, open_to=done is not None, guessed=done)
    if done is None:
        _ask(group, panels)
        return
    _score(done, rounds)
    _closer(group, panels)
    if st.button("Guess the recorded ones again", key="lab.again", icon=":material/shuffle:"):
        state.put(AGAIN, f"{RECORDING}-{new_id()}")
        state.to_address("round", RECORDING)
        st.rerun()


def _panels(group: str, panels: Mapping[str, Panel], *, open_to: bool, guessed: lab.Guessed | None = None) -> None:
    order = [role for role in lab.order_of(group) if role in panels]
    limits = shared_range([panels[role].epochs for role in order])
    for place, (column, role) in enumerate(zip(st.columns(len(lab.ROLES), gap="small"), order, strict=False)):
        with column:
            _panel(lab.LETTERS[place], panels[role], limits, open_to=open_to, guessed=guessed)


def _panel(
    letter: str, panel: Panel, limits: tuple[float, float], *, open_to: bool, guessed: lab.Guessed | None
) -> None:
    title = lab.ROLES[panel.role].title if open_to else "covered"
    right = guessed is not None and guessed.guesses.get(panel.role) == panel.role
    mark = "" if guessed is None or not guessed.guesses.get(panel.role) else ("✔ " if right else "✘ ")
    cover = "" if open_to else "covered"
    st.html(f'<div class="lab-title"><b>{letter}</b><span class="{cover}">{mark}{esc(title)}</span></div>')
    spec = panel_figure(
        panel.epochs, panel.batches, total=panel.settings.epochs, limits=limits, classes=panel.classes,
        look=page.current_look(), height=PANEL_PX,
    )  # fmt: skip
    st.echarts_chart(spec, key=f"lab.figure.{letter}", height=PANEL_PX, alt=f"Run {letter}. {_counts(panel)}")
    st.html(f'<p class="lab-count">{esc(_counts(panel))}</p>')


def _counts(panel: Panel) -> str:
    if not len(panel.epochs):
        return "no exam yet" if not panel.ended else panel.state
    first, last = panel.epochs.iloc[0], panel.epochs.iloc[-1]
    now = wrong_of(int(last["wrong"]), int(last["of"])).partition(" (")[0]
    return now if len(panel.epochs) == 1 else f"{int(first['wrong'])} → {now}"


def _ask(group: str, panels: Mapping[str, Panel]) -> None:
    """One choice per letter; each of the five happened once."""
    order = [role for role in lab.order_of(group) if role in panels]
    guesses: dict[str, str] = {}
    for place, (column, role) in enumerate(zip(st.columns(len(lab.ROLES), gap="small"), order, strict=False)):
        with column:
            letter = lab.LETTERS[place]
            guesses[role] = st.selectbox(
                f"What happened in {letter}?", ["", *lab.ROLES], key=f"lab.guess.{letter}.{group}",
                format_func=lambda name: lab.ROLES[name].title if name else "your guess", label_visibility="collapsed",
            ) or ""  # fmt: skip
    made = [guess for guess in guesses.values() if guess]
    twice = next((guess for guess in made if made.count(guess) > 1), "")
    if twice:
        page.note(page.say("diagnose", "lab_twice", title=lab.ROLES[twice].title))
    with st.container(horizontal=True, key="lab-ways"):
        ready = len(made) == len(order) and not twice
        if st.button(
            "Check my guesses", key="lab.check", type="primary", icon=":material/done_all:", disabled=not ready
        ):
            _reveal(group, guesses)
        if st.button("Reveal all", key="lab.reveal", icon=":material/visibility:"):
            _reveal(group, {})


def _reveal(group: str, guesses: Mapping[str, str]) -> None:
    with page.boundary():
        lab.reveal(state.workspace(), group, guesses)
        st.rerun()


def _score(done: lab.Guessed, rounds: Mapping[str, lab.Guessed]) -> None:
    if not done.made:
        page.see(read("diagnose", "lab_shown"), "attention")
        return
    right, made = lab.score(rounds)
    page.see(
        page.say("diagnose", "lab_right", right=done.right, made=done.made, total_right=right, total_made=made),
        "" if done.right == done.made else "attention",
    )


def _closer(group: str, panels: Mapping[str, Panel]) -> None:
    """One of the five in full: how it was set up, the finding, and the button that mends it."""
    order = [role for role in lab.order_of(group) if role in panels]
    letters = {lab.LETTERS[place]: role for place, role in enumerate(order)}
    chosen = st.segmented_control(
        "Look closer at", list(letters), key="lab.closer", default=next(iter(letters)), required=True,
        format_func=lambda letter: f"{letter} · {lab.ROLES[letters[letter]].title}",
    )  # fmt: skip
    panel = panels[letters.get(str(chosen), order[0])]
    role = lab.ROLES[panel.role]
    if panel.judged is None:
        page.see(page.say("diagnose", "lab_failed", state=panel.state), "attention")
        return
    agrees = read("diagnose", "lab_agrees" if panel.judged.verdict.kind == role.kind else "lab_differs")
    said = "; then ".join(stage_words(stage) for stage in panel.settings.stages)
    page.note(page.say("diagnose", "lab_set_up", title=role.title, settings=said, agrees=agrees))
    if panel.run is None:
        finding_card.show(panel.judged.verdict, key="lab")
        page.note(read("diagnose", "lab_fix_recorded"))
        return
    finding_card.of_run(panel.run, panel.judged, key="lab")
    _mended(panel)


def _mended(panel: Panel) -> None:
    """What the repaired runs of a panel came to."""
    if panel.run is None:
        return
    for run in lab.repairs_of(list_runs(state.workspace(), "train"), panel.run.id)[:1]:
        after = history(run).last(EpochDone.kind)
        if isinstance(after, EpochDone) and len(panel.epochs):
            before = panel.epochs.iloc[-1]
            values = {
                "before": wrong_of(int(before["wrong"]), int(before["of"])),
                "after": wrong_of(after.wrong, after.of),
            }
            page.see(page.say("diagnose", "lab_after", **values))
