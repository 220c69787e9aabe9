"""Figures of a run: where points lie, how many there are, and that nothing breaks them."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.plots.plan import plan_figure, planned
from core.plots.style import MAX_POINTS, look
from core.plots.training import (
    epochs_table,
    loss_ceiling,
    positions,
    thin,
    training_figure,
)
from core.settings import Stage
from core.train.recipes import RECIPES, preset
from core.train.schedules import SCHEDULES, options_of

STAGES = [(0, 2, 4), (1, 2, 8)]


def batches(losses, stage=0):
    rows = {
        "stage": stage,
        "step": range(len(losses)),
        "lr": 1e-3,
        "momentum": 0.9,
        "loss": losses,
        "loss_smooth": losses,
    }
    table = pd.DataFrame(rows)
    return table.assign(at=positions(STAGES, table), begin=positions(STAGES, table, begin=True))


def epochs(losses):
    rows = [(0, place, 0.5, 0.4, 0.6, loss, 0.25, 0.75, 3, 12, 1e-3, 0.5, 99.0) for place, loss in enumerate(losses)]
    names = (
        "stage epoch train_loss train_loss_eval train_loss_smooth valid_loss error_rate accuracy wrong of lr seconds"
    )
    table = pd.DataFrame(rows, columns=[*names.split(), "images_per_s"])
    return table.assign(at=positions(STAGES, table))


def figure(losses=(1.0, 0.5), valid=(0.7,), **options):
    plan = planned((Stage(epochs=2), Stage(epochs=2)))
    return training_figure(batches(losses), epochs(valid), plan, classes=3, look=look(), **options)


def series(spec, name):
    return next(entry for entry in spec["series"] if entry["name"] == name)


def test_batches_lie_where_they_end_and_epochs_at_their_end_stage_after_stage():
    table = pd.DataFrame({"stage": [0, 0, 1, 1], "step": [0, 3, 0, 7]})
    assert list(positions(STAGES, table)) == [0.5, 2.0, 2.25, 4.0]
    assert list(positions(STAGES, table, begin=True)) == [0.0, 1.5, 2.0, 3.75]
    assert list(positions(STAGES, pd.DataFrame({"stage": [0, 1], "epoch": [0, 1]}))) == [1, 4]


def test_a_figure_is_plain_json_with_its_full_axis_before_the_first_point():
    spec = figure((), ())
    json.dumps(spec, allow_nan=False)
    assert [axis["max"] for axis in spec["xAxis"]] == [4, 4, 4] and spec["animation"] is False


def test_raw_batches_stay_visible_behind_the_smooth_line():
    spec = figure((1.0, 0.5, 0.25), (0.7,))
    assert series(spec, "each batch")["type"] == "scatter"
    assert series(spec, "each batch")["data"] == [[0.5, 1.0], [1.0, 0.5], [1.5, 0.25]]
    assert series(spec, "validation")["data"] == [[1.0, 0.7]]
    assert series(spec, "learning rate")["data"][0] == [0.0, 0.001]
    assert series(spec, "wrong answers")["data"] == [[1.0, 3.0]]


@pytest.mark.parametrize("bad", [math.nan, math.inf, 1e30])
def test_an_explosion_is_drawn_on_a_logarithmic_axis_with_gaps_where_there_is_no_number(bad):
    spec = figure((1.0, bad), (0.7,))
    json.dumps(spec, allow_nan=False)
    assert spec["yAxis"][0]["type"] == "log"
    assert figure()["yAxis"][0]["type"] == "value"


def test_at_most_500_points_are_drawn_with_the_first_and_the_last():
    table = pd.DataFrame({"x": range(12_345)})
    kept = thin(table)
    assert len(kept) <= MAX_POINTS and kept["x"].iloc[0] == 0 and kept["x"].iloc[-1] == 12_344
    assert len(thin(table.head(7))) == 7


def test_the_ceiling_of_the_loss_axis_shows_chance_and_ignores_a_lone_spike():
    assert loss_ceiling([], 1.1) >= 1.1
    assert loss_ceiling([*np.full(99, 1.0), 50.0], 1.1) < 5


def test_the_plan_reaches_the_chosen_rate_and_names_it():
    plan = planned(preset("quick", epochs=4, lr=3e-3).stages)
    assert plan["lr"].max() == pytest.approx(3e-3, rel=1e-9) and plan["at"].iloc[-1] == 4
    spec = plan_figure(plan, look("dark"))
    json.dumps(spec, allow_nan=False)
    assert [mark["label"]["formatter"] for mark in spec["series"][0]["markLine"]["data"]] == ["3e-3"]


def test_a_plan_of_two_stages_runs_through_both():
    plan = planned(preset("standard", epochs=3, lr=1e-2).stages)
    assert plan["at"].max() == 6 and plan["at"].is_monotonic_increasing


def test_the_table_of_epochs_has_what_other_tools_print_and_the_true_means():
    table = epochs_table(epochs((0.7, 0.6)))
    assert list(table.columns[:4]) == ["epoch", "train loss", "valid loss", "error"]
    assert table["train loss"].iloc[0] == 0.6 and table["train, true mean"].iloc[0] == 0.5
    assert table["wrong"].iloc[0] == "3 of 12" and table["rate"].iloc[0] == "1e-3"


def test_a_plan_with_rates_far_apart_is_drawn_on_a_logarithmic_axis_with_every_peak_named():
    stages = (Stage(epochs=4), Stage(epochs=4, lr=(1e-6, 3e-4), freeze_to=0))
    spec = plan_figure(planned(stages), look(), names=("1 head", "2 all"))
    json.dumps(spec, allow_nan=False)
    assert spec["yAxis"][0]["type"] == "log" and spec["yAxis"][0]["min"] < 1e-6
    assert [mark["label"]["formatter"] for mark in spec["series"][0]["markLine"]["data"]] == ["3e-4", "3e-3"]
    assert [area[0]["name"] for area in spec["series"][0]["markArea"]["data"]] == ["1 head", "2 all"]
    assert series(spec, "rate of the first layers")["data"][0][1] is None  # one rate only in the first stage
    assert plan_figure(planned(stages[:1]), look())["yAxis"][0]["type"] == "value"


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_is_drawn(name):
    plan = planned(preset(name).stages)
    spec = plan_figure(plan, look(), names=[str(n) for n in range(9)])
    json.dumps(spec, allow_nan=False)
    json.dumps(training_figure(batches((1.0,)), epochs((0.7,)), plan, classes=3, look=look()), allow_nan=False)


def test_a_low_end_that_is_yet_to_be_found_is_a_gap():
    plan = planned(preset("standard").stages)
    assert plan.loc[plan["stage"] == 1, "low"].isna().all()


def words_in(spec):
    return [area[0]["name"] for area in spec["series"][0]["markArea"]["data"]]


def test_what_a_finder_will_say_is_written_where_no_line_can_be_drawn():
    stages = preset("standard").stages
    spec = plan_figure(planned(stages), look(), names=("1 head", "2 all"))
    assert words_in(spec) == ["1 head", "2 all", "first layers:\nfound by then"]
    head = replace(stages[0], find_lr=True)
    assert words_in(plan_figure(planned((head,)), look())) == ["this rate:\nfound by then"]
    assert words_in(plan_figure(planned(stages[:1]), look())) == []


@pytest.mark.parametrize("epochs", [1, 2, 3, 7, 20, 21, 1000])
def test_a_plan_has_the_peak_of_a_cycle_and_not_too_many_points(epochs):
    plan = planned((Stage(epochs=epochs),))
    assert plan["lr"].max() == pytest.approx(3e-3, rel=1e-12) and len(plan) <= 501


@pytest.mark.parametrize("epochs", [3, 7, 15])
def test_every_restart_is_drawn_alike(epochs):
    plan = planned((Stage(epochs=epochs, schedule="sgdr"),))
    restarts = plan.index[(plan["at"] % 1 == 0) & (plan["at"] > 0) & (plan["at"] < epochs)]
    assert len(restarts) == epochs - 1 and (plan["lr"][restarts] == 3e-3).all()
    assert plan["lr"][restarts - 1].to_numpy() == pytest.approx(plan["lr"][restarts[0] - 1])


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_plan_honours_the_options_of_every_schedule(schedule):
    for name, usual in options_of(schedule).items():
        other = 1e-4 if usual is None else usual
        if isinstance(other, tuple):
            other = (other[0], other[1] / 2, *other[2:])  # as many knots, one of them elsewhere
        elif usual is not None:
            other = usual / 2 + 0.01
        if name in ("cycle_len", "cycle_mult"):
            other = 2
        usual_plan, plan = (planned((Stage(schedule=schedule, options=options),)) for options in ({}, {name: other}))
        assert not plan["lr"].equals(usual_plan["lr"])
