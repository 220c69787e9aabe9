"""The finder's figure: every dot is in it, an explosion does not flatten it, and no curve breaks it."""

import json
import math

import numpy as np
import pandas as pd
import pytest

from core.plots.lr_finder import RULE_TITLES, Reading, ceiling, finder_figure, points_table, stop_level
from core.plots.style import look
from core.train.events import RatePoint
from core.train.finder_advice import zones
from core.train.finder_rules import RULES, suggest
from core.train.lr_finder import lr_ladder, smooth

LADDER = lr_ladder()


def table(losses):
    return pd.DataFrame({"lr": LADDER[: len(losses)], "loss": losses, "loss_smooth": smooth(losses)})


def descent(explosion=()):
    losses = 2 - 1.5 / (1 + (1e-3 / LADDER)) ** 2
    return np.concatenate([losses[: 100 - len(explosion)], explosion])


def figure(losses, *, pick=None, bare=False):
    found = table(losses)
    lrs, raw, smoothed = (list(found[name]) for name in ("lr", "loss", "loss_smooth"))
    reading = Reading(zones(lrs, raw, smoothed), suggest(lrs, smoothed), pick)
    return finder_figure(found, first=1e-7, last=10.0, look=look(), reading=None if bare else reading)


def series(spec, name):
    return next(entry for entry in spec["series"] if entry["name"] == name)


def test_the_figure_names_every_rule():
    assert set(RULE_TITLES) == set(RULES)
    words = [row["label"]["formatter"] for row in series(figure(descent()), "rules")["data"]]
    assert len(words) == len(RULES) and all(words)


def test_rules_without_an_answer_say_so_in_their_row():
    words = [row["label"]["formatter"] for row in series(figure([1.0, 0.9]), "rules")["data"]]
    assert all(word.endswith("no answer") for word in words)


def test_every_batch_is_a_dot_and_those_above_the_figure_sit_on_its_edge():
    spec = figure(descent([30.0, 5000.0, math.nan]))
    inside, above = series(spec, "each batch")["data"], series(spec, "higher than the figure")["data"]
    assert len(inside) + len(above) == 100 and len(above) == 3
    assert {dot["value"][1] for dot in above} == {spec["yAxis"][0]["max"]}
    assert "5,000" in above[1]["name"] and "not a number" in above[2]["name"]


def test_an_explosion_does_not_flatten_the_curve():
    assert ceiling(table(descent([30.0, 5000.0]))) <= 2 * ceiling(table(descent()))


def test_the_smoothed_line_of_a_heavy_tailed_start_stays_inside():
    losses = np.where(np.arange(60) % 5 == 0, 0.05, 0.001)
    found = table(losses)
    assert ceiling(found) >= found["loss_smooth"][6:30].max()


def test_the_stop_line_lies_at_four_times_the_best():
    found = table(descent())
    assert stop_level(found) == pytest.approx(4 * found["loss_smooth"].min())
    words = series(figure(descent()), "smoothed")["markLine"]["data"][0]["label"]["formatter"]
    assert "4 × the best" in words


def test_zones_are_told_by_words_marks_and_line_styles_and_not_by_colour_alone():
    areas = series(figure(descent([9.0] * 8)), "rules")["markArea"]["data"]
    assert [area[0]["label"]["formatter"][0] for area in areas] == ["▼", "●", "▲"]
    assert len({area[0]["itemStyle"]["borderType"] for area in areas}) == 3


def test_the_own_pick_is_a_line_at_its_rate():
    lines = series(figure(descent(), pick=2.5e-3), "smoothed")["markLine"]["data"]
    assert lines[-1]["xAxis"] == pytest.approx(math.log10(2.5e-3), abs=1e-4)
    assert lines[-1]["label"]["formatter"] == "your pick 2.5e-3"


def test_the_axis_has_its_full_length_from_the_first_point():
    spec = figure([1.0], bare=True)
    assert (spec["xAxis"][0]["min"], spec["xAxis"][0]["max"]) == (-7, 1)
    assert len(spec["grid"]) == 1


CURVES = {
    "empty": [],
    "one point": [1.0],
    "not a number": [math.nan] * 20,
    "infinite": [1.0, math.inf, math.nan],
    "zero": [0.0] * 100,
    "flat": [1.0] * 100,
    "exploding": list(np.exp(np.arange(100.0))),
    "descent": list(descent()),
}


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("bare", [True, False])
def test_no_curve_breaks_the_figure_and_it_is_plain_json(name, bare):
    with np.errstate(all="ignore"):
        json.dumps(figure(CURVES[name], pick=3e-3, bare=bare), allow_nan=False)


def test_a_table_of_points_has_a_row_a_batch():
    found = points_table([RatePoint(0, 0, 1e-7, 1.0, 1.0), RatePoint(1, 1, 2e-7, 0.9, 0.95)])
    assert list(found.columns) == ["lr", "loss", "loss_smooth"] and list(found["loss"]) == [1.0, 0.9]
    assert list(points_table([]).columns) == ["lr", "loss", "loss_smooth"]
