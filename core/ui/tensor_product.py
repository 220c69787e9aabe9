"""Rows times columns, cell by cell in the browser, and timed: traced tensors in, a moving picture and a table out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from core.plots.style import esc, number
from core.text import read
from core.ui import choices, page, state

HERE = Path(__file__).parent
CASES = {"line": "A line through points", "layer": "The last layer of a model"}
ROWS, COLUMNS = 5, 6  # of a table that is written out
_component = st.components.v2.component(
    "bearings_product",
    css=(HERE / "product.css").read_text(encoding="utf-8"),
    js=(HERE / "product.js").read_text(encoding="utf-8"),
)


def is_real() -> bool:
    """Whether the product in the address is that of a real layer, which is about pictures."""
    return state.from_address("case") == "layer"


def show(numbers: Any) -> None:
    """A product to watch, small or real, and the loop timed against the one call on this computer."""
    case = choices.switch(CASES, slot="case", key="tensors.case", default="line", light=True)
    data = _line() if case == "line" else _layer(numbers)
    _component(key=f"tensors.product.{case}", data=data)
    trace = numbers.trace
    words = {"rows": len(trace.scores[:ROWS]), "inner": trace.hidden.shape[1], "classes": len(trace.classes)}
    page.see(page.say("tensors", f"product_{case}", **words))
    _timing(words["inner"], words["classes"])


def _line() -> dict[str, Any]:
    """Y = 3 * x1 + 2 * 1 for five points."""
    x1 = np.linspace(-1, 1, ROWS)
    x, a = np.column_stack([x1, np.ones(ROWS)]), np.array([[3.0], [2.0]])
    return _data(x, a, names=("x", "a", "y"), rows=[f"point {row + 1}" for row in range(ROWS)], columns=[""], plot=True)


def _layer(numbers: Any) -> dict[str, Any]:
    """Hidden @ weights.T for the pictures at hand: the strongest few of 512 numbers are written out."""
    trace = numbers.trace
    hidden, weights = trace.hidden[:ROWS].astype(float), trace.weights.T.astype(float)
    weights = weights[:, :COLUMNS]
    strong = np.argsort(-np.abs(hidden).mean(axis=0) * np.abs(weights).mean(axis=1), kind="stable")
    order = np.concatenate([np.sort(strong[:COLUMNS]), np.sort(strong[COLUMNS:])])
    return _data(hidden[:, order], weights[order], names=("hidden", "weights", "scores"),
                 rows=list(numbers.names[:ROWS]), columns=list(trace.classes[:COLUMNS]))  # fmt: skip


def _data(
    x: np.ndarray,
    a: np.ndarray,
    *,
    names: tuple[str, str, str],
    rows: list[str],
    columns: list[str],
    plot: bool = False,
) -> dict[str, Any]:
    """What the browser draws: both tables as far as they are written out, the rest of every sum, the product."""
    shown = min(COLUMNS, x.shape[1])
    product = x @ a
    return {
        "x": x[:, :shown].tolist(), "a": a[:shown].tolist(), "product": product.tolist(),
        "rest": (product - x[:, :shown] @ a[:shown]).tolist(), "left_out": x.shape[1] - shown,
        "names": list(names), "rows": rows, "columns": columns,
        "shapes": [list(x.shape), list(a.shape), list(product.shape)], "plot": plot,
    }  # fmt: skip


def _timing(inner: int, classes: int) -> None:
    """Measured here and now, when somebody asks."""
    with st.container(key="tensors-timing", horizontal=True, vertical_alignment="center"):
        page.note(read("tensors", "timing_about"))
        if st.button("Time both", key="tensors.time", icon=":material/timer:"):
            with st.spinner(read("tensors", "timing_going")):
                state.put("tensors.timed", _measure(inner, classes))
    found = state.get("tensors.timed")
    if found:
        st.html(_timed_table(found))
        largest = found[-1]
        page.see(page.say("tensors", "timing_see", times=_two(largest.times), rows=largest.rows,
                          steps=f"{largest.rows * largest.inner * largest.columns:,}"))  # fmt: skip


def _measure(inner: int, classes: int) -> list[Any]:
    """From the five points to a batch of 64 pictures in the last layer of this model."""
    from core.sgd.products import timed

    return [timed(ROWS, 2, 1), timed(64, 32, classes), timed(64, inner, classes)]


def _timed_table(found: list[Any]) -> str:
    head = "".join(f"<th>{esc(read('tensors', f'timing_{name}'))}</th>" for name in ("sizes", "loop", "once", "times"))
    rows = "".join(
        f'<tr><th scope="row">({one.rows}, {one.inner}) @ ({one.inner}, {one.columns})</th>'
        f"<td>{short(one.loop_s)}</td><td>{short(one.at_once_s)}</td>"
        f"<td>{page.say('tensors', 'timing_as_long', times=_two(one.times))}</td></tr>"
        for one in found
    )
    return f'<table class="steps"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _two(times: float) -> str:
    """Two digits are as many as a measurement holds: 2833 -> "2,800"."""
    return number(float(f"{times:.2g}")) if times >= 10 else f"{times:.1f}"


def short(seconds: float) -> str:
    """A time far below a second: 0.0163 -> "16.3 ms", 6e-6 -> "6 µs"."""
    if seconds >= 0.9995:
        return f"{number(seconds)} s"
    return f"{number(1e3 * seconds)} ms" if seconds >= 0.9995e-3 else f"{number(1e6 * seconds)} µs"
