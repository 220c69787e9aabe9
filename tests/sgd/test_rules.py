"""Every rule steps as torch.optim does, over a grid of settings."""

import itertools

import numpy as np
import pytest
import torch

from core.sgd.regression import descend, make_points
from core.sgd.rules import RULES, Hyper

RATES, MOMENTA, BATCHES = (0.003, 0.1, 0.4), (0.0, 0.5, 0.9), (None, 7)
MAKERS = {
    "sgd": lambda p, lr, h: torch.optim.SGD(p, lr, momentum=h.momentum),
    "nesterov": lambda p, lr, h: torch.optim.SGD(p, lr, momentum=h.momentum, nesterov=True),
    "rmsprop": lambda p, lr, h: torch.optim.RMSprop(p, lr, alpha=h.alpha, eps=h.eps, momentum=h.momentum),
    "adam": lambda p, lr, h: torch.optim.Adam(p, lr, betas=h.betas, eps=h.eps),
    "adamw": lambda p, lr, h: torch.optim.AdamW(p, lr, betas=h.betas, eps=h.eps, weight_decay=h.weight_decay),
}


def theirs(rule, path, x, y, lr, hyper):
    """The same batches through torch's own optimiser."""
    a = torch.tensor(path.a[0], requires_grad=True)
    optimiser = MAKERS[rule]([a], lr, hyper)
    walked = [path.a[0]]
    for rows in path.batches:
        optimiser.zero_grad()
        loss = ((torch.from_numpy(x[rows]) @ a - torch.from_numpy(y[rows])) ** 2).mean()
        loss.backward()
        optimiser.step()
        walked.append(a.detach().numpy().copy())
    return np.array(walked)


def test_every_rule_has_a_peer():
    assert MAKERS.keys() == RULES.keys()


@pytest.mark.parametrize(("rule", "lr", "batch"), list(itertools.product(RULES, RATES, BATCHES)))
def test_as_torch_does(rule, lr, batch):
    x, y = make_points(30, seed=11)
    for momentum in MOMENTA if rule != "nesterov" else MOMENTA[1:]:
        hyper = Hyper(momentum=momentum, alpha=0.95, betas=(0.8, 0.99), weight_decay=0.1)
        path = descend(x, y, (-1, 1), lr=lr, steps=60, batch_size=batch, rule=rule, hyper=hyper, seed=1)
        assert path.a == pytest.approx(theirs(rule, path, x, y, lr, hyper), rel=1e-6, abs=1e-6)
