"""The finder's rate for a run: the newest range test that fits it, and none where none does."""

from dataclasses import replace

import numpy as np
import pytest

from core.settings import Stage, TrainSettings, to_record
from core.train import runs
from core.train.events import CurveDone, History, RateFound, RatePoint, Started
from core.train.known_rates import as_trained, known_rates, recommended
from core.train.lr_finder import lr_ladder
from tests.conftest import make_toy


@pytest.fixture
def dataset(tmp_path):
    return make_toy(tmp_path)


def range_test(dataset, *, freeze_to=-1, backbone="lite0", start=None, done=True, bend=60):
    """A finished range test whose loss falls until step `bend` and then explodes."""
    settings = TrainSettings(stages=(Stage(freeze_to=freeze_to),), backbone=backbone)
    request = {"dataset": dataset.id, "settings": to_record(settings), "start": start}
    run = runs.create_run(dataset.workspace, "lr_find", request)
    losses = [2 - 1.5 / (1 + np.exp((bend - 15 - step) / 4)) + 0.02 * np.exp((step - bend) / 6) for step in range(100)]
    for step, (lr, loss) in enumerate(zip(lr_ladder(), losses, strict=True)):
        runs.append_event(run, RatePoint(step, step, float(lr), float(loss), float(loss)))
    if done:
        runs.append_event(run, CurveDone(100, 100, None))
    return run


def training(dataset, *stages, start=None, **more):
    request = {"dataset": dataset.id, "settings": to_record(TrainSettings(stages=stages, **more))}
    return runs.create_run(dataset.workspace, "train", request | ({"start": start} if start else {}))


def test_a_run_without_a_range_test_has_no_known_rate(dataset):
    assert known_rates(training(dataset, Stage())) == {}


def test_the_rate_is_the_recommended_one_of_the_same_layers(dataset):
    test = range_test(dataset)
    assert 1e-6 < recommended(test) < 1
    assert known_rates(training(dataset, Stage())) == {0: recommended(test)}
    assert known_rates(training(dataset, Stage(freeze_to=0))) == {}
    assert known_rates(training(dataset, Stage(), backbone="resnet18")) == {}


def test_a_test_of_a_trained_model_is_for_stages_that_go_on(dataset):
    given = {"run": "a" * 26, "file": "last.safetensors"}
    test = range_test(dataset, freeze_to=0, start=given)
    assert known_rates(training(dataset, Stage(), Stage(freeze_to=0))) == {1: recommended(test)}
    assert known_rates(training(dataset, Stage(freeze_to=0))) == {}
    assert known_rates(training(dataset, Stage(freeze_to=0), start=given)) == {0: recommended(test)}


def test_one_that_is_not_done_or_of_other_pictures_is_passed_over(dataset, tmp_path):
    range_test(dataset, done=False)
    other = make_toy(tmp_path, name="other", seed=5)
    range_test(other)
    assert known_rates(training(dataset, Stage())) == {}


def test_tests_that_were_read_already_are_not_read_again(dataset):
    test = range_test(dataset)
    assert known_rates(training(dataset, Stage()), []) == {}
    assert known_rates(training(dataset, Stage()), [test]) == {0: recommended(test)}


def test_a_test_of_another_version_of_the_pictures_does_not_count(dataset):
    run, test = training(dataset, Stage()), range_test(dataset)
    started = Started(0, dataset.id, dataset.version, dataset.classes, 27, 9, 4, 0.66, "cpu", "float32")
    said = History.of([started])
    assert known_rates(run, [test], said=said) == {0: recommended(test)}
    same = replace(test, record={**test.record, "request": {**test.request, "version": dataset.version}})
    other = replace(test, record={**test.record, "request": {**test.request, "version": "another"}})
    assert known_rates(run, [same], said=said) == {0: recommended(test)}
    assert known_rates(run, [other], said=said) == {}
    assert known_rates(run, [other, test], said=said) == {0: recommended(test)}


def between(stage, low, high):
    """What a range test between two stages says; its loss falls for 25 steps and then explodes."""
    lrs = tuple(float(lr) for lr in np.geomspace(1e-6, 0.1, 40))
    losses = tuple(2 - 1.5 / (1 + np.exp((15 - n) / 3)) + 0.02 * np.exp((n - 28) / 3) for n in range(40))
    return RateFound(0, stage, low, high, "Because.", lrs, losses, losses)


def test_a_test_that_the_run_made_itself_comes_first(dataset):
    test = range_test(dataset)
    stages = (Stage(find_lr=True), Stage(freeze_to=0, lr=(None, 3e-4), find_lr=True))
    run, said = training(dataset, *stages), History.of([between(0, None, 0.02), between(1, 1e-5, 3e-4)])
    found = known_rates(run, [test], said=said)
    assert found[0] == 0.02
    assert 1e-6 < found[1] < 0.1 and found[1] != 3e-4, "a high end that was given is no answer of the finder"


def test_a_run_is_judged_by_the_rates_that_it_really_used():
    settings = TrainSettings(stages=(Stage(find_lr=True), Stage(freeze_to=0, lr=(None, 3e-4), find_lr=True)))
    used = as_trained(settings, History.of([between(0, None, 0.02), between(1, 1e-5, 3e-4)]))
    assert [stage.lr for stage in used.stages] == [0.02, (1e-5, 3e-4)]
    assert as_trained(settings, History.of([])) == settings
