"""What to do with a finder's curve: a slice for an unfrozen model, zones and the texture, for every curve."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SettingsError
from core.train.finder_advice import high_from, slice_for, texture, zones
from core.train.lr_finder import lr_ladder, smooth, suggest

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "fastai_numbers.json").read_text())
CURVES = REFERENCE["suggestions"]["cases"]
LADDER = lr_ladder()
FLAT = [1.0] * 100
KINDS = ["too_low", "good", "too_high"]


def curve_falling_at(lr, *, fall=0.8, rise_at=1.0):
    """From 1 down to 0.2 around a rate, and up again around another."""
    return 1 - fall / (1 + (lr / LADDER) ** 2) + (LADDER / rise_at) ** 2


# --- the slice for an unfrozen model


def test_the_high_end_is_a_tenth_of_the_frozen_rate_and_says_so():
    found = slice_for(LADDER, FLAT, high=high_from(3e-3), frozen_lr=3e-3)
    assert found.high == pytest.approx(3e-4)
    assert "3e-4 is 3e-3" in found.why_high and "divided by 10" in found.why_high


def test_the_low_end_is_where_the_steepest_stretch_begins():
    found = slice_for(LADDER, curve_falling_at(3e-5), high=1e-3)
    assert 1e-5 < found.low < 3e-5
    assert "steepest slope that lasts" in found.why_low and "third" not in found.why_low


def test_one_steep_step_is_not_a_slope_that_lasts():
    losses = curve_falling_at(1e-4, rise_at=100.0)
    losses[20:] -= 0.05  # one batch of luck
    assert slice_for(LADDER, losses, high=1e-2).low == pytest.approx(
        slice_for(LADDER, curve_falling_at(1e-4, rise_at=100.0), high=1e-2).low, rel=0.3
    )


def test_a_curve_that_is_only_flat_and_then_up_gives_ten_times_below_the_rise():
    losses = np.where(LADDER < 1e-3, 1.0, 1 + (LADDER / 1e-3) ** 0.5)
    found = slice_for(LADDER, losses, high=3e-3)
    turn = LADDER[LADDER < 1e-3][-1]
    assert found.low == pytest.approx(turn / 10)
    assert "no lasting slope" in found.why_low and "turns up" in found.why_low


def test_a_low_end_near_the_high_one_is_capped_and_says_so():
    found = slice_for(LADDER, CURVES["smooth_u"]["losses"], high=3e-4)
    assert found.low == pytest.approx(1e-4) and "a third" in found.why_low


def test_a_low_end_far_below_the_high_one_is_raised_and_says_so():
    found = slice_for(LADDER, curve_falling_at(3e-6, rise_at=1e-3), high=1e-2)
    assert found.low == pytest.approx(1e-4) and "a hundredth" in found.why_low


@pytest.mark.parametrize("losses", ([], [1.0, 0.9], FLAT, [math.nan] * 100))
def test_a_curve_without_a_landmark_gives_no_low_end_and_a_reason(losses):
    found = slice_for(LADDER[: len(losses)], losses, high=3e-4)
    assert found.low is None and "all but the last layers get a tenth" in found.why_low


@pytest.mark.parametrize("high", (0.0, -1.0, math.nan, math.inf))
def test_a_high_end_that_is_no_rate_is_refused(high):
    with pytest.raises(SettingsError):
        slice_for(LADDER, FLAT, high=high)


# --- every curve

ANY = st.floats(allow_nan=True, allow_infinity=True)
CURVE = st.lists(ANY, max_size=60) | st.lists(st.floats(-1e3, 1e3), min_size=15, max_size=60)
RATES = CURVE | st.just(list(LADDER))


@settings(max_examples=100, deadline=None)
@given(losses=CURVE, lrs=RATES, steps=st.integers(-10, 200), high=st.floats(1e-6, 10))
def test_no_curve_breaks_the_slice_and_its_ends_keep_their_distance(losses, lrs, steps, high):
    found = slice_for(lrs, losses, steps=steps, high=high)
    assert found.high == high and len(found.why_low) > 20 and len(found.why_high) > 20
    assert found.low is None or high / 100 <= found.low <= high / 3


@settings(max_examples=100, deadline=None)
@given(losses=CURVE, smoothed=CURVE, lrs=RATES, steps=st.integers(-10, 200))
def test_no_curve_breaks_zones_and_texture(losses, smoothed, lrs, steps):
    found = zones(lrs, losses, smoothed, steps=steps)
    assert [zone.kind for zone in found] == [kind for kind in KINDS if kind in {zone.kind for zone in found}]
    assert all(zone.low < zone.high and len(zone.why) > 20 for zone in found)
    assert all(before.high == after.low for before, after in zip(found, found[1:], strict=False))
    assert texture(lrs, losses, smoothed, steps=steps).kind in ("smooth", "bumpy", "none")


# --- zones


def test_zones_cover_all_rates_and_the_good_one_holds_the_recommended_rate():
    losses = curve_falling_at(1e-3)
    found = zones(LADDER, losses, smooth(losses))
    assert [zone.kind for zone in found] == KINDS
    assert (found[0].low, found[-1].high) == (LADDER[0], LADDER[-1])
    good = found[1]
    assert good.low < suggest(LADDER, smooth(losses))["recommended"].lr < good.high < 0.1


def test_a_curve_that_is_only_flat_and_then_up_has_its_good_zone_below_the_rise():
    losses = np.where(LADDER < 1e-3, 1.0, 1 + (LADDER / 1e-3) ** 0.5)
    good = zones(LADDER, losses, losses)[1]
    turn = 10 * suggest(LADDER, losses)["before_rise"].lr
    assert good.low == pytest.approx(turn / 300) and good.high == pytest.approx(turn / 3)


def test_a_curve_that_falls_to_its_end_has_no_rate_that_is_too_high():
    losses = CURVES["monotone_down"]["losses"]
    assert [zone.kind for zone in zones(LADDER, losses, losses)] == ["too_low", "good"]


@pytest.mark.parametrize("losses", ([], [1.0, 0.5], FLAT, [math.nan] * 100))
def test_a_curve_that_says_nothing_has_no_zones(losses):
    assert zones(LADDER[: len(losses)], losses, losses) == ()


# --- texture


@pytest.mark.parametrize(("noise", "kind"), ((0.02, "smooth"), (0.4, "bumpy")))
def test_a_descent_is_smooth_or_bumpy_by_how_far_batches_lie_from_their_neighbours(noise, kind):
    rng = np.random.default_rng(1)
    losses = curve_falling_at(1e-3) + rng.normal(0, noise, 100)
    found = texture(LADDER, losses, smooth(losses))
    assert found.kind == kind and f"{100 * found.scatter:.0f} %" in found.why
    assert 1e-5 < found.first < 1e-2 < found.last < 1


def test_a_straight_descent_does_not_scatter():
    losses = np.linspace(1.0, 0.0, 100)
    assert texture(LADDER, losses, losses).scatter == pytest.approx(0, abs=1e-9)


def test_without_a_descent_there_is_no_texture():
    found = texture(LADDER, FLAT, FLAT)
    assert found.kind == "none" and found.scatter is None and "no clear descent" in found.why
