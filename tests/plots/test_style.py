"""Numbers, names and colours as people read them."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.plots import style
from core.plots.style import Look, duration, esc, look, number, rate, share, sureness, sureness_in_words, wrong_of


@given(st.text())
def test_escaped_text_has_no_character_with_a_meaning_and_reads_the_same(text):
    made = esc(text)
    assert not set(made) & set("<>\"'`*_[](){}$~|\\!:@%")
    assert html.unescape(made) == " ".join(text.split()) or "\x00" in text or not text.isprintable()


@pytest.mark.parametrize(
    ("value", "text"), [(3e-3, "3e-3"), (1e-5, "1e-5"), (0.1, "1e-1"), (1, "1"), (0.00125, "1.25e-3"), (10, "10")]
)
def test_a_rate_is_written_as_people_say_it(value, text):
    assert rate(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0 %"), (0.05, "5.0 %"), (0.5, "50 %"), (1, "100 %"), (0.995, "99.5 %"), (1e-6, "< 0.1 %")],
)  # fmt: skip
def test_a_share_has_two_or_three_digits(value, text):
    assert share(value) == text


def test_no_model_is_entirely_sure():
    assert (sureness(1.0), sureness(0.0), sureness(0.87)) == ("> 99.9 %", "< 0.1 %", "87 %")
    assert sureness_in_words(1.0) == "more than 99.9 %" and sureness_in_words(0.87) == "87 %"


def test_an_error_is_a_count_and_a_share():
    assert wrong_of(3, 60) == "3 of 60 wrong (5.0 %)"
    assert wrong_of(0, 0) == "0 of 0 wrong (0 %)"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.84, "0.8 s"), (12.4, "12 s"), (75, "1 min 15 s"), (4020, "1 h 7 min")]
)
def test_a_time_carries_its_unit(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.03456, "0.0346"), (1234.5, "1,234"), (1.1e9, "1.1 billion"), (float("nan"), "not a number"), (0, "0")],
)  # fmt: skip
def test_a_number_has_three_digits_and_no_exponent(value, text):
    assert number(value) == text


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_ink_is_readable_on_paper_and_lines_are_visible(theme):
    seen = look(theme)
    assert contrast(seen.ink, seen.paper) >= 7
    for line in (seen.brand, seen.training, seen.too_high, seen.too_low, seen.good, *seen.slots):
        assert contrast(line, seen.paper) >= 3, line


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_is_compared_has_four_colours_lines_and_marks_of_its_own(theme):
    seen = look(theme)
    assert len(set(seen.slots)) == len(set(style.SLOT_LINES)) == len(set(style.SLOT_MARKS)) == len(style.SLOTS) == 4
    assert not set(seen.slots) & {seen.too_high, seen.too_low, seen.good, seen.attention, seen.training, seen.brand}


def test_meanings_have_the_colours_of_okabe_and_ito_with_a_line_and_a_mark_each():
    seen = look("light")
    assert (seen.too_high, seen.too_low, seen.good, seen.attention) == ("#D55E00", "#0072B2", "#009E73", "#E69F00")
    assert style.LINES.keys() == style.MARKS.keys() and len(set(style.LINES.values())) == 3
    assert isinstance(look("dark", projector=True), Look) and look("dark", projector=True).font_px > seen.font_px
