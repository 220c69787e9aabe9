"""The search for suspects: it finds what was planted, says how far it is, compares two models and repeats itself."""

import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.data.edits import delete, place, relabel
from core.data.events import Progress, Reported
from core.data.table import items_to_csv, load_dataset
from core.errors import DataError, LabError, NotFound
from core.interpret.orders import ALONE, ORDERS
from core.interpret.predictions import predictions
from core.interpret.suspects import COLUMNS, load_suspects, perform, to_csv
from core.jobs.worker import work
from core.settings import Stage, TrainSettings, to_record
from core.train.runs import create_run, load_run
from core.train.runs import perform as perform_run
from core.train.train_run import train_run
from core.workspace import Workspace
from tests.conftest import make_toy

ROOT = Path(__file__).parents[2]
TINY = TrainSettings(image_size=64, batch_size=16, device="cpu", precision="float32")


def trained_run(dataset, *stages, **changes):
    settings = replace(TINY, stages=stages or (Stage(epochs=4),), **changes)
    run = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    list(train_run(run, lambda: False))
    return run


def search(model, dataset, *, against=None):
    run = create_run(model.workspace, "suspects", {"run": model.id, "dataset": dataset.id, "against": against})
    return run, list(perform(run, lambda: False))


def mislabelled(dataset, *rows):
    """Give some rows of the table the next class's label; their items."""
    items = dataset.items()
    classes = list(dataset.classes)
    labels = {
        items.loc[row, "item"]: classes[(classes.index(items.loc[row, "label"]) + 1) % len(classes)] for row in rows
    }
    relabel(dataset, labels)
    return set(labels)


@pytest.fixture(scope="module")
def seen_home(tmp_path_factory):
    """The home of 60 pictures whose activations are computed; tests change copies of it."""
    home = tmp_path_factory.mktemp("seen")
    trained_run(make_toy(home, per_class=20), Stage(epochs=1))
    return home


@pytest.fixture
def sixty(seen_home, tmp_path):
    """A data set of colours, 20 of each."""
    shutil.copytree(seen_home, tmp_path, dirs_exist_ok=True)
    return load_dataset(Workspace(tmp_path), "toy")


@pytest.fixture(scope="module")
def learned_home(tmp_path_factory):
    """The home of 36 pictures and a model of them."""
    home = tmp_path_factory.mktemp("learned")
    return home, trained_run(make_toy(home)).id


@pytest.fixture
def learned(learned_home, tmp_path):
    """A data set of colours, 12 of each, and a model of it."""
    home, model = learned_home
    shutil.copytree(home, tmp_path, dirs_exist_ok=True)
    workspace = Workspace(tmp_path)
    return load_dataset(workspace, "toy"), load_run(workspace, model)


@pytest.fixture(scope="module")
def noisy(seen_home, tmp_path_factory):
    """A data set of colours with three labels wrong, a model of it, and a search."""
    home = tmp_path_factory.mktemp("suspects")
    shutil.copytree(seen_home, home, dirs_exist_ok=True)
    dataset = load_dataset(Workspace(home), "toy")
    wrong = mislabelled(dataset, 4, 24, 44)
    model = trained_run(dataset)
    return dataset, wrong, model, *search(model, dataset)


def test_it_finds_what_was_planted_and_suggests_the_true_label(noisy):
    dataset, wrong, _, run, events = noisy
    first = ORDERS["label_error"](load_suspects(run)).head(3)
    assert set(first["item"]) == wrong
    colours = dict(zip(dataset.items()["item"], "r" * 20 + "g" * 20 + "b" * 20, strict=True))
    assert list(first["suggested"]) == [colours[item] for item in first["item"]]
    assert first["label_error"].sum() >= 2
    assert events[-1].found["label_errors"] == load_suspects(run)["label_error"].sum()


