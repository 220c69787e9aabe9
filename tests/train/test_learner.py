"""The training loop: it learns, repeats itself to the bit, resumes as if nothing had happened, and fails in words."""

import functools
import random
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from core.data.classes import rename_class
from core.errors import TrainError
from core.settings import Stage, TrainSettings, to_record
from core.train.events import EVENTS, History, from_record
from core.train.events import to_record as event_record
from core.train.learner import fit
from core.train.recipes import preset
from core.train.runs import append_event, create_run
from core.train.sampling import batch_size_for, batches_of
from core.train.train_run import train_run
from tests.conftest import make_toy

SMALL = TrainSettings(image_size=64, batch_size=16)
TINY = replace(SMALL, image_size=32)  # where only sameness matters, not what was learned
TIMES = {"seconds", "images_per_s"}


def numbers(events):
    """Events without what a clock decides."""
    return [{k: v for k, v in asdict(e).items() if k not in TIMES | {"seq"}} | {"kind": e.kind}
            for e in events if e.kind not in ("progress", "started", "note", "finished", "memory")]  # fmt: skip


@pytest.fixture(scope="module")
def standard(toy):
    return list(fit(toy, SMALL))


def test_it_learns_colours_in_four_epochs(tmp_path):
    """Ten seeds miss 1 to 4 of 30; guessing would miss 20, with a loss of ln 3."""
    events = list(fit(make_toy(tmp_path, per_class=40), SMALL))
    finished, epochs = events[-1], History.of(events).epochs
    assert (finished.state, finished.of, len(epochs)) == ("done", 30, 4)
    assert finished.wrong <= 4 and epochs["valid_loss"].iloc[-1] < 0.3


def test_events_are_numbered_and_survive_json(standard):
    assert [event.seq for event in standard] == list(range(len(standard)))
    assert standard[0].kind == "started" and standard[-1].kind == "finished"
    assert [from_record(event_record(event)) for event in standard] == standard
    assert {event.kind for event in standard} <= set(EVENTS)


def test_the_table_counts_and_means_what_it_says(standard):
    history = History.of(standard)
    batches, epochs = history.batches, history.epochs
    assert list(batches["step"]) == list(range(len(batches)))
    for row in epochs.itertuples():
        assert row.error_rate == row.wrong / row.of == pytest.approx(1 - row.accuracy)
        mine = batches[batches["epoch"] == row.epoch]
        sizes = [8, 8, 8, 3]  # 27 training pictures; each counts the same in the epoch's mean
        assert row.train_loss == pytest.approx(float(np.average(mine["loss"], weights=sizes)), rel=1e-9)


def test_the_smoothed_loss_is_the_one_other_tools_print(standard):
    from core.train.lr_finder import smooth

    batches = History.of(standard).batches
    assert list(batches["loss_smooth"]) == pytest.approx(list(smooth(batches["loss"])), rel=1e-9)


def test_rates_and_momenta_follow_the_schedule(standard):
    from core.train.schedules import one_cycle, one_cycle_momentum

    batches = History.of(standard).batches
    for row in batches.itertuples():
        pos = row.step / len(batches)
        assert row.lr == pytest.approx(one_cycle(pos, lr_max=3e-3), rel=1e-9)
        assert row.momentum == pytest.approx(one_cycle_momentum(pos), rel=1e-9)


@pytest.mark.parametrize("name", ["quick", "standard", "fine_tune"])
def test_two_runs_print_the_same_numbers(toy, name):
    settings = preset(name, TINY, epochs=1)
    assert numbers(fit(toy, settings)) == numbers(fit(toy, settings))


def test_a_cold_and_a_warm_cache_give_the_same_numbers(tmp_path, standard):
    cold = make_toy(tmp_path)
    assert numbers(fit(cold, SMALL)) == numbers(fit(cold, SMALL)) == numbers(standard)


def test_another_seed_gives_other_numbers(toy, standard):
    assert numbers(fit(toy, replace(SMALL, seed=43))) != numbers(standard)


def test_the_global_random_states_stay_as_they_were(toy):
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    list(fit(toy, replace(SMALL, stages=(Stage(epochs=1, augment="photos"),))))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1] and np.random.get_state()[1].tolist() == before[2]


STAGES = {
    "standard": (Stage(epochs=3),),
    "fine_tune": (Stage(epochs=1), Stage(epochs=2, lr=(1e-5, 1e-3), freeze_to=0, augment="photos")),
    "augmented": (Stage(epochs=3, augment="photos"),),
}


@pytest.fixture(scope="module")
def whole_run(toy):
    """Name of some stages -> the events and the checkpoints of a run of them that nothing interrupted."""

    @functools.cache
    def run(name):
        saved = []
        events = list(fit(toy, replace(TINY, stages=STAGES[name]), save=lambda c, best: saved.append(c) or "x"))
        return events, saved

    return run


@pytest.mark.parametrize("name", STAGES)
def test_an_interrupted_and_resumed_run_equals_one_that_was_not(toy, whole_run, name):
    settings = replace(TINY, stages=STAGES[name])
    whole, saved = whole_run(name)
    last = saved[-1]
    for number in range(len(saved) - 1):
        again, stage = [], saved[number].meta["stage"]
        over = saved[number].meta["progress"]["over"]
        origin = next((c for c in reversed(saved) if c.meta["stage"] == stage - 1), None)
        rest = list(
            fit(toy, settings, resume=saved[number], origin=origin, save=lambda c, best: again.append(c) or "x")  # noqa: B023
        )
        expected = [e for e in numbers(whole) if e["kind"] in ("batch", "epoch")]
        assert [e for e in numbers(rest) if e["kind"] in ("batch", "epoch")] == expected[-_count(rest) :]
        assert all(torch.equal(again[-1].tensors[name], value) for name, value in last.tensors.items())
        assert _moves(rest) == [e for e in _moves(whole) if e["stage"] > stage - (not over)]


