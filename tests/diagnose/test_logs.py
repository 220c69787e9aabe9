"""Logs of other tools: each form gives the numbers that were printed, and any text gives a log or one sentence."""

from __future__ import annotations

import math
import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.diagnose import diagnose
from core.diagnose.log_cells import meanings, number
from core.diagnose.logs import FORMS, MAX_BYTES, MAX_EPOCHS, MAX_LINES, TOOLS, Log, decode, read_log
from core.errors import DataError, LabError
from tests.diagnose.log_printers import PRINTERS, fastai
from tests.diagnose.log_samples import SAMPLES
from tests.diagnose.test_curve_checks import VERDICTS, log_of, table

TOOL_OF = {"fastai": "fastai", "keras": "Keras", "lightning": "Lightning", "ours": "Bearings", "loop": "table"}
TOOL_OF |= dict.fromkeys(("copied", "semicolons", "markdown", "html", "data", "one"), "fastai") | {"one": "table"}


def cells(log: Log) -> list[list]:
    return log.epochs.astype(object).values.tolist()


def plain(values: list) -> list:
    """NaN compared as a word."""
    return ["nan" if isinstance(value, float) and math.isnan(value) else value for value in values]


# ---------------------------------------------------------------- every form, as people paste it


@pytest.mark.parametrize("run", VERDICTS)
@pytest.mark.parametrize("form", PRINTERS)
def test_every_log_of_the_lesson_gets_its_verdict_in_every_form(form, run):
    log = read_log(PRINTERS[form](log_of(run)))
    assert log.tool == TOOL_OF[form.split("_")[0]] and log.tool in TOOLS
    assert len(log.epochs) == len(log_of(run)) and log.stages == 1
    assert diagnose(log.epochs)[0].kind == VERDICTS[run]
    assert diagnose(log.epochs, classes=2 if run.startswith("dogs") else 3)[0].kind == VERDICTS[run]


@pytest.mark.parametrize("name", SAMPLES)
def test_what_people_paste_gives_exactly_this_table(name):
    text, tool, columns, rows, skipped = SAMPLES[name]
    log = read_log(text)
    assert (log.tool, list(log.epochs), log.skipped) == (tool, columns, skipped)
    assert [plain(row) for row in cells(log)] == rows


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_judged_with_a_whole_card(name):
    found = diagnose(read_log(SAMPLES[name][0]).epochs)
    assert found[0].title and found[0].evidence and found[0].fix


def test_a_loss_that_became_nan_is_told_apart_from_an_empty_cell():
    head = "epoch,train_loss,valid_loss,accuracy\n0,0.9,0.8,0.5\n1,0.7,0.6,0.7\n"
    assert diagnose(read_log(head + "2,0.6,,\n").epochs)[0].kind != "lr_too_high"
    assert diagnose(read_log(head + "2,nan,nan,0.3\n").epochs)[0].kind == "lr_too_high"


def test_accuracy_on_the_training_pictures_is_never_taken_for_validation():
    log = read_log("epoch,accuracy,loss\n0,0.7,0.6\n1,0.9,0.4\n2,0.99,0.1\n")
    assert "accuracy" not in log.epochs and diagnose(log.epochs)[0].kind == "cant_tell"
    assert dict(log.names)["train_accuracy"] == "accuracy"


def test_the_number_of_validation_pictures_is_taken_where_keras_says_it():
    assert read_log(PRINTERS["keras"](log_of("good"))).n_valid == 53
    assert read_log(PRINTERS["keras_3"](log_of("good"))).n_valid is None


def test_runs_below_one_another_are_stages():
    text = "\n".join(fastai(log_of(run)) for run in ("good", "too_low", "too_few"))
    log = read_log(text)
    assert log.stages == 3 and list(log.epochs["stage"]) == [0] * 4 + [1] * 5 + [2]
    part = log.epochs[log.epochs["stage"] == 1].reset_index(drop=True)
    assert diagnose(part)[0].kind == "lr_too_low"


def test_every_form_is_reached_by_some_sample():
    reached = set()
    for text in [printer(log_of("good")) for printer in PRINTERS.values()]:
        log = read_log(text)
        for name, form in FORMS.items():
            found = form(text.replace("\b", "").replace("\r", "\n"))
            if found is not None and found.tool == log.tool and len(found.rows) >= len(log.epochs):
                reached.add(name)
                break
    assert reached == set(FORMS)


# ---------------------------------------------------------------- cells and names


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("0,57", 0.57),
        ("57 %", 0.57),
        ("1.5e-3", 0.0015),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("(00:33)", 33.0),
        ("tensor(0.25, device='cuda:0')", 0.25),
        ("-inf", -math.inf),
        ("", None),
        ("None", None),
        ("__import__('os')", None),
        ("1" * 65, None),
        (True, None),
        (10**400, math.inf),
    ],
)
def test_a_cell_is_a_number_or_nothing(cell, value):
    assert number(cell) == value


def test_two_columns_of_one_meaning_keep_both_and_the_exam_goes_before_the_test():
    called = meanings(["test_loss", "val_loss", "train_loss", "loss", "top_5_accuracy"], bare_is_training=False)
    assert called == {
        "test_loss": "test_loss",
        "val_loss": "valid_loss",
        "train_loss": "train_loss",
        "loss": "loss",
        "top_5_accuracy": "top_5_accuracy",
    }


