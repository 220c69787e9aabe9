"""The promise on drawn bears: of the labels made wrong on purpose, nearly all are among the first suspects."""

import numpy as np
import pytest

from core.data.practice import answer_key
from core.data.samples import make_sample
from core.data.samples.gallery import wrong_labels
from core.data.table import load_dataset
from core.interpret.activations import published_activations
from core.interpret.folds import out_of_fold
from core.interpret.label_errors import find_label_errors
from core.interpret.orders import ORDERS
from core.interpret.suspects import load_suspects, perform
from core.settings import TrainSettings, to_record
from core.train.runs import create_run
from core.train.train_run import train_run
from core.vision.device import pick_device
from core.workspace import Workspace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bears(tmp_path_factory):
    """120 scenes, 96 to learn from, 10 of those mislabelled."""
    workspace = Workspace(tmp_path_factory.mktemp("noise"))
    ready = list(make_sample(workspace, "bears", name="noisy", per_class=40, noise=0.1, seed=1))[-1]
    return load_dataset(workspace, ready.dataset)


def test_nine_of_ten_wrong_labels_are_among_the_first_suspects(bears):
    model = create_run(bears.workspace, "train", {"dataset": bears.id, "settings": to_record(TrainSettings())})
    list(train_run(model, lambda: False))
    run = create_run(bears.workspace, "suspects", {"run": model.id, "dataset": bears.id})
    list(perform(run, lambda: False))
    key = answer_key(bears)
    ordered = ORDERS["label_error"](load_suspects(run))
    true = ordered["item"].map(key)
    wrong = ordered["label"] != true
    assert wrong.sum() == 10
    first = ordered.head(2 * 10)
    assert wrong[first.index].sum() >= 9
    found = first[wrong[first.index]]
    assert (found["suggested"] == true[found.index]).mean() >= 0.9


def test_it_does_not_hang_on_which_labels_are_wrong(bears):
    items, key, device = bears.kept(), answer_key(bears), pick_device()
    steps = published_activations("lite0", bears, items, size=224, device=device)
    features = finish(steps).numpy()
    true = [key[item] for item in items["item"]]
    classes, shares = sorted(set(true)), []
    for seed in range(8):
        given = wrong_labels(true, list(items["split"]), classes, noise=0.1, biased_noise=0.0, seed=seed)
        labels = np.array([classes.index(label) for label in given])
        wrong = np.array(given) != np.array(true)
        order = find_label_errors(out_of_fold(features, labels, classes=3), labels).order
        shares.append(wrong[order[: 2 * wrong.sum()]].sum() / wrong.sum())
    assert min(shares) >= 0.7 and np.mean(shares) >= 0.9


def finish(steps):
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value
