"""Bundles: a trained run in, one zip of plain weights and words out. Nothing in it can run when it is opened.

model.safetensors   the weights, with the SHA-256 of their tensors
bearings.json       what they are: classes, architecture, picture size, scale of the pixels, how well the run did
predict.py          asks the model without Bearings; README.md says what it is and how it is used

The first two are the model; the others come along when somebody takes it away. What was taken away has the body in it,
also one that is still as published, so that nothing need be fetched.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.data.export import zip_entry
from core.data.table import load_dataset
from core.deploy.bundle_text import model_card, predict_script
from core.errors import ModelError, NotFound
from core.train.runs import LAST, Run
from core.workspace import SCHEMA, check_free_space, disk_errors, new_id

if TYPE_CHECKING:  # the web server reads run records without torch
    from core.train.checkpoint import Checkpoint

WEIGHTS, CARD, SCRIPT, README = "model.safetensors", "bearings.json", "predict.py", "README.md"
LONGEST_SIDE = 512
PRECISION = "bfloat16 where the processor computes in it, else float32"


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
    return Bundle(checkpoint, _card(checkpoint, run))


def _card(checkpoint: Checkpoint, run: Run) -> dict[str, Any]:
    from core.train.checkpoint import tensors_sha256
    from core.vision.backbones import backbone_of

    meta, backbone = checkpoint.meta, backbone_of(checkpoint.meta["backbone"])
    last = meta["progress"]["last"]
    return {
        "run": run.id,
        "classes": meta["classes"],
        "architecture": {"backbone": backbone.name, "weights": backbone.weights_id, "body": meta["body"]},
        "preprocessing": {
            "longest_side": LONGEST_SIDE,
            "size": meta["image_size"],
            "mean": list(backbone.mean),
            "std": list(backbone.std),
        },
        "precision": PRECISION,
        "metrics": {name: last[name] for name in ("error_rate", "wrong", "of", "valid_loss")},
        "dataset": {"id": meta["dataset"], "name": _dataset_name(run), "version": meta["version"]},
        "sha256": tensors_sha256(checkpoint.tensors),
    }


def _dataset_name(run: Run) -> str:
    """The name of the data set as it is now, or as it was when the run began; "" when nobody knows it any more."""
    with contextlib.suppress(NotFound, KeyError):
        return load_dataset(run.workspace, run.request["dataset"]).name
    return str(run.request.get("dataset_name", ""))


def with_body(bundle: Bundle) -> Bundle:
    """The same model with every weight it needs, in float32; ModelError when its published body is not here."""
    from core.train.checkpoint import Checkpoint, model_tensors, restore_model, tensors_sha256

    model = restore_model(bundle.checkpoint)
    tensors = model_tensors(model, with_body=True)
    kept = ("backbone", "classes", "image_size", "dropout", "dataset", "version")
    meta = {name: bundle.checkpoint.meta[name] for name in kept if name in bundle.checkpoint.meta}
    meta |= {"body": "stored", "keeps_statistics": model.keeps_statistics}
    architecture = {**bundle.card["architecture"], "body": "stored"}
    card = {**bundle.card, "architecture": architecture, "sha256": tensors_sha256(tensors)}
    return Bundle(Checkpoint(tensors, meta), card)


def export_bundle(bundle: Bundle, path: Path, *, per_class: Sequence[Mapping[str, Any]] = ()) -> Bundle:
    """Write all that somebody needs who does not have Bearings; the bundle as it was written.

    `per_class` holds {"label", "wrong", "of"} for each class, on the pictures kept aside, where that is known.
    """
    whole = with_body(bundle)
    if per_class:
        metrics = {**whole.card["metrics"], "per_class": [dict(one) for one in per_class]}
        whole = Bundle(whole.checkpoint, {**whole.card, "metrics": metrics})
    write_bundle(whole, path, words={SCRIPT: predict_script(whole.card), README: model_card(whole.card)})
    return whole


def write_bundle(bundle: Bundle, path: Path, *, words: Mapping[str, str] | None = None) -> None:
    """Write a bundle as a zip, atomically; `words` are files that come along, by name."""
    from core.train.checkpoint import to_bytes

    card = json.dumps({"schema": SCHEMA, **bundle.card}, indent=1, ensure_ascii=False, allow_nan=False)
    weights = to_bytes(bundle.checkpoint)
    with disk_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        check_free_space(path.parent, len(weights))
        temp = path.parent / f".tmp-{new_id()}"
        try:
            with zipfile.ZipFile(temp, "w") as archive:
                for name, text in {CARD: card, **(words or {})}.items():
                    archive.writestr(zip_entry(name, zipfile.ZIP_DEFLATED), text.encode())
                archive.writestr(zip_entry(WEIGHTS, zipfile.ZIP_STORED), weights)  # weights do not compress
            temp.replace(path)
        finally:
            temp.unlink(missing_ok=True)


def file_stem(card: Mapping[str, Any]) -> str:
    """What a model's files are called, without ending: run and hash tell each from every other."""
    return f"model-{card['run']}-{card['sha256'][:12]}"
