"""Activations of a frozen body: pictures in, one row of pooled activations per picture out, computed once and kept.

The store is keyed by what decides the numbers: picture hash, backbone, weights, size and number format. It can
therefore never be stale, and it can be deleted at any time.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from core.vision.device import Device
from core.vision.model import Classifier, set_training
from core.workspace import disk_errors, new_id, write_atomic, write_json


@dataclass(frozen=True)
class FeatureStore:
    """Packs of activations in one folder; every pack is written once, so readers and writers need no lock."""

    folder: Path

    @classmethod
    def at(cls, cache: Path, *, weights_id: str, size: int, device: Device) -> FeatureStore:
        """The store for these weights at this picture size (pixels) and number format."""
        return cls(cache / "features" / f"{weights_id}-{size}-{device.precision}")

    def load(self, wanted: Sequence[str]) -> dict[str, np.ndarray]:
        """Rows (2 * features,) float32 of those picture hashes that are stored."""
        missing, found = set(wanted), {}
        for index in sorted(self.folder.glob("*.json")) if self.folder.is_dir() else []:
            hashes = json.loads(index.read_text(encoding="utf-8"))["hashes"]
            rows = [(row, sha) for row, sha in enumerate(hashes) if sha in missing]
            if rows:
                pack = np.load(index.with_suffix(".npy"), mmap_mode="r", allow_pickle=False)
                found.update({sha: np.array(pack[row]) for row, sha in rows})
                missing -= {sha for _, sha in rows}
        return found

    def save(self, rows: dict[str, np.ndarray]) -> None:
        """Add rows as one pack. The index is written last: a pack without one is not seen."""
        if not rows:
            return
        name = new_id()
        with disk_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            pack = np.stack(list(rows.values()))
            write_atomic(self.folder / f"{name}.npy", _npy_bytes(pack))
            write_json(self.folder / f"{name}.json", {"hashes": list(rows)})


def _npy_bytes(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


@torch.inference_mode()
def activations(model: Classifier, batches: Iterator[torch.Tensor], device: Device) -> Iterator[torch.Tensor]:
    """Batches of uint8 pixels (B, 3, S, S) to pooled activations (B, 2 * features), float32 on the CPU, in order."""
    set_training(model, False)
    for images in batches:
        with device.autocast():
            pooled = model.pooled(images.to(device.torch, non_blocking=True))
        yield pooled.float().cpu()
