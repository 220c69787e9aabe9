"""Cuts out of pictures: the right place, never outside, always square."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.plots.patches import cut, sheet

ROWS = np.broadcast_to(np.arange(70, dtype=np.uint8)[:, None, None], (70, 70, 3))


def test_a_cut_lies_around_its_place():
    found = cut(ROWS, 14 * 28 + 3, 28)  # row 14 of 28: pixels around 36; six of 28 places are 15 pixels
    assert found.shape == (15, 15, 3) and found[:, 0, 0].tolist() == list(range(29, 44))


@pytest.mark.parametrize(("side", "wide"), [(112, 10), (28, 15), (14, 30), (7, 40)])
def test_deeper_maps_give_wider_cuts(side, wide):
    assert cut(ROWS, 0, side).shape == (wide, wide, 3)


@settings(deadline=None)
@given(st.integers(1, 112), st.data())
def test_a_cut_never_leaves_the_picture(side, data):
    place = data.draw(st.integers(0, side * side - 1))
    found = cut(ROWS, place, side)
    assert found.shape[0] == found.shape[1] >= 10


def test_a_sheet_has_its_cuts_in_rows():
    colours = (0, 200, 60)
    made = sheet([np.full((5 + c, 5 + c, 3), c, np.uint8) for c in colours], 20, 2, gap=2)
    assert made.shape == (42, 42, 3)
    assert (made[:20, :20] == 0).all() and (made[:20, 22:] == 200).all() and (made[22:, :20] == 60).all()
    assert (made[20:22] == 128).all() and (made[22:, 22:] == 128).all()
