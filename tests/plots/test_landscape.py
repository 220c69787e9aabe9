"""The figure of the loss surface: by the logarithm, walks in their colours, an arrow where one leaves the window."""

import json

import numpy as np
import pytest

from core.interpret.valley import View
from core.plots.landscape import DEEPEST, HIGHEST, Role, inside, losses_figure, scale_of, surface_figure
from core.plots.style import GOOD, SEQUENTIAL, TOO_HIGH, look
from tests.interpret.test_valley import bowl, walk

LIGHT = look("light")
ROLES = [Role("good", "your run"), Role("too_high", "at 0.3")]
WALKS = [walk(), walk((1.0, 4.0, 9.0, 2.0), run="", times=100.0)]
LEAVING = [[(0, 0), (1, 0), (2, 0), (3, 0)], [(0, 0), (0, 2), (0, 10), (50, 90)]]


def figure(view=None, theme=LIGHT, roles=ROLES, walks=WALKS):
    return surface_figure(view or bowl(LEAVING), walks, roles, theme, axes=("along", "aside"))


def lines(spec):
    return {one["name"]: one for one in spec["data"] if one.get("name")}


def test_it_is_a_valid_figure_of_plain_values():
    go = pytest.importorskip("plotly.graph_objects")
    spec = figure()
    json.dumps(spec, allow_nan=False)
    go.Figure(spec)  # raises for a property that Plotly does not have


def test_heights_are_powers_of_ten_of_the_loss_within_what_is_drawn():
    view = bowl()
    loss = view.loss.copy()
    loss[0, 0], loss[0, 1] = np.inf, 0.0
    contour = figure(View(**{**vars(view), "loss": loss}), walks=WALKS[:1], roles=ROLES[:1])["data"][0]
    heights = np.array(contour["z"])
    assert heights[0, 0] == np.log10(HIGHEST) and heights[0, 1] == np.log10(DEEPEST)
    assert heights[5, 5] == pytest.approx(np.log10(view.loss[5, 5])) and contour["text"][5][5] == f"{loss[5, 5]:.3g}"
    bar = contour["colorbar"]
    assert [10**at for at in bar["tickvals"]] == pytest.approx([float(text) for text in bar["ticktext"]])


def test_the_colours_are_those_of_every_map():
    assert figure()["data"][0]["colorscale"] == scale_of()
    assert [colour for _, colour in scale_of()] == list(SEQUENTIAL)
    assert (scale_of()[0][0], scale_of()[-1][0]) == (0.0, 1.0)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_role_keeps_its_colour_line_and_mark(theme):
    shown = lines(figure(theme=look(theme)))
    good, high = shown["your run"], shown["at 0.3"]
    assert (good["line"]["dash"], good["marker"]["symbol"]) == ("solid", "circle")
    assert (high["line"]["dash"], high["marker"]["symbol"]) == ("dot", "triangle-up")
    assert (good["line"]["color"], high["line"]["color"]) == (look(theme).good, look(theme).too_high)
    if theme == "light":
        assert (good["line"]["color"], high["line"]["color"]) == (GOOD, TOO_HIGH)


def test_a_walk_that_leaves_ends_on_the_edge_with_an_arrow_and_how_far_it_went():
    view = bowl(LEAVING)
    edge = inside(view, 1)
    assert edge.tolist() == [[0, 0], [0, 2], [0, 4]]
    notes = figure(view)["layout"]["annotations"]
    arrows = [note for note in notes if note["showarrow"]]
    assert [(arrow["x"], arrow["y"]) for arrow in arrows] == [(0, 4)] and arrows[0]["ay"] < 4
    assert any(note["text"] == "goes on, as far as 3" for note in notes)
    assert [note["text"] for note in notes if note["text"] in ("start", "end", "its end")] == ["start", "end"]


def test_a_walk_that_stays_has_its_end_marked():
    notes = figure(bowl([LEAVING[0], [(0, 0), (0, 1), (0, 2), (0, 3)]], best=((1.0, 0.0), None)))["layout"][
        "annotations"
    ]
    assert [note["text"] for note in notes] == ["start", "best in the exam", "end", "its end"]
    assert not any(note["showarrow"] for note in notes)


def test_points_say_their_step_and_loss():
    assert lines(figure())["at 0.3"]["text"] == ["after step 0: loss 1", "after step 1: loss 4", "after step 2: loss 9"]


def test_losses_stay_on_their_axis():
    spec = losses_figure([walk((1.0, 1e6, 0.0))], ROLES[:1], LIGHT, classes=3)
    (series,), (axis,) = spec["series"], spec["yAxis"]
    assert series["data"] == [[0, 1.0], [1, HIGHEST], [2, DEEPEST]]
    assert axis["type"] == "log" and axis["min"] <= DEEPEST and axis["max"] >= HIGHEST
    assert series["markLine"]["data"][0]["yAxis"] == pytest.approx(np.log(3), abs=1e-3)
    json.dumps(spec, allow_nan=False)
