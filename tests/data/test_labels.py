"""A table of labels is understood whatever it looks like, and what does not fit is listed line by line."""

import pytest

from core.data.labels import MAX_LISTED, read_labels
from core.errors import DataError

FILES = [(f"{number}.jpg",) for number in range(1, 7)]
LABELS = ["cat", "dog", "cat", "dog", "cat", "dog"]


def table(sign: str = ",", header: str = "file,label", suffix: str = ".jpg", end: str = "\n") -> str:
    rows = [header, *(f"{number}{suffix},{label}" for number, label in enumerate(LABELS, 1))]
    return end.join(row for row in rows if row).replace(",", sign) + end


def read(data: bytes | str, files=FILES):
    return read_labels(data.encode() if isinstance(data, str) else data, files, table="labels.csv")


def said(found) -> dict[str, str]:
    return {rejected.name: rejected.reason for rejected in found.rejected}


def labels(found, files=FILES) -> dict[str, str]:
    return {"/".join(files[number]): place.label for number, place in found.places.items()}


def sides(found) -> list[str | None]:
    return [place.split for place in found.places.values()]


WANTED = {f"{number}.jpg": label for number, label in enumerate(LABELS, 1)}


@pytest.mark.parametrize(
    "data",
    [
        table(),
        table(header=""),
        table(";"),
        table("\t"),
        table("|"),
        table(" ", header=""),
        table(end="\r\n"),
        table(end="\r"),
        table(suffix=""),
        table(suffix=".JPG"),
        table(suffix=".png"),
        table(header="Image Name,What it shows"),
        table(header="Id,species").replace("\n", ",\n"),
        table().encode("utf-8-sig"),
        table().encode("utf-16"),
        '"file","label"\n' + "".join(f'"{name}","{label}"\n' for name, label in WANTED.items()),
        "label,file\n" + "".join(f"{label},{name}\n" for name, label in WANTED.items()),
        "n,age,sex,file,class\n" + "".join(f"{i},3{i},f,{n},{w}\n" for i, (n, w) in enumerate(WANTED.items())),
        "id,x,y,breed,place\n" + "".join(f"{n},{i},{i}7,{w},{w}n\n" for i, (n, w) in enumerate(WANTED.items())),
        "id,weight,kind of pet\n" + "".join(f"{n},{i}.5,{w}\n" for i, (n, w) in enumerate(WANTED.items())),
        "".join(f"/home/me/pets/{name},{label}\n" for name, label in WANTED.items()),
        "".join(f"C:\\pets\\{name};{label}\n" for name, label in WANTED.items()),
        "sep=;\n" + table(";"),
        table().replace("2.jpg", " 2.jpg ").replace("dog", " dog "),
    ],
    ids=[
        "plain", "no header", "semicolon", "tab", "bar", "blank", "windows", "old mac", "no extension",
        "capitals", "other extension", "any header", "one empty column", "utf-8 mark", "utf-16", "quotes",
        "columns turned", "many columns", "coordinates", "measurements", "folders", "windows folders",
        "stated sign", "blanks",
    ],
)  # fmt: skip
def test_every_way_to_write_it_gives_the_same(data):
    found = read(data)
    assert labels(found) == WANTED and said(found) == {}


def test_latin_1_labels_and_names_are_read():
    files = [("\u00e9tang.jpg",), ("lac.jpg",)]
    assert labels(read("file;label\n\u00e9tang;gr\u00fcn\nlac;blau\n".encode("latin-1"), files), files) == {
        "\u00e9tang.jpg": "gr\u00fcn",
        "lac.jpg": "blau",
    }


def test_the_order_is_that_of_the_table():
    assert list(read("".join(reversed(table(header="").splitlines(keepends=True)))).places) == [5, 4, 3, 2, 1, 0]


def test_rows_without_a_picture_and_pictures_without_a_row_are_listed_and_the_rest_goes_on():
    found = read(table().replace("3.jpg", "9.jpg").replace("4.jpg,dog", "4.jpg,"))
    assert labels(found) == {name: label for name, label in WANTED.items() if name[0] in "1256"}
    assert said(found) == {
        "9.jpg": "labels.csv, line 4: there is no such picture.",
        "4.jpg": "labels.csv, line 5: it gives no label.",
        "3.jpg": "labels.csv has no line for this picture.",
    }


