"""A finding as a card: what was seen, why it happens, one fix with a button, and the idea behind it to read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from core.diagnose import Finding
from core.diagnose.of_run import Judgement
from core.errors import NotFound
from core.plots.style import esc, wrong_of
from core.text import read
from core.train.events import EpochDone
from core.train.runs import Run, load_run
from core.ui import cache, page, recipe_address, state
from core.ui.fixing import Fix, fix_of
from core.ui.run_rows import events_of

KINDS = {"good": "good", "note": "", "warning": "attention", "bad": "high"}


def show(finding: Finding, *, key: str) -> None:
    """The card of a finding on a log that is no run of ours: its fix is a sentence."""
    with st.container(key=f"card-finding-{key}"):
        st.html(finding_html(finding))
        _more(finding)


def of_run(run: Run, judged: Judgement, *, key: str) -> None:
    """The card of the verdict on a run, with a button that starts the repaired run, and what that brought."""
    finding, fix = judged.verdict, fix_of(run, judged, events_of(run))
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
        _start(fix)


def finding_html(finding: Finding) -> str:
    """Title, what was seen, why, and the one thing to do."""
    rows = (("Seen", finding.evidence), ("Why", finding.why), ("Do this", finding.fix))
    said = "".join(f"<dt>{name}</dt><dd>{esc(text)}</dd>" for name, text in rows if text)
    return f'<div class="finding {KINDS[finding.severity]}"><h4>{esc(finding.title)}</h4><dl>{said}</dl></div>'


def _more(finding: Finding) -> None:
    with st.popover("The idea", icon=":material/menu_book:"):
        st.markdown(read("diagnostics", finding.kind))


def _start(fix: Fix) -> None:
    """Hand the repaired run to the engine and show it on the Train page."""
    with page.boundary():
        made = cache.submit(state.workspace(), "train", dict(fix.request))
        recipe_address.forget()
        page.go("train", run=made)


def _before_and_after(run: Run) -> str:
    """What a repair brought, in counts; "" for a run that mends none."""
    about = run.request.get("repairs")
    if not isinstance(about, Mapping):
        return ""
    try:
        before = events_of(load_run(run.workspace, str(about.get("run")))).last(EpochDone.kind)
    except NotFound:
        return ""
    after = events_of(run).last(EpochDone.kind)
    if not isinstance(before, EpochDone) or not isinstance(after, EpochDone):
        return ""
    values = {"before": wrong_of(before.wrong, before.of), "after": wrong_of(after.wrong, after.of)}
    return page.say("diagnose", "before_after", **values)
