"""A list of addresses as it is fetched: a run in; counts, what became of each address, and what to do next, out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
import streamlit as st

from core.data.fetch_report import FETCHED_CODES, GOOD, failed_rows, outcomes, report_csv
from core.errors import LabError
from core.plots.style import counted, esc
from core.text import read
from core.train.events import DataReady, Event, Fetched, Progress
from core.train.runs import Run
from core.ui import cache, jobs, live, page, state

LATEST = 12
TABLE_PX = 330


def card(run: Run) -> None:
    """How far the fetching is; or what became of each address, and a way to try again or to go on."""
    with st.container(key="card-job"):
        name = run.request["name"]
        st.markdown("### " + (page.say("build", "fetching", label=name) if name else read("build", "fetching_list")))
        if run.ended:
            _ended(run, state.events(run))
        else:
            live.watch(run, _tick)


def _tick(run: Run) -> None:
    events = state.events(run)
    told = outcomes(events)
    st.html(live.progress_html(*live.phase(run, _progress(events, len(told)))))
    st.html(chips(told.values()))
    if not run.ended:
        live.stop_button(run)
    st.html(_rows([*told.values()][-LATEST:][::-1]))


def _progress(events: Sequence[Event], told: int) -> Progress | None:
    """The latest progress; addresses that were told since then count too."""
    last = next((event for event in reversed(events) if isinstance(event, Progress)), None)
    return Progress(last.seq, last.phase, min(last.total, max(last.done, told)), last.total) if last else None


def chips(told: Iterable[Fetched]) -> str:
    """How often each outcome was met, the good ones first."""
    counts = Counter(event.code for event in told)
    shown = (
        f'<span class="{"good" if code in GOOD else "bad"}">{esc(FETCHED_CODES[code])} <b>{counts[code]:,}</b></span>'
        for code in FETCHED_CODES
        if counts[code]
    )
    return f'<div class="chips" aria-live="polite">{"".join(shown)}</div>'


def _rows(told: Sequence[Fetched]) -> str:
    """The latest outcomes as lines; an address that is too long for one is cut by the style sheet."""
    rows = "".join(
        f"<tr><td>{event.line}</td><td>{esc(FETCHED_CODES[event.code])}</td><td>{esc(event.url)}</td></tr>"
        for event in told
    )
    return f'<table class="outcomes"><tbody>{rows}</tbody></table>'


def _ended(run: Run, events: Sequence[Event]) -> None:
    told = list(outcomes(events).values())
    if run.record["message"]:
        page.show_error(LabError(run.record["message"], hint=run.record["hint"] or ""))
    elif run.state == "done":
        ready = next((event for event in reversed(events) if isinstance(event, DataReady)), None)
        new = ready.added if ready else sum(event.code == "saved" for event in told)
        addresses = _addresses(len(run.request["rows"]))
        page.see(page.say("build", "fetched", count=new, addresses=addresses), "" if new else "attention")
    else:
        left = len(run.request["rows"]) - len(told)
        page.see(page.say("build", f"fetch_{run.state}", left=_addresses(left)), "attention")
    st.html(chips(told))
    _table(run, told)
    _next_steps(run, events)


def _addresses(count: int) -> str:
    return counted(count, "address", "addresses")


def _table(run: Run, told: Sequence[Fetched]) -> None:
    """What became of each address: what failed first, then in the order of the list."""
    if not told:
        return
    ordered = sorted(told, key=lambda event: (event.code in GOOD, event.line))
    table = pd.DataFrame([_record(event) for event in ordered])
    columns = {
        "line": st.column_config.NumberColumn(width=60),
        "class": st.column_config.TextColumn(width=110),
        "came": st.column_config.TextColumn("what came of it", width=150),
    }
    height = min(TABLE_PX, 36 * len(table) + 38)
    key = f"fetch.table.{run.id}"
    st.dataframe(table, hide_index=True, width="stretch", key=key, height=height, column_config=columns)


def _record(event: Fetched) -> Mapping[str, object]:
    said = FETCHED_CODES[event.code]
    return {"line": event.line, "class": event.label, "came": said, "address": event.url, "reason": event.reason}


def _next_steps(run: Run, events: Sequence[Event]) -> None:
    again = failed_rows(events)
    with st.container(horizontal=True):
        if run.state in ("stopped", "interrupted", "failed"):
            st.button("Go on", key="fetch.on", type="primary", icon=":material/resume:", on_click=_resume, args=(run,))
        elif again and st.button(f"Try {len(again):,} again", key="fetch.again", icon=":material/replay:"):
            jobs.fetch(run.request["dataset"], again, name=run.request["name"])
        if events:
            st.download_button(
                "Save as CSV", data=lambda: report_csv(events), file_name="fetched.csv", mime="text/csv",
                key="fetch.csv", on_click="ignore", icon=":material/table:",
            )  # fmt: skip
        st.button("Close", key="fetch.close", icon=":material/check:", on_click=jobs.close)


def _resume(run: Run) -> None:
    with page.boundary():
        cache.resubmit(run)
