"""A log of another tool on a page: pasted or as a file, the table as read, the verdict, and a sentence for the rest."""

import math

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core.text import read
from core.ui.log_import import shown
from tests.diagnose.log_printers import PRINTERS, fastai
from tests.diagnose.test_curve_checks import log_of
from tests.ui.support import markup, words


def draw():
    from core.ui import log_import

    log_import.show()


@pytest.fixture
def part(lab):
    """The part alone on a page, in a fresh session."""
    return AppTest.from_function(draw, default_timeout=30).run()


def paste(page, text):
    return page.text_area(key="diagnose.log").set_value(text).run()


def test_an_empty_box_says_what_to_do(part):
    assert not part.exception and not part.error and not part.dataframe
    assert "every table with a line of names" in words(part).lower()


def test_the_example_is_one_click_away_and_is_labelled(part):
    page = part.button(key="diagnose.log_example").click().run()
    assert not page.exception and not page.error
    assert page.text_area(key="diagnose.log").value == read("diagnose", "import_example")
    assert "invented numbers" in words(page) and "it overfits" in words(page)
    assert len(page.dataframe[0].value) == 12 and len(page.get("echarts_chart")) == 1
    assert "invented numbers" not in words(paste(page, fastai(log_of("good"))))


@pytest.mark.parametrize(
    ("run", "title"),
    [("good", "This looks healthy"), ("too_high", "too high"), ("too_low", "too low"), ("too_many", "Too many epochs")],
)
@pytest.mark.parametrize("form", ["fastai", "keras_3", "lightning"])
def test_a_pasted_log_gets_its_verdict_and_is_shown_as_read(part, form, run, title):
    page = paste(part, PRINTERS[form](log_of(run)))
    assert not page.exception and not page.error
    assert title in words(page) and len(page.dataframe[0].value) == len(log_of(run))
    assert {"train_loss", "valid_loss"} <= set(page.dataframe[0].value)


def test_what_is_known_besides_reaches_the_verdict(part):
    page = paste(part, fastai(log_of("too_high")))
    page.text_input(key="diagnose.log_lr").set_value("0.5")
    page.text_input(key="diagnose.log_suggested").set_value("3e-3")
    page.number_input(key="diagnose.log_classes").set_value(3)
    page = page.number_input(key="diagnose.log_n_valid").set_value(36).run()
    assert not page.exception and "23 of 36 wrong" in words(page) and "3e-3" in words(page)


def test_a_file_fills_the_box_and_is_forgotten(part):
    page = part.get("file_uploader")[0].upload("log.csv", fastai(log_of("good")).encode("utf-16"), "text/csv").run()
    assert not page.exception and page.text_area(key="diagnose.log").value.startswith("epoch")
    assert "This looks healthy" in words(page)
    page = page.get("file_uploader")[0].upload("log.csv", b"\x89PNG\r\n\x1a\n\0\0", "text/csv").run()
    assert not page.exception and "not text" in page.error[0].value


@pytest.mark.parametrize("text", ["hello", "a,b\n1,2", "epoch train_loss valid_loss", "{'loss': [1, 2]}", "\x00\x01 1"])
def test_what_is_no_log_gets_one_sentence_on_the_page(part, text):
    page = paste(part, text)
    assert not page.exception and len(page.error) == 1 and not page.dataframe
    assert "Traceback" not in page.error[0].value


def test_a_rate_that_is_none_gets_one_sentence(part):
    page = paste(part, fastai(log_of("good")))
    page = page.text_input(key="diagnose.log_lr").set_value("fast").run()
    assert not page.exception and "is not a number" in page.error[0].value


def test_of_several_trainings_one_can_be_asked_about(part):
    page = paste(part, fastai(log_of("good")) + fastai(log_of("too_low")))
    assert "2 trainings or stages" in words(page) and len(page.dataframe[0].value) == 9
    page = page.selectbox(key="diagnose.log_part").select_index(2).run()
    assert not page.exception and len(page.dataframe[0].value) == 5 and "too low" in words(page)
    page = paste(page, fastai(log_of("good")))
    assert not page.exception and len(page.dataframe[0].value) == 4
    page = paste(page, fastai(log_of("good")) + fastai(log_of("too_few")))
    assert not page.exception and page.dataframe


def test_nothing_of_a_log_becomes_markup(part):
    nasty = "epoch,train_loss,valid_loss,<img src=x onerror=alert(1)>\n0,1,1,1\n<script>alert(2)</script>\n1,.5,.5,1\n"
    page = paste(part, nasty)
    assert not page.exception and "Line 3 was passed over" in words(page)
    assert "<img" not in markup(page) and "<script" not in markup(page)


def test_the_table_says_what_is_empty_and_what_is_no_number():
    epochs = pd.DataFrame({"stage": 0, "epoch": [0, 1], "train_loss": [math.nan, 2e9]})
    epochs["valid_loss"] = pd.Series([None, math.inf], dtype=object)
    assert shown(epochs).to_dict("list") == {
        "epoch": ["1", "2"],
        "in the log": ["0", "1"],
        "train_loss": ["not a number", "2 billion"],
        "valid_loss": ["", "infinite"],
    }
    assert "in the log" not in shown(epochs.assign(epoch=[1, 2]))