def test_the_last_event_counts_and_the_ones_before_say_how_far_it_is(noisy):
    dataset, _, model, run, events = noisy
    assert all(isinstance(event, Progress) for event in events[:-1])
    assert isinstance(events[-1], Reported) and events[-1].what == "suspects" and events[-1].notes == ()
    phases = list(dict.fromkeys(event.phase for event in events[:-1]))
    assert phases == ["looks", "suspects"]  # activations are those of the training
    assert [event.done for event in events if event.kind == "progress" and event.phase == "suspects"] == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]
    table, found = predictions(model, dataset), events[-1].found
    valid = table[table["split"] == "valid"]
    assert found["of"] == len(valid) == 15 and found["pictures"] == 60
    assert found["after_wrong"] == (valid["predicted"] != valid["label"]).sum()


def test_the_file_holds_one_row_per_picture_in_the_tables_order(noisy):
    dataset, _, model, run, _ = noisy
    table, said = load_suspects(run), predictions(model, dataset)
    assert list(table.columns) == list(COLUMNS)
    for column in ("item", "file", "label", "split", "predicted", "known"):
        assert list(table[column]) == list(said[column])
    for column in ("p_predicted", "p_label", "loss", "certainty"):
        assert table[column].to_numpy() == pytest.approx(said[column].to_numpy(), rel=1e-5)
    probs = np.sort(said[["p:b", "p:g", "p:r"]].to_numpy(), axis=1)
    assert table["p_second"].to_numpy() == pytest.approx(probs[:, 1], rel=1e-5)
    assert (table["second"] != table["predicted"]).all()


def test_cold_and_warm_and_once_more_give_the_same_file(learned):
    dataset, model = learned
    runs = [search(model, dataset)[0] for _ in range(2)]
    shutil.rmtree(dataset.workspace.cache)
    cold, events = search(model, dataset)
    assert "activations" in {event.phase for event in events[:-1]}
    runs.append(search(model, dataset)[0])
    first, *others = [(run.path / "suspects.csv").read_bytes() for run in (runs[0], runs[1])]
    assert others == [first]
    assert (cold.path / "suspects.csv").read_bytes() == (runs[2].path / "suspects.csv").read_bytes()
    pd.testing.assert_frame_equal(load_suspects(cold), load_suspects(runs[0]), rtol=1e-3)


def test_a_wrong_label_that_was_learned_by_heart_is_caught_by_heads_that_never_saw_it(sixty):
    wrong = mislabelled(sixty, 4, 24)
    model = trained_run(sixty, Stage(epochs=20, lr=1e-2), dropout=0.0)
    run, _ = search(model, sixty)
    table = load_suspects(run).set_index("item").loc[sorted(wrong)]
    assert (table["p_label"] > 0.8).all() and (table["predicted"] == table["label"]).all()
    assert (table["fold_p_label"] < 0.3).all() and (table["fold_guess"] != table["label"]).all()
    by_loss, by_label = (ORDERS[name](load_suspects(run)) for name in ("loss", "label_error"))
    assert set(by_label.head(2)["item"]) == wrong
    assert not wrong & set(by_loss.head(2)["item"])


def test_an_unfrozen_model_is_searched_with_the_body_as_published(sixty):
    wrong = mislabelled(sixty, 4, 24)
    stage = Stage(epochs=1, lr=(1e-5, 1e-3), freeze_to=0)
    frozen, unfrozen = trained_run(sixty), trained_run(sixty, stage)
    tables = [load_suspects(search(model, sixty)[0]) for model in (frozen, unfrozen)]
    assert set(ORDERS["label_error"](tables[1]).head(2)["item"]) == wrong
    columns = ["fold_guess", "fold_p_guess", "fold_p_label", "doubt"]
    pd.testing.assert_frame_equal(tables[0][columns], tables[1][columns], rtol=1e-3)
    assert list(tables[0]["p_label"]) != list(tables[1]["p_label"])


def test_two_models_take_the_same_exam_with_the_labels_of_today(sixty):
    wrong = mislabelled(sixty, *range(0, 14))  # most of what is learned about red
    before = trained_run(sixty)
    relabel(sixty, dict.fromkeys(wrong, "r"))
    after = trained_run(load_dataset(sixty.workspace, sixty.id))
    _, events = search(after, sixty, against=before.id)
    found = events[-1].found
    for run, key in ((before, "before_wrong"), (after, "after_wrong")):
        table = predictions(run, sixty)
        valid = table[table["split"] == "valid"]
        assert found[key] == (valid["predicted"] != valid["label"]).sum()
    assert found["of"] == 15 and found["before_wrong"] > found["after_wrong"]
    assert events[-1].notes == ()


