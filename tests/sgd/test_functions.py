"""Fits of every capacity: the split, what the cases of the page claim, and what more points do."""

from dataclasses import replace

import numpy as np
import pytest

from core.errors import SettingsError
from core.sgd.functions import (
    FAMILIES,
    FINE,
    POINTS_MAX,
    REDRAWS,
    TARGETS,
    Setup,
    best_of,
    fits,
    judge,
    misses_of,
    points_of,
    redrawn,
    wobble,
    worse_in,
)
from core.ui.capacity import CASES, PINS


def judged(setup, pins):
    """The fit, the verdict and the count for "under" and "over", each against "right"."""
    found = {fit.capacity: fit for fit in fits(setup)}
    misses = misses_of(setup, redrawn(setup, list(pins.values())))
    right = found[pins["right"]]
    return {
        role: (found[pins[role]], judge(found[pins[role]], right, worse_in(misses[number], misses[1])))
        for number, role in enumerate(pins)
    }


def case(name):
    """The set-up and the pins of one of the page's cases."""
    said = CASES[name]
    names = {"count": "points", "spread": "noise", "passes": "epochs", "draw": "seed"}
    setup = Setup(**{names.get(key, key): value for key, value in said.items() if not key.startswith("pin_")})
    return setup, {role: said.get(f"pin_{role}", usual) for role, usual in PINS[setup.family].items()}


@pytest.mark.parametrize("seed", range(3))
def test_learned_by_heart_too_many_numbers_overfit_and_too_few_underfit(seed):
    setup, pins = case("by_heart")
    verdicts = judged(replace(setup, seed=seed), pins)
    assert verdicts["under"][1] == "under" and verdicts["over"][1] == "over" and verdicts["right"][1] == "alike"
    assert verdicts["over"][0].valid_loss > 100 * verdicts["right"][0].valid_loss


@pytest.mark.parametrize("seed", range(3))
def test_the_same_numbers_kept_small_do_not_explode(seed):
    setup, pins = case("decayed")
    wild = judged(replace(case("by_heart")[0], seed=seed), pins)["over"][0]
    tame = judged(replace(setup, seed=seed), pins)["over"][0]
    assert tame.parameters == wild.parameters == 19
    assert tame.train_loss > wild.train_loss and tame.valid_loss < 0.5 < 10 < wild.valid_loss


@pytest.mark.parametrize("seed", range(3))
def test_a_network_with_far_more_numbers_than_points_does_not_overfit(seed):
    setup, pins = case("wide")
    over, verdict = judged(replace(setup, seed=seed), pins)["over"]
    by_heart = judged(replace(case("by_heart")[0], seed=seed), case("by_heart")[1])["over"][0]
    assert over.parameters == 385 > 10 * len(points_of(setup).x) and verdict == "alike"
    assert over.valid_loss < by_heart.valid_loss / 10


def test_five_numbers_overfit_five_points():
    setup, pins = case("few")
    over, verdict = judged(setup, pins)["over"]
    assert over.parameters == 5 == len(points_of(setup).x) and verdict == "over" and over.train_loss < 1e-9


@pytest.mark.parametrize(("family", "capacity"), (("polynomial", 18), ("polynomial", 5), ("network", 16)))
def test_more_points_make_a_curve_depend_less_on_which_were_drawn(family, capacity):
    setup = Setup(family=family)
    before, now = (wobble(redrawn(replace(setup, points=count), [capacity])[0]) for count in (40, 140))
    assert now < before


def test_half_of_the_points_are_for_the_exam_and_more_points_keep_the_first():
    few, many = points_of(Setup(points=40)), points_of(Setup(points=90))
    assert len(few.x) == len(few.x_valid) == 20 and not set(few.x) & set(few.x_valid)
    assert (many.x[:20] == few.x).all() and (many.y_valid[:20] == few.y_valid).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_every_capacity_has_a_fit_with_losses_of_its_own_split(family):
    setup = Setup(family=family, epochs=60)
    points = points_of(setup)
    found = fits(setup)
    assert [fit.capacity for fit in found] == list(FAMILIES[family])
    for fit in found:
        assert fit.curve.shape == FINE.shape and len(fit.misses) == len(points.x_valid)
        assert np.isfinite(fit.train_loss) and fit.valid_loss >= 0
    assert best_of(found).valid_loss == min(fit.valid_loss for fit in found)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_fitted_without_noise(target):
    setup = Setup(family="network", target=target, noise=0.0, points=100)
    [fit] = fits(setup, [32])
    assert fit.valid_loss < 0.01


def test_a_drawn_target_is_what_the_points_lie_around():
    drawn = tuple(np.linspace(-1, 1, 41) ** 2)
    setup = Setup(drawn=drawn, noise=0.0, points=60)
    points = points_of(setup)
    assert points.y == pytest.approx(points.x**2, abs=1e-3)
    assert fits(setup, [4])[0].valid_loss < 1e-3


def test_a_verdict_needs_all_draws_but_one():
    setup, pins = case("by_heart")
    found = {fit.capacity: fit for fit in fits(setup)}
    over, right = found[pins["over"]], found[pins["right"]]
    verdicts = [judge(over, right, worse) for worse in (REDRAWS, REDRAWS - 1, REDRAWS - 2, 0)]
    assert verdicts == ["over", "over", "alike", "alike"]
    assert judge(found[1], right, REDRAWS) == "under" and judge(right, right, REDRAWS) == "alike"
    assert worse_in(np.array([1.0, 2, 3]), np.array([2.0, 1, 1])) == 2


@pytest.mark.parametrize(
    "ask",
    ({"family": "x"}, {"target": "x"}, {"points": 3}, {"points": POINTS_MAX + 1}, {"noise": -1.0}, {"noise": 11.0}),
)
def test_what_cannot_be_set_up_is_a_sentence(ask):
    with pytest.raises(SettingsError):
        Setup(**ask)
