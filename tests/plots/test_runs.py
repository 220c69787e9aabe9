"""Runs over one another: every number is drawn, each run keeps its look, and nothing breaks the figure."""

import json
import math

import pandas as pd
import pytest

from core.plots.bands import Band
from core.plots.runs import AXES, MEASURES, Curve, curve, overlay
from core.plots.style import MAX_POINTS, SLOT_LINES, SLOT_MARKS, look

STAGES = [(0, 2, 4), (1, 2, 4)]


def epochs(losses, *, stage=0, wrong=3, seconds=2.0):
    rows = [
        (stage, place, loss, loss, loss, loss, wrong / 12, 1 - wrong / 12, wrong, 12, 1e-3, seconds, 9.0)
        for place, loss in enumerate(losses)
    ]
    names = "stage epoch train_loss train_loss_eval train_loss_smooth valid_loss error_rate accuracy wrong of lr"
    return pd.DataFrame(rows, columns=[*names.split(), "seconds", "images_per_s"])


def batches(losses, stage=0):
    return pd.DataFrame({"stage": stage, "epoch": 0, "step": range(len(losses)), "loss": losses})


def run(slot=0, losses=(1.0, 0.5), raw=(2.0, 1.5, 1.0, 0.5), **options):
    return curve(slot, STAGES, epochs(losses, **options), batches(raw))


def named(spec, name):
    return next(entry for entry in spec["series"] if entry["name"] == name)


def test_an_epoch_lies_at_its_end_on_both_axes_and_a_batch_in_between():
    placed = run()
    assert list(placed.epochs["epochs"]) == [1, 2] and list(placed.epochs["seconds"]) == [2, 4]
    assert list(placed.batches["epochs"]) == [0.5, 1.0, 1.5, 2.0]
    assert list(placed.batches["seconds"]) == [1.0, 2.0, 3.0, 4.0]


def test_a_batch_of_an_epoch_that_is_not_over_has_no_second_yet():
    placed = run(losses=(1.0,))
    assert list(placed.batches["seconds"].isna()) == [False, False, True, True]
    assert len(named(overlay([placed], look(), show="train", by="seconds"), "A, each batch")["data"]) == 2


@pytest.mark.parametrize("show", MEASURES)
@pytest.mark.parametrize("by", AXES)
@pytest.mark.parametrize("log", [False, True])
def test_every_figure_is_plain_json_with_named_axes_and_a_mark_for_every_epoch(show, by, log):
    spec = overlay([run(slot, wrong=slot) for slot in range(4)], look("dark"), show=show, by=by, log=log)
    json.dumps(spec, allow_nan=False)
    assert spec["xAxis"][0]["name"] == AXES[by] and MEASURES[show].axis in spec["yAxis"][0]["name"]
    assert spec["yAxis"][0]["type"] == ("log" if log else "value")
    for name in "ABCD":
        line = named(spec, name)
        assert line["showAllSymbol"] and len(line["data"]) == 2 and None not in [y for _, y in line["data"]]


def test_each_slot_keeps_its_colour_line_and_mark_whoever_else_is_there():
    alone, among = overlay([run(2)], look()), overlay([run(0), run(2), run(3)], look())
    assert named(alone, "C") == named(among, "C")
    drawn = [named(overlay([run(slot)], look()), "ABCD"[slot]) for slot in range(4)]
    assert [line["symbol"] for line in drawn] == list(SLOT_MARKS)
    assert [line["lineStyle"]["color"] for line in drawn] == list(look().slots)
    assert [line["lineStyle"]["type"] for line in drawn] == [
        one if isinstance(one, str) else list(one) for one in SLOT_LINES
    ]


def test_equal_runs_are_all_seen():
    first, second = (named(overlay([run(0), run(1)], look()), name) for name in "AB")
    assert first["data"] == second["data"] and first["z"] < second["z"] and first["symbolSize"] > second["symbolSize"]


def test_the_loss_of_every_batch_lies_behind_the_training_loss():
    spec = overlay([run()], look(), show="train")
    assert named(spec, "A, each batch")["data"] == [[0.5, 2.0], [1.0, 1.5], [1.5, 1.0], [2.0, 0.5]]
    assert named(spec, "A")["data"] == [[1.0, 1.0], [2.0, 0.5]]
    many = overlay([run(slot, raw=[1.0] * 5_000) for slot in range(4)], look(), show="train")
    assert sum(len(entry["data"]) for entry in many["series"]) <= 2 * MAX_POINTS + 8


def test_an_error_of_nothing_is_half_a_picture_on_a_log_axis_and_nothing_on_the_other():
    assert named(overlay([run(wrong=0)], look(), show="error", log=True), "A")["data"][0][1] == pytest.approx(
        100 / 24, 1e-4
    )
    assert named(overlay([run(wrong=0)], look(), show="error"), "A")["data"][0][1] == 0


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_a_gap(bad):
    for log in (False, True):
        spec = overlay([run(losses=(1.0, bad), raw=(1.0, bad))], look(), show="train", log=log)
        json.dumps(spec, allow_nan=False)
        assert [y for _, y in named(spec, "A")["data"]] == [1.0, None]


def test_a_run_that_exploded_leaves_a_linear_axis_and_fits_a_logarithmic_one():
    calm, wild = run(0, (1.0, 0.5)), run(1, (1e3, 1e9))
    assert overlay([calm, wild], look())["yAxis"][0]["max"] < 10
    assert "cut off" in overlay([calm, wild], look())["yAxis"][0]["name"]
    assert "max" not in overlay([calm, wild], look(), log=True)["yAxis"][0]
    assert "max" not in overlay([calm, run(1, (3.0, 0.1))], look())["yAxis"][0]


def test_runs_without_epochs_or_of_unknown_stages_draw_an_empty_figure():
    for odd in (run(losses=(), raw=()), curve(0, [], epochs((1.0,)), batches((1.0,)))):
        for by in AXES:
            json.dumps(overlay([odd], look(), by=by, show="train"), allow_nan=False)
    json.dumps(overlay([], look()), allow_nan=False)


def test_stages_follow_one_another():
    both = pd.concat([epochs((1.0, 0.9)), epochs((0.5, 0.4), stage=1)], ignore_index=True)
    placed = curve(0, STAGES, both, batches(()))
    assert list(placed.epochs["epochs"]) == [1, 2, 3, 4] and list(placed.epochs["seconds"]) == [2, 4, 6, 8]
    assert overlay([placed], look())["xAxis"][0]["max"] == 4


def test_a_band_lies_behind_the_curve_of_a_run_that_is_looked_at_alone():
    assert not any("markArea" in line for line in overlay([], look())["series"])
    band = Band(1.0, 2.0, "It learns by heart", "overfit")
    table = pd.DataFrame({"valid_loss": [1.0, 0.5], "error_rate": [0.5, 0.25], "train_loss": [1.0, 0.4],
                          "of": [12, 12], "epochs": [1.0, 2.0], "seconds": [1.0, 2.0]})  # fmt: skip
    [line] = overlay([Curve(0, table, pd.DataFrame())], look(), band=band)["series"]
    assert [end["xAxis"] for end in line["markArea"]["data"][0]] == [1.0, 2.0]
