"""The lab: five runs under letters, guesses, and what there really was: a round of runs in, panels and a score out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import streamlit as st

from core.data.table import Dataset
from core.diagnose import lab
from core.diagnose.panels import RECORDING, Panel, recorded_panels
from core.plots.style import duration
from core.settings import TrainSettings, to_record
from core.text import read
from core.train.aspects import stage_words
from core.train.estimate import estimate
from core.train.runs import Run, list_runs
from core.ui import cache, finding_card, forms, lab_panels, page, plan, state
from core.ui.live import EVERY_S, progress_html
from core.workspace import new_id

AGAIN = "lab.again"  # a recorded round under other letters, once it was revealed
ROUND = "round"


def show(dataset: Dataset | None) -> None:
    """The newest round of a data set, or the recorded one while there is none."""
    runs = list_runs(state.workspace(), "train")
    group, found = lab.newest_round(runs, dataset.id) if dataset else ("", {})
    own = bool(found) and state.from_address(ROUND) != RECORDING
    going = any(not run.ended for run in found.values())
    _head(dataset, own=own, going=going)
    if own and going:
        _going(group, dataset)
    elif own:
        _round(group, {role: lab_panels.panel(role, run) for role, run in found.items()}, runs)
    else:
        _round(state.get(AGAIN, RECORDING), recorded_panels(), runs)
    _other_rounds(own=own, back=bool(found))


def _head(dataset: Dataset | None, *, own: bool, going: bool) -> None:
    """What is shown, and the one button that starts a round of one's own."""
    left, right = st.columns([1.9, 1], gap="medium", vertical_alignment="center")
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
            time = plan.time_words(sum(_expected(dataset).values()), plan.speed_here())
            page.note(page.say("diagnose", "lab_time", time=f"{time[0].upper()}{time[1:]}"))


def _expected(dataset: Dataset) -> dict[str, float]:
    """The seconds that each of the five is thought to take."""
    sides, speed = state.kept(dataset)["split"].value_counts(), plan.speed_here()
    train, valid = int(sides.get("train", 0)), int(sides.get("valid", 0))
    return {
        role: estimate(lab.settings_of(role), train=train, valid=valid, speed=speed).seconds for role in lab.ROLES
    }  # fmt: skip


def _start(dataset: Dataset) -> None:
    """Hand the five to the engine, in the order of their letters, so that it gives nothing away."""
    group, workspace = new_id(), state.workspace()
    state.to_address(ROUND, None)
    for role in lab.order_of(group):
        request = {
            "dataset": dataset.id,
            "settings": to_record(lab.settings_of(role, TrainSettings())),
            "preset": lab.ROLES[role].recipe,
            "lab": {"group": group, "role": role},
        }
        cache.submit(workspace, "train", request)


def _going(group: str, dataset: Dataset | None) -> None:
    """The panels while their runs go on; guesses may be made already."""
    expected = _expected(dataset) if dataset is not None else {}

    @st.fragment(run_every=EVERY_S)
    def tick() -> None:
        with page.boundary():
            runs = {about[1]: run for run in list_runs(state.workspace(), "train")
                    if (about := lab.group_of(run)) and about[0] == group}  # fmt: skip
            if all(run.ended for run in runs.values()):
                st.rerun()
            panels = {role: lab_panels.panel(role, run) for role, run in runs.items()}
            st.html(progress_html(*_progress(panels, expected)))
            _guesses(group, panels)
            with st.container(horizontal=True, vertical_alignment="center", key="lab-going"):
                st.button("Stop all five", key="lab.stop", icon=":material/stop_circle:", on_click=_stop, args=(group,))
                page.note(read("diagnose", "lab_going_note"))

    tick()


def _progress(panels: Mapping[str, Panel], expected: Mapping[str, float]) -> tuple[float, str, str]:
    """How far a round is (0..1), how many of its runs are through, and how long the others still take."""
    runs = {role: panel.run for role, panel in panels.items() if panel.run is not None}
    done = {role: 1.0 if panel.ended else panel.done for role, panel in panels.items()}
    took = {role: run.record["ended"] - run.record["started"] for role, run in runs.items()
            if run.ended and run.record["started"]}  # fmt: skip
    mine = {role: expected.get(role, 1.0) for role in panels}
    part = sum(mine[role] * done[role] for role in mine) / (sum(mine.values()) or 1.0)
    left = duration(max(1.0, lab.seconds_left(mine, done, {role: took[role] for role in took if role in mine})))
    through = page.say("diagnose", "lab_going", done=sum(run.ended for run in runs.values()))
    return part, through, page.say("diagnose", "lab_left", time=left)


def _stop(group: str) -> None:
    """Ask all of a round to end, those that wait before the one that runs, so that none of them takes its place."""
    with page.boundary():
        mine = [run for run in list_runs(state.workspace(), "train") if (lab.group_of(run) or ("",))[0] == group]
        for run in sorted(mine, key=lambda run: run.state != "queued"):
            if not run.ended:
                cache.engine().get().stop(run)


