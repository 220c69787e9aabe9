"""Schedules: worked numbers, the reference library's numbers, and what every entry of the registry promises."""

from __future__ import annotations

import functools
import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import SettingsError
from core.train.schedules import (
    SCHEDULES,
    check_options,
    constant,
    cosine,
    exponential,
    flat_cos,
    linear,
    momentum_at,
    one_cycle,
    one_cycle_momentum,
    painted,
    rate_at,
    sgdr,
    simulate,
    spread,
    step,
)

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "fastai_numbers.json").read_text())
AGREE = 1e-5
CYCLE = REFERENCE["one_cycle_pure"]


@pytest.mark.parametrize("steps", (50, 100))
def test_one_cycle_agrees_with_the_reference(steps):
    rates = [one_cycle(i / steps, lr_max=CYCLE["params"]["lr_max"]) for i in range(steps)]
    assert rates == pytest.approx(CYCLE[f"lr_{steps}"], rel=AGREE)
    assert one_cycle(1.0, lr_max=CYCLE["params"]["lr_max"]) == pytest.approx(CYCLE["lr_at_pos_1"], rel=AGREE)


@pytest.mark.parametrize("steps", (50, 100))
def test_one_cycle_momentum_agrees_with_the_reference(steps):
    moms = [one_cycle_momentum(i / steps) for i in range(steps)]
    assert moms == pytest.approx(CYCLE[f"mom_{steps}"], rel=AGREE)
    assert one_cycle_momentum(1.0) == pytest.approx(CYCLE["mom_at_pos_1"], rel=AGREE)


@pytest.mark.parametrize(("rule", "name"), ((linear, "lin"), (cosine, "cos"), (exponential, "exp")))
def test_annealing_agrees_with_the_reference(rule, name):
    ref = REFERENCE["annealers_pure"]
    rates = [rule(pos, lr_max=ref["start"], lr_min=ref["end"]) for pos in ref["pos"]]
    assert rates == pytest.approx(ref[name], rel=AGREE)


def test_constant_agrees_with_the_reference():
    ref = REFERENCE["annealers_pure"]
    assert [constant(pos, lr_max=ref["start"]) for pos in ref["pos"]] == pytest.approx(ref["no"], rel=AGREE)


@pytest.mark.parametrize("case", REFERENCE["even_mults"]["even_mults"])
def test_a_pair_spreads_as_the_reference_spreads_it(case):
    expected = case["value"] if isinstance(case["value"], list) else [case["value"]]
    assert spread((case["start"], case["stop"]), case["n"]) == pytest.approx(expected, rel=AGREE)


@pytest.mark.parametrize("case", REFERENCE["even_mults"]["set_hyper"])
def test_groups_get_the_rates_the_reference_gives_them(case):
    assert spread(tuple(case["slice"]), case["n_groups"]) == pytest.approx(case["lrs"], rel=AGREE)


@pytest.mark.parametrize("case", REFERENCE["even_mults"]["lists"])
def test_a_list_of_rates_is_taken_only_when_it_has_one_per_group(case):
    if "error" in case:
        with pytest.raises(SettingsError, match="2 rates were given for 3"):
            spread(case["lr"], case["n_groups"])
    else:
        assert spread(case["lr"], case["n_groups"]) == pytest.approx(case["ok"], rel=AGREE)


@pytest.mark.parametrize("lr", ((0.0, 1e-3), (1e-4, 0.0), (None, math.nan), [1e-3, -1.0, 1.0], (-1e-4, 1e-3)))
def test_rates_that_are_not_positive_numbers_are_refused(lr):
    with pytest.raises(SettingsError):
        spread(lr, 3)


def test_no_layer_groups_are_refused():
    with pytest.raises(SettingsError):
        spread(1e-3, 0)


def test_rates_restart_exactly_at_cycle_ends():
    per_epoch, epochs = 10, 7  # cycles of 1, 2 and 4 epochs
    rates = [sgdr(i / per_epoch, lr_max=1.0, cycle_mult=2) for i in range(per_epoch * epochs)]
    assert [i for i, rate in enumerate(rates) if rate == 1.0] == [0, 10, 30]


