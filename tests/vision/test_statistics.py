"""Batch norms: statistics that were published stay, those of a body without weights are gathered from its pictures."""

import pytest
import torch

from core.settings import Stage, TrainSettings
from core.train.checkpoint import Checkpoint, from_bytes, restore_model, to_bytes
from core.train.learner import fit
from core.vision.model import build_model, set_training

KINDS = {"running_mean", "running_var", "num_batches_tracked"}


def trained(toy, weights: str, start: Checkpoint | None = None) -> Checkpoint:
    kept = []
    stage = Stage(epochs=1, lr=1e-3, freeze_to=0)
    settings = TrainSettings(stages=(stage,), image_size=32, batch_size=8, weights=weights)

    def save(checkpoint, best):
        kept.append(from_bytes(to_bytes(checkpoint), "a checkpoint"))
        return "last"

    for _ in fit(toy, settings, save=save, start=start):
        pass
    return kept[-1]


def changed(checkpoint: Checkpoint, weights: str) -> tuple[bool, bool]:
    """Whether statistics of the body, and whether its weights, are others than at the beginning."""
    classes = tuple(checkpoint.meta["classes"])
    before = build_model("lite0", classes, seed=42, pretrained=weights == "pretrained").state_dict()
    now = restore_model(checkpoint).state_dict()
    differs = {name for name in before if name.startswith("body.") and not torch.equal(before[name], now[name])}
    statistics = {name for name in differs if name.rpartition(".")[2] in KINDS}
    return bool(statistics), bool(differs - statistics)


@pytest.mark.parametrize(("weights", "gathers"), [("pretrained", False), ("random", True)])
def test_published_statistics_stay_while_the_weights_learn(toy, weights, gathers):
    assert changed(trained(toy, weights), weights) == (gathers, True)


def test_a_run_that_goes_on_from_a_checkpoint_treats_them_as_the_run_before(toy):
    first = trained(toy, "random")
    again = trained(toy, "pretrained", start=first)  # its settings do not say where the checkpoint began
    assert not again.meta["keeps_statistics"]
    assert trained(toy, "pretrained", start=trained(toy, "pretrained")).meta["keeps_statistics"]


def test_a_checkpoint_from_before_this_was_noted_goes_on_as_it_began(toy):
    checkpoint = trained(toy, "pretrained")
    del checkpoint.meta["keeps_statistics"]
    assert not restore_model(checkpoint).keeps_statistics  # its statistics have moved: they go on to


def test_the_head_gathers_its_own_in_every_case():
    model = build_model("lite0", ("a", "b"), seed=0)
    set_training(model, True)
    assert model.head.training and not model.body.training
    set_training(model, False)
    assert not model.head.training and not model.body.training
