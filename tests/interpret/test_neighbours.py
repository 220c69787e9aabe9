"""The nearest pictures: order, distances, and what the labels around a picture say."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.interpret import neighbours
from core.interpret.neighbours import Company, company, nearest, units


def test_distances_are_one_minus_the_cosine():
    rows = np.array([[0.0, 2.0], [3.0, 0.0], [-1.0, 0.0], [5.0, 5.0]])
    places, distances = nearest(np.array([1.0, 0.0]), rows, 4)
    assert places.tolist() == [1, 3, 0, 2]
    assert distances == pytest.approx([0, 1 - 1 / np.sqrt(2), 1, 2], abs=1e-6)


def test_equal_distances_keep_the_order_of_the_rows_and_zeros_point_nowhere():
    rows = np.array([[0.0, 0.0], [0.0, 1.0], [2.0, 0.0], [1.0, 0.0]])
    places, distances = nearest(np.array([4.0, 0.0]), rows, 9)
    assert places.tolist() == [2, 3, 0, 1] and distances == pytest.approx([0, 0, 1, 1])


def test_there_are_no_more_neighbours_than_rows_and_none_without_any():
    assert nearest(np.ones(3), np.ones((2, 3)), 5)[0].tolist() == [0, 1]
    assert len(nearest(np.ones(3), np.ones((0, 3)), 5)[0]) == 0
    assert len(nearest(np.ones(3), np.ones((2, 3)), 0)[0]) == 0


@pytest.mark.parametrize(("query", "rows"), [((3,), (2, 4)), ((1, 3), (2, 3)), ((3,), (3,))])
def test_shapes_that_do_not_fit_are_refused(query, rows):
    with pytest.raises(ValueError, match="a query"):
        nearest(np.ones(query), np.ones(rows), 1)


def test_rows_on_disk_are_read_in_parts_with_the_same_answer(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(50, 8)).astype(np.float16)
    np.save(tmp_path / "rows.npy", rows)
    whole = nearest(rows[7], rows, 5)
    monkeypatch.setattr(neighbours, "ROWS_AT_ONCE", 7)
    parts = nearest(rows[7], np.load(tmp_path / "rows.npy", mmap_mode="r"), 5)
    assert whole[0].tolist() == parts[0].tolist() and whole[0][0] == 7
    assert whole[1] == pytest.approx(parts[1], abs=1e-6)


@settings(deadline=None)
@given(st.integers(0, 2**32), st.floats(0.5, 50))
def test_distances_rise_stay_in_range_and_do_not_depend_on_lengths(seed, factor):
    rows = np.random.default_rng(seed).choice([-90.0, 0.0, 1e-3, 2.5, 100.0], (6, 4)).astype(np.float32)
    _, distances = nearest(rows[0], rows, 6)
    assert (np.diff(distances) >= 0).all() and distances.min() >= 0 and distances.max() <= 2
    assert nearest(factor * rows[0], rows, 6)[1] == pytest.approx(distances, abs=1e-3)


@pytest.mark.parametrize(
    ("label", "predicted", "around", "expected"),
    [
        ("teddy", "teddy", "ttttg", ("agrees", "teddy", 4)),
        ("grizzly", "black", "bbbbt", ("misled", "black", 4)),
        ("grizzly", "grizzly", "bbbgg", ("doubtful", "black", 3)),
        ("grizzly", "teddy", "bbbgg", ("doubtful", "black", 3)),
        ("grizzly", "black", "ggggb", ("alone", "grizzly", 4)),
        ("grizzly", "black", "ggbbt", ("mixed", "grizzly", 2)),
    ],
)
def test_the_company_of_a_picture_is_put_into_words(label, predicted, around, expected):
    names = [{"t": "teddy", "g": "grizzly", "b": "black"}[letter] for letter in around]
    assert company(label, predicted, names) == Company(*expected, 5)


def test_without_neighbours_nothing_is_said():
    assert company("a", "a", []) is None


def test_units_have_length_one_but_for_zeros():
    assert np.linalg.norm(units(np.array([[3.0, 4], [0, 0]])), axis=1) == pytest.approx([1, 0])
