"""Settings: a record that exists is valid, and every value outside its range is refused with a sentence."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import (
    PRESETS,
    AppSettings,
    ImportSettings,
    Stage,
    TrainSettings,
    from_record,
    preset,
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
    [(Stage(), True), (Stage(frozen=False), False), (Stage(augment="photos"), False)],
)
def test_activations_are_cached_only_when_every_epoch_sees_the_same(stage, cached):
    assert stage.cached is cached


@pytest.mark.parametrize("name", PRESETS)
def test_settings_survive_json(name):
    settings = TrainSettings(stages=preset(name, epochs=3, lr=1e-2), seed=7, image_size=96)
    assert from_record(json.loads(json.dumps(to_record(settings)))) == settings
    assert from_record(json.loads(json.dumps(to_record(TrainSettings(stages=(Stage(lr=(None, 1e-3)),)))))).stages[
        0
    ].lr == (None, 1e-3)


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


def test_an_unknown_preset_is_refused_with_the_known_ones():
    with pytest.raises(SettingsError, match="standard, augmented, fine_tune"):
        preset("magic")


def test_presets_do_what_they_say():
    assert [stage.cached for stage in preset("standard")] == [True]
    assert [stage.augment for stage in preset("augmented")] == ["photos"]
    frozen, unfrozen = preset("fine_tune", epochs=2, lr=1e-2)
    assert frozen.frozen and not unfrozen.frozen and unfrozen.lr == pytest.approx((1e-4, 1e-3))


def test_the_environment_is_read_and_the_usual_values_need_none():
    usual = AppSettings.from_env({})
    assert (usual.home, usual.profile, usual.engine) == (Path.home() / ".bearings", "laptop", None)
    env = {
        "BEARINGS_HOME": "~/x",
        "BEARINGS_PROFILE": "class",
        "BEARINGS_ENGINE": "tls://h:1",
        "BEARINGS_MAX_UPLOAD_MB": "9",
    }
    read = AppSettings.from_env(env)
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
