"""Near-copies of one shot stay on one side: when pictures come in, when they grow more, when they are split anew."""

from __future__ import annotations

import json

import numpy as np
import pytest

from core.data import copies as copies_module
from core.data.copies import Copies, copies_in, notes_on
from core.data.edits import resplit
from core.data.growth import extend
from core.data.samples import make_sample
from core.data.shelf import Picture
from core.data.split import gathered, side_changes, straddling, stratified_split
from core.data.store import publish
from core.data.table import load_dataset
from core.settings import ImportSettings
from core.workspace import Workspace
from tests.scenes import cropped, jpeg, lit, saved_again, scene

SIZE = (160, 120)


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def shots(label: str, start: int, count: int, split: str | None = None) -> list[Picture]:
    return [Picture(jpeg(scene(seed, SIZE)), label, f"{label}-{seed}", split) for seed in range(start, start + count)]


def copies_of(label: str, *seeds: int, split: str | None = None) -> list[Picture]:
    changed = [(seed, change) for seed in seeds for change in (cropped, lit, saved_again)]
    return [
        Picture(jpeg(change(scene(seed, SIZE))), label, f"{label}-{seed}-{change.__name__}", split)
        for seed, change in changed
    ]


def bring(workspace, pictures, **settings):
    [*_, ready] = publish(
        workspace, iter(pictures), name="shots", settings=ImportSettings(**settings), source="test", workers=1
    )
    return ready, load_dataset(workspace, ready.dataset)


def sides_of(dataset, *seeds: int) -> list[set[str]]:
    """The sides on which a shot and its copies lie."""
    items = dataset.kept()
    shot = items["original_name"].str.split("-").str[1]
    return [set(items.loc[shot == str(seed), "split"]) for seed in seeds]


@pytest.mark.parametrize("seed", range(2))
def test_copies_in_an_import_stay_together_and_a_note_says_so(workspace, seed):
    pictures = [*shots("cat", 0, 15), *shots("dog", 20, 15), *copies_of("cat", 1, 2), *copies_of("dog", 21)]
    ready, dataset = bring(workspace, pictures, seed=seed)
    assert all(len(sides) == 1 for sides in sides_of(dataset, 1, 2, 21))
    assert ready.notes == ("12 near-copies in 3 groups were kept on one side together.",)
    assert ready.kept == 39 and 6 <= ready.valid <= 10


def test_an_import_without_copies_is_split_as_ever(workspace):
    ready, dataset = bring(workspace, [*shots("cat", 0, 12), *shots("dog", 20, 12)])
    items = dataset.kept()
    assert ready.notes == () and list(items["split"]) == stratified_split(
        list(items["label"]), valid_share=0.2, seed=42
    )


def test_folders_given_as_train_and_valid_stay_and_copies_across_them_are_told(workspace):
    pictures = [*shots("cat", 0, 6, "train"), *shots("dog", 20, 6, "train"), *shots("dog", 40, 3, "valid")]
    ready, dataset = bring(workspace, [*pictures, *copies_of("cat", 3, split="valid")])
    assert ready.notes == (
        "3 validation pictures are near-copies of training pictures, so the error will look a little better than it is.",  # noqa: E501
    )
    assert sides_of(dataset, 3) == [{"train", "valid"}] and ready.valid == 6


def test_one_picture_under_two_labels_stays_on_one_side(workspace):
    twin = jpeg(scene(3, SIZE))
    ready, dataset = bring(workspace, [*shots("cat", 0, 10), *shots("dog", 20, 10), Picture(twin, "dog", "dog-3")])
    assert len(sides_of(dataset, 3)[0]) == 1 and ready.notes[0].startswith("2 near-copies in one group")


def film(label: str, seed: int, frames: int) -> list[Picture]:
    rng = np.random.default_rng(seed)
    picture = scene(seed, SIZE)
    views = [cropped(picture, *rng.uniform(0, 0.02, 4)) for _ in range(frames)]
    return [Picture(jpeg(view), label, f"{label}-{seed}") for view in views]


def test_a_class_that_is_one_film_is_split_all_the_same_and_told(workspace):
    ready, dataset = bring(workspace, [*film("cup", 5, 12), *film("pen", 6, 12)])
    assert ready.valid == 4 and sides_of(dataset, 5, 6) == [{"train", "valid"}] * 2
    assert len(ready.notes) == 2 and all("frames of one film" in note for note in ready.notes)


