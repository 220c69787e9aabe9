"""The finder's ladder, smoothing and rules: the reference library's numbers, and an answer for every curve."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SettingsError
from core.train.lr_finder import RULES, RangeTest, Suggestion, lower_rate, lr_ladder, smooth, suggest

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "fastai_numbers.json").read_text())
AGREE = 1e-5
CURVES = REFERENCE["suggestions"]["cases"]
LADDER = REFERENCE["suggestions"]["lrs"]
NAMES = [*RULES, "recommended"]
FLAT = [1.0] * 100


def test_ladder_agrees_with_the_reference():
    assert lr_ladder() == pytest.approx(REFERENCE["lr_find_lr_sequence"]["pure"], rel=AGREE)


@pytest.mark.parametrize("ladder", ((0.0, 1.0, 10), (1.0, 0.1, 10), (1e-7, 10.0, 0), (1e-7, math.inf, 10)))
def test_ladders_that_lead_nowhere_are_refused(ladder):
    with pytest.raises(SettingsError):
        lr_ladder(*ladder)


@pytest.mark.parametrize("name", REFERENCE["smoothing_and_stop_rule"]["cases"])
def test_smoothing_agrees_with_the_reference(name):
    case = REFERENCE["smoothing_and_stop_rule"]["cases"][name]
    smoothed = smooth(case["raw"])[: len(case["smooth"])]
    assert smoothed == pytest.approx(case["smooth"], rel=AGREE)


def test_smoothing_begins_at_the_first_loss_and_beta_zero_changes_nothing():
    losses = [3.0, 1.0, 2.0]
    assert smooth(losses)[0] == pytest.approx(3.0)
    assert smooth(losses, beta=0.0) == pytest.approx(losses)
    assert len(smooth([])) == 0


def test_smoothing_of_one_is_refused():
    with pytest.raises(SettingsError):
        smooth([1.0], beta=1.0)


@pytest.mark.parametrize(("curve", "rule"), [(c, r) for c in CURVES for r in CURVES[c]["suggest"]])
def test_rules_agree_with_the_reference(curve, rule):
    case, expected = CURVES[curve], CURVES[curve]["suggest"][rule]
    found = suggest(LADDER, case["losses"], steps=case["num_it"])[rule]
    if "ok" in expected:
        assert found.lr == pytest.approx(expected["ok"], rel=AGREE)
    else:
        assert found.lr is None and found.index is None and "16" in found.why


@pytest.mark.parametrize("curve", CURVES)
def test_an_index_names_the_point_in_the_arrays_that_were_given(curve):
    answers = suggest(LADDER, CURVES[curve]["losses"], steps=100)
    for name, below in (("valley", 1), ("steep", 1), ("slide", 1), ("minimum", 10), ("before_rise", 10)):
        if answers[name].lr is not None:
            assert answers[name].lr == pytest.approx(LADDER[answers[name].index] / below)


def test_doubts_are_said_where_nothing_falls():
    answers = suggest(LADDER, CURVES["flat_then_up"]["losses"])
    for name in ("valley", "steep", "minimum", "slide"):
        assert "0 %" in answers[name].why
    assert "never falls" in answers["valley"].why


def test_a_clear_descent_raises_no_doubts():
    for answer in suggest(LADDER, CURVES["smooth_u"]["losses"]).values():
        assert "lean" not in answer.why and "guess" not in answer.why


def test_a_clear_descent_recommends_the_valley():
    for name in ("smooth_u", "monotone_down"):
        answers = suggest(LADDER, CURVES[name]["losses"])
        assert answers["recommended"].lr == answers["valley"].lr
        assert "clear descent" in answers["recommended"].why


def test_a_curve_that_is_flat_and_then_rises_recommends_ten_times_below_the_rise():
    answers = suggest(LADDER, CURVES["flat_then_up"]["losses"])
    assert answers["recommended"].lr == answers["before_rise"].lr == pytest.approx(LADDER[78] / 10)


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_not_taken_for_a_descent(seed):
    # a trained model: batch losses scatter by 30 % around 0.1 until the rate of 0.01 breaks it
    rng, lrs = np.random.default_rng(seed), lr_ladder()
    raw = 0.1 * rng.lognormal(0, 0.3, 100) * (1 + (lrs / 0.01) ** 2)
    smoothed = smooth(raw)
    end = int(np.argmax(smoothed > 4 * np.minimum.accumulate(smoothed))) + 1
    found = suggest(lrs[:end], smoothed[:end])["recommended"]
    assert 1e-4 < found.lr < 1e-2


@pytest.mark.parametrize("seed", range(20))
def test_a_bumpy_descent_is_found(seed):
    # an untrained head: from 1.1 down to 0.3 between rates of 1e-4 and 1e-1, then up
    rng, lrs = np.random.default_rng(seed), lr_ladder()
    level = 1.1 - 0.8 / (1 + (3e-3 / lrs)) + (lrs / 0.5) ** 2
    smoothed = smooth(level * rng.lognormal(0, 0.15, 100))
    assert 1e-4 < suggest(lrs, smoothed)["recommended"].lr < 5e-2


def test_the_recommended_rate_stays_on_the_ladder():
    lrs = lr_ladder()
    losses = np.exp(np.arange(100) / 5)  # rises from the first batch
    answers = suggest(lrs, losses)
    assert answers["before_rise"].lr < lrs[10]
    assert answers["recommended"].lr == lrs[10]


def test_a_loss_that_stops_being_a_number_counts_as_a_rise():
    answers = suggest(lr_ladder(), FLAT[:60] + [math.nan] * 40)
    assert answers["before_rise"].index == 59
    assert answers["recommended"].lr == pytest.approx(lr_ladder()[59] / 10)


def test_everything_from_the_first_nan_on_is_passed_over():
    losses = list(CURVES["smooth_u"]["losses"])
    losses[60] = math.nan
    answers = suggest(LADDER, losses)
    assert answers["minimum"].index == 59


def test_a_flat_curve_recommends_nothing_and_says_why():
    found = suggest(lr_ladder(), FLAT)["recommended"]
    assert found == Suggestion(None, None, found.why) and "neither falls nor rises" in found.why


@pytest.mark.parametrize("size", range(17))
def test_short_curves_get_a_sentence_and_no_recommendation_out_of_nothing(size):
    answers = suggest(lr_ladder()[:size], [1.0 - 0.001 * i for i in range(size)])
    assert list(answers) == NAMES
    assert answers["recommended"].lr is None and "too short" in answers["recommended"].why
    assert answers["slide"].lr is None and "needs 16" in answers["slide"].why


@pytest.mark.parametrize("losses", ([math.nan] * 100, [math.inf] * 100, ["loss"] * 100))
def test_curves_without_a_single_number_have_no_answer(losses):
    for answer in suggest(lr_ladder(), losses).values():
        assert answer.lr is None and answer.index is None and answer.why.endswith(".")


def test_rates_that_do_not_change_have_no_slope():
    assert suggest([0.1] * 100, FLAT)["steep"].lr is None


def test_a_range_test_suggests_from_its_smoothed_losses():
    losses = CURVES["smooth_u"]["losses"]
    found = RangeTest(tuple(LADDER), tuple(FLAT), tuple(losses))
    assert found.suggestions == suggest(LADDER, losses)
    assert found.stopped is None


@pytest.mark.parametrize("name", RULES)
def test_every_rule_says_what_it_does(name):
    assert RULES[name].__doc__


ANY = st.floats(allow_nan=True, allow_infinity=True)
CURVE = st.lists(ANY, max_size=60) | st.lists(st.floats(-1e3, 1e3), min_size=15, max_size=60)


@settings(max_examples=150, deadline=None)
@given(losses=CURVE, lrs=CURVE | st.just(list(lr_ladder())), steps=st.integers(-10, 200))
def test_no_curve_raises_and_every_answer_is_whole(losses, lrs, steps):
    answers = suggest(lrs, losses, steps=steps)
    assert list(answers) == NAMES
    for answer in answers.values():
        assert (answer.lr is None) == (answer.index is None)
        assert answer.lr is None or (math.isfinite(answer.lr) and 0 <= answer.index < min(len(lrs), len(losses)))
        assert len(answer.why) > 20


def test_after_a_ruinous_rate_a_tenth_is_tried_but_never_more_than_what_suits_most_heads():
    assert lower_rate(1e-2) == pytest.approx(1e-3)
    assert lower_rate(1e6) == 3e-3
