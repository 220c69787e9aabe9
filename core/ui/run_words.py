"""What there is to see in the chosen runs: rows by slot in, a few sentences from their own numbers out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations

import streamlit as st

from core.plots.style import SLOTS, esc
from core.text import read
from core.train.compare import between, likeness
from core.ui import finding_card, page, run_rows
from core.ui.gallery import inline
from core.ui.run_rows import Row

AT_ONCE = 8  # differences that are told without being asked for


def show(slots: Mapping[int, Row], rows: Sequence[Row]) -> None:
    """One run: what it came to. Two: what is different. More: which one did best, and which are the same."""
    if len(slots) == 1:
        _one(next(iter(slots.values())), rows)
    elif len(slots) == 2:
        _two(slots, rows)
    elif slots:
        _many(slots)
    if len({row.facts.setup.version for row in slots.values() if row.facts.setup.version}) > 1:
        page.see(read("runs", "other_exam"), "attention")


def _one(row: Row, rows: Sequence[Row]) -> None:
    if row.facts.judged is not None:
        finding_card.of_run(row.run, row.facts.judged, key="runs")
    elif row.facts.verdict is not None:
        page.see(row.facts.verdict.text, row.facts.verdict.kind)
    elif not row.run.ended:
        page.see(page.say("runs", "going", standing=row.standing))
    again = run_rows.twins(row, rows)
    if again:
        names = ", ".join(f"{other.name} ({run_rows.date(other.run.record['created'])})" for other in again[:3])
        page.see(page.say("runs", "twin", names=names))


def _two(slots: Mapping[int, Row], rows: Sequence[Row]) -> None:
    (slot_a, a), (slot_b, b) = sorted(slots.items())
    first, second = SLOTS[slot_a], SLOTS[slot_b]
    alike = likeness(a.facts.mark, b.facts.mark)
    if alike == "different":
        page.see(_better(first, a, second, b))
        _differences(second, first, between(a.facts.setup, b.facts.setup, names=_names(rows)))
        return
    values = {"a": first, "b": second, "epochs": min(a.facts.epochs, b.facts.epochs)}
    values |= {"on_a": a.facts.ran_on, "on_b": b.facts.ran_on, "halved": first if a.facts.halved else second}
    section = f"{alike}{_cause(a, b)}" if alike == "other_numbers" else alike
    page.see(page.say("runs", section, **values), "attention" if alike == "other_numbers" else "")


def _cause(a: Row, b: Row) -> str:
    """What may have made the numbers of two equal settings differ: the end of a section's name."""
    if a.facts.halved != b.facts.halved:
        return "_halved"
    return "_moved" if a.facts.ran_on != b.facts.ran_on else ""


def _names(rows: Sequence[Row]) -> dict[str, str]:
    return {row.run.id: row.name for row in rows} | {row.facts.setup.dataset: row.dataset for row in rows}


def _better(first: str, a: Row, second: str, b: Row) -> str:
    """Which of two did better, and whether that is more than luck."""
    if a.facts.wrong is None or b.facts.wrong is None:
        return page.say("runs", "no_score", run=first if a.facts.wrong is None else second)
    values = {"a": first, "b": second, "score_a": a.score, "score_b": b.score}
    if a.error == b.error:
        return page.say("runs", "even", **values)
    better, worse = (first, second) if a.error < b.error else (second, first)
    section = "luck" if abs(a.error - b.error) < noise(a, b) else "better"
    return page.say("runs", section, better=better, worse=worse, **values)


def noise(a: Row, b: Row) -> float:
    """Differences of error rates below this mean nothing: two pictures, or two standard errors of the larger one."""
    of, error = min(a.facts.of or 1, b.facts.of or 1), max(a.error, b.error)
    return max(2 / of, 2 * math.sqrt(error * (1 - error) / of))


def _differences(second: str, first: str, said: Sequence[str]) -> None:
    head = page.say("runs", "differences", a=first, b=second)
    shown = "".join(f"<li>{esc(one)}</li>" for one in said[:AT_ONCE])
    more = said[AT_ONCE:]
    rest = f"<li>{esc(page.say('runs', 'more', count=len(more)))}</li>" if more else ""
    st.html(f'<div class="differences"><p>{inline(head)}</p><ul>{shown}{rest}</ul></div>')
    if more:
        with st.expander(read("runs", "all_differences")):
            st.html(f'<div class="differences"><ul>{"".join(f"<li>{esc(one)}</li>" for one in more)}</ul></div>')


def _many(slots: Mapping[int, Row]) -> None:
    scored = {slot: row for slot, row in slots.items() if row.facts.wrong is not None}
    if scored:
        least = min(row.error for row in scored.values())
        best = [SLOTS[slot] for slot, row in sorted(scored.items()) if row.error == least]
        score = next(row.score for row in scored.values() if row.error == least)
        page.see(page.say("runs", "best" if len(best) == 1 else "best_shared", runs=" and ".join(best), score=score))
    for (slot_a, a), (slot_b, b) in combinations(sorted(slots.items()), 2):
        if likeness(a.facts.mark, b.facts.mark) == "identical":
            page.see(page.say("runs", "identical", a=SLOTS[slot_a], b=SLOTS[slot_b], epochs=a.facts.epochs))
