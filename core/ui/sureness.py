"""How sure it is: a model's answers in; whether it is as sure as it is right, and what "not sure" would buy, out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import streamlit as st

from core.interpret.calibration import Bin, Kept, calibration_error, kept_above, reliability, threshold_curve
from core.plots.calibration import reliability_figure, threshold_figure
from core.plots.style import counted, share
from core.text import read
from core.ui import answers, forms, page
from core.ui.readings import Reading

FIGURE_PX = 330
EVEN = 0.05  # a difference of sureness and share of right answers that is nothing to speak of


@dataclass(frozen=True)
class Sureness:
    """How sure a model was of each picture of the exam (n,), whether it was right (n,), and both in steps."""

    sure: np.ndarray
    right: np.ndarray
    bins: tuple[Bin, ...]
    curve: tuple[Kept, ...]


def sureness_of(reading: Reading) -> Sureness:
    """What the answers about the exam say about how sure the model is."""
    found: Sureness = reading.kept("sureness", lambda: _sureness(reading))
    return found


def _sureness(reading: Reading) -> Sureness:
    exam = reading.side("valid")
    sure, right = exam["p_predicted"].to_numpy(), (exam["predicted"] == exam["label"]).to_numpy()
    return Sureness(sure, right, reliability(sure, right), threshold_curve(sure, right))


def show(reading: Reading) -> None:
    """Two figures with a sentence each, and the threshold that can be taken along."""
    found = sureness_of(reading)
    if not len(found.sure):
        page.see(read("confusion", "no_exam"), "attention")
        return
    left, right = st.columns(2, gap="large")
    look = page.current_look()
    with left:
        page.see(_even(found), "attention" if _kind(found) == "too_sure" else "")
        st.echarts_chart(
            reliability_figure(found.bins, look), key="confusion.reliability", height=FIGURE_PX,
            alt="How often the model was right, for each step of how sure it was",
        )  # fmt: skip
        page.note(read("confusion", "bins_note"))
    with right:
        said = st.container()
        threshold = forms.threshold(answers.SURE, key="confusion.threshold")
        chosen = kept_above(found.sure, found.right, threshold)
        with said:
            page.see(_bought(found, chosen))
        st.echarts_chart(
            threshold_figure(found.curve, chosen, look), key="confusion.threshold_curve", height=FIGURE_PX - 72,
            alt="How many pictures get an answer and how many answers are wrong, over the threshold",
        )  # fmt: skip
        label = page.say("confusion", "carry", share=share(threshold))
        page.next_step(label, "predict", key="confusion.carry", kind="secondary", model=reading.model.id,
                       threshold=f"{threshold:.2f}")  # fmt: skip


def _even(found: Sureness) -> str:
    """Whether the model is too sure, not sure enough, or about right, with its numbers."""
    sure, right = float(found.sure.mean()), float(found.right.mean())
    return page.say(
        "confusion", _kind(found), sure=share(sure), right=share(right), count=counted(len(found.sure), "picture"),
        error=share(calibration_error(found.bins)),
    )  # fmt: skip


def _kind(found: Sureness) -> str:
    apart = float(found.sure.mean() - found.right.mean())
    return "even" if abs(apart) <= EVEN else "too_sure" if apart > 0 else "too_modest"


def _bought(found: Sureness, chosen: Kept) -> str:
    """What the threshold costs and buys, in pictures."""
    of, wrong = chosen.of, int((~found.right).sum())
    if not chosen.answered:
        return page.say("confusion", "bought_nothing", of=f"{of:,}")
    section = "bought" if chosen.answered < of else "bought_all"
    return page.say(
        "confusion", section, answered=f"{chosen.answered:,}", of=f"{of:,}", coverage=share(chosen.coverage),
        wrong=f"{chosen.wrong:,}", error=share(chosen.error), before=f"{wrong:,}", unsure=f"{of - chosen.answered:,}",
        saved=f"{wrong - chosen.wrong:,}",
    )  # fmt: skip
