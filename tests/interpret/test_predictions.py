"""One table of what a model says: worked by hand, the run's own error, the same cold and warm, stopped and finished."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.data.table import load_dataset
from core.errors import ModelError, SettingsError
from core.interpret.predictions import LOSS_UNKNOWN, answers, class_probs, load_trained, predicting, predictions
from core.settings import Stage, TrainSettings, to_record
from core.train.runs import append_event, create_run, history, load_run
from core.train.source import Stopped
from core.train.train_run import train_run
from core.workspace import Workspace
from tests.conftest import make_toy

TINY = TrainSettings(image_size=32, batch_size=16, device="cpu", precision="float32")
STAGES = {
    "frozen": (Stage(epochs=3),),
    "unfrozen": (Stage(epochs=1), Stage(epochs=1, lr=(1e-5, 1e-3), freeze_to=0, augment="photos")),
}


def trained_run(dataset, stages, **changes):
    settings = replace(TINY, stages=stages, **changes)
    run = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    for event in train_run(run, lambda: False):
        append_event(run, event)
    return run


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_toy(tmp_path_factory.mktemp("interpret"))


@pytest.fixture(scope="module")
def trained(dataset):
    return {name: trained_run(dataset, stages) for name, stages in STAGES.items()}


@pytest.fixture
def alone(dataset, trained, tmp_path):
    """The data set, and a run of each kind, in a home of its own."""
    shutil.copytree(dataset.workspace.home, tmp_path, dirs_exist_ok=True)
    workspace = Workspace(tmp_path)
    return load_dataset(workspace, dataset.id), {name: load_run(workspace, run.id) for name, run in trained.items()}


def rows_of(*labels):
    return pd.DataFrame({"item": list("123")[: len(labels)], "file": ["f"] * len(labels), "label": list(labels),
                         "split": ["train"] * len(labels)})  # fmt: skip


def test_the_table_by_hand():
    scores = np.log([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5], [0.1, 0.3, 0.6]]) + 5  # a constant changes nothing
    table = answers(rows_of("cat", "dog", "wolf"), scores, ("cat", "dog", "fox"))
    assert list(table.columns) == ["item", "file", "label", "split", "predicted", "p_predicted", "p_label", "known",
                                   "loss", "certainty", "log_sum", "p:cat", "p:dog", "p:fox"]  # fmt: skip
    assert list(table["predicted"]) == ["cat", "fox", "fox"]
    assert list(table["p_predicted"]) == pytest.approx([0.7, 0.5, 0.6])
    assert list(table["p_label"]) == pytest.approx([0.7, 0.25, 0.0])
    assert list(table["loss"]) == pytest.approx([-math.log(0.7), -math.log(0.25), LOSS_UNKNOWN])
    assert list(table["certainty"]) == pytest.approx([0.5, 0.25, 0.3])
    assert list(table["known"]) == [True, True, False]
    scores_again = np.log(table[["p:cat", "p:dog", "p:fox"]].to_numpy()) + table[["log_sum"]].to_numpy()
    assert scores_again == pytest.approx(scores)


def test_a_loss_stays_finite_where_a_probability_is_too_small_for_a_number():
    table = answers(rows_of("a"), np.array([[-2000.0, 0.0]]), ("a", "b"))
    assert list(table["p_label"]) == [0.0] and list(table["loss"]) == [2000.0]


def test_classes_and_probabilities_come_back_whatever_the_classes_are_called():
    classes = ("p:cat", "item", "ünïcode, with comma")
    table = answers(rows_of("item"), np.log([[0.2, 0.3, 0.5]]), classes)
    assert class_probs(table)[0] == classes
    assert class_probs(table)[1] == pytest.approx(np.array([[0.2, 0.3, 0.5]]))


@pytest.mark.parametrize("name", STAGES)
def test_the_validation_side_is_as_wrong_as_the_run_says(dataset, trained, name):
    table = predictions(trained[name], dataset)
    valid, last = table[table["split"] == "valid"], history(trained[name]).last("epoch")
    assert int((valid["predicted"] != valid["label"]).sum()) == last.wrong
    assert valid["loss"].mean() == pytest.approx(last.valid_loss, rel=1e-5)
    assert list(table["item"]) == list(dataset.kept()["item"])
    assert class_probs(table)[1].sum(axis=1) == pytest.approx(np.ones(len(table)))


def test_best_is_the_epoch_with_the_lowest_loss(dataset):
    run = trained_run(dataset, (Stage(epochs=2, lr=3e-3), Stage(epochs=2, lr=0.1, schedule="constant")))
    losses = history(run).epochs["valid_loss"]
    assert losses.idxmin() != losses.index[-1]
    for checkpoint, loss in (("best", losses.min()), ("last", losses.iloc[-1])):
        table = predictions(run, dataset, checkpoint=checkpoint)
        assert table.loc[table["split"] == "valid", "loss"].mean() == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("name", STAGES)
def test_cold_and_warm_give_the_same_table(dataset, trained, name):
    warm = predictions(trained[name], dataset)
    shutil.rmtree(dataset.workspace.cache)
    cold = predictions(trained[name], dataset)
    pd.testing.assert_frame_equal(cold, predictions(trained[name], dataset), check_exact=True)
    pd.testing.assert_frame_equal(cold, warm, rtol=1e-4)


def test_a_warm_table_opens_no_picture_and_a_changed_body_uses_no_kept_activation(alone):
    dataset, trained = alone
    runs = [trained[name] for name in STAGES]
    for run in runs:
        predictions(run, dataset)
    (dataset.path / "images").rename(dataset.path / "away")
    assert len(predictions(runs[0], dataset)) == 36
    with pytest.raises(Exception, match="missing or damaged"):
        predictions(runs[1], dataset)


def test_a_label_the_model_does_not_know_is_flagged(dataset, trained):
    items = dataset.kept()
    items.loc[0, "label"] = "blue"
    table = predictions(trained["frozen"], dataset, items=items)
    assert list(table["known"]) == [False] + [True] * 35
    assert table.loc[0, "p_label"] == 0.0 and table.loc[0, "loss"] == LOSS_UNKNOWN


def test_one_picture_under_two_labels_is_judged_twice_and_alike(dataset, trained):
    items = pd.concat([dataset.kept().iloc[[0]]] * 2, ignore_index=True)
    items.loc[1, "label"] = "g"
    table = predictions(trained["frozen"], dataset, items=items)
    assert table.loc[0, "p:r"] == table.loc[1, "p:r"] == table.loc[0, "p_label"] != table.loc[1, "p_label"]


def test_an_empty_table_gives_an_empty_table(dataset, trained):
    table = predictions(trained["frozen"], dataset, items=dataset.kept().iloc[:0])
    assert len(table) == 0 and "p:r" in table.columns


def test_a_stop_ends_the_pass_and_a_second_one_finishes_it(alone):
    dataset, run = alone[0], alone[1]["frozen"]
    whole = predictions(run, dataset)
    shutil.rmtree(dataset.workspace.cache)
    with pytest.raises(Stopped):
        predictions(run, dataset, stop=lambda: True)
    pd.testing.assert_frame_equal(predictions(run, dataset), whole, rtol=1e-4)


def test_it_says_how_far_it_is(alone):
    dataset, run = alone[0], alone[1]["unfrozen"]
    told = list(predicting(load_trained(run), dataset))
    assert {event.phase for event in told} == {"activations"}
    assert (told[-1].done, told[-1].total) == (36, 36)


def test_runs_without_a_model_are_told_in_words(dataset, trained):
    with pytest.raises(ModelError, match="trained no model"):
        predictions(create_run(dataset.workspace, "sample", {}), dataset)
    with pytest.raises(ModelError, match="no last.safetensors yet"):
        predictions(create_run(dataset.workspace, "train", {}), dataset)
    with pytest.raises(SettingsError, match="there are last, best"):
        predictions(trained["frozen"], dataset, checkpoint="first")
