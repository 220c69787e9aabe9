"""Models for tests, made in a moment: any backbone with random weights whose answers are neither sure nor equal."""

from __future__ import annotations

import functools
import json
import zipfile

import torch

from core.deploy.bundle import Bundle, export_bundle
from core.train.checkpoint import Checkpoint, model_tensors, tensors_sha256
from core.vision.backbones import backbone_of
from core.vision.model import build_model
from core.workspace import new_id

CLASSES = ("black", "grizzly", "teddy")


@functools.cache
def random_bundle(backbone="resnet18", classes=CLASSES, *, seed=0, size=64, body=True):
    """A bundle of a model that has learned nothing; without `body` its body is the published one of lite0."""
    model = build_model(backbone, classes, seed=seed, pretrained=not body)
    with torch.no_grad():
        model.head[-1].weight.mul_(0.3)
    tensors = model_tensors(model, with_body=body)
    meta = {"backbone": backbone, "classes": list(classes), "image_size": size, "dropout": 0.5}
    meta |= {"body": "stored" if body else "pretrained", "dataset": new_id(), "version": "a" * 64}
    found = backbone_of(backbone)
    card = {
        "run": new_id(),
        "classes": list(classes),
        "architecture": {"backbone": backbone, "weights": found.weights_id, "body": meta["body"]},
        "preprocessing": {"longest_side": 512, "size": size, "mean": list(found.mean), "std": list(found.std)},
        "precision": "float32",
        "metrics": {"error_rate": 0.05, "wrong": 3, "of": 60, "valid_loss": 0.1},
        "dataset": {"id": meta["dataset"], "name": "bears", "version": meta["version"]},
        "sha256": tensors_sha256(tensors),
    }
    return Bundle(Checkpoint(tensors, meta), card)


def exported(path, **options):
    """A bundle as somebody takes it along."""
    return export_bundle(random_bundle(**options), path)


def rewrite(source, target, parts, compression=zipfile.ZIP_STORED):
    """Copy a zip with some members replaced or added, or left out where the new content is None."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            data = parts[name] if name in parts else old.read(name)
            if data is not None:
                new.writestr(name, data)
    return target


def card_of(path):
    """What bearings.json of a zip says."""
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("bearings.json"))