# ---------------------------------------------------------------- one sentence for everything else


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        (" \n\t\x1b[0m", "empty"),
        ("epoch train_loss valid_loss\n", "no numbers"),
        ("What went wrong with my model?", "no numbers"),
        ("\x00\x01\x02 1 2 3", "not text"),
        ("train_loss\n0.5\n0.4\n", "only one column"),
        ("0.5\n0.4", "only one column"),
        ("{'loss': [0.5, 0.4]}", "only one column, loss"),
        ("0 2.33 1.94 0.56\n1 1.75 1.36 0.41", "no column is named"),
        ("size,weight\n1,2\n3,4\n", "no column is named"),
        ("Epoch 1/5\n 3/32 [>....] - ETA: 9s - loss: 0.2 - accuracy: 0.9", "no finished epoch"),
        ("epoch,acc,loss\n0,x,y\n", "no column is named"),
        ("x" * (MAX_BYTES + 1), "2.0 MB; up to 2 MB"),
        ("\n1" * (MAX_LINES + 1), "more than 100,000 lines"),
        ("epoch,train_loss,valid_loss\n" + "".join(f"{i},1,1\n" for i in range(MAX_EPOCHS + 1)), "10,000 epochs"),
        ("[" * 100_000, "no numbers"),
        ('{"a":' * 100_000 + "1", "no column is named"),
    ],
)  # fmt: skip
def test_what_is_no_log_gets_one_sentence(text, says):
    with pytest.raises(DataError, match=says) as caught:
        read_log(text)
    assert caught.value.hint and len(str(caught.value)) < 300 and caught.value.message.count(". ") == 0


def test_a_file_is_decoded_in_any_charset_and_a_terminal_s_marks_are_welcome():
    text = PRINTERS["keras_3"](log_of("good")) + "\b\b"
    for charset in ("utf-8", "utf-8-sig", "utf-16"):
        assert diagnose(read_log(decode(text.encode(charset))).epochs)[0].kind == "healthy"
    for data, says in ((b"\x89PNG\r\n\x1a\n\0\0\0", "not text"), (b"PK\x03\x04", "workbook"), (b"1" * 3 * 2**20, "MB")):
        with pytest.raises(DataError, match=says):
            decode(data)


@pytest.mark.parametrize(
    "text",
    [
        "[" + " " * 500 + "\n[" * 1_000,
        "<td" + "\n " * 45_000,
        "Epoch 1/2 " + "aaaa " * 300_000,
        "Epoch 1\n" + ("a " * 1_900 + "\n") * 300,
        "\x1b[" + "0" * 1_000_000,
        "'a':[" * 200_000 + "{",
        "a b c d\n" * 90_000,
        "epoch,loss\n" + '"' * 500_000,
        "epoch|loss" + "|" * 1_000_000,
    ],
    ids=range(9),
)
def test_hostile_text_is_read_in_a_moment(text):
    started = time.perf_counter()
    with pytest.raises(DataError):
        read_log(text)
    assert time.perf_counter() - started < 20  # seconds; what grows with the square of the length would take minutes


WORDS = st.sampled_from(
    ["epoch", "train_loss", "loss", "val_loss", "accuracy", "step", "stage", "Epoch 1/2", "{", "}", "[", "]", "'loss':",
     '"val_loss": [', ",", ";", "|", "\t", "\n", " - ", ": ", "nan", "inf", "0.5", "1", "2,5", "%", "\r", "\b", "<td>",
     "</tr>", "-", "1e999", "99999999999999999999", "32/32", "kind", "null"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=200) | st.lists(WORDS, max_size=40).map("".join) | st.lists(WORDS, max_size=40).map(" ".join))
def test_any_text_is_a_log_or_a_sentence(text):
    try:
        log = read_log(text)
    except LabError as error:
        assert error.message and error.hint
        return
    assert list(log.epochs)[:2] == ["stage", "epoch"] and 1 <= len(log.epochs) <= MAX_EPOCHS
    assert log.tool in TOOLS and {ours for ours, _ in log.names} <= set(log.epochs)
    assert diagnose(log.epochs)[0].title


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_log_or_a_sentence(data):
    try:
        assert len(read_log(decode(data)).epochs)
    except LabError as error:
        assert error.message


LOSS = st.floats(0, 1e7).map(lambda value: round(value, 4))
RATE = st.floats(0, 1).map(lambda value: round(value, 4))


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(st.tuples(LOSS, LOSS, RATE), min_size=1, max_size=12))
@pytest.mark.parametrize("form", PRINTERS)
def test_a_table_printed_and_read_back_has_the_same_numbers(form, rows):
    before = table(*zip(*rows, strict=True), epoch=range(len(rows)))
    log = read_log(PRINTERS[form](before, digits=None if form.startswith("ours") else 6))
    after = log.epochs
    assert len(after) == len(before)
    np.testing.assert_allclose(after["train_loss"].astype(float), before["train_loss"], atol=1e-9)
    np.testing.assert_allclose(after["valid_loss"].astype(float), before["valid_loss"], atol=1e-9)
    error = after["error_rate"] if "error_rate" in after else 1 - after["accuracy"]
    np.testing.assert_allclose(error.astype(float), before["error_rate"], atol=1e-9)
    pd.testing.assert_series_equal(after["epoch"] - after["epoch"][0], pd.Series(range(len(rows)), name="epoch"))
