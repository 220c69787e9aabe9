"""What an inspection found, against the table as it is now."""

import pandas as pd
import pytest

from core.data.problems import COLUMNS, disagreeing, of_all, of_classes, one_side, read_issues, spares, standing
from core.errors import NotFound, WorkspaceError

ITEMS = pd.DataFrame(
    [
        ("1", "a", "cat", "train", 100, 100, "1.jpg"),
        ("2", "b", "cat", "valid", 200, 200, "2.jpg"),
        ("3", "c", "cat", "train", 200, 200, "3.jpg"),
        ("4", "d", "cat", "valid", 50, 50, "4.jpg"),
        ("5", "e", "dog", "train", 50, 50, "5.jpg"),
        ("6", "f", "dog", "valid", 60, 60, "6.jpg"),
        ("7", "g", "dog", "valid", 60, 60, "7.jpg"),
    ],
    columns=["item", "file", "label", "split", "width", "height", "original_name"],
)
ISSUES = pd.DataFrame(
    [
        ("dark", "1", 0.1, "", "dark"),
        ("dark", "5", 0.2, "", "dark"),
        ("twins", "1", 1.0, "g1", "same"),
        ("twins", "2", 1.0, "g1", "same"),
        ("twins", "3", 1.0, "g1", "same"),
        ("twins", "4", 1.0, "g2", "same"),
        ("twins", "5", 1.0, "g2", "same"),
        ("twins", "6", 1.0, "g3", "same"),
        ("twins", "7", 1.0, "g3", "same"),
    ],
    columns=list(COLUMNS),
)


def twins(items=ITEMS):
    found = standing(ISSUES, items)
    return found[found["check"] == "twins"]


def test_issues_carry_what_the_table_says_now():
    found = standing(ISSUES, ITEMS.replace({"label": {"dog": "wolf"}}))
    assert len(found) == len(ISSUES) and list(found["item"]) == list(ISSUES["item"])
    assert found.iloc[1]["label"] == "wolf" and found.iloc[1]["file"] == "e"


def test_deleted_pictures_and_groups_of_one_are_no_problem_any_more():
    found = standing(ISSUES, ITEMS[~ITEMS["item"].isin(["1", "6"])])
    assert list(found[found["check"] == "dark"]["item"]) == ["5"]
    assert set(found[found["check"] == "twins"]["group"]) == {"g1", "g2"}


def test_what_is_said_of_a_class_or_of_all_is_no_issue_of_a_picture():
    said = pd.DataFrame(
        [
            ("shortcut", "", 0.9, "cat", "darker"),
            ("shortcut", "", 0.9, "cat", "bluer"),
            ("shortcut", "", 0.9, "cow", "gone"),
            ("dark", "", 0.9, "", "All are dark."),
        ],
        columns=list(COLUMNS),
    )
    issues = pd.concat([ISSUES, said])
    assert len(standing(issues, ITEMS)) == len(ISSUES)
    assert of_classes(issues, ITEMS) == {"cat": ["darker", "bluer"]} and of_all(issues) == ["All are dark."]


def test_of_each_group_the_largest_stays_and_the_first_of_equal_ones():
    assert spares(twins()) == ["1", "3", "7"]


def test_a_group_under_two_labels_is_left_to_a_person():
    assert not {"4", "5"} & set(spares(twins())) and disagreeing(twins()) == 1


def test_each_group_is_put_where_most_of_it_is_and_otherwise_to_learn_from():
    assert one_side(twins()) == {"2": "train", "4": "train"}
    mostly_valid = ITEMS.assign(split=["valid", "valid", "train", "train", "train", "train", "train"])
    assert one_side(twins(mostly_valid)) == {"3": "valid"}


def test_after_the_moves_no_group_lies_on_both_sides():
    moves = one_side(twins())
    moved = ITEMS.assign(split=[moves.get(item, now) for item, now in zip(ITEMS["item"], ITEMS["split"], strict=True)])
    assert one_side(twins(moved)) == {}


def test_no_issues_are_nothing_to_do():
    nothing = standing(ISSUES.head(0), ITEMS)
    assert len(nothing) == 0 and spares(nothing) == [] and one_side(nothing) == {} and disagreeing(nothing) == 0


def test_issues_come_back_from_their_file_as_they_were(tmp_path):
    hostile = ISSUES.assign(words='=1+1,"<b>null', group=["NaN"] + list(ISSUES["group"][1:]))
    hostile.to_csv(tmp_path / "issues.csv", index=False)
    pd.testing.assert_frame_equal(read_issues(tmp_path / "issues.csv"), hostile, check_dtype=False)


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "check,item,score,group,words\ndark,1,much,,\n"])
def test_issues_that_cannot_be_read_say_so(tmp_path, text):
    (tmp_path / "issues.csv").write_text(text)
    with pytest.raises(WorkspaceError, match="cannot be read"):
        read_issues(tmp_path / "issues.csv")


def test_issues_that_are_missing_say_so(tmp_path):
    with pytest.raises(NotFound, match="missing"):
        read_issues(tmp_path / "issues.csv")
