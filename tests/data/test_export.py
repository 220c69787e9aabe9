"""An export is a plain zip for others, and for Bearings the same data set again: same version, never anything else."""

import csv
import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.classes import disable_class
from core.data.edits import delete, place, relabel
from core.data.events import DataReady
from core.data.export import MARKER, TABLE, export_zip, read_marker
from core.data.images import encode
from core.data.ingest import import_source, publish
from core.data.shelf import Picture
from core.data.table import Dataset, load_dataset, version_of
from core.data.text_table import unguarded
from core.errors import DataError, NewerVersion, WorkspaceError
from core.settings import ImportSettings
from core.workspace import Workspace
from tests.conftest import make_toy


def picture(seed: int, size: tuple[int, int] = (40, 30)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8))


def make(home: Path, labels: dict[str, int], name: str = "pets") -> Dataset:
    """A data set with so many pictures of each label, and odd names."""
    rows = [(label, number) for label, count in labels.items() for number in range(count)]
    pictures = [
        Picture(encode(picture(seed)), label, f"../{label}\\=cmd {number}.png", note="-note", source=f"http://x/{seed}")
        for seed, (label, number) in enumerate(rows)
    ]
    events = list(publish(Workspace(home), pictures, name=name, settings=ImportSettings(0.3, 7), source="test"))
    return load_dataset(Workspace(home), events[-1].dataset)


def bring(home: Path, source: Path, name: str = "again") -> tuple[Dataset, DataReady]:
    workspace = Workspace(home)
    ready = list(import_source(workspace, source, name=name, settings=ImportSettings()))[-1]
    return load_dataset(workspace, ready.dataset), ready


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as made:
        return {name: made.read(name) for name in made.namelist()}


def rezipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


@pytest.fixture
def pets(tmp_path) -> Dataset:
    return make(tmp_path / "home", {"cat": 5, "dog": 6})


@pytest.mark.parametrize("kind", ["zip", "folder", "folder in a folder"])
def test_what_comes_back_is_the_same_data_set(tmp_path, pets, kind):
    edited = delete(pets, ["000002"]).dataset
    edited = relabel(edited, {"000003": "dog", "000009": "cat"}).dataset
    edited = place(edited, {"000001": "valid", "000011": "valid"}).dataset
    out = tmp_path / "out.zip"
    made = export_zip(edited, out)
    if kind != "zip":
        out = tmp_path / "out"
        with zipfile.ZipFile(tmp_path / "out.zip") as archive:
            archive.extractall(out / "pets" if "in a" in kind else out)
    again, ready = bring(tmp_path / "other", out)
    assert again.version == edited.version == made.version != pets.version
    assert ready.rejected == () and ready.notes == (
        "This is an export of 'pets'; pictures, labels and sides are as they were.",
    )
    assert (again.seed, again.valid_share, again.classes) == (7, 0.3, ("cat", "dog"))
    columns = ["file", "label", "split", "width", "height", "source", "original_name", "note"]
    assert again.kept()[columns].equals(edited.kept()[columns])
    assert made.pictures == len(again.items()) == 10
    for sha in again.kept()["file"]:
        assert hashlib.sha256(again.image_path(sha).read_bytes()).hexdigest() == sha


def test_an_export_of_an_export_is_the_same_again(tmp_path, pets):
    export_zip(pets, tmp_path / "1.zip")
    again, _ = bring(tmp_path / "other", tmp_path / "1.zip", name="pets")
    export_zip(again, tmp_path / "2.zip")
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


def test_only_what_counts_is_exported(tmp_path):
    three = make(tmp_path / "home", {"cat": 4, "dog": 4, "owl": 4})
    edited = disable_class(delete(three, ["000001"]).dataset, "owl").dataset
    export_zip(edited, tmp_path / "out.zip")
    found = members(tmp_path / "out.zip")
    assert len(found) == 7 + 2 and not any("owl" in name for name in found)
    assert bring(tmp_path / "other", tmp_path / "out.zip")[0].version == edited.version


