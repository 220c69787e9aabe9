"""What a test's curve says, in words: suggestions, zones and a slice in, sentences, a table and a button out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.errors import LabError
from core.plots.lr_finder import RULE_TITLES, ZONE_TITLES
from core.plots.style import MARKS, esc, rate
from core.settings import from_record
from core.text import read
from core.train.finder_advice import Slice, Zone, high_from, slice_for
from core.train.finder_rules import Suggestion
from core.train.lr_finder import USUAL_RATE
from core.train.runs import Run, load_run
from core.ui import page
from core.ui.finder_pick import start_of
from core.ui.gallery import inline


def two_digits(lr: float) -> str:
    """A rate as it is offered: 0.00033113 -> "3.3e-4"."""
    return rate(float(f"{lr:.2g}"))


def recommend(answer: Suggestion) -> None:
    """The recommended rate and why, or why there is none."""
    if answer.lr is None:
        page.see(page.say("lr_finder", "no_answer", why=answer.why), "attention")
    else:
        page.see(page.say("lr_finder", "recommended", rate=two_digits(answer.lr), why=answer.why))


def rules_html(answers: Mapping[str, Suggestion]) -> str:
    """A row a rule: its name, its rate or that it has none, and one sentence."""
    rows = []
    for name in RULE_TITLES:
        answer = answers[name]
        found = "no answer" if answer.lr is None else two_digits(answer.lr)
        why = f"Because: {answer.why}" if answer.lr is None else answer.why
        title = read("lr_finder", f"rule_{name}")
        rows.append(f"<tr><th>{esc(title)}</th><td>{esc(found)}</td><td>{esc(why)}</td></tr>")
    return f'<table class="rules"><tbody>{"".join(rows)}</tbody></table>'


def zone_words(zone: Zone) -> str:
    """A zone with its mark, its rates and why."""
    return (
        f"{MARKS[zone.kind]} **{ZONE_TITLES[zone.kind].capitalize()}**, "
        f"{two_digits(zone.low)} to {two_digits(zone.high)}. {esc(zone.why)}"
    )


def frozen_rate(run: Run) -> float:
    """The rate at which the head learned before: that of the run a test began with, else the usual one."""
    start = run.request.get("start")
    if not start:
        return USUAL_RATE
    try:
        stages = from_record(load_run(run.workspace, start["run"]).request["settings"]).stages
    except LabError:
        return USUAL_RATE
    return next((stage.lr_max for stage in reversed(stages) if stage.frozen), USUAL_RATE)


def offer_slice(run: Run, dataset: Dataset, table: pd.DataFrame, steps: int) -> None:
    """The slice for a network that learns whole, why it has these ends, and the button that takes it along."""
    frozen = frozen_rate(run)
    found = slice_for(
        list(table["lr"]), list(table["loss_smooth"]), steps=steps, high=high_from(frozen), frozen_lr=frozen
    )
    with st.container(key="card-slice"):
        left, right = st.columns([3, 1], vertical_alignment="center")
        left.html(f'<p class="slice">{_sentence(found)}</p>')
        high = two_digits(found.high)
        label = f"Use {two_digits(found.low)} … {high}" if found.low is not None else f"Use {high}"
        low = {"low": two_digits(found.low)} if found.low is not None else {}
        icon = ":material/arrow_forward:"
        if right.button(label, key="finder.slice", type="primary", icon=icon, icon_position="right", width="stretch"):
            page.go("train", dataset=dataset.id, rate=high, **low, **start_of(run))


def _sentence(found: Slice) -> str:
    section = "slice_none" if found.low is None else "slice"
    low = "" if found.low is None else two_digits(found.low)
    words = page.say(
        "lr_finder", section, low=low, high=two_digits(found.high), why_low=found.why_low, why_high=found.why_high
    )
    return inline(words)
