"""The range test: the reference's ladder and stop rule, and a learner that is afterwards as it was."""

import math

import pytest
import torch

from core.settings import TrainSettings
from core.train.lr_finder import range_test
from core.train.steps import begin

SMALL = TrainSettings(image_size=32, batch_size=16)


@pytest.fixture
def learner(toy):
    return begin(toy, SMALL)


def test_a_curve_has_a_rate_a_loss_and_a_smooth_loss_per_batch(toy, learner):
    found = range_test(toy, SMALL, learner)
    assert 10 < len(found.lrs) == len(found.losses) == len(found.losses_smooth) <= 100
    assert found.lrs[0] == pytest.approx(1e-7) and found.lrs[1] / found.lrs[0] == pytest.approx(10**0.08)
    assert found.suggestions["recommended"].why


@pytest.mark.parametrize("frozen", [True, False])
def test_the_learner_is_afterwards_as_it_was(toy, learner, frozen):
    learner.record_loss(2.0)
    learner.model.seed_dropout(3)
    weights = {name: value.clone() for name, value in learner.model.state_dict().items()}
    switches = [p.requires_grad for p in learner.model.parameters()]
    dropout = learner.model.head[1].generator.get_state()
    everywhere = torch.get_rng_state()
    range_test(toy, SMALL, learner, frozen=frozen, steps=8, end=1.0)
    assert all(torch.equal(value, weights[name]) for name, value in learner.model.state_dict().items())
    assert [p.requires_grad for p in learner.model.parameters()] == switches
    assert torch.equal(learner.model.head[1].generator.get_state(), dropout)
    assert torch.equal(torch.get_rng_state(), everywhere)
    assert (learner.smooth_count, learner.loss_smooth) == (1, 2.0)


def test_it_is_the_same_every_time(toy, learner):
    assert range_test(toy, SMALL, learner, steps=20) == range_test(toy, SMALL, learner, steps=20)


def test_it_ends_when_the_loss_explodes(toy, learner):
    found = range_test(toy, SMALL, learner, start=1e-3, end=1e9, steps=60)
    assert found.stopped and len(found.losses) < 60
    assert not math.isfinite(found.losses[-1]) or found.losses_smooth[-1] > 4 * min(found.losses_smooth)


def test_it_stops_when_asked(toy, learner):
    found = range_test(toy, SMALL, learner, stop=lambda: True)
    assert found.losses == () and found.suggestions["recommended"].lr is None


def test_a_calm_loss_does_not_end_a_test_however_many_times_the_best_it_is():
    from core.train.events import RatePoint
    from core.train.lr_finder import _ended

    points = [RatePoint(0, 0, 1e-6, 0.01, 0.01), RatePoint(0, 1, 1e-5, 0.5, 0.3)]
    assert _ended(points, 0.0) is not None and _ended(points, 1.1) is None
    assert _ended([*points, RatePoint(0, 2, 1.0, 9.0, 2.0)], 1.1) is not None
