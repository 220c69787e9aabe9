"""The set of mistakes: pictures with their right labels, kept beside a data set and never half."""

import hashlib
import io
import os
import threading
import time

import numpy as np
import pytest
from PIL import Image

from core.data import mistakes, shelf
from core.data.catalogue import delete_dataset
from core.data.mistakes import COLUMNS, add_mistake, mistake_path, read_mistakes, remove_mistake
from core.data.table import load_dataset
from core.errors import DataError, ImageRejected, NewerVersion, NotFound, WorkspaceError
from core.workspace import new_id
from tests.conftest import make_toy
from tests.hostile_names import HOSTILE_NAMES

RUN = new_id()


@pytest.fixture
def toy_set(tmp_path):
    return make_toy(tmp_path)


def picture(seed=0, size=(80, 60), **save):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, save.pop("format", "PNG"), **save)
    return buffer.getvalue()


def keep(dataset, seed=0, *, data=None, **changes):
    answer = {"label": "r", "said": "g", "probability": 0.75, "run": RUN, "name": "cat.png"}
    return add_mistake(dataset, data or picture(seed), **{**answer, **changes})


def stored(dataset):
    return sorted(path.stem for path in (dataset.path / "mistakes" / "images").glob("*"))


def test_a_set_without_mistakes_has_an_empty_table(toy_set):
    found = read_mistakes(toy_set)
    assert tuple(found.columns) == COLUMNS and len(found) == 0 and found["probability"].dtype == float
    assert not (toy_set.path / "mistakes").exists()


def test_a_mistake_is_read_back_and_makes_no_new_version(toy_set):
    before = {path: path.stat().st_mtime_ns for path in toy_set.path.glob("*") if path.is_file()}
    made = keep(toy_set, probability=1 / 3)
    [row] = read_mistakes(toy_set).itertuples(index=False)
    assert tuple(row) == (made.file, "r", "g", 1 / 3, RUN, "cat.png", made.added)
    assert abs(made.added - time.time()) < 60
    assert load_dataset(toy_set.workspace, toy_set.id) == toy_set
    assert all(path.stat().st_mtime_ns == was for path, was in before.items())


def test_the_picture_is_stored_small_upright_and_without_metadata(toy_set):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a phone"
    made = keep(toy_set, data=picture(size=(900, 600), format="JPEG", exif=exif))
    data = mistake_path(toy_set, made.file).read_bytes()
    image = Image.open(io.BytesIO(data))
    assert image.size == (341, 512) and image.mode == "RGB" and not image.getexif()
    assert hashlib.sha256(data).hexdigest() == made.file


def test_the_same_picture_again_takes_the_new_label_and_counts_once(toy_set):
    first, other = keep(toy_set), keep(toy_set, seed=1)
    again = keep(toy_set, label="b", name="dog.png")
    found = read_mistakes(toy_set)
    assert again.file == first.file and list(found["file"]) == [other.file, first.file]
    assert list(found["label"]) == ["r", "b"] and list(found["name"]) == ["cat.png", "dog.png"]


def test_a_set_holds_so_many_and_then_says_what_to_do(toy_set, monkeypatch):
    monkeypatch.setattr(mistakes, "MISTAKES_MAX", 2)
    keep(toy_set), keep(toy_set, seed=1)
    with pytest.raises(DataError, match=r"2 mistakes already.*Train on them"):
        keep(toy_set, seed=2)
    assert len(stored(toy_set)) == 2
    keep(toy_set, label="b")  # a new label for one that is there takes no room


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"label": "x"}, "'x' is no class of the data set 'toy'. There are b, g, r"),
        ({"label": "../r"}, "no class"),
        ({"label": "g"}, "no mistake"),
        ({"probability": float("nan")}, "between 0 and 1"),
        ({"probability": 1.5}, "between 0 and 1"),
        ({"run": "../../etc"}, "not the id of a run"),
        ({"run": "demo"}, "not the id of a run"),
    ],
)
def test_what_is_no_mistake_is_refused_and_leaves_nothing(toy_set, wrong, sentence):
    with pytest.raises(DataError, match=sentence):
        keep(toy_set, **wrong)
    assert stored(toy_set) == [] and read_mistakes(toy_set).empty


