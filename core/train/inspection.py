"""The quality checks as a run: a data set's id in; progress, a table of issues and counts out. Nothing is changed.

The activations it computes are those of a training with the usual settings, kept in the same store: the training that
follows starts at once.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

import numpy as np
import pandas as pd

from core.data import pool
from core.data.events import Progress, Reported
from core.data.looks import Looks, scan
from core.data.problems import read_issues
from core.data.quality import counts, inspect, remarks
from core.data.table import Dataset, load_dataset
from core.errors import DataError
from core.settings import TrainSettings
from core.train.events import Event
from core.train.runs import Run, Stop
from core.workspace import write_atomic

__all__ = ["FILE", "load_issues", "perform"]

FILE = "issues.csv"


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Check the data set of the request; write issues.csv into the run's folder, and report how many were found.

    An inspection that is stopped writes nothing, but what it computed is kept.
    """
    from core.train.source import Stopped  # torch takes seconds to import: not for the web server

    try:
        yield from _perform(run, stop)
    except (Stopped, pool.Stopped):
        return


def _perform(run: Run, stop: Stop) -> Iterator[Event]:
    dataset = load_dataset(run.workspace, run.request["dataset"])
    items = dataset.kept()
    if items.empty:
        raise DataError(f"{dataset.name} has no pictures yet, so there is nothing to check.", hint="Bring some first.")
    looks = yield from scan(dataset.workspace.cache, list(items["file"]), dataset.image_path, stop=stop)
    activations = yield from _activations(dataset, items, looks, stop)
    issues = inspect(items, looks, activations)
    if stop():
        return
    write_atomic(run.path / FILE, issues.to_csv(index=False, lineterminator="\n"))
    yield Reported(0, "inspect", counts(issues), tuple(remarks(issues)))


def _activations(
    dataset: Dataset, items: pd.DataFrame, looks: Looks, stop: Stop
) -> Generator[Progress, None, np.ndarray]:
    """Activations (N, D) in the order of the looks, from the body that a training takes unless told otherwise.

    Rows of pictures that cannot be read are zero.
    """
    from core.train.source import Source
    from core.vision.device import pick_device
    from core.vision.features import FeatureStore
    from core.vision.model import build_model, watched

    settings = TrainSettings()
    device = pick_device(settings.device, settings.precision)
    classes = tuple(sorted(set(items["label"])))
    model = build_model(settings.backbone, classes, seed=settings.seed).to(device.torch)
    readable = items[items["file"].isin(looks.table.loc[looks.table["brightness"].notna(), "file"])]
    source = Source.of(readable, dataset.image_path, classes, size=settings.image_size, device=device, stop=stop)
    store = FeatureStore.at(
        dataset.workspace.cache, weights_id=model.backbone.weights_id, size=settings.image_size, device=device
    )
    found = np.zeros((len(looks.table), 2 * model.backbone.features), dtype=np.float32)
    sides = tuple(side for side in ("train", "valid") if len(getattr(source, side)))
    with watched(model, source.check_stop):
        yield from source.prepare_features(model, store, sides=sides)
    for part in (getattr(source, side) for side in sides):
        found[looks.rows(part.hashes)] = part.features.cpu().numpy()
    return found


def load_issues(run: Run) -> pd.DataFrame:
    """What an inspection found: columns check, item, score, group, words; NotFound while it has not ended."""
    return read_issues(run.path / FILE)
