"""Bundles: one zip that holds everything, and nothing else gets in through it."""

import json
import zipfile

import pytest

from core.deploy import demo
from core.deploy.bundle import CARD, WEIGHTS, bundle_of, load_bundle, save_bundle
from core.errors import ModelError, NewerVersion
from core.settings import Stage, TrainSettings, to_record
from core.train.runs import create_run
from core.train.train_run import train_run
from core.workspace import SCHEMA
from tests.conftest import make_toy


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    dataset = make_toy(tmp_path_factory.mktemp("bundle"))
    settings = TrainSettings(image_size=64, stages=(Stage(epochs=2),))
    made = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    list(train_run(made, lambda: False))
    return made


@pytest.fixture
def saved(run, tmp_path):
    save_bundle(run, tmp_path / "m.zip")
    return tmp_path / "m.zip"


def test_a_bundle_comes_back_as_it_was_saved(run, saved):
    from core.train.checkpoint import tensors_sha256

    bundle = load_bundle(saved)
    assert bundle.classes == ("b", "g", "r")
    assert bundle.card["run"] == run.id and bundle.card["schema"] == SCHEMA
    assert bundle.card["preprocessing"]["size"] == 64
    assert bundle.card["sha256"] == tensors_sha256(bundle_of(run).checkpoint.tensors)
    assert not any(name.startswith("optimiser.") for name in bundle.checkpoint.tensors)


def test_a_run_that_trained_nothing_has_no_bundle(run, tmp_path):
    made = create_run(run.workspace, "import", {})
    with pytest.raises(ModelError, match="trained no model"):
        bundle_of(made)
    fresh = create_run(run.workspace, "train", {})
    with pytest.raises(ModelError, match="at least one epoch"):
        bundle_of(fresh)


@pytest.mark.parametrize("junk", [b"", b"PK\x03\x04", b"not a zip at all"])
def test_what_is_no_bundle_is_refused_with_a_sentence(tmp_path, junk):
    (tmp_path / "x.zip").write_bytes(junk)
    with pytest.raises(ModelError, match="x.zip is no model saved by Bearings"):
        load_bundle(tmp_path / "x.zip")


@pytest.mark.parametrize("name", [CARD, WEIGHTS])
def test_a_bundle_without_one_of_its_parts_is_refused(saved, tmp_path, name):
    rewrite(saved, tmp_path / "y.zip", {name: None})
    with pytest.raises(ModelError, match="no model saved by Bearings"):
        load_bundle(tmp_path / "y.zip")


def test_a_card_of_a_newer_version_is_refused(saved, tmp_path):
    card = json.dumps({"schema": SCHEMA + 1}).encode()
    rewrite(saved, tmp_path / "y.zip", {CARD: card})
    with pytest.raises(NewerVersion, match="Update Bearings"):
        load_bundle(tmp_path / "y.zip")


def test_a_part_that_is_far_too_large_is_not_read_to_its_end(saved, tmp_path):
    rewrite(saved, tmp_path / "y.zip", {CARD: b" " * (2 * 2**20)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ModelError, match="larger than 1 MB"):
        load_bundle(tmp_path / "y.zip")


def rewrite(source, target, parts, compression=zipfile.ZIP_STORED):
    """Copy a zip with some members replaced, or left out where the new content is None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            data = parts.get(name, old.read(name))
            if data is not None:
                new.writestr(name, data)


def test_the_shipped_model_says_how_good_it_is_and_has_pictures_of_every_class():
    about = demo.about()
    assert about["classes"] == list(demo.bundle().classes) == ["black", "grizzly", "teddy"]
    assert 0 < about["error_rate"] < 0.15
    assert sorted(picture.label for picture in demo.pictures()) == sorted(about["classes"] * 2)
