"""Samples: drawn bears, real collections read through torchvision, and labels that are wrong on purpose."""

from __future__ import annotations

import functools
import gc
import gzip
import hashlib
import http.server
import io
import struct
import subprocess
import sys
import tarfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.data.events import DataReady, Progress
from core.data.samples import SAMPLES, bears, make_sample, real_sets
from core.data.samples.gallery import BEARS, is_available, wrong_labels
from core.data.split import stratified_split
from core.data.table import Dataset, load_dataset
from core.errors import DataError, LabError, SettingsError
from core.settings import ImportSettings
from core.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    return Workspace(tmp_path / "home")


@pytest.fixture
def quick_bears(monkeypatch):
    """Tiny pictures in place of drawn scenes, where the drawing is not what is tested."""

    def draw(label, *, seed):
        pixels = np.random.default_rng([seed, *label.encode()]).integers(0, 256, (9, 9, 3), dtype=np.uint8)
        return bears.Scene(Image.fromarray(pixels), label, (), np.zeros((9, 9), np.uint8), (4.0, 4.0))

    monkeypatch.setattr(bears, "draw_scene", draw)


def made(workspace: Workspace, sample: str, name: str = "sample", **options) -> tuple[DataReady, Dataset]:
    events = list(make_sample(workspace, sample, name=name, **options))
    assert [event.seq for event in events] == list(range(len(events)))
    assert all(isinstance(event, Progress) for event in events[:-1])
    return events[-1], load_dataset(workspace, events[-1].dataset)


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_says_what_it_is(name):
    sample = SAMPLES[name]
    assert sample.name == name and sample.title and sample.description.endswith(".") and sample.licence
    assert len(set(sample.classes)) == len(sample.classes) >= 2
    assert sample.offline == (sample.size_mb == 0) and (sample.offline or sample.source.startswith("https://"))


def test_the_classes_of_the_bears_are_those_that_are_drawn():
    assert BEARS == bears.CLASSES


def test_bears_are_drawn_split_and_stored(workspace):
    ready, dataset = made(workspace, "bears", per_class=5)
    assert (ready.classes, ready.kept, ready.train, ready.valid) == (BEARS, 15, 12, 3)
    items = dataset.items()
    assert set(items["width"]) == set(items["height"]) == {384} and not any(items["note"])
    assert items["original_name"].str.match(r"(black|grizzly|teddy)/scene-\d+\.jpg").all()


def test_the_name_of_a_bear_holds_the_seed_that_draws_it_again(workspace):
    _, dataset = made(workspace, "bears", per_class=2, seed=3)
    row = dataset.items().iloc[4]
    scene = bears.draw_scene(row["label"], seed=int(row["original_name"].split("-")[1].removesuffix(".jpg")))
    with Image.open(dataset.image_path(row["file"])) as stored:
        assert np.abs(np.asarray(stored, int) - np.asarray(scene.image, int)).mean() < 4


def test_the_same_seed_makes_the_same_set_and_another_seed_another(workspace, quick_bears):
    files = [
        set(made(workspace, "bears", f"b{n}", per_class=2, seed=seed)[1].items()["file"])
        for n, seed in enumerate((1, 1, 2))
    ]
    assert files[0] == files[1] and not files[0] & files[2]


def test_imbalance_thins_every_class_after_the_first(workspace, quick_bears):
    _, dataset = made(workspace, "bears", per_class=4, imbalance=0.5)
    assert Counter(dataset.items()["label"]) == {"black": 4, "grizzly": 2, "teddy": 2}


