"""The optimiser: the reference's numbers, rates by layer group, and no decay where there should be none."""

import pytest
import torch
from torch import nn

from core.train.optim import make_optimiser, set_rates
from core.vision.model import build_model, freeze_to


class Tiny(nn.Module):
    """One layer whose only weight is the reference's starting point."""

    def __init__(self, start):
        super().__init__()
        self.layer = nn.Linear(2, 1, bias=False)
        self.layer.weight.data = torch.tensor([start])

    def groups(self):
        return [[self.layer]]


@pytest.mark.parametrize(("case", "momentum", "decay"), [
    ("adam_default", 0.9, 0.01), ("adam_mom95", 0.95, 0.01), ("adam_wd0", 0.9, 0.0),
])  # fmt: skip
def test_steps_agree_with_the_reference(reference, case, momentum, decay):
    numbers = reference["adam_steps"]
    model = Tiny(numbers["p0"])
    optimiser = make_optimiser(model, weight_decay=decay)
    for grad, expected in zip(numbers["grads"], numbers[case], strict=True):
        set_rates(optimiser, [numbers["lr"]], momentum)
        model.layer.weight.grad = torch.tensor([grad])
        optimiser.step()
        assert model.layer.weight[0].tolist() == pytest.approx(expected, rel=1e-5)


def test_norms_and_biases_do_not_decay_and_every_weight_is_there_once():
    model = build_model("resnet18", ("a", "b"), seed=0, pretrained=False)
    freeze_to(model, 0)
    optimiser = make_optimiser(model, weight_decay=0.01)
    norms = {id(p) for layer in model.modules() if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d)
             for p in layer.parameters()}  # fmt: skip
    seen = []
    for group in optimiser.param_groups:
        seen += [id(p) for p in group["params"]]
        for parameter in group["params"]:
            assert (group["weight_decay"] == 0) == (id(parameter) in norms)
    assert len(seen) == len(set(seen)) == len(list(model.parameters()))


def test_each_layer_group_gets_its_own_rate():
    model = build_model("resnet18", ("a", "b"), seed=0, pretrained=False)
    freeze_to(model, 0)
    optimiser = make_optimiser(model, weight_decay=0.01)
    set_rates(optimiser, [1e-5, 1e-4, 1e-3], 0.85)
    by_parameter = {id(p): group for group in optimiser.param_groups for p in group["params"]}
    for rate, modules in zip([1e-5, 1e-4, 1e-3], model.groups(), strict=True):
        for parameter in (p for module in modules for p in module.parameters()):
            assert by_parameter[id(parameter)]["lr"] == rate
            assert by_parameter[id(parameter)]["betas"] == (0.85, 0.99)


def test_a_frozen_body_is_not_in_the_optimiser():
    model = build_model("resnet18", ("a", "b"), seed=0, pretrained=False)
    freeze_to(model, -1)
    optimiser = make_optimiser(model, weight_decay=0.01)
    assert {id(p) for group in optimiser.param_groups for p in group["params"]} == {
        id(p) for p in model.head.parameters()
    }