def _moves(events):
    return [e for e in numbers(events) if e["kind"] == "moved"]


def _count(events):
    return sum(event.kind in ("batch", "epoch") for event in events)


def test_unfreezing_changes_the_body_and_stores_it(whole_run):
    saved = whole_run("fine_tune")[1]
    assert [c.meta["body"] for c in saved] == ["pretrained", "stored", "stored"]
    assert not any(name.startswith("body.") for name in saved[0].tensors)
    assert any(name.startswith("body.") for name in saved[-1].tensors)


def test_a_rate_that_is_far_too_high_ends_the_run_with_a_sentence(toy):
    saved = []
    events = list(fit(toy, replace(SMALL, stages=(Stage(lr=1e6, schedule="constant"),)),
                      save=lambda c, best: saved.append(c) or "x"))  # fmt: skip
    diverged = [event for event in events if event.kind == "diverged"]
    assert len(diverged) == 1 and "too high" in diverged[0].text
    assert events[-1].state == "diverged"
    assert len(saved) <= diverged[0].epoch  # nothing from the ruined epoch


def test_stopping_ends_before_the_next_batch(toy):
    calls = []
    events = []
    for event in fit(toy, SMALL, stop=lambda: len([e for e in events if e.kind == "batch"]) >= 3):
        events.append(event)
        calls.append(event.kind)
    assert calls.count("batch") == 3 and events[-1].state == "stopped"


def test_stopping_while_pictures_are_prepared_ends_the_run(tmp_path):
    dataset = make_toy(tmp_path)
    events = list(fit(dataset, SMALL, stop=lambda: True))
    assert events[-1].state == "stopped" and events[-1].error_rate is None


def test_one_class_and_no_validation_are_refused_in_words(toy):
    items = toy.kept()
    with pytest.raises(TrainError, match="1 class; a classifier needs at least 2"):
        list(fit(toy, SMALL, items=items[items["label"] == "r"]))
    with pytest.raises(TrainError, match="validation set is empty"):
        list(fit(toy, SMALL, items=items[items["split"] == "train"]))
    with pytest.raises(TrainError, match="class 'b' has pictures for validation and none for training"):
        list(fit(toy, SMALL, items=items[(items["label"] != "b") | (items["split"] == "valid")]))


def test_two_pictures_per_class_still_train(tmp_path):
    dataset = make_toy(tmp_path, per_class=4, classes=2)
    events = list(fit(dataset, TrainSettings(image_size=64, stages=(Stage(epochs=2),))))
    assert events[-1].state == "done"
    note = next(event for event in events if event.kind == "note")
    assert note.code == "small_batch" and "6 training pictures: batches of 6, not 64" in note.text


@given(n=st.integers(2, 3000), size=st.integers(2, 200))
def test_batches_hold_every_row_once_and_never_one_alone(n, size):
    batches = batches_of(torch.arange(n), size)
    assert torch.equal(torch.cat(batches), torch.arange(n))
    assert all(2 <= len(batch) <= size + 1 for batch in batches)


@given(n=st.integers(2, 3000), size=st.integers(2, 200))
def test_a_batch_size_fits_the_set(n, size):
    assert 2 <= batch_size_for(n, size) <= min(n, size)
    if n >= 2 * size:
        assert batch_size_for(n, size) == size


def run_of(dataset, **changes):
    settings = replace(TINY, stages=(Stage(epochs=3),), **changes)
    return create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})


def test_a_run_keeps_its_table_its_last_and_its_best(tmp_path):
    from core.data.table import read_items, version_of

    dataset = make_toy(tmp_path)
    run = run_of(dataset)
    events = list(train_run(run, lambda: False))
    assert {"items.csv", "last.safetensors", "best.safetensors"} <= {path.name for path in run.path.iterdir()}
    assert version_of(read_items(run.path / "items.csv")) == dataset.version == events[0].version


def test_a_run_goes_on_with_the_classes_it_began_with_though_one_was_renamed_since(tmp_path):
    dataset = make_toy(tmp_path)
    run = run_of(dataset)
    for event in train_run(run, lambda: False):
        if event.kind == "epoch":
            break
    rename_class(dataset, "r", "zebra")
    started, *_, finished = train_run(run, lambda: False)
    assert started.classes == ("b", "g", "r") and finished.state == "done"


def test_a_run_that_was_cut_off_goes_on_from_its_last_epoch(tmp_path):
    dataset = make_toy(tmp_path)
    whole = [event for event in train_run(run_of(dataset), lambda: False) if event.kind == "epoch"]
    run = run_of(dataset)
    for event in train_run(run, lambda: False):
        append_event(run, event)
        if event.kind == "batch" and event.epoch == 1:
            break  # as if the process had been killed
    rest = [event for event in train_run(run, lambda: False) if event.kind == "epoch"]
    assert [event.epoch for event in rest] == [1, 2]
    assert numbers(rest) == numbers(whole[1:])
