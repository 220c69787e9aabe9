"""Pictures with a table of labels become a data set, whatever folders they lie in."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data.events import DataReady
from core.data.ingest import import_source
from core.data.table import load_dataset
from core.errors import DataError
from core.settings import ImportSettings
from core.workspace import Workspace


def picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(seed).integers(0, 256, (20, 20, 3), dtype=np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def flat(prefix: str = "", count: int = 8) -> dict[str, bytes]:
    return {f"{prefix}{number}.png": picture(number) for number in range(count)}


TABLE = "file,label\n" + "".join(f"{number}.png,{'odd' if number % 2 else 'even'}\n" for number in range(8))


def laid(root: Path, files: dict[str, bytes], kind: str) -> Path:
    if kind == "zip":
        with zipfile.ZipFile(root.with_suffix(".zip"), "w") as made:
            for name, data in files.items():
                made.writestr(name, data)
        return root.with_suffix(".zip")
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


def bring(tmp_path, source: Path, **more) -> DataReady:
    workspace = Workspace(tmp_path / "home")
    return list(import_source(workspace, source, name="x", settings=ImportSettings(), **more))[-1]


def labels_of(tmp_path, ready: DataReady) -> dict[str, str]:
    items = load_dataset(Workspace(tmp_path / "home"), ready.dataset).items()
    return dict(zip(items["original_name"], items["label"], strict=True))


@pytest.mark.parametrize("kind", ["folder", "zip"])
@pytest.mark.parametrize("prefix", ["", "photos/", "images/all/"])
@pytest.mark.parametrize("inside", [True, False])
def test_pictures_in_any_folder_get_the_labels_of_the_table(tmp_path, kind, prefix, inside):
    files = flat(prefix) | ({"labels.csv": TABLE.encode()} if inside else {})
    source = laid(tmp_path / "src", files, kind)
    (tmp_path / "my labels.csv").write_text(TABLE)
    ready = bring(tmp_path, source, **({} if inside else {"labels": tmp_path / "my labels.csv"}))
    assert (ready.classes, ready.kept, ready.rejected) == (("even", "odd"), 8, ())
    assert labels_of(tmp_path, ready) == {f"{prefix}{n}.png": "odd" if n % 2 else "even" for n in range(8)}
    assert ready.notes == (
        ("labels.csv says what the pictures show, since no folders name classes.",) if inside else ()
    )


@pytest.mark.parametrize("name", ["labels.tsv", "Labels.TXT", "trainLabels.csv", "pets/labels.csv"])
def test_other_tables_inside_are_found(tmp_path, name):
    table = TABLE.replace(",", "\t") if "tsv" in name else TABLE
    ready = bring(tmp_path, laid(tmp_path / "src", flat("pets/") | {name: table.encode()}, "zip"))
    assert ready.kept == 8 and name.split("/")[-1] in ready.notes[0]


def test_folders_that_name_classes_win_unless_the_table_is_chosen(tmp_path):
    files = flat("cat/", 4) | {f"dog/{n}.png": picture(50 + n) for n in range(4)}
    table = "".join(f"{label}/{n}.png,{'odd' if n % 2 else 'even'}\n" for label in ("cat", "dog") for n in range(4))
    source = laid(tmp_path / "src", files | {"labels.csv": table.encode()}, "folder")
    ready = bring(tmp_path, source)
    assert ready.classes == ("cat", "dog") and "labels.csv was not used" in ready.notes[0]
    workspace = Workspace(tmp_path / "home")
    chosen = import_source(workspace, source, name="y", settings=ImportSettings(), labels=source / "labels.csv")
    ready = list(chosen)[-1]
    assert ready.classes == ("even", "odd") and ready.kept == 8 and ready.rejected == ()


def test_what_does_not_come_together_is_listed_beside_what_cannot_be_opened(tmp_path):
    files = flat() | {"9.png": picture(9), "3.png": b"<html>", "notes.txt": b"hello", "data.json": b"{}"}
    table = TABLE.replace("5.png", "55.png") + "0.png,odd\n"
    ready = bring(tmp_path, laid(tmp_path / "src", files | {"labels.csv": table.encode()}, "zip"))
    reasons = {one["name"]: one["reason"] for one in ready.rejected}
    assert set(reasons) == {"0.png", "3.png", "5.png", "9.png", "55.png", "notes.txt", "data.json"}
    assert "contradicts itself" in reasons["0.png"] and "web page" in reasons["3.png"]
    assert "no line" in reasons["9.png"] and "line 7: there is no such picture" in reasons["55.png"]
    assert ready.kept == 5


def test_the_table_says_the_sides(tmp_path):
    table = "file,label,is_valid\n" + "".join(f"{n},{'odd' if n % 2 else 'even'},{n >= 6}\n" for n in range(8))
    ready = bring(tmp_path, laid(tmp_path / "src", flat() | {"labels.csv": table.encode()}, "folder"))
    assert (ready.train, ready.valid) == (6, 2)
    items = load_dataset(Workspace(tmp_path / "home"), ready.dataset).items()
    assert list(items["split"]) == ["train"] * 6 + ["valid"] * 2


def test_folders_of_sides_without_classes_are_read_with_a_table(tmp_path):
    files = {f"{'train' if n < 6 else 'valid'}/{n}.png": picture(n) for n in range(8)}
    ready = bring(tmp_path, laid(tmp_path / "src", files | {"labels.csv": TABLE.encode()}, "zip"))
    assert (ready.train, ready.valid, ready.rejected) == (6, 2, ())


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        (flat() | {"labels.csv": b"a,b\nc,d\n"}, "No column of labels.csv names the pictures"),
        (flat() | {"labels.csv": TABLE.replace("even", "odd").encode()}, "every picture the label 'odd'; 2"),
        (flat() | {"other.csv": b"a,b\nc,d\n"}, "has no class folders"),
        (flat() | {"a.csv": TABLE.encode(), "b.csv": TABLE.encode()}, "has no class folders"),
        ({"labels.csv": TABLE.encode()}, "holds no pictures"),
        (flat() | {"labels.csv": b"PK\x03\x04"}, "workbook"),
    ],
)
@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_a_table_that_is_of_no_use_is_refused_and_leaves_nothing(tmp_path, files, sentence, kind):
    with pytest.raises(DataError, match=sentence) as caught:
        bring(tmp_path, laid(tmp_path / "src", files, kind))
    assert caught.value.hint and not (tmp_path / "home" / "local" / "datasets").exists()


def test_a_chosen_table_that_is_not_there_is_said(tmp_path):
    source = laid(tmp_path / "src", flat(), "folder")
    for labels in (tmp_path / "gone.csv", Path("a\0b"), tmp_path):
        with pytest.raises(DataError, match="no file .* that can be read"):
            bring(tmp_path, source, labels=labels)
    with pytest.raises(DataError, match="holds no pictures"):
        (tmp_path / "l.csv").write_text(TABLE)
        bring(tmp_path, laid(tmp_path / "none", {"a.txt": b""}, "folder"), labels=tmp_path / "l.csv")


def test_a_damaged_table_inside_a_zip_is_said(tmp_path):
    source = laid(tmp_path / "src", flat() | {"labels.csv": TABLE.encode()}, "zip")
    source.write_bytes(source.read_bytes().replace(b"0.png,even", b"0.png,evil", 1))
    with pytest.raises(DataError, match="labels.csv: The file is damaged inside the zip"):
        bring(tmp_path, source)
