"""Metrics of a table of answers: the reference library's numbers, cases by hand, and orders that are stable."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.interpret.metrics import (
    ORDERS,
    accuracy,
    class_scores,
    confusion,
    error_rate,
    log_loss,
    most_confused,
    row_shares,
    sharpened,
    top_losses,
)
from core.interpret.predictions import answers


def named(vocab, numbers):
    return [vocab[number] for number in numbers]


@pytest.fixture(params=["bears", "ties"])
def case(request, reference):
    found = reference["confusion"]
    return found if request.param == "bears" else found["ties"]


def test_confusion_is_that_of_the_reference(case):
    vocab = case["vocab"]
    matrix = confusion(named(vocab, case["targs"]), named(vocab, case["preds"]), vocab)
    assert matrix.tolist() == case["confusion_matrix"]


def test_most_confused_is_that_of_the_reference_with_its_order_of_ties(reference):
    found = reference["confusion"]
    matrix, vocab = np.array(found["confusion_matrix"]), found["vocab"]
    for least in (1, 2, 3):
        wanted = [tuple(pair) for pair in found[f"most_confused_min{least}"]]
        assert most_confused(matrix, vocab, min_count=least) == wanted
    ties = found["ties"]
    wanted = [tuple(pair) for pair in ties["most_confused"]]
    assert most_confused(np.array(ties["confusion_matrix"]), ties["vocab"]) == wanted


def test_row_shares_are_those_of_the_reference_but_a_class_without_pictures_gives_no_nan(reference):
    ties = reference["confusion"]["ties"]
    wanted = [[0.0 if value == "nan" else value for value in row] for row in ties["normalized_rows"]]
    assert row_shares(np.array(ties["confusion_matrix"])) == pytest.approx(np.array(wanted))


def test_scores_of_classes_are_those_of_the_reference_report(reference):
    found = reference["confusion"]
    scores = class_scores(np.array(found["confusion_matrix"]), found["vocab"])
    for score in scores:
        said = re.search(rf"{score.label}\s+(\S+)\s+(\S+)\s+(\S+)\s+(\d+)", found["classification_report"])
        precision, recall, f1, support = said.groups()
        assert [f"{value:.2f}" for value in (score.precision, score.recall, score.f1)] == [precision, recall, f1]
        assert score.support == int(support)


def test_a_share_of_nothing_is_none_and_never_nan():
    scores = class_scores(np.array([[2, 0, 0], [1, 0, 0], [0, 0, 0]]), ("a", "b", "c"))
    assert (scores[1].precision, scores[1].recall, scores[1].f1) == (None, 0.0, None)
    assert (scores[2].precision, scores[2].recall, scores[2].f1) == (None, None, None)
    assert scores[0].precision == pytest.approx(2 / 3)


def test_accuracy_and_error_rate_are_those_of_the_reference(reference):
    found = reference["metrics"]
    predicted = [str(np.argmax(row)) for row in found["single_logits"]]
    actual = [str(label) for label in found["single_targets"]]
    assert accuracy(actual, predicted) == found["accuracy"]
    assert error_rate(actual, predicted) == found["error_rate"]
    assert math.isnan(accuracy([], [])) and math.isnan(error_rate([], []))


def test_log_loss_is_the_cross_entropy_of_the_reference(reference):
    found = reference["losses"]
    items = pd.DataFrame({"item": ["1", "2"], "file": ["f", "g"], "label": ["0", "1"], "split": ["valid"] * 2})
    table = answers(items, np.array(found["logits"]), ("0", "1", "2"))
    assert log_loss(table["p_label"]) == pytest.approx(found["cross_entropy"], rel=1e-6)
    assert table["loss"].mean() == pytest.approx(found["cross_entropy"], rel=1e-6)


def test_log_loss_of_a_sure_mistake_is_large_and_finite_and_of_nothing_is_nan():
    assert 700 < log_loss([0.0]) < 800 and log_loss([1.0, 0.5]) == pytest.approx(math.log(2) / 2)
    assert math.isnan(log_loss([]))


@given(st.lists(st.lists(st.floats(-20, 20), min_size=3, max_size=3), min_size=1, max_size=8), st.floats(0.1, 5))
def test_a_surer_model_gives_the_same_answers_with_other_probabilities(rows, factor):
    scores = np.array(rows)
    logs = sharpened(scores, factor)
    assert np.exp(logs).sum(axis=1) == pytest.approx(np.ones(len(rows)))
    assert (logs[np.arange(len(rows)), scores.argmax(axis=1)] == logs.max(axis=1)).all()
    assert sharpened(logs, 1 / factor) == pytest.approx(sharpened(scores, 1.0), abs=1e-6)


def test_confusion_leaves_out_what_is_not_listed():
    assert confusion(["a", "x", "a"], ["a", "a", "y"], ("a",)).tolist() == [[1]]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abc")), max_size=30))
def test_rows_sum_to_the_pictures_of_a_class_and_pairs_to_the_mistakes(pairs):
    actual, predicted = [a for a, _ in pairs], [p for _, p in pairs]
    matrix = confusion(actual, predicted, "abc")
    assert matrix.sum(axis=1).tolist() == [actual.count(label) for label in "abc"]
    assert sum(count for *_, count in most_confused(matrix, "abc")) == sum(a != p for a, p in pairs)
    shares = row_shares(matrix)
    assert np.isfinite(shares).all()
    assert all(total == pytest.approx(1) or total == 0 for total in shares.sum(axis=1))


def table_of(*rows):
    names = ("item", "label", "predicted", "p_predicted", "loss", "certainty")
    return pd.DataFrame(rows, columns=names)


TABLE = table_of(
    ("0", "a", "a", 0.9, 0.1, 0.8), ("1", "a", "b", 0.6, 3.0, 0.2), ("2", "b", "a", 0.9, 3.0, 0.8),
    ("3", "b", "b", 0.9, 0.1, 0.8), ("4", "b", "a", 0.9, 5.0, 0.8), ("5", "a", "a", 0.5, 0.7, 0.0),
)  # fmt: skip


def test_top_losses_keep_the_order_of_equal_losses_and_give_all_there_are():
    assert list(top_losses(TABLE, 3)["item"]) == ["4", "1", "2"]
    assert list(top_losses(TABLE, 99)["item"]) == ["4", "1", "2", "5", "0", "3"]
    assert len(top_losses(TABLE, 0)) == 0 and len(top_losses(TABLE.iloc[:0])) == 0
    equal = table_of(*[(str(number), "a", "b", 0.5, 1.0, 0.0) for number in range(50)])
    assert list(top_losses(equal, 9)["item"]) == [str(number) for number in range(9)]


@pytest.mark.parametrize(
    ("order", "items"),
    [("loss", "412503"), ("wrong", "241"), ("right", "035"), ("unsure", "510234")],
)
def test_orders_by_hand(order, items):
    assert "".join(ORDERS[order](TABLE)["item"]) == items


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_changes_no_row_and_takes_an_empty_table(order):
    found = ORDERS[order](TABLE)
    again = TABLE.set_index("item").loc[found["item"]].reset_index()[list(TABLE.columns)]
    pd.testing.assert_frame_equal(found, again)
    assert len(ORDERS[order](TABLE.iloc[:0])) == 0
