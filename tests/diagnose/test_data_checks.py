"""Data guards: for each a table that fires it and the nearest one that must not; words for every kind there is."""

import ast
import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.diagnose.base import SEVERITIES
from core.diagnose.data_checks import DATA_CHECKS, check_data, check_start, needed_for_exam
from core.diagnose.kinds import KINDS
from core.errors import TrainError
from core.text import read, sections
from core.train.steps import check_ready

ROOT = Path(__file__).parents[2]
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
    assert {*FIRES, "near_on_both_sides"} == set(DATA_CHECKS)


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


def near(items, *pairs):
    """Groups in which the rows of each pair are near-copies."""
    groups = [None] * len(items)
    for number, pair in enumerate(pairs):
        for row in pair:
            groups[row] = number
    return groups


def test_near_copies_count_when_they_lie_on_both_sides_and_somebody_has_looked():
    items = good()  # rows 0 and 1 are to learn from, 120 and 121 in the exam
    torn, whole = near(items, (0, 120, 121)), near(items, (0, 1), (120, 121))
    [found] = check_data(items, near_copies=torn)
    assert found.kind == "near_on_both_sides" and found.evidence.startswith("2 validation pictures are")
    assert check_data(items, near_copies=whole) == check_data(items) == []
    assert check_data(items, near_copies=torn[1:]) == []  # groups of another version of the table


def test_near_copies_are_those_of_the_rows_that_count():
    items = good()
    deleted = pd.concat([items.iloc[[0]].assign(file="gone", status="deleted"), items], ignore_index=True)
    assert kinds_near(deleted, near(items, (0, 120))) == ["near_on_both_sides"]
    same = twin(items, 0, split="valid")  # the very same picture is told once
    assert kinds_near(same, near(same, (0, len(same) - 1))) == ["same_on_both_sides"]


def kinds_near(items, groups):
    return [finding.kind for finding in check_data(items, near_copies=groups)]


@pytest.mark.parametrize(("known", "severity"), [(1, "warning"), (119, "warning"), (120, "bad"), (240, "bad")])
def test_an_exam_is_no_exam_once_half_of_it_was_learned(known, severity):
    items = good()
    items.loc[120 : 119 + known, "file"] = list(items["file"][:1]) * known
    found = next(one for one in check_data(items) if one.kind == "same_on_both_sides")
    assert found.severity == severity and f"{known} of 240 validation pictures" in found.evidence


@pytest.mark.parametrize(
    ("rows", "severity", "said"),
    [
        ([("a", "train", 30), ("b", "train", 30)], "bad", "Nothing in the exam."),
        ([("a", "valid", 120), ("b", "valid", 120)], "bad", "Nothing to learn from."),
        ([("a", "train", 30), ("a", "valid", 9), ("b", "valid", 9)], "bad", "Nothing to learn from for b."),
        ([("a", "train", 30), ("a", "valid", 9), ("b", "train", 30)], "warning", "Nothing in the exam of b."),
    ],
)
def test_what_is_missing_is_named(rows, severity, said):
    found = next(one for one in check_data(table(*rows)) if one.kind == "empty_side")
    assert (found.severity, found.evidence) == (severity, said)


@pytest.mark.parametrize(
    ("loss", "fires"), [(1.1, False), (2.4, False), (6.0, False), (6.2, True), (0.05, True), (0.2, False)]
)
def test_a_fresh_head_begins_near_the_loss_of_knowing_nothing(loss, fires):
    found = check_start(loss, 3)
    assert (found is not None) == fires
    assert found is None or f"cost {loss:.3g}; knowing nothing about 3 classes costs 1.10" in found.evidence
    assert check_start(loss, 3, goes_on=True) is None


@pytest.mark.parametrize(
    ("lowest", "highest", "classes", "dropout"),
    [(0.33, 2.61, 2, 0.5), (0.32, 9.41, 2, 0.95), (0.21, 3.10, 2, 0.5), (0.51, 3.22, 3, 0.0), (0.83, 4.07, 3, 0.5),
     (1.17, 10.56, 3, 0.95), (1.93, 4.44, 10, 0.0), (1.96, 5.38, 10, 0.5), (3.16, 8.30, 10, 0.8)],
)  # fmt: skip
def test_no_start_that_was_measured_on_a_healthy_run_is_odd(lowest, highest, classes, dropout):
    assert check_start(lowest, classes, dropout=dropout) is None
    assert check_start(highest, classes, dropout=dropout) is None


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_start_that_is_no_number_is_odd(loss):
    assert "no number" in check_start(loss, 3).evidence and "far above" in check_start(loss, 3).why


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "{x}", "<b>"]), st.sampled_from(["train", "valid"]),
        st.sampled_from("0123456789"), st.sampled_from(["kept", "kept", "deleted"]),
    ),
    max_size=40,
)  # fmt: skip
HEADER = ["label", "split", "file", "status"]


@given(ROWS, st.randoms(use_true_random=False))
def test_any_table_gets_findings_in_the_order_of_the_checks_whatever_the_order_of_its_rows(rows, random):
    found = check_data(pd.DataFrame(rows, columns=HEADER))
    order = [list(DATA_CHECKS).index(one.kind) for one in found]
    assert order == sorted(set(order))
    assert all(one.evidence and one.why and one.fix and one.severity in SEVERITIES for one in found)
    mixed = random.sample(rows, len(rows))
    assert check_data(pd.DataFrame(mixed, columns=HEADER)) == found


@given(ROWS)
def test_what_cannot_be_trained_on_is_bad(rows):
    items = pd.DataFrame(rows, columns=HEADER)
    bad = {one.kind for one in check_data(items) if one.severity == "bad"} & {"few_classes", "empty_side"}
    try:
        check_ready(items[items["status"] == "kept"])
        ready = True
    except TrainError:
        ready = False
    assert ready == (not bad)


CELLS = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=3), st.sampled_from(["kept", "train"]))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_table_makes_it_raise(data):
    columns = data.draw(st.lists(st.sampled_from([*HEADER, "other"]), max_size=7))  # some missing, some twice
    rows = data.draw(st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=6))
    items = pd.DataFrame(rows, columns=columns, dtype=object)
    before = items.copy(deep=True)
    near_copies = data.draw(st.none() | st.lists(CELLS, min_size=len(items), max_size=len(items)))
    assert isinstance(check_data(items, near_copies=near_copies), list)
    pd.testing.assert_frame_equal(items, before)


# ---------------------------------------------------------------- kinds


def written_kinds():
    """The kind of every Finding that core/diagnose makes, with its file, read from the source."""
    return {
        node.args[0].value: file.relative_to(ROOT).as_posix()
        for file in sorted((ROOT / "core/diagnose").glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding"
    }


def test_every_kind_that_a_check_gives_is_listed_with_the_file_of_its_check():
    assert {name: kind.where for name, kind in KINDS.items()} == written_kinds()


def test_every_kind_has_its_section_and_every_section_its_kind():
    assert set(sections("diagnostics")) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_section_teaches_in_a_few_sentences(kind):
    text = read("diagnostics", kind)
    sentences = [part for part in text.replace("\n", " ").split(". ") if part]
    assert 2 <= len(sentences) <= 5 and len(text) <= 520
