"""The split: a share of every class, never an empty side, the same for the same seed and nobody else's business."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.split import binding, fill_sides, side_changes, straddling, stratified_split
from core.errors import DataError, SettingsError

SHARES = st.floats(0.01, 0.9)
ROWS = st.lists(  # label, given side, group
    st.tuples(st.sampled_from("abc"), st.sampled_from(["", "", "", "train", "valid"]), st.integers(0, 5) | st.none()),
    max_size=40,
)
SEEDS = st.integers(0, 2**32 - 1)
COUNTS = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(1, 40), min_size=2, max_size=6)


def labels_of(counts: dict[str, int]) -> list[str]:
    return [label for label, count in counts.items() for _ in range(count)]


@given(COUNTS, SHARES, SEEDS)
def test_every_class_keeps_training_pictures_and_gives_its_share(counts, share, seed):
    if max(counts.values()) == 1:
        counts = {**counts, "more": 2}
    labels = labels_of(counts)
    sides = stratified_split(labels, valid_share=share, seed=seed)
    valid = Counter(label for label, side in zip(labels, sides, strict=True) if side == "valid")
    assert set(sides) == {"train", "valid"}
    for label, count in counts.items():
        assert valid[label] == min(max(1, round(count * share)), count - 1)


@given(COUNTS, SHARES, SEEDS)
def test_a_split_never_yields_an_empty_validation_set(counts, share, seed):
    labels = labels_of(counts)
    if max(counts.values()) == 1:
        with pytest.raises(DataError, match="single picture"):
            stratified_split(labels, valid_share=share, seed=seed)
    else:
        assert "valid" in stratified_split(labels, valid_share=share, seed=seed)


@given(COUNTS, SEEDS)
def test_other_classes_and_their_order_change_nothing(counts, seed):
    counts = {**counts, "more": 7}
    labels = labels_of(counts)
    order = [place for label in reversed(counts) for place in range(len(labels)) if labels[place] == label]
    plain = stratified_split(labels, valid_share=0.3, seed=seed)
    turned = stratified_split([labels[place] for place in order], valid_share=0.3, seed=seed)
    assert [plain[place] for place in order] == turned
    alone = stratified_split(["more"] * 7, valid_share=0.3, seed=seed)
    assert [side for label, side in zip(labels, plain, strict=True) if label == "more"] == alone


def test_the_seed_decides_and_the_global_random_state_is_left_alone():
    labels = ["cat"] * 50 + ["dog"] * 50
    random.seed(1)
    np.random.seed(1)
    before = (random.getstate(), np.random.get_state()[1].tolist())
    first = stratified_split(labels, valid_share=0.2, seed=42)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before
    random.seed(2)
    assert stratified_split(labels, valid_share=0.2, seed=42) == first
    assert stratified_split(labels, valid_share=0.2, seed=43) != first


def test_a_known_split_stays_what_it_was():
    sides = stratified_split(["cat"] * 5 + ["dog"] * 5, valid_share=0.4, seed=42)
    assert [place for place, side in enumerate(sides) if side == "valid"] == [0, 1, 6, 7]


def test_classes_with_one_picture_train_on_it():
    sides = stratified_split(["cat", "dog", "dog", "owl"], valid_share=0.2, seed=0)
    assert (sides[0], sides[3]) == ("train", "train") and sorted(sides[1:3]) == ["train", "valid"]


def test_one_picture_per_class_is_refused_with_their_names():
    with pytest.raises(DataError, match=r"'cat', 'dog'.*none is left for validation"):
        stratified_split(["dog", "cat"], valid_share=0.2, seed=0)
    with pytest.raises(DataError, match=r"and 2 more"):
        stratified_split(list("abcdefg"), valid_share=0.2, seed=0)


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_a_share_outside_its_range_is_refused(share):
    with pytest.raises(SettingsError, match="between 0 and 1"):
        stratified_split(["cat", "cat"], valid_share=share, seed=0)


def columns_of(rows):
    return tuple(list(column) for column in zip(*rows, strict=True)) if rows else ([], [], [])


@given(COUNTS, SHARES, SEEDS)
def test_filling_nothing_but_empty_sides_is_the_stratified_split(counts, share, seed):
    labels = labels_of({**counts, "more": 2})
    plain = stratified_split(labels, valid_share=share, seed=seed)
    assert fill_sides(labels, [""] * len(labels), valid_share=share, seed=seed) == plain
    alone = stratified_split(labels, valid_share=share, seed=seed, groups=list(range(len(labels))))
    assert alone == plain


@settings(max_examples=50)
@given(ROWS, SHARES, SEEDS)
def test_given_sides_stay_all_others_are_filled_and_the_same_again_for_the_same_seed(rows, share, seed):
    labels, sides, groups = columns_of(rows)
    filled = fill_sides(labels, sides, valid_share=share, seed=seed, groups=groups)
    assert all(new == old for old, new in zip(sides, filled, strict=True) if old)
    assert set(filled) <= {"train", "valid"}
    assert filled == fill_sides(labels, sides, valid_share=share, seed=seed, groups=groups)


@settings(max_examples=50)
@given(ROWS, SHARES, SEEDS)
def test_no_group_is_ever_on_both_sides_unless_it_was_given_so(rows, share, seed):
    labels, sides, groups = columns_of(rows)
    given_sides = {group: {side for _, side, other in rows if other == group} for group in set(groups)}
    forced = {group for group, found in given_sides.items() if {"train", "valid"} <= found}
    filled = fill_sides(labels, sides, valid_share=share, seed=seed, groups=groups)
    assert set(straddling(filled, groups)) <= forced


@settings(max_examples=50)
@given(ROWS, SHARES, SEEDS)
def test_every_class_that_can_keeps_a_training_picture_and_comes_near_its_share(rows, share, seed):
    labels, _, groups = columns_of(rows)
    filled = fill_sides(labels, [""] * len(labels), valid_share=share, seed=seed, groups=groups)
    count, valid = (
        Counter(labels),
        Counter(label for label, side in zip(labels, filled, strict=True) if side == "valid"),
    )
    largest = max(Counter((label, group) for label, _, group in rows if group is not None).values(), default=1)
    crossing = {g for g in groups if g is not None and len({label for label, _, other in rows if other == g}) > 1}
    for label in count:
        assert valid[label] < count[label]
        if not crossing:
            wanted = min(max(1, round(count[label] * share)), count[label] - 1)
            assert abs(valid[label] - wanted) <= max(1, largest)


@settings(max_examples=50)
@given(ROWS, ROWS, SHARES, SEEDS)
def test_more_pictures_never_move_those_that_are_there(rows, more, share, seed):
    labels, sides, groups = columns_of(rows)
    before = fill_sides(labels, sides, valid_share=share, seed=seed, groups=groups)
    new_labels, new_sides, new_groups = columns_of(more)
    after = fill_sides(
        labels + new_labels, before + new_sides, valid_share=share, seed=seed, groups=groups + new_groups
    )
    assert after[: len(before)] == before


@settings(max_examples=25)
@given(st.integers(2, 40), st.floats(0.05, 0.5), SEEDS)
def test_pictures_that_come_one_by_one_end_near_the_share(count, share, seed):
    sides: list[str] = []
    for place in range(count):
        sides = fill_sides(["cat"] * (place + 1), [*sides, ""], valid_share=share, seed=seed)
    assert abs(sides.count("valid") - max(1, round(count * share))) <= 1


def test_a_new_copy_follows_the_picture_that_is_there():
    labels, groups = ["cat"] * 10 + ["cat"], [None] * 9 + [7, 7]
    for side in ("train", "valid"):
        sides = ["train"] * 8 + ["valid", side, ""]
        assert fill_sides(labels, sides, valid_share=0.2, seed=1, groups=groups)[-1] == side


def test_copies_under_two_labels_stay_together():
    labels, groups = ["cat"] * 10 + ["dog"] * 10, [None] * 20
    groups[3] = groups[12] = "twins"
    for seed in range(30):
        sides = stratified_split(labels, valid_share=0.3, seed=seed, groups=groups)
        assert sides[3] == sides[12] and sides[:10].count("valid") in (3, 4) and sides[10:].count("valid") in (3, 4)


def test_one_class_without_a_validation_side_is_better_than_all():
    groups = [1, 1, 1, 2, 2, 2]
    sides = fill_sides(["cat"] * 3 + ["dog"] * 3, [""] * 6, valid_share=0.2, seed=0, groups=groups)
    assert sides == ["train"] * 6
    with pytest.raises(DataError, match="copies of one shot only"):
        stratified_split(["cat"] * 3 + ["dog"] * 3, valid_share=0.2, seed=0, groups=groups)
    freed, classes = binding(["cat"] * 3 + ["dog"] * 3, groups)
    assert (freed, classes) == ([None] * 6, ["cat", "dog"])


def test_groups_up_to_half_a_class_are_kept():
    labels, groups = ["cat"] * 4 + ["dog"] * 4, [1, 1, None, None, 2, 2, 2, None]
    assert binding(labels, groups) == ([1, 1, None, None, None, None, None, None], ["dog"])


def test_the_preview_of_a_split_names_those_that_change_sides():
    labels = ["cat"] * 10 + ["dog"] * 10
    sides = stratified_split(labels, valid_share=0.2, seed=42)
    assert side_changes(labels, sides, valid_share=0.2, seed=42) == {}
    changes = side_changes(labels, sides, valid_share=0.2, seed=43)
    moved = [changes.get(place, side) for place, side in enumerate(sides)]
    assert changes and moved == stratified_split(labels, valid_share=0.2, seed=43)
    assert all(changes[place] != sides[place] for place in changes)
    more = side_changes(labels, sides, valid_share=0.5, seed=42)
    assert Counter(more.values())["valid"] - Counter(more.values())["train"] == 6
