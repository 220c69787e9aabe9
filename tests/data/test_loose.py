"""Pictures for a set that exists, class by folder."""

import io
import zipfile

import numpy as np
import pytest

from core.data.growth import extend
from core.data.loose import foldered_pictures
from core.data.shelf import Picture, Rejected
from core.errors import DataError
from tests.conftest import colour_jpeg, make_toy


@pytest.fixture
def jpeg():
    rng = np.random.default_rng(5)
    return lambda: colour_jpeg(rng, 1)


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_each_folder_is_a_class_and_one_class_is_enough(tmp_path, jpeg):
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "1.jpg").write_bytes(jpeg())
    (tmp_path / "pets" / "notes.txt").write_text("x")
    with foldered_pictures(tmp_path / "pets") as (entries, total):
        found = list(entries)
    assert total == 2
    assert [(entry.label, entry.original_name) for entry in found if isinstance(entry, Picture)] == [
        ("cat", "cat/1.jpg")
    ]
    assert [entry.name for entry in found if isinstance(entry, Rejected)] == ["notes.txt"]


def test_sides_that_came_with_the_folders_are_kept_in_a_set_that_exists(tmp_path, jpeg):
    toy = make_toy(tmp_path / "home")
    source = tmp_path / "more.zip"
    source.write_bytes(zipped({"train/r/1.jpg": jpeg(), "valid/r/2.jpg": jpeg(), "valid/new/3.jpg": jpeg()}))
    with foldered_pictures(source) as (entries, total):
        *_, ready = extend(toy, entries, source="upload", words="added", total=total, workers=1)
    assert ready.added == 3
    rows = toy.kept().set_index("original_name")
    assert list(rows.loc[["train/r/1.jpg", "valid/r/2.jpg", "valid/new/3.jpg"], "split"]) == ["train", "valid", "valid"]


def test_files_without_a_folder_ask_for_a_class(tmp_path, jpeg):
    (tmp_path / "1.jpg").write_bytes(jpeg())
    with pytest.raises(DataError, match="no folder that names a class"), foldered_pictures(tmp_path):
        pass
