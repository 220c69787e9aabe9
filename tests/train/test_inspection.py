"""The inspection: it finds what was planted, says how far it is, and warms the cache for the training that follows."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from core.data.events import Progress, Reported
from core.data.growth import extend
from core.data.quality import CHECKS, COLUMNS
from core.data.shelf import Picture
from core.data.store import publish
from core.data.table import create_empty, load_dataset
from core.errors import DataError, NotFound
from core.jobs.queue import LANES
from core.jobs.worker import work
from core.settings import ImportSettings, Stage, TrainSettings
from core.train import inspection
from core.train.inspection import load_issues
from core.train.learner import fit
from core.train.runs import create_run, load_run
from core.vision.features import FeatureStore
from core.workspace import Workspace
from tests.scenes import cropped, jpeg, lit, out_of_focus, scene

SIZE = (96, 72)


def inspected(dataset):
    run = create_run(dataset.workspace, "inspect", {"dataset": dataset.id})
    return run, list(work(run))


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    """Eight cats and eight dogs, with a copy, a dark one, a blurred one, and one cat that is called a dog as well."""
    pictures = [(("cat", "dog")[seed % 2], scene(seed, SIZE)) for seed in range(16)]
    pictures += [("cat", cropped(pictures[0][1])), ("cat", lit(scene(50, SIZE), 0.2)), ("dog", pictures[2][1])]
    pictures += [("dog", out_of_focus(scene(51, SIZE), 2.5))]
    stream = (Picture(jpeg(image), label, str(place)) for place, (label, image) in enumerate(pictures))
    workspace = Workspace(tmp_path_factory.mktemp("shots"))
    [*_, ready] = publish(workspace, stream, name="shots", settings=ImportSettings(), source="test", workers=1)
    dataset = load_dataset(workspace, ready.dataset)
    before = hashlib.sha256((dataset.path / "items.csv").read_bytes()).hexdigest()
    run, events = inspected(dataset)
    assert hashlib.sha256((dataset.path / "items.csv").read_bytes()).hexdigest() == before
    return dataset, run, events


def test_it_finds_what_was_planted_and_says_how_many(shots):
    dataset, run, events = shots
    issues = load_issues(run)
    assert tuple(issues.columns) == COLUMNS and issues["score"].between(0, 1).all()
    names = dataset.items().set_index("item")["original_name"]
    found = {check: sorted(names[rows["item"]]) for check, rows in issues.groupby("check")}
    assert found == {"exact": ["18", "2"], "near": ["0", "16"], "dark": ["17"], "blurry": ["19"]}
    *_, last = events
    assert isinstance(last, Reported) and last.what == "inspect" and last.notes == ()
    assert last.found == {**dict.fromkeys(CHECKS, 0), "exact": 2, "near": 2, "dark": 1, "blurry": 1}
    assert load_run(dataset.workspace, run.id).state == "done"


def test_it_says_how_far_it_is(shots):
    progress = [event for event in shots[2] if isinstance(event, Progress)]
    assert [event.phase for event in progress] == sorted((event.phase for event in progress), reverse=True)
    assert {event.phase for event in progress} <= {"looks", "activations"}
    assert progress[-1].phase == "activations" and progress[-1].done == progress[-1].total == 19


def test_the_training_that_follows_computes_no_activations(shots):
    dataset, *_ = shots
    settings = TrainSettings(stages=(Stage(epochs=1),))
    events = list(fit(dataset, settings))
    assert not [event for event in events if isinstance(event, Progress) and event.phase == "activations"]
    again, events = inspected(dataset)
    assert not [event for event in events if isinstance(event, Progress)] and len(load_issues(again)) == 6


def test_the_activations_are_in_the_order_of_the_looks(shots, monkeypatch):
    dataset, *_ = shots
    seen = []
    real = inspection.inspect
    monkeypatch.setattr(
        inspection, "inspect", lambda items, looks, rows: (seen.append((looks, rows)), real(items, looks, rows))[1]
    )
    inspected(dataset)
    [(looks, rows)] = seen
    [folder] = (dataset.workspace.cache / "features").iterdir()
    stored = FeatureStore(folder).load(list(looks.table["file"]))
    assert all(np.array_equal(stored[file], row) for file, row in zip(looks.table["file"], rows, strict=True))


def test_a_picture_that_is_lost_is_reported_and_stops_nothing(tmp_path):
    workspace = Workspace(tmp_path)
    stream = (Picture(jpeg(scene(seed, SIZE)), "ab"[seed % 2], str(seed)) for seed in range(6))
    [*_, ready] = publish(workspace, stream, name="x", settings=ImportSettings(), source="test", workers=1)
    dataset = load_dataset(workspace, ready.dataset)
    for pack in workspace.cache.rglob("*.npy"):
        pack.unlink()
    lost = dataset.kept().iloc[2]
    dataset.image_path(lost["file"]).unlink()
    run, _ = inspected(dataset)
    assert load_issues(run)[["check", "item"]].to_numpy().tolist() == [["unreadable", lost["item"]]]


def test_a_class_that_is_alone_can_be_inspected_and_a_set_without_pictures_cannot(tmp_path):
    workspace = Workspace(tmp_path)
    draft = create_empty(workspace, name="draft", settings=ImportSettings())
    run = create_run(workspace, "inspect", {"dataset": draft.id})
    with pytest.raises(DataError, match="no pictures yet"):
        list(work(run))
    assert load_run(workspace, run.id).state == "failed"
    with pytest.raises(NotFound):
        load_issues(run)
    list(extend(draft, iter([Picture(jpeg(scene(1, SIZE)), "cat", "1")]), source="test", words="one", workers=1))
    run, _ = inspected(draft)
    assert load_issues(run).empty


def test_a_stopped_inspection_writes_nothing(shots):
    dataset, *_ = shots
    run = create_run(dataset.workspace, "inspect", {"dataset": dataset.id})
    list(work(run, stop=lambda: True))
    assert load_run(dataset.workspace, run.id).state == "stopped" and not (run.path / "issues.csv").exists()


def test_it_waits_in_the_lane_of_training():
    assert LANES["inspect"] == "train"
