"""Augmentation: nothing changes without a change, the same seed changes alike, and every entry stays in range."""

import pytest
import torch

from core.settings import AUGMENT_PRESETS
from core.vision.augment import AUGMENTS, Augment, augment_batch

STILL = Augment(flip=False, rotate_deg=0, zoom=1, warp=0, light=0)


@pytest.fixture(scope="module")
def pictures():
    return torch.randint(0, 256, (6, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def run(pictures, augment, seed=0):
    return augment_batch(pictures, augment, generator=torch.Generator().manual_seed(seed))


def test_settings_and_presets_have_the_same_names():
    assert tuple(AUGMENTS) == AUGMENT_PRESETS


def test_no_change_gives_the_pixels_back(pictures):
    assert torch.allclose(run(pictures, STILL), pictures.float() / 255, atol=1e-5)


@pytest.mark.parametrize("name", [name for name, augment in AUGMENTS.items() if augment])
def test_every_preset_keeps_shape_and_range_and_does_something(name, pictures):
    changed = run(pictures, AUGMENTS[name])
    assert changed.shape == pictures.shape and changed.dtype == torch.float32
    assert float(changed.min()) >= 0 and float(changed.max()) <= 1
    assert float((changed - pictures.float() / 255).abs().mean()) > 0.02


def test_the_same_seed_changes_alike_and_another_otherwise(pictures):
    assert torch.equal(run(pictures, Augment()), run(pictures, Augment()))
    assert not torch.equal(run(pictures, Augment()), run(pictures, Augment(), seed=1))


def test_a_flip_mirrors_about_half_of_the_pictures():
    pictures = torch.randint(0, 256, (200, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    plain = pictures.float() / 255
    changed = run(pictures, Augment(flip=True, rotate_deg=0, zoom=1, warp=0, light=0))
    same = [torch.allclose(a, b, atol=1e-5) for a, b in zip(changed, plain, strict=True)]
    mirrored = [torch.allclose(a, b.flip(2), atol=1e-5) for a, b in zip(changed, plain, strict=True)]
    assert all(x or y for x, y in zip(same, mirrored, strict=True))
    assert 70 < sum(mirrored) < 130


def test_only_top_down_turns_pictures_over():
    column = torch.zeros(64, 3, 8, 8, dtype=torch.uint8)
    column[:, :, 0] = 255  # a bright first row
    turned = run(column, Augment(flip_vertical=True, rotate_deg=0, zoom=1, warp=0, light=0))
    upright = run(column, Augment(rotate_deg=0, zoom=1, warp=0, light=0))
    assert 16 < int((turned[:, 0, -1, 4] > 0.5).sum()) < 48
    assert int((upright[:, 0, -1, 4] > 0.5).sum()) == 0


def test_a_zoom_shows_less_of_the_picture():
    ramp = torch.linspace(0, 255, 64).byte().repeat(40, 3, 64, 1)
    zoomed = run(ramp, Augment(flip=False, rotate_deg=0, zoom=1.5, warp=0, light=0, p=1.0))
    spans = zoomed[:, 0, 32, -1] - zoomed[:, 0, 32, 0]
    assert float(spans.max()) <= 1 and float(spans.mean()) < 0.9


def test_light_keeps_the_order_of_brightness():
    ramp = torch.linspace(0, 255, 64).byte().repeat(20, 3, 4, 1)
    lit = run(ramp, Augment(flip=False, rotate_deg=0, zoom=1, warp=0, light=0.2, p=1.0))
    assert (lit.diff(dim=-1) >= -1e-6).all()
    assert float(lit.mean((1, 2, 3)).std()) > 0.01
