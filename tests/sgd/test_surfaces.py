"""The bumpy landscape: its minima and slopes against numbers on its curve, and balls that do what the limits say."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from core.sgd.surfaces import Versus, bumpy, roll

SEEDS = st.integers(0, 10_000)


@given(SEEDS)
def test_the_minima_are_where_they_are_said_to_be(seed):
    land = bumpy(seed)
    fine = np.linspace(0, land.length, 40_001)
    loss = land.loss(fine)
    low = fine[1:-1][(loss[1:-1] < loss[:-2]) & (loss[1:-1] <= loss[2:])]
    assert low == pytest.approx(land.minima, abs=2 * land.length / 40_000)
    assert land.loss(land.minima) == pytest.approx(land.heights[1::2])
    assert land.gradient(land.minima) == pytest.approx(np.zeros(len(low)), abs=1e-9)


@given(SEEDS)
def test_slopes_and_curvatures_are_those_of_the_curve(seed):
    land, step = bumpy(seed), 1e-5
    at = np.random.default_rng(seed).uniform(0.01, land.length - 0.01, 50)
    assert land.gradient(at) == pytest.approx((land.loss(at + step) - land.loss(at - step)) / (2 * step), abs=1e-2)
    second = (land.gradient(land.minima + step) - land.gradient(land.minima - step)) / (2 * step)
    assert second == pytest.approx(land.curvatures, rel=1e-4)


@given(SEEDS)
def test_every_narrow_valley_lets_go_at_rates_that_every_broad_one_holds(seed):
    land = bumpy(seed)
    assert land.limits[~land.broad].max() < land.limits[land.broad].min()
    assert land.broad.sum() == 3 and len(land.broad) == 12 and 0 < land.broad_share < 1


@pytest.mark.parametrize("number", range(12))
def test_a_ball_comes_to_rest_just_below_a_valleys_limit_and_not_just_above_it(number):
    land = bumpy(3)
    start, limit = land.minima[number] + 1e-4, land.limits[number]
    for factor, rests in ((0.95, True), (1.05, False)):
        at = start
        for _ in range(400):
            at = at - factor * limit * float(land.gradient(np.array([at]))[0])
        assert bool(abs(at - land.minima[number]) < 1e-4) is rests


def test_without_a_rate_nothing_moves_and_a_tiny_one_only_rolls_down():
    land = bumpy(1)
    assert (roll(land, [0.0] * 5, noise=9.0).at == roll(land, [0.0]).at[0]).all()
    down = roll(land, [1e-3] * 2000, noise=0.0)
    assert (down.ended == land.valley_of(down.at[0])).all(), "every ball ends in the valley over which it began"
    assert down.in_broad / down.balls == pytest.approx(land.broad_share, abs=0.01)
    assert down.at[-1] == pytest.approx(land.minima[down.ended], abs=0.02)


@given(SEEDS, st.floats(0, 1e3), st.floats(0, 50))
def test_no_ball_leaves_the_landscape(seed, rate, noise):
    rolled = roll(bumpy(seed), [rate] * 5, balls=20, noise=noise, seed=seed)
    assert np.isfinite(rolled.at).all() and ((rolled.at >= 0) & (rolled.at <= rolled.land.length)).all()
    assert 0 <= rolled.in_broad <= rolled.balls == 20


def test_the_same_seed_rolls_the_same_way_and_another_does_not():
    land, rates = bumpy(2), [0.03] * 50
    assert (roll(land, rates, seed=4).at == roll(land, rates, seed=4).at).all()
    assert (roll(land, rates, seed=4).at != roll(land, rates, seed=5).at).any()


def test_a_rate_above_the_narrow_valleys_limit_fills_the_broad_ones():
    for seed in range(4):
        land = bumpy(seed)
        rates = 0.04 * (1 + np.cos(np.pi * np.arange(300) / 300)) / 2
        assert roll(land, rates).in_broad > 0.9 * 400 > 400 * (land.broad_share + 0.2)


def test_what_is_luck_is_two_standard_errors():
    assert Versus(200, 200, 400).is_luck and Versus(210, 200, 400).is_luck
    assert not Versus(280, 200, 400).is_luck and Versus(280, 200, 400).gap == pytest.approx(0.2)
    assert Versus(200, 200, 400).luck == pytest.approx(2 * np.sqrt(0.5 / 400))
    assert Versus(400, 400, 400).is_luck and not Versus(400, 390, 400).is_luck


@pytest.mark.parametrize(
    "ask",
    ({"balls": 0}, {"noise": -1.0}, {"noise": float("nan")}, {"rates": []}, {"rates": [-1.0]}, {"rates": [1e400]}),
)
def test_what_cannot_roll_is_a_sentence(ask):
    with pytest.raises(SettingsError):
        roll(bumpy(), **{"rates": [0.1], **ask})
    with pytest.raises(SettingsError):
        bumpy(broad=0, narrow=0)
