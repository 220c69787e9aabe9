"""Counts, balance, shapes and extremes of a table."""

import pandas as pd
import pytest

from core.data.summary import balance_of, class_counts, extremes, lost_share, shapes


def table(rows):
    return pd.DataFrame(rows, columns=["item", "label", "split", "width", "height"])


ITEMS = table(
    [
        ("1", "cat", "train", 100, 100),
        ("2", "cat", "valid", 400, 100),
        ("3", "dog", "train", 100, 300),
        ("4", "dog", "train", 500, 500),
        ("5", "dog", "valid", 10, 10),
        ("6", "ant", "train", 20, 20),
        ("7", "ant", "train", 500, 500),
    ]
)


def test_counts_come_by_size_and_then_by_name_and_add_up():
    counts = class_counts(ITEMS)
    assert list(counts.index) == ["dog", "ant", "cat"]
    assert counts.loc["dog"].to_dict() == {"total": 3, "train": 2, "valid": 1}
    assert counts["total"].sum() == len(ITEMS) and (counts["train"] + counts["valid"] == counts["total"]).all()


def test_the_balance_says_what_always_guessing_is_worth():
    found = balance_of(class_counts(ITEMS))
    assert (found.largest, found.smallest, found.ratio) == ("dog", "cat", 1.5)
    assert (found.favourite, found.always, found.exam) == ("dog", 1, 2)


def test_an_empty_table_has_no_counts():
    assert len(class_counts(table([]))) == 0


def test_extremes_are_by_area_and_by_shape_and_a_tie_is_the_first():
    found = {name: row["item"] for name, row in extremes(ITEMS).items()}
    assert found == {"largest": "4", "smallest": "5", "widest": "2", "tallest": "3"}


@pytest.mark.parametrize(("item", "lost"), [("1", 0.0), ("2", 0.75), ("3", 2 / 3)])
def test_what_lies_outside_the_middle_square_is_lost(item, lost):
    row = ITEMS[ITEMS["item"] == item]
    assert lost_share(row)[0] == pytest.approx(lost) and shapes(row)[0] == row["width"].iloc[0] / row["height"].iloc[0]
