"""What tests of the cleaner share: a trained model and what a search with it found, without torch."""

import numpy as np
import pandas as pd

from core.data.events import Reported
from core.interpret.suspects import COLUMNS, FILE, to_csv
from core.train import runs
from tests.ui.support import training_run


def table_of(dataset, *, twins=()):
    """Suspects of a data set: the further back a picture stands in its table, the less odd it is.

    The model takes every picture for the class after its own; `twins` are pairs of items that are copies.
    """
    items = dataset.kept()
    classes = sorted(items["label"].unique())
    other = {label: classes[(place + 1) % len(classes)] for place, label in enumerate(classes)}
    odd = np.linspace(1.0, 0.0, len(items))
    p_label = 0.05 + 0.9 * (1 - odd)
    guess = np.where(p_label < 0.5, items["label"].map(other), items["label"])
    group = dict.fromkeys(items["item"], -1) | {item: number for number, pair in enumerate(twins) for item in pair}
    table = items[["item", "file", "label", "split"]].assign(
        predicted=guess,
        second=np.where(p_label < 0.5, items["label"], items["label"].map(other)),
        fold_guess=guess,
        p_predicted=np.maximum(p_label, 1 - p_label),
        p_second=np.minimum(p_label, 1 - p_label),
        p_label=p_label,
        loss=-np.log(p_label),
        certainty=np.abs(1 - 2 * p_label),
        fold_p_guess=np.maximum(p_label, 1 - p_label),
        fold_p_label=p_label,
        doubt=odd,
        known=True,
        label_error=p_label < 0.2,
        group=[group[item] for item in items["item"]],
    )
    return pd.DataFrame(table)[list(COLUMNS)]


def search_run(model, dataset, *, state="done", against=None, counts=None, **how):
    """A search on disk that has got as far as `state`."""
    request = {"run": model.id, "dataset": dataset.id, "against": against, "version": dataset.version}
    run = runs.create_run(dataset.workspace, "suspects", request)
    if state == "queued":
        return run
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    if state == "running":
        return run
    if state == "done":
        (run.path / FILE).write_text(to_csv(table_of(dataset, **how)), encoding="utf-8")
        runs.append_event(run, Reported(0, "suspects", counts or {"after_wrong": 1, "of": 9}, ()))
    message = "It ran out of memory." if state == "failed" else None
    return runs.set_state(run, state, message=message, hint="Try again." if message else None)


def searched(dataset, **how):
    """A model that is trained on a data set, and a search with it that is done."""
    model = training_run(dataset)
    return model, search_run(model, dataset, **how)
