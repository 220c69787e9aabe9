"""The figure of the confusion matrix: every cell can be hit, read and told, with harmless names."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.plots.confusion import LIMIT, confusion_figure, height_of, shown_classes
from core.plots.heat import colours
from core.plots.style import look
from tests.hostile_names import HOSTILE_NAMES

MATRIX = np.array([[6, 1, 1], [0, 5, 2], [0, 0, 0]])


def parts(figure):
    light, dark, marks = figure["data"]
    return light, dark, marks


def luminance(rgb):
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in np.array(rgb) / 255]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def texts(figure):
    light, dark, _ = parts(figure)
    return [[a or b for a, b in zip(*row, strict=True)] for row in zip(light["text"], dark["text"], strict=True)]


def test_numbers_are_the_counts_or_the_shares_of_the_row():
    assert texts(confusion_figure(MATRIX, "abc", look())) == [["6", "1", "1"], ["0", "5", "2"], ["0", "0", "0"]]
    shares = texts(confusion_figure(MATRIX, "abc", look(), shares=True))
    assert shares == [["75 %", "12 %", "12 %"], ["0", "71 %", "29 %"], ["0", "0", "0"]]


def test_each_cell_has_one_mark_with_its_row_and_column():
    marks = parts(confusion_figure(MATRIX, "abc", look()))[2]
    assert marks["customdata"] == [[row, column] for row in range(3) for column in range(3)]
    assert list(zip(marks["y"], marks["x"], strict=True)) == [(row, column) for row, column in marks["customdata"]]
    assert marks["marker"]["opacity"] == 0 and marks["selected"]["marker"]["opacity"] == 1
    assert marks["text"][1].startswith("1 of 8 (12 %)") and "<b>a</b> taken for <b>b</b>" in marks["text"][1]
    assert marks["text"][8].startswith("0 of 0 (0 %)") and "nan" not in str(marks["text"])


def test_the_chosen_cell_is_marked_and_one_that_is_not_there_marks_none():
    assert parts(confusion_figure(MATRIX, "abc", look(), chosen=(1, 2)))[2]["selectedpoints"] == [5]
    assert parts(confusion_figure(MATRIX, "abc", look()))[2]["selectedpoints"] == []
    assert parts(confusion_figure(MATRIX, "abc", look(), chosen=(7, 0)))[2]["selectedpoints"] == []


def test_each_cell_is_drawn_once_and_its_number_is_readable_on_its_colour():
    matrix = np.array([[100 - step, step] for step in range(0, 101, 5)] + [[0, 0]])
    square = np.zeros((len(matrix), len(matrix)), dtype=int)
    square[:, :2] = matrix
    light, dark, _ = parts(confusion_figure(square, [str(n) for n in range(len(square))], look()))
    for one, other in zip(
        np.array(light["z"], dtype=float).ravel(), np.array(dark["z"], dtype=float).ravel(), strict=True
    ):
        assert np.isnan(one) != np.isnan(other)
    for trace, ink in ((light, 0.0), (dark, 1.0)):
        assert trace["textfont"]["color"] == ("#FFFFFF" if ink else "#000000")
        for value in np.array(trace["z"], dtype=float).ravel():
            if not np.isnan(value):
                ground = luminance(colours(np.array(value)))
                assert (max(ground, ink) + 0.05) / (min(ground, ink) + 0.05) >= 4.5


def test_thirty_classes_have_room_and_small_numbers():
    names = [f"a rather long name of a class {number}" for number in range(30)]
    figure = confusion_figure(np.eye(30, dtype=int) * 120, names, look())
    assert figure["layout"]["height"] == height_of(30) >= 30 * 18
    assert all(len(name) <= 14 for name in figure["layout"]["xaxis"]["ticktext"])
    assert figure["data"][0]["textfont"]["size"] >= 10 and texts(figure)[0][:2] == ["120", ""]


def test_of_more_classes_those_with_the_most_mistakes_are_drawn_in_their_order():
    matrix = np.eye(200, dtype=int)
    matrix[150, 3] = 4
    shown = shown_classes(matrix)
    assert len(shown) == LIMIT and shown == sorted(shown) and {3, 150} <= set(shown)
    assert shown_classes(MATRIX) == [0, 1, 2]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_no_name_is_markup_or_a_template(name):
    figure = confusion_figure(MATRIX, (name, name + "b", "c"), look())
    said = [*figure["layout"]["xaxis"]["ticktext"], *figure["layout"]["yaxis"]["ticktext"]]
    said += [text.replace("<b>", "").replace("</b>", "").replace("<br>", "") for text in figure["data"][2]["text"]]
    assert not any("<" in text or "%{" in text for text in said)


@given(st.lists(st.lists(st.integers(0, 50), min_size=4, max_size=4), min_size=4, max_size=4), st.booleans())
def test_any_counts_give_a_figure_without_nan(rows, shares):
    figure = confusion_figure(np.array(rows), "abcd", look("dark"), shares=shares)
    assert "nan" not in str(figure)
