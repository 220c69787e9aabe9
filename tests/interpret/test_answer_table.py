"""The table of answers for a spreadsheet: every number there, and nothing in it is taken for a formula."""

import csv
import io

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from core.interpret.answer_table import HEADER, spreadsheet
from core.interpret.predictions import answers

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


def rows_of(text):
    return list(csv.reader(io.StringIO(text, newline="")))


def table_of(labels, classes):
    items = pd.DataFrame({"item": [str(number) for number in range(len(labels))], "file": ["a" * 64] * len(labels),
                          "label": labels, "split": ["valid"] * len(labels)})  # fmt: skip
    return answers(items, np.zeros((len(labels), len(classes))), classes)


def test_a_row_says_what_the_model_said_and_how_sure_it_was():
    header, first, second = rows_of(spreadsheet(table_of(["cat", "fox"], ("cat", "dog")), {"0": "my cat.jpg"}))
    assert header == [*HEADER, "p(cat)", "p(dog)"]
    assert first == ["my cat.jpg", "cat", "valid", "cat", "0.5", "0.5", "0.693147", "0", "0.5", "0.5"]
    assert second[0] == "a" * 64 and second[1] == "fox" and second[5] == "0"


hostile = st.text(min_size=1, max_size=8) | st.sampled_from(
    ["=1+2", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", '","', '=HYPERLINK("http://x")', "a\nb"]
)


@given(hostile, hostile, hostile)
def test_no_cell_begins_like_a_formula_and_every_row_has_every_column(name, label, other):
    classes = tuple(dict.fromkeys((label, other)))
    found = rows_of(spreadsheet(table_of([label, other], classes), {"0": name, "1": name}))
    assert len(found) == 3 and {len(row) for row in found} == {len(HEADER) + len(classes)}
    assert not any(cell.startswith(FORMULAS) for row in found for cell in row)
    assert found[1][0].lstrip("'") == name.lstrip("'")
