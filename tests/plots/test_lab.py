"""The panels of the lab: one axis for all, nothing outside it, and the level of guessing."""

import json
import math

import pandas as pd
import pytest

from core.diagnose.panels import recorded_panels
from core.plots.bands import Band
from core.plots.lab import CEILING, FLOOR, USUAL, Frame, frame_of, panel_figure
from core.plots.style import look

LIGHT = look("light")
FRAME = Frame(0.001, 1000.0, 60)


def epochs(*losses, wrong=20):
    rows = [(number + 1, *pair, wrong, 60) for number, pair in enumerate(losses)]
    return pd.DataFrame(rows, columns=["at", "train_loss", "valid_loss", "wrong", "of"])


def figure(table, **more):
    batches = table.assign(loss=table["train_loss"])
    return panel_figure(table, batches, **{"total": 4, "frame": FRAME, "classes": 3, "look": LIGHT, **more})


def named(spec, name):
    return next(one for one in spec["series"] if one["name"] == name)


def test_the_frame_does_not_move_while_runs_go_on():
    start = frame_of([], 60)
    assert (start.low, start.high) == USUAL == (FLOOR, 1e3)
    now = frame_of([epochs((0.5, 0.9)), epochs((2.0, 40.0)), epochs()], 60)
    assert (now.low, now.high, now.exam) == (*USUAL, 60)


def test_the_frame_grows_to_the_next_power_of_ten_and_ends_where_it_can_still_be_read():
    assert frame_of([epochs((2.0, 1500.0))], 60).high == 10_000
    wide = frame_of([epochs((1e-9, 1e30), (math.nan, math.inf))], 0)
    assert (wide.low, wide.high, wide.exam) == (FLOOR, CEILING, 1)


@pytest.mark.parametrize("role", recorded_panels())
def test_a_panel_draws_every_epoch_in_the_shared_frame(role):
    panels = recorded_panels()
    panel, frame = panels[role], frame_of([one.epochs for one in panels.values()], 60)
    spec = panel_figure(
        panel.epochs, panel.batches, total=panel.settings.epochs, frame=frame, classes=panel.classes, look=LIGHT
    )
    json.dumps(spec, allow_nan=False)
    loss, wrong = spec["yAxis"]
    assert (loss["min"], loss["max"], loss["type"]) == (frame.low, frame.high, "log")
    assert (wrong["min"], wrong["max"]) == (0, 60)
    assert len(named(spec, "validation")["data"]) == len(panel.epochs) and panel.exam == 60
    assert len(named(spec, "wrong answers")["data"]) == len(panel.epochs)
    for name in ("each batch", "training", "validation"):
        assert all(y is None or frame.low <= y <= frame.high for _, y in named(spec, name)["data"])
    assert named(spec, "validation")["markLine"]["data"][0]["yAxis"] == pytest.approx(math.log(3), abs=1e-3)


def test_a_loss_that_is_no_number_is_a_gap():
    spec = figure(epochs((1.0, math.nan), (1.0, 2.0)))
    assert named(spec, "validation")["data"] == [[1.0, None], [2.0, 2.0]]


def test_wrong_answers_are_as_wide_as_their_epoch():
    table = epochs((1.0, 1.0), (1.0, 2.0)).assign(wrong=[20, 7])
    spec = figure(table)
    bars, axis = named(spec, "wrong answers"), spec["xAxis"][2]
    assert bars["data"] == [20.0, 7.0] and bars["xAxisIndex"] == 2
    assert axis["data"] == ["1", "2", "3", "4"] and axis["gridIndex"] == spec["xAxis"][1]["gridIndex"] == 1


def test_a_run_that_waits_is_an_empty_frame():
    spec = figure(epochs())
    json.dumps(spec, allow_nan=False)
    assert [axis["max"] for axis in spec["xAxis"][:2]] == [4, 4] and all(not one["data"] for one in spec["series"])


def test_what_is_covered_shows_no_band_and_what_is_revealed_does():
    table = epochs((1.0, 1.0), (1.0, 2.0))
    assert not any("markArea" in one for one in figure(table)["series"])
    area = named(figure(table, band=Band(1, 2, "Too high", "lr_too_high")), "validation")["markArea"]
    assert area["itemStyle"]["color"] == LIGHT.too_high and not area["label"]["show"]


def test_the_run_that_mends_another_lies_over_it_on_an_axis_that_holds_both():
    spec = figure(epochs((1.0, 9.0)), total=1, mended=epochs(*[(0.5, 0.3)] * 5))
    assert [axis["max"] for axis in spec["xAxis"][:2]] == [5, 5]
    assert len(named(spec, "mended")["data"]) == 5
    assert named(spec, "mended")["lineStyle"]["color"] == LIGHT.good
    assert named(spec, "validation")["lineStyle"]["opacity"] < 1
