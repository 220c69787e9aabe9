"""Is a model as sure as it is right: bins worked by hand, invariants for any answers, and what "not sure" buys."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.interpret.calibration import calibration_error, kept_above, reliability, threshold_curve

answers = st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60)


def both(pairs):
    return [p for p, _ in pairs], [hit for _, hit in pairs]


def test_bins_by_hand_an_upper_edge_belongs_to_the_step_below():
    found = reliability([0.05, 0.5, 0.45, 0.95, 0.9, 1.0, 0.0], [False, True, False, True, True, False, True])
    assert [one.count for one in found] == [2, 0, 0, 0, 2, 0, 0, 0, 1, 2]
    assert (found[4].low, found[4].high) == (0.4, 0.5)
    assert found[4].sure == pytest.approx(0.475) and found[4].right == 0.5
    assert found[1].sure is None and found[1].right is None
    assert found[9].sure == pytest.approx(0.975) and found[9].right == 0.5


def test_the_calibration_error_by_hand():
    # four answers at 0.9 of which two are right, one at 0.6 that is right: (4 * 0.4 + 1 * 0.4) / 5
    found = reliability([0.9, 0.9, 0.9, 0.9, 0.6], [True, True, False, False, True])
    assert calibration_error(found) == pytest.approx(0.4)


def test_a_model_that_is_as_sure_as_it_is_right_has_no_calibration_error():
    assert calibration_error(reliability([0.75] * 4 + [1.0] * 3, [True, True, True, False] + [True] * 3)) == 0


def test_answers_of_a_known_generator_are_calibrated_and_sharpened_ones_are_not():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.4, 1, 20_000)
    right = rng.uniform(size=20_000) < sure
    assert calibration_error(reliability(sure, right)) < 0.02
    assert calibration_error(reliability(np.minimum(1, sure + 0.2), right)) > 0.1


@given(answers)
@settings(max_examples=100, deadline=None)
def test_no_answer_is_lost_and_every_share_is_one(pairs):
    found = reliability(*both(pairs))
    assert sum(one.count for one in found) == len(pairs)
    assert 0 <= calibration_error(found) <= 1
    for one in found:
        assert (one.sure is None) == (one.right is None) == (one.count == 0)
        assert one.sure is None or one.low - 1e-9 <= one.sure <= one.high + 1e-9


def test_what_a_threshold_leaves_by_hand():
    left = kept_above([0.9, 0.8, 0.7, 0.4], [True, False, True, False], 0.7)
    assert (left.answered, left.wrong, left.of) == (3, 1, 4)
    assert left.coverage == 0.75 and left.error == pytest.approx(1 / 3)
    none = kept_above([0.9], [True], 1.0)
    assert (none.answered, none.coverage, none.error) == (0, 0.0, 0.0)
    assert kept_above([], [], 0.5).coverage == 0


@given(answers)
@settings(max_examples=100, deadline=None)
def test_the_curve_is_the_single_answers_one_after_the_other(pairs):
    sure, right = both(pairs)
    curve = threshold_curve(sure, right, steps=20)
    assert [kept_above(sure, right, one.threshold) for one in curve] == list(curve)
    assert curve[0].answered == len(pairs)
    assert all(a.answered >= b.answered and a.wrong >= b.wrong for a, b in zip(curve, curve[1:], strict=False))
