"""Five looks at each picture: a model's reading in; wrong answers and log loss before and after, and what turned, out.

A part of the page of who is taken for whom. The looks are taken once per model, weights and version of the data.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.data.table import Dataset
from core.interpret.tta import FILE, KIND, Change, augment_of, change_of, load_table
from core.plots.style import counted, esc, number, share
from core.settings import from_record
from core.text import read
from core.train.runs import Run, list_runs
from core.ui import cache, gallery, page
from core.ui.live import ended_early, watch
from core.ui.models import Model
from core.ui.readings import Reading
from core.ui.suspects import progress

SOURCE = "core.interpret.tta:averaged"
SHOWN = 8


def show(reading: Reading) -> None:
    """What five looks change for a model, or the button that takes them."""
    run, count = _latest(reading), len(reading.side("valid"))
    page.note(read("tta", "what"))
    if run is None or run.state in ("failed", "stopped", "interrupted"):
        _ask(reading, run, count)
    elif not run.ended:
        page.note(read("tta", "going"))
        watch(run, progress)
    else:
        table = cache.tables().read(run.path / FILE, lambda _: load_table(run))
        _show(table, change_of(table), reading.dataset)


def _request(reading: Reading) -> dict[str, object]:
    model: Model = reading.model
    settings = from_record(model.run.request["settings"]) if model.run else None
    return {
        "run": model.id,
        "dataset": reading.dataset.id,
        "version": reading.dataset.version,
        "saved_at": model.saved_at,
        "augment": augment_of(settings) if settings else "photos",
    }


def _latest(reading: Reading) -> Run | None:
    """The newest looks at this version of the data with the weights as they are now."""
    wanted = _request(reading)
    runs = list_runs(reading.dataset.workspace, KIND)
    return next((run for run in runs if dict(run.request) == wanted), None)


def _ask(reading: Reading, before: Run | None, count: int) -> None:
    if before is None:
        page.see(read("tta", "empty"))
    else:
        ended_early(before, "tta", stopped="stopped", failed="failed")
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button("Look five times", key="tta.start", type="primary", icon=":material/visibility:"):
            with page.boundary(), st.spinner(read("train", "starting")):
                cache.submit(reading.dataset.workspace, KIND, _request(reading))
                st.rerun()
        page.note(page.say("tta", "cost", count=counted(count, "picture")))


def _show(table: pd.DataFrame, change: Change, dataset: Dataset) -> None:
    """Both numbers before and after, what they say, and the pictures whose answers turned."""
    before, after = change.wrong
    left, right = st.columns(2)
    with left:
        _metric("Wrong with five looks", f"{after} of {change.of}", after - before, f"before: {before} of {change.of}")
    with right:
        fell = float(f"{change.loss[1] - change.loss[0]:.3g}")
        _metric("Log loss with five looks", number(change.loss[1]), fell, f"before: {number(change.loss[0])}")
    page.see(_answers_words(change), "" if change.wrong[1] <= change.wrong[0] else "attention")
    page.see(_loss_words(change), "" if change.loss[1] <= change.loss[0] else "attention")
    right_before = table["predicted"] == table["label"]
    right_after = table["predicted_after"] == table["label"]
    _pictures("mended", table[~right_before & right_after & table["known"]], dataset)
    _pictures("spoiled", table[right_before & ~right_after & table["known"]], dataset)


def _metric(label: str, value: str, change: float, before: str) -> None:
    """A number as it is now, with what became of it; less is better."""
    st.metric(
        label, value, f"{change:+g} ({before})" if change else before, delta_color="inverse" if change else "off",
        delta_arrow="auto" if change else "off", border=True,
    )  # fmt: skip


def _answers_words(change: Change) -> str:
    before, after = change.wrong
    turned = change.mended + change.spoiled
    values = {"before": before, "after": after, "of": change.of, "mended": change.mended, "spoiled": change.spoiled}
    if not turned:
        return page.say("tta", "untouched", **values)
    if before == after:
        return page.say("tta", "same", **values)
    chance = page.say("tta", "no_luck" if change.clear else "luck", turned=turned, chance=share(change.luck))
    said = read("tta", "fewer" if after < before else "more")
    return said.format(**values, luck=chance)


def _loss_words(change: Change) -> str:
    before, after = change.loss
    section = "loss_same" if not change.loss_clear else "loss_lower" if after < before else "loss_higher"
    values = {"before": number(before), "after": number(after), "of": counted(change.of, "picture")}
    return page.say("tta", section, **values)


def _pictures(section: str, rows: pd.DataFrame, dataset: Dataset) -> None:
    """The pictures whose answers turned one way, with what was said before and after."""
    if rows.empty:
        return
    kind = "right" if section == "mended" else "wrong"
    cells = "".join(
        f'<figure class="{kind}"><img src="{gallery.thumb_url(row.file, dataset.id)}" alt="{esc(row.label)}"'
        f' loading="lazy"><figcaption><b>{esc(row.predicted_after)}</b><span>was {esc(row.predicted)}</span>'
        "</figcaption></figure>"
        for row in rows.head(SHOWN).itertuples()
    )
    more = f" {page.say('tta', 'more_turned', count=len(rows) - SHOWN)}" if len(rows) > SHOWN else ""
    st.html(f'<p class="note"><b>{esc(read("tta", section))}</b>{more}</p><div class="watched">{cells}</div>')
