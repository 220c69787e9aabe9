"""The practice set: its answer key survives renames, and a score counts every way of handling a mistake."""

import shutil

import numpy as np
import pytest
from PIL import Image

from core.data import edits, pool
from core.data.classes import disable_class, merge_classes, rename_class
from core.data.edits import delete, relabel, restore, undo
from core.data.practice import answer_key, is_practice, practice_request, score
from core.data.samples import bears, make_sample
from core.data.table import load_dataset
from core.errors import DataError
from core.train.runs import create_run, perform
from core.workspace import Workspace
from tests.conftest import make_toy


@pytest.fixture(scope="module")
def quick_bears():
    """Tiny pictures in place of drawn scenes, opened in this process: here only labels count."""

    def draw(label, *, seed):
        pixels = np.random.default_rng([seed, *label.encode()]).integers(0, 256, (9, 9, 3), dtype=np.uint8)
        return bears.Scene(Image.fromarray(pixels), label, (), np.zeros((9, 9), np.uint8), (4.0, 4.0))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bears, "draw_scene", draw)
        patch.setattr(pool, "process_count", lambda wanted=None: 1)
        yield


@pytest.fixture(scope="module")
def made(quick_bears, tmp_path_factory):
    """The home of a practice set: 30 pictures, 24 to learn from, 6 of them mislabelled. And of one without mistakes."""
    home = tmp_path_factory.mktemp("practice")
    for name, noise in (("practice", 0.25), ("right", 0.0)):
        list(make_sample(Workspace(home), "bears", name=name, per_class=10, noise=noise, seed=3))
    return home


@pytest.fixture
def practice(made, tmp_path):
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return load_dataset(Workspace(tmp_path), "practice")


def wrong_ones(dataset):
    """Item -> (label, true label) of the planted mistakes, as the sample noted them."""
    items = dataset.items()
    items = items[items["note"] != ""]
    return {row.item: (row.label, row.note.removeprefix("true label: ")) for row in items.itertuples()}


def counts(found):
    return found.planted, found.found, found.missed, found.wrongly_changed


def third(label, true):
    return next(name for name in ("black", "grizzly", "teddy") if name not in (label, true))


def test_the_key_is_the_truth(practice):
    right = load_dataset(practice.workspace, "right").items().set_index("file")["label"]
    items, key = practice.items(), answer_key(practice)
    assert key == dict(zip(items["item"], right[items["file"]], strict=True))
    assert sum(items["label"] != items["item"].map(key)) == 6


def test_at_first_everything_is_missed_and_putting_all_right_finds_everything(practice):
    assert counts(score(practice)) == (6, 0, 6, 0)
    relabel(practice, {item: true for item, (_, true) in wrong_ones(practice).items()})
    assert counts(score(practice)) == (6, 6, 0, 0)
    undo(practice)
    assert counts(score(practice)) == (6, 0, 6, 0)


def test_every_way_of_handling_a_mistake_counts_as_it_should(practice):
    wrong = wrong_ones(practice)
    one, two, three, four, *rest = wrong
    relabel(practice, {one: wrong[one][1], two: third(*wrong[two])})
    delete(practice, [three, four])
    restore(practice, [four])
    items = practice.items()
    right = list(items.loc[~items["item"].isin(wrong.keys()), "item"])
    relabel(practice, {right[0]: "new kind"})
    delete(practice, [right[1]])
    found = score(practice)
    assert found.found_items == tuple(sorted((one, three)))
    assert found.third_items == (two,)
    assert found.missed_items == tuple(sorted((four, *rest)))
    assert found.spoiled_items == tuple(right[:2])
    assert counts(found) == (6, 2, 3, 3)
    assert found.words == (
        "2 of 6 planted mistakes found, 3 missed. 1 picture was noticed, but given another wrong label. "
        "2 pictures were right before."
    )


def test_a_wrong_change_that_was_put_right_again_is_forgiven(practice):
    wrong, items = wrong_ones(practice), practice.items()
    row = items[~items["item"].isin(wrong.keys())].iloc[0]
    relabel(practice, {row["item"]: third(row["label"], row["label"])})
    assert score(practice).spoiled_items == (row["item"],)
    relabel(practice, {row["item"]: row["label"]})
    assert counts(score(practice)) == (6, 0, 6, 0)


def test_renaming_classes_changes_no_score(practice):
    wrong = wrong_ones(practice)
    one, two, *_ = wrong
    relabel(practice, {one: wrong[one][1], two: third(*wrong[two])})
    before = score(practice)
    for old, new in (("black", "tmp"), ("grizzly", "black"), ("tmp", "grizzly"), ("teddy", "soft toy")):
        rename_class(practice, old, new)
        assert score(practice) == before
    names = {"black": "grizzly", "grizzly": "black", "teddy": "soft toy"}
    assert answer_key(practice)[one] == names[wrong[one][1]]
    undo(practice)
    assert score(practice) == before


def test_a_name_that_is_used_again_is_another_class(practice):
    rename_class(practice, "teddy", "toy")
    right = next(
        item for item, true in answer_key(practice).items() if true == "toy" and item not in wrong_ones(practice)
    )
    relabel(practice, {right: "teddy"})
    rename_class(practice, "teddy", "ted")
    assert answer_key(practice)[right] == "toy"
    assert score(practice).spoiled_items == (right,)


def test_merged_classes_are_one_in_the_key_too(practice):
    merge_classes(practice, ["black", "grizzly"], "bear")
    assert set(answer_key(practice).values()) == {"bear", "teddy"}
    still = [item for item, pair in wrong_ones(practice).items() if "teddy" in pair]
    assert score(practice).missed_items == tuple(still) and score(practice).wrongly_changed == 0


def test_a_class_that_is_switched_off_is_neither_found_nor_spoiled(practice):
    disable_class(practice, "teddy")
    assert counts(score(practice)) == (6, 0, 6, 0)


def test_sweeping_the_bin_forgets_its_pictures(practice):
    delete(practice, list(wrong_ones(practice))[:2])
    edits.empty_bin(practice)
    assert counts(score(practice)) == (4, 0, 4, 0)


def test_other_sets_are_no_practice_and_say_so(tmp_path):
    toy = make_toy(tmp_path)
    assert not is_practice(toy)
    with pytest.raises(DataError, match="toy has no answer key"):
        score(toy)


def test_the_request_makes_a_practice_set(quick_bears, tmp_path):
    run = create_run(Workspace(tmp_path), "sample", practice_request("mine", per_class=20))
    ready = list(perform(run, lambda: False))[-1]
    made = load_dataset(run.workspace, ready.dataset)
    assert is_practice(made)
    assert score(made).planted == round(0.05 * 48)
