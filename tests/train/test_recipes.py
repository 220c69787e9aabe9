"""Recipes: each gives settings that exist, and trains as the lesson says."""

import json

import pytest

from core.errors import SettingsError
from core.settings import TrainSettings, from_record, to_record
from core.train.recipes import RECIPES, preset
from core.train.schedules import rate_at, spread

PHOTOS = TrainSettings(seed=7, image_size=96)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_gives_settings_that_survive_json(name):
    settings = preset(name, PHOTOS, epochs=3, lr=1e-2)
    assert from_record(json.loads(json.dumps(to_record(settings)))) == settings
    assert settings.seed == 7 and settings.epochs >= 1


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_says_what_it_does_and_takes_the_epochs_and_the_rate_it_asks_for(name):
    found = RECIPES[name]
    assert found.title and found.make.__doc__
    assert preset(name) == preset(name, epochs=found.epochs, lr=found.lr)
    assert preset(name, lr=found.lr / 2) != preset(name)
    if found.epochs is not None:
        assert preset(name, epochs=found.epochs + 1).epochs > preset(name).epochs


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    with pytest.raises(SettingsError, match="quick, standard, fine_tune"):
        preset("magic")


def test_standard_is_the_lessons_recipe():
    frozen, unfrozen = preset("standard").stages
    assert (frozen.epochs, frozen.lr, frozen.frozen, frozen.cached) == (4, 3e-3, True, True)
    assert unfrozen.lr_max == pytest.approx(3e-4) and unfrozen.lr[0] is None  # the finder says
    assert (unfrozen.epochs, unfrozen.first_group, unfrozen.find_lr) == (4, 0, True)


def test_fine_tuning_in_one_go_has_the_stages_of_the_reference_library():
    head, whole = preset("fine_tune", epochs=4, lr=2e-3).stages
    assert (head.epochs, head.frozen, head.lr) == (1, True, 2e-3) and head.options == {"pct_start": 0.99}
    assert whole.epochs == 4 and spread(whole.lr, 3) == pytest.approx([1e-5, 1e-4, 1e-3])
    assert rate_at("one_cycle", 0.0, lr_max=1e-3, **whole.options) == pytest.approx(2e-4)
    assert rate_at("one_cycle", 0.3, lr_max=1e-3, **whole.options) == pytest.approx(1e-3)


def test_the_style_of_2018_ends_with_cycles_of_one_two_and_four_epochs():
    cached, augmented, unfrozen = preset("style_2018", lr=1e-2).stages
    assert cached.cached and augmented.frozen and not augmented.cached and unfrozen.first_group == 0
    assert (cached.epochs, augmented.epochs, unfrozen.epochs) == (2, 3, 7)
    assert spread(unfrozen.lr, 3) == pytest.approx([1e-4, 1e-3, 1e-2])
    assert spread(preset("style_2018", lr=9e-3, ratio=3).stages[-1].lr, 3) == pytest.approx([1e-3, 3e-3, 9e-3])
    for stage, restarts in ((augmented, (0, 1, 2)), (unfrozen, (0, 1, 3))):
        peaks = [rate_at("sgdr", e / stage.epochs, lr_max=1.0, epochs=stage.epochs, **stage.options) for e in restarts]
        assert peaks == pytest.approx([1.0] * 3)


def test_progressive_sizes_grow():
    assert [stage.image_size for stage in preset("progressive").stages] == [64, 128, 224]


def test_learning_from_mistakes_takes_more_epochs_and_a_higher_rate_than_the_fine_work_before_it():
    [stage] = preset("mistakes").stages
    fine_work = preset("standard").stages[-1]
    assert stage.data == "mistakes" and stage.frozen and stage.cached
    assert stage.epochs > fine_work.epochs and stage.lr_max > fine_work.lr_max
    assert all(stage.data == "all" for name in RECIPES if name != "mistakes" for stage in preset(name).stages)


def test_what_goes_wrong_on_purpose_is_marked():
    assert [name for name, found in RECIPES.items() if found.broken] == ["too_high", "too_low", "too_few", "too_many"]
    assert preset("too_few").epochs == 1 and preset("too_many").train_share == 0.25
