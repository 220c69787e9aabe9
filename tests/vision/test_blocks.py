"""The table of blocks against the real networks."""

import pytest
import torch

from core.vision.backbones import BACKBONES
from core.vision.blocks import BODIES, blocks_of, trainable
from core.vision.model import block_of, build_model, freeze_to


def test_every_backbone_has_its_blocks():
    assert list(BODIES) == list(BACKBONES)


@pytest.mark.parametrize("name", BACKBONES)
def test_names_groups_and_weights_are_those_of_the_real_network(name):
    model = build_model(name, ("a", "b", "c"), seed=0, pretrained=False)
    group_of = {
        id(weight): number
        for number, modules in enumerate(model.groups())
        for module in modules
        for weight in module.parameters()
    }
    found: dict[str, list[int]] = {}
    for parameter, weight in model.named_parameters():
        block = found.setdefault(block_of(parameter), [group_of[id(weight)], 0])
        assert block[0] == group_of[id(weight)], "a block lies in one layer group"
        block[1] += weight.numel()
    blocks = blocks_of(name, 3)
    assert {block.name: [block.group, block.weights] for block in blocks} == found
    assert [block.name for block in blocks] == list(found)
    for first in (0, 1, 2, -1):
        assert trainable(blocks, first) == freeze_to(model, first)


@pytest.mark.parametrize("name", BACKBONES)
def test_the_last_map_has_the_side_and_the_channels_of_the_table(name):
    body = build_model(name, ("a", "b"), seed=0, pretrained=False).eval().body
    with torch.inference_mode():
        maps = body(torch.zeros(1, 3, 224, 224))
    last = BODIES[name][-1]
    assert tuple(maps.shape[1:]) == (last.channels, last.side, last.side)


def test_resnet18_has_the_groups_of_the_reference_library():
    sums = [sum(block.weights for block in blocks_of("resnet18", 3) if block.group == group) for group in range(3)]
    assert sums == [683_072, 10_493_440, 528_896]