def test_an_exam_that_a_model_has_seen_is_noted(learned):
    dataset, before = learned
    items = dataset.items()
    place(dataset, dict.fromkeys(items.loc[items["split"] == "train", "item"].head(2), "valid"))
    after = trained_run(load_dataset(dataset.workspace, dataset.id))
    _, events = search(after, dataset, against=before.id)
    assert events[-1].notes == ("The older model learned from 2 pictures of today's exam: its count is too good.",)


def test_a_class_that_the_model_never_learned_is_no_obstacle(learned):
    dataset, model = learned
    relabel(dataset, dict.fromkeys(dataset.items()["item"].head(6), 'new, "kind"'))
    run, _ = search(model, dataset)
    table = load_suspects(run)
    assert list(table["label"].head(6)) == ['new, "kind"'] * 6 and not table["known"].head(6).any()
    assert ORDERS["loss"](table)["reason"][0].startswith('Labelled new, "kind", which this model never learned')
    assert np.isfinite(table.select_dtypes("number")).all().all()


def test_labels_that_look_like_numbers_or_nothing_come_back_as_they_are(tmp_path, noisy):
    table = load_suspects(noisy[3]).head(3).assign(label=["NA", "007", "1e3"], predicted=["nan", "", "True"])
    run = create_run(noisy[2].workspace, "suspects", {})
    (run.path / "suspects.csv").write_text(to_csv(table), encoding="utf-8")
    pd.testing.assert_frame_equal(load_suspects(run), table)


def test_copies_share_a_group_and_are_judged_by_heads_that_saw_neither(learned):
    dataset, model = learned
    items = dataset.items()
    twin = items.iloc[[0]].assign(item="twin", label="g", split="valid")
    (dataset.path / "items.csv").write_text(items_to_csv(pd.concat([items, twin])), encoding="utf-8")
    run, events = search(model, dataset)
    table = load_suspects(run)
    assert events[-1].found["duplicates"] == (table["group"] != ALONE).sum() == 2
    ordered = ORDERS["duplicates"](table)
    assert list(ordered["item"]) == ["0", "twin"]
    assert ordered["reason"][0].startswith(
        "Exactly the same picture as one other. This one is labelled r, the other g."
    )
    one, two = (table.set_index("item").loc[item] for item in ("0", "twin"))
    assert one["fold_guess"] == two["fold_guess"] == "r" and one["fold_p_label"] == two["fold_p_guess"] > 0.5


def test_a_stop_leaves_no_file_and_the_run_is_stopped(noisy):
    dataset, _, model, _, _ = noisy
    for calls in (0, 3):
        asked = iter(range(calls))
        run = create_run(model.workspace, "suspects", {"run": model.id, "dataset": dataset.id, "against": None})
        events = list(work(run, lambda asked=asked: next(asked, None) is None))
        assert not any(isinstance(event, Reported) for event in events)
        assert load_run(run.workspace, run.id).state == "stopped"
        with pytest.raises(NotFound, match="nothing yet"):
            load_suspects(run)


def test_it_runs_like_every_other_run(noisy):
    dataset, _, model, _, _ = noisy
    run = create_run(model.workspace, "suspects", {"run": model.id, "dataset": dataset.id})
    assert list(perform_run(run, lambda: False))[-1].kind == "reported"


def test_what_cannot_be_searched_is_told_in_words(learned):
    dataset, model = learned
    untrained = create_run(dataset.workspace, "train", {"dataset": dataset.id})
    with pytest.raises(LabError, match="no last.safetensors yet"):
        search(untrained, dataset)
    delete(dataset, dataset.items().query("label != 'r'")["item"])
    with pytest.raises(DataError, match="toy has pictures of 1 class"):
        search(model, dataset)


def test_suspects_are_read_and_ordered_without_torch():
    code = "import sys, core.interpret.suspects; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0