def test_contradictions_are_listed_and_repetitions_are_not():
    found = read(table() + "1.jpg,cat\n2,cat\n2.jpg,owl\n")
    assert said(found) == {
        "2.jpg": "labels.csv contradicts itself: it says 'dog' (line 3) and 'cat' (line 9) and 'owl' (line 10)."
    }
    assert len(found.places) == 5


def test_a_name_that_fits_several_pictures_is_listed_with_them():
    files = [("a", "1.jpg"), ("b", "1.jpg"), ("b", "2.jpg"), ("b", "3.jpg")]
    found = read("file,label\n1.jpg,cat\n2.jpg,cat\n3.jpg,dog\nb/1.jpg,dog\n", files)
    assert labels(found, files) == {"b/2.jpg": "cat", "b/3.jpg": "dog", "b/1.jpg": "dog"}
    assert said(found)["1.jpg"] == (
        "labels.csv, line 2: 2 files fit this name, such as a/1.jpg and b/1.jpg; write the folder with it."
    )


def test_a_label_that_is_no_class_name_is_listed():
    found = read(table().replace("2.jpg,dog", f"2.jpg,{'x' * 65}").replace("4.jpg,dog", "4.jpg,\u200b"))
    assert [one.reason.split(": ")[1].endswith("1 to 64 visible characters.") for one in found.rejected] == [True] * 2


@pytest.mark.parametrize(
    ("header", "cells", "wanted"),
    [
        ("file,label,split", "train valid train val validation test", "train valid train valid valid -"),
        ("file,label,split", "train test train test train test", "train valid train valid train valid"),
        ("file,label,is_valid", "True False true FALSE 1 0", "valid train valid train valid train"),
        ("file,label,is_train", "1 0 1 0 1 0", "train valid train valid train valid"),
        ("file,label,side", "0 1 0 1 0 1", "train valid train valid train valid"),
        ("", "train train valid train valid train", "train train valid train valid train"),
        ("name,what,where", "Training TRAIN Val train dev train", "train train valid train valid train"),
        ("file,label,is_test", "0 1 0 1 0 1", "train valid train valid train valid"),
        ("file,label,Is Valid?", "no yes no yes no yes", "train valid train valid train valid"),
    ],
)
def test_a_column_may_say_the_side(header, cells, wanted):
    rows = [f"{name},{label},{cell}" for (name, label), cell in zip(WANTED.items(), cells.split(), strict=True)]
    found = read("\n".join([header, *rows]) + "\n")
    assert sides(found) == [side for side in wanted.split() if side != "-"]
    assert len(found.rejected) == wanted.count("-")
    if "-" in wanted:
        assert "test part, which is not used" in found.rejected[0].reason


def test_a_side_that_is_missing_is_left_to_the_seed_and_one_that_is_unknown_is_listed():
    rows = zip(WANTED.items(), ["train", "valid", "", "holdout", "train", "valid"], strict=True)
    found = read("file,label,split\n" + "".join(f"{name},{label},{side}\n" for (name, label), side in rows))
    assert sides(found) == ["train", "valid", None, "train", "valid"]
    assert said(found) == {"4.jpg": "labels.csv, line 5: 'holdout' is neither train nor valid."}


def test_folders_called_train_and_valid_say_the_side_when_the_table_does_not():
    files = [("data", side, f"{side}{number}.jpg") for side in ("train", "val") for number in range(3)]
    rows = [f"{words[-1]},{'cat' if place % 2 else 'dog'}" for place, words in enumerate(files)]
    assert sides(read("\n".join(rows), files)) == ["train"] * 3 + ["valid"] * 3


