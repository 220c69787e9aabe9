"""Figures of schedules and of fits: what they draw, on which axes, and that no colour stands alone."""

import math
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest

from core.plots.functions import CEILING, FLOOR, HIGH, ROLES, capacity_figure, fit_figure, style_of
from core.plots.schedules import restarts_of, schedule_figure, tile
from core.plots.style import look
from core.train.phases import Phase
from core.train.schedules import SCHEDULES

LOOK = look()
SGDR = Phase("sgdr", 7, 3e-3, {"cycle_len": 1, "cycle_mult": 2})


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_has_a_figure_over_its_epochs_and_a_tile(name):
    phase = Phase(name, 7, 3e-3)
    spec = schedule_figure([phase], LOOK)
    rate = next(series for series in spec["series"] if series["name"] == "learning rate")
    assert spec["xAxis"][0]["max"] == 7 and spec["xAxis"][0]["name"] == "epochs"
    assert rate["data"][0][0] == 0 and rate["data"][-1][0] == 7
    assert max(value for _, value in rate["data"]) == pytest.approx(3e-3, rel=1e-3)
    svg = ElementTree.fromstring(unquote(tile(phase, LOOK).removeprefix("data:image/svg+xml,")))
    assert [child.tag.rpartition("}")[2] for child in svg] == ["polygon", "polyline"]


def test_restarts_are_marked_on_the_axis_of_all_epochs():
    phases = [Phase("linear", 2, 1e-3), SGDR]
    assert restarts_of(phases) == [(2, 3, True), (3, 5, True), (5, 9, True)]
    [rate] = [series for series in schedule_figure(phases, LOOK)["series"] if series["name"] == "learning rate"]
    assert [mark["xAxis"] for mark in rate["markLine"]["data"]] == [2, 3, 5]
    named = [area[0]["name"] for area in rate["markArea"]["data"] if "name" in area[0]]
    assert named == ["1", "2 epochs", "4 epochs"], "the first is too short for words"


def test_many_cycles_are_told_by_numbers_and_very_many_by_none():
    def names(epochs):
        areas = schedule_figure([Phase("sgdr", epochs, 1e-3)], LOOK)["series"][0]["markArea"]["data"]
        return [area[0]["name"] for area in areas if "name" in area[0]]

    assert names(10) == ["1"] * 10 and names(60) == []


def test_a_panel_shows_both_halves_the_target_the_fit_and_other_draws_within_its_axis():
    fine = np.linspace(-1, 1, 11)
    wild = np.full(11, 1e12)
    points = (np.array([0.0, 0.5]), np.array([0.1, 99.0]))
    spec = fit_figure("over", fine, wild, target=fine, train=points, valid=points, others=np.zeros((8, 11)), look=LOOK)
    names = [series["name"] for series in spec["series"]]
    assert {"target", "fit", "training", "exam"} <= set(names) and len(names) == 4 + 5
    drawn = [value for series in spec["series"] for _, value in series["data"]]
    assert max(drawn) == HIGH and min(drawn) >= -HIGH
    halves = [series["itemStyle"] for series in spec["series"] if series["name"] in ("training", "exam")]
    assert "borderColor" in halves[1] and "borderColor" not in halves[0], "full and hollow, not by colour alone"


def test_too_little_right_and_too_much_have_a_line_and_a_mark_each():
    styles = [style_of(role, LOOK) for role in ROLES]
    assert styles == [(LOOK.too_low, "dashed", "▼"), (LOOK.good, "solid", "●"), (LOOK.too_high, "dotted", "▲")]


def test_losses_stay_on_their_axis_and_every_pin_has_its_mark():
    pins = {"under": 1, "right": 2, "over": 3}
    spec = capacity_figure([1, 2, 3], [0.5, 0.0, 1e-9], [0.6, 0.2, math.inf], pins, axis="degree", look=LOOK)
    up = spec["yAxis"][0]
    assert (up["type"], up["min"], up["max"]) == ("log", FLOOR, CEILING)
    train, valid, *marks = spec["series"]
    assert train["data"] == [0.5, FLOOR, FLOOR] and valid["data"] == [0.6, 0.2, None]
    assert [mark["label"]["formatter"] for mark in marks] == ["▼", "●", "▲"]
    assert marks[2]["data"] == [[2, CEILING]]
