"""The split: a share of every class, never an empty side, the same for the same seed and nobody else's business."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.split import stratified_split
from core.errors import DataError, SettingsError

SHARES = st.floats(0.01, 0.9)
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
