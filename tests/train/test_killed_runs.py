"""A training run that is killed at random points and taken up again ends like one that nobody touched."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from core.settings import TrainSettings, to_record
from core.train import runs
from core.train.checkpoint import read_checkpoint
from core.train.recipes import preset
from tests.conftest import make_toy

ROOT = Path(__file__).parents[2]
CLOCK = ["seconds", "images_per_s"]


def trained(dataset, *points):
    """The standard recipe, killed whenever there are so many events."""
    settings = preset("standard", TrainSettings(image_size=32, batch_size=8), epochs=3)
    request = {"dataset": dataset.id, "settings": to_record(settings)}
    run = runs.create_run(dataset.workspace, "train", request)
    command = [sys.executable, "-m", "tests.train.kill_lab", str(dataset.workspace.home), run.id, *map(str, points)]
    subprocess.run(command, cwd=ROOT, check=True, timeout=250)
    return runs.load_run(run.workspace, run.id)


@pytest.mark.slow
def test_a_run_killed_at_five_random_points_ends_equal_to_one_that_was_not(tmp_path):
    dataset = make_toy(tmp_path)
    whole = trained(dataset)
    events = runs.history(whole).events
    rng = np.random.default_rng(20261125)
    points = sorted(rng.choice(np.arange(3, len(events) - 1), 5, replace=False).tolist())
    killed = trained(dataset, *points)
    assert whole.state == killed.state == "done" and len(runs.history(killed).all("started")) == 6
    ours, theirs = (runs.history(run).epochs.drop(columns=CLOCK) for run in (killed, whole))
    assert ours.equals(theirs)
    ours, theirs = ([(e.stage, e.moved) for e in runs.history(run).all("moved")] for run in (killed, whole))
    assert len(theirs) == 2 and dict(ours) == dict(theirs)
    for file in ("last.safetensors", "best.safetensors", "stage-0.safetensors", "stage-1.safetensors"):
        first, second = (read_checkpoint(run.path / file).tensors for run in (killed, whole))
        assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first), file
