"""Names to labels: layouts are recognised, hostile names are harmless, labels are clean and within bounds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.layout import LABEL_MAX, is_junk, normalise_label, path_words, read_layout, shown
from core.errors import DataError


def places(*names: str) -> dict[str, tuple[str | None, str | None]]:
    words = {name: path_words(name) for name in names}
    layout = read_layout(words.values(), what="photos")
    return {name: (place.label, place.split) for name, place in ((name, layout.place(w)) for name, w in words.items())}


def test_class_folders_name_the_labels():
    assert places("cat/1.jpg", "dog/2.jpg", "dog/old/3.jpg") == {
        "cat/1.jpg": ("cat", None),
        "dog/2.jpg": ("dog", None),
        "dog/old/3.jpg": ("dog", None),
    }


@pytest.mark.parametrize("valid", ["valid", "val", "Validation"])
@pytest.mark.parametrize("train", ["train", "Training"])
def test_given_sides_are_kept(train, valid):
    found = places(f"{train}/cat/1.jpg", f"{train}/dog/2.jpg", f"{valid}/cat/3.jpg", f"{valid}/dog/4.jpg")
    assert list(found.values()) == [("cat", "train"), ("dog", "train"), ("cat", "valid"), ("dog", "valid")]


@pytest.mark.parametrize("wrapper", ["photos/", "a/b/", "train/"])
def test_folders_around_everything_are_unwrapped(wrapper):
    found = places(f"{wrapper}cat/1.jpg", f"{wrapper}dog/2.jpg")
    assert [label for label, _ in found.values()] == ["cat", "dog"]


def test_sides_inside_a_wrapper_are_found():
    assert places("set/train/cat/1.jpg", "set/train/dog/1.jpg", "set/val/cat/1.jpg")["set/val/cat/1.jpg"] == (
        "cat",
        "valid",
    )


def test_a_class_may_be_called_train():
    assert places("train/1.jpg", "bus/2.jpg", "car/3.jpg")["train/1.jpg"] == ("train", None)


def test_a_test_folder_stands_in_for_a_missing_validation_folder_with_a_note():
    words = [path_words(name) for name in ("train/cat/1.jpg", "train/dog/1.jpg", "test/cat/1.jpg")]
    layout = read_layout(words, what="photos")
    assert layout.place(words[2]).split == "valid" and "'test'" in layout.notes[0]


def test_a_test_folder_beside_a_validation_folder_is_left_out_with_a_note():
    names = ("train/cat/1.jpg", "train/dog/1.jpg", "valid/cat/1.jpg", "test/cat/1.jpg")
    layout = read_layout([path_words(name) for name in names], what="photos")
    assert layout.place(path_words(names[3])).label is None and "1 files" in layout.notes[0]


def test_loose_pictures_and_documents_get_a_reason():
    words = [path_words(name) for name in ("cat/1.jpg", "dog/2.jpg", "3.jpg", "labels.csv", "cat/more.zip")]
    layout = read_layout(words, what="photos")
    assert [layout.place(one).reason for one in words[2:]] == [
        "The file lies outside a class folder.",
        "A .csv file is not a picture.",
        "An archive inside an import is not opened; unpack it first.",
    ]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([], "photos holds no pictures"),
        (["notes.txt", "cat/labels.csv"], "photos holds no pictures"),
        (["1.jpg", "2.jpg"], "photos has no class folders: 2 files"),
        (["train/1.jpg", "test/2.jpg"], "photos has no class folders"),
        (["cat/1.jpg", "cat/2.jpg"], r"1 class only \('cat'\); 2 or more"),
        (["train/cat/1.jpg", "valid/cat/2.jpg"], r"1 class only \('cat'\)"),
        ([f"c{number}/1.jpg" for number in range(10_000)], "10000 class folders; up to 200"),
    ],
)
def test_what_cannot_become_a_data_set_is_refused_with_the_reason(names, sentence):
    with pytest.raises(DataError, match=sentence) as caught:
        read_layout([path_words(name) for name in names], what="photos")
    assert caught.value.hint


def test_200_classes_are_allowed():
    assert len(places(*(f"c{number}/1.jpg" for number in range(200)))) == 200


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../../etc/passwd", ("etc", "passwd")),
        ("/etc/cat/1.jpg", ("etc", "cat", "1.jpg")),
        ("C:\\cat\\1.jpg", ("cat", "1.jpg")),
        ("..\\..\\cat\\1.jpg", ("cat", "1.jpg")),
        ("cat//./1.jpg", ("cat", "1.jpg")),
        (".. /cat/1.jpg", ("cat", "1.jpg")),
        ("", ()),
    ],
)
def test_path_words_lead_nowhere(name, words):
    assert path_words(name) == words


@given(st.text(max_size=60))
def test_no_word_of_a_path_can_climb_or_be_absolute(name):
    for word in path_words(name):
        assert word.strip() not in ("", ".", "..") and not set(word) & set("/\\\0")


@pytest.mark.parametrize(
    "name", [".DS_Store", "__MACOSX/cat/._1.jpg", "cat/Thumbs.db", "cat/.hidden/1.jpg", "@eaDir/1.jpg"]
)
def test_files_that_a_system_wrote_for_itself_are_junk(name):
    assert is_junk(path_words(name))
    assert not is_junk(path_words("cat/1.jpg"))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("  cat \t dog ", "cat dog"),
        ("ｃａｔ", "cat"),
        ("cafe\u0301", "café"),
        ("ca\u202et\u200b", "cat"),
        ("<script>", "<script>"),
        ("=cmd", "=cmd"),
        ("%{y}", "%{y}"),
        ("CON", "CON"),
        ("x" * 64, "x" * 64),
    ],
)
def test_labels_are_normalised(text, label):
    assert normalise_label(text) == label


@pytest.mark.parametrize("text", ["", "  ", "\u200b\u202e", "\x00", "x" * 65])
def test_labels_without_visible_characters_or_too_long_are_refused(text):
    with pytest.raises(DataError, match="1 to 64 visible characters"):
        normalise_label(text)


@given(st.text(max_size=90))
def test_a_label_is_short_visible_stable_and_normal(text):
    try:
        label = normalise_label(text)
    except DataError:
        return
    assert 1 <= len(label) <= LABEL_MAX and label == label.strip()
    assert normalise_label(label) == label == unicodedata.normalize("NFKC", label)
    assert not any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in label)


@given(st.text(max_size=400))
def test_shown_names_are_short_and_have_no_control_or_direction_marks(text):
    name = shown(text)
    assert len(name) <= 255 and not set(name) & set("\n\r\t\x1b\u202e\u2066\x00")
    name.encode()


def test_shown_names_keep_what_people_write():
    assert shown("cat/Küche – 猫 👩\u200d🔬.jpg") == "cat/Küche – 猫 👩\u200d🔬.jpg"
    assert shown("a\udc80b") == "a\ufffdb"
