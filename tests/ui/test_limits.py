"""Token buckets: never more than flows in, and memory that has an end."""

from hypothesis import given
from hypothesis import strategies as st

from core.ui.limits import BURST_S, Buckets, seconds


@given(st.lists(st.floats(0, 5), min_size=1, max_size=80), st.integers(1, 600))
def test_in_any_stretch_of_time_no_more_pass_than_flow_in_and_lie_there(pauses, per_minute):
    buckets, now, passed = Buckets(per_minute), 0.0, []
    for pause in pauses:
        now += pause
        if buckets.take("a", now) == 0:
            passed.append(now)
    room = max(1.0, per_minute / 60 * BURST_S)
    for first in range(len(passed)):
        for last in range(first, len(passed)):
            flowed = (passed[last] - passed[first]) * per_minute / 60
            assert last - first + 1 <= room + flowed + 1e-6


@given(st.integers(1, 600))
def test_who_waits_as_long_as_told_is_let_through(per_minute):
    buckets, now = Buckets(per_minute), 0.0
    while not (wait := buckets.take("a", now)):
        pass
    assert wait > 0 and buckets.take("a", now + wait + 1e-9) == 0


def test_names_do_not_share_a_bucket():
    buckets = Buckets(6)
    assert buckets.take("a", 0.0) == 0 and buckets.take("a", 0.0) == 10.0 and buckets.take("b", 0.0) == 0


def test_a_clock_that_goes_back_gives_nothing_away():
    buckets = Buckets(6)
    assert buckets.take("a", 100.0) == 0 and buckets.take("a", 50.0) > 0 and buckets.take("a", 105.0) > 0


def test_a_million_names_need_the_memory_of_a_few():
    buckets = Buckets(6, most=100)
    for number in range(10_000):
        buckets.take(str(number), float(number))
    assert len(buckets) == 100


def test_a_wait_is_told_in_whole_seconds():
    assert [seconds(wait) for wait in (0.01, 1.0, 1.2, 60.0)] == ["1", "1", "2", "60"]
