"""The model that ships with Bearings, and pictures to ask it about: files in this folder in, a bundle and JPEGs out.

`python -m core.deploy.demo` makes both anew: it draws bears, trains on them as anybody would, and keeps the result.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.deploy.bundle import Bundle
from core.deploy.model_file import load_bundle

HERE = Path(__file__).parent
MODEL, PICTURES = HERE / "bears.zip", HERE / "pictures.json"
DATASET = "drawn bears"


@dataclass(frozen=True)
class DemoPicture:
    """A drawn picture that the shipped model has never seen. `sha` is the SHA-256 of `jpeg`; `label` is the truth."""

    sha: str
    jpeg: bytes
    label: str


def bundle() -> Bundle:
    """The shipped model: black bears, grizzlies and teddies."""
    found = load_bundle(MODEL)
    return replace(found, card={**found.card, "dataset": {**found.card["dataset"], "name": DATASET}})


def about() -> dict[str, Any]:
    """How the shipped model was made and how well it does; plain JSON values, no torch needed."""
    record: dict[str, Any] = json.loads(PICTURES.read_text(encoding="utf-8"))["about"]
    return record


def pictures() -> list[DemoPicture]:
    """Six pictures, two of each class."""
    found = []
    for entry in json.loads(PICTURES.read_text(encoding="utf-8"))["pictures"]:
        data = (HERE / entry["file"]).read_bytes()
        found.append(DemoPicture(hashlib.sha256(data).hexdigest(), data, entry["label"]))
    return found
