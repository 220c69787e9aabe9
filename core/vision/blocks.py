"""The blocks of every network, without building it: a backbone's name in, a table of its blocks out.

The numbers are facts of the architectures; a test holds them against the real networks. No torch is imported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.settings import LAYER_GROUPS

HIDDEN = 512  # of the head's inner layer


@dataclass(frozen=True)
class Block:
    """One block. `name` as `core.vision.model.block_of` gives it, `group` the layer group (0 to 2) it lies in.

    `weights` counts its parameters; `side` and `channels` are those of its output for pictures of 224 pixels, (1, the
    number of classes) for the head.
    """

    name: str
    title: str
    group: int
    weights: int
    side: int
    channels: int


def _resnet(*blocks: tuple[int, int, int]) -> tuple[Block, ...]:
    names = ("stem", "layer1", "layer2", "layer3", "layer4")
    titles = ("edges and colours", "corners and curves", "textures", "parts of things", "whole things")
    return tuple(
        Block(name, title, int(place > 2), *numbers)
        for place, (name, title, numbers) in enumerate(zip(names, titles, blocks, strict=True))
    )


BODIES: Mapping[str, tuple[Block, ...]] = {
    "lite0": (
        Block("stem", "edges and colours", 0, 928, 112, 32),
        Block("blocks.0", "edges", 0, 896, 112, 16),
        Block("blocks.1", "corners and curves", 0, 13_968, 56, 24),
        Block("blocks.2", "textures", 0, 39_712, 28, 40),
        Block("blocks.3", "patterns", 0, 198_480, 14, 80),
        Block("blocks.4", "parts of things", 1, 446_784, 14, 112),
        Block("blocks.5", "larger parts", 1, 1_652_640, 7, 192),
        Block("blocks.6", "whole things", 1, 605_440, 7, 320),
        Block("top", "what is in the picture", 1, 412_160, 7, 1280),
    ),
    "resnet18": _resnet(
        (9_536, 56, 64), (147_968, 56, 64), (525_568, 28, 128), (2_099_712, 14, 256), (8_393_728, 7, 512)
    ),
    "resnet34": _resnet(
        (9_536, 56, 64), (221_952, 56, 64), (1_116_416, 28, 128), (6_822_400, 14, 256), (13_114_368, 7, 512)
    ),
    "resnet50": _resnet(
        (9_536, 56, 64), (215_808, 56, 256), (1_219_584, 28, 512), (7_098_368, 14, 1024), (14_964_736, 7, 2048)
    ),
    "resnext50": _resnet(
        (9_536, 56, 64), (205_824, 56, 256), (1_197_056, 28, 512), (7_022_592, 14, 1024), (14_544_896, 7, 2048)
    ),
}


def blocks_of(backbone: str, classes: int) -> tuple[Block, ...]:
    """The blocks of a network in order, its head for so many classes last. KeyError for a backbone there is not."""
    body = BODIES[backbone]
    return (
        *body,
        Block("head", "your classes", LAYER_GROUPS - 1, head_weights(body[-1].channels, classes), 1, classes),
    )


def head_weights(features: int, classes: int) -> int:
    """Parameters of the head: two batch norms and two linear layers without bias, over maximum and mean of a map."""
    pooled = 2 * features
    return 2 * pooled + pooled * HIDDEN + 2 * HIDDEN + HIDDEN * classes


def trainable(blocks: Sequence[Block], freeze_to: int) -> int:
    """How many weights may change when the layer groups from number `freeze_to` on learn (-1: the head alone)."""
    return sum(block.weights for block in blocks if block.group >= freeze_to % LAYER_GROUPS)
