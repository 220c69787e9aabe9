"""Polynomials against NumPy's own least squares, and the limits of weight decay."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Legendre, Polynomial

from core.errors import SettingsError
from core.sgd.polynomials import fit_polynomial

FINE = np.linspace(-1, 1, 50)


def points(seed, n=40):
    draw = np.random.default_rng(seed)
    x = draw.uniform(-1, 1, n)
    return x, np.sin(3 * x) + 0.2 * draw.standard_normal(n)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(0, 12))
def test_it_is_the_least_squares_polynomial(seed, degree):
    x, y = points(seed)
    ours = fit_polynomial(x, y, degree)
    assert ours.parameters == degree + 1
    assert ours(FINE) == pytest.approx(Legendre.fit(x, y, degree, domain=[-1, 1])(FINE), rel=1e-6, abs=1e-6)
    assert np.mean((ours(x) - y) ** 2) == pytest.approx(np.mean((Polynomial.fit(x, y, degree)(x) - y) ** 2), rel=1e-6)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.integers(0, 30), st.floats(1e-6, 10))
def test_with_a_decay_the_gradient_of_what_is_minimised_is_zero(seed, degree, decay):
    x, y = points(seed)
    weights = fit_polynomial(x, y, degree, decay=decay).weights
    rows = np.polynomial.legendre.legvander(x, degree)
    penalised = np.where(np.arange(degree + 1) > 0, weights, 0.0)
    slope = 2 * rows.T @ (rows @ weights - y) / len(x) + 2 * decay * penalised
    assert np.abs(slope).max() < 1e-8


def test_a_huge_decay_leaves_the_mean_and_a_tiny_one_nothing_out():
    x, y = points(1)
    assert fit_polynomial(x, y, 8, decay=1e9)(FINE) == pytest.approx(np.full(50, y.mean()), abs=1e-6)
    assert fit_polynomial(x, y, 8, decay=1e-12)(FINE) == pytest.approx(fit_polynomial(x, y, 8)(FINE), abs=1e-4)


@settings(max_examples=20)
@given(st.integers(0, 1000))
def test_more_decay_makes_smaller_weights_and_a_larger_training_loss(seed):
    x, y = points(seed, 15)
    made = [fit_polynomial(x, y, 12, decay=decay) for decay in (1e-6, 1e-4, 1e-2, 1)]
    sizes = [np.sum(one.weights[1:] ** 2) for one in made]
    losses = [np.mean((one(x) - y) ** 2) for one in made]
    assert sizes == sorted(sizes, reverse=True) and losses == sorted(losses)


def test_as_many_numbers_as_points_go_through_all_of_them_and_more_take_the_smallest():
    x, y = points(2, 10)
    for degree in (9, 30, 100):
        assert fit_polynomial(x, y, degree)(x) == pytest.approx(y, abs=1e-6)
    sizes = [np.sum(fit_polynomial(x, y, degree).weights ** 2) for degree in (9, 30, 100)]
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("ask", ({"degree": -1}, {"degree": 201}, {"decay": -1.0}, {"decay": float("nan")}))
def test_what_cannot_be_fitted_is_a_sentence(ask):
    x, y = points(0)
    with pytest.raises(SettingsError):
        fit_polynomial(x, y, **{"degree": 3, **ask})
    with pytest.raises(SettingsError):
        fit_polynomial(x[:0], y[:0], 1)
