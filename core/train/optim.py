"""The optimiser: a model and a stage in, parameter groups with one rate each out."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from core.vision.model import Classifier

BETA2 = 0.99
EPS = 1e-5
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)


def make_optimiser(model: Classifier, *, weight_decay: float) -> torch.optim.AdamW:
    """AdamW (arXiv:1711.05101) over the weights that may change: betas (set per step, 0.99), eps 1e-5.

    Weight decay is decoupled and spares norms and biases. Each parameter group carries the number of its layer group.
    """
    groups = []
    for number, modules in enumerate(model.groups()):
        decayed, spared = _sort_parameters(modules)
        for parameters, decay in ((decayed, weight_decay), (spared, 0.0)):
            if parameters:
                groups.append({"params": parameters, "weight_decay": decay, "layer_group": number})
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, BETA2), eps=EPS, fused=True)


def _sort_parameters(modules: Sequence[nn.Module]) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """The trainable parameters of some modules: those that decay, and the norms and biases, which do not."""
    decayed, spared = [], []
    for layer in (layer for module in modules for layer in module.modules()):
        for name, parameter in layer.named_parameters(recurse=False):
            if parameter.requires_grad:
                (spared if isinstance(layer, _NORMS) or name == "bias" else decayed).append(parameter)
    return decayed, spared


def set_rates(optimiser: torch.optim.Optimizer, rates: Sequence[float], momentum: float) -> None:
    """Give every layer group its rate and all of them the momentum (the first beta)."""
    for group in optimiser.param_groups:
        group["lr"] = rates[group["layer_group"]]
        group["betas"] = (momentum, BETA2)