def test_documents_are_no_pictures():
    files = [*FILES, ("labels.csv",), ("notes.txt",)]
    assert said(read(table() + "notes.txt,cat\n", files)) == {
        "notes.txt": "labels.csv, line 8: there is no such picture."
    }


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ("", "labels.csv is empty"),
        ("\n\n", "labels.csv is empty"),
        ("just words\n", "No column of labels.csv names the pictures"),
        ("1.jpg\n2.jpg\n", "No column of labels.csv names the pictures: line 2 holds '2.jpg'"),
        ("file,label\nx.jpg,cat\ny.jpg,dog\n", "line 2 holds 'x.jpg', 'cat', and a picture is called '1.jpg'"),
        ("a,b,c\n" + "".join(f"{n},{w},{w}x\n" for n, w in WANTED.items()), r"could hold the labels: b, c"),
        ("".join(f"{n},{w},{w}x\n" for n, w in WANTED.items()), r"could hold the labels: number 2, number 3"),
        ("".join(f"{name},\n" for name in WANTED), "no column with labels"),
        (table().replace("3.jpg,cat", "3.jpg,cat dog"), "several labels to one picture, such as 'cat dog'"),
        (table(";").replace("3.jpg;cat", "3.jpg;dog,cat"), "such as 'dog,cat'"),
        (table().replace("3.jpg,cat", "3.jpg,cat|dog"), r"such as 'cat\|dog'"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not text"),
        (b"PK\x03\x04", "workbook"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(data, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        read(data)
    assert caught.value.message.endswith(".") and caught.value.hint


def test_far_too_many_labels_are_refused():
    files = [(f"{number}.jpg",) for number in range(300)]
    with pytest.raises(DataError, match="300 different labels; up to 200"):
        read("".join(f"{number}.jpg,label {number}\n" for number in range(300)), files)


def test_many_labels_in_many_mixtures_are_refused():
    tags = ["clear", "haze", "primary", "road", "water"]
    mixtures = [" ".join(t for bit, t in enumerate(tags) if number >> bit & 1) for number in range(3, 32)]
    mixtures = [mixture for mixture in mixtures if " " in mixture]
    files = [(f"{number}.jpg",) for number in range(len(mixtures))]
    with pytest.raises(DataError, match="several labels to one picture"):
        read("\n".join(f"{number}.jpg,{mixture}" for number, mixture in enumerate(mixtures)), files)


@pytest.mark.parametrize(
    "names",
    [
        ["grizzly bear", "black bear", "teddy bear"],
        ["bear", "black bear", "black cat", "cat"],
        [
            f"{colour} {fruit}"
            for colour in "red green blue pink grey".split()
            for fruit in "apple pear fig kiwi".split()
        ],
        ["a/b", "c/d"],
        ["rock, paper", "scissors"],
    ],
)
def test_class_names_of_several_words_are_no_mixtures(names):
    files = [(f"{number}.jpg",) for number in range(2 * len(names))]
    found = read("\n".join(f"{number}.jpg;{(names * 2)[number]}" for number in range(2 * len(names))), files)
    assert {place.label for place in found.places.values()} == set(names)


def test_numbers_as_labels_and_as_names_are_told_apart():
    files = [(f"{number}.png",) for number in range(30)]
    found = read("id,digit\n" + "".join(f"{number},{number % 10}\n" for number in range(30)), files)
    assert [place.label for place in found.places.values()] == [str(number % 10) for number in range(30)]
    assert labels(read("".join(f"{number % 10},{number}\n" for number in range(30)), files), files)["12.png"] == "2"


def test_a_long_list_of_faults_is_summed_up():
    found = read(table() + "".join(f"x{number}.jpg,cat\n" for number in range(MAX_LISTED + 50)))
    assert len(found.rejected) == MAX_LISTED + 1 and found.rejected[-1].reason.startswith("50 more")


def test_a_table_of_far_more_pictures_than_are_there_is_used_for_those_that_are():
    rows = [f"{number}.jpg,{'cat' if number % 2 else 'dog'}" for number in range(1500)]
    assert labels(read("\n".join(rows))) == {f"{number}.jpg": "cat" if number % 2 else "dog" for number in range(1, 7)}


def test_cells_of_a_spreadsheet_that_fears_formulas_are_read_as_they_were_meant():
    found = read("file,label\n" + "".join(f'{n},"\'=1+1"\n' if n < "4" else f"{n},'tis\n" for n in WANTED))
    assert set(labels(found).values()) == {"=1+1", "'tis"}
