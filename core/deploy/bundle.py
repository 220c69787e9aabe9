"""Bundles: a trained run in, one zip of plain weights and words out. Nothing in it can run code.

model.safetensors holds the weights with their SHA-256; bearings.json says what they are: classes, architecture,
picture size, normalisation, and how well the run did.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import ModelError
from core.train.runs import LAST, Run
from core.workspace import SCHEMA, check_schema, write_atomic

if TYPE_CHECKING:  # the web server reads run records without torch
    from core.train.checkpoint import Checkpoint

WEIGHTS, CARD = "model.safetensors", "bearings.json"
CARD_MAX_BYTES = 2**20
WEIGHTS_MAX_BYTES = 2**30


@dataclass(frozen=True)
class Bundle:
    """Weights and what is known about them. `card` holds plain JSON values."""

    checkpoint: Checkpoint
    card: Mapping[str, Any]

    @property
    def classes(self) -> tuple[str, ...]:
        """The labels, in the order of the scores."""
        return tuple(self.checkpoint.meta["classes"])


def bundle_of(run: Run) -> Bundle:
    """The bundle of a training run's last epoch; ModelError when it has none yet."""
    from core.train.checkpoint import read_checkpoint, without_progress

    if run.kind != "train":
        raise ModelError("This run trained no model.", hint="Choose a training run.")
    checkpoint = without_progress(read_checkpoint(run.path / LAST))
    return Bundle(checkpoint, _card(checkpoint, run.id))


def _card(checkpoint: Checkpoint, run_id: str) -> dict[str, Any]:
    from core.train.checkpoint import tensors_sha256
    from core.vision.backbones import backbone_of

    meta, backbone = checkpoint.meta, backbone_of(checkpoint.meta["backbone"])
    last = meta["progress"]["last"]
    return {
        "run": run_id,
        "classes": meta["classes"],
        "architecture": {"backbone": backbone.name, "weights": backbone.weights_id, "body": meta["body"]},
        "preprocessing": {"size": meta["image_size"], "mean": list(backbone.mean), "std": list(backbone.std)},
        "metrics": {name: last[name] for name in ("error_rate", "wrong", "of", "valid_loss")},
        "dataset": {"id": meta["dataset"], "version": meta["version"]},
        "sha256": tensors_sha256(checkpoint.tensors),
    }


def save_bundle(run: Run, path: Path) -> Bundle:
    """Write the bundle of a run's last epoch to `path`."""
    bundle = bundle_of(run)
    write_bundle(bundle, path)
    return bundle


def write_bundle(bundle: Bundle, path: Path) -> None:
    """Write a bundle as a zip, atomically."""
    from core.train.checkpoint import to_bytes

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # weights do not compress
        archive.writestr(CARD, json.dumps({"schema": SCHEMA, **bundle.card}, indent=1, ensure_ascii=False))
        archive.writestr(WEIGHTS, to_bytes(bundle.checkpoint))
    write_atomic(path, buffer.getvalue())


def load_bundle(path: Path) -> Bundle:
    """Read and verify a bundle; ModelError for anything that is not one, NewerVersion for one that is too new."""
    from core.train.checkpoint import from_bytes

    try:
        with zipfile.ZipFile(path) as archive:
            card = json.loads(_member(archive, CARD, CARD_MAX_BYTES))
            data = _member(archive, WEIGHTS, WEIGHTS_MAX_BYTES)
    except FileNotFoundError as error:
        raise ModelError(f"There is no file {path.name}.", hint="Check the path.") from error
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, NotImplementedError, RuntimeError) as error:
        raise ModelError(f"{path.name} is no model saved by Bearings.", hint="Save it again from its run.") from error
    if not isinstance(card, dict):
        raise ModelError(f"{path.name} is no model saved by Bearings.", hint="Save it again from its run.")
    check_schema(card.get("schema"), path.name)
    return Bundle(from_bytes(data, path.name), card)


def _member(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    """A member's bytes, read up to `limit` whatever its header promises."""
    with archive.open(name) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ModelError(f"{name} is larger than {limit // 2**20} MB.", hint="It was not saved by Bearings.")
    return data
