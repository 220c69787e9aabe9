"""Looks: measures that say what they promise, computed once per picture and kept."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import looks as looks_module
from core.data.looks import MEASURES, LookStore, look_at, look_of, looks, scan
from core.data.pool import Stopped
from core.errors import DataError
from tests.conftest import make_toy
from tests.scenes import jpeg, out_of_focus, saved_again, scene, shaken, shrunk

SHARP = 0.7


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.new("RGB", size, colour)


@pytest.fixture
def folder(tmp_path) -> Path:
    for seed in range(5):
        (tmp_path / f"{seed}.jpg").write_bytes(jpeg(scene(seed, (120, 80))))
    return tmp_path


def drain(steps):
    """What a generator returns, and what it yielded."""
    seen = []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as done:
            return done.value, seen


def test_plain_pictures_have_the_measures_one_expects():
    black, grey, white, red = (look_of(plain(colour)) for colour in ((0,) * 3, (128,) * 3, (255,) * 3, (220, 30, 30)))
    assert [round(look.brightness, 2) for look in (black, grey, white)] == [0, 0.5, 1]
    for look in (black, grey, white, red):
        assert look.contrast == look.entropy == look.sharpness == 0 and look.low == look.high
    assert black.colourfulness < 0.01 < 0.2 < red.colourfulness
    assert red.warmth > 0.3 and look_of(plain((30, 30, 220))).warmth < -0.3 and abs(grey.warmth) < 0.01


def test_half_black_half_white_is_one_bit():
    image = plain((0, 0, 0), (100, 100))
    image.paste((255, 255, 255), (0, 0, 100, 50))
    look = look_of(image)
    assert look.entropy == pytest.approx(1) and look.contrast == pytest.approx(0.5)
    assert (look.low, look.high) == (0, 1)


@pytest.mark.parametrize("size", [(512, 384), (320, 240), (200, 300)])
def test_blur_of_any_kind_takes_the_sharpness_and_saving_or_shrinking_does_not(size):
    for seed in range(2):
        sharp = scene(seed, size)
        pixels = 3.5 * max(size) / 512
        assert look_of(out_of_focus(sharp, pixels)).sharpness < SHARP
        assert look_of(shaken(sharp, round(4 * pixels))).sharpness < SHARP
        assert look_of(saved_again(sharp, 30)).sharpness > 1.6 * SHARP
        assert look_of(shrunk(sharp, 0.5)).sharpness > 1.6 * SHARP


def test_a_background_out_of_focus_is_no_blurred_picture():
    sharp = scene(3)
    portrait = out_of_focus(sharp, 6)
    portrait.paste(sharp.crop((100, 60, 220, 200)), (100, 60))
    assert look_of(portrait).sharpness > 1.6 * SHARP


def test_a_picture_looks_the_same_stored_large_or_small(tmp_path):
    large = scene(7, (512, 512))
    (tmp_path / "a").write_bytes(jpeg(large))
    (tmp_path / "b").write_bytes(jpeg(shrunk(large, 0.5)))
    one, two = look_at(tmp_path / "a"), look_at(tmp_path / "b")
    for name in MEASURES:
        assert getattr(one, name) == pytest.approx(getattr(two, name), rel=0.12, abs=0.02), name
    assert np.abs(one.signature.astype(int) - two.signature.astype(int)).mean() < 3


@pytest.mark.parametrize("size", [(8, 8), (8, 400), (400, 8), (9, 13), (28, 28)])
def test_the_smallest_and_the_longest_pictures_have_a_look(size):
    look = look_of(scene(1, (64, 64)).resize(size))
    assert all(np.isfinite(getattr(look, name)) for name in MEASURES)
    assert look.signature.shape == (1152,) and look.signature.dtype == np.uint8


def test_grey_jpegs_are_read_too(tmp_path):
    scene(1).convert("L").save(tmp_path / "grey.jpg")
    assert look_at(tmp_path / "grey.jpg").colourfulness < 0.01


def test_a_missing_or_damaged_picture_is_named(tmp_path):
    (tmp_path / "torn.jpg").write_bytes(jpeg(scene(1))[:600])
    for name in ("torn.jpg", "gone.jpg"):
        with pytest.raises(DataError, match="missing or damaged"):
            look_at(tmp_path / name)


def test_a_picture_that_cannot_be_read_has_no_measures_and_is_looked_at_again(folder, tmp_path):
    place = lambda name: folder / f"{name}.jpg"  # noqa: E731
    found, _ = drain(scan(tmp_path / "cache", ["0", "gone"], place))
    assert found.table.set_index("file").loc["gone"].isna().all() and not found.signatures[1].any()
    assert found.table.set_index("file").loc["0"].notna().all()
    (folder / "gone.jpg").write_bytes(jpeg(scene(9, (120, 80))))
    found, told = drain(scan(tmp_path / "cache", ["0", "gone"], place))
    assert found.table.notna().all(axis=None) and told[-1].total == 1


def test_every_picture_is_looked_at_once(folder, tmp_path, monkeypatch):
    seen = []
    real = look_at
    monkeypatch.setattr(looks_module, "look_at", lambda path: (seen.append(path.stem), real(path))[1])
    place = lambda name: folder / f"{name}.jpg"  # noqa: E731
    first, told = drain(scan(tmp_path / "cache", ["0", "1", "0"], place))
    assert list(first.table["file"]) == ["0", "1"] and sorted(seen) == ["0", "1"]
    assert [(event.done, event.total) for event in told] == [(0, 2), (2, 2)] and told[0].phase == "looks"
    again, told = drain(scan(tmp_path / "cache", ["4", "1", "0"], place))
    assert sorted(seen) == ["0", "1", "4"] and told[-1].total == 1
    assert again.table.loc[again.rows(["0", "1"])].reset_index(drop=True).equals(first.table)
    assert np.array_equal(again.signatures[again.rows(["0", "1"])], first.signatures)
    assert again.table["brightness"].iloc[0] == pytest.approx(real(place("4")).brightness, abs=1e-6)


def test_no_pictures_have_no_looks(tmp_path):
    found, told = drain(scan(tmp_path, [], lambda name: tmp_path / name))
    assert len(found.table) == 0 and found.signatures.shape == (0, 1152) and told == []


@pytest.mark.parametrize("harm", ["truncate", "wrong index", "gone", "no json"])
def test_a_damaged_cache_is_as_good_as_none(folder, tmp_path, harm):
    place = lambda name: folder / f"{name}.jpg"  # noqa: E731
    before, _ = drain(scan(tmp_path / "cache", ["0", "1"], place))
    [pack] = (tmp_path / "cache").rglob("*.npy")
    if harm == "truncate":
        pack.write_bytes(pack.read_bytes()[:500])
    elif harm == "wrong index":
        pack.with_suffix(".json").write_text(json.dumps({"schema": 1, "hashes": ["x", "y", "0", "1"]}))
    elif harm == "gone":
        pack.unlink()
    else:
        pack.with_suffix(".json").write_text("{")
    after, told = drain(scan(tmp_path / "cache", ["0", "1"], place))
    assert told and after.table.equals(before.table)


def test_a_stop_ends_soon_and_keeps_what_was_computed(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(looks_module, "BATCH", 2)
    asked = []
    steps = scan(
        tmp_path / "cache",
        list("01234"),
        lambda name: folder / f"{name}.jpg",
        stop=lambda: len(asked) == 2 or asked.append(1),
    )
    with pytest.raises(Stopped):
        drain(steps)
    assert set(LookStore.at(tmp_path / "cache").load(list("01234"))) == set("0123")


def test_the_looks_of_a_data_set_are_those_of_the_pictures_that_count(tmp_path):
    dataset = make_toy(tmp_path, per_class=2)
    found = looks(dataset)
    kept = dataset.kept()
    assert list(found.table["file"]) == list(kept["file"])
    assert list(looks(dataset, kept.iloc[1:3]).table["file"]) == list(kept["file"][1:3])
    path = dataset.image_path(kept["file"][0])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == kept["file"][0]
    assert found.table["warmth"].iloc[0] == pytest.approx(look_at(path).warmth, abs=1e-6)
