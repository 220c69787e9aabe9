"""The pass over a data set as a run: what it writes is what the model says, and a stop leaves no half of it."""

import shutil

import numpy as np
import pandas as pd
import pytest

from core.data.events import Progress, Reported
from core.data.table import Dataset, load_dataset
from core.errors import DataError, NewerVersion, NotFound
from core.interpret.predictions import predictions
from core.interpret.reading import ANSWERS, KIND, load_activations, load_answers, perform, to_csv
from core.settings import Stage, TrainSettings, to_record
from core.train.runs import append_event, create_run
from core.train.train_run import train_run
from tests.conftest import make_toy
from tests.ui.answers import finish

TINY = TrainSettings(image_size=32, batch_size=16, device="cpu", precision="float32", stages=(Stage(epochs=2),))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return make_toy(tmp_path_factory.mktemp("reading"))


@pytest.fixture(scope="module")
def model(dataset):
    run = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(TINY)})
    for event in train_run(run, lambda: False):
        append_event(run, event)
    return run


def asked(dataset, model):
    return create_run(dataset.workspace, KIND, {"run": model.id, "dataset": dataset.id, "version": dataset.version})


def test_a_pass_writes_what_the_model_says_about_both_sides(dataset, model):
    run = asked(dataset, model)
    *told, last = list(perform(run, lambda: False))
    assert told[0].phase == "reading" and {type(event) for event in told} == {Progress}
    table = load_answers(run)
    pd.testing.assert_frame_equal(table, predictions(model, dataset), rtol=1e-6, check_dtype=False)
    assert set(table["split"]) == {"train", "valid"} and table["known"].dtype == bool
    assert isinstance(last, Reported)
    valid = table[table["split"] == "valid"]
    assert last.found == {"pictures": 36, "wrong": int((valid["predicted"] != valid["label"]).sum()), "of": 9}


def test_activations_are_those_from_which_the_head_gives_the_scores(dataset, model):
    import torch

    from core.interpret.predictions import head_scores, load_trained

    run = asked(dataset, model)
    list(perform(run, lambda: False))
    kept, table = load_activations(run), load_answers(run)
    trained = load_trained(model)
    assert kept.dtype == np.float16 and kept.shape == (36, 2 * trained.model.backbone.features)
    scores = head_scores(trained.model, torch.from_numpy(np.array(kept, dtype=np.float32)))
    mine = np.log(table[[f"p:{label}" for label in "bgr"]].to_numpy()) + table[["log_sum"]].to_numpy()
    assert scores == pytest.approx(mine, abs=0.02)


def test_a_pass_that_is_stopped_writes_nothing_and_a_second_one_everything(dataset, model):
    shutil.rmtree(dataset.workspace.cache)
    run = asked(dataset, model)
    assert not any(isinstance(event, Reported) for event in perform(run, lambda: True))
    for load in (load_answers, load_activations):
        with pytest.raises(NotFound, match="not been asked yet"):
            load(run)
    assert any(isinstance(event, Reported) for event in perform(run, lambda: False))
    assert len(load_answers(run)) == len(load_activations(run)) == 36


def test_a_data_set_without_pictures_is_told_in_words(dataset, model, monkeypatch):
    monkeypatch.setattr(Dataset, "kept", lambda self: self.items().iloc[:0])
    with pytest.raises(DataError, match="no pictures any more"):
        list(perform(asked(dataset, model), lambda: False))


def test_names_that_look_like_numbers_or_nothing_come_back_as_they_were(tmp_path):
    dataset = make_toy(tmp_path)
    items = dataset.kept().assign(label=["1", "nan", "", "007"] * 9)
    run = asked(dataset, asked_model := create_run(dataset.workspace, "train", {}))
    from core.interpret.predictions import answers

    classes = ("nan", "007", 'a "quoted", name', "p:x")
    table = answers(items, np.random.default_rng(0).normal(size=(36, 4)), classes)
    (run.path / ANSWERS).write_text(to_csv(table), encoding="utf-8")
    pd.testing.assert_frame_equal(load_answers(run), table, rtol=1e-6, check_dtype=False)
    assert asked_model.id != run.id


def test_answers_of_a_newer_version_are_refused_in_words(tmp_path):
    dataset = make_toy(tmp_path)
    run = asked(dataset, create_run(dataset.workspace, "train", {}))
    finish(run, load_dataset(dataset.workspace, dataset.id))
    text = (run.path / ANSWERS).read_text(encoding="utf-8")
    (run.path / ANSWERS).write_text(text.replace("schema 1", "schema 99", 1), encoding="utf-8")
    with pytest.raises(NewerVersion):
        load_answers(run)
