"""Imports end to end: folders and zips become data sets, with a reason for each file left out and no half-made ones."""

from __future__ import annotations

import csv
import errno
import io
import os
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import core.data.shelf as shelf_module
import core.data.store as store
from core.data.events import DataReady, Progress
from core.data.ingest import import_source, publish
from core.data.shelf import Picture, Rejected, report_csv
from core.data.table import list_datasets, load_dataset
from core.errors import ArchiveError, DataError, DiskFull
from core.settings import ImportSettings
from core.workspace import Workspace

SETTINGS = ImportSettings()


def picture(seed: int = 0, size: tuple[int, int] = (40, 30)) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def lay(root: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return path


def pets(count: int = 5, prefix: str = "") -> dict[str, bytes]:
    return {
        f"{prefix}{label}/{number}.png": picture(100 * place + number)
        for place, label in enumerate(("cat", "dog"))
        for number in range(count)
    }


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "home")


def bring(workspace: Workspace, source: Path, name: str = "pets", **more) -> DataReady:
    events = list(import_source(workspace, source, name=name, settings=more.pop("settings", SETTINGS), **more))
    assert [event.seq for event in events] == list(range(len(events)))
    assert all(isinstance(event, Progress) and event.phase in ("import", "looks") for event in events[:-1])
    assert events[-2].done == events[-2].total and isinstance(events[-1], DataReady)
    return events[-1]


def left_behind(workspace: Workspace) -> list[str]:
    folder = workspace.folder("datasets")
    return [entry.name for entry in folder.iterdir() if entry.name != ".lock"] if folder.is_dir() else []


@pytest.mark.parametrize("kind", ["folder", "zip", "wrapped zip"])
def test_a_folder_or_a_zip_becomes_a_data_set(tmp_path, workspace, kind):
    files = pets(5, prefix="my pets/" if kind == "wrapped zip" else "")
    source = lay(tmp_path / "src", files) if kind == "folder" else zipped(tmp_path / "src.zip", files)
    ready = bring(workspace, source)
    assert (ready.classes, ready.kept, ready.train, ready.valid) == (("cat", "dog"), 10, 8, 2)
    assert ready.rejected == () and ready.notes == ()
    dataset = load_dataset(workspace, ready.dataset)
    items = dataset.items()
    assert (dataset.name, dataset.classes, dataset.seed) == ("pets", ("cat", "dog"), 42)
    assert items["item"].is_unique and set(items["status"]) == {"kept"} and set(items["source"]) == {source.name}
    for row in items.itertuples():
        with Image.open(dataset.image_path(row.file)) as image:
            assert image.size == (row.width, row.height) == (40, 30)
        assert stat.S_IMODE(dataset.image_path(row.file).stat().st_mode) == 0o444
    assert (dataset.path / "edits.jsonl").read_text().count("\n") == 1


def test_folder_and_zip_give_the_same_table_whatever_the_order_and_the_workers(tmp_path, workspace):
    files = pets(15)
    first = bring(workspace, lay(tmp_path / "src", files), "a", workers=1)
    second = bring(workspace, zipped(tmp_path / "src.zip", dict(reversed(files.items()))), "b", workers=2)
    tables = [load_dataset(workspace, made.dataset).items().drop(columns="source") for made in (first, second)]
    assert tables[0].equals(tables[1])
    third = bring(workspace, tmp_path / "src", "c", settings=ImportSettings(seed=7))
    assert not load_dataset(workspace, third.dataset).items()["split"].equals(tables[0]["split"])


def test_given_sides_are_kept(tmp_path, workspace):
    files = pets(4, "train/") | {f"valid/{label}/x.png": picture(500 + n) for n, label in enumerate(("cat", "dog"))}
    ready = bring(workspace, lay(tmp_path / "src", files))
    items = load_dataset(workspace, ready.dataset).items()
    assert (ready.train, ready.valid) == (8, 2)
    assert set(items.loc[items["split"] == "valid", "original_name"]) == {"valid/cat/x.png", "valid/dog/x.png"}


def test_training_pictures_without_validation_are_split_with_a_note(tmp_path, workspace):
    files = pets(5, "train/") | {"valid/cat/x.png": b"broken"}
    ready = bring(workspace, lay(tmp_path / "src", files))
    assert (ready.train, ready.valid) == (8, 2) and "20%" in ready.notes[-1]


