"""Classes are created, renamed, merged, switched off and deleted, each with undo."""

import pytest

from core.data import classes, edits
from core.data.table import load_dataset
from core.errors import DataError, NotFound
from tests.conftest import make_toy


@pytest.fixture
def pets(tmp_path):
    return make_toy(tmp_path, per_class=4, classes=3)


def counts(dataset):
    return {row.label: (row.kept, row.off, row.deleted) for row in classes.class_table(dataset).itertuples()}


def test_a_new_class_is_empty_and_counts_for_training_only_with_pictures(pets):
    made = classes.create_class(pets, " fish  market ").dataset
    assert made.empty == ("fish market",) and made.classes == ("b", "g", "r")
    assert counts(made)["fish market"] == (0, 0, 0)
    full = edits.relabel(made, {"0": "fish market"}).dataset
    assert full.empty == () and "fish market" in full.classes
    assert edits.undo(full).dataset.empty == ("fish market",)


def test_several_classes_are_created_with_one_edit_or_not_at_all(pets):
    made = classes.create_classes(pets, ["owl", "fox ", "fox"]).dataset
    assert made.empty == ("fox", "owl") and edits.undo(made).dataset.empty == ()
    with pytest.raises(DataError, match="already"):
        classes.create_classes(pets, ["crow", "r"])
    assert load_dataset(pets.workspace, pets.id).empty == ()


@pytest.mark.parametrize("name", ["r", " r ", "ｒ"])
def test_a_class_is_not_created_twice(pets, name):
    with pytest.raises(DataError, match="already"):
        classes.create_class(pets, name)


def test_renaming_keeps_every_picture_and_its_side(pets):
    before = pets.items()
    made = classes.rename_class(pets, "r", "rose").dataset
    after = made.items()
    assert made.classes == ("b", "g", "rose")
    assert after.drop(columns="label").equals(before.drop(columns="label"))
    assert edits.undo(made).dataset.version == pets.version


def test_renaming_to_a_known_name_merges(pets):
    made = classes.rename_class(pets, "r", "g").dataset
    assert made.classes == ("b", "g") and counts(made)["g"] == (8, 0, 0)
    assert edits.undo(made).dataset.classes == ("b", "g", "r")


def test_several_classes_become_one_with_one_edit(pets):
    made = classes.merge_classes(pets, ["r", "g", "b"], "colour").dataset
    assert made.classes == ("colour",) and not made.trainable
    assert edits.undo(made).dataset.version == pets.version


def test_a_class_that_is_switched_off_is_left_out_and_comes_back(pets):
    off = classes.disable_class(pets, "r").dataset
    assert off.classes == ("b", "g") and counts(off)["r"] == (0, 4, 0)
    on = classes.enable_class(off, "r").dataset
    assert on.version == pets.version


def test_a_deleted_class_goes_to_the_bin_and_undo_brings_it_back(pets):
    gone = classes.delete_class(pets, "r").dataset
    assert "r" not in counts(gone)
    assert len(gone.items()) == 12
    assert edits.undo(gone).dataset.version == pets.version


def test_pictures_in_the_bin_follow_their_class_when_it_is_renamed(pets):
    edits.delete(pets, ["0"])
    classes.rename_class(pets, "r", "rose")
    back = edits.restore(pets, ["0"]).dataset
    assert back.classes == ("b", "g", "rose")


def test_an_empty_class_can_be_renamed_and_deleted(pets):
    classes.create_class(pets, "fish")
    assert classes.rename_class(pets, "fish", "frog").dataset.empty == ("frog",)
    assert classes.delete_class(pets, "frog").dataset.empty == ()


@pytest.mark.parametrize("verb", [classes.disable_class, classes.enable_class, classes.delete_class])
def test_a_class_that_is_not_there_is_named(pets, verb):
    with pytest.raises(NotFound, match="'yeti'"):
        verb(pets, "yeti")


def test_the_201st_class_is_refused(pets):
    classes.create_classes(pets, [f"c{number}" for number in range(197)])
    with pytest.raises(DataError, match="201 classes"):
        classes.create_class(load_dataset(pets.workspace, pets.id), "one more")


@pytest.mark.parametrize(
    ("labels", "groups"),
    [
        (["Cat", "cat", "dog"], [("Cat", "cat")]),
        (["black bear", "black_bear", "Black-Bear"], [("Black-Bear", "black bear", "black_bear")]),
        (["café", "cafe"], [("cafe", "café")]),
        (["dogs", "dog", "bus", "bu"], [("dog", "dogs")]),
        (["grass", "gras"], []),
        (["a", "b"], []),
        (["1", "2"], []),
        (["!", "?"], []),
    ],
)
def test_names_that_mean_one_class_are_found(labels, groups):
    assert classes.near_equal(labels) == groups