def _round(group: str, panels: Mapping[str, Panel], runs: Sequence[Run]) -> None:
    """Panels with a guess under each; once it was revealed, what there was, and one of them in full."""
    rounds = lab.revealed(state.workspace())
    done = rounds.get(group)
    if done is None:
        _check(group, panels, _guesses(group, panels))
        return
    mended = _mended(panels, runs)
    lab_panels.open_to(group, panels, done, mended)
    _score(done, rounds)
    _closer(group, panels, done)
    _follow(mended)


def _guesses(group: str, panels: Mapping[str, Panel]) -> dict[str, str]:
    """The panels with a choice under each letter; what is guessed so far (role -> guess).

    A slot holds it: a choice made while the five run would be lost when the page around it changes at their end.
    """
    slot = f"lab.guesses.{group}"
    guesses: dict[str, str] = {role: "" for role in panels} | state.get(slot, {})

    def ask(letter: str, role: str) -> None:
        key = f"lab.guess.{letter}.{group}"
        forms.follow(key, guesses[role])
        st.selectbox(
            f"What happened in {letter}?", ["", *lab.ROLES], key=key, label_visibility="collapsed",
            format_func=lambda name: lab.ROLES[name].title if name else "your guess",
            on_change=lambda: state.put(slot, {**state.get(slot, {}), role: st.session_state[key] or ""}),
        )  # fmt: skip

    lab_panels.covered(group, panels, ask)
    return guesses


def _check(group: str, panels: Mapping[str, Panel], guesses: Mapping[str, str]) -> None:
    """The way to the answer: with a guess for each, or without any."""
    made = [guess for guess in guesses.values() if guess]
    twice = next((guess for guess in made if made.count(guess) > 1), "")
    with st.container(horizontal=True, key="lab-ways", vertical_alignment="center"):
        ready = len(made) == len(panels) and not twice
        if st.button(
            "Check my guesses", key="lab.check", type="primary", icon=":material/done_all:", disabled=not ready
        ):
            _reveal(group, guesses)
        if st.button("Reveal all", key="lab.reveal", icon=":material/visibility:"):
            _reveal(group, {})
        if twice:
            page.note(page.say("diagnose", "lab_twice", title=lab.ROLES[twice].title))


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


def _mended(panels: Mapping[str, Panel], runs: Sequence[Run]) -> dict[str, Panel]:
    """The newest run that mends each of the five (role -> panel), as far as there is one."""
    mending = {role: lab.repairs_of(runs, panel.run.id) for role, panel in panels.items() if panel.run is not None}
    return {role: lab_panels.panel(role, found[0]) for role, found in mending.items() if found}


def _follow(mended: Mapping[str, Panel]) -> None:
    """Draw the page anew when a run that mends one of the five has ended."""
    waiting = [panel.run for panel in mended.values() if panel.run is not None and not panel.ended]
    if not waiting:
        return

    @st.fragment(run_every=2 * EVERY_S)
    def look_again() -> None:
        with page.boundary():
            now = {run.id: run.ended for run in list_runs(state.workspace(), "train")}
            if any(now.get(run.id, True) for run in waiting):
                st.rerun()

    look_again()


def _closer(group: str, panels: Mapping[str, Panel], done: lab.Guessed) -> None:
    """One of the five in full: how it was set up, the finding, and the button that mends it."""
    letters = lab_panels.in_order(group, panels)
    chosen = st.segmented_control(
        "Look closer at", list(letters), key=f"lab.closer.{group}", default=_most_telling(letters, done), required=True,
        format_func=lambda letter: f"{letter} · {lab.ROLES[letters[letter]].title}",
    )  # fmt: skip
    panel = panels[letters[str(chosen)]]
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
    else:
        finding_card.of_run(panel.run, panel.judged, key="lab")


def _most_telling(letters: Mapping[str, str], done: lab.Guessed) -> str:
    """The letter to look at first: one that was guessed wrongly, else one that went wrong."""
    missed = [letter for letter, role in letters.items() if done.guesses.get(role) not in ("", None, role)]
    faulty = [letter for letter, role in letters.items() if lab.ROLES[role].kind != "healthy"]
    return next(iter([*missed, *faulty, *letters]))


def _other_rounds(*, own: bool, back: bool) -> None:
    """Ways to guess once more: the recorded runs under other letters, and back to one's own."""
    with st.container(horizontal=True, key="lab-others"):
        if own or state.get(AGAIN, RECORDING) in lab.revealed(state.workspace()):
            label = read("diagnose", "lab_recorded_try" if own else "lab_recorded_again")
            if st.button(label, key="lab.again", icon=":material/shuffle:"):
                state.put(AGAIN, f"{RECORDING}-{new_id()}")
                state.to_address(ROUND, RECORDING)
                st.rerun()
        if back and not own and st.button(read("diagnose", "lab_back"), key="lab.back", icon=":material/undo:"):
            state.to_address(ROUND, None)
            st.rerun()