def test_a_class_that_is_only_in_validation_is_refused(tmp_path, workspace):
    files = pets(3, "train/") | {"valid/cat/x.png": picture(9), "valid/owl/x.png": picture(8)}
    with pytest.raises(DataError, match="'owl' has pictures for validation and none for training"):
        bring(workspace, lay(tmp_path / "src", files))


def test_every_file_left_out_is_listed_with_its_reason_and_kept(tmp_path, workspace):
    bad = {
        "cat/web.jpg": b"<html>",
        "cat/cut.png": picture(3, (200, 150))[:9000],
        "cat/empty.jpg": b"",
        "dog/tiny.png": picture(1, (4, 4)),
        "dog/notes.txt": b"hello",
        "loose.png": picture(2),
    }
    junk = {"cat/.DS_Store": b"x", "__MACOSX/cat/._0.png": b"x", "dog/Thumbs.db": b"x"}
    for source in (lay(tmp_path / "src", pets() | bad | junk), zipped(tmp_path / "src.zip", pets() | bad | junk)):
        ready = bring(workspace, source, source.name)
        reasons = {rejected["name"]: rejected["reason"] for rejected in ready.rejected}
        assert ready.kept == 10 and set(reasons) == set(bad)
        assert "web page" in reasons["cat/web.jpg"] and "cut off" in reasons["cat/cut.png"]
        assert "4 x 4 pixels" in reasons["dog/tiny.png"] and "outside a class folder" in reasons["loose.png"]
    folder = load_dataset(workspace, ready.dataset).path / "rejected"
    with (folder / "report.csv").open(newline="") as file:
        report = {row["name"]: row for row in csv.DictReader(file)}
    assert set(report) == set(bad) and report["cat/web.jpg"]["code"] == "not_a_picture"
    assert (folder / report["cat/web.jpg"]["file"]).read_bytes() == b"<html>"
    assert report["cat/empty.jpg"]["file"] == ""
    assert (folder / report["loose.png"]["file"]).read_bytes() == bad["loose.png"]


def test_originals_of_rejected_files_are_kept_up_to_a_limit_only(tmp_path, workspace, monkeypatch):
    monkeypatch.setattr(shelf_module, "REJECTED_BYTES", 10)
    ready = bring(workspace, lay(tmp_path / "src", pets() | {"cat/a.jpg": b"<html>", "cat/b.jpg": b"<html >"}))
    folder = load_dataset(workspace, ready.dataset).path / "rejected"
    assert len(ready.rejected) == 2 and len(list(folder.glob("*.bin"))) == 1


def test_a_duplicate_is_left_out_and_a_picture_with_two_labels_is_noted(tmp_path, workspace):
    files = pets() | {"cat/again.png": picture(0), "dog/cat.png": picture(0)}
    ready = bring(workspace, lay(tmp_path / "src", files))
    assert [dict(one) for one in ready.rejected] == [
        {"name": "cat/again.png", "reason": "The same picture as cat/0.png."}
    ]
    items = load_dataset(workspace, ready.dataset).items().set_index("original_name")
    assert items.loc["dog/cat.png", "note"] == "also stored as 'cat'"
    assert items.loc["dog/cat.png", "file"] == items.loc["cat/0.png", "file"]


def test_odd_names_and_labels_are_kept_as_words_only(tmp_path, workspace):
    labels = ["=cmd", "<script>alert(1)<", "%{y}", "e\u0301", "CON", "a\u202eb", "x\ny", "-1", "Cat", "cat", "N" * 200]
    files = {f"{label}/{n}, \"'=.png": picture(10 * place + n) for place, label in enumerate(labels) for n in range(2)}
    ready = bring(workspace, lay(tmp_path / "src", files))
    assert set(ready.classes) == {"=cmd", "<script>alert(1)<", "%{y}", "\u00e9", "CON", "ab", "x y", "-1", "Cat", "cat"}
    assert len(ready.rejected) == 2 and "1 to 64 visible characters" in ready.rejected[0]["reason"]
    assert ready.notes == ("The classes 'Cat' and 'cat' differ in capitals only; they were kept apart.",)
    dataset = load_dataset(workspace, ready.dataset)
    assert dataset.classes == ready.classes and set(dataset.items()["label"]) == set(ready.classes)
    assert not any("\u202e" in name or "\n" in name for name in dataset.items()["original_name"])
    assert {entry.name for entry in dataset.path.iterdir()} == {
        "dataset.json",
        "items.csv",
        "edits.jsonl",
        "images",
        "rejected",
    }


