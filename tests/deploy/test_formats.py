"""Other forms of a model: the same numbers from ONNX and torch.export, and a sentence where they cannot be made."""

import importlib.util
import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from core.deploy import formats
from core.deploy.bundle import export_bundle
from core.deploy.formats import lacking, save_model
from core.deploy.predictor import Predictor
from core.errors import ModelError
from tests.deploy.bundles import CLASSES, random_bundle

PICTURES = np.random.default_rng(0).random((3, 3, 64, 64), dtype="float32")
LOADER = """
import json, sys, numpy as np, torch
extra = {"classes": ""}
program = torch.export.load(sys.argv[1], extra_files=extra).module()
said = program(torch.from_numpy(np.load(sys.argv[2])))
print(json.dumps({"classes": json.loads(extra["classes"]), "said": said.tolist()}))
"""


def expected(bundle):
    """What the lab's model says about PICTURES in float32."""
    predictor = Predictor(bundle, precision="float32")
    with torch.inference_mode():
        return predictor.model(torch.from_numpy(PICTURES)).softmax(1).numpy()


@pytest.fixture(scope="module")
def zipped(tmp_path_factory):
    path = tmp_path_factory.mktemp("formats") / "m.zip"
    export_bundle(random_bundle(), path)
    return path


def made(zipped, ending):
    """The file as the app makes it, in a process of its own."""
    target = zipped.with_suffix(ending)
    ran = subprocess.run([sys.executable, "-m", "core.deploy.formats", str(zipped), str(target)], capture_output=True)
    assert ran.returncode == 0, ran.stderr.decode()
    return target


def test_a_program_of_torch_export_gives_the_same_numbers_elsewhere(zipped, tmp_path):
    np.save(tmp_path / "x.npy", PICTURES)
    command = [sys.executable, "-I", "-W", "ignore", "-c", LOADER, str(made(zipped, ".pt2")), str(tmp_path / "x.npy")]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    answer = json.loads(ran.stdout)
    assert answer["classes"] == list(CLASSES)
    wanted = expected(random_bundle())
    assert np.abs(np.array(answer["said"]) - wanted).max() < 1e-5 and wanted.max() < 0.999


@pytest.mark.skipif(bool(lacking("onnx")), reason="onnx and onnxscript are not installed")
@pytest.mark.skipif(importlib.util.find_spec("onnxruntime") is None, reason="onnxruntime is not installed")
@pytest.mark.parametrize("backbone", ["lite0", "resnet18"])
def test_onnx_gives_the_same_numbers_to_four_digits(tmp_path, backbone):
    import onnxruntime

    bundle = random_bundle(backbone)
    export_bundle(bundle, tmp_path / "m.zip")
    session = onnxruntime.InferenceSession(made(tmp_path / "m.zip", ".onnx"))
    said = session.run(None, {"pixels": PICTURES})[0]
    wanted = expected(bundle)
    assert np.abs(said - wanted).max() < 1e-4 and wanted.max() < 0.999
    assert json.loads(session.get_modelmeta().custom_metadata_map["classes"]) == list(CLASSES)


def test_without_the_packages_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(formats.NEEDS, "onnx", ("onnx", "a_package_that_nobody_has"))
    with pytest.raises(ModelError, match="pip install .*a_package_that_nobody_has"):
        save_model(random_bundle(), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())


def test_another_ending_is_refused_with_those_there_are(tmp_path):
    with pytest.raises(ModelError, match=r"\.zip, \.onnx or \.pt2"):
        save_model(random_bundle(), tmp_path / "m.pkl")


def test_a_fault_of_the_process_is_a_sentence(tmp_path):
    (tmp_path / "x.zip").write_bytes(b"PK")
    command = [sys.executable, "-m", "core.deploy.formats", str(tmp_path / "x.zip"), str(tmp_path / "x.pt2")]
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 2 and "no model saved by Bearings" in ran.stderr and "Traceback" not in ran.stderr
