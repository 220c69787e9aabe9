"""What there is to see in a model's answers: rows of them in, one sentence with their numbers out."""

from __future__ import annotations

import pandas as pd

from core.plots.style import counted, share
from core.text import read
from core.ui import page
from core.ui.readings import Reading

SURE = 0.9  # at least so probable: then a wrong answer speaks against the label as much as against the model


def of_top(reading: Reading, shown: pd.DataFrame, order: str) -> str:
    """The sentence about the pictures that are shown, in one of the orders of `core.interpret.metrics`."""
    wrong = shown[shown["predicted"] != shown["label"]]
    count = counted(len(shown), "picture")
    if order == "right":
        return page.say("top_losses", "see_right", count=count, least=share(float(shown["p_predicted"].min())))
    if order == "unsure":
        return page.say("top_losses", "see_unsure", count=count, right=len(shown) - len(wrong), lead=_lead(shown))
    if not len(wrong):
        return page.say("top_losses", "see_none_wrong", count=count)
    sure = int((wrong["p_predicted"] >= SURE).sum())
    about = page.say("top_losses", "see_sure" if sure else "see_doubt", count=count, wrong=len(wrong), sure=sure,
                     share=share(SURE))  # fmt: skip
    return f"{about} {_pair(wrong)}".strip()


def _lead(shown: pd.DataFrame) -> str:
    return share(float(shown["certainty"].max()))


def _pair(wrong: pd.DataFrame) -> str:
    """The mistake that several of them share; "" where none is made twice."""
    pairs = wrong.groupby(["label", "predicted"], sort=False).size()
    if pairs.max() < 2:
        return ""
    label, predicted = pairs.idxmax()
    return page.say("top_losses", "see_pair", count=int(pairs.max()), label=label, predicted=predicted)


def tone(shown: pd.DataFrame, order: str) -> str:
    """The colour of that sentence: attention where the model is sure and wrong."""
    wrong = (shown["predicted"] != shown["label"]) & (shown["p_predicted"] >= SURE)
    return "attention" if order in ("loss", "wrong") and wrong.any() else ""


def about_exam(reading: Reading) -> None:
    """Say so where the model has learned from pictures that are in the exam now."""
    learned = reading.learned()
    if learned:
        page.note(page.say("confusion", "learned", pictures=counted(learned, "picture")))


def download(reading: Reading) -> str:
    """The link to the table of all answers."""
    return f'<a class="download quiet" href="/answers/{reading.run.id}.csv" download>{read("top_losses", "csv")}</a>'
