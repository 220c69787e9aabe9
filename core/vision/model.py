"""The model: a backbone and a fresh head, in layer groups that can be frozen. Pictures in, one score per class out."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import nn

from core.vision.backbones import Backbone, backbone_of

HIDDEN = 512


class SeededDropout(nn.Module):
    """Dropout that draws from its own generator, so that a run neither reads nor moves the global random state."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Any shape in, the same out: zeros with probability p, the rest scaled by 1/(1-p). Identity in eval mode."""
        if not self.training or self.p == 0:
            return x
        keep = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * keep / (1 - self.p)


class Head(nn.Sequential):
    """Pooled activations (B, 2 * features) in, scores (B, classes) out."""

    def __init__(self, features: int, classes: int, *, dropout: float) -> None:
        super().__init__(
            nn.BatchNorm1d(2 * features),
            SeededDropout(dropout / 2),
            nn.Linear(2 * features, HIDDEN, bias=False),
            nn.ReLU(inplace=True),
            nn.BatchNorm1d(HIDDEN),
            SeededDropout(dropout),
            nn.Linear(HIDDEN, classes, bias=False),
        )


class Classifier(nn.Module):
    """A body and a head. `classes` names the scores in order.

    `keeps_statistics`: the body's batch norms go by the means and variances that its weights were published with, in
    training too. Those of a small batch of a few hundred pictures are noise beside them: all else being equal, a run
    of all layers had 10 of 60 pictures wrong with the published ones and 14 with its own.
    """

    def __init__(
        self, backbone: Backbone, body: nn.Module, head: Head, classes: tuple[str, ...], *, keeps_statistics: bool
    ) -> None:
        super().__init__()
        self.keeps_statistics = keeps_statistics
        self.backbone = backbone
        self.body = body
        self.head = head
        self.classes = classes
        self.register_buffer("mean", torch.tensor(backbone.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(backbone.std).view(1, 3, 1, 1), persistent=False)

    def normalise(self, images: torch.Tensor) -> torch.Tensor:
        """Pixels as uint8 0..255 or float 0..1, (B, 3, S, S), to the scale the weights were trained with."""
        x = images.float() / 255 if images.dtype == torch.uint8 else images
        return ((x - self.mean) / self.std).contiguous(memory_format=torch.channels_last)

    def pooled(self, images: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, S, S) to the concatenated maximum and mean over the last map, (B, 2 * features), float32."""
        return pool(self.maps(images))

    def maps(self, images: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, S, S) to the body's last map, (B, features, S/32, S/32), float32."""
        last: torch.Tensor = self.body(self.normalise(images)).float()
        return last

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, S, S) to scores (B, classes)."""
        return self.head(self.pooled(images))

    def groups(self) -> list[list[nn.Module]]:
        """Layer groups from the first layers to the head; freezing and rates go by these."""
        return [*self.backbone.body_groups(self.body), [self.head]]

    def seed_dropout(self, seed: int) -> None:
        """Start the head's dropout from `seed`."""
        for layer in self._dropouts():
            layer.generator = torch.Generator(next(self.head.parameters()).device).manual_seed(seed)

    def set_dropout(self, p: float) -> None:
        """Drop a share `p` before the last layer and half of it before the first."""
        first, last = self._dropouts()
        first.p, last.p = p / 2, p

    def _dropouts(self) -> list[SeededDropout]:
        return [layer for layer in self.head if isinstance(layer, SeededDropout)]


def pool(maps: torch.Tensor) -> torch.Tensor:
    """Maps (B, C, H, W) to the maximum and the mean of every channel side by side, (B, 2 * C)."""
    return torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], dim=1)


def build_model(
    name: str, classes: tuple[str, ...], *, seed: int, pretrained: bool = True, dropout: float = 0.5
) -> Classifier:
    """A classifier on the CPU. `seed` fixes the head (and the body without pretrained weights); global state stays."""
    backbone = backbone_of(name)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        body = backbone.build(pretrained=pretrained)
        torch.manual_seed(seed)
        head = Head(backbone.features, len(classes), dropout=dropout)
        for layer in head:
            if isinstance(layer, nn.Linear):  # He et al., arXiv:1502.01852
                nn.init.kaiming_normal_(layer.weight)
            if isinstance(layer, nn.BatchNorm1d):
                nn.init.constant_(layer.bias, 1e-3)
    model = Classifier(backbone, body, head, classes, keeps_statistics=pretrained)
    return model.to(memory_format=torch.channels_last)


def freeze_to(model: Classifier, first: int) -> int:
    """Let the layer groups from number `first` on learn, and freeze those before it; how many weights may change.

    0 frees everything, -1 leaves the head alone.
    """
    groups = model.groups()
    for number, modules in enumerate(groups):
        for module in modules:
            module.requires_grad_(number >= first % len(groups))
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def set_training(model: Classifier, training: bool) -> None:
    """Training or evaluation mode. Kept statistics and frozen groups stay in evaluation mode, lest they drift."""
    model.train(training)
    if model.keeps_statistics:
        model.body.eval()
        return
    learns = [any(p.requires_grad for module in modules for p in module.parameters()) for modules in model.groups()]
    if not any(learns[:-1]):
        model.body.eval()
    for modules, free in zip(model.groups(), learns, strict=True):
        if not free:
            for module in modules:
                module.eval()


def block_of(parameter: str) -> str:
    """The block of the network that a parameter lies in, by its name: "stem", "layer1" or "blocks.0" …, "top", "head".

    `block_of("body.blocks.3.0.conv_pw.weight") -> "blocks.3"`.
    """
    part, name, *deeper = parameter.split(".")
    if part == "head":
        return "head"
    if name == "blocks":
        return f"blocks.{deeper[0]}"
    return {"conv_stem": "stem", "conv1": "stem", "bn1": "stem", "conv_head": "top", "bn2": "top"}.get(name, name)


def moved(model: Classifier, before: Mapping[str, torch.Tensor]) -> dict[str, float]:
    """How far each block has moved since `before` (weights by name): the length of its change over its length then."""
    change: dict[str, float] = {}
    length: dict[str, float] = {}
    for name, parameter in model.named_parameters():
        block, old = block_of(name), before[name]
        now = parameter.detach().to(old.device)
        change[block] = change.get(block, 0.0) + float((now - old).square().sum())
        length[block] = length.get(block, 0.0) + float(old.square().sum())
    return {block: math.sqrt(change[block] / length[block]) if length[block] else 0.0 for block in change}


@contextlib.contextmanager
def watched(model: Classifier, check: Callable[[], None]) -> Iterator[None]:
    """Call `check` before every block of the body, forwards and backwards, so that it can end a slow batch midway.

    What `check` raises leaves the batch unfinished: the weights are as before it, since no step was taken.
    """

    def before(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        check()
        if inputs[0].requires_grad:
            inputs[0].register_hook(lambda _: check())

    blocks = [block for group in model.backbone.body_groups(model.body) for block in group]
    handles = [block.register_forward_pre_hook(before) for block in blocks]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
