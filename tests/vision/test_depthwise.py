"""Depthwise convolutions: the values are the layer's own, and the gradients those of float32."""

import copy

import pytest
import timm
import torch
from torch import nn

from core.vision.backbones import backbone_of
from core.vision.depthwise import Depthwise, quicken


def same_layer(channels, kernel, stride):
    from timm.layers.conv2d_same import Conv2dSame

    return Conv2dSame(channels, channels, kernel, stride, groups=channels, bias=False)


LAYERS = {
    "kernel of 5": (nn.Conv2d(6, 6, 5, padding=2, groups=6, bias=False), False),
    "stride of 2": (same_layer(6, 3, 2), True),
    "stride of 2 and kernel of 5": (same_layer(6, 5, 2), True),
}


@pytest.mark.parametrize("size", [15, 16])
@pytest.mark.parametrize("name", LAYERS)
def test_values_in_training_are_those_of_the_layer_it_replaces_to_the_bit(name, size):
    layer, same = LAYERS[name]
    x = torch.randn(2, 6, size, size, generator=torch.Generator().manual_seed(0))
    mine = Depthwise(copy.deepcopy(layer), same=same)
    assert torch.equal(mine(x), layer(x))
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(mine(x.requires_grad_()), layer(x))


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_float32_within_a_bfloat16_step(name):
    layer, same = LAYERS[name]
    x = torch.randn(2, 6, 16, 16, generator=torch.Generator().manual_seed(0)).bfloat16().float().requires_grad_()
    mine = Depthwise(copy.deepcopy(layer), same=same)
    mine.weight.data = mine.weight.data.bfloat16().float()
    plain = mine(x)
    toward = torch.randn(plain.shape, generator=torch.Generator().manual_seed(1)).bfloat16().float()
    expected = torch.autograd.grad(plain, (x, mine.weight), toward)
    with torch.autocast("cpu", torch.bfloat16):
        found = torch.autograd.grad(mine(x), (x, mine.weight), toward.bfloat16())
    assert torch.allclose(found[0], expected[0], rtol=2**-7, atol=2**-7)
    assert torch.allclose(found[1], expected[1], rtol=1e-4, atol=1e-4)  # never rounded to bfloat16


def test_the_body_has_the_same_weights_under_the_same_names_and_says_the_same():
    torch.manual_seed(0)
    plain = timm.create_model("tf_efficientnet_lite0", num_classes=0, global_pool="").eval()
    quick = copy.deepcopy(plain)
    quicken(quick)
    assert sum(isinstance(layer, Depthwise) for layer in quick.modules()) == 11
    assert list(quick.state_dict()) == list(plain.state_dict())
    x = torch.rand(2, 3, 96, 96)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(quick(x), plain(x))


def test_the_default_backbone_is_quickened():
    assert any(isinstance(layer, Depthwise) for layer in backbone_of("lite0").make().modules())
