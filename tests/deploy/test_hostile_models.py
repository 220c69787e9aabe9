"""Model files from anywhere: each bad one is refused with a sentence, and nothing in it runs."""

import pickle
import resource
import tracemalloc
from pathlib import Path

import pytest

from core.deploy.imported import import_model, list_imported
from core.deploy.model_file import load_bundle
from core.errors import LabError, ModelError
from core.workspace import Workspace
from tests.deploy.hostile_models import HOSTILE, Payload, _good

ROOT = Path(__file__).parents[2]
SAID = {
    "pickle_with_our_ending": "a Python pickle. Such a file can run code",
    "pickle_named_safetensors": "a Python pickle. Such a file can run code",
    "torch_save": "a PyTorch file with a pickle in it. Such a file can run code",
    "torch_save_of_the_old_kind": "a Python pickle",
    "torchscript": "a TorchScript program",
    "torch_export": "a torch.export program",
    "keras_with_code": "a Keras model",
    "keras_of_the_old_kind": "a Keras model",
    "onnx": "an ONNX model",
    "bare_safetensors": "bare weights",
    "pickle_beside_the_weights": "'extra.pkl', which does not belong there",
    "nested_zip": "'bundle.zip', which does not belong there",
    "name_twice": "holds a file twice",
    "one_flipped_bit": "damaged: its numbers are not those that were saved",
    "another_hash": "damaged: its numbers are not those that were saved",
    "head_longer_than_the_file": "would have 4,611,686,018,427,387,904 bytes",
    "offsets_that_overlap": "overlap",
    "weights_that_are_no_numbers": "no numbers",
    "weights_beyond_all_numbers": "gives no numbers",
    "newer_schema": "Update Bearings",
    "unknown_backbone": "its network is 'os.system'; known here are lite0",
    "card_that_is_a_bomb": "larger than 1 MB",
    "pixels_on_another_scale": "pixels on another scale",
}


def test_there_are_more_than_forty_and_every_sentence_belongs_to_one():
    assert len(HOSTILE) > 40 and set(SAID) <= set(HOSTILE)


def test_the_payload_works_where_somebody_opens_it(tmp_path):
    """Else the tests below could not fail."""
    pickle.loads(pickle.dumps(Payload(tmp_path / "ran")))
    assert (tmp_path / "ran").exists()


def test_the_file_that_the_bad_ones_are_made_from_is_a_good_one(tmp_path):
    assert load_bundle(_good(tmp_path)).classes == ("black", "grizzly", "teddy")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_sentence_and_runs_nothing(tmp_path, name):
    marker, home, folder = tmp_path / "ran", tmp_path / "home", tmp_path / "files"
    folder.mkdir()
    path = HOSTILE[name](folder, marker)
    before = sorted(folder.rglob("*"))
    with pytest.raises(LabError) as caught:
        import_model(Workspace(home), path)
    said = str(caught.value)
    assert SAID.get(name, "") in said and said.endswith(".") and len(said) < 400 and caught.value.hint
    assert not marker.exists() and sorted(folder.rglob("*")) == before
    assert not list(home.rglob("*.zip")) and not list(home.rglob(".tmp*")) and list_imported(Workspace(home)) == []


@pytest.mark.parametrize("name", ["card_that_is_a_bomb", "weights_that_are_a_bomb"])
def test_a_bomb_is_not_unpacked(tmp_path, name):
    path = HOSTILE[name](tmp_path, tmp_path / "ran")
    load_bundle(_good(tmp_path))  # what is imported on first use does not count
    tracemalloc.start()
    try:
        with pytest.raises(ModelError):
            load_bundle(path)
        assert tracemalloc.get_traced_memory()[1] < 150 * 2**20
    finally:
        tracemalloc.stop()


def test_a_file_far_too_large_is_not_opened(tmp_path, monkeypatch):
    path = tmp_path / "x.zip"
    with path.open("wb") as file:
        file.truncate(300 * 2**20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError, match="up to 256 MB are read"):
        load_bundle(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize("word", [
    "weights_only=False", "pickle.load", "import pickle", "torch.jit.load", "torch.export.load", "onnx.load",
    "allow_pickle=True", "joblib", "yaml.load(",
])  # fmt: skip
def test_nothing_here_opens_a_file_that_can_run_code(word):
    files = [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "core").rglob("*.py")]
    assert not [file.name for file in files if word in file.read_text(encoding="utf-8")]


def test_whatever_torch_loads_it_loads_as_plain_numbers():
    calls = [
        line
        for file in (ROOT / "core").rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "torch.load(" in line
    ]
    assert calls and all("weights_only=True" in line for line in calls)
