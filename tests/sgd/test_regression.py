"""Descent on a line: reference numbers, the exact limit of the rate, and what a path must always keep to."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SettingsError
from core.sgd.regression import (
    batches,
    best_line,
    descend,
    hessian,
    largest_stable_lr,
    loss_at,
    make_points,
    steps_per_epoch,
)
from core.sgd.rules import RULES


@pytest.fixture
def lesson(reference):
    found = reference["sgd_lesson_derived"]
    return np.column_stack([found["x"], np.ones(100)]), np.array(found["y"]), found


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("full", {}),
        ("minibatch_20_in_order", {"batch_size": 20, "shuffle": False}),
        ("too_low", {}),
        ("too_high", {}),
    ],
)
def test_the_lesson_s_numbers(lesson, name, options):
    x, y, found = lesson
    asked = found[name]
    path = descend(x, y, (-1, 1), lr=asked["lr"], steps=asked["steps"], **options)
    assert path.a[::10] == pytest.approx(np.array(asked["params_every_10"]), rel=1e-9)
    assert path.loss[::10] == pytest.approx(np.array(asked["loss_every_10"]), rel=1e-9)


def test_limit_and_best_line_of_the_lesson(lesson):
    x, y, found = lesson
    assert np.linalg.eigvalsh(hessian(x)) == pytest.approx(found["hessian_eigenvalues"], rel=1e-9)
    assert largest_stable_lr(x) == pytest.approx(found["diverges_above_lr"], rel=1e-9)
    assert best_line(x, y) == pytest.approx(found["least_squares"], rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(3, 60), seed=st.integers(0, 10_000), noise=st.floats(0, 2))
def test_just_below_the_limit_it_converges_and_just_above_it_diverges(n, seed, noise):
    x, y = make_points(n, noise=noise, seed=seed)
    bottom, limit = best_line(x, y), largest_stable_lr(x)
    steep = np.linalg.eigh(hessian(x))[1][:, -1]  # the direction in which it is decided
    below = descend(x, y, bottom + steep, lr=0.98 * limit, steps=400)
    above = descend(x, y, bottom + steep, lr=1.02 * limit, steps=400)
    assert abs((below.a[-1] - bottom) @ steep) < 1e-2 and below.diverged_at is None
    assert abs((above.a[-1] - bottom) @ steep) > 10


def test_divergence_is_told_and_ends_the_path():
    x, y = make_points(seed=1)
    path = descend(x, y, (-1, 1), lr=20 * largest_stable_lr(x), steps=300)
    assert path.diverged_at == len(path.rates) < 20
    assert len(path.a) == len(path.loss) == path.diverged_at + 1 and np.isfinite(path.loss).all()


def test_loss_and_slopes_along_the_path():
    x, y = make_points(40, seed=3)
    path = descend(x, y, (0, 0), lr=0.2, steps=30, batch_size=8, seed=5)
    for a, loss, grad, rows in zip(path.a, path.loss, path.grad, path.batches, strict=False):
        error = x @ a - y
        assert loss == pytest.approx((error**2).mean())
        assert grad == pytest.approx(2 * x[rows].T @ error[rows] / len(rows))
    assert path.full_grad[0] == pytest.approx(2 * x.T @ (x @ path.a[0] - y) / 40)


def test_all_points_at_once_is_the_full_slope_and_needs_no_seed():
    x, y = make_points(30, seed=2)
    one, two = (descend(x, y, (1, 1), lr=0.1, steps=20, seed=seed) for seed in (0, 1))
    assert np.array_equal(one.a, two.a) and one.grad == pytest.approx(one.full_grad)


@pytest.mark.parametrize("rule", RULES)
def test_the_formula_s_slope_gives_the_path_of_backward(rule):
    x, y = make_points(30, seed=2)
    one, two = (descend(x, y, (1, -1), lr=0.1, steps=60, rule=rule, by_formula=way) for way in (False, True))
    assert two.a == pytest.approx(one.a, rel=1e-7, abs=1e-7) and two.loss == pytest.approx(one.loss, rel=1e-7)


def test_an_epoch_shows_every_point_once():
    walk = batches(23, 5, seed=4)
    assert steps_per_epoch(23, 5) == 5
    for _ in range(3):
        assert sorted(np.concatenate([next(walk) for _ in range(5)])) == list(range(23))


def test_rates_one_by_one():
    x, y = make_points(20, seed=2)
    stands = descend(x, y, (1, 1), lr=[0.1, 0.0, 0.1], steps=3)
    assert np.array_equal(stands.a[1], stands.a[2]) and not np.array_equal(stands.a[2], stands.a[3])


def test_the_grid_of_losses_has_its_bottom_at_the_best_line():
    x, y = make_points(50, seed=7)
    best = best_line(x, y)
    grid = loss_at(x, y, best[0] + np.array([-1.0, 0, 2]), best[1] + np.array([-3.0, 0]))
    assert grid.shape == (2, 3) and grid.argmin() == 4
    assert grid[0, 2] == pytest.approx(np.mean((x @ (best + [2, -3]) - y) ** 2))


@pytest.mark.parametrize(
    "wrong",
    [{"rule": "luck"}, {"lr": [0.1, 0.2]}, {"lr": float("nan")}, {"batch_size": 0}],
)
def test_what_cannot_be_done_is_said(wrong):
    x, y = make_points(10)
    with pytest.raises(SettingsError):
        descend(x, y, (0, 0), **{"lr": 0.1, "steps": 3, **wrong})


def test_points_are_drawn_from_the_seed():
    x, y = make_points(12, noise=0, true=(4, -1), seed=9)
    assert np.array_equal(x, make_points(12, seed=9)[0]) and y == pytest.approx(4 * x[:, 0] - 1)
    assert make_points(12, noise=0, outlier=5, seed=9)[1][-1] == pytest.approx(5 + 3 * x[-1, 0] + 2)
    with pytest.raises(SettingsError):
        make_points(0)
