"""Foreign weights: the bytes of a safetensors file in, tensors out, once all that can be known of them is in order.

Names, types, shapes and places are held against the network before a tensor is made; then the hash and the values.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_tensors

from core.data.layout import shown
from core.deploy.bundle import WEIGHTS
from core.deploy.card_in import refused
from core.errors import ModelError
from core.train.checkpoint import tensors_sha256
from core.vision.backbones import backbone_of
from core.vision.model import Head

HEADER_MAX_BYTES = 2**20
_TYPES = {"F32": 4, "F16": 2, "I64": 8}

Shapes = Mapping[str, tuple[tuple[int, ...], bool]]


def expected_shapes(backbone: str, classes: int, *, body: bool) -> Shapes:
    """Name -> shape and whether it holds fractions, for every tensor of a model; without `body` those of its head."""
    found = backbone_of(backbone)
    with torch.device("meta"):  # shapes alone, no numbers
        parts = {"head": Head(found.features, classes, dropout=0.5), **({"body": found.make()} if body else {})}
    return {
        f"{part}.{name}": (tuple(value.shape), value.is_floating_point())
        for part, module in parts.items()
        for name, value in module.state_dict().items()
    }


def read_tensors(data: bytes, shapes: Shapes, sha256: str, name: str) -> dict[str, torch.Tensor]:
    """The tensors in the bytes of a safetensors file; ModelError unless they are exactly those that were saved."""
    check_header(data, shapes, name)
    try:
        tensors = load_tensors(data)
    except SafetensorError as error:
        raise refused(name, f"its {WEIGHTS} is damaged.") from error
    if tensors_sha256(tensors) != sha256:
        raise ModelError(
            f"{name} is damaged: its numbers are not those that were saved.", hint="Download it once more."
        )
    _check_finite(tensors, name)
    return tensors


def check_header(data: bytes, shapes: Shapes, name: str) -> None:
    """The head of a safetensors file, before a tensor is made of it: exactly these tensors, side by side, to the end.

    `shapes`: name -> its shape, and whether it holds fractions (else counts).
    """
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or not 0 < size <= min(HEADER_MAX_BYTES, len(data) - 8):
        raise refused(name, f"the head of its {WEIGHTS} would have {size:,} bytes.")
    try:
        header = json.loads(data[8 : 8 + size].decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise refused(name, f"the head of its {WEIGHTS} cannot be read.") from error
    if not isinstance(header, dict):
        raise refused(name, f"the head of its {WEIGHTS} cannot be read.")
    header.pop("__metadata__", None)
    if set(header) != set(shapes):
        odd = sorted(set(header) ^ set(shapes))[0]
        what = "lacks" if odd in shapes else "has"
        raise refused(name, f"its {WEIGHTS} {what} {shown(odd, most=60)!r}, unlike its network.")
    spans = sorted(_span(entry, key, shapes[key], name) for key, entry in header.items())
    end = 0
    for first, last in spans:
        if first != end:
            raise refused(name, f"the tensors in its {WEIGHTS} overlap, or do not lie side by side.")
        end = last
    if end != len(data) - 8 - size:
        raise refused(name, f"its {WEIGHTS} is cut off, or holds more than it says.")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _span(entry: Any, key: str, wanted: tuple[tuple[int, ...], bool], name: str) -> tuple[int, int]:
    """Where a tensor lies; its type, shape and length are those that its network asks for."""
    shape, fractions = wanted
    wrong = refused(name, f"{key!r} in its {WEIGHTS} has another type, shape or place than its network asks for.")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise wrong
    kind, offsets = entry["dtype"], entry["data_offsets"]
    if kind not in (("F32", "F16") if fractions else ("I64",)) or entry["shape"] != list(shape):
        raise wrong
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(one) is int for one in offsets):
        raise wrong
    first, last = offsets
    if not 0 <= first <= last or last - first != math.prod(shape) * _TYPES[kind]:
        raise wrong
    return first, last


def _check_finite(tensors: Mapping[str, torch.Tensor], name: str) -> None:
    """ModelError when a weight is no number, or infinite."""
    for key, value in tensors.items():
        if value.is_floating_point() and not bool(value.isfinite().all()):
            raise refused(name, f"{key!r} in its {WEIGHTS} holds values that are no numbers.")
