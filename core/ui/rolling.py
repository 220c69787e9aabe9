"""A schedule against restarts on a bumpy landscape: choices in; both walks, played in the browser, and counts out."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.plots.style import rate, share
from core.sgd.surfaces import Landscape, Rolled, Versus, bumpy, roll
from core.train.phases import Phase, rates_over
from core.train.schedules import SCHEDULES
from core.ui import dials, page, phase_form

HERE = Path(__file__).parent
EPOCHS, STEPS, BALLS, DRAWN = 7, 210, 400, 60
RATES = (0.003, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1)
NOISES = (0.0, 1.0, 3.0, 6.0, 10.0)
PLAIN = tuple(name for name in SCHEDULES if name != "sgdr")
LANDS = tuple(range(20))
_roller = st.components.v2.component(
    "bearings.roller",
    html='<div class="roller" tabindex="0" role="group" aria-label="Balls on a bumpy landscape: space plays, '
    'arrows step, R begins again"><div class="lanes"></div><div class="bar"><button data-do="play">▶ Play</button>'
    '<button data-do="back" aria-label="One step back">◀</button>'
    '<button data-do="on" aria-label="One step on">▶</button>'
    '<button data-do="again" aria-label="Back to the beginning">↺</button>'
    '<button data-do="end" aria-label="To the end">⇥</button><input type="range" min="0" value="0" aria-label="Step">'
    '<output></output><select aria-label="Speed"><option value="0.5">half speed</option>'
    '<option value="1" selected>30 steps/s</option><option value="3">3 times</option></select></div></div>',
    css=(HERE / "roller.css").read_text(encoding="utf-8"),
    js=(HERE / "roller.js").read_text(encoding="utf-8"),
)


def show() -> None:
    """The controls, both lanes and what was counted."""
    with st.container(key="schedules-valleys"):
        _choose()


def _choose() -> None:
    with st.container(key="schedules-play"):
        columns = st.columns([1.25, 1.1, 0.9, 0.9, 0.9, 1.1], gap="small", vertical_alignment="bottom")
    with columns[0]:
        name = dials.choice(
            "Fall once", PLAIN, slot="plain", key="schedules.plain", usual="cosine", words=phase_form.title
        )
    with columns[1]:
        top = dials.slider("Highest rate", RATES, slot="top", key="schedules.top", usual=0.02, words=rate)
    with columns[2]:
        noise = dials.slider("Noise", NOISES, slot="shake", key="schedules.shake", usual=3.0)
    with columns[3]:
        length = dials.choice("cycle_len", (1, 2, 3), slot="cycle_len", key="schedules.cycle_len", usual=1)
    with columns[4]:
        times = dials.choice("cycle_mult", (1, 2, 3), slot="cycle_mult", key="schedules.cycle_mult", usual=2)
    land_number = dials.value_of(LANDS, slot="land", usual=0)
    with columns[5]:
        if st.button("Another landscape", key="schedules.land", icon=":material/landscape:", width="stretch"):
            dials.put({"land": (land_number + 1) % len(LANDS)})
            st.rerun()
    options = dict(phase_form.painted().options) if name == "painted" else {}
    plans = [Phase(name, EPOCHS, top, options), Phase("sgdr", EPOCHS, top, {"cycle_len": length, "cycle_mult": times})]
    _compare(bumpy(land_number), plans, noise)


def _compare(land: Landscape, plans: Sequence[Phase], noise: float) -> None:
    rates = [rates_over([plan], STEPS) for plan in plans]
    rolled = [roll(land, each, balls=BALLS, noise=noise, seed=number) for number, each in enumerate(rates)]
    names = [phase_form.title(plans[0].schedule), "restarts (SGDR)"]
    with st.container(key="schedules-lanes"):
        _roller(key="schedules.roller", data=_sent(land, rolled, rates, names))
        _say(land, rolled, names)


def _say(land: Landscape, rolled: Sequence[Rolled], names: Sequence[str]) -> None:
    versus = Versus(rolled[0].in_broad, rolled[1].in_broad, BALLS)
    began = int(land.broad[land.valley_of(rolled[0].at[0])].sum())
    more = names[0] if versus.gap > 0 else names[1]
    section = "play_luck" if versus.is_luck else "play_more"
    counts = page.say(
        "schedules", "play_counts", one=versus.one, other=versus.other, balls=BALLS, began=began, name=names[0],
        one_share=share(versus.one / BALLS), other_share=share(versus.other / BALLS), began_share=share(began / BALLS),
    )  # fmt: skip
    verdict = page.say(
        "schedules", section, gap=f"{100 * abs(versus.gap):.1f}", luck=f"{100 * versus.luck:.1f}", more=more
    )  # fmt: skip
    page.see(f"{counts} {verdict}", "" if not versus.is_luck else "attention")
    narrow, broad = land.limits[~land.broad].max(), land.limits[land.broad].min()
    page.note(page.say("schedules", "play_limits", narrow=rate(_two(narrow)), broad=rate(_two(broad)), drawn=DRAWN))


def _two(value: float) -> float:
    return float(f"{value:.2g}")


def _sent(
    land: Landscape, rolled: Sequence[Rolled], rates: Sequence[np.ndarray], names: Sequence[str]
) -> dict[str, Any]:
    """What the browser needs to play it: the curve, and for each lane every place of some balls, every count."""
    every = BALLS // DRAWN
    lanes = []
    for each, taken, name in zip(rolled, rates, names, strict=True):
        seen = each.at[:, ::every][:, :DRAWN] / land.length * 65535
        over = land.broad[land.valley_of(each.at.ravel())].reshape(each.at.shape).sum(axis=1)
        lanes.append(
            {
                "name": name,
                "alt": page.say("schedules", "play_alt", name=name, count=each.in_broad, balls=BALLS),
                "at": base64.b64encode(seen.round().astype("<u2").tobytes()).decode(),
                "counts": over.tolist(),
                "rates": [float(f"{value:.4g}") for value in taken],
            }
        )
    edges = land.places[::2]
    return {
        "id": f"{names}{[float(taken.sum()) for taken in rates]}{land.length}{rolled[0].at[-1].sum()}",
        "places": land.places.round(5).tolist(),
        "heights": land.heights.round(5).tolist(),
        "length": land.length,
        "broad": [[float(edges[i]), float(edges[i + 1])] for i in np.flatnonzero(land.broad)],
        "lanes": lanes,
        "steps": STEPS,
        "balls": DRAWN,
        "all": BALLS,
        "epochs": EPOCHS,
        "top": max(float(taken.max()) for taken in rates) or 1.0,
        "limit": float(land.limits[~land.broad].max()),
    }
