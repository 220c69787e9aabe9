"""Repairs: the one fix of a finding as a run that can be trained, and nothing where nothing is wrong."""

from dataclasses import replace

import pytest

from core.diagnose import Finding
from core.diagnose.repairs import HEAD_RATE, REPAIRS, WHOLE_RATE, repair
from core.settings import Stage, TrainSettings
from core.train.recipes import RECIPES, preset

FAULTS = ("lr_too_high", "lr_too_low", "too_few_epochs", "overfit")
HEAD = TrainSettings(stages=(Stage(epochs=4, lr=1e-3),))
WHOLE = TrainSettings(stages=(Stage(epochs=4, lr=3e-3), Stage(epochs=3, lr=(1e-4, 1e-2), freeze_to=0)))


def finding(kind, epochs=()):
    return Finding(kind, "bad", "", "", "", "", epochs)


def test_there_is_a_repair_for_every_fault_and_none_for_the_rest():
    assert tuple(REPAIRS) == FAULTS
    assert repair(finding("healthy"), HEAD) is None and repair(finding("cant_tell"), HEAD) is None


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("kind", FAULTS)
def test_every_recipe_can_be_repaired_at_every_stage(name, kind):
    settings = preset(name)
    for number, stage in enumerate(settings.stages):
        fix = repair(finding(kind, (3, 4)), settings, stage=number, suggested_lr=2e-3)
        mended = fix.settings.stages[0]
        assert fix.stage == number and fix.text and mended.freeze_to == stage.freeze_to
        assert fix.settings.seed == settings.seed and fix.settings.backbone == settings.backbone
        assert fix.begins == ("last" if kind == "too_few_epochs" else "before_stage" if number else "as_before")


def test_a_rate_too_high_is_lowered_to_the_finders_or_to_a_usual_one():
    broken = replace(HEAD, stages=(Stage(epochs=4, lr=0.5),))
    assert repair(finding("lr_too_high"), broken).settings.stages[0].lr == HEAD_RATE
    assert repair(finding("lr_too_high"), broken, suggested_lr=1e-3).settings.stages[0].lr == 1e-3
    spread = repair(finding("lr_too_high"), WHOLE).settings.stages
    assert spread[0].lr == pytest.approx((WHOLE_RATE / 100, WHOLE_RATE)) and len(spread) == 1


def test_a_suggestion_above_the_rate_that_was_too_high_is_not_followed():
    assert repair(finding("lr_too_high"), HEAD, suggested_lr=0.1).settings.stages[0].lr < 1e-3


def test_a_rate_too_low_is_raised_at_least_to_a_usual_one():
    slow = replace(HEAD, stages=(Stage(epochs=1, lr=1e-6),))
    mended = repair(finding("lr_too_low"), slow).settings.stages[0]
    assert mended.lr == HEAD_RATE and mended.epochs == 4
    assert repair(finding("lr_too_low"), HEAD, suggested_lr=1e-5).settings.stages[0].lr == pytest.approx(2e-3)


def test_too_few_epochs_go_on_from_where_it_ended():
    fix = repair(finding("too_few_epochs"), replace(HEAD, stages=(Stage(epochs=1, lr=1e-3),)))
    assert (fix.begins, fix.settings.stages[0].epochs, fix.settings.stages[0].lr) == ("last", 4, 1e-3)


def test_overfitting_is_shortened_to_where_it_was_best_and_held_back():
    broken = preset("too_many")
    fix = repair(finding("overfit", tuple(range(9, 60))), broken)
    assert fix.settings.stages[0].epochs == 9 and fix.settings.train_share == 1.0
    assert fix.settings.dropout == 0.5 and fix.settings.weight_decay == 0.01
    assert fix.settings.stages[0].lr_max == HEAD_RATE
