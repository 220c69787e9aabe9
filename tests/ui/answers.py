"""What tests of the pages about a model share: a trained model and its answers about every picture, without torch."""

import numpy as np

from core.data.events import Reported
from core.interpret.predictions import answers
from core.interpret.reading import ACTIVATIONS, ANSWERS, KIND, to_csv
from core.train import runs
from tests.ui.support import training_run


def scores_of(items, classes, seed=0):
    """Scores (n, classes): every third picture is taken for the class after its own; all of them are different."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(len(items), len(classes)))
    for row, label in enumerate(items["label"]):
        if label in classes:
            scores[row, (classes.index(label) + (row % 3 == 0)) % len(classes)] += 3.0
    return scores


def reading_run(model, dataset, *, state="done", scores=None, classes=None, message=None):
    """A pass of a model over a data set that has got as far as `state`."""
    saved_at = (model.path / "last.safetensors").stat().st_mtime
    request = {"run": model.id, "dataset": dataset.id, "version": dataset.version, "saved_at": saved_at}
    run = runs.create_run(dataset.workspace, KIND, request)
    if state == "queued":
        return run
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    if state == "running":
        return run
    if state == "done":
        finish(run, dataset, scores=scores, classes=classes)
    return runs.set_state(run, state, message=message, hint="Try again." if message else None)


def finish(run, dataset, *, scores=None, classes=None):
    """Write down what a pass writes."""
    items, classes = dataset.kept(), classes or dataset.classes
    table = answers(items, scores_of(items, classes) if scores is None else scores, tuple(classes))
    np.save(run.path / ACTIVATIONS, np.zeros((len(items), 4), dtype=np.float16))
    (run.path / ANSWERS).write_text(to_csv(table), encoding="utf-8")
    runs.append_event(run, Reported(0, KIND, {"pictures": len(items), "wrong": 1, "of": 9}, ()))


def read(dataset, **how):
    """A model that was trained on a data set, and the pass over it that is done."""
    model = training_run(dataset)
    return model, reading_run(model, dataset, **how)
