"""What a real model makes of a stored picture, by way of the process's warm models: shapes, ranges and what is kept."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from core.interpret.reading import load_activations, load_answers
from core.settings import Stage, TrainSettings, to_record
from core.train import runs
from core.ui import cache, evidence, models
from core.vision.blocks import BODIES
from tests.conftest import make_toy
from tests.ui.support import open_page, words

torch.set_num_threads(1)  # threads that wait for a busy core make small tests slow
SETTINGS = TrainSettings(stages=(Stage(epochs=2),), image_size=64, batch_size=16, device="cpu", precision="float32")


def performed(workspace, kind, request):
    """A run of this kind, done here and now."""
    run = runs.set_state(runs.set_state(runs.create_run(workspace, kind, request), "starting"), "running")
    for event in runs.perform(run, lambda: False):
        runs.append_event(run, event)
    return runs.set_state(run, "done", result={"wrong": 0, "of": 9})


@pytest.fixture
def trained(lab):
    """A data set and a model of it, trained on 64 pixels, with its answers and its inside."""
    evidence._warm.cache_clear()
    dataset = make_toy(lab.home)
    run = performed(lab.workspace, "train", {"dataset": dataset.id, "settings": to_record(SETTINGS)})
    model = models.find_model(lab.workspace, run.id)
    request = {"run": run.id, "dataset": dataset.id, "version": dataset.version, "saved_at": model.saved_at}
    read, _ = performed(lab.workspace, "read", request), performed(lab.workspace, "inside", request)
    return dataset, model, read


def test_a_real_model_gives_every_map_and_the_page_shows_them(trained):
    dataset, model, read = trained
    path = dataset.image_path(dataset.kept()["file"].iloc[3])
    look = evidence.seen(model, path, "r")
    assert (
        look.square.shape == (64, 64, 3) and look.heat.shape == (2, 2) and 0 <= look.heat.min() <= look.heat.max() <= 1
    )
    falls = evidence.falls(model, path, "r")
    assert falls.shape == (8, 8) and np.abs(falls).max() <= 1
    assert evidence.seen(model, path, "r") is look and evidence.falls(model, path, "r") is falls, "kept"
    names = [block.name for block in BODIES["lite0"]]
    answers = evidence.block_answers(model, path, names)
    assert [len(answers[block.name]) for block in BODIES["lite0"]] == [block.channels for block in BODIES["lite0"]]
    assert evidence.head_view(model, load_activations(read)).shape == (36, 512)
    jpeg = cache.predictors().heat(model, path.read_bytes(), "r")
    assert Image.open(io.BytesIO(jpeg)).size == (64, 64)
    for address in ({"cover": "1"}, {"show": "map", "view": "head"}, {"show": "inside"}):
        app = open_page("where_it_looks", **address)
        assert not app.exception and not app.error, words(app)


def test_the_heat_map_of_an_answer_is_that_of_its_class(trained):
    dataset, model, read = trained
    row = load_answers(read).iloc[0]
    picture = dataset.image_path(row["file"]).read_bytes()
    predictors = cache.predictors()
    assert predictors.heat(model, picture) == predictors.heat(model, picture, row["predicted"])