def test_wrong_labels_are_noted_with_the_true_one_and_lie_in_the_wrong_folder(workspace, quick_bears):
    _, right = made(workspace, "bears", "right", per_class=6)
    _, dataset = made(workspace, "bears", per_class=6, biased_noise=0.5, noise=0.1)
    items = dataset.items()
    shown = items["file"].map(right.items().set_index("file")["label"])
    wrong = items[items["label"] != shown]
    assert len(wrong) == 4 and set(wrong["split"]) == {"train"}  # 0.5 of 5 grizzlies, 0.1 of 15 pictures
    assert (wrong["note"] == "true label: " + shown[wrong.index]).all()
    assert not any(items.loc[items["label"] == shown, "note"])
    assert Counter(zip(shown[wrong.index], wrong["label"], strict=True))["grizzly", "black"] >= 2
    assert (items["original_name"].str.split("/").str[0] == items["label"]).all()


CLASSES = ["a", "b", "c"]


@given(
    st.lists(st.sampled_from(CLASSES), min_size=12, max_size=90),
    st.floats(0, 0.9),
    st.floats(0, 0.9),
    st.integers(0, 9),
)
def test_wrong_labels_stay_on_the_training_side_in_the_asked_share(true, noise, biased, seed):
    true = [*CLASSES, *CLASSES, *true]
    sides = stratified_split(true, valid_share=0.2, seed=seed)
    found = wrong_labels(true, sides, CLASSES, noise=noise, biased_noise=biased, seed=seed)
    train = [place for place, side in enumerate(sides) if side == "train"]
    assert all(found[place] == true[place] for place in range(len(true)) if place not in train)
    assert {true[place] for place in train if found[place] == true[place]} == set(CLASSES)
    second = sum(true[place] == "b" for place in train)
    wrong = sum(found[place] != true[place] for place in train)
    wanted = min(round(biased * second), second - 1) + round(noise * len(train))
    assert wrong == min(wanted, len(train) - len(CLASSES))
    assert found == wrong_labels(true, sides, CLASSES, noise=noise, biased_noise=biased, seed=seed)


def test_biased_noise_points_one_way():
    true = ["a"] * 20 + ["b"] * 20 + ["c"] * 20
    found = wrong_labels(true, ["train"] * 60, CLASSES, noise=0, biased_noise=0.25, seed=0)
    assert Counter((t, f) for t, f in zip(true, found, strict=True) if t != f) == {("b", "a"): 5}


@pytest.mark.parametrize(
    "options",
    [{"per_class": 1}, {"per_class": 2001}, {"noise": -0.1}, {"noise": 1}, {"biased_noise": 2}, {"imbalance": 0.99}]
    + [{"noise": float("nan")}],
)
def test_options_outside_their_range_are_refused(workspace, options):
    with pytest.raises(SettingsError) as caught:
        list(make_sample(workspace, "bears", name="b", **options))
    assert caught.value.hint


def test_an_unknown_sample_and_a_taken_name_are_refused_before_the_work(workspace, quick_bears):
    with pytest.raises(SettingsError, match="no sample called 'cats'"):
        list(make_sample(workspace, "cats", name="b"))
    made(workspace, "bears", "b", per_class=2)
    start = time.perf_counter()
    with pytest.raises(DataError, match="called 'b' already"):
        list(make_sample(workspace, "bears", name="b", per_class=2000))
    assert time.perf_counter() - start < 1


def test_a_stop_ends_the_drawing_quietly(workspace):
    start = time.monotonic()
    events = list(make_sample(workspace, "bears", name="b", per_class=500, stop=lambda: time.monotonic() - start > 0.5))
    assert time.monotonic() - start < 5 and not any(isinstance(event, DataReady) for event in events)
    assert not [entry for entry in workspace.folder("datasets").iterdir() if entry.name != ".lock"]


