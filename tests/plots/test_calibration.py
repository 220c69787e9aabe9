"""The figures of how sure a model is: counts on the bars, gaps where there is nothing, and the chosen threshold."""

import json

from core.interpret.calibration import kept_above, reliability, threshold_curve
from core.plots.calibration import reliability_figure, threshold_figure
from core.plots.style import look

SURE = [0.95, 0.92, 0.91, 0.72, 0.75, 0.4]
RIGHT = [True, True, False, True, False, False]


def test_each_bar_says_how_many_answers_it_stands_for():
    bars = reliability_figure(reliability(SURE, RIGHT), look())["series"][0]["data"]
    assert len(bars) == 10
    assert bars[9]["value"] == 66.667 and bars[9]["label"]["formatter"] == "3" and "2 right" in bars[9]["name"]
    assert bars[0]["value"] is None and "no answer" in bars[0]["name"]
    assert bars[3]["value"] == 0.0, "answers that are all wrong are a bar of no height with its number"


def test_the_line_of_an_even_model_goes_from_corner_to_corner():
    line = reliability_figure(reliability([], []), look("dark"))["series"][1]
    assert line["data"] == [[0, 0], [100, 100]] and line["lineStyle"]["type"] == "dashed"


def test_the_curve_ends_where_nothing_is_answered_and_the_chosen_point_is_on_it():
    chosen = kept_above(SURE, RIGHT, 0.9)
    answered, wrong, *points = threshold_figure(threshold_curve(SURE, RIGHT), chosen, look())["series"]
    assert answered["data"][0] == [0, 100] and answered["data"][-1] == [100, 0]
    assert wrong["data"][0] == [0, 50] and wrong["data"][-1] == [100, None]
    assert [90, 50] in answered["data"] and points[0]["data"] == [[90, 50]]
    assert points[1]["data"] == [[90, 33.333]]
    assert answered["lineStyle"]["type"] != wrong["lineStyle"]["type"] and points[0]["symbol"] != points[1]["symbol"]
    assert answered["markLine"]["data"] == [{"xAxis": 90}]


def test_nothing_answered_has_no_share_of_wrong_answers():
    figure = threshold_figure(threshold_curve(SURE, RIGHT), kept_above(SURE, RIGHT, 1.0), look())
    assert len(figure["series"]) == 3


def test_figures_are_plain_json():
    json.dumps(reliability_figure(reliability(SURE, RIGHT), look()), allow_nan=False)
    json.dumps(threshold_figure(threshold_curve(SURE, RIGHT), kept_above(SURE, RIGHT, 0.5), look()), allow_nan=False)
