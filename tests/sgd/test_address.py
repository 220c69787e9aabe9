"""Set-ups as links: there and back without a loss, and whatever else stands in a link gives sentences and a set-up."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import LabError, SettingsError
from core.sgd.address import PARAMETERS, pack, read_setup, unpack, write_setup
from core.sgd.rules import RULES
from core.sgd.setup import MENU, POINTS_MAX, Setup, added, deleted, moved, near
from tests.hostile_names import HOSTILE_NAMES

PLANS = ("constant", "one_cycle", "sgdr")


def digits(low, high):
    return st.floats(low, high).map(lambda value: float(f"{value:.6g}")).filter(lambda value: low <= value <= high)


PLACES = st.tuples(st.floats(-10, 10), st.floats(-100, 100)).map(near)
SETUPS = st.builds(
    Setup,
    rate=digits(1e-6, 100),
    low=digits(1e-6, 100),
    high=digits(1e-6, 100),
    batch=st.integers(0, POINTS_MAX),
    rule=st.sampled_from(MENU),
    momentum=digits(0, 0.99),
    schedule=st.sampled_from(PLANS),
    steps=st.integers(10, 300),
    noise=digits(0, 5),
    n=st.integers(2, POINTS_MAX),
    outlier=digits(-20, 20),
    seed=st.integers(0, 9999),
    start=st.tuples(digits(-100, 100), digits(-100, 100)),
    points=st.none() | st.lists(PLACES, min_size=2, max_size=POINTS_MAX).map(tuple),
)


@given(SETUPS)
def test_a_link_gives_the_set_up_that_wrote_it(setup):
    assert read_setup(write_setup(setup), PLANS) == (setup, [])


def test_a_link_says_only_what_differs_from_the_usual():
    assert write_setup(Setup()) == {}
    assert write_setup(Setup(rate=1.2, batch=20, start=(0.5, -2))) == {"rate": "1.2", "batch": "20", "a": "0.5,-2"}


def test_two_hundred_points_fit_into_a_link():
    points = tuple(near((0.05 * i - 5, 0.3 * i)) for i in range(POINTS_MAX))
    assert len(pack(points)) == 1067 and unpack(pack(points)) == points


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from([*PARAMETERS, "other"]), st.text(max_size=40)))
def test_no_link_is_an_error(said):
    setup, faults = read_setup(said, PLANS)
    assert isinstance(setup, Setup) and len(faults) <= len(said)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *((name, "nan") for name in PARAMETERS),
        *((name, "") for name in PARAMETERS),
        *((name, "9" * 400) for name in PARAMETERS),
        *((name, HOSTILE_NAMES[0]) for name in PARAMETERS),
        ("rate", "inf"), ("rate", "0"), ("rate", "-0.1"), ("rate", "1e-9"), ("batch", "-1"), ("batch", "201"),
        ("batch", "2.5"), ("batch", "\u0661"), ("steps", "9"), ("steps", "100000"), ("n", "1"), ("mom", "1"),
        ("a", "1"), ("a", "1,2,3"), ("a", "nan,1"), ("a", "1e9,0"), ("rule", "luck"), ("plan", "luck"),
        ("pts", "AAAA"), ("pts", "AAAAAA"), ("pts", "A" * 4000), ("pts", "=="), ("out", "21"), ("seed", "10000"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_gives_one_sentence_and_the_usual(name, text):
    setup, [fault] = read_setup({name: text, "noise": "0.5"} if name != "noise" else {name: text}, PLANS)
    assert getattr(setup, PARAMETERS[name].field) == getattr(Setup(), PARAMETERS[name].field)
    assert (
        isinstance(fault, LabError) and fault.message.startswith(f"In the link, {name}: ") and "instead" in fault.hint
    )
    assert len(fault.message) < 160 and (name == "noise" or setup.noise == 0.5)


def test_the_menu_names_every_rule_and_momentum_besides():
    assert {*MENU} == {*RULES, "momentum"}


def test_points_are_moved_added_and_deleted():
    points = [(0.0, 0.0), (1.0, 1.0), (0.5, 2.0)]
    assert moved(Setup(), points, 1, (0.12345, 3.456)).points == ((0.0, 0.0), (0.123, 3.46), (0.5, 2.0))
    assert added(Setup(), points, (99.0, -999.0)).points[-1] == (10.0, -100.0)
    assert deleted(Setup(), points, 0).points == ((1.0, 1.0), (0.5, 2.0))


@pytest.mark.parametrize("act", [
    lambda: moved(Setup(), [(0.0, 0.0)] * 3, 3, (0, 0)),
    lambda: moved(Setup(), [(0.0, 0.0)] * 3, -1, (0, 0)),
    lambda: moved(Setup(), [(0.0, 0.0)] * 3, 0, (float("nan"), 0)),
    lambda: added(Setup(), [(0.0, 0.0)] * POINTS_MAX, (0, 0)),
    lambda: deleted(Setup(), [(0.0, 0.0)] * 2, 0),
])  # fmt: skip
def test_what_cannot_be_done_to_the_points_is_said(act):
    with pytest.raises(SettingsError):
        act()


def test_as_many_points_as_there_are_is_all_of_them():
    assert Setup(batch=100).batch_size is None and Setup(batch=99).batch_size == 99 and Setup().batch_size is None
