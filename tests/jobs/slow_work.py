"""Work for the tests of the engine, loaded into its workers: slow, deaf, hungry or broken, as a run's request says."""

import functools
import time

from core.errors import DataError
from core.jobs import worker as worker_module
from core.settings import from_record
from core.train import runs
from core.train.events import DataReady, Finished, Progress, StageStarted
from core.train.memory import halved, with_batch

worker_module._warm_up = lambda: None  # nothing here trains: the tests need not wait for torch


def dask_setup(worker):
    for kind in list(runs.PERFORM):
        runs.PERFORM[kind] = functools.partial(count_or_train, kind, runs.PERFORM[kind])


def count_or_train(kind, real, run, stop):
    """Real training where there are settings for it; counting in all other runs."""
    if run.request.get("trick") == "large batches":
        return fill_memory(run)
    if "settings" not in run.request:
        return count(run, stop)
    runs.PERFORM[kind] = real
    return runs.performer(kind)(run, stop)


def fill_memory(run):
    """Train with room for half the batch only: with the whole one, take memory until the process is ended."""
    settings, smaller = from_record(run.request["settings"]), halved(run)
    batch = (with_batch(settings, *smaller) if smaller else settings).stages[0].batch_size
    yield StageStarted(0, 0, 1, 1, True, True, (1e-3,), "one_cycle", 1, batch=batch)
    hoard = []
    while batch > 8:
        hoard.append(b"x" * 20_000_000)
        time.sleep(0.005)
    yield Finished(1, "done", 0.5, 1, 2, 1.0)


def count(run, stop):
    """Count to `steps`; `pause_s` between two steps."""
    steps = run.request.get("steps", 3)
    trick = run.request.get("trick")
    hoard = []
    for step in range(steps):
        if stop() and trick != "deaf":
            return
        yield Progress(seq=step, phase="count", done=step + 1, total=steps)
        if trick == "hungry":
            raise MemoryError
        if trick == "broken":
            raise ZeroDivisionError("secret path /home/x")
        if trick == "picky":
            raise DataError("This cannot be counted.", hint="Take another one.")
        if trick == "greedy":
            hoard.append(b"x" * 20_000_000)
        time.sleep(run.request.get("pause_s", 0.01))
    yield DataReady(seq=steps, dataset="d", name="n", classes=("a", "b"), kept=2, train=1, valid=1)