def test_twins_of_a_name_are_both_kept(tmp_path, workspace):
    files = pets() | {"cat/\u00e9.png": picture(70), "cat/e\u0301.png": picture(71), "cat/E\u0301.png": picture(72)}
    assert bring(workspace, zipped(tmp_path / "src.zip", files)).kept == 13


def test_links_are_followed_for_files_only_and_pipes_do_not_block(tmp_path, workspace):
    source = lay(tmp_path / "src", pets())
    (tmp_path / "elsewhere.png").write_bytes(picture(90))
    (source / "cat" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    (source / "cat" / "gone.png").symlink_to(tmp_path / "gone.png")
    (source / "cat" / "loop").symlink_to(source)
    os.mkfifo(source / "dog" / "pipe.png")
    ready = bring(workspace, source)
    assert ready.kept == 11
    assert {one["name"] for one in ready.rejected} == {"cat/gone.png", "cat/loop", "dog/pipe.png"}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "src holds no pictures"),
        ({"readme.txt": b"hello"}, "src holds no pictures"),
        ({"1.png": b"", "2.png": b""}, "src has no class folders"),
        ({"cat/1.png": b""}, r"1 class only \('cat'\)"),
        ({"cat/1.png": b"no", "dog/1.png": b"no"}, "None of the 2 files of src can be used. The first, cat/1.png"),
        ({"cat/1.png": picture(1), "cat/2.png": picture(2), "dog/1.png": b"no"}, r"1 class only \('cat'\)"),
        ({"cat/1.png": picture(1), "dog/1.png": picture(2)}, "single picture"),
        ({f"c{number}/1.png": b"" for number in range(300)}, "300 class folders; up to 200"),
    ],
    ids=[
        "empty",
        "no pictures",
        "no classes",
        "one class",
        "none usable",
        "one usable class",
        "one each",
        "300 classes",
    ],
)
def test_what_cannot_become_a_data_set_is_refused_and_leaves_nothing(tmp_path, workspace, files, sentence):
    source = lay(tmp_path / "src", files)
    source.mkdir(exist_ok=True)
    with pytest.raises(DataError, match=sentence) as caught:
        bring(workspace, source)
    assert caught.value.hint and not left_behind(workspace)


def test_wrong_paths_are_refused_with_a_sentence(tmp_path, workspace):
    (tmp_path / "photo.jpg").write_bytes(picture())
    os.mkfifo(tmp_path / "pipe")
    for source, sentence in (
        (tmp_path / "gone", "There is no folder or file"),
        (Path("a\0b"), "There is no folder or file"),
        (tmp_path / "photo.jpg", "photo.jpg is not a zip file"),
        (tmp_path / "pipe", "neither a folder nor a zip"),
    ):
        with pytest.raises(DataError, match=sentence):
            bring(workspace, source)
    assert not left_behind(workspace)


def test_a_bomb_or_a_bad_member_costs_only_itself(tmp_path, workspace):
    link = zipfile.ZipInfo("cat/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "src.zip", "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in pets().items():
            made.writestr(name, data)
        made.writestr("cat/bomb.png", bytes(40_000_000))
        made.writestr(link, "/etc/passwd")
        made.writestr("dog/more.zip", b"PK\x03\x04")
    ready = bring(workspace, tmp_path / "src.zip")
    assert ready.kept == 10
    assert {one["name"]: one["reason"].split(".")[0] for one in ready.rejected} == {
        "cat/bomb.png": "The file unpacks to more than 200 times its size, as no photo does",
        "cat/link.png": "The entry is a link or a device, not a file",
        "dog/more.zip": "An archive inside an import is not opened; unpack it first",
    }


def test_a_broken_zip_is_refused(tmp_path, workspace):
    path = zipped(tmp_path / "src.zip", pets())
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ArchiveError, match="ends too early"):
        bring(workspace, path)
    assert not left_behind(workspace)


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb\x00", "taken"])
def test_a_name_that_cannot_be_used_is_refused_before_any_work(tmp_path, workspace, monkeypatch, name):
    bring(workspace, lay(tmp_path / "src", pets()), "taken")
    monkeypatch.setattr(store, "make_pictures", None)
    with pytest.raises(DataError, match="name|called"):
        bring(workspace, tmp_path / "src", name)
    assert [dataset.name for dataset in list_datasets(workspace)] == ["taken"] and len(left_behind(workspace)) == 1


