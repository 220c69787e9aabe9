"""Model files from anywhere: a path in, a bundle out, or a sentence. Nothing of a foreign file is ever run.

What the zip may hold, what bearings.json may say, and the names, types and shapes of all tensors are known before the
first number is read; then the hash decides. Pickles and whatever holds one are told by their first bytes and refused.
"""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.data.layout import shown
from core.deploy.bundle import CARD, README, SCRIPT, WEIGHTS, Bundle
from core.deploy.card_in import checked_card, refused
from core.errors import ModelError
from core.workspace import check_schema

CARD_MAX_BYTES = 2**20
FILE_MAX_BYTES = 256 * 2**20  # the largest network of ours takes 103 MB
MEMBERS = (CARD, WEIGHTS, SCRIPT, README)

_HEADS = (  # the first bytes of a file, and what it is then
    (b"\x80\x02", "a Python pickle"),
    (b"\x80\x03", "a Python pickle"),
    (b"\x80\x04", "a Python pickle"),
    (b"\x80\x05", "a Python pickle"),
    (b"\x89HDF", "a Keras model (HDF5)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x1f\x8b", "a gzip file"),
    (b"7z\xbc\xaf", "a 7z file"),
    (b"Rar!", "a RAR file"),
    (b"TFL3", "a TensorFlow Lite model"),
)
_INSIDE = (  # a member's name in a zip, and what the zip is then
    ("constants.pkl", "a TorchScript program"),
    ("archive_format", "a torch.export program (.pt2)"),
    ("archive_version", "a torch.export program (.pt2)"),
    ("serialized_exported_program.json", "a torch.export program (.pt2)"),
    ("data.pkl", "a PyTorch file with a pickle in it"),
    ("model.weights.h5", "a Keras model"),
    ("saved_model.pb", "a TensorFlow model"),
)
_WHY = "Such a file can run code when it is opened, so it is never opened here."


def load_bundle(path: Path) -> Bundle:
    """Read and check a bundle; ModelError for anything that is not one, NewerVersion for one that is too new."""
    from core.deploy.tensors_in import HEADER_MAX_BYTES, expected_shapes, read_tensors
    from core.train.checkpoint import Checkpoint
    from core.vision.backbones import backbone_of

    with _opened(path) as archive:
        card = _card(archive, path.name)
        known, said = backbone_of(card["architecture"]["backbone"]), card["preprocessing"]
        if (said["mean"], said["std"]) != (list(known.mean), list(known.std)):
            raise refused(path.name, "its network sees pixels on another scale.")
        shapes = expected_shapes(card["architecture"]["backbone"], len(card["classes"]), body=_has_body(card))
        most = 8 + HEADER_MAX_BYTES + sum((4 if real else 8) * math.prod(shape) for shape, real in shapes.values())
        data = _member(archive, WEIGHTS, most, path.name)
    tensors = read_tensors(data, shapes, card["sha256"], path.name)
    return Bundle(Checkpoint(tensors, _meta(card)), card)


def read_card(path: Path) -> dict[str, Any]:
    """What bearings.json of a bundle says, checked; the weights are not read and torch is not needed."""
    with _opened(path) as archive:
        return _card(archive, path.name)


def _has_body(card: Mapping[str, Any]) -> bool:
    return bool(card["architecture"]["body"] == "stored")


def _meta(card: Mapping[str, Any]) -> dict[str, Any]:
    """What a checkpoint says about its weights, from the card alone: what the weights file says itself is not asked."""
    architecture = card["architecture"]
    return {
        "backbone": architecture["backbone"],
        "classes": list(card["classes"]),
        "image_size": card["preprocessing"]["size"],
        "body": architecture["body"],
        "dropout": 0.5,
        "dataset": card["dataset"]["id"],
        "version": card["dataset"]["version"],
    }


def _opened(path: Path) -> zipfile.ZipFile:
    """The zip at `path`, with nothing in it but what belongs into a bundle."""
    name = path.name
    try:
        size = path.stat().st_size
        if size > FILE_MAX_BYTES:
            raise refused(name, f"it has {size / 2**20:.0f} MB, and up to {FILE_MAX_BYTES // 2**20} MB are read.")
        archive = zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {name}.", hint="Check the path.") from error
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, RuntimeError, OverflowError) as error:
        raise refused(name, _what_is(path)) from error
    try:
        _check_members(archive, name)
    except ModelError:
        archive.close()
        raise
    return archive


def _what_is(path: Path) -> str:
    """What a file is that is no zip, as the end of a sentence."""
    try:
        with path.open("rb") as file:
            head = file.read(64)
    except OSError:
        return "it cannot be read."
    found = next((what for mark, what in _HEADS if head.startswith(mark)), None)
    if found:
        return f"it is {found}. {_WHY}"
    if head[8:9] == b"{" and 2 < int.from_bytes(head[:8], "little") < 2**27:
        return "it holds bare weights (safetensors), and nothing that says what they belong to."
    if head[:1] == b"\x08" and head[2:3] in (b"\x12", b"\x1a", b"\x22", b"\x3a"):
        return "it is an ONNX model."
    return "it is no zip, or a damaged one."


def _check_members(archive: zipfile.ZipFile, name: str) -> None:
    """Exactly the members of a bundle, each once, none locked."""
    members = archive.infolist()
    names = [member.filename for member in members]
    for inside, what in _INSIDE:
        if any(found.rsplit("/", 1)[-1] == inside for found in names):
            raise refused(name, f"it is {what}. {_WHY}")
    foreign = next((found for found in names if found not in MEMBERS), None)
    if foreign is not None:
        raise refused(name, f"it holds {shown(foreign, most=60)!r}, which does not belong there.")
    if len(names) != len(set(names)):
        raise refused(name, "it holds a file twice.")
    lacking = next((wanted for wanted in (CARD, WEIGHTS) if wanted not in names), None)
    if lacking is not None:
        raise refused(name, f"it has no {lacking}.")
    if any(member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for member in members):
        raise refused(name, "it is packed in a way that is not read here.")
    if any(member.flag_bits & 1 for member in members):
        raise refused(name, "it is locked with a password.")


def _member(archive: zipfile.ZipFile, wanted: str, limit: int, name: str) -> bytes:
    """A member's bytes, read up to `limit` whatever its header promises."""
    try:
        with archive.open(wanted) as file:
            data = file.read(limit + 1)
    except (zipfile.BadZipFile, ValueError, EOFError, OSError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise refused(name, f"its {wanted} is damaged.") from error
    if len(data) > limit:
        raise refused(name, f"its {wanted} is larger than {max(1, limit // 2**20)} MB.")
    return data


def _card(archive: zipfile.ZipFile, name: str) -> dict[str, Any]:
    data = _member(archive, CARD, CARD_MAX_BYTES, name)
    try:
        card = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise refused(name, f"its {CARD} cannot be read.") from error
    if not isinstance(card, dict):
        raise refused(name, f"its {CARD} cannot be read.")
    check_schema(card.get("schema"), shown(name, most=60))
    return checked_card(card, name)
