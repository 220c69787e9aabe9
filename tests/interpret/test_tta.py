"""Test-time augmentation: fastai's weights, the exam's own numbers before, one seed for the versions, honest luck."""

import contextlib

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import LabError, NotFound
from core.interpret import tta
from core.interpret.predictions import load_trained
from core.interpret.tta import Change, augment_of, averaged, change_of, load_table, probabilities, sign_test, table_of
from core.jobs.worker import work
from core.settings import Stage, TrainSettings, to_record
from core.train.runs import create_run, history, load_run
from tests.conftest import make_toy

TINY = TrainSettings(image_size=32, batch_size=8, stages=(Stage(epochs=2),))


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    dataset = make_toy(tmp_path_factory.mktemp("tta"))
    run = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(TINY)})
    list(work(run))
    return dataset, load_run(run.workspace, run.id)


def looked(trained, stop=None, **more):
    dataset, model = trained
    run = create_run(dataset.workspace, "tta", {"run": model.id, "dataset": dataset.id, "augment": "photos", **more})
    with contextlib.suppress(LabError):  # it is written into the run as well
        list(work(run, stop))
    return load_run(run.workspace, run.id)


def finished(steps):
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


def test_a_quarter_of_the_answer_is_the_plain_one_as_in_fastai():
    drawn = torch.Generator().manual_seed(0)
    plain, versions = torch.rand(5, 3, generator=drawn), torch.rand(4, 5, 3, generator=drawn)
    expected = torch.lerp(versions.mean(0), plain, 0.25)  # as fastai.learner.tta does it
    assert averaged(plain.numpy(), versions.numpy()) == pytest.approx(expected.numpy(), abs=1e-7)


def test_before_is_what_the_run_said_of_its_exam(trained):
    done = looked(trained)
    change, last = change_of(load_table(done)), history(trained[1]).epochs.iloc[-1]
    assert (change.wrong[0], change.of) == (last["wrong"], last["of"])
    assert change.loss[0] == pytest.approx(last["valid_loss"], rel=1e-4)
    reported = history(done).last("reported")
    assert reported.found == {"wrong": change.wrong[0], "wrong_after": change.wrong[1], "of": change.of}


def test_after_is_the_mean_of_what_the_model_says_of_the_versions(trained):
    dataset, run = trained
    model = load_trained(run)
    items = dataset.kept().query("split == 'valid'").reset_index(drop=True)
    plain, versions = finished(probabilities(model, dataset, list(items["file"]), augment="photos", stop=lambda: False))
    assert (
        versions.shape == (4, len(items), 3) and np.ptp(versions, axis=0).max() > 0.01
    )  # no version is another's twin
    assert plain.sum(1) == pytest.approx(np.ones(len(items))) and versions.sum(2) == pytest.approx(
        np.ones((4, len(items)))
    )
    expected = table_of(items, plain, 0.25 * plain + 0.75 * versions.mean(0), model.model.classes)
    found = load_table(looked(trained))
    assert list(found["item"]) == list(expected["item"]) and list(found["predicted_after"]) == list(
        expected["predicted_after"]
    )
    assert found["p_label_after"].to_numpy() == pytest.approx(expected["p_label_after"].to_numpy(), abs=1e-6)


def test_a_seed_gives_the_same_versions_and_another_gives_others(trained):
    dataset, run = trained
    files = list(dataset.kept()["file"][:3])
    one, two, other = (
        finished(probabilities(load_trained(run), dataset, files, augment="photos", seed=seed, stop=lambda: False))[1]
        for seed in (0, 0, 1)
    )
    assert np.array_equal(one, two) and not np.allclose(one, other)


def test_what_is_stopped_writes_nothing(trained):
    stopped = looked(trained, lambda: True)
    assert stopped.state == "stopped"
    with pytest.raises(NotFound, match="not looked at yet"):
        load_table(stopped)


@pytest.mark.parametrize("augment", ["none", "upside_down", 7])
def test_versions_that_do_not_exist_are_refused_in_words(trained, augment):
    failed = looked(trained, augment=augment)
    assert failed.state == "failed" and "There are no versions called" in failed.record["message"]


def test_a_model_is_looked_at_in_the_versions_it_was_trained_with():
    assert augment_of(TINY) == "photos"
    assert augment_of(TrainSettings(stages=(Stage(), Stage(augment="top_down")))) == "top_down"
    assert augment_of(TrainSettings(stages=(Stage(augment="top_down"), Stage()))) == "top_down"


def table(*rows):
    """Rows of (label, predicted, p_label, predicted after, p_label after)."""
    columns = ["label", "predicted", "p_label", "predicted_after", "p_label_after"]
    return pd.DataFrame(rows, columns=columns).assign(known=True, item="i", file="f")


def test_what_turned_is_counted():
    found = change_of(
        table(
            ("a", "a", 0.8, "a", 0.9), ("a", "b", 0.2, "a", 0.6), ("a", "a", 0.6, "b", 0.4), ("a", "b", 0.1, "b", 0.1)
        )
    )
    assert (found.wrong, found.of, found.mended, found.spoiled, found.luck) == ((2, 2), 4, 1, 1, 1.0)
    expected = [-np.log([0.8, 0.2, 0.6, 0.1]).mean(), -np.log([0.9, 0.6, 0.4, 0.1]).mean()]
    assert found.loss == pytest.approx(expected)
    moved = np.log([0.8, 0.2, 0.6, 0.1]) - np.log([0.9, 0.6, 0.4, 0.1])
    assert found.loss_error == pytest.approx(moved.std(ddof=1) / 2) and not found.clear and not found.loss_clear


def test_a_picture_of_a_class_that_the_model_does_not_know_does_not_count():
    both = table(("a", "a", 0.8, "a", 0.9), ("zebra", "a", 0.0, "a", 0.0))
    both["known"] = [True, False]
    assert change_of(both).of == 1 and np.isfinite(change_of(both).loss).all()
    with pytest.raises(NotFound, match="knows none of the classes"):
        change_of(both[~both["known"]])


@pytest.mark.parametrize(
    ("one", "other", "chance"),
    [(0, 0, 1.0), (1, 0, 1.0), (1, 1, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (10, 2, 0.03857421875)],
)
def test_luck_is_that_of_a_coin(one, other, chance):
    assert sign_test(one, other) == sign_test(other, one) == pytest.approx(chance)


@settings(deadline=None, max_examples=30)
@given(one=st.integers(0, 1500), other=st.integers(0, 1500))
def test_luck_is_a_chance_however_many_turned(one, other):
    assert 0 <= sign_test(one, other) <= 1


def test_six_of_six_are_more_than_luck_and_five_of_five_are_not():
    def change(mended):
        return Change(60, (10, 10 - mended), (0.5, 0.4), mended, 0, sign_test(mended, 0), 0.01)

    assert change(6).clear and not change(5).clear and change(5).loss_clear


def test_what_was_found_is_read_without_torch():
    import subprocess
    import sys

    code = "import sys, core.interpret.tta; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
    assert tta.KIND == "tta"
