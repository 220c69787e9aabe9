"""What is shown of a batch is what training makes of it."""

import numpy as np
import pytest
import torch
from torch import nn

from core.data.pixels import decode
from core.errors import ModelError
from core.vision.augment import AUGMENTS, Augment, augment_batch
from core.vision.backbones import BACKBONES
from core.vision.model import Classifier, Head
from core.vision.preview import batch_of, drawn, normalise, versions_of


@pytest.fixture(scope="module")
def paths(toy):
    return [toy.image_path(sha) for sha in toy.kept()["file"].head(5)]


@pytest.mark.parametrize("name", BACKBONES)
def test_normalising_is_the_model_s_own(name):
    backbone = BACKBONES[name]
    model = Classifier(backbone, nn.Identity(), Head(4, 2, dropout=0.0), ("a", "b"), keeps_statistics=True)
    pixels = torch.randint(0, 256, (2, 3, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert torch.equal(normalise(pixels, backbone.mean, backbone.std), model.normalise(pixels))


def test_a_batch_has_the_shapes_that_it_says(paths):
    made = batch_of(paths, [0, 1, 2, 0, 1], backbone="lite0", size=64)
    assert made.x == ((5, 3, 64, 64), "float32", 5 * 3 * 64 * 64 * 4)
    assert made.y == ((5,), "int64", 40)


@pytest.mark.parametrize("name", ["lite0", "resnet18"])
def test_numbers_drawn_back_are_the_pixels(paths, name):
    made = batch_of(paths, [0] * 5, backbone=name, size=96)
    assert np.array_equal(made.drawn, np.stack([decode(path, 96) for path in paths]))


def test_the_range_of_a_picture_is_that_of_its_pixels(paths):
    made = batch_of(paths, [0] * 5, backbone="resnet18", size=32)
    red = decode(paths[3], 32)[..., 0] / 255
    assert made.low[3, 0] == pytest.approx((red.min() - 0.485) / 0.229, abs=1e-5)
    assert made.middle[3, 0] == pytest.approx((red.mean() - 0.485) / 0.229, abs=1e-5)
    assert made.high[3, 0] == pytest.approx((red.max() - 0.485) / 0.229, abs=1e-5)


def test_an_augmented_batch_is_what_augment_batch_makes(paths):
    made = batch_of(paths, [0] * 5, backbone="lite0", size=64, augment=AUGMENTS["photos"], seed=3)
    pixels = torch.from_numpy(np.stack([decode(path, 64) for path in paths])).permute(0, 3, 1, 2)
    mine = augment_batch(pixels, AUGMENTS["photos"], generator=torch.Generator().manual_seed(3))
    backbone = BACKBONES["lite0"]
    assert np.array_equal(made.drawn, drawn(normalise(mine, backbone.mean, backbone.std), backbone.mean, backbone.std))


def test_versions_differ_from_each_other_and_come_again_with_their_seed(paths):
    six = versions_of(paths[0], Augment(), size=64, seed=1)
    assert six.shape == (6, 64, 64, 3) and six.dtype == np.uint8
    assert len({version.tobytes() for version in six}) == 6
    assert np.array_equal(six, versions_of(paths[0], Augment(), size=64, seed=1))
    assert not np.array_equal(six, versions_of(paths[0], Augment(), size=64, seed=2))


def test_without_any_change_all_versions_are_the_picture(paths):
    still = Augment(flip=False, rotate_deg=0.0, zoom=1.0, warp=0.0, light=0.0)
    six = versions_of(paths[0], still, size=64, seed=1).astype(int)
    assert abs(six - decode(paths[0], 64).astype(int)).max() <= 1


def test_an_unknown_network_gets_a_sentence(paths):
    with pytest.raises(ModelError, match="no backbone 'vgg'"):
        batch_of(paths, [0] * 5, backbone="vgg", size=64)
