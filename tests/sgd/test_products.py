"""Rows times columns: the loops against numpy, and measurements that mean something."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import SettingsError
from core.sgd.products import at_once, by_loops, timed


def test_by_hand():
    assert by_loops([[1, 2], [3, 4]], [[5], [6]]) == [[17], [39]]


@settings(deadline=None)
@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_loops_and_the_one_call_agree(rows, inner, columns, seed):
    draw = np.random.default_rng(seed)
    x, a = draw.normal(size=(rows, inner)), draw.normal(size=(inner, columns))
    assert np.array(by_loops(x.tolist(), a.tolist())) == pytest.approx(at_once(x, a))


def test_a_measurement_names_its_sizes_and_the_large_product_gains_more():
    small, large = timed(2, 2, 1), timed(32, 128, 3)
    assert (large.rows, large.inner, large.columns) == (32, 128, 3)
    assert small.loop_s > 0 and small.at_once_s > 0 and large.times > 20


def test_an_empty_table_is_refused():
    with pytest.raises(SettingsError):
        timed(0, 2, 1)
