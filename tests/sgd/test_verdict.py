"""Verdicts: what the lesson's rates do, the exact limits of the rules, and what a swing is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sgd.regression import best_line, descend, hessian, make_points
from core.sgd.rules import Hyper
from core.sgd.setup import MENU
from core.sgd.verdict import KINDS, half_swings, judge, limit_of

RULE = {"momentum": "sgd"}


def verdict_of(*, rate, steps=100, batch=None, rule="sgd", momentum=0.0, start=(-1, 1), seed=0):
    x, y = make_points(seed=seed)
    path = descend(
        x, y, start, lr=rate, steps=steps, batch_size=batch, rule=RULE.get(rule, rule), hyper=Hyper(momentum=momentum)
    )
    bottom = best_line(x, y)
    best = float(np.mean((x @ bottom - y) ** 2))
    return judge(path.a, path.loss, bottom, best, np.linalg.eigh(hessian(x))[1], path.diverged_at is not None)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("converge", {"rate": 0.1}),
        ("converge", {"rate": 0.1, "batch": 20}),
        ("converge", {"rate": 0.1, "batch": 1}),
        ("crawl", {"rate": 0.001}),
        ("diverge", {"rate": 1.2}),
        ("zigzag", {"rate": 0.93}),
        ("zigzag", {"rate": 0.1, "rule": "momentum", "momentum": 0.9}),
    ],
)
@pytest.mark.parametrize("seed", [0, 3])
def test_what_the_lesson_s_rates_do(kind, options, seed):
    assert verdict_of(**options, seed=seed).kind == kind


def test_a_crawl_says_how_much_of_the_way_is_left():
    found = verdict_of(rate=0.001)
    assert 0.7 < found.left < 0.95 and found.end > 10 * found.best


def test_a_start_at_the_bottom_has_arrived():
    x, y = make_points()
    assert verdict_of(rate=0.1, start=tuple(best_line(x, y))).kind == "converge"


def test_one_step_that_is_a_little_long_is_no_zigzag():
    assert verdict_of(rate=0.6).kind == "converge"


@pytest.mark.parametrize(
    ("along", "swings"),
    [([1, -1, 1], 2), ([1, -0.1, 1], 0), ([1, 0.2, -1, -1, 0.9], 2), ([0.1, -0.1], 0), ([], 0)],
)
def test_a_swing_is_one_that_can_be_seen(along, swings):
    assert half_swings(np.array(along, dtype=float), 0.5) == swings


@settings(max_examples=30, deadline=None)
@given(rule=st.sampled_from(["sgd", "momentum", "nesterov"]), momentum=st.floats(0.05, 0.8), seed=st.integers(0, 999))
def test_just_below_its_limit_a_rule_comes_closer_and_just_above_it_leaves(rule, momentum, seed):
    x, y = make_points(30, seed=seed)
    values, axes = np.linalg.eigh(hessian(x))
    bottom, limit = best_line(x, y), limit_of(rule, momentum, float(values[-1]))
    hyper = Hyper(momentum=0.0 if rule == "sgd" else momentum)

    def far(rate):
        path = descend(x, y, bottom + axes[:, -1], lr=rate, steps=600, rule=RULE.get(rule, rule), hyper=hyper)
        return np.abs((path.a - bottom) @ axes[:, -1])[-20:].max()

    assert far(0.97 * limit) < 0.1 and far(1.03 * limit) > 10


def test_rules_that_scale_their_steps_have_no_fixed_limit():
    assert [rule for rule in MENU if limit_of(rule, 0.9, 2.0) is None] == ["rmsprop", "adam", "adamw"]
    assert limit_of("sgd", 0.9, 2.0) == 1.0 and limit_of("sgd", 0.9, 0.0) is None


@settings(max_examples=25, deadline=None)
@given(rate=st.floats(1e-6, 100), batch=st.integers(1, 30), rule=st.sampled_from(["sgd", "nesterov", "adam"]))
def test_every_descent_has_a_verdict(rate, batch, rule):
    found = verdict_of(rate=rate, batch=batch, rule=rule, steps=30)
    assert found.kind in KINDS and np.isfinite(found.left) and found.swings >= 0
