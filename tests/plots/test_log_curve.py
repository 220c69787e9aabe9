"""The curve of a log from anywhere: every number in its place, gaps for what is none, and a band for the finding."""

import json
import math

import pandas as pd
import pytest

from core.diagnose import Finding
from core.plots.log_curve import LOG_CEILING, log_figure
from core.plots.style import look

CALM = pd.DataFrame({"loss": [0.9, 0.5, 0.4], "val_loss": [0.8, None, 0.45], "val_accuracy": [60.0, 80.0, 85.0]})
BURST = pd.DataFrame({"train_loss": [2.0, 0.0, 24.9], "valid_loss": [1.9, 1e9, math.nan]})


def overfit(*rows):
    return Finding("overfit", "warning", "It learns by heart", "e", "w", "f", rows)


def series(spec, name):
    return next(one for one in spec["series"] if one["name"] == name)


def test_what_is_drawn_is_what_the_verdict_reads_whatever_the_columns_are_called():
    spec = log_figure(CALM, look=look())
    assert series(spec, "training")["data"] == [[1.0, 0.9], [2.0, 0.5], [3.0, 0.4]]
    assert series(spec, "validation")["data"] == [[1.0, 0.8], [2.0, None], [3.0, 0.45]]
    assert series(spec, "wrong answers (%)")["data"] == [[1.0, 40.0], [2.0, 20.0], [3.0, 15.0]]
    assert [axis["type"] for axis in spec["yAxis"]] == ["value", "value"]


def test_a_log_without_an_error_rate_has_one_grid():
    spec = log_figure(CALM[["loss", "val_loss"]], look=look())
    assert len(spec["grid"]) == len(spec["xAxis"]) == len(spec["yAxis"]) == 1 and len(spec["series"]) == 2


def test_an_exploded_loss_turns_the_axis_logarithmic_and_leaves_no_point_where_it_has_none():
    spec = log_figure(BURST, look=look())
    assert spec["yAxis"][0]["type"] == "log" and spec["yAxis"][0]["max"] == LOG_CEILING
    assert series(spec, "training")["data"] == [[1.0, 2.0], [2.0, None], [3.0, 24.9]]
    assert series(spec, "validation")["data"] == [[1.0, 1.9], [2.0, 1e9], [3.0, None]]
    assert log_figure(BURST[["train_loss"]], look=look())["yAxis"][0]["type"] == "value"


def test_the_band_covers_the_rows_of_the_finding():
    assert "markArea" not in series(log_figure(CALM, look=look()), "validation")
    [ends] = series(log_figure(CALM, look=look(), finding=overfit(1, 2)), "validation")["markArea"]["data"]
    assert [end["xAxis"] for end in ends] == [1.5, 3.5]


@pytest.mark.parametrize("epochs", [pd.DataFrame(), pd.DataFrame({"x": ["a"]}), CALM.head(1), BURST])
def test_any_table_gives_a_figure_that_json_can_hold(epochs):
    json.dumps(log_figure(epochs, look=look("dark", projector=True)), allow_nan=False)
