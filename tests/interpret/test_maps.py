"""Numbers about maps of evidence, by hand and over any map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.interpret import maps

STEPS = np.arange(16.0).reshape(4, 4)
ANY = st.integers(0, 2**32).map(
    lambda seed: np.random.default_rng(seed).choice([-1.0, 0.0, 0.0, 0.25, 0.9, 1.0], (5, 5))
)


def spot(row, column, side=7):
    heat = np.zeros((side, side), dtype=np.float32)
    heat[row, column] = 1
    return heat


def test_maps_in_the_same_order_agree_fully_and_in_the_reverse_order_not_at_all():
    assert maps.agreement(STEPS, STEPS**3) == pytest.approx(1)
    assert maps.agreement(STEPS, -STEPS) == pytest.approx(-1)
    assert maps.agreement(STEPS, STEPS * 0) is None


def test_places_that_tie_share_their_rank():
    heat, falls = np.array([[0.0, 0.0], [0.0, 1.0]]), np.array([[0.0, 1.0], [2.0, 3.0]])
    ranks = np.array([2.0, 2, 2, 4]), np.array([1.0, 2, 3, 4])
    assert maps.agreement(heat, falls) == pytest.approx(np.corrcoef(*ranks)[0, 1])


@settings(deadline=None)
@given(ANY, ANY)
def test_an_agreement_has_its_range_and_does_not_depend_on_the_scale(heat, falls):
    found = maps.agreement(heat, falls)
    assert found is None or -1.0001 <= found <= 1.0001
    if found is not None:
        assert maps.agreement(heat, 100 * falls) == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize(
    ("correlation", "said"), [(1, "agrees"), (0.5, "agrees"), (0.3, "partly"), (0.2, "disagrees"), (None, "flat")]
)
def test_an_agreement_in_words(correlation, said):
    assert maps.verdict(correlation) == said


def test_half_of_an_even_map_lies_on_half_of_the_picture_and_of_a_spot_on_little():
    assert maps.half_area(np.ones((7, 7))) == pytest.approx(0.5, abs=0.01)
    assert maps.half_area(spot(3, 3)) < 0.02
    assert maps.half_area(np.zeros((7, 7))) == 0


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [(0, 0, "top left"), (3, 3, "middle"), (6, 3, "bottom"), (3, 6, "right"), (0, 6, "top right")],
)
def test_the_highest_place_in_words(row, column, words):
    assert maps.peak_place(spot(row, column)) == words


def test_of_equally_high_places_those_that_lie_together_count():
    heat = spot(0, 0)
    heat[5:7, 5:7] = 1
    assert maps.peak_place(heat) == "bottom right"


@settings(deadline=None)
@given(ANY)
def test_what_is_shown_lies_between_nothing_and_all(values):
    for found in (maps.shown(values), maps.shown_falls(values)):
        assert found.shape == values.shape and found.min() >= 0 and found.max() <= 1
    assert maps.shown_falls(-np.abs(values)).max() == 0


def test_a_resized_map_has_no_value_that_the_map_has_not():
    found = maps.resized(spot(2, 4), 40)
    assert found.shape == (40, 40) and found.min() == 0 and found.max() <= 1
    assert np.unravel_index(found.argmax(), found.shape)[0] // 6 == 2
