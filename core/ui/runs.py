"""The runs page: all training runs of this owner, up to four of them over one another, and what there is to see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from core.plots.bands import Band, band_of
from core.plots.runs import MEASURES, Curve, overlay
from core.plots.style import SLOTS, esc
from core.text import read
from core.train.runs import Run, read_runs
from core.train.shelf import sorted_out
from core.ui import page, run_bin, run_card, run_choice, run_rows, run_tables, run_words, state
from core.ui.run_choice import slot_of
from core.ui.run_rows import Row

AT_ONCE = 6
FIGURE_PX = 340
EVERY_S = 2.0
ORDERS: Mapping[str, Callable[[Row], float]] = {
    "Newest first": lambda row: -row.run.record["created"],
    "Fewest wrong": lambda row: row.error,
    "Fastest": lambda row: row.facts.seconds or float("inf"),
}


def show() -> None:
    """The whole page below its title."""
    with st.spinner(read("runs", "reading")):  # two hundred runs take seconds, the first time
        kept, binned = sorted_out(read_runs(state.workspace()))
        rows = run_rows.rows_of(state.workspace(), kept)
    if not rows:
        with st.container(key="card-gate"):
            st.markdown(read("runs", "empty"))
            page.next_step("Train a model", "train", key="runs.gate")
    else:
        _compare(rows)
    run_bin.show([run for run in binned if run.kind == "train"])
    run_bin.undo_bar()


def _compare(rows: list[Row]) -> None:
    slots = run_choice.chosen(rows)
    with st.container(key="runs-main"):  # on a phone the style sheet puts the figure first
        left, right = st.columns([1, 1.55], gap="large")
    with left:
        _list(_in_order(rows), slots)
    with right:
        _figure(slots)
        run_words.show(slots, rows)
    if len(slots) == 1:
        run_card.show(next(iter(slots.values())))
    run_tables.show(rows, slots)
    _follow(rows)


def _in_order(rows: list[Row]) -> list[Row]:
    """The rows of one data set, or of all, in the order that is asked for."""
    datasets = {row.facts.setup.dataset: row.dataset for row in rows}
    with st.container(horizontal=True, key="runs-order"):
        if len(datasets) > 1:
            wanted = st.selectbox(
                "Data set", ["", *datasets], format_func=lambda found: datasets.get(found, "all data sets"),
                key="runs.data", persist_state="session", label_visibility="collapsed",
            )  # fmt: skip
            rows = [row for row in rows if wanted in ("", None, row.facts.setup.dataset)]
        order = st.selectbox(
            "Order", list(ORDERS), key="runs.order", persist_state="session", label_visibility="collapsed"
        )
    return sorted(rows, key=ORDERS.get(order, ORDERS["Newest first"]))


def _list(rows: Sequence[Row], slots: dict[int, Row]) -> None:
    """A page of rows to tick; what is ticked on other pages can be taken out as well."""
    place, pages, at = st.container(gap="xxsmall", key="runs-list"), -(-len(rows) // AT_ONCE), 1
    if pages > 1:
        at = st.pagination(pages, key=f"runs.page.{pages}", max_visible_pages=5)
    shown = rows[(at - 1) * AT_ONCE : at * AT_ONCE]
    with place:
        for row in shown:
            with st.container(key=f"run-row-{row.run.id}", gap=None):
                _checkbox(row, slots)
                st.html(_details(row, slot_of(slots, row)))
    if len(slots) == len(SLOTS):
        page.note(read("runs", "full"))
    if {row.run.id for row in slots.values()} - {row.run.id for row in shown}:
        st.button("Take all out", key="runs.clear", type="tertiary", icon=":material/close:", on_click=_clear)


def _clear() -> None:
    run_choice.put({})


def _checkbox(row: Row, slots: dict[int, Row]) -> None:
    key, on = f"runs.pick.{row.run.id}", slot_of(slots, row) is not None
    if st.session_state.get(key) != on:
        st.session_state[key] = on
    full = not on and len(slots) == len(SLOTS)
    st.checkbox(esc(row.name), key=key, disabled=full, on_change=_pick, args=(slots, row))


def _pick(slots: dict[int, Row], row: Row) -> None:
    run_bin.done()
    run_choice.toggle(slots, row)


def chip(slot: int) -> str:
    """The letter of a slot with its line, as in the figure."""
    return f'<span class="slot slot-{slot}"><b>{SLOTS[slot]}</b><i></i></span>'


def _details(row: Row, slot: int | None) -> str:
    data = f"{row.dataset} {row.version}".strip()
    facts = [row.took, data, run_rows.date(row.run.record["created"])]
    differs = f'<p class="run-differs">{esc(", ".join(row.differs))}</p>' if row.differs else ""
    return (
        f'<div class="run"><span class="run-slot">{"" if slot is None else chip(slot)}</span>'
        f'<p><b>{esc(row.score)}</b> <span class="run-verdict {row.kind}">{esc(row.standing)}</span></p>{differs}'
        f'<p class="run-facts">{" · ".join(esc(fact) for fact in facts if fact)}</p></div>'
    )


def _figure(slots: Mapping[int, Row]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="runs-figure"):
        show = st.segmented_control(
            "Show", list(MEASURES), default="valid", format_func=lambda name: MEASURES[name].title, key="runs.show",
            required=True, persist_state="session", label_visibility="collapsed",
        )  # fmt: skip
        log = st.toggle("Log scale", key="runs.log", persist_state="session")
        by = "seconds" if st.toggle("Over seconds", key="runs.seconds", persist_state="session") else "epochs"
    names = "".join(f"<span>{chip(slot)}{esc(row.name)}</span>" for slot, row in sorted(slots.items()))
    st.html(f'<p class="run-key">{names or esc(read("runs", "none"))}</p>')
    curves = run_rows.curves(slots)
    spec = overlay(curves, page.current_look(), show=show, by=by, log=log, band=_band(slots, curves, by))
    alt = f"{MEASURES[show].title} of {len(slots)} runs over {by}."
    st.echarts_chart(spec, key="runs.figure", height=FIGURE_PX, alt=alt)


def _band(slots: Mapping[int, Row], curves: Sequence[Curve], by: str) -> Band | None:
    """What the verdict on a run speaks of, while that run is looked at alone."""
    if len(slots) != 1:
        return None
    judged = next(iter(slots.values())).facts.judged
    return None if judged is None else band_of(judged.verdict, list(curves[0].epochs[by]))


def _follow(rows: Sequence[Row]) -> None:
    """Draw the page anew when a run that goes on has something to say."""
    drawn = {row.run.id: _standing(row.run) for row in rows if not row.run.ended}
    if not drawn:
        return

    @st.fragment(run_every=EVERY_S)
    def look_again() -> None:
        now = drawn
        with page.boundary():
            now = {run.id: _standing(run) for run in read_runs(state.workspace(), "train") if run.id in drawn}
        if now != drawn:
            st.rerun()

    look_again()


def _standing(run: Run) -> tuple[str, int]:
    return run.state, run_rows.facts(run).epochs
