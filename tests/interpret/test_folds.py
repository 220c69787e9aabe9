"""Out-of-fold heads: dealt evenly, equal to heads fitted without the fold, blind to its labels, the same every time."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interpret.folds import PENALTY, deal, judge, out_of_fold, temperature
from core.interpret.label_errors import find_label_errors


def clusters(n=120, classes=3, *, d=40, seed=0, spread=1.0):
    """Positive activations around one centre per class, and class numbers in turn."""
    rng = np.random.default_rng(seed)
    centres, labels = rng.random((classes, d)) * 4, np.arange(n) % classes
    return np.abs(centres[labels] + spread * rng.normal(size=(n, d))).astype(np.float32), labels


@given(n=st.integers(1, 60), classes=st.integers(1, 5), folds=st.integers(2, 6), seed=st.integers(0, 10**6))
def test_every_class_is_spread_evenly(n, classes, folds, seed):
    labels = np.random.default_rng(seed).integers(0, classes, n)
    dealt = deal(labels, folds=folds, seed=seed)
    for label in np.unique(labels):
        counts = np.bincount(dealt[labels == label], minlength=folds)
        assert counts.max() - counts.min() <= 1


@given(n=st.integers(2, 60), seed=st.integers(0, 10**6))
def test_a_group_is_never_torn_apart(n, seed):
    rng = np.random.default_rng(seed)
    groups = [f"g{number}" for number in rng.integers(0, n // 2 + 1, n)]
    dealt = deal(rng.integers(0, 3, n), seed=seed, groups=groups)
    assert all(len(folds) == 1 for folds in _folds_of(groups, dealt).values())


def _folds_of(groups, dealt):
    found = {}
    for group, fold in zip(groups, dealt, strict=True):
        found.setdefault(group, set()).add(fold)
    return found


def test_folds_stay_about_equal_when_pictures_come_in_groups():
    groups = [place // 3 for place in range(90)]
    assert sorted(Counter(deal(np.arange(90) // 30, seed=1, groups=groups)).values()) == [18] * 5


def test_the_same_seed_gives_the_same_answers_and_the_global_state_stays():
    features, labels = clusters()
    before = np.random.get_state()[1].tolist()
    once, twice, other = (out_of_fold(features, labels, classes=3, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(once, twice) and not np.array_equal(once, other)
    assert np.random.get_state()[1].tolist() == before


@pytest.mark.parametrize("d", [40, 400], ids=["more pictures than activations", "fewer"])
def test_probabilities_sum_to_one_and_follow_the_clusters(d):
    features, labels = clusters(d=d)
    probs = out_of_fold(features, labels, classes=3)
    assert probs.sum(axis=1) == pytest.approx(np.ones(120))
    assert np.array_equal(probs.argmax(axis=1), labels)


def test_activations_that_are_always_zero_change_nothing_though_another_way_is_taken():
    features, labels = clusters(spread=3.0)
    wide = np.hstack([features, np.zeros((120, 200), np.float32)])
    assert out_of_fold(wide, labels, classes=3) == pytest.approx(out_of_fold(features, labels, classes=3), abs=1e-9)


def test_a_fold_is_judged_by_the_head_that_was_fitted_to_the_others():
    features, labels = clusters(60, 2, d=12, spread=2.0)
    dealt = deal(labels, seed=0)
    rows = features.astype(float)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rows -= rows.mean(axis=0)
    rows = np.hstack([rows / np.sqrt((rows**2).sum(axis=1).mean()), np.ones((60, 1))])
    for judged in judge(features, labels, dealt, classes=2):
        others = dealt != dealt[judged.rows[0]]
        # least squares with a penalty, as ordinary least squares with one more row per weight
        inputs = np.vstack([rows[others], np.sqrt(PENALTY) * np.eye(13)])
        targets = np.vstack([np.eye(2)[labels[others]], np.zeros((13, 2))])
        scores = rows[judged.rows] @ np.linalg.lstsq(inputs, targets, rcond=None)[0]
        odds = np.log(judged.probs[:, 1] / judged.probs[:, 0])
        heat = (scores[:, 1] - scores[:, 0]) / odds
        assert heat == pytest.approx(np.full(len(heat), heat[0])) and 0.02 <= heat[0] <= 1.0


@pytest.mark.parametrize("d", [12, 400])
def test_no_label_of_a_fold_has_a_part_in_what_is_said_about_it(d):
    features, labels = clusters(d=d, spread=2.0)
    dealt = deal(labels, seed=0)
    turned = np.where(dealt == 2, (labels + 1) % 3, labels)
    before, after = (
        {tuple(judged.rows): judged.probs for judged in judge(features, given, dealt, classes=3)}
        for given in (labels, turned)
    )
    for rows in before:
        assert np.allclose(before[rows], after[rows], atol=1e-9) == (dealt[rows[0]] == 2)


def test_planted_errors_are_the_most_doubtful():
    features, labels = clusters(300, 3, spread=0.5)
    wrong = np.random.default_rng(5).choice(300, 30, replace=False)
    given = labels.copy()
    given[wrong] = (labels[wrong] + 1) % 3
    found = find_label_errors(out_of_fold(features, given, classes=3), given)
    assert set(found.order[:30]) == set(wrong)
    assert np.array_equal(found.likely[wrong], labels[wrong])


def test_a_class_with_one_picture_and_a_set_with_one_group_get_an_answer():
    features, labels = clusters(13, 3)
    labels[0], labels[1:] = 2, labels[1:] % 2
    assert out_of_fold(features, labels, classes=3).sum(axis=1) == pytest.approx(np.ones(13))
    alone = out_of_fold(features, labels, classes=3, groups=["g"] * 13)
    assert alone == pytest.approx(np.full((13, 3), 1 / 3))


def test_a_temperature_makes_scores_as_sure_as_they_are_right():
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(4000, 3)) * 0.3
    chances = np.exp(scores / 0.1)
    chances /= chances.sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) < rng.random((4000, 1))).sum(axis=1)
    assert temperature(scores, labels) == pytest.approx(0.1, rel=0.12)
