"""The map of a data set as a figure: every picture is on it once, names are only text, classes can be told apart."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from core.plots.atlas import COLOURINGS, WITH_GL, atlas_figure, colour_and_mark
from core.plots.style import look
from tests.hostile_names import HOSTILE_NAMES

LOOK = look()


def table_of(n=12, labels=("a", "b", "c")):
    label = [labels[i % len(labels)] for i in range(n)]
    return pd.DataFrame(
        {
            "item": [f"i{i}" for i in range(n)],
            "label": label,
            "split": ["valid" if i % 4 == 3 else "train" for i in range(n)],
            "predicted": [labels[0] if i == 1 else label[i] for i in range(n)],
            "p_predicted": 0.9,
        }
    )


def figure(n=12, **how):
    table = how.pop("table", table_of(n))
    places = np.random.default_rng(0).normal(size=(len(table), 2))
    return atlas_figure(places, table, **{"colouring": "label", "classes": ["a", "b", "c"], "look": LOOK, **how})


@pytest.mark.parametrize("colouring", COLOURINGS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_picture_is_on_it_once_and_plotly_takes_it(colouring, theme):
    made = figure(colouring=colouring, look=look(theme))
    items = [item for trace in made["data"] for item in trace["customdata"]]
    assert sorted(items) == sorted(table_of()["item"])
    assert len(go.Figure(made).data) == len(made["data"])


@pytest.mark.parametrize("colouring", COLOURINGS)
def test_the_legend_names_everything_once(colouring):
    named = [trace["name"] for trace in figure(colouring=colouring)["data"] if trace["showlegend"]]
    assert named == (["a", "b", "c"] if colouring == "label" else ["right, learned from", "right, in the exam",
                                                                  "wrong, learned from"])  # fmt: skip


def test_the_exam_is_larger_than_what_was_learned_from():
    sizes = {trace["meta"]: trace["marker"]["size"] for trace in figure()["data"]}
    assert sizes["exam"] > sizes["learned"]


def test_wrong_answers_are_crosses_and_right_ones_are_not():
    for trace in figure(colouring="wrong")["data"]:
        assert (trace["marker"]["symbol"] == "x") == (trace["name"].startswith("wrong"))
        assert ("i1" in trace["customdata"]) == (trace["name"] == "wrong, learned from")


def test_the_chosen_picture_has_a_ring_around_its_place():
    *others, ring = figure(ringed="i5")["data"]
    trace = next(trace for trace in others if "i5" in trace["customdata"])
    at = list(trace["customdata"]).index("i5")
    assert (ring["x"][0], ring["y"][0]) == (trace["x"][at], trace["y"][at]) and ring["name"] == "chosen"
    assert len(figure(ringed="nobody")["data"]) == len(others)


def test_sixty_four_classes_all_look_different():
    assert len({colour_and_mark(number) for number in range(64)}) == 64


def test_thousands_of_points_are_drawn_by_the_graphics_card():
    assert {trace["type"] for trace in figure(WITH_GL + 1)["data"]} == {"scattergl"}
    assert {trace["type"] for trace in figure(12)["data"]} == {"scatter"}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_is_only_text(name):
    table = table_of(labels=("a", name)).assign(split="train")
    made = figure(table=table, classes=["a", name], names=[name] * 12)
    for trace in made["data"]:
        for text in (trace["name"], *trace["text"]):
            bare = text.replace("<br>", "").replace("<b>", "").replace("</b>", "")
            assert "<" not in bare and ">" not in bare
