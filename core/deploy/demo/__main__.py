"""Make the shipped model and its pictures anew: `python -m core.deploy.demo`."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import torch

from core.data.images import encode
from core.data.samples import make_sample
from core.data.samples.bears import CLASSES, draw_scene
from core.data.table import Dataset, load_dataset
from core.deploy.bundle import Bundle, bundle_of, write_bundle
from core.deploy.demo import HERE, MODEL, PICTURES
from core.jobs.worker import work
from core.settings import TrainSettings, to_record
from core.train.checkpoint import Checkpoint, tensors_sha256
from core.train.runs import create_run, load_run
from core.workspace import Workspace, write_atomic

PER_CLASS, SAMPLE_SEED = 200, 7
PICTURE_SEEDS = {"black": (9008, 9014), "grizzly": (9022, 9025), "teddy": (9007, 9022)}
PICTURE_SIZE = 512


def main() -> int:
    """Draw, train, and write the files of this folder."""
    with tempfile.TemporaryDirectory() as home:
        workspace = Workspace(Path(home))
        for _ in make_sample(workspace, "bears", name="bears", per_class=PER_CLASS, seed=SAMPLE_SEED):
            pass
        bundle = _train(load_dataset(workspace, "bears"))
    write_bundle(bundle, MODEL)
    _write_pictures(bundle)
    sys.stdout.write(json.dumps(bundle.card["metrics"]) + "\n")
    return 0


def _train(dataset: Dataset) -> Bundle:
    request = {"dataset": dataset.id, "settings": to_record(TrainSettings())}
    run = create_run(dataset.workspace, "train", request)
    for _ in work(run):
        pass
    whole = bundle_of(load_run(dataset.workspace, run.id))
    # half precision halves what every clone of the project carries; the answers differ in the fourth digit
    halves = {name: value.half() if value.is_floating_point() else value for name, value in _weights(whole).items()}
    card = {**whole.card, "sha256": tensors_sha256(halves)}
    return Bundle(Checkpoint(halves, whole.checkpoint.meta), card)


def _weights(bundle: Bundle) -> dict[str, torch.Tensor]:
    return bundle.checkpoint.tensors


def _write_pictures(bundle: Bundle) -> None:
    entries = []
    for label in CLASSES:
        for number, seed in enumerate(PICTURE_SEEDS[label]):
            name = f"{label}_{'ab'[number]}.jpg"
            write_atomic(HERE / name, encode(draw_scene(label, seed=seed, size=PICTURE_SIZE).image, quality=85).jpeg)
            entries.append({"file": name, "label": label})
    about = {"classes": list(bundle.classes), "per_class": PER_CLASS, "seed": SAMPLE_SEED, **bundle.card["metrics"]}
    write_atomic(PICTURES, json.dumps({"about": about, "pictures": entries}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
