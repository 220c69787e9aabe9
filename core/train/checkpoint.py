"""Checkpoints: weights, optimiser and place in the run, to a safetensors file and back. Never a pickle.

Two runs with the same frozen body and the same classes must not look alike to anything that compares files by their
length and ends, so the file carries the SHA-256 of its tensors; it is verified when the file is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from core.errors import ModelError, TrainError
from core.train.runs import is_checkpoint, load_run
from core.vision.model import Classifier, build_model
from core.workspace import SCHEMA, Workspace, check_schema, write_atomic

_LENGTH_BYTES = 8
_HEADER_MAX = 4 * 2**20


@dataclass(frozen=True)
class Checkpoint:
    """`tensors` by name ("head.…", "body.…", "optimiser.…"); `meta` holds plain JSON values.

    `meta` has backbone, classes, image_size, body ("pretrained" when the body is as published and left out, else
    "stored"), stage, epoch and what the loop needs to go on.
    """

    tensors: dict[str, torch.Tensor]
    meta: dict[str, Any]


def model_tensors(model: Classifier, *, with_body: bool) -> dict[str, torch.Tensor]:
    """A copy of the weights to keep; a body that is still as published need not be stored again."""
    state = model.state_dict()
    return {name: _copied(value) for name, value in state.items() if with_body or name.startswith("head.")}


def _copied(value: torch.Tensor) -> torch.Tensor:
    """On a CPU the live tensor would go on changing under whoever holds the checkpoint."""
    return value.detach().to("cpu", copy=True)


def optimiser_tensors(optimiser: torch.optim.Optimizer) -> dict[str, torch.Tensor]:
    """A copy of the optimiser's running means, named "optimiser.<parameter>.<what>"."""
    state = optimiser.state_dict()["state"]
    return {
        f"optimiser.{index}.{name}": _copied(torch.as_tensor(value))
        for index, entry in state.items()
        for name, value in entry.items()
    }


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: dict[str, torch.Tensor]) -> None:
    """Put running means back that `optimiser_tensors` took from an optimiser of the same form."""
    state: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimiser."):
            _, index, what = name.split(".", 2)
            state.setdefault(int(index), {})[what] = _copied(value)
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def restore_model(checkpoint: Checkpoint) -> Classifier:
    """The model of a checkpoint, on the CPU and in evaluation mode."""
    meta = checkpoint.meta
    whole = meta["body"] == "stored"
    model = build_model(meta["backbone"], tuple(meta["classes"]), seed=0, pretrained=not whole, dropout=meta["dropout"])
    problems = model.load_state_dict(without_progress(checkpoint).tensors, strict=False)
    model.keeps_statistics = meta.get("keeps_statistics", not whole)
    lacking = [name for name in problems.missing_keys if whole or name.startswith("head.")]
    if lacking or problems.unexpected_keys:
        raise ModelError("The weights in this file do not fit its architecture.", hint="Train the model again.")
    return model.eval()


def without_progress(checkpoint: Checkpoint) -> Checkpoint:
    """Only the weights, for predictions or for a new start: without the optimiser and the weights kept beside them."""
    kept = {name: value for name, value in checkpoint.tensors.items() if not name.startswith(("optimiser.", "kept."))}
    return Checkpoint(kept, checkpoint.meta)


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write atomically, with the version number and the SHA-256 of the tensors in the header."""
    write_atomic(path, to_bytes(checkpoint))


def to_bytes(checkpoint: Checkpoint) -> bytes:
    """A checkpoint as the bytes of a safetensors file."""
    tensors = {name: value.contiguous() for name, value in checkpoint.tensors.items()}
    meta = {**checkpoint.meta, "schema": SCHEMA, "sha256": tensors_sha256(tensors)}
    return save_tensors(tensors, metadata={"bearings": json.dumps(meta)})


def read_checkpoint(path: Path) -> Checkpoint:
    """Read and verify; ModelError when the file is missing, damaged or not ours, NewerVersion when it is too new."""
    try:
        return from_bytes(path.read_bytes(), path.name)
    except FileNotFoundError as error:
        raise ModelError(f"There is no {path.name} yet.", hint="Train for at least one epoch first.") from error


def read_start(workspace: Workspace, wanted: Mapping[str, str]) -> Checkpoint:
    """The weights that a run's request names as its start: the id of a training "run" and a "file" in its folder."""
    if not is_checkpoint(wanted["file"]):
        raise TrainError(f"{wanted['file'][:40]!r} is no checkpoint.", hint="Choose one that a training run has kept.")
    return without_progress(read_checkpoint(load_run(workspace, wanted["run"]).path / wanted["file"]))


def from_bytes(data: bytes, name: str) -> Checkpoint:
    """Inverse of `to_bytes`; `name` is for the sentence when something is wrong."""
    damaged = ModelError(
        f"{name} is damaged: its numbers are not those that were saved.", hint="Train the model again."
    )
    try:
        size = int.from_bytes(data[:_LENGTH_BYTES], "little")
        if not 0 < size <= min(_HEADER_MAX, len(data)):
            raise damaged
        header = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + size])
        meta = json.loads(header["__metadata__"]["bearings"])
        tensors = load_tensors(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise damaged from error
    check_schema(meta.get("schema"), name)
    if meta.get("sha256") != tensors_sha256(tensors):
        raise damaged
    return Checkpoint(tensors, meta)


def tensors_sha256(tensors: dict[str, torch.Tensor]) -> str:
    """SHA-256 over names, types, shapes and bytes of tensors, in order of name; 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        value = tensors[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)};".encode())
        digest.update(np.ascontiguousarray(value.reshape(-1).view(torch.uint8).numpy()).data)
    return digest.hexdigest()
