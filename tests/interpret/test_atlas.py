"""The map of a data set: the plane is the right one, always the same, and what lies among others is counted."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.interpret.atlas import misplaced, plane


def exact(rows):
    """The plane by a full decomposition."""
    centred = rows - rows.mean(axis=0)
    return centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T


def test_the_plane_is_that_of_a_full_decomposition():
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(200, 60)) * np.geomspace(10, 0.1, 60)
    found, expected = plane(rows), exact(rows)
    for axis in range(2):
        assert abs(np.corrcoef(found[:, axis], expected[:, axis])[0, 1]) > 0.999
        assert found[:, axis].std() == pytest.approx(expected[:, axis].std(), rel=0.01)


def test_three_groups_that_lie_apart_lie_apart_on_the_map():
    rng = np.random.default_rng(0)
    middles = 8 * rng.normal(size=(3, 500))
    rows = np.concatenate([middle + rng.normal(size=(20, 500)) for middle in middles])
    known = np.arange(60) % 4 != 0
    assert not misplaced(plane(rows), np.repeat(["a", "b", "c"], 20), known).any()


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 6), st.integers(1, 5))
def test_any_rows_have_a_place_and_always_the_same_one(seed, n, wide):
    rows = np.random.default_rng(seed).choice([-9.0, 0.0, 0.5, 3.0, 9.0], (n, wide)).astype(np.float32)
    places = plane(rows)
    assert places.shape == (len(rows), 2) and np.isfinite(places).all()
    assert np.array_equal(places, plane(rows))
    if len(rows):
        assert np.abs(places.mean(axis=0)).max() < 1e-3
        assert (places.max(axis=0) >= -places.min(axis=0) - 1e-3).all(), "the longest arm points up and right"


def test_rows_of_one_direction_leave_the_second_axis_empty():
    places = plane(np.outer(np.arange(5.0), np.ones(3)))
    assert np.ptp(places[:, 0]) == pytest.approx(4 * np.sqrt(3), rel=1e-4)
    assert np.abs(places[:, 1]).max() < 1e-3


def test_thousands_of_pictures_take_a_moment():
    rows = np.random.default_rng(0).normal(size=(3000, 2560)).astype(np.float16)
    began = time.process_time()
    plane(rows)
    assert time.process_time() - began < 4, "about 0.3 s when nothing else works here"


def test_a_picture_among_another_class_is_misplaced():
    places = np.array([[0.0, 0], [1, 0], [2, 0], [50, 0], [51, 0], [52, 0], [1, 1], [51, 1]])
    labels = ["a", "a", "a", "b", "b", "b", "b", "b"]
    known = np.array([True] * 6 + [False] * 2)
    assert misplaced(places, labels, known).tolist() == [False] * 6 + [True, False]


def test_where_labels_tie_the_nearest_counts():
    places = np.array([[0.0, 0], [1, 0], [2, 0], [3, 0], [-0.5, 0]])
    known = np.array([True] * 4 + [False])
    assert not misplaced(places, ["a", "b", "b", "a", "a"], known)[4]
    assert misplaced(places, ["a", "b", "b", "a", "b"], known)[4]


def test_without_pictures_to_learn_from_nothing_is_misplaced():
    assert not misplaced(np.zeros((3, 2)), ["a", "b", "c"], np.zeros(3, dtype=bool)).any()
