"""Backbones: every entry builds, is cut into groups that hold all its weights once, and says so when offline."""

import urllib.error

import pytest
import torch

from core.errors import ModelError
from core.vision.backbones import BACKBONES, backbone_of


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_maps_pictures_to_its_number_of_features(name):
    backbone = BACKBONES[name]
    body = backbone.build(pretrained=False).eval()
    with torch.inference_mode():
        maps = body(torch.zeros(1, 3, 64, 64))
    assert maps.shape == (1, backbone.features, 2, 2)
    grouped = [p for group in backbone.body_groups(body) for layer in group for p in layer.parameters()]
    assert len(grouped) == len({id(p) for p in grouped})
    assert {id(p) for p in grouped} == {id(p) for p in body.parameters()}


def test_resnet_groups_hold_the_reference_counts():
    body = backbone_of("resnet18").build(pretrained=False)
    counts = [sum(p.numel() for layer in group for p in layer.parameters()) for group in _groups(body)]
    assert counts == [683_072, 10_493_440]


def _groups(body):
    return backbone_of("resnet18").body_groups(body)


def test_lite0_has_the_packaged_weights_in_the_right_places():
    body = backbone_of("lite0").build(pretrained=True)
    stem = body.conv_stem.weight
    assert not torch.equal(stem, backbone_of("lite0").build(pretrained=False).conv_stem.weight)
    # variances are positive and means are not: a shift by one place in the order would mix them up
    assert all((value >= 0).all() for name, value in body.state_dict().items() if name.endswith("running_var"))
    assert any((value < 0).any() for name, value in body.state_dict().items() if name.endswith("running_mean"))


def test_lite0_was_trained_on_a_range_of_about_minus_one_to_one():
    backbone = backbone_of("lite0")
    low, high = ((value - backbone.mean[0]) / backbone.std[0] for value in (0.0, 1.0))
    assert low == pytest.approx(-127 / 128) and high == pytest.approx(1.0)


def test_without_a_network_a_published_backbone_names_the_way_out(monkeypatch, tmp_path):
    def refuse(*_, **__):
        raise urllib.error.URLError("no network")

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    monkeypatch.setattr("socket.create_connection", refuse)
    backbone = backbone_of("resnet34")
    assert not backbone.is_ready()
    with pytest.raises(ModelError, match=r"ResNet-34 \(87 MB\).*lite0.*random weights"):
        backbone.build(pretrained=True)


def test_published_weights_that_were_fetched_before_are_used_offline(monkeypatch, tmp_path):
    import torchvision

    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    (tmp_path / "checkpoints").mkdir()
    torch.manual_seed(1)
    published = torchvision.models.resnet18(weights=None).state_dict()
    torch.save(published, tmp_path / "checkpoints" / "resnet18-f37072fd.pth")
    backbone = backbone_of("resnet18")
    assert backbone.is_ready()
    body = backbone.build(pretrained=True)
    assert torch.equal(body.layer4[1].conv2.weight, published["layer4.1.conv2.weight"])


def test_an_unknown_backbone_is_refused_with_the_names_there_are():
    with pytest.raises(ModelError, match="resnet99.*lite0, resnet18"):
        backbone_of("resnet99")


def test_the_choice_on_the_page_is_the_registry():
    from core.ui import forms

    assert list(forms.BACKBONES) == list(BACKBONES)
    for name, title in forms.BACKBONES.items():
        assert name == "lite0" or f"{BACKBONES[name].size_mb:.0f} MB" in title
