"""The estimate of a run's time: more work takes longer, own runs set the speed, kept activations save time."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.settings import Stage, TrainSettings
from core.train.estimate import FORWARD, USUAL_PER_S, Speed, epoch_work, estimate, measured_speed
from core.train.recipes import RECIPES, preset
from core.vision.backbones import BACKBONES

UNFROZEN = TrainSettings(stages=(Stage(epochs=2, freeze_to=0, augment="photos"),))


def seconds(settings, train=240, valid=60, **options):
    return estimate(settings, train=train, valid=valid, **options).seconds


def test_every_backbone_has_its_work():
    assert set(FORWARD) == set(BACKBONES)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_an_estimate_by_stage(name):
    settings = preset(name)
    found = estimate(settings, train=240, valid=60)
    assert len(found.per_stage) == len(settings.stages) and found.seconds == pytest.approx(sum(found.per_stage))
    assert 0 < found.seconds <= found.without_cache_s


@given(epochs=st.integers(1, 50), train=st.integers(2, 5000), size=st.sampled_from([64, 128, 224]))
def test_more_epochs_pictures_or_pixels_take_longer(epochs, train, size):
    settings = TrainSettings(stages=(Stage(epochs=epochs, freeze_to=0, image_size=size),))
    now = seconds(settings, train=train)
    assert now < seconds(settings, train=2 * train)
    assert now < seconds(TrainSettings(stages=(Stage(epochs=epochs + 1, freeze_to=0, image_size=size),)), train=train)
    assert now < seconds(TrainSettings(stages=(Stage(epochs=epochs, freeze_to=0, image_size=size + 32),)), train=train)


def test_layers_that_learn_cost_more_than_frozen_ones_and_kept_activations_least():
    whole, late, head = (seconds(TrainSettings(stages=(Stage(freeze_to=g, augment="photos"),))) for g in (0, 1, 2))
    assert whole > late > head > seconds(TrainSettings(stages=(Stage(),)))


def test_a_share_of_the_pictures_takes_a_share_of_the_time_and_a_finder_takes_some():
    assert seconds(replace(UNFROZEN, train_share=0.1)) < 0.3 * seconds(UNFROZEN)
    found = replace(UNFROZEN, stages=(replace(UNFROZEN.stages[0], find_lr=True),))
    assert seconds(found) > seconds(UNFROZEN)


def test_ones_own_epochs_set_the_speed():
    cost = epoch_work("lite0", UNFROZEN.resolved[0], 240, 60)
    speed = measured_speed([(UNFROZEN, 240, 60, [(0, cost / 50), (0, cost / 100), (0, cost / 90)])])
    assert speed == Speed(pytest.approx(90), 3)
    assert seconds(UNFROZEN, speed=speed) == pytest.approx(2 * cost / 90, rel=0.1)


def test_without_such_epochs_it_is_a_guess():
    cached = TrainSettings()
    assert measured_speed([(cached, 240, 60, [(0, 0.1)])]) == measured_speed([]) == Speed(USUAL_PER_S, 0)
