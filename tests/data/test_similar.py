"""Near-duplicates: copies of one shot are found, other pictures are left alone."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageDraw

from core.data import overlay, similar
from core.data.looks import MEASURES, Looks, look_of
from core.data.samples.bears import draw_scene, scene_seed
from core.data.samples.real_sets import DEBIAN_FASHION
from core.data.similar import group, group_rows, near_pairs
from tests.scenes import cropped, jpeg, lit, mirrored, out_of_focus, saved_again, scene, shrunk

COPIES = {
    "saved again": saved_again,
    "a third of the size": lambda picture: shrunk(picture, 0.34),
    "cropped": cropped,
    "lit": lit,
    "darker": lambda picture: lit(picture, 0.85),
    "mirrored": mirrored,
    "everything": lambda picture: saved_again(lit(cropped(shrunk(picture, 0.5)), 0.9), 50),
}


def looks_of(pictures) -> Looks:
    rows = [look_of(picture) for picture in pictures]
    table = pd.DataFrame([[getattr(row, name) for name in MEASURES] for row in rows], columns=list(MEASURES))
    table.insert(0, "file", [f"p{place}" for place in range(len(rows))])
    return Looks(table, np.array([row.signature for row in rows], dtype=np.uint8).reshape(len(rows), 1152))


def found(pairs) -> set[tuple[int, int]]:
    return set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


@pytest.fixture(scope="module")
def strangers() -> list[Image.Image]:
    return [scene(seed, (256, 192)) for seed in range(60)]


@pytest.mark.parametrize("change", COPIES.values(), ids=COPIES)
def test_copies_of_one_shot_are_found_and_nothing_else(strangers, change):
    copies = [change(strangers[place]) for place in range(12)]
    pairs = near_pairs(looks_of([*strangers, *copies]))
    assert found(pairs) == {(place, 60 + place) for place in range(12)}
    assert pairs.score.min() >= similar.AGREE


def test_drawn_bears_are_no_copies_of_each_other():
    bears = [draw_scene(label, seed=scene_seed(0, place)).image for label in ("black", "teddy") for place in range(7)]
    assert found(near_pairs(looks_of(bears))) == set()


def trousers(seed: int) -> Image.Image:
    """Two bright legs on black, a little different each time: alike without being copies."""
    rng = np.random.default_rng(seed)
    picture = Image.new("RGB", (112, 112))
    waist, foot, knee, gap, tone = (rng.uniform(*ends) for ends in ((28, 42), (22, 36), (20, 34), (0, 10), (150, 250)))
    legs = [(waist, 4), (112 - waist, 4), (112 - knee, 60), (112 - foot, 106), (62 + gap, 106), (56, 34)]
    ImageDraw.Draw(picture).polygon([*legs, (50 - gap, 106), (foot, 106), (knee, 60)], (int(tone),) * 3)
    folds = Image.fromarray(rng.integers(0, 90, (9, 9)).astype(np.uint8)).resize((112, 112), Image.Resampling.BICUBIC)
    pixels = np.asarray(picture, float) - np.asarray(folds, float)[..., None]
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).resize((28, 28), Image.Resampling.BOX)


def test_among_look_alikes_only_the_copy_is_found():
    pictures = [trousers(seed) for seed in range(70)]
    assert found(near_pairs(looks_of(pictures))) == set()
    assert found(near_pairs(looks_of([*pictures, lit(pictures[40], 0.93)]))) == {(40, 70)}


@pytest.mark.slow
def test_fashion_mnist_has_hardly_any_copies():
    path = DEBIAN_FASHION / "t10k-images-idx3-ubyte.gz"
    if not path.is_file():
        assert not os.environ.get("CI"), "install Debian's dataset-fashion-mnist"
        pytest.skip("Debian's dataset-fashion-mnist is not installed")
    pixels = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)[:500]
    pairs = near_pairs(looks_of([Image.fromarray(grey).convert("RGB") for grey in pixels]))
    assert len(pairs.first) <= 2


def test_one_picture_in_other_colours_is_no_copy(strangers):
    turned = Image.merge("RGB", strangers[0].split()[::-1])
    assert found(near_pairs(looks_of([*strangers, turned]))) == set()


def test_blank_and_blurred_pictures_are_no_copies_of_anything(strangers):
    blank = [Image.new("RGB", (60, 60), (tone,) * 3) for tone in (250, 250, 251)]
    assert found(near_pairs(looks_of([*strangers[:10], *blank, out_of_focus(strangers[0], 25)]))) == set()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
def test_few_pictures_work_too(strangers, count):
    assert found(near_pairs(looks_of(strangers[:count]))) == set()
    if count:
        pairs = near_pairs(looks_of([*strangers[:count], cropped(strangers[0])]))
        assert found(pairs) == {(0, count)}


def test_only_pairs_with_a_fresh_picture_are_looked_for(strangers):
    pictures = [*strangers[:20], saved_again(strangers[3]), cropped(strangers[5])]
    assert found(near_pairs(looks_of(pictures), fresh=[21])) == {(5, 21)}
    assert found(near_pairs(looks_of(pictures), fresh=[])) == set()


def test_a_long_series_of_frames_is_one_group(strangers):
    rng = np.random.default_rng(0)
    frames = []
    for _ in range(40):
        noisy = np.asarray(cropped(strangers[0], *rng.uniform(0, 0.01, 4)), float)
        frames.append(Image.fromarray((noisy + rng.normal(0, 3, noisy.shape)).clip(0, 255).astype(np.uint8)))
    numbers = group(80, near_pairs(looks_of([*frames, *strangers[1:41]])))
    assert numbers == [0] * 40 + [None] * 40


def test_blocks_and_batches_change_nothing(strangers, monkeypatch):
    looks = looks_of([*strangers, *(cropped(picture) for picture in strangers[:12])])
    before = near_pairs(looks)
    monkeypatch.setattr(similar, "BLOCK", 7)
    monkeypatch.setattr(overlay, "BATCH", 5)
    after = near_pairs(looks)
    assert found(after) == found(before) and np.allclose(after.score, before.score, atol=1e-4)


def test_activations_bring_in_candidates_of_their_own(strangers, monkeypatch):
    monkeypatch.setattr(similar, "CANDIDATE", 1.1)  # the descriptors find none
    looks = looks_of([*strangers, *(cropped(picture, 0.1, 0.09, 0.08, 0.1) for picture in strangers[:15])])
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(60, 32))
    activations = np.concatenate([rows, rows[:15] + rng.normal(0, 0.2, (15, 32))])
    assert found(near_pairs(looks)) == set()
    assert found(near_pairs(looks, activations=activations)) == {(place, 60 + place) for place in range(15)}


def test_activations_alone_make_no_copy(strangers):
    same = np.ones((60, 8))
    assert found(near_pairs(looks_of(strangers), activations=same)) == set()


def test_groups_are_chained_and_numbered_in_order():
    pairs = similar.Pairs(np.array([4, 1, 2]), np.array([5, 2, 6]), np.ones(3))
    assert group(8, pairs) == [None, 0, 0, None, 1, 1, 0, None]
    assert group(0, similar.Pairs(*(np.zeros(0, int),) * 3)) == []


def test_rows_of_one_file_are_one_group_and_so_are_near_copies(strangers):
    looks = looks_of([*strangers[:5], cropped(strangers[2])])
    rows = ["p1", "p0", "p2", "p1", "p5", "p3"]
    assert group_rows(rows, looks) == [0, None, 1, 0, 1, None]
    assert group_rows(rows, looks, pairs=near_pairs(looks, fresh=[3])) == [0, None, None, 0, None, None]


def test_the_mirror_image_of_a_descriptor_is_that_of_the_mirror_image(strangers):
    one, two = (similar._descriptors(looks_of([picture])) for picture in (strangers[0], mirrored(strangers[0])))
    assert np.allclose(similar._mirrored(one), two, atol=0.02)


def test_agreement_finds_back_a_crop_it_was_not_told_of(strangers):
    def grey(picture):
        return look_of(picture).signature[:1024].reshape(1, 32, 32)

    whole = grey(strangers[0])
    assert overlay.agreement(whole, grey(cropped(strangers[0], 0.1, 0.02, 0.0, 0.08)))[0] > 0.93
    assert overlay.agreement(whole, grey(strangers[1]))[0] <= overlay.FIRST_LOOK
    assert overlay.agreement(np.zeros((0, 32, 32)), np.zeros((0, 32, 32))).shape == (0,)
    assert len(jpeg(strangers[0])) > 1000
