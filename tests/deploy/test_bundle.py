"""Bundles: one zip that holds everything, and nothing else gets in through it."""

import json
import zipfile

import pytest

from core.deploy import demo
from core.deploy.bundle import CARD, README, SCRIPT, WEIGHTS, bundle_of, export_bundle, file_stem
from core.deploy.bundle_text import SOURCES, model_card, predict_script
from core.deploy.model_file import load_bundle, read_card
from core.errors import ModelError, NewerVersion
from core.settings import Stage, TrainSettings, to_record
from core.train.checkpoint import tensors_sha256
from core.train.runs import create_run
from core.train.train_run import train_run
from core.vision.backbones import BACKBONES
from core.vision.model import HIDDEN
from core.workspace import SCHEMA
from tests.conftest import make_toy
from tests.deploy.bundles import card_of, exported, random_bundle, rewrite
from tests.hostile_names import HOSTILE_NAMES


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    dataset = make_toy(tmp_path_factory.mktemp("bundle"))
    settings = TrainSettings(image_size=64, stages=(Stage(epochs=2),))
    made = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    list(train_run(made, lambda: False))
    return made


@pytest.fixture
def saved(run, tmp_path):
    export_bundle(bundle_of(run), tmp_path / "m.zip")
    return tmp_path / "m.zip"


def test_a_bundle_holds_the_weights_what_they_are_a_script_and_a_page(saved):
    with zipfile.ZipFile(saved) as archive:
        assert sorted(archive.namelist()) == sorted([WEIGHTS, CARD, SCRIPT, README])


def test_a_bundle_comes_back_as_it_was_saved(run, saved):
    bundle = load_bundle(saved)
    assert bundle.classes == ("b", "g", "r")
    assert bundle.card["run"] == run.id and bundle.card["schema"] == SCHEMA
    assert bundle.card["preprocessing"]["size"] == 64 and bundle.card["dataset"]["name"] == "toy"
    assert bundle.card["sha256"] == tensors_sha256(bundle.checkpoint.tensors)
    head = bundle_of(run).checkpoint.tensors
    assert all(bundle.checkpoint.tensors[name].equal(value) for name, value in head.items())
    assert not any(name.startswith("optimiser.") for name in bundle.checkpoint.tensors)


def test_a_bundle_says_all_that_somebody_without_bearings_needs(saved):
    card = card_of(saved)
    assert set(card) == {
        "schema", "run", "classes", "architecture", "preprocessing", "precision", "metrics", "dataset", "sha256"
    }  # fmt: skip
    assert card["architecture"]["body"] == "stored"  # also a body that is as published comes along
    assert card["metrics"]["of"] == 9 and len(card["dataset"]["version"]) == 64


def test_the_same_model_gives_the_same_bytes(run, saved, tmp_path):
    export_bundle(bundle_of(run), tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == saved.read_bytes()


def test_mistakes_by_class_stand_in_the_card_and_on_the_page(tmp_path):
    rows = [{"label": "black", "wrong": 1, "of": 20}, {"label": "teddy", "wrong": 2, "of": 40}]
    export_bundle(random_bundle(), tmp_path / "m.zip", per_class=rows)
    assert read_card(tmp_path / "m.zip")["metrics"]["per_class"] == rows
    with zipfile.ZipFile(tmp_path / "m.zip") as archive:
        assert "| teddy | 2 of 40 wrong (5 %) |" in archive.read(README).decode()


def test_the_page_says_what_the_model_is_and_how_it_is_run():
    said = model_card(random_bundle().card)
    for words in ("black, grizzly and teddy", "**3 of 60 wrong (5 %).**", "bears, version `aaaaaaaaaaaa`", "ResNet-18"):
        assert words in said
    assert "pip install torch torchvision pillow" in said and "not sure" in said and "$" not in said


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_class_name_is_harmless_on_the_page_and_in_no_code(name):
    card = {**random_bundle().card, "classes": [name, "b"]}
    assert predict_script(card) == predict_script(random_bundle().card)
    said = model_card(card)
    assert "<script" not in said and "<img" not in said and "](" not in said.replace("\\](", "")


@pytest.mark.parametrize("name", BACKBONES)
def test_every_backbone_has_a_source_with_as_many_channels(name):
    assert SOURCES[name].features == BACKBONES[name].features and HIDDEN == 512
    script = predict_script({"architecture": {"backbone": name}})
    compile(script, "predict.py", "exec")
    assert len(script.splitlines()) < 60 and f"nn.BatchNorm1d({2 * BACKBONES[name].features})" in script


def test_a_run_that_trained_nothing_has_no_bundle(run):
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


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"There is no file x\.zip"):
        load_bundle(tmp_path / "x.zip")


@pytest.mark.parametrize("name", [CARD, WEIGHTS])
def test_a_bundle_without_one_of_its_parts_is_refused(saved, tmp_path, name):
    rewrite(saved, tmp_path / "y.zip", {name: None})
    with pytest.raises(ModelError, match=f"it has no {name}"):
        load_bundle(tmp_path / "y.zip")


def test_a_bundle_without_the_words_is_one_still(saved, tmp_path):
    rewrite(saved, tmp_path / "y.zip", {SCRIPT: None, README: None})
    assert load_bundle(tmp_path / "y.zip").classes == ("b", "g", "r")


def test_a_card_of_a_newer_version_is_refused(saved, tmp_path):
    card = json.dumps({"schema": SCHEMA + 1}).encode()
    rewrite(saved, tmp_path / "y.zip", {CARD: card})
    with pytest.raises(NewerVersion, match="Update Bearings"):
        load_bundle(tmp_path / "y.zip")


def test_two_models_of_one_form_have_other_bytes_and_other_names(tmp_path):
    """Same frozen body, same classes, same length: whatever tells files apart must not take one for the other."""
    cards = [exported(tmp_path / f"{seed}.zip", backbone="lite0", seed=seed, body=False).card for seed in (1, 2)]
    first, second = ((tmp_path / f"{seed}.zip").read_bytes() for seed in (1, 2))
    assert first != second and cards[0]["sha256"] != cards[1]["sha256"]
    stems = [file_stem(card) for card in cards]
    assert stems[0] != stems[1] and all(card["run"] in stem for card, stem in zip(cards, stems, strict=True))


def test_the_shipped_model_says_how_good_it_is_and_has_pictures_of_every_class():
    about = demo.about()
    assert about["classes"] == list(demo.bundle().classes) == ["black", "grizzly", "teddy"]
    assert 0 < about["error_rate"] < 0.15
    assert sorted(picture.label for picture in demo.pictures()) == sorted(about["classes"] * 2)
