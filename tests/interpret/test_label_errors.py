"""Confident learning by hand: usual confidence, likely classes, the joint, and what counts as a wrong label."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interpret.label_errors import (
    NOTHING,
    confident_joint,
    doubts,
    find_label_errors,
    likely_classes,
    usual_confidence,
)

# two cats and a dog labelled cat (row 2), two dogs (row 4 hard to tell) and, last, one picture of which nobody is sure
PROBS = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.2, 0.8], [0.4, 0.6], [0.55, 0.45]])
LABELS = np.array([0, 0, 0, 1, 1, 1])


def test_usual_confidence_is_the_mean_over_the_pictures_of_a_class():
    # cats: (0.9 + 0.8 + 0.1) / 3 = 0.6; dogs: (0.8 + 0.6 + 0.45) / 3 = 0.6167
    assert usual_confidence(PROBS, LABELS) == pytest.approx([0.6, 1.85 / 3])


def test_a_picture_belongs_to_the_class_that_reaches_its_usual_confidence():
    # row 4: dog 0.6 < 0.6167; row 5: cat 0.55 < 0.6
    assert likely_classes(PROBS, LABELS).tolist() == [0, 0, 1, 1, NOTHING, NOTHING]


def test_the_joint_counts_labels_against_likely_classes():
    assert confident_joint(PROBS, LABELS).tolist() == [[2, 1], [0, 1]]


def test_the_wrong_label_is_the_only_error_and_the_most_doubtful():
    found = find_label_errors(PROBS, LABELS)
    assert found.is_error.tolist() == [False, False, True, False, False, False]
    assert np.exp(found.doubt) == pytest.approx([1 / 9, 1 / 4, 9, 1 / 4, 2 / 3, 11 / 9])
    assert found.order.tolist() in ([2, 5, 4, 1, 3, 0], [2, 5, 4, 3, 1, 0])  # 1 and 3 are equal up to rounding


def test_doubt_is_how_many_times_as_probable_another_class_is():
    probs = [[0.1, 0.8, 0.1], [0.1, 0.8, 0.1], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert np.exp(doubts(probs, [0, 1, 0, 0])) == pytest.approx([8, 1 / 8, 1e-12, 1e12])


def test_of_two_classes_that_reach_their_confidence_the_more_probable_counts():
    probs = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.1, 0.45, 0.45], [0.05, 0.4, 0.55]])
    labels = np.array([0, 1, 1, 2])
    # usual: 0.5, (0.3 + 0.45) / 2 = 0.375, 0.55; row 3 reaches classes 1 (0.4) and 2 (0.55)
    assert likely_classes(probs, labels).tolist() == [0, NOTHING, 1, 2]


def test_a_class_of_which_heads_are_never_sure_is_not_full_of_errors():
    # class 0 is given 0.4 at best: its own pictures reach what is usual for it, 0.4, though class 1 is always ahead
    probs = np.array([[0.4, 0.6], [0.4, 0.6], [0.1, 0.9], [0.1, 0.9]])
    labels = np.array([0, 0, 1, 1])
    assert not find_label_errors(probs, labels).is_error.any()


def test_a_class_without_pictures_is_never_suggested():
    probs = np.array([[0.1, 0.2, 0.7], [0.3, 0.1, 0.6]])
    labels = np.array([0, 1])
    assert usual_confidence(probs, labels)[2] == np.inf
    assert 2 not in likely_classes(probs, labels)


def probabilities(n, classes, seed):
    raw = np.random.default_rng(seed).random((n, classes)) ** 3 + 1e-6
    return raw / raw.sum(axis=1, keepdims=True)


@given(n=st.integers(1, 40), classes=st.integers(2, 6), seed=st.integers(0, 10**6))
def test_what_holds_for_any_probabilities(n, classes, seed):
    probs = probabilities(n, classes, seed)
    labels = np.random.default_rng(seed + 1).integers(0, classes, n)
    found, joint = find_label_errors(probs, labels), confident_joint(probs, labels)
    assert joint.sum() == (found.likely != NOTHING).sum()
    assert joint.sum() - np.trace(joint) == found.is_error.sum()
    assert sorted(found.order.tolist()) == list(range(n))
    assert np.isfinite(found.doubt).all()
    assert np.all(np.diff(found.doubt[found.order]) <= 0)
    assert np.array_equal(found.doubt > 0, probs.argmax(axis=1) != labels)


@given(seed=st.integers(0, 10**6))
def test_renaming_the_classes_changes_nothing(seed):
    probs = probabilities(30, 4, seed)
    labels = np.random.default_rng(seed).integers(0, 4, 30)
    turned = np.array([2, 0, 3, 1])  # class i is called turned[i]
    renamed = np.empty_like(probs)
    renamed[:, turned] = probs
    assert np.array_equal(
        find_label_errors(probs, labels).is_error, find_label_errors(renamed, turned[labels]).is_error
    )
    assert doubts(renamed, turned[labels]) == pytest.approx(doubts(probs, labels))
