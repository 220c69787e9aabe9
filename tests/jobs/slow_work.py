"""Work for the tests of the engine, loaded into its workers: slow, deaf, hungry or broken, as a run's request says."""

import functools
import time

from core.errors import DataError
from core.jobs import worker as worker_module
from core.train import runs
from core.train.events import DataReady, Progress

worker_module._warm_up = lambda: None  # nothing here trains: the tests need not wait for torch


def dask_setup(worker):
    for kind in list(runs.PERFORM):
        runs.PERFORM[kind] = functools.partial(count_or_train, kind, runs.PERFORM[kind])


def count_or_train(kind, real, run, stop):
    """Real training where there are settings for it; counting in all other runs."""
    if "settings" not in run.request:
        return count(run, stop)
    runs.PERFORM[kind] = real
    return runs.performer(kind)(run, stop)


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
