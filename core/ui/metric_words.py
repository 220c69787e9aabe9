"""What the numbers are: a model's answers in; its metrics, and one picture worked through step by step, out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from core.diagnose.curves import noise_of
from core.interpret.metrics import accuracy, error_rate, log_loss, sharpened, top_losses
from core.plots.style import counted, esc, number, share, sureness
from core.text import read
from core.ui import page, state
from core.ui.gallery import inline, thumb_url
from core.ui.readings import Reading

SHOWN = 6  # classes of one picture
FACTORS = (0.5, 1.0, 2.0)
LEAST_LOG = math.log(np.finfo(float).tiny)


@dataclass(frozen=True)
class Measured:
    """The exam in numbers. `losses` has the log loss for each of FACTORS; `known` pictures have a class it knows."""

    right: int
    of: int
    known: int
    losses: tuple[float, ...]


def measured(reading: Reading) -> Measured:
    """The numbers of the exam."""
    found: Measured = reading.kept("measured", lambda: _measured(reading))
    return found


def _measured(reading: Reading) -> Measured:
    exam = reading.side("valid")
    known = exam[exam["known"]]
    logs = np.log(np.maximum(known[[f"p:{label}" for label in reading.classes]].to_numpy(dtype=float), 1e-300))
    own = [reading.classes.index(label) for label in known["label"]]
    losses = tuple(_loss(sharpened(logs, factor), own) for factor in FACTORS)
    return Measured(int((exam["predicted"] == exam["label"]).sum()), len(exam), len(known), losses)


def _loss(logs: np.ndarray, own: Sequence[int]) -> float:
    return log_loss(np.exp(logs[np.arange(len(own)), list(own)])) if len(own) else float("nan")


def show(reading: Reading) -> None:
    """The error rate with its luck, one picture worked through, and the log loss."""
    found = measured(reading)
    if not found.of:
        page.see(read("confusion", "no_exam"), "attention")
        return
    wrong = found.of - found.right
    page.see(page.say("confusion", "error", right=f"{found.right:,}", of=f"{found.of:,}", wrong=f"{wrong:,}",
                      accuracy=share(found.right / found.of), error=share(wrong / found.of)))  # fmt: skip
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        _worked(reading)
    with right:
        _luck(found)
        _log_loss(reading, found)
    with st.expander(read("confusion", "functions"), icon=":material/code:"):
        st.code(
            "\n\n".join(page.source_of(function) for function in (accuracy, error_rate, log_loss)), language="python"
        )


def _luck(found: Measured) -> None:
    """Between which error rates the model may really lie, by luck of the draw."""
    error = 1 - found.right / found.of
    noise = noise_of(error, found.of)
    page.note(page.say(
        "confusion", "luck", of=counted(found.of, "picture"), error=share(error), low=share(max(0.0, error - noise)),
        high=share(min(1.0, error + noise)), least=math.ceil(noise * found.of),
    ))  # fmt: skip


def _log_loss(reading: Reading, found: Measured) -> None:
    """The mean loss, and what it would be if the same answers were given more or less surely."""
    if not found.known:
        page.note(read("confusion", "loss_unknown"))
        return
    classes, wrong = len(reading.classes), found.of - found.right
    page.note(
        page.say("confusion", "loss", loss=number(found.losses[1]), classes=classes, blind=number(math.log(classes)))
    )
    rows = "".join(
        f"<tr><th>{read('confusion', f'factor_{place}')}</th><td>{wrong:,} of {found.of:,}</td>"
        f"<td>{esc(number(loss))}</td></tr>"
        for place, loss in enumerate(found.losses)
    )
    head = "".join(f"<th>{read('confusion', f'factor_{name}')}</th>" for name in ("model", "wrong", "loss"))
    st.html(f'<div class="read-scores"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>')
    page.note(page.say("confusion", _lesson(found), wrong=f"{wrong:,}"))
    if found.known < found.of:
        page.note(page.say("confusion", "loss_some", pictures=counted(found.of - found.known, "picture")))


def _lesson(found: Measured) -> str:
    """Which of the three models the log loss prefers."""
    return ("loss_less", "loss_fits", "loss_more")[int(np.argmin(found.losses))]


def _worked(reading: Reading) -> None:
    """One real picture, from its scores to right or wrong and its loss."""
    exam = reading.kept("by_loss", lambda: top_losses(reading.side("valid"), len(reading.table)))
    with st.container(key="card-worked"):
        left, right = st.columns([1, 2.3], vertical_alignment="top")
        with left:
            row = exam.iloc[_place(len(exam)) - 1]
            st.html(_picture(reading, row))
        with right:
            st.html(_scores(reading, row))
        st.html(_steps(row))


def _place(count: int) -> int:
    """The place of the picture among those of the exam, by loss, from 1; it stands in the address."""
    wanted, key = state.from_address("row") or "1", f"confusion.row.{count}"
    place = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 7 else 1
    if st.session_state.get(key) != min(count, max(1, place)):
        st.session_state[key] = min(count, max(1, place))
    title = page.say("confusion", "which", count=f"{count:,}")
    return int(st.number_input(title, 1, count, key=key,
                               on_change=lambda: state.to_address("row", str(st.session_state[key]))))  # fmt: skip


def _picture(reading: Reading, row: pd.Series) -> str:
    name = reading.names.get(row["item"], "")
    source = thumb_url(row["file"], reading.dataset.id)
    return f'<figure class="mistake"><img src="{source}" alt="{esc(name)}" title="{esc(name)}"></figure>'


def _scores(reading: Reading, row: pd.Series) -> str:
    """The classes with score, e to the score and probability: the likeliest few, and the one on the label."""
    probs = {label: float(row[f"p:{label}"]) for label in reading.classes}
    shown = sorted(probs, key=lambda label: -probs[label])[:SHOWN]
    if row["label"] in probs and row["label"] not in shown:
        shown.append(row["label"])
    rows = "".join(_score_row(label, probs[label], row) for label in shown)
    hidden = len(probs) - len(shown)
    more = f'<p class="note">{page.say("confusion", "more_classes", count=hidden)}</p>' if hidden else ""
    head = "".join(f"<th>{read('confusion', f'worked_{name}')}</th>" for name in ("class", "score", "raised", "share"))
    return f'<div class="read-scores"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}</div>'


def _score_row(label: str, prob: float, row: pd.Series) -> str:
    score = math.log(prob) + row["log_sum"] if prob > 0 else LEAST_LOG + row["log_sum"]
    raised = number(math.exp(score)) if score < 100 else "beyond a trillion"
    marks = [read("confusion", f"mark_{name}") for name in ("predicted", "label") if row[name] == label]
    name = f"<a>{esc(label)}</a>" + "".join(f" <small>{mark}</small>" for mark in marks)
    return f"<tr><th>{name}</th><td>{score:.2f}</td><td>{esc(raised)}</td><td>{esc(sureness(prob))}</td></tr>"


def _prob(value: float) -> str:
    """A probability as the number whose logarithm is taken."""
    return number(value) if value >= 1e-4 else "less than 0.0001"


def _steps(row: pd.Series) -> str:
    """What becomes of the scores, in four steps with their numbers."""
    right = row["predicted"] == row["label"]
    steps = [
        page.say("confusion", "step_softmax", total=number(math.exp(min(700.0, row["log_sum"])))),
        page.say("confusion", "step_argmax", predicted=row["predicted"], share=sureness(row["p_predicted"])),
        page.say("confusion", "step_right" if right else "step_wrong", label=row["label"]),
        page.say("confusion", "step_loss", prob=_prob(row["p_label"]), loss=number(row["loss"])) if row["known"]
        else page.say("confusion", "step_no_loss", label=row["label"]),
    ]  # fmt: skip
    return f'<ol class="read-steps">{"".join(f"<li>{inline(step)}</li>" for step in steps)}</ol>'
