"""The model: reference counts, a frozen body that does not drift, and randomness that comes from seeds alone."""

import random

import numpy as np
import pytest
import torch

from core.vision.model import Head, SeededDropout, build_model, freeze_to, set_training, watched


@pytest.fixture(scope="module")
def model():
    return build_model("lite0", ("a", "b", "c"), seed=1)


def test_the_head_has_as_many_weights_as_the_reference():
    assert sum(p.numel() for p in Head(512, 3, dropout=0.5).parameters()) == 528_896


def test_the_last_group_is_the_head(model):
    assert model.groups()[-1] == [model.head]
    assert len(model.groups()) == 3


def test_same_seed_same_head_and_another_seed_another(model):
    again = build_model("lite0", ("a", "b", "c"), seed=1)
    other = build_model("lite0", ("a", "b", "c"), seed=2)
    assert torch.equal(model.head[2].weight, again.head[2].weight)
    assert not torch.equal(model.head[2].weight, other.head[2].weight)


def test_building_and_dropping_leave_the_global_random_states_alone(model):
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    build_model("lite0", ("a", "b"), seed=3)
    model.seed_dropout(4)
    set_training(model, True)
    model.head(torch.randn(4, 2560, generator=torch.Generator().manual_seed(0)))
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1] and np.random.get_state()[1].tolist() == states[2]


def test_a_frozen_body_stays_as_it_was_even_in_training_mode(model):
    before = {name: value.clone() for name, value in model.body.state_dict().items()}
    trainable = freeze_to(model, -1)
    set_training(model, True)
    model(torch.randint(0, 255, (4, 3, 64, 64), dtype=torch.uint8))
    assert trainable == sum(p.numel() for p in model.head.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.body.state_dict().items())
    assert model.head.training and not model.body.training


def test_unfreezing_frees_everything(model):
    assert freeze_to(model, 0) == sum(p.numel() for p in model.parameters())
    assert all(p.requires_grad for p in model.parameters())


def test_pooled_is_maximum_then_mean(model):
    set_training(model, False)
    x = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        maps, pooled = model.body(model.normalise(x)), model.pooled(x)
    assert torch.allclose(pooled, torch.cat([maps.amax((2, 3)), maps.mean((2, 3))], 1))


def test_bytes_and_floats_are_normalised_alike(model):
    x = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).repeat(1, 3, 1, 1)
    assert torch.allclose(model.normalise(x), model.normalise(x.float() / 255))
    assert float(model.normalise(x).max()) == pytest.approx(1.0)


def test_dropout_keeps_the_mean_and_rests_in_evaluation():
    layer = SeededDropout(0.25)
    layer.generator = torch.Generator().manual_seed(0)
    x = torch.ones(200, 200)
    dropped = layer(x)
    assert float(dropped.mean()) == pytest.approx(1.0, abs=0.02)
    assert float((dropped == 0).float().mean()) == pytest.approx(0.25, abs=0.02)
    assert torch.equal(layer.eval()(x), x)


def test_a_watched_model_can_be_stopped_forwards_and_backwards(model):
    class Enough(Exception):
        pass

    def stop_after(calls):
        left = [calls]

        def check():
            left[0] -= 1
            if left[0] < 0:
                raise Enough

        return check

    freeze_to(model, 0)
    x = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    with watched(model, stop_after(3)), pytest.raises(Enough):
        model(x)
    blocks = sum(len(group) for group in model.backbone.body_groups(model.body))
    with watched(model, stop_after(blocks + 1)):
        loss = model(x).sum()
        with pytest.raises(Enough):
            loss.backward()
    assert not any(layer._forward_pre_hooks for layer in model.modules())