def test_a_copy_that_comes_later_goes_where_its_shot_is(workspace):
    _, dataset = bring(workspace, [*shots("cat", 0, 15), *shots("dog", 20, 15)])
    before = dataset.kept().set_index("item")["split"]
    [*_, ready] = extend(dataset, iter(copies_of("cat", *range(15))), source="test", words="more", workers=1)
    grown = load_dataset(workspace, ready.dataset)
    assert ready.added == 45 and all(len(sides) == 1 for sides in sides_of(grown, *range(15)))
    assert grown.kept().set_index("item")["split"].loc[before.index].equals(before)


def test_drawing_sides_anew_keeps_copies_together_and_the_preview_is_right(workspace):
    _, dataset = bring(workspace, [*shots("cat", 0, 15), *shots("dog", 20, 15), *copies_of("cat", 1, 2, 5)])
    items = dataset.kept()
    found = copies_in(dataset)
    for seed in range(3):
        preview = side_changes(
            list(items["label"]), list(items["split"]), valid_share=0.3, seed=seed, groups=found.groups
        )
        after = resplit(dataset, valid_share=0.3, seed=seed).dataset.kept()
        assert all(len(sides) == 1 for sides in sides_of(dataset, 1, 2, 5))
        changed = [
            place for place, (old, new) in enumerate(zip(items["split"], after["split"], strict=True)) if old != new
        ]
        assert sorted(preview) == changed
        items = after


def test_a_damaged_picture_does_not_stop_others_from_coming(workspace):
    _, dataset = bring(workspace, [*shots("cat", 0, 6), *shots("dog", 20, 6)])
    torn = dataset.image_path(dataset.kept()["file"][0])
    torn.chmod(0o644)
    torn.write_bytes(torn.read_bytes()[:300])
    for pack in (workspace.cache / "looks").rglob("*.npy"):
        pack.unlink()
    [*_, ready] = extend(dataset, iter(shots("cat", 60, 2)), source="test", words="more", workers=1)
    assert ready.added == 2


def test_pairs_are_kept_for_the_same_pictures_in_any_order(workspace, monkeypatch):
    monkeypatch.setattr(copies_module, "WORTH_KEEPING", 2)
    _, dataset = bring(workspace, [*shots("cat", 0, 8), *shots("dog", 20, 8), *copies_of("cat", 1)])
    first = copies_in(dataset)
    monkeypatch.setattr(copies_module, "near_pairs", None)
    assert copies_in(dataset) == first
    turned = copies_in(dataset, dataset.kept().iloc[::-1])
    assert [group is None for group in turned.groups[::-1]] == [group is None for group in first.groups]
    [path] = (workspace.cache / "looks").rglob("pairs-*/*.json")
    record = json.loads(path.read_text())
    assert record["pairs"]
    monkeypatch.undo()
    monkeypatch.setattr(copies_module, "WORTH_KEEPING", 2)
    path.write_text("{")
    assert copies_in(dataset) == first


@pytest.mark.parametrize(("sides", "note"), [
    (["train", "train", "train", "valid", "train"], "2 near-copies in one group were kept"),
    (["train", "valid", "train", "valid", "train"], "1 validation picture is a near-copy"),
])  # fmt: skip
def test_notes_count_groups_and_pictures(sides, note):
    assert [text for text in notes_on(Copies((0, 0, None, None, None)), sides) if text.startswith(note)]
    assert notes_on(Copies((None,) * 5), sides) == []


def test_gathering_never_takes_the_last_validation_picture_of_a_class():
    labels = ["cat"] * 4 + ["dog"] * 4
    sides = ["train", "train", "valid", "valid", "train", "train", "train", "valid"]
    assert gathered(labels, sides, [1, None, 1, None, 2, None, None, 2]) == ["train"] * 3 + ["valid"] + [
        "train"
    ] * 3 + ["valid"]
    assert not straddling(gathered(labels, sides, [1, None, 1, None] + [None] * 4), [1, None, 1, None] + [None] * 4)


def test_the_bears_are_split_as_they_always_were(workspace):
    [*_, ready] = make_sample(workspace, "bears", name="bears", per_class=2)
    items = load_dataset(workspace, ready.dataset).kept()
    assert ready.notes == () and list(items["split"]) == stratified_split(
        list(items["label"]), valid_share=0.2, seed=42
    )