def test_a_stop_ends_quietly_and_leaves_nothing(tmp_path, workspace):
    source = lay(tmp_path / "src", pets(40))
    seen = []
    events = list(
        import_source(
            workspace, source, name="pets", settings=SETTINGS, workers=2, stop=lambda: len(seen) > 20 or seen.append(1)
        )
    )
    assert events and not any(isinstance(event, DataReady) for event in events)
    assert not left_behind(workspace)


def test_a_reader_that_goes_away_leaves_nothing(tmp_path, workspace):
    events = import_source(workspace, lay(tmp_path / "src", pets()), name="pets", settings=SETTINGS)
    next(events)
    assert left_behind(workspace)
    events.close()
    assert not left_behind(workspace)


def test_a_disk_that_fills_up_gives_a_sentence_and_leaves_what_was_there(tmp_path, workspace, monkeypatch):
    source = lay(tmp_path / "src", pets())
    bring(workspace, source, "first")
    before = sorted(path.name for path in workspace.root.rglob("*"))
    real, written = os.open, []

    def full(path, flags, *more, **options):
        if flags & os.O_CREAT and Path(path).parent.name == "images":
            written.append(path)
            if len(written) > 4:
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return real(path, flags, *more, **options)

    monkeypatch.setattr(os, "open", full)
    with pytest.raises(DiskFull, match="disk is full"):
        bring(workspace, source, "second")
    assert sorted(path.name for path in workspace.root.rglob("*")) == before


def test_a_full_disk_at_the_last_file_leaves_nothing(tmp_path, workspace, monkeypatch):
    def full(*_args, **_options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("core.workspace.os.replace", full)
    with pytest.raises(DiskFull):
        bring(workspace, lay(tmp_path / "src", pets()))
    assert not left_behind(workspace)


def test_too_little_space_is_said_before_the_work_starts(tmp_path, workspace, monkeypatch):
    monkeypatch.setattr("core.workspace.shutil.disk_usage", lambda _: type("Usage", (), {"free": 50 * 2**20}))
    with pytest.raises(DiskFull, match="are free on the disk"):
        bring(workspace, lay(tmp_path / "src", pets()))
    assert not left_behind(workspace)


def test_an_import_killed_midway_is_no_data_set_and_is_swept_later(tmp_path, workspace):
    source = lay(tmp_path / "src", pets())
    code = f"""
import os
from pathlib import Path
from core.data.ingest import import_source
from core.settings import ImportSettings
from core.workspace import Workspace
import core.data.store as store
store.create_dataset = lambda *a, **k: os.kill(os.getpid(), 9)
workspace, source = Workspace(Path({str(workspace.home)!r})), Path({str(source)!r})
list(import_source(workspace, source, name="pets", settings=ImportSettings()))
"""
    killed = subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).resolve().parents[2])
    assert killed.returncode == -9 and len(left_behind(workspace)) == 1
    assert list_datasets(workspace) == []
    assert store.sweep_unfinished(workspace) == 0
    assert bring(workspace, source).kept == 10
    old = time.time() - 2 * store.UNFINISHED_MAX_AGE_S
    for name in left_behind(workspace):
        for place in (workspace.folder("datasets") / name, workspace.folder("datasets") / name / "images"):
            os.utime(place, (old, old))
    assert store.sweep_unfinished(workspace) == 1
    assert [dataset.kept().shape[0] for dataset in list_datasets(workspace)] == [10]


def test_publish_takes_pictures_and_refusals_from_anywhere(workspace):
    stream = [Picture(picture(n), label, f"{label}-{n}", note="mine") for n, label in enumerate("aabb")]
    ready = list(
        publish(workspace, iter([*stream, Rejected("x", "It was lost.")]), name="x", settings=SETTINGS, source="test")
    )[-1]
    assert (ready.kept, ready.valid, ready.rejected) == (4, 2, ({"name": "x", "reason": "It was lost."},))
    assert set(load_dataset(workspace, ready.dataset).items()["note"]) == {"mine"}


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx"])
def test_the_report_holds_no_formula(cell):
    record = {"name": cell, "reason": "x", "code": "y", "file": ""}
    row = next(csv.DictReader(io.StringIO(report_csv([record]), newline="")))
    assert row["name"] == f"'{cell}"