@pytest.mark.parametrize(
    ("per_epoch", "length", "factor", "cycles"),
    list(itertools.product((1, 3, 7, 10, 49, 97), (1, 2, 3), (1, 1.5, 2, 3), (4,))),
)
def test_restarts_do_not_slip_by_a_step_however_the_position_was_computed(per_epoch, length, factor, cycles):
    ends = list(itertools.accumulate(length * factor**k for k in range(cycles)))
    epochs = ends[-1]
    steps = math.floor(epochs * per_epoch)
    # a step restarts when it is the first one at or after a cycle's end; with whole ends it then has the full rate
    whole = {round(end * per_epoch) for end in [0, *ends[:-1]] if float(end * per_epoch).is_integer()}
    divided = [i / per_epoch for i in range(steps)]
    scaled = [i / (epochs * per_epoch) * epochs for i in range(steps)]
    summed = list(itertools.accumulate([1 / per_epoch] * (steps - 1), initial=0.0))
    for clock in (divided, scaled, summed):
        rates = [sgdr(epoch, lr_max=1.0, cycle_len=length, cycle_mult=factor) for epoch in clock]
        assert {i for i, rate in enumerate(rates) if rate > 1 - 1e-9} == whole


def test_cycles_of_one_length_repeat_without_end():
    first = [sgdr(k / 8, lr_max=0.1, lr_min=0.01) for k in range(8)]
    later = [sgdr(1000 + k / 8, lr_max=0.1, lr_min=0.01) for k in range(8)]
    assert first == pytest.approx(later)
    assert first[0] == 0.1 and first[4] == pytest.approx(0.055) and first[7] > 0.01


@pytest.mark.parametrize(
    "options", ({"cycle_len": 0}, {"cycle_mult": 0.5}, {"cycle_len": -1}, {"cycle_mult": math.nan})
)
def test_cycles_that_never_end_are_refused(options):
    with pytest.raises(SettingsError):
        sgdr(1.0, lr_max=0.1, **options)


def test_sgdr_by_name_counts_epochs_and_does_not_restart_at_the_end_of_the_run():
    epochs, steps = 7, 70
    rates = [rate_at("sgdr", i / steps, lr_max=1.0, epochs=epochs, cycle_mult=2) for i in range(steps + 1)]
    assert [i for i, rate in enumerate(rates) if rate == 1.0] == [0, 10, 30]
    assert rates[-1] < 1e-9


def test_step_drops_at_its_edges():
    assert simulate(step, 9, lr_max=1.0) == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01, 0.01])
    assert step(0.3, lr_max=2.0, at=(0.1, 0.2, 0.3), factor=0.5) == pytest.approx(0.25)


def test_flat_cosine_is_flat_and_then_falls():
    rates = simulate(flat_cos, 101, lr_max=2e-3)
    assert rates[:76] == pytest.approx(2e-3)
    assert (np.diff(rates[75:]) < 0).all()
    assert rates[-1] == pytest.approx(2e-8)


def test_an_exponential_towards_zero_is_refused():
    with pytest.raises(SettingsError):
        exponential(0.5, lr_max=0.1, lr_min=0.0)


def test_cycles_without_a_rise_or_without_a_fall_are_allowed():
    assert one_cycle(0.0, lr_max=1.0, pct_start=0.0) == 1.0
    assert one_cycle(1.0, lr_max=1.0, pct_start=1.0) == 1.0


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_stays_between_zero_and_its_rate(name):
    rates = simulate(functools.partial(rate_at, name, lr_max=3e-3, epochs=7), 401)
    assert ((rates >= 0) & (rates <= 3e-3 * (1 + 1e-12))).all()
    assert rates.max() == pytest.approx(3e-3)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_called_in_one_manner_and_scales_with_its_rate(name):
    for pos in (-1e-12, 0.0, 0.3, 0.5, 1.0, 1.0 + 1e-12):
        assert SCHEDULES[name](pos, lr_max=0.02) == pytest.approx(0.02 * SCHEDULES[name](pos), rel=1e-12)
        assert SCHEDULES[name](pos, lr_max=0.02, epochs=1) == rate_at(name, pos, lr_max=0.02)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_says_what_it_does(name):
    assert SCHEDULES[name].__doc__


