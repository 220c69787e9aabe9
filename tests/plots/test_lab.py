"""The panels of the lab: one axis for all, nothing outside it, and the level of guessing."""

import json
import math

import pandas as pd
import pytest

from core.diagnose.panels import recorded_panels
from core.plots.lab import CEILING, FLOOR, panel_figure, shared_range
from core.plots.style import look

LIGHT = look("light")


def epochs(*losses):
    return pd.DataFrame(
        [(number + 1, *pair) for number, pair in enumerate(losses)], columns=["at", "train_loss", "valid_loss"]
    )


def test_the_axis_holds_the_losses_of_all_panels_between_powers_of_ten():
    assert shared_range([epochs((0.5, 0.9)), epochs((2.0, 40.0))]) == pytest.approx((0.1, 100))
    assert shared_range([]) == pytest.approx((0.1, 10))


def test_the_axis_ends_where_a_figure_can_still_be_read():
    low, high = shared_range([epochs((1e-9, 1e30), (math.nan, math.inf))])
    assert (low, high) == (FLOOR, CEILING)


@pytest.mark.parametrize("role", recorded_panels())
def test_a_panel_draws_every_epoch_on_the_shared_axis(role):
    panels = recorded_panels()
    panel, limits = panels[role], shared_range([one.epochs for one in panels.values()])
    spec = panel_figure(
        panel.epochs, panel.batches, total=panel.settings.epochs, limits=limits, classes=panel.classes, look=LIGHT
    )
    json.dumps(spec, allow_nan=False)
    axis, lines = spec["yAxis"][0], {entry["name"]: entry for entry in spec["series"]}
    assert (axis["min"], axis["max"]) == limits and axis["type"] == "log"
    assert len(lines["validation"]["data"]) == len(panel.epochs)
    assert all(y is None or limits[0] <= y <= limits[1] for entry in lines.values() for _, y in entry["data"])
    assert lines["validation"]["markLine"]["data"][0]["yAxis"] == pytest.approx(math.log(3), abs=1e-3)


def test_a_loss_that_is_no_number_is_a_gap():
    table = epochs((1.0, math.nan), (1.0, 2.0))
    spec = panel_figure(table, table.assign(loss=1.0), total=2, limits=(0.1, 10), classes=2, look=LIGHT)
    assert spec["series"][-1]["data"] == [[1.0, None], [2.0, 2.0]]