def test_bears_need_no_torch():
    code = (
        "import sys, tempfile, pathlib\n"
        "from core.data.samples import make_sample\nfrom core.workspace import Workspace\n"
        "with tempfile.TemporaryDirectory() as home:\n"
        "    list(make_sample(Workspace(pathlib.Path(home)), 'bears', name='b', per_class=2))\n"
        "print(*(name for name in ('torch', 'torchvision', 'streamlit') if name in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


# ---- published collections, served from this machine in their own formats


@pytest.fixture
def served(tmp_path):
    """A folder and the address under which its files can be had."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield folder, f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes()).hexdigest()


def jpeg(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG")
    return buffer.getvalue()


def tarball(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def fashion_files(folder: Path, count: int = 60) -> None:
    """The four files of Fashion-MNIST with `count` pictures each, picture n of class n % 10."""
    for side in ("train", "t10k"):
        pixels = np.random.default_rng(1).integers(0, 256, (count, 28, 28), dtype=np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for name, head, data in (
            (f"{side}-images-idx3-ubyte.gz", struct.pack(">IIII", 2051, count, 28, 28), pixels),
            (f"{side}-labels-idx1-ubyte.gz", struct.pack(">II", 2049, count), labels),
        ):
            (folder / name).write_bytes(gzip.compress(head + data.tobytes()))


def serve_fashion(folder: Path, address: str, monkeypatch) -> None:
    from torchvision.datasets import FashionMNIST

    fashion_files(folder)
    monkeypatch.setattr(real_sets, "DEBIAN_FASHION", folder / "not installed")
    monkeypatch.setattr(FashionMNIST, "mirrors", [address])
    monkeypatch.setattr(FashionMNIST, "resources", [(name, md5(folder / name)) for name, _ in FashionMNIST.resources])


def test_fashion_is_downloaded_once_with_progress(workspace, served, monkeypatch):
    folder, address = served
    serve_fashion(folder, address, monkeypatch)
    assert not is_available(workspace, "fashion")
    events = list(make_sample(workspace, "fashion", name="f", per_class=5, seed=1))
    assert {event.phase for event in events[:-1]} == {"download", "import", "looks"}
    assert (events[-1].kept, events[-1].valid, len(events[-1].classes)) == (50, 10, 10)
    items = load_dataset(workspace, events[-1].dataset).items()
    assert set(items["width"]) == {28} and Counter(items["label"]) == dict.fromkeys(real_sets.FASHION_CLASSES, 5)
    for path in folder.iterdir():
        path.unlink()
    assert is_available(workspace, "fashion")
    again, _ = made(workspace, "fashion", "g", per_class=6)
    assert again.kept == 60
    assert not list((workspace.cache / "downloads").rglob("*.gz"))


def test_an_installed_fashion_needs_no_network(workspace, tmp_path, monkeypatch):
    from torchvision.datasets import FashionMNIST

    (tmp_path / "debian").mkdir()
    fashion_files(tmp_path / "debian")
    monkeypatch.setattr(real_sets, "DEBIAN_FASHION", tmp_path / "debian")
    monkeypatch.setattr(FashionMNIST, "mirrors", [])
    assert is_available(workspace, "fashion")
    ready, dataset = made(workspace, "fashion", per_class=2)
    assert ready.kept == 20
    row = dataset.items().query("label == 'Coat'").iloc[0]
    place = int(row["original_name"].split("/")[1].removesuffix(".png"))
    pixels = np.random.default_rng(1).integers(0, 256, (60, 28, 28), dtype=np.uint8)[place]
    with Image.open(dataset.image_path(row["file"])) as stored:
        assert place % 10 == 4 and np.abs(np.asarray(stored.convert("L"), int) - pixels).mean() < 6


def test_more_pictures_than_there_are_gives_a_note(workspace, tmp_path, monkeypatch):
    (tmp_path / "debian").mkdir()
    fashion_files(tmp_path / "debian")
    monkeypatch.setattr(real_sets, "DEBIAN_FASHION", tmp_path / "debian")
    ready, _ = made(workspace, "fashion", per_class=50)
    assert ready.kept == 60 and ready.notes[0] == "There are only 6 pictures of T-shirt/top."


def test_imagenette_is_read_from_its_archive(workspace, served, monkeypatch):
    from torchvision.datasets import Imagenette

    folder, address = served
    files = {
        f"imagenette2-160/{side}/{wnid}/{wnid}_{n}.JPEG".replace("JPEG", "jpeg"): jpeg(100 * place + n)
        for side in ("train", "val")
        for place, wnid in enumerate(("n01440764", "n03425413"))
        for n in range(6)
    }
    archive = tarball(folder / "imagenette2-160.tgz", files)
    monkeypatch.setattr(Imagenette, "_ARCHIVES", {"160px": (address + archive.name, md5(archive))})
    ready, dataset = made(workspace, "imagenette", per_class=4)
    assert (ready.classes, ready.kept) == (("gas pump", "tench"), 8)
    assert set(dataset.items()["width"]) == {32}


def test_oxford_pets_are_read_from_their_archives(workspace, served, monkeypatch):
    from torchvision.datasets import OxfordIIITPet

    folder, address = served
    names = [f"{breed}_{n}" for breed in ("Abyssinian", "great_pyrenees") for n in range(4)]
    lines = "".join(f"{name} {1 + (name[0] == 'g')} 1 1\n" for name in names)
    images = tarball(folder / "images.tar.gz", {f"images/{name}.jpg": jpeg(n) for n, name in enumerate(names)})
    notes = tarball(folder / "annotations.tar.gz", {"annotations/trainval.txt": lines.encode()})
    monkeypatch.setattr(
        OxfordIIITPet, "_RESOURCES", tuple((address + path.name, md5(path)) for path in (images, notes))
    )
    ready, dataset = made(workspace, "pets", per_class=3)
    assert (ready.classes, ready.kept) == (("Abyssinian", "Great Pyrenees"), 6)
    assert set(ready.classes) <= set(SAMPLES["pets"].classes)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # urllib leaves the socket of a refusal to the collector
@pytest.mark.parametrize("fault", ["missing", "damaged", "no server"])
def test_a_failed_download_gives_a_sentence_and_leaves_nothing(workspace, served, monkeypatch, fault):
    from torchvision.datasets import FashionMNIST

    folder, address = served
    serve_fashion(folder, address, monkeypatch)
    if fault == "missing":
        (folder / "train-labels-idx1-ubyte.gz").unlink()
    elif fault == "damaged":
        (folder / "train-labels-idx1-ubyte.gz").write_bytes(b"something else")
    else:
        monkeypatch.setattr(FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(DataError, match="Fashion-MNIST could not be downloaded: .*") as caught:
        list(make_sample(workspace, "fashion", name="f", per_class=2))
    assert "bears" in caught.value.hint and not list((workspace.cache / "downloads").iterdir())
    assert not is_available(workspace, "fashion")
    del caught
    gc.collect()


def _hanging(events: threading.Event):
    def read(_root, *, download):
        events.wait(20)
        raise LabError("never")

    return read


def test_a_stop_or_a_standstill_ends_a_download_at_once(tmp_path, monkeypatch):
    over = threading.Event()
    start = time.monotonic()
    fetch = functools.partial(real_sets._fetch, "It", tmp_path / "it", _hanging(over), size_mb=1)
    with pytest.raises(real_sets.Stopped):
        list(fetch(stop=lambda: time.monotonic() - start > 0.3))
    assert time.monotonic() - start < 1.5
    monkeypatch.setattr(real_sets, "STALLED_S", 0.3)
    with pytest.raises(DataError, match="stands still"):
        list(fetch(stop=lambda: False))
    over.set()
    assert not list(tmp_path.iterdir())


def test_settings_decide_the_split_and_not_the_pictures(workspace, quick_bears):
    tables = [
        made(workspace, "bears", f"b{n}", per_class=4, settings=ImportSettings(valid_share=0.5, seed=n))[1].items()
        for n in (1, 2)
    ]
    assert list(tables[0]["file"]) == list(tables[1]["file"]) and list(tables[0]["split"]) != list(tables[1]["split"])
    assert Counter(tables[0]["split"]) == {"train": 6, "valid": 6}
