"""Experiments about data: what is changed and what never is, and that they are done as runs like any other."""

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.diagnose import experimenting
from core.diagnose.experimenting import points_of
from core.diagnose.experiments import BALANCE_OF, EXPERIMENTS, THIN_MIN, Setup
from core.errors import SettingsError, TrainError
from core.jobs import worker
from core.settings import Stage, TrainSettings, to_record
from core.train import runs
from core.train.events import EpochDone, Finished, Note, from_record
from core.train.events import to_record as event_record
from core.train.experiment_point import ExperimentPoint
from core.train.sampling import share_of
from tests.conftest import make_toy

QUICK = TrainSettings(image_size=32, batch_size=16, stages=(Stage(epochs=1),))
FEW = replace(EXPERIMENTS["size"], values=(0.5, 1.0), seeds=(0, 1))


def table(**counts):
    """Training pictures of each class, and half as many (at least one) for validation."""
    rows = [
        (f"{label}{side}{number}", label, side)
        for label, count in counts.items()
        for side, many in (("train", count), ("valid", max(1, count // 2)))
        for number in range(many)
    ]
    return pd.DataFrame(rows, columns=["file", "label", "split"]).sample(frac=1, random_state=0, ignore_index=True)


def valid(items):
    return items[items["split"] == "valid"]


def trained(items):
    return items[items["split"] == "train"]


def change(name, items, group, value, seed=0):
    """What a training with this setup learns from: the table as it was changed, and the share of it."""
    changed = EXPERIMENTS[name].change(items, Setup(group, value, seed))
    return replace(changed, items=share_of(changed.items, changed.share, seed))


def wrong_rows(before, after):
    """The rows whose label is not the one from before."""
    return after[after["label"] != before.loc[after.index, "label"]]


SETUPS = [(name, setup) for name, experiment in EXPERIMENTS.items() for setup in experiment.setups]
TABLES = st.dictionaries(st.sampled_from("abcde"), st.integers(1, 30), min_size=2)


@given(TABLES, st.sampled_from(SETUPS))
@settings(max_examples=80, deadline=None)
def test_no_experiment_touches_validation_or_loses_a_class_and_each_is_drawn_by_its_seed_alone(counts, drawn):
    name, setup = drawn
    items = table(**counts)
    original = items.copy()
    if name == "balance" and max(counts.values()) <= THIN_MIN:
        with pytest.raises(TrainError, match="to be thinned, it needs at least 3"):
            EXPERIMENTS[name].change(items, setup)
        return
    once, twice = (EXPERIMENTS[name].change(items, setup) for _ in range(2))
    pd.testing.assert_frame_equal(once.items, twice.items)
    pd.testing.assert_frame_equal(items, original)
    pd.testing.assert_frame_equal(valid(once.items), valid(items))
    assert set(trained(once.items)["label"]) == set(counts)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_smaller_share_lies_inside_every_larger_one_and_keeps_the_mix_of_classes(seed):
    items = table(cat=40, dog=20)
    shares = [trained(change("size", items, "", value, seed).items) for value in EXPERIMENTS["size"].values]
    for less, more in zip(shares, shares[1:], strict=False):
        assert set(less["file"]) < set(more["file"])
    assert [tuple(some["label"].value_counts()[["cat", "dog"]]) for some in shares] == [
        (4, 2), (10, 5), (20, 10), (40, 20),
    ]  # fmt: skip


def test_the_seed_decides_which_pictures():
    items = table(cat=40, dog=20)
    for name, group, value in (("size", "", 0.25), ("noise", "random", 0.2), ("noise", "biased", 0.2)):
        assert not change(name, items, group, value, 0).items.equals(change(name, items, group, value, 1).items)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_exactly_so_many_labels_are_wrong_and_more_noise_has_those_of_less(seed):
    items, before = table(cat=50, dog=30, fox=20), set()
    for value in EXPERIMENTS["noise"].values:
        changed = change("noise", items, "random", value, seed)
        wrong = wrong_rows(items, changed.items)
        assert changed.changed == len(wrong) == round(100 * value)
        assert before <= set(wrong["file"])
        before = set(wrong["file"])
    assert {"cat", "dog", "fox"} == set(wrong["label"])


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_biased_noise_is_one_class_called_one_other_and_as_many_as_there_are(seed):
    items = table(cat=36, dog=34, fox=30)
    for value in EXPERIMENTS["noise"].values:
        changed = change("noise", items, "biased", value, seed)
        wrong = wrong_rows(items, changed.items)
        assert changed.changed == len(wrong) == min(round(100 * value), 35)
        assert changed.classes == ("cat", "dog") and set(wrong["label"]) <= {"dog"}
        assert set(items.loc[wrong.index, "label"]) <= {"cat"}


@pytest.mark.parametrize(("most", "kept"), [(100, 10), (30, 3), (12, 2), (3, 2)])
def test_the_largest_class_is_thinned_to_a_tenth_and_at_least_two(most, kept):
    items = table(ant=3, bee=most)
    changed = change("balance", items, "weighted", 0.1)
    thin = "bee" if most > 3 else "ant"
    assert (changed.changed, changed.classes) == (kept, (thin,))
    assert trained(changed.items)["label"].value_counts()[thin] == kept
    assert len(trained(items)) - len(trained(changed.items)) == most - kept


def test_all_three_ways_learn_from_the_same_thinned_pictures():
    items = table(cat=40, dog=20)
    first, *others = (change("balance", items, group, 0.1, seed=2).items for group in BALANCE_OF)
    assert all(first.equals(other) for other in others)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_one_class_is_refused_in_a_sentence(name):
    with pytest.raises(TrainError, match="of 1 class; an experiment needs at least 2"):
        EXPERIMENTS[name].change(table(cat=9), EXPERIMENTS[name].setups[0])


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_says_what_it_is_about_and_names_each_training_once(name):
    experiment = EXPERIMENTS[name]
    assert experiment.name == name and experiment.title.endswith("?") and "%" in experiment.axis
    assert len(set(experiment.setups)) == len(experiment.setups)
    assert len(experiment.setups) == len(experiment.groups) * len(experiment.values) * len(experiment.seeds)
    assert len(experiment.seeds) == 3


def point(**changes):
    known = {"seq": 0, "group": "random", "value": 0.1, "seed": 1, "wrong": 3, "of": 9, "error_rate": 1 / 3}
    return ExperimentPoint(**{**known, "valid_loss": 0.5, "thin_recall": None, **changes})


@pytest.mark.parametrize("one", [point(), point(thin_recall=0.25, classes=("a", "b"), thin_of=4, changed=2, train=27)])
def test_a_point_can_be_written_and_read_back(one):
    assert from_record(event_record(one)) == one


def only_points(events):
    return [event for event in events if isinstance(event, ExperimentPoint)]


def test_the_same_seeds_give_the_same_points_and_what_is_done_is_skipped(toy):
    points = only_points(points_of(toy, QUICK, FEW))
    assert [(one.value, one.seed, one.train) for one in points] == [
        (0.5, 0, 12), (1.0, 0, 27), (0.5, 1, 12), (1.0, 1, 27),
    ]  # fmt: skip
    assert all(one.of == 9 and one.wrong == round(9 * one.error_rate) and one.thin_recall is None for one in points)
    assert only_points(points_of(toy, QUICK, FEW, done=points[:1] + points[2:])) == points[1:2]
    assert len({one.valid_loss for one in points}) == 4, "each is a training of its own"


def test_a_training_on_all_pictures_is_the_training_that_everybody_does(toy):
    from core.train.learner import fit

    [one] = only_points(points_of(toy, QUICK, replace(FEW, values=(1.0,), seeds=(1,))))
    usual = [event for event in fit(toy, replace(QUICK, seed=1)) if isinstance(event, EpochDone)][-1]
    assert (one.wrong, one.valid_loss) == (usual.wrong, usual.valid_loss)


def test_how_much_of_the_thinned_class_was_recognised_is_what_the_exam_says(toy, monkeypatch):
    exams, real = [], experimenting.scores
    monkeypatch.setattr(experimenting, "scores", lambda *args, **more: exams.append(real(*args, **more)) or exams[-1])
    thin = replace(EXPERIMENTS["balance"], seeds=(0,))
    points = only_points(points_of(toy, replace(QUICK, stages=(Stage(epochs=4, lr=3e-2),)), thin))
    assert [one.group for one in points] == list(BALANCE_OF)
    for one, exam in zip(points, exams, strict=True):
        assert (one.classes, one.changed, one.thin_of, one.train) == (("b",), 2, 3, 20)
        assert one.thin_recall == int((exam.argmax(1) == 0).sum()) / 3  # "b" is the first of b, g, r
        assert 3 * (1 - one.thin_recall) <= one.wrong, "the thinned class cannot have more mistakes than the exam"
    assert len({one.valid_loss for one in points}) == 3, "weights and oversampling did something"


def test_a_stop_ends_it_between_trainings_and_inside_one(toy):
    stream, asked = points_of(toy, QUICK, FEW, stop=lambda: bool(seen)), 0
    seen = []
    for event in stream:
        if isinstance(event, ExperimentPoint):
            seen.append(event)
    assert len(seen) == 1

    def soon():
        nonlocal asked
        asked += 1
        return asked > 1  # the first question comes before the training

    assert only_points(points_of(toy, QUICK, FEW, stop=soon)) == []


@pytest.mark.parametrize(
    "stage", [Stage(freeze_to=0), Stage(augment="photos"), Stage(mixup=0.4), Stage(data="mistakes")]
)
def test_settings_that_would_take_hours_are_refused(toy, stage):
    with pytest.raises(SettingsError, match="trains the head alone"):
        list(points_of(toy, replace(QUICK, stages=(stage,)), FEW))
    with pytest.raises(SettingsError, match="one stage"):
        list(points_of(toy, replace(QUICK, stages=(Stage(), Stage())), FEW))


def test_a_training_that_breaks_off_has_a_note_and_no_point(toy, monkeypatch):
    monkeypatch.setattr(
        experimenting, "fit", lambda *args, **more: iter([Finished(0, "diverged", None, None, None, 1.0)])
    )
    events = list(points_of(toy, QUICK, replace(FEW, seeds=(0,))))
    assert [type(event) for event in events] == [Note, Note]
    assert "at 50 % with seed 0 broke off" in events[0].text


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setattr(experimenting, "EXPERIMENTS", {"size": FEW})
    return make_toy(tmp_path, classes=2)


def asked_of(dataset, **changes):
    request = {"dataset": dataset.id, "dataset_name": dataset.name, "experiment": "size", "settings": to_record(QUICK)}
    return runs.create_run(dataset.workspace, "experiment", {**request, **changes})


def test_a_run_says_how_far_it_is_and_ends_with_sentences(own):
    run = asked_of(own)
    events = list(worker.work(run))
    progress = [
        (event.done, event.total) for event in events if event.kind == "progress" and event.phase == "experiment"
    ]
    assert progress == [(done, 4) for done in range(5)]
    assert events[-1].found == {"points": 4, "of": 4} and events[-1].notes[0].startswith("With 50 % of the training")
    assert [event.seq for event in runs.history(run).events] == list(range(len(events)))
    after = runs.load_run(own.workspace, run.id)
    assert after.state == "done" and after.result == {"what": "experiment", "found": {"points": 4, "of": 4}}


def test_a_run_that_was_broken_off_goes_on_without_repeating_and_comes_to_the_same_points(own):
    whole, broken = asked_of(own), asked_of(own)
    list(worker.work(whole))
    stream = worker.work(broken)
    while not isinstance(next(stream), ExperimentPoint):
        pass
    stream.close()
    assert runs.load_run(own.workspace, broken.id).state == "interrupted"
    again = list(worker.work(runs.requeue(broken)))
    assert next(event.done for event in again if event.kind == "progress") == 1
    points, expected = (runs.history(run).all("experiment") for run in (broken, whole))
    assert [replace(one, seq=0) for one in points] == [replace(one, seq=0) for one in expected]


def test_a_run_that_goes_on_learns_from_the_table_it_began_with(own):
    run = asked_of(own)
    for event in worker.work(run):
        if isinstance(event, ExperimentPoint):
            runs.request_stop(run)
    assert runs.load_run(own.workspace, run.id).state == "stopped"
    assert len(runs.history(run).all("experiment")) == 1
    path = own.path / "items.csv"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-6]))
    list(worker.work(runs.requeue(run)))
    assert [one.train for one in runs.history(run).all("experiment")] == [8, 18, 8, 18]


def test_an_experiment_that_does_not_exist_fails_with_a_sentence(own):
    run = asked_of(own, experiment="<b>")
    with pytest.raises(SettingsError, match="no experiment called '<b>'"):
        list(worker.work(run))
    after = runs.load_run(own.workspace, run.id)
    assert after.state == "failed" and "size" in after.record["hint"]
