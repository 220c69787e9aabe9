"""A cell finds the file it means, however it is written, and never another one."""

import pytest

from core.data.file_names import FileNames, is_picture_name

FILES = [
    ("photos", "cat", "1.jpg"),
    ("photos", "dog", "1.jpg"),
    ("photos", "dog", "2.PNG"),
    ("photos", "img.001.jpg"),
    ("photos", "e\u0301t\u00e9.jpg"),
    ("photos", "a.jpg"),
    ("photos", "a.png"),
    ("photos", "Z.jpg"),
    ("photos", "z.jpg"),
]
NAMES = FileNames(FILES)


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("photos/cat/1.jpg", 0),
        ("cat/1.jpg", 0),
        ("cat/1", 0),
        ("dog\\1.jpg", 1),
        ("C:\\Users\\me\\photos\\dog\\1.jpg", 1),
        ("./cat/../cat/1.jpg", None),
        ("/home/me/photos/cat/1.jpg", 0),
        ("CAT/1.JPG", 0),
        ("2", 2),
        ("2.png", 2),
        ("dog/2.PNG", 2),
        ("img.001", 3),
        ("img.001.jpg", 3),
        ("\u00e9te\u0301", 4),
        ("a.png", 6),
        ("Z.jpg", 7),
        ("z", 8),
    ],
)
def test_a_cell_finds_its_file(cell, place):
    assert NAMES.find(cell) == ([] if place is None else [place])


@pytest.mark.parametrize("cell", ["", " ", "/", "3.jpg", "owl/1.jpg", "owl/2.png", "a.gif", "1.jpg.jpg", "photos"])
def test_what_is_not_there_is_not_found(cell):
    assert NAMES.find(cell) == []


def test_a_cell_that_fits_several_files_finds_them_all():
    assert NAMES.find("1.jpg") == [0, 1] == NAMES.find("1")
    assert NAMES.find("a") == [5, 6]
    assert NAMES.find("Z.JPG") == [7, 8]


def test_a_file_with_exactly_these_folders_wins():
    names = FileNames([("1.jpg",), ("old", "1.jpg")])
    assert names.find("1.jpg") == [0] and names.find("old/1.jpg") == [1] == names.find("my/old/1.jpg")


def test_loosely_read_folders_and_extensions_may_differ():
    names = FileNames(FILES, loose=True)
    assert names.find("images/2.jpg") == [2] and names.find("images/img.001.bmp") == [3]
    assert names.find("images/a.png") == [6] and names.find("cat/1.png") == [0]
    assert names.find("3.jpg") == []


def test_names_of_pictures_are_told_by_their_ends():
    assert is_picture_name("a.b.JPEG ") and not is_picture_name("jpg") and not is_picture_name("a.txt")