def test_the_registry_holds_the_nine_schedules():
    assert set(SCHEDULES) == {
        "one_cycle", "sgdr", "cosine", "linear", "step", "exponential", "flat_cos", "constant",
        "painted",
    }  # fmt: skip


def test_momentum_moves_against_the_rate_only_in_one_cycle():
    assert [momentum_at("one_cycle", pos) for pos in (0.0, 0.25, 1.0)] == pytest.approx([0.95, 0.85, 0.95])
    assert {momentum_at(name, 0.4) for name in SCHEDULES if name != "one_cycle"} == {0.9}


def test_an_unknown_schedule_names_the_known_ones():
    for ask in (functools.partial(rate_at, lr_max=1.0), momentum_at):
        with pytest.raises(SettingsError, match="one_cycle, .*constant"):
            ask("two_cycles", 0.5)


def test_simulate_covers_both_ends():
    assert simulate(cosine, 3) == pytest.approx([1.0, 0.5, 0.0])
    assert simulate(one_cycle_momentum, 5) == pytest.approx([0.95, 0.85, 0.875, 0.925, 0.95])


KNOTS = st.integers(2, 6).flatmap(
    lambda count: st.tuples(
        st.lists(st.integers(1, 99), min_size=count - 2, max_size=count - 2, unique=True).map(
            lambda inner: (0.0, *(place / 100 for place in sorted(inner)), 1.0)
        ),
        st.lists(st.integers(0, 100).map(lambda height: height / 100), min_size=count, max_size=count),
    )
)


@given(KNOTS, st.floats(0, 1))
def test_a_painted_schedule_goes_through_its_knots_and_overshoots_none(knots, pos):
    places, heights = knots
    for place, height in zip(places, heights, strict=True):
        assert painted(place, lr_max=0.02, places=places, heights=heights) == pytest.approx(0.02 * height, abs=1e-15)
    rate = painted(pos, lr_max=0.02, places=places, heights=heights)
    around = [
        pair
        for (start, end), pair in zip(itertools.pairwise(places), itertools.pairwise(heights), strict=True)
        if start <= pos <= end
    ]
    assert any(min(pair) * 0.02 - 1e-12 <= rate <= max(pair) * 0.02 + 1e-12 for pair in around)


@pytest.mark.parametrize("pos", (0.0, 0.1, 0.25, 0.5, 0.9, 1.0))
def test_one_cycle_and_the_cosine_are_painted_with_three_and_two_knots(pos):
    knots = {"places": (0, 0.25, 1), "heights": (1 / 25, 1, 1e-5)}
    assert painted(pos, lr_max=0.3, **knots) == pytest.approx(one_cycle(pos, lr_max=0.3), rel=1e-12)
    assert painted(pos, places=(0, 1), heights=(1, 0)) == pytest.approx(cosine(pos), abs=1e-15)


@pytest.mark.parametrize(
    "knots",
    (
        {"places": (0, 1)},
        {"places": (0, 0.5, 0.5, 1)},
        {"places": (0, 0.6, 0.4, 1)},
        {"places": (0.1, 0.2, 0.3, 1)},
        {"places": (0, 0.2, 0.3, 0.9)},
        {"places": (0, 0.2, math.nan, 1)},
        {"heights": (0.1, 1.1, 0.5, 0)},
        {"heights": (0.1, -0.1, 0.5, 0)},
        {"heights": (0.1, math.nan, 0.5, 0)},
        {"places": "0123", "heights": "0123"},
        {"places": (), "heights": ()},
        {"places": 3},
        {"heights": [None] * 4},
    ),
)
def test_knots_that_are_none_are_refused_with_a_sentence(knots):
    with pytest.raises(SettingsError):
        check_options("painted", knots)
