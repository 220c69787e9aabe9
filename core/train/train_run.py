"""A training run in its folder: what it learns from is pinned, and its checkpoints are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd

from core import settings as settings_of
from core.data.mistakes import read_mistakes
from core.data.table import Dataset, classes_of, items_to_csv, load_dataset, read_items, version_of
from core.train import remarks
from core.train.checkpoint import Checkpoint, read_checkpoint, read_start, without_progress, write_checkpoint
from core.train.events import Event
from core.train.learner import fit
from core.train.memory import halved, with_batch
from core.train.runs import BEST, LAST, Run, save_point
from core.train.source import Stop
from core.workspace import check_free_space, same_file, write_atomic

START, MISTAKES = "start.safetensors", "mistakes.csv"
CHECKPOINT_BYTES, SAVE_POINT_BYTES = 200 * 2**20, 100 * 2**20


def train_run(run: Run, stop: Stop) -> Iterator[Event]:
    """Do the work of a training run in its folder: pin what it learns from, train, keep the checkpoints.

    Kept are the last and the best epoch, and a save point after each stage. A run that was interrupted goes on from its
    last checkpoint, on the table it began with.
    """
    settings = settings_of.from_record(run.request["settings"])
    check_free_space(run.path, CHECKPOINT_BYTES + SAVE_POINT_BYTES * len(settings.stages))
    dataset, items, mistakes = learned_from(run)
    last = run.path / LAST

    def save(checkpoint: Checkpoint, best: bool) -> str:
        # `last` comes at the end: a run that is killed before it does this epoch again, and all of this with it
        weights, over = without_progress(checkpoint), checkpoint.meta["progress"]["over"]
        if over:
            point = run.path / save_point(checkpoint.meta["stage"])
            write_checkpoint(point, weights)
            for other in (run.path / BEST, last) if best else (last,):
                same_file(point, other)
            return LAST
        if best:
            write_checkpoint(run.path / BEST, weights)
        write_checkpoint(last, checkpoint)
        return LAST

    resume = read_checkpoint(last) if last.exists() else None
    start = None if resume else start_of(run)
    if start is not None:
        reached = start.meta["progress"]["last"]
        yield remarks.goes_on_from(start.meta["stage"], reached["wrong"], reached["of"])
    smaller = halved(run)
    if smaller is not None:
        settings = with_batch(settings, *smaller)
        yield remarks.half_batch(*smaller)
    yield from fit(
        dataset,
        settings,
        items=items,
        mistakes=mistakes,
        resume=resume,
        start=start,
        origin=_origin_of(run, resume) if resume else None,
        stop=stop,
        save=save,
    )


def learned_from(run: Run) -> tuple[Dataset, pd.DataFrame, pd.DataFrame]:
    """What a training run learns from, pinned when it first begins: its data set, the rows that count, its mistakes."""
    dataset = load_dataset(run.workspace, run.request["dataset"])
    items = read_items(_pinned(run.path / "items.csv", lambda: items_to_csv(dataset.items())))
    mistakes = pd.read_csv(
        _pinned(run.path / MISTAKES, lambda: read_mistakes(dataset).to_csv(index=False)), dtype=str, na_filter=False
    )
    pinned = replace(dataset, version=version_of(items), classes=classes_of(items))
    return pinned, items[items["status"] == "kept"], mistakes


def _origin_of(run: Run, resume: Checkpoint) -> Checkpoint | None:
    """The checkpoint with which the stage of `resume` began; None where it began with fresh weights."""
    number = resume.meta["stage"]
    before = run.path / (save_point(number - 1) if number else START)
    return read_checkpoint(before) if before.exists() else None


def _pinned(path: Path, make: Callable[[], str]) -> Path:
    """A file that is written when a run begins and stays as it is when the run goes on."""
    if not path.exists():
        write_atomic(path, make())
    return path


def start_of(run: Run) -> Checkpoint | None:
    """The checkpoint of another run that this one goes on from; a copy stays here, whatever becomes of the other."""
    wanted = run.request.get("start")
    if wanted is None:
        return None
    copy = run.path / START
    if not copy.exists():
        write_checkpoint(copy, read_start(run.workspace, wanted))
    return read_checkpoint(copy)
