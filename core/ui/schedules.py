"""The page of schedules: its parts, one at a time, and the way to Train. A new part is one line in PARTS."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

import streamlit as st

from core.plots.schedules import restarts_of, schedule_figure, tile
from core.plots.style import counted, rate
from core.settings import Stage
from core.text import read
from core.train.phases import PHASES_MAX, Phase
from core.train.schedules import SCHEDULES
from core.ui import choices, page, painting, phase_form, rolling, state
from core.ui.recipe_address import packed

ONE, MANY = "schedule", "phases"  # slots
PLACE = "schedules.place"
FIGURE_PX = 300
USUAL = Phase()
USUAL_PHASES = (Phase("linear", 1, 3e-3, {}), Phase("sgdr", 7, 3e-3, {"cycle_len": 1, "cycle_mult": 2}))
TILE_EPOCHS = 7  # so that restarts are seen as such
_USUAL_STAGE = asdict(Stage())


def show() -> None:
    """The choice of part, which stays in the address, and the part."""
    titles = {name: read("schedules", f"part_{name}") for name in PARTS}
    part = choices.switch(titles, slot="draw", key="schedules.part", default="every")
    with page.boundary():
        PARTS[part]()
    page.challenge("schedules", "try" if part == "every" else f"try_{part}")


def _every() -> None:
    """All schedules as tiles; the chosen one in full."""
    [phase] = phase_form.current(ONE, [USUAL])[:1]
    _tiles(phase)
    with st.container(key="curves-main-every"):
        left, right = st.columns([1, 2.1], gap="large")
    with left:
        phase_form.edit([phase], 0, slot=ONE, key="schedules.one", pick=False)
    with right:
        _draw([phase])
    _about([phase])
    page.note(read("schedules", f"about_{phase.schedule}"))
    _export([phase])


def _tiles(chosen: Phase) -> None:
    """A button for every schedule that shows its curve."""
    look = page.current_look()
    rules = [
        f'.st-key-curve-{name} button::before {{ background-image: url("{tile(_example(name), look)}"); }}'
        for name in SCHEDULES
    ]
    rules.append(f".st-key-curve-{chosen.schedule} button {{ border-color: var(--brand) !important; }}")
    st.html(f"<style>{' '.join(rules)}</style>")
    with st.container(key="curves"):
        for name in SCHEDULES:
            st.button(
                phase_form.title(name), key=f"curve-{name}", width="stretch", on_click=_choose, args=(name, chosen)
            )  # fmt: skip


def _example(name: str) -> Phase:
    """A schedule as its tile shows it."""
    return phase_form.painted() if name == "painted" else Phase(name, TILE_EPOCHS, 1.0, _first_options(name))


def _first_options(name: str) -> dict[str, float]:
    return {"cycle_len": 1, "cycle_mult": 2} if name == "sgdr" else {}


def _choose(name: str, before: Phase) -> None:
    if name == "painted":
        made = replace(phase_form.painted(), epochs=before.epochs, lr=before.lr)
    else:
        epochs = max(before.epochs, TILE_EPOCHS) if name == "sgdr" else before.epochs
        made = Phase(name, epochs, before.lr, _first_options(name))
    phase_form.put(ONE, [made])


def _compose() -> None:
    """A list of phases, the controls of one of them, and all of them in a row."""
    phases = phase_form.current(MANY, USUAL_PHASES)
    with st.container(key="curves-main-compose"):
        left, right = st.columns([1, 2.1], gap="large")
    with right:
        _draw(phases)
    with left:
        place = _which(phases)
        phase_form.edit(phases, place, slot=MANY, key=f"schedules.many.{place}")
        with st.container(horizontal=True):
            st.button(
                "Add a phase", key="schedules.add", icon=":material/add:", on_click=_add, args=(phases,),
                disabled=len(phases) >= PHASES_MAX,
            )  # fmt: skip
            st.button(
                "Remove it", key="schedules.remove", icon=":material/delete:", on_click=_remove, args=(phases, place),
                disabled=len(phases) < 2,
            )  # fmt: skip
    _about(phases)
    page.note(read("schedules", "compose_about"))
    _export(phases)


def _which(phases: Sequence[Phase]) -> int:
    """The phase whose controls are shown."""
    place = min(state.get(PLACE, 0), len(phases) - 1)
    key = f"schedules.which.{len(phases)}"
    if st.session_state.get(key) != place:
        st.session_state[key] = place
    return st.pills(
        "Phase",
        range(len(phases)),
        key=key,
        wrap=True,
        required=True,
        format_func=lambda number: f"{number + 1} · {phase_form.title(phases[number].schedule)}",
        on_change=lambda: state.put(PLACE, st.session_state[key]),
    )


def _add(phases: Sequence[Phase]) -> None:
    phase_form.put(MANY, [*phases, Phase("cosine", 2, phases[-1].lr / 3 if phases[-1].lr > 3e-6 else phases[-1].lr)])
    state.put(PLACE, len(phases))


def _remove(phases: Sequence[Phase], place: int) -> None:
    phase_form.put(MANY, [phase for number, phase in enumerate(phases) if number != place])
    state.put(PLACE, max(0, place - 1))


def _paint() -> None:
    phase = painting.show()
    _about([phase])
    _export([phase])


def _draw(phases: Sequence[Phase]) -> None:
    total = sum(phase.epochs for phase in phases)
    st.echarts_chart(
        schedule_figure(phases, page.current_look()),
        key="schedules.figure",
        height=FIGURE_PX,
        alt=page.say(
            "schedules",
            "figure_alt",
            epochs=counted(total, "epoch"),
            phases="; then ".join(phase_form.words(phase) for phase in phases),
        ),
    )


def _about(phases: Sequence[Phase]) -> None:
    """What the figure shows, in its own numbers."""
    total = sum(phase.epochs for phase in phases)
    found = restarts_of(phases)
    if not found:
        first = phases[0]
        page.see(
            page.say(
                "schedules", "see_plain", epochs=counted(total, "epoch"), first=_rate(first.rate(0.0)),
                top=_rate(max(phase.lr * _peak(phase) for phase in phases)),
                last=_rate(phases[-1].rate(1.0)),
            )
        )  # fmt: skip
        return
    lengths = [f"{end - start:g}" for start, end, _ in found]
    again = [f"{start:g}" for start, _, _ in found[1:]]
    whole = found[-1][2]
    page.see(
        page.say(
            "schedules", "see_restarts" if again else "see_one_cycle", cycles=counted(len(found), "cycle"),
            lengths=_list(lengths), again=_list(again), epochs=counted(total, "epoch"),
            end=read("schedules", "ends_whole" if whole else "ends_cut"),
        ),
        "" if whole else "attention",
    )  # fmt: skip


def _peak(phase: Phase) -> float:
    """The highest share of its rate that a phase reaches."""
    return max(phase.rate(step / 200) for step in range(201)) / phase.lr


def _rate(value: float) -> str:
    """A rate in three digits; what is as good as none is 0."""
    return rate(float(f"{value:.3g}")) if value > 1e-12 else "0"


def _list(values: Sequence[str]) -> str:
    if len(values) > 8:
        return f"{', '.join(values[:6])}, … and {values[-1]}"
    return " and ".join([", ".join(values[:-1]), values[-1]] if len(values) > 1 else values)


def _export(phases: Sequence[Phase]) -> None:
    """The way to Train: each phase becomes a stage of an own recipe."""
    stages = [
        {name: value for name, value in asdict(phase.stage()).items() if value != _USUAL_STAGE[name]}
        for phase in phases
    ]
    with st.container(horizontal=True, vertical_alignment="center", key="schedules-export"):
        page.next_step(
            "Train with it", "train", key="schedules.export", preset="own", form=packed({"stages": stages})
        )  # fmt: skip
        page.note(read("schedules", "export_about" if len(phases) == 1 else "export_phases"))


PARTS: Mapping[str, Callable[[], None]] = {
    "every": _every,
    "compose": _compose,
    "paint": _paint,
    "play": rolling.show,
}
