"""Orders of suspects: who comes first, sentences with the picture's own numbers, and what every order keeps."""

import numpy as np
import pandas as pd
import pytest

from core.interpret.orders import ALONE, ORDERS, percent
from core.interpret.suspects import COLUMNS
from core.text import read


def suspects(*rows):
    """A table of a search; what a row leaves out is of no interest."""
    usual = {"file": "f", "label": "cat", "split": "train", "predicted": "cat", "second": "dog", "fold_guess": "cat",
             "p_predicted": 0.9, "p_second": 0.1, "p_label": 0.9, "loss": 0.1, "certainty": 0.8, "fold_p_guess": 0.9,
             "fold_p_label": 0.9, "doubt": -2.2, "known": True, "label_error": False, "group": ALONE}  # fmt: skip
    made = [{**usual, "item": str(number), **row} for number, row in enumerate(rows)]
    return pd.DataFrame(made, columns=list(COLUMNS))


def random_table(n=40, seed=0):
    rng = np.random.default_rng(seed)
    return suspects(*(random_row(rng) for _ in range(n)))


def random_row(rng):
    names = ("label", "predicted", "second", "fold_guess")
    chance = rng.random()
    return {**dict(zip(names, rng.choice(["cat", "dog", "fox"], 4), strict=True)), "p_predicted": chance,
            "loss": 9 * chance, "certainty": rng.random(), "doubt": rng.normal(), "label_error": chance > 0.8,
            "group": int(4 * chance) if chance < 0.5 else ALONE, "split": rng.choice(["train", "valid"])}  # fmt: skip


def test_the_highest_loss_comes_first_with_both_probabilities():
    ordered = ORDERS["loss"](suspects(
        {"p_label": 0.62, "loss": 0.48},
        {"predicted": "dog", "p_predicted": 0.97, "p_label": 0.01, "loss": 4.6},
        {"label": "wolf", "predicted": "dog", "p_predicted": 0.97, "p_label": 0.0, "known": False, "loss": 27.6},
    ))  # fmt: skip
    assert list(ordered["reason"]) == [
        "Labelled wolf, which this model never learned; it says dog with 97 %.",
        "Labelled cat; the model says dog with 97 %. It gives cat 1 %.",
        "Labelled cat, and the model says so too, with 62 %.",
    ]
    assert list(ordered["suggested"]) == ["dog", "dog", ""]


def test_the_least_certain_comes_first_with_what_it_is_torn_between():
    ordered = ORDERS["unsure"](suspects(
        {},
        {"p_predicted": 0.48, "p_second": 0.45, "certainty": 0.03},
        {"predicted": "dog", "second": "cat", "p_predicted": 0.6, "p_second": 0.3, "certainty": 0.3},
    ))  # fmt: skip
    assert list(ordered["reason"]) == [
        "Labelled cat; the model cannot decide: cat with 48 %, dog with 45 %.",
        "Labelled cat; the model says dog with 60 %, and cat with 30 %.",
        "Labelled cat; the model says cat with 90 %, and dog with 10 %.",
    ]
    assert list(ordered["suggested"]) == ["", "dog", ""]


def test_the_most_doubtful_label_comes_first_with_the_suggested_one():
    doubtful = {"fold_guess": "dog", "fold_p_guess": 0.8, "fold_p_label": 0.1, "doubt": 2.08}
    ordered = ORDERS["label_error"](suspects(
        {"fold_p_label": 0.93},
        {**doubtful, "fold_p_guess": 0.5, "fold_p_label": 0.3, "doubt": 0.5},
        {**doubtful, "label_error": True},
        {**doubtful, "fold_p_guess": 0.4, "fold_p_label": 0.5, "doubt": -0.2, "label_error": True},
    ))  # fmt: skip
    judge = "a small model that never saw this picture"
    assert list(ordered["reason"]) == [
        f"Labelled cat; {judge} says dog with 80 %. It gives cat 10 %. That is as sure as it usually is of dog.",
        f"Labelled cat; {judge} says dog with 50 %. It gives cat 30 %.",
        f"Labelled cat; {judge} gives it 50 %, and dog 40 %.",
        f"Labelled cat, and {judge} says so too, with 93 %.",
    ]
    assert list(ordered["suggested"]) == ["dog", "dog", "dog", ""]


