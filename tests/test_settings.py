"""Settings: a record that exists is valid, and every value outside its range is refused with a sentence."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import (
    AppSettings,
    ImportSettings,
    Stage,
    TrainSettings,
    from_record,
    to_record,
)


def refused(make, **values) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        make(**values)
    assert caught.value.message.endswith(".") and caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    "values",
    [
        {"epochs": 0},
        {"epochs": 1001},
        {"lr": 0.0},
        {"lr": -1.0},
        {"lr": math.nan},
        {"lr": math.inf},
        {"lr": None},
        {"lr": (None, None)},
        {"lr": (1e-3, None)},
        {"lr": (1e-2, 1e-3)},
        {"lr": (0.0, 1e-3)},
        {"lr": (1e-3,)},
        {"lr": (1e-4, 1e-3, 1e-2)},
        {"augment": "everything"},
        {"freeze_to": 3},
        {"freeze_to": -2},
        {"options": ["cycle_len"]},
        {"data": "mistakes", "balance": "oversample"},
        {"options": None},
        {"mixup": -0.1},
        {"mixup": math.nan},
        {"label_smoothing": 1.0},
        {"balance": "fair"},
        {"data": "some"},
        {"image_size": 33},
        {"batch_size": 1},
        {"weight_decay": 1.0},
        {"dropout": -0.1},
        {"precision": "half"},
    ],
    ids=str,
)
def test_a_stage_outside_its_ranges_is_refused(values):
    refused(Stage, **values)


@pytest.mark.parametrize(
    "values",
    [
        {"stages": ()},
        {"weights": "best"},
        {"image_size": 225},
        {"image_size": 1024},
        {"batch_size": 1},
        {"batch_size": 5000},
        {"weight_decay": 1.0},
        {"weight_decay": math.nan},
        {"dropout": 1.0},
        {"precision": "half"},
        {"seed": -1},
        {"seed": 2**32},
        {"seed": 1.5},
        {"train_share": 0.0},
        {"train_share": 1.1},
        {"patience": -1},
        {"patience": 1.5},
        {"stages": (Stage(),) * 21},
    ],
    ids=str,
)
def test_training_settings_outside_their_ranges_are_refused(values):
    refused(TrainSettings, **values)


@pytest.mark.parametrize("share", [0, -0.1, 0.91, math.nan, math.inf])
def test_a_validation_share_outside_its_range_is_refused(share):
    assert "validation share" in refused(ImportSettings, valid_share=share).message


@pytest.mark.parametrize("values", [{"seed": -1}, {"seed": 2**32}, {"seed": 0.5}])
def test_an_import_seed_outside_its_range_is_refused(values):
    refused(ImportSettings, **values)


def test_the_bounds_themselves_are_allowed():
    Stage(epochs=1000, lr=1e6)
    Stage(lr=(1e-3, 1e-3))
    Stage(lr=(None, 1e-3))
    TrainSettings(image_size=32, batch_size=2, weight_decay=0, dropout=0, seed=2**32 - 1)
    ImportSettings(valid_share=0.9, seed=0)


def test_the_highest_rate_is_the_last_groups():
    assert Stage(lr=3e-3).lr_max == 3e-3
    assert Stage(lr=(1e-5, 1e-3)).lr_max == 1e-3 == Stage(lr=(None, 1e-3)).lr_max


@pytest.mark.parametrize(
    ("stage", "cached"),
    [(Stage(), True), (Stage(freeze_to=0), False), (Stage(augment="photos"), False)],
)
def test_activations_are_cached_only_when_every_epoch_sees_the_same(stage, cached):
    assert stage.cached is cached


def test_settings_survive_json():
    stages = (Stage(lr=(None, 1e-3)), Stage(freeze_to=1, options={"cycle_mult": 2}, mixup=0.4, image_size=96))
    settings = TrainSettings(stages=stages, seed=7, image_size=96, train_share=0.5, patience=2, keep_best=True)
    assert from_record(json.loads(json.dumps(to_record(settings)))) == settings


@pytest.mark.parametrize(("frozen", "freeze_to"), [(True, -1), (False, 0)])
def test_a_run_of_an_older_version_is_still_read(frozen, freeze_to):
    old = {"stages": [{"epochs": 4, "lr": 3e-3, "frozen": frozen, "schedule": "one_cycle", "augment": "none"}]}
    assert from_record(old).stages == (Stage(epochs=4, lr=3e-3, freeze_to=freeze_to),)


def test_a_stage_takes_from_the_run_what_it_does_not_say():
    settings = TrainSettings(stages=(Stage(image_size=64), Stage()), image_size=128, batch_size=16)
    first, second = settings.resolved
    assert (first.image_size, second.image_size) == (64, 128) and first.batch_size == second.batch_size == 16
    assert None not in (first.weight_decay, first.dropout, first.precision)


@pytest.mark.parametrize(("freeze_to", "first", "frozen"), [(-1, 2, True), (2, 2, True), (1, 1, False), (0, 0, False)])
def test_freezing_to_a_group_leaves_the_later_ones_free(freeze_to, first, frozen):
    stage = Stage(freeze_to=freeze_to)
    assert (stage.first_group, stage.frozen) == (first, frozen)


@pytest.mark.parametrize(
    "record",
    [
        {"stages": [{"epochs": 4, "colour": "red"}]},
        {"stages": [3]},
        {"stages": [{"lr": "fast"}]},
        {"stages": [{"lr": [1e-3]}]},
        {"stages": [{}], "batch_size": "many"},
        {"stages": [{}], "surprise": 1},
        {"stages": None},
        {},
    ],
    ids=str,
)
def test_a_record_that_is_none_is_refused(record):
    refused(lambda: from_record(record))


def test_the_environment_is_read_and_the_usual_values_need_none():
    usual = AppSettings.from_env({})
    assert (usual.home, usual.profile, usual.engine) == (Path.home() / ".bearings", "laptop", None)
    env = {
        "BEARINGS_HOME": "~/x",
        "BEARINGS_PROFILE": "class",
        "BEARINGS_ENGINE": "tls://h:1",
        "BEARINGS_MAX_UPLOAD_MB": "9",
        "BEARINGS_API_PER_MINUTE": "60",
        "BEARINGS_API_MAX_MB": "5",
    }
    read = AppSettings.from_env(env)
    assert (read.api_per_minute, read.api_max_mb) == (60, 5)
    assert (read.home, read.profile, read.engine, read.max_upload_mb) == (Path.home() / "x", "class", "tls://h:1", 9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BEARINGS_PROFILE", "school"),
        ("BEARINGS_ENGINE", "tcp://host:8786"),
        ("BEARINGS_MAX_UPLOAD_MB", "0"),
        ("BEARINGS_MAX_UPLOAD_MB", "2001"),
        ("BEARINGS_MAX_UPLOAD_MB", "-5"),
        ("BEARINGS_MAX_UPLOAD_MB", "lots"),
        ("BEARINGS_API_PER_MINUTE", "0"),
        ("BEARINGS_API_PER_MINUTE", "many"),
        ("BEARINGS_API_MAX_MB", "0"),
        ("BEARINGS_API_MAX_MB", "51"),
        ("BEARINGS_ALLOW_HOSTS", "http://intranet"),
        ("BEARINGS_ALLOW_HOSTS", "intranet, 10.0.0.0/8"),
        ("BEARINGS_ALLOW_HOSTS", "*"),
        ("BEARINGS_ALLOW_HOSTS", "intranet:0"),
        ("BEARINGS_ALLOW_HOSTS", "intranet:65536"),
        ("BEARINGS_ALLOW_HOSTS", "me@intranet"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_name(name, value):
    assert name in refused(AppSettings.from_env, environ={name: value}).message


def test_private_hosts_are_named_one_by_one_and_none_is_allowed_by_itself():
    assert AppSettings.from_env({}).allow_hosts == ()
    assert AppSettings.from_env({"BEARINGS_ALLOW_HOSTS": " , "}).allow_hosts == ()
    read = AppSettings.from_env({"BEARINGS_ALLOW_HOSTS": "intranet.school, 10.1.2.3:8080,[fd00::1]:80"})
    assert read.allow_hosts == ("intranet.school", "10.1.2.3:8080", "[fd00::1]:80")
