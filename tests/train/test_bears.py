"""Every recipe on the sample set, small: the good ones learn, and those that break are broken in their own way."""

import math

import pandas as pd
import pytest

from core.data.mistakes import mistake_path
from core.data.samples import make_sample
from core.data.table import Dataset, load_dataset
from core.settings import TrainSettings
from core.train.events import History
from core.train.learner import fit
from core.train.recipes import RECIPES, preset
from core.workspace import Workspace

PER_CLASS, VALID = 40, 24
SMALL = TrainSettings(image_size=128)
GUESSING = math.log(3)


@pytest.fixture(scope="module")
def bears(tmp_path_factory) -> Dataset:
    workspace = Workspace(tmp_path_factory.mktemp("bears"))
    for _ in make_sample(workspace, "bears", name="bears", per_class=PER_CLASS):
        pass
    return load_dataset(workspace, "bears")


def trained(bears: Dataset, name: str, **wishes) -> pd.DataFrame:
    mistakes = mistakes_of(bears) if name == "mistakes" else None
    history = History.of(fit(bears, preset(name, SMALL, **wishes), mistakes=mistakes))
    assert history.last("finished").state == "done"
    return history.epochs


def mistakes_of(bears: Dataset) -> pd.DataFrame:
    """Two training pictures, kept as if somebody had said that they were taken for something else."""
    rows = bears.kept().query("split == 'train'").iloc[[0, -1]]
    for sha in rows["file"]:
        path = mistake_path(bears, sha)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bears.image_path(sha).read_bytes())
    return rows


@pytest.mark.parametrize("name", [name for name, found in RECIPES.items() if not found.broken])
def test_a_recipe_that_is_not_broken_learns_the_bears(bears, name):
    found = RECIPES[name]
    epochs = trained(bears, name, epochs=None if found.epochs is None else min(2, found.epochs))
    assert epochs["wrong"].iloc[-1] <= VALID / 2, epochs["wrong"].tolist()  # guessing: 16 of 24


def test_a_rate_too_high_for_all_layers_ruins_them(bears):
    epochs = trained(bears, "too_high")
    assert epochs["wrong"].iloc[-1] >= VALID / 2 and epochs["valid_loss"].min() > 3 * GUESSING


def test_a_rate_too_low_hardly_moves(bears):
    epochs = trained(bears, "too_low")
    assert epochs["valid_loss"].iloc[-1] > GUESSING and epochs["wrong"].iloc[-1] > VALID / 2


def test_too_few_epochs_leave_a_training_loss_that_more_of_them_bring_down(bears):
    few, more = trained(bears, "too_few"), trained(bears, "too_few", epochs=6)
    assert len(few) == 1
    assert more["train_loss_eval"].iloc[-1] < 0.5 * few["train_loss_eval"].iloc[-1]


def test_too_many_epochs_over_few_pictures_make_it_too_sure(bears):
    epochs = trained(bears, "too_many")
    lowest = int(epochs["valid_loss"].idxmin())
    assert lowest < len(epochs) / 2 and epochs["valid_loss"].iloc[-1] > 1.1 * epochs["valid_loss"].iloc[lowest]
    assert epochs["train_loss"].tail(10).mean() < 0.1 * epochs["train_loss"].iloc[0]
