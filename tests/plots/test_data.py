"""Figures of a data set: as many bars as classes, as many pictures in the bins as in the table, names as text."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from core.data.summary import class_counts
from core.plots.data import channel_ranges, class_bars, shape_bins, shapes_figure, side_bins, sides_figure
from core.plots.style import look
from tests.hostile_names import HOSTILE_NAMES


def counts(per_class):
    """A table of counts from label -> (train, valid)."""
    rows = [(label, side) for label, (train, valid) in per_class.items() for side in ["t"] * train + ["v"] * valid]
    table = pd.DataFrame(rows, columns=["label", "split"]).replace({"t": "train", "v": "valid"})
    return class_counts(table)


class Seen(HTMLParser):
    """What a browser makes of a piece of HTML."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.text = set(), set(), ""

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data):
        self.text += data


def widths(made):
    return [float(width) for width in re.findall(r'<i style="width:([\d.]+)%"', made)]


def data_of(spec):
    return [bar["value"] for bar in spec["series"][0]["data"]]


def test_a_bar_is_stacked_from_both_sides_and_the_longest_fills_its_track():
    made = class_bars(counts({"cat": (6, 2), "dog": (3, 1)}))
    assert made.count('role="listitem"') == 2
    assert widths(made) == [75.0, 25.0, 37.5, 12.5]
    assert "6 + 2" in made and "8: 6 to learn from, 2 for the exam" in made


def test_two_hundred_classes_are_two_hundred_bars_that_add_up_to_the_table():
    table = counts({f"class {n:03d}": (n % 7 + 1, n % 3) for n in range(200)})
    made = class_bars(table)
    shown = [int(total) for total in re.findall(r"<b>(\d+)</b>", made)]
    assert len(shown) == 200 and sum(shown) == table["total"].sum()
    assert sum(widths(made)) == pytest.approx(100 * table["total"].sum() / table["total"].max(), abs=2)


def test_no_classes_are_no_bars():
    assert 'role="listitem"' not in class_bars(counts({}))


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_class_name_is_text_and_nothing_else(name):
    made = class_bars(counts({name: (1, 1)}))
    seen = Seen()
    seen.feed(made)
    assert seen.tags == {"div", "span", "i", "b", "small"}
    assert seen.attributes == {"class", "role", "tabindex", "aria-label", "title", "style"}
    assert " ".join(name.split()) in seen.text and "](" not in made and "{{" not in made


def test_a_class_has_its_face():
    made = class_bars(counts({"cat": (1, 1), "dog": (1, 1)}), faces={"dog": "/thumb/a.jpg?dataset=b"})
    assert made.count("<img") == 1 and 'src="/thumb/a.jpg?dataset=b"' in made


@pytest.mark.parametrize(
    ("pixels", "place"), [(0, 0), (31, 0), (32, 1), (511, 15), (512, 15), (600, 15)]
)  # fmt: skip
def test_a_width_lies_in_the_bin_that_holds_it(pixels, place):
    found = side_bins([pixels], 512)
    assert len(found) == 16 and found[place] == found.sum() == 1


@pytest.mark.parametrize(
    ("ratio", "place"),
    [(1, 10), (1.05, 10), (4 / 3, 12), (3 / 2, 13), (16 / 9, 14), (2, 15), (0.5, 5), (4, 20), (40, 20), (1 / 40, 0)],
)  # fmt: skip
def test_a_shape_lies_in_the_bin_that_is_named_after_it(ratio, place):
    found = shape_bins([ratio])
    assert len(found) == 21 and found[place] == found.sum() == 1


def test_every_picture_of_ten_thousand_is_in_a_bin_and_the_figure_is_plain_json():
    rng = np.random.default_rng(0)
    wide, tall = rng.integers(1, 513, 10_000), rng.integers(1, 513, 10_000)
    for spec in (
        sides_figure(wide, side="width", longest=512, look=look()),
        sides_figure(tall, side="height", longest=512, look=look("dark")),
        shapes_figure(wide / tall, look("light", projector=True)),
    ):
        json.dumps(spec, allow_nan=False)
        assert sum(data_of(spec)) == 10_000 and len(spec["series"]) == 1


def test_axes_are_named_with_their_unit_and_keep_their_ends():
    spec = sides_figure([100], side="width", longest=512, look=look())
    bands, scale = spec["xAxis"]
    assert (scale["name"], scale["min"], scale["max"], scale["interval"]) == ("width in pixels", 0, 512, 128)
    assert len(bands["data"]) == len(data_of(spec)) and spec["yAxis"][0]["name"] == "pictures"
    assert spec["series"][0]["data"][3]["name"] == "width 96 to 127 pixels"
    assert spec["series"][0]["data"][15]["name"] == "width 480 to 512 pixels"


def test_shapes_are_named_at_whole_factors():
    spec = shapes_figure([1.0], look())
    assert [name for name in spec["xAxis"][0]["data"] if name] == ["1:4", "1:2", "1:1", "2:1", "4:1"]
    names = [bar["name"] for bar in spec["series"][0]["data"]]
    assert names[10] == "square, or nearly" and names[15] == "about 2 times as wide as tall"
    assert names[0] == "about 4 times as tall as wide or more"


def test_an_empty_table_gives_empty_figures():
    assert sum(data_of(sides_figure([], side="width", longest=512, look=look()))) == 0
    assert sum(data_of(shapes_figure([], look()))) == 0


def test_a_range_runs_from_the_least_to_the_largest_number_with_its_mean():
    made = channel_ranges([-2, -1, 0], [0, 0, 1], [2, 1, 9], reach=2)
    assert made.count('class="range ') == 3 and "red: -2.00 to 2.00, mean 0.00" in made
    assert 'class="range red"' in made and "left:0.0%;right:0.0%" in made
    assert "left:25.0%;right:25.0%" in made and "left:50.0%;right:0.0%" in made  # what lies beyond ends at the edge
