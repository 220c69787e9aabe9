"""A log of another tool: pasted text or a file in; the table as it was read, its curve and the verdict out."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import streamlit as st

from core.diagnose import diagnose
from core.diagnose.logs import MAX_BYTES, Log, decode, read_log
from core.plots.log_curve import log_figure
from core.plots.style import counted, esc, number
from core.text import read
from core.ui import finding_card, forms, page, state, uploads

TEXT, ROUND = "diagnose.log", "diagnose.log_round"
FIGURE_PX, BOX_PX, TABLE_ROWS = 360, 230, 12
_ALL = "All, as one training"


def show() -> None:
    """The box for the text, what is known besides, and below them what was read and the verdict."""
    page.note(read("diagnose", "import_about"))
    left, right = st.columns([1, 1.7], gap="medium")
    with left:
        _uploader()
        _example()
        facts = _facts_typed()
    with right:
        text = st.text_area(
            "The log", height=BOX_PX, key=TEXT, persist_state="session", label_visibility="collapsed",
            placeholder=read("diagnose", "import_placeholder"),
        )  # fmt: skip
    if not text.strip():
        page.see(read("diagnose", "import_empty"))
        return
    if text.strip() == read("diagnose", "import_example"):
        page.note(read("diagnose", "import_example_about"))
    with page.boundary():
        known = {**facts, **{name: _rate(facts[name]) for name in ("lr", "suggested_lr")}}
        _understood(read_log(text), known)


def _uploader() -> None:
    st.file_uploader(
        "A file with the log",
        type=["csv", "txt", "json", "log", "tsv", "jsonl"],
        key=_file_key(),
        label_visibility="collapsed",
        max_upload_size=MAX_BYTES // 2**20,
        on_change=_take_file,
    )


def _file_key() -> str:
    return f"diagnose.log_file.{state.get(ROUND, 0)}"


def _take_file() -> None:
    """Put the text of a file into the box, where it can be read and changed; the file itself is forgotten."""
    file = st.session_state[_file_key()]
    if file is None:
        return
    with page.boundary():
        data = file.getvalue()
        uploads.forget_uploads()
        state.put(ROUND, state.get(ROUND, 0) + 1)
        st.session_state[TEXT] = decode(data)


def _example() -> None:
    st.button(
        "Try an example", key="diagnose.log_example", icon=":material/table_view:", type="tertiary",
        help=read("diagnose", "import_example_about"), on_click=_take_example,
    )  # fmt: skip


def _take_example() -> None:
    st.session_state[TEXT] = read("diagnose", "import_example")


def _facts_typed() -> dict[str, Any]:
    """What somebody knows about the training besides its log, as it was typed."""
    with st.expander("What you know besides", icon=":material/tune:"):
        page.note(read("diagnose", "import_facts"))
        first, second = st.columns(2)
        return {
            "lr": _rate_input(first, "Its rate", "lr"),
            "suggested_lr": _rate_input(second, "Suggested rate", "suggested"),
            "classes": _count_input(first, "Classes", "classes", lowest=2),
            "n_valid": _count_input(second, "Validation pictures", "n_valid", lowest=1),
        }


def _rate_input(place: Any, label: str, name: str) -> str:
    typed: str = place.text_input(
        label, key=f"diagnose.log_{name}", persist_state="session", max_chars=forms.RATE_CHARS, placeholder="3e-3",
        help=read("diagnose", f"import_{name}"),
    )  # fmt: skip
    return typed.strip()


def _count_input(place: Any, label: str, name: str, *, lowest: int) -> int | None:
    count: int | None = place.number_input(
        label, lowest, 1_000_000, None, step=1, key=f"diagnose.log_{name}", persist_state="session",
        placeholder="not known", help=read("diagnose", f"import_{name}"),
    )  # fmt: skip
    return count


def _rate(typed: str) -> float | None:
    return forms.parsed_rate(typed) if typed else None


def _understood(log: Log, known: dict[str, Any]) -> None:
    """What was read and what it means: of several trainings, the one that is asked about."""
    epochs = _part(log)
    findings = diagnose(epochs, **{**known, "n_valid": known["n_valid"] or log.n_valid})
    left, right = st.columns([1.15, 1], gap="large")
    with left:
        spec = log_figure(epochs, look=page.current_look(), finding=findings[0], height=FIGURE_PX)
        count = counted(len(epochs), "epoch")
        alt = page.say("diagnose", "import_alt", epochs=count)
        st.echarts_chart(spec, key="diagnose.log_curve", height=FIGURE_PX, alt=alt)
    with right:
        for place, finding in enumerate(findings):
            finding_card.show(finding, key=f"diagnose.log_{place}")
    _as_read(log, epochs)


def _part(log: Log) -> pd.DataFrame:
    """The rows of the part that was chosen, or all of them; a verdict on several trainings at once means little."""
    if log.stages == 1:
        return log.epochs
    page.note(page.say("diagnose", "import_parts", count=log.stages))
    parts = {_ALL: log.epochs}
    for stage, rows in log.epochs.groupby("stage"):
        parts[f"Part {int(stage) + 1} ({counted(len(rows), 'epoch')})"] = rows.reset_index(drop=True)
    chosen = st.selectbox("Which part", list(parts), key="diagnose.log_part", label_visibility="collapsed")
    return parts.get(chosen or _ALL, log.epochs)  # a browser may still name a part of the log before this one


def _as_read(log: Log, epochs: pd.DataFrame) -> None:
    """The table in our names, what those columns are called in the log, and the lines that could not be used."""
    section = "import_read_table" if log.tool == "table" else "import_read"
    page.see(page.say("diagnose", section, tool=log.tool, epochs=counted(len(epochs), "epoch")))
    st.dataframe(
        shown(epochs), hide_index=True, width="stretch", key="diagnose.log_table",
        height="content" if len(epochs) <= TABLE_ROWS else 38 * TABLE_ROWS,
    )  # fmt: skip
    other = [f"{ours} is {theirs}" for ours, theirs in log.names if ours not in (theirs, "seconds")]
    if other:
        page.note(page.say("diagnose", "import_names", names=", ".join(other)))
    if log.skipped:
        with st.expander(page.say("diagnose", "import_skipped", count=counted(len(log.skipped), "thing"))):
            for sentence in log.skipped:
                page.note(esc(sentence))


def shown(epochs: pd.DataFrame) -> pd.DataFrame:
    """The table to read: empty where the log is empty, and words where a loss is no number.

    Its epochs are counted from 1, as in the verdict; the log's own count stands beside them where it is another one.
    """
    counts = [str(place) for place in range(1, len(epochs) + 1)]
    own = [f"{place:g}" for place in epochs["epoch"]]
    values = {name: [_cell(value) for value in epochs[name]] for name in epochs if name not in ("stage", "epoch")}
    return pd.DataFrame({"epoch": counts, **({} if own == counts else {"in the log": own}), **values})


def _cell(value: float | None) -> str:
    if value is None:
        return ""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    return f"{value:.6g}" if abs(value) < 1e6 else number(value)
