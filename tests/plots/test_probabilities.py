"""Bars of a prediction."""

import re

from core.plots.probabilities import probability_bars, ranked, waiting_bars

PROBS = {"black": 0.2, "grizzly": 0.7, "teddy": 0.1}


def test_classes_come_by_probability_and_then_by_name():
    assert ranked({"b": 0.4, "a": 0.4, "c": 0.2}) == [("a", 0.4), ("b", 0.4), ("c", 0.2)]


def test_bars_show_the_likeliest_and_count_the_rest():
    made = probability_bars({f"class {n}": 1 / 37 for n in range(37)}, top=5)
    assert made.count('role="listitem"') == 5 and "and 32 more below" in made


def test_a_bar_is_as_long_as_its_probability_and_says_it_in_words():
    made = probability_bars(PROBS)
    assert re.findall(r'<b style="width:([\d.]+)%"', made) == ["70.0", "20.0", "10.0"]
    assert "70 &#37;" in made


def test_below_the_threshold_the_first_bar_is_marked_and_so_is_the_threshold():
    assert "bar-unsure" in probability_bars(PROBS, threshold=0.8) and "left:80.0%" in probability_bars(
        PROBS, threshold=0.8
    )
    assert "bar-sure" in probability_bars(PROBS, threshold=0.7)


def test_a_class_name_cannot_become_markup():
    assert "<script" not in probability_bars({"<script>alert(1)</script>": 1.0})


def test_the_place_of_an_answer_is_as_high_as_the_answer():
    assert waiting_bars(3).count("bar-track") == probability_bars(PROBS).count("bar-track")