def test_twins_stand_side_by_side_those_that_disagree_first():
    ordered = ORDERS["duplicates"](suspects(
        {"group": 0, "file": "a"},
        {"group": 1, "file": "b"},
        {},
        {"group": 2, "file": "c", "label": "dog"},
        {"group": 1, "file": "b2", "split": "valid"},
        {"group": 0, "file": "a"},
        {"group": 2, "file": "c2"},
        {"group": 2, "file": "c3"},
    ))  # fmt: skip
    assert list(ordered["item"]) == ["3", "6", "7", "1", "4", "0", "5"]
    assert list(ordered["suggested"]) == ["cat", "", "", "", "", "", ""]
    easy = "The model learns from one and is examined on another, which is too easy an exam."
    assert list(ordered["reason"]) == [
        "Nearly the same picture as 2 others. This one is labelled dog, others cat.",
        "Nearly the same picture as 2 others. This one is labelled cat, others dog.",
        "Nearly the same picture as 2 others. This one is labelled cat, others dog.",
        f"Nearly the same picture as one other. Both are labelled cat. {easy}",
        f"Nearly the same picture as one other. Both are labelled cat. {easy}",
        "Exactly the same picture as one other. Both are labelled cat.",
        "Exactly the same picture as one other. Both are labelled cat.",
    ]


def test_twins_with_as_many_votes_for_one_label_as_for_another_suggest_nothing():
    ordered = ORDERS["duplicates"](suspects({"group": 0}, {"group": 0, "label": "dog"}))
    assert list(ordered["suggested"]) == ["", ""]
    assert ordered["reason"][1].endswith("This one is labelled dog, the other cat.")


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_keeps_the_rows_and_gives_each_a_reason(name):
    table = random_table()
    before = table.copy()
    ordered = ORDERS[name](table)
    pd.testing.assert_frame_equal(table, before)
    assert list(ordered.columns) == [*COLUMNS, "reason", "suggested"]
    expected = table[table["group"] != ALONE] if name == "duplicates" else table
    assert sorted(ordered["item"]) == sorted(expected["item"])
    again = ordered.set_index("item")[list(COLUMNS[1:])].loc[list(expected["item"])]
    pd.testing.assert_frame_equal(again.reset_index(), expected.reset_index(drop=True))
    assert ordered["reason"].str.fullmatch(r"[A-Z].*\.").all()
    assert (ordered["suggested"] != ordered["label"]).all()
    assert list(ordered.index) == list(range(len(expected)))


@pytest.mark.parametrize("name", [name for name in ORDERS if name != "duplicates"])
def test_filtering_before_or_after_ordering_is_the_same(name):
    table = random_table()
    chosen = (table["label"] == "cat") & (table["split"] == "train")
    after = ORDERS[name](table)
    after = after[(after["label"] == "cat") & (after["split"] == "train")].reset_index(drop=True)
    pd.testing.assert_frame_equal(ORDERS[name](table[chosen]), after)


@pytest.mark.parametrize("name", ORDERS)
def test_a_table_without_rows_has_an_order(name):
    ordered = ORDERS[name](random_table().iloc[:0])
    assert len(ordered) == 0 and {"reason", "suggested"} <= set(ordered.columns)


def test_twins_without_any_give_an_empty_table():
    assert len(ORDERS["duplicates"](suspects({}, {}))) == 0


def test_ties_keep_the_order_of_the_table():
    assert list(ORDERS["loss"](suspects({}, {}, {"loss": 1.0}, {}))["item"]) == ["2", "0", "1", "3"]


@pytest.mark.parametrize(("probability", "words"), [
    (1.0, "more than 99 %"), (0.996, "more than 99 %"), (0.99, "99 %"), (0.5, "50 %"), (0.006, "1 %"),
    (0.004, "less than 1 %"), (0.0, "less than 1 %"),
])  # fmt: skip
def test_no_model_is_entirely_sure(probability, words):
    assert percent(probability) == words


@pytest.mark.parametrize("name", ORDERS)
def test_every_order_is_explained(name):
    assert read("clean", f"order_{name}")
