"""A heat map over its picture: nothing where there is no evidence, lighter the more there is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.plots.heat import colours, overlay

GREY = np.full((64, 64, 3), 90, dtype=np.uint8)


def lightness(picture):
    return np.asarray(picture, dtype=float) @ [0.2126, 0.7152, 0.0722]


def test_where_nothing_speaks_the_picture_is_as_it_was_but_for_less_colour():
    assert np.asarray(overlay(GREY, np.zeros((2, 2)))) == pytest.approx(GREY, abs=1)
    red = GREY.copy()
    red[..., 0] = 200
    shown = np.asarray(overlay(red, np.zeros((2, 2))))[0, 0].astype(int)
    assert 0 < shown[0] - shown[1] < 110, "paler, but still red"


def test_the_highest_place_is_the_lightest_and_lies_where_it_lies_in_the_map():
    heat = np.zeros((4, 4))
    heat[3, 0] = 1
    light = lightness(overlay(GREY, heat))
    row, column = np.unravel_index(light.argmax(), light.shape)
    assert row >= 48 and column < 16


def test_the_scale_gets_lighter_throughout():
    assert (np.diff(lightness(colours(np.linspace(0, 1, 50)))) > 0).all()


@settings(deadline=None)
@given(st.integers(0, 2**32), st.integers(8, 40))
def test_any_map_fits_over_any_picture(seed, side):
    heat = np.random.default_rng(seed).choice([-5.0, 0.0, 0.5, 1.0, 5.0], (3, 5)).astype(np.float32)
    assert overlay(GREY[:side, :side], heat).size == (side, side)
