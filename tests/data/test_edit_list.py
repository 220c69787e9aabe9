"""Lists of edits mean the pictures they name, however they do; a line that makes no sense is told, not guessed."""

import pandas as pd
import pytest

from core.data.edit_list import read_edits
from core.data.edits import Mark
from core.data.table import COLUMNS
from core.errors import DataError

LABELS = ("cat", "dog", "Grizzly bear")
SHAS = [f"{number:x}" * 64 for number in range(1, 7)]


def table() -> pd.DataFrame:
    names = ["cat/a.jpg", "cat/b.jpg", "dog/a.jpg", "dog/c.png", "dog/d.jpg", "dog/2.jpg"]
    rows = [
        (f"{n:06d}", SHAS[n - 1], name.split("/")[0], "train", 9, 9, "s", name, "deleted" if n == 5 else "kept", "")
        for n, name in enumerate(names, 1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def read(text: str):
    return read_edits(text.encode(), table(), LABELS, what="edits.csv")


DELETE, KEEP, BEAR = Mark("delete"), Mark("keep"), Mark("relabel", "Grizzly bear")


@pytest.mark.parametrize(
    "text",
    [
        "item,action\n000001,delete\n000002,keep\n000004,Grizzly bear\n",
        "000001,delete\n000002,keep\n000004,Grizzly bear\n",
        "Item;Action\r\n1;DELETE\r\n2;Keep\r\n4;grizzly BEAR\r\n",
        "action\titem\ndelete\t000001\nkeep\t000002\nGrizzly bear\t000004\n",
        f"file,action\n{SHAS[0]},delete\n{SHAS[1]}.jpg,keep\n{SHAS[3].upper()},Grizzly bear\n",
        "original_name,action\ncat/a.jpg,delete\nb,keep\nc.png,Grizzly bear\n",
        "path,new label\ntrain/cat/000001-a.jpg,delete\nvalid/x/000002-b.jpg,keep\nx/000004-c.jpg,Grizzly bear\n",
        "item,action,label\n1,delete,\n2,keep,cat\n4,relabel,Grizzly bear\n",
        "item,action,note\n1,delete,dark\n2,keep,\n3,,unsure\n4,Grizzly bear,'=x\n",
    ],
    ids=["header", "none", "semicolon", "turned", "hashes", "names", "export", "relabel", "nothing to do"],
)
def test_every_way_to_name_a_picture_gives_the_same_marks(text):
    found = read(text)
    assert found.marks == {"000001": DELETE, "000002": KEEP, "000004": BEAR} and found.problems == ()


def test_lines_that_make_no_sense_are_told_and_the_others_are_read():
    found = read("item,action\n1,delete\n99,delete\n5,delete\n2,grizly bear\n3,\n6,relabel\n,keep\n")
    assert found.marks == {"000001": DELETE} and found.lines == {"000001": 2}
    assert [(problem.line, problem.name, problem.reason) for problem in found.problems] == [
        (3, "99", "There is no such picture."),
        (4, "5", "The picture does not count now: it is in the bin or its class is switched off."),
        (5, "2", "'grizly bear' is neither keep, delete nor a class of this data set. Is it 'Grizzly bear'?"),
        (7, "6", "'' is neither keep, delete nor a class of this data set."),
        (8, "", "There is no such picture."),
    ]


def test_lines_that_contradict_each_other_are_all_left_out():
    found = read("item,action\n1,delete\n2,keep\n1,keep\n2,keep\n")
    assert found.marks == {"000002": KEEP}
    assert [(one.line, one.reason) for one in found.problems] == [
        (2, "Lines 2, 4 contradict each other."),
        (4, "Lines 2, 4 contradict each other."),
    ]


def test_the_label_a_picture_had_may_be_said():
    assert read("item,action,was\n1,dog,cat\n").marks == {"000001": Mark("relabel", "dog", "cat")}


def test_a_name_of_several_pictures_is_told_with_their_items():
    found = read("original_name,action\na.jpg,delete\nc.png,delete\n")
    assert found.marks == {"000004": DELETE}
    assert found.problems[0].reason == "2 pictures fit: the items 000001, 000003. Write the item."


def test_a_table_of_an_export_can_be_changed_and_read():
    text = "file,label,split,original_name,source,note\ntrain/cat/000001-a.jpg,dog,train,cat/a.jpg,s,\n"
    assert read(text).marks == {"000001": Mark("relabel", "dog")}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "No column of edits.csv names pictures"),
        ("item\n1\n2\n", "No column of edits.csv names pictures"),
        ("x,y\nfoo,delete\n", "No column of edits.csv names pictures"),
        ("1,delete,cat\n", "does not say which column holds what to do"),
        ("2,delete\n", "can be read in two ways: as item or as name"),
        ("\x01,\x02", "not text"),
    ],
)
def test_a_list_that_cannot_be_understood_is_refused_as_a_whole(text, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        read(text)
    assert caught.value.hint
