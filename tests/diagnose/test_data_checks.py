"""Data guards: for each a table that fires it and the nearest one that must not; words for every kind there is."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.diagnose.base import SEVERITIES
from core.diagnose.data_checks import DATA_CHECKS, check_data, check_start, needed_for_exam
from core.diagnose.kinds import KINDS
from core.text import sections

PLENTY = 240  # validation pictures that make a good exam


def table(*rows):
    """Rows of (label, split, count), every picture another one."""
    made = [(label, split) for label, split, count in rows for _ in range(count)]
    items = pd.DataFrame(made, columns=["label", "split"])
    return items.assign(file=[f"{number:064x}" for number in range(len(items))], status="kept")


def good():
    return table(("a", "train", 60), ("b", "train", 60), ("a", "valid", PLENTY // 2), ("b", "valid", PLENTY // 2))


def twin(items, row, **changes):
    """One row more, with the picture of `row`."""
    return pd.concat([items, items.iloc[[row]].assign(**changes)], ignore_index=True)


def kinds(items):
    return [finding.kind for finding in check_data(items)]


FIRES = {
    "few_classes": (table(("a", "train", 30), ("a", "valid", PLENTY)), good()),
    "empty_side": (
        table(("a", "train", 30), ("b", "train", 30), ("a", "valid", PLENTY)),
        table(("a", "train", 30), ("b", "train", 30), ("a", "valid", PLENTY), ("b", "valid", 1)),
    ),
    "same_on_both_sides": (twin(good(), 0, split="valid"), twin(good(), 0)),
    "two_labels": (twin(good(), 0, label="b"), twin(good(), 0)),
    "small_class": (
        table(("a", "train", 9), ("b", "train", 30), ("a", "valid", PLENTY), ("b", "valid", 9)),
        table(("a", "train", 10), ("b", "train", 30), ("a", "valid", PLENTY), ("b", "valid", 9)),
    ),
    "unbalanced": (
        table(("a", "train", 100), ("b", "train", 10), ("a", "valid", PLENTY), ("b", "valid", 9)),
        table(("a", "train", 99), ("b", "train", 10), ("a", "valid", PLENTY), ("b", "valid", 9)),
    ),
    "small_exam": (
        table(("a", "train", 60), ("b", "train", 60), ("a", "valid", 110), ("b", "valid", 109)),
        table(("a", "train", 60), ("b", "train", 60), ("a", "valid", 110), ("b", "valid", 110)),
    ),
}


def test_every_check_has_its_pair_of_tables():
    assert set(FIRES) == set(DATA_CHECKS)


@pytest.mark.parametrize("kind", FIRES)
def test_a_check_fires_on_its_fault_and_not_beside_it(kind):
    faulty, sound = FIRES[kind]
    assert kind in kinds(faulty) and kind not in kinds(sound)


def test_a_good_set_has_nothing_to_be_told():
    assert check_data(good()) == []


def test_what_was_deleted_does_not_count():
    items = twin(good(), 0, split="valid")
    assert check_data(items.assign(status=["kept"] * (len(items) - 1) + ["deleted"])) == []


def test_the_exam_that_tells_five_from_ten_per_cent_has_220_pictures():
    assert needed_for_exam() == 220  # 4 (0.0475 + 0.09) / 0.0025
    assert needed_for_exam(0.05, 0.25) < needed_for_exam()
    found = check_data(table(("a", "train", 60), ("b", "train", 60), ("a", "valid", 12), ("b", "valid", 12)))
    assert [one.kind for one in found] == ["small_exam"] and "24 validation pictures one mistake is 4.2 %" in found[
        0
    ].evidence


@pytest.mark.parametrize(
    ("loss", "fires"), [(1.1, False), (2.4, False), (4.3, False), (4.5, True), (0.2, True), (0.3, False)]
)
def test_a_fresh_head_begins_near_the_loss_of_knowing_nothing(loss, fires):
    assert (check_start(loss, 3) is not None) == fires
    assert check_start(loss, 3, goes_on=True) is None


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_start_that_is_no_number_is_odd(loss):
    assert check_start(loss, 3).kind == "odd_start"


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abc"), st.sampled_from(["train", "valid"]), st.sampled_from("0123456789"),
            st.sampled_from(["kept", "deleted"]),
        ),
        max_size=40,
    )
)  # fmt: skip
def test_any_table_gets_findings_in_the_order_of_the_checks(rows):
    found = check_data(pd.DataFrame(rows, columns=["label", "split", "file", "status"]))
    order = [list(DATA_CHECKS).index(one.kind) for one in found]
    assert order == sorted(set(order))
    assert all(one.evidence and one.why and one.fix and one.severity in SEVERITIES for one in found)


def test_every_kind_has_its_section_and_every_section_its_kind():
    assert set(sections("diagnostics")) == set(KINDS)
