"""Phases: rates over all steps as a training takes them, and text that an address carries there and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SettingsError
from core.train.phases import EPOCHS_MAX, PHASES_MAX, Phase, cycles, parsed, rates_over, written
from core.train.schedules import SCHEDULES, rate_at

PHASES = st.lists(
    st.builds(
        Phase,
        st.sampled_from(sorted(SCHEDULES)),
        st.integers(1, EPOCHS_MAX),
        st.floats(1e-7, 10).map(lambda lr: float(f"{lr:.3g}")),
    ),
    min_size=1,
    max_size=PHASES_MAX,
)


@settings(max_examples=40)
@given(PHASES)
def test_what_is_written_is_read_back(phases):
    assert list(parsed(written(phases))) == phases
    assert (
        written(phases).replace("_", "").replace("-", "").replace("~", "").replace(".", "").replace("=", "").isalnum()
    )


def test_options_and_knots_are_read_back():
    phases = (
        Phase("sgdr", 7, 3e-3, {"cycle_len": 1.0, "cycle_mult": 2.0}),
        Phase("painted", 2, 1e-5, {"places": (0.0, 0.2, 0.65, 1.0), "heights": (0.1, 1.0, 0.3, 0.0)}),
        Phase("step", 3, 1e-3, {"at": (0.25, 0.5), "factor": 1e-5}),
    )
    assert parsed(written(phases)) == phases


@given(st.text(max_size=80) | st.text("one_cyclesgdrpainted-0123456789.=~em_and_", max_size=120))
def test_no_text_does_more_than_a_sentence(text):
    try:
        found = parsed(text)
    except SettingsError as error:
        assert error.hint
    else:
        assert all(phase.schedule in SCHEDULES for phase in found)


@pytest.mark.parametrize(
    "text",
    ("", "x", "one_cycle", "one_cycle-4", "one_cycle-0-0.1", "one_cycle-4-nan", "one_cycle-4-inf", "one_cycle-4--1",
     "one_cycle-101-0.1", "one_cycle-4-0.1-x=1", "one_cycle-4-0.1-pct_start", "painted-4-0.1-places=0~1",
     "sgdr-4-0.1-cycle_len=0", "one_cycle-4-0.1_and_" * 7, "a" * 2000, "one_cycle-²-0.1", "cosine-9999999-1"),
)  # fmt: skip
def test_what_is_no_phase_is_a_sentence(text):
    with pytest.raises(SettingsError):
        parsed(text)


def test_rates_over_phases_are_those_of_each_phase_at_its_own_place():
    phases = [Phase("constant", 2, 0.01), Phase("cosine", 6, 0.1)]
    rates = rates_over(phases, 80)
    assert rates[:20] == pytest.approx(np.full(20, 0.01))
    assert rates[20:] == pytest.approx([rate_at("cosine", step / 60, lr_max=0.1) for step in range(60)])


@settings(max_examples=40)
@given(PHASES, st.integers(1, 300))
def test_every_step_has_a_rate_up_to_the_highest(phases, steps):
    rates = rates_over(phases, steps)
    assert len(rates) == steps and (rates >= 0).all()
    assert rates.max() <= max(phase.lr for phase in phases) * (1 + 1e-9)


def test_the_stage_of_a_phase_follows_the_same_schedule():
    phase = Phase("painted", 3, 0.02, {"places": (0, 0.5, 1), "heights": (0, 1, 0)})
    stage = phase.stage()
    assert stage.frozen and stage.epochs == 3 and stage.lr_max == 0.02
    assert rate_at(stage.schedule, 0.3, lr_max=stage.lr_max, epochs=3, **stage.options) == phase.rate(0.3)


def test_cycles_stand_on_the_axis_of_epochs():
    assert cycles(7, 1, 2) == [(0, 1, True), (1, 3, True), (3, 7, True)]
    assert cycles(5, 1, 2)[-1] == (3, 5, False)
    assert cycles(3, 1, 1) == [(0, 1, True), (1, 2, True), (2, 3, True)]
    assert cycles(2, 4, 2) == [(0, 2, False)]


@given(st.integers(1, 60), st.sampled_from([1, 2, 3]), st.sampled_from([1, 1.5, 2, 3]))
def test_a_cycle_begins_exactly_where_the_rate_is_at_the_top_again(epochs, length, factor):
    for start, _, _ in cycles(epochs, length, factor):
        at = rate_at("sgdr", start / epochs, lr_max=1.0, epochs=epochs, cycle_len=length, cycle_mult=factor)
        assert at == pytest.approx(1.0, abs=1e-6)
