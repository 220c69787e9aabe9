"""Maps of evidence: where the answer is known, both maps find it; and they hold for every network there is."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from core.interpret.saliency import grad_cam, occlusion
from core.vision.backbones import BACKBONES, backbone_of
from core.vision.device import pick_device
from core.vision.model import Classifier, build_model

CPU = pick_device("cpu", "float32")
CORNERS = {"red": (slice(0, 16), slice(0, 16)), "blue": (slice(48, 64), slice(48, 64))}


class Weigh(nn.Module):
    """A head that goes by the mean of the first and of the third channel alone."""

    def forward(self, pooled):
        return torch.stack([30 * pooled[:, 3], 30 * pooled[:, 5]], dim=1)


def colour_model():
    """Class 0 is as likely as a picture is red, class 1 as it is blue; its map has 8 x 8 places."""
    body = nn.AvgPool2d(8)
    grey = dataclasses.replace(backbone_of("resnet18"), mean=(0.5, 0.5, 0.5), std=(1.0, 1.0, 1.0))
    return Classifier(grey, body, Weigh(), ("red", "blue"), keeps_statistics=False)


def two_corners():
    """A grey picture (1, 3, 64, 64) with red in the upper left and blue in the lower right corner."""
    picture = torch.full((1, 3, 64, 64), 128, dtype=torch.uint8)
    picture[0, 0, *CORNERS["red"]] = 255
    picture[0, 2, *CORNERS["blue"]] = 255
    return picture


@pytest.mark.parametrize(("target", "place"), [(0, (0, 0)), (1, (7, 7))])
def test_both_maps_peak_where_the_evidence_is_known_to_lie(target, place):
    model, picture = colour_model(), two_corners()
    heat = grad_cam(model, picture, target, device=CPU)
    falls = occlusion(model, picture, target, device=CPU)
    assert heat.shape == falls.shape == (8, 8)
    assert heat[place] == heat.max() == 1
    assert falls[place] == pytest.approx(falls.max()) and falls[place] > 0.1
    other = (7 - place[0], 7 - place[1])
    assert heat[other] < 0.02  # grey is 128, the mean 127.5: next to nothing
    assert falls[other] < -0.1, "without the other colour the model is surer"


def test_a_fall_is_the_difference_of_the_probabilities_themselves():
    model, picture = colour_model(), two_corners()
    covered = picture.float() / 255
    covered[0, :, 0:12, 0:12] = 0.5  # 16 pixels around the middle of the first place, which is (4, 4)
    before, after = (model(shown).double().softmax(1)[0, 0].item() for shown in (picture, covered))
    assert occlusion(model, picture, 0, device=CPU)[0, 0] == pytest.approx(before - after, abs=1e-9)


@pytest.mark.parametrize(("patch", "stride", "side"), [(16, 8, 8), (64, 64, 1), (9, 10, 6), (1, 32, 2)])
def test_patch_and_stride_say_how_many_places_there_are(patch, stride, side):
    assert occlusion(colour_model(), two_corners(), 0, device=CPU, patch=patch, stride=stride).shape == (side, side)


def test_what_speaks_against_a_class_does_not_show_and_nothing_at_all_is_a_map_of_zeros():
    model = colour_model()
    black = torch.zeros((1, 3, 64, 64), dtype=torch.uint8)  # below the mean everywhere: less than no red
    assert (grad_cam(model, black, 0, device=CPU) == 0).all()


def test_pixels_may_be_bytes_or_shares():
    model, picture = colour_model(), two_corners()
    for found in (grad_cam, occlusion):
        as_bytes, as_shares = (found(model, p, 0, device=CPU) for p in (picture, picture.float() / 255))
        assert as_bytes == pytest.approx(as_shares, abs=1e-6)


@pytest.fixture(scope="module", params=BACKBONES)
def random_model(request):
    model = build_model(request.param, ("a", "b", "c"), seed=0, pretrained=False)
    return model.eval()


@pytest.fixture(scope="module")
def noise():
    return torch.randint(0, 256, (1, 3, 96, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_every_network_has_both_maps_in_their_ranges(random_model, noise):
    heat = grad_cam(random_model, noise, 1, device=CPU)
    assert heat.shape == (3, 3) and heat.dtype == np.float32
    assert heat.min() >= 0 and heat.max() in (0, 1)
    falls = occlusion(random_model, noise, 1, device=CPU, patch=48, stride=48)
    assert falls.shape == (2, 2) and np.abs(falls).max() <= 1 and np.isfinite(falls).all()


def test_the_weights_and_what_learns_are_as_before(random_model, noise):
    before = {name: value.clone() for name, value in random_model.state_dict().items()}
    grad_cam(random_model, noise, 0, device=CPU)
    occlusion(random_model, noise, 0, device=CPU, patch=96, stride=96)
    assert all(torch.equal(value, before[name]) for name, value in random_model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in random_model.parameters())


def test_the_same_picture_gives_the_same_maps(random_model, noise):
    first, second = (grad_cam(random_model, noise, 2, device=CPU) for _ in range(2))
    assert np.array_equal(first, second)
