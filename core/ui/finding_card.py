"""A finding as a card: what was seen, why it happens, one fix with a button, and the idea behind it to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from core.diagnose import Finding
from core.diagnose.of_run import Judgement
from core.diagnose.repairs import Repair, repair
from core.errors import NotFound
from core.plots.style import esc, wrong_of
from core.settings import from_record, to_record
from core.text import read
from core.train.events import EpochDone
from core.train.known_rates import known_rates
from core.train.runs import LAST, Run, history, load_run, save_point
from core.ui import cache, page, recipe_address, state

KINDS = {"good": "good", "note": "", "warning": "attention", "bad": "high"}


def show(finding: Finding, *, key: str) -> None:
    """The card of a finding on a log that is no run of ours: its fix is a sentence."""
    with st.container(key=f"card-finding-{key}"):
        st.html(finding_html(finding))
        _more(finding)


def of_run(run: Run, judged: Judgement, *, key: str) -> None:
    """The card of the verdict on a run, with a button that starts the repaired run, and what that brought."""
    finding, fix = judged.verdict, _fix(run, judged)
    if fix is not None:  # the sentence says what the button does
        finding = replace(finding, fix=fix.words)
    with st.container(key=f"card-finding-{key}"):
        st.html(finding_html(finding))
        mended = _before_and_after(run)
        if mended:
            page.note(mended)
        for other in judged.findings[1:]:
            page.note(f"**{esc(other.title)}.** {esc(other.evidence)} {esc(other.fix)}")
        with st.container(horizontal=True, key=f"finding-ways-{key}", vertical_alignment="center"):
            if fix is not None:
                pressed = st.button(fix.text, key=f"fix.{key}", type="primary", icon=":material/build:")
            _more(finding)
    if fix is not None and pressed:
        _start(run, fix, finding)


def finding_html(finding: Finding) -> str:
    """Title, what was seen, why, and the one thing to do."""
    rows = (("Seen", finding.evidence), ("Why", finding.why), ("Do this", finding.fix))
    said = "".join(f"<dt>{name}</dt><dd>{esc(text)}</dd>" for name, text in rows if text)
    return f'<div class="finding {KINDS[finding.severity]}"><h4>{esc(finding.title)}</h4><dl>{said}</dl></div>'


def _more(finding: Finding) -> None:
    with st.popover("The idea", icon=":material/menu_book:"):
        st.markdown(read("diagnostics", finding.kind))


def _fix(run: Run, judged: Judgement) -> Repair | None:
    """The repair of a run whose data set is still there."""
    if not run.ended or run.state in ("failed", "interrupted", "stopped"):
        return None
    rates = known_rates(run)
    settings = from_record(run.request["settings"])
    return repair(judged.verdict, settings, stage=judged.stage, suggested_lr=rates.get(judged.stage))


def _begin(run: Run, fix: Repair) -> Mapping[str, str] | None:
    """The checkpoint that the repaired run begins from; None where it begins with fresh weights."""
    if fix.begins == "as_before":
        given = run.request.get("start")
        return dict(given) if given else None
    file = LAST if fix.begins == "last" else save_point(fix.stage - 1)
    return {"run": run.id, "file": file} if (run.path / file).is_file() else None


def _start(run: Run, fix: Repair, finding: Finding) -> None:
    """Hand the repaired run to the engine and show it on the Train page."""
    with page.boundary():
        request: dict[str, Any] = {
            "dataset": run.request["dataset"],
            "settings": to_record(fix.settings),
            "preset": "own",
            "repairs": {"run": run.id, "kind": finding.kind},
        }
        begin = _begin(run, fix)
        if begin is not None:
            request["start"] = dict(begin)
        made = cache.submit(state.workspace(), "train", request)
        recipe_address.forget()
        page.go("train", run=made)


def _before_and_after(run: Run) -> str:
    """What a repair brought, in counts; "" for a run that mends none."""
    about = run.request.get("repairs")
    if not isinstance(about, Mapping):
        return ""
    try:
        before = history(load_run(run.workspace, str(about.get("run")))).last(EpochDone.kind)
    except NotFound:
        return ""
    after = history(run).last(EpochDone.kind)
    if not isinstance(before, EpochDone) or not isinstance(after, EpochDone):
        return ""
    values = {"before": wrong_of(before.wrong, before.of), "after": wrong_of(after.wrong, after.of)}
    return page.say("diagnose", "before_after", **values)
