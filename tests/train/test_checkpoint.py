"""Checkpoints: they come back as they went, a flipped bit is noticed, and no file of another kind gets through."""

import json
import struct

import pytest
import torch

from core.errors import ModelError, NewerVersion
from core.train.checkpoint import Checkpoint, from_bytes, model_tensors, read_checkpoint, restore_model, to_bytes
from core.vision.model import build_model
from core.workspace import SCHEMA

META = {"backbone": "lite0", "classes": ["a", "b"], "body": "pretrained", "dropout": 0.5, "image_size": 64}


@pytest.fixture(scope="module")
def model():
    return build_model("lite0", ("a", "b"), seed=5)


@pytest.fixture(scope="module")
def data(model):
    return to_bytes(Checkpoint(model_tensors(model, with_body=False), META))


def test_a_model_comes_back_with_the_same_answers(model, data):
    again = restore_model(from_bytes(data, "x"))
    picture = torch.randint(0, 256, (1, 3, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        assert torch.equal(again(picture), model.eval()(picture))
    assert again.classes == ("a", "b")


def test_a_trained_body_is_stored_with_the_head():
    model = build_model("resnet18", ("a", "b"), seed=5, pretrained=False)
    meta = {**META, "backbone": "resnet18", "body": "stored"}
    again = restore_model(from_bytes(to_bytes(Checkpoint(model_tensors(model, with_body=True), meta)), "x"))
    assert torch.equal(again.body.layer1[0].conv1.weight, model.body.layer1[0].conv1.weight)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.999])
def test_one_flipped_bit_is_noticed(data, share):
    broken = bytearray(data)
    broken[int(len(data) * share)] ^= 1
    with pytest.raises(ModelError, match="damaged"):
        from_bytes(bytes(broken), "x")


@pytest.mark.parametrize("junk", [
    b"", b"x", b"PK\x03\x04" + b"\0" * 64, struct.pack("<Q", 2**40) + b"{}", struct.pack("<Q", 2) + b"{}",
    struct.pack("<Q", 4) + b"null", struct.pack("<Q", 2) + b"\xff\xfe",
])  # fmt: skip
def test_what_is_no_checkpoint_is_refused_with_a_sentence(junk):
    with pytest.raises(ModelError, match="damaged"):
        from_bytes(junk, "x")


def test_a_truncated_file_is_refused(data):
    with pytest.raises(ModelError, match="damaged"):
        from_bytes(data[: len(data) // 2], "x")


def test_a_newer_version_is_refused_with_a_sentence(data):
    newer = data.replace(f'\\"schema\\": {SCHEMA}'.encode(), f'\\"schema\\": {SCHEMA + 1}'.encode())
    assert newer != data
    with pytest.raises(NewerVersion, match="Update Bearings"):
        from_bytes(newer, "x")


def test_weights_that_do_not_fit_are_refused(data):
    checkpoint = from_bytes(data, "x")
    lacking = {name: value for name, value in checkpoint.tensors.items() if name != "head.2.weight"}
    with pytest.raises(ModelError, match="do not fit"):
        restore_model(Checkpoint(lacking, checkpoint.meta))


def test_two_models_of_one_form_differ_in_their_first_bytes(data):
    """Whatever tells files apart by length and ends must not take one student's model for another's."""
    other = build_model("lite0", ("a", "b"), seed=6)
    second = to_bytes(Checkpoint(model_tensors(other, with_body=False), META))
    assert len(second) == len(data) and second[:4096] != data[:4096]


def test_the_header_is_plain_json(data):
    size = struct.unpack("<Q", data[:8])[0]
    meta = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["bearings"])
    assert meta["schema"] == SCHEMA and len(meta["sha256"]) == 64


def test_a_missing_file_says_what_to_do(tmp_path):
    with pytest.raises(ModelError, match="Train for at least one epoch"):
        read_checkpoint(tmp_path / "last.safetensors")