def test_the_zip_is_laid_out_for_others(tmp_path, pets):
    export_zip(pets, tmp_path / "out.zip")
    found = members(tmp_path / "out.zip")
    kept = pets.kept()
    table = list(csv.DictReader(io.StringIO(found[TABLE].decode(), newline="")))
    assert [(row["label"], row["split"]) for row in table] == list(zip(kept["label"], kept["split"], strict=True))
    assert [hashlib.sha256(found[row["file"]]).hexdigest() for row in table] == list(kept["file"])
    assert table[0]["file"] == f"{kept['split'][0]}/cat/000001-=cmd 0.jpg"
    assert table[0]["note"] == "'-note" and unguarded(table[0]["note"]) == "-note"
    assert {name.split("/")[0] for name in found} == {"train", "valid", TABLE, MARKER}
    record = json.loads(found[MARKER])
    assert (record["name"], record["classes"], record["version"]) == ("pets", ["cat", "dog"], pets.version)
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        kinds = {info.compress_type for info in made.infolist() if info.filename.endswith(".jpg")}
        assert kinds == {zipfile.ZIP_STORED} and made.testzip() is None


@pytest.mark.slow
def test_torchvision_reads_it(tmp_path, pets):
    from torchvision.datasets import ImageFolder

    export_zip(pets, tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as made:
        made.extractall(tmp_path / "out")
    for side in ("train", "valid"):
        folder = ImageFolder(tmp_path / "out" / side)
        assert folder.classes == ["cat", "dog"]
        assert len(folder) == (pets.kept()["split"] == side).sum()


def test_the_same_data_set_gives_the_same_bytes_to_a_file_and_to_memory(tmp_path, pets):
    export_zip(pets, tmp_path / "1.zip")
    (tmp_path / "2.zip").write_bytes(b"old")
    export_zip(pets, tmp_path / "2.zip")
    buffer = io.BytesIO()
    export_zip(pets, buffer)
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes() == buffer.getvalue()


def test_labels_that_no_file_system_takes_come_back(tmp_path):
    labels = [
        "=cmd",
        "../up",
        "CON",
        "Cat",
        "cat",
        "-1",
        ".x",
        "a/b",
        "a:b",
        "<b>%{y}",
        "\u00e9",
        "x" * 64,
        "'=x",
        "train",
    ]
    odd = make(tmp_path / "home", dict.fromkeys(labels, 2))
    export_zip(odd, tmp_path / "out.zip")
    names = list(members(tmp_path / "out.zip"))
    assert all(len(name.split("/")) in (1, 3) and ".." not in name.split("/") for name in names)
    assert len({name.casefold() for name in names}) == len(names) == 2 * len(labels) + 2
    again, _ = bring(tmp_path / "other", tmp_path / "out.zip")
    assert again.version == odd.version and set(again.classes) == set(labels)


def test_a_picture_with_two_labels_comes_back_twice(tmp_path):
    two = [Picture(encode(picture(seed)), label, f"{seed}") for seed in range(3) for label in ("cat", "dog")]
    ready = list(publish(Workspace(tmp_path / "home"), two, name="x", settings=ImportSettings(), source="test"))[-1]
    twins = load_dataset(Workspace(tmp_path / "home"), ready.dataset)
    export_zip(twins, tmp_path / "out.zip")
    again, _ = bring(tmp_path / "other", tmp_path / "out.zip")
    assert again.version == twins.version and list(again.items()["note"]) == list(twins.items()["note"])


def test_other_programs_pictures_of_a_stored_set_come_back_too(tmp_path):
    toy = make_toy(tmp_path / "home", per_class=4)
    export_zip(toy, tmp_path / "out.zip")
    assert bring(tmp_path / "other", tmp_path / "out.zip")[0].version == toy.version


SCRIPT = b"<script>alert(1)</script>"


def test_a_picture_that_was_tampered_with_is_written_anew(tmp_path, pets):
    export_zip(pets, tmp_path / "out.zip")
    files = members(tmp_path / "out.zip")
    name = next(name for name in files if name.endswith(".jpg"))
    files[name] += SCRIPT
    again, ready = bring(tmp_path / "other", rezipped(tmp_path / "bad.zip", files))
    assert again.version != pets.version and "changed since" in ready.notes[0]
    assert len(again.items()) == len(pets.items())
    assert not any(SCRIPT in path.read_bytes() for path in (again.path / "images").iterdir())


def test_a_changed_table_is_followed_and_a_lost_picture_is_listed(tmp_path, pets):
    export_zip(pets, tmp_path / "out.zip")
    files = members(tmp_path / "out.zip")
    lost = [name for name in files if name.endswith(".jpg")][0]
    del files[lost]
    files[TABLE] = files[TABLE].replace(b'"dog"', b'"wolf"')
    again, ready = bring(tmp_path / "other", rezipped(tmp_path / "new.zip", files))
    assert again.classes == ("cat", "wolf") and "changed since" in ready.notes[0]
    assert [(one["name"], one["reason"]) for one in ready.rejected] == [
        (lost, "labels.csv, line 2: there is no such picture.")
    ]


@pytest.mark.parametrize(
    "marker",
    [
        b"",
        b"[]",
        b"{}",
        b'{"kind": "data set"',
        b'{"kind": "data set", "schema": 1}',
        b"[" * 100_000,
        b"x" * (2**20 + 1),
    ]
    + [b'{"kind": "data set", "schema": 1, "name": 1, "seed": 1, "valid_share": 0.2, "version": "x"}']
    + [b'{"kind": "data set", "schema": 1, "name": "a", "seed": 1, "valid_share": 7, "version": "' + b"a" * 64 + b'"}'],
)
def test_a_record_that_is_not_ours_is_a_document_like_others(tmp_path, pets, marker):
    assert read_marker(marker) is None
    export_zip(pets, tmp_path / "out.zip")
    files = members(tmp_path / "out.zip") | {MARKER: marker}
    again, ready = bring(tmp_path / "other", rezipped(tmp_path / "new.zip", files))
    assert {one["name"] for one in ready.rejected} == {MARKER, TABLE}
    assert again.classes == ("cat", "dog") and len(again.items()) == 11


def test_an_export_of_a_newer_bearings_is_refused(tmp_path, pets):
    export_zip(pets, tmp_path / "out.zip")
    files = members(tmp_path / "out.zip")
    files[MARKER] = files[MARKER].replace(b'"schema": 1', b'"schema": 99')
    with pytest.raises(NewerVersion, match="version 99"):
        bring(tmp_path / "other", rezipped(tmp_path / "new.zip", files))


def test_a_missing_or_damaged_picture_ends_the_export_and_leaves_what_was_there(tmp_path, pets):
    out = tmp_path / "out.zip"
    out.write_bytes(b"old")
    path = pets.image_path(pets.kept()["file"][4])
    good = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(good[:-9] + b"123456789")
    with pytest.raises(WorkspaceError, match="damaged on the disk"):
        export_zip(pets, out)
    path.unlink()
    with pytest.raises(WorkspaceError, match="missing on the disk"):
        export_zip(pets, out)
    assert out.read_bytes() == b"old" and {entry.name for entry in tmp_path.iterdir()} == {"home", "out.zip"}


def test_nothing_to_export_and_nowhere_to_write_are_said(tmp_path, pets):
    with pytest.raises(DataError, match="There is no folder"):
        export_zip(pets, tmp_path / "gone" / "out.zip")
    empty = delete(pets, list(pets.items()["item"])).dataset
    with pytest.raises(DataError, match="no pictures to export"):
        export_zip(empty, tmp_path / "out.zip")


def test_the_whole_set_is_never_in_memory(tmp_path):
    import tracemalloc

    pictures = [
        Picture(encode(picture(seed, (512, 512)), quality=100), "ab"[seed % 2], f"{seed}") for seed in range(60)
    ]
    size = sum(len(one.data.jpeg) for one in pictures)
    ready = list(publish(Workspace(tmp_path), pictures, name="x", settings=ImportSettings(), source="t"))[-1]
    dataset = load_dataset(Workspace(tmp_path), ready.dataset)
    del pictures
    tracemalloc.start()
    made = export_zip(dataset, tmp_path / "out.zip")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert made.bytes == size > 15_000_000 and peak < size / 4


def test_the_version_is_that_of_the_table(tmp_path, pets):
    export_zip(pets, tmp_path / "out.zip")
    again, _ = bring(tmp_path / "other", tmp_path / "out.zip")
    assert version_of(again.items()) == again.version
    shutil.rmtree(again.path / "images")
    assert again.version == pets.version