def test_what_is_not_a_picture_is_refused(toy_set):
    with pytest.raises(ImageRejected):
        keep(toy_set, data=b"<html>")
    assert read_mistakes(toy_set).empty


def test_names_and_answers_may_be_anything(toy_set):
    names = [*HOSTILE_NAMES, "a\r\nb,c", "\0", "\ud800", ""]
    for seed, name in enumerate(names):
        keep(toy_set, seed, name=name, said=name)
    found = read_mistakes(toy_set)
    assert len(found) == len(names) and set(found["label"]) == {"r"} and set(found["run"]) == {RUN}
    assert list(found["name"][:12]) == list(HOSTILE_NAMES[:12])
    assert not any(sign in text for text in found["name"] for sign in "\r\n\0\ud800")


def test_removing_deletes_the_picture_and_a_second_time_is_no_fault(toy_set):
    first, other = keep(toy_set), keep(toy_set, seed=1)
    remove_mistake(toy_set, first.file)
    remove_mistake(toy_set, first.file)
    remove_mistake(toy_set, "../../items.csv")
    assert list(read_mistakes(toy_set)["file"]) == stored(toy_set) == [other.file]


@pytest.mark.parametrize("sha", ["", "..", "../../items", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_only_a_hash_has_a_path(toy_set, sha):
    with pytest.raises(NotFound):
        mistake_path(toy_set, sha)


def test_a_newer_schema_and_a_damaged_table_are_said_and_left_alone(toy_set):
    keep(toy_set)
    path = toy_set.path / "mistakes" / "mistakes.csv"
    text = path.read_text()
    for written, error in (
        (text.replace("schema 1", "schema 9"), NewerVersion),
        (text.replace("# bearings", "# birdings"), WorkspaceError),
        (text.replace("probability,run", "run,probability"), WorkspaceError),
        (text.replace("0.75", "much"), WorkspaceError),
        (text.replace(stored(toy_set)[0], "../items"), WorkspaceError),
        (text.splitlines()[0] + "\n", WorkspaceError),
        ("", WorkspaceError),
        ("\udcff", WorkspaceError),
    ):
        path.write_text(written, errors="surrogateescape")
        with pytest.raises(error):
            read_mistakes(toy_set)
        with pytest.raises(error):
            keep(toy_set, seed=1)
        assert path.read_text(errors="surrogateescape") == written


@pytest.mark.parametrize("place", ["the picture", "the table"])
def test_a_full_disk_leaves_the_set_as_it_was(toy_set, monkeypatch, place):
    first = keep(toy_set)
    replace, calls = os.replace, []

    def full(source, target):
        calls.append(target)
        if len(calls) == (1 if place == "the picture" else 2):
            raise OSError(28, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(WorkspaceError, match="disk is full"):
        keep(toy_set, seed=1)
    monkeypatch.setattr(os, "replace", replace)
    assert list(read_mistakes(toy_set)["file"]) == [first.file]
    assert not list((toy_set.path / "mistakes").rglob(".tmp-*"))
    keep(toy_set, seed=1)
    assert len(read_mistakes(toy_set)) == len(stored(toy_set)) == 2


def test_a_picture_that_no_row_names_goes_with_the_next_change(toy_set):
    first = keep(toy_set)
    for change in (lambda: keep(toy_set), lambda: remove_mistake(toy_set, "f" * 64)):
        shelf.write_once(mistake_path(toy_set, "f" * 64), b"of a change that was killed")
        change()
        assert stored(toy_set) == [first.file]


def test_tabs_that_add_at_once_lose_nothing(toy_set):
    threads = [threading.Thread(target=keep, args=(toy_set, seed)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(read_mistakes(toy_set)["file"]) == stored(toy_set) and len(stored(toy_set)) == 8


def test_mistakes_go_with_their_data_set_and_do_not_bring_it_back(toy_set):
    made = keep(toy_set)
    delete_dataset(toy_set)
    assert not toy_set.path.exists()
    for late in (lambda: keep(toy_set), lambda: remove_mistake(toy_set, made.file)):
        with pytest.raises(NotFound):
            late()
    assert not toy_set.path.exists()
