"""Work for the tests of the engine, loaded into its workers: slow, deaf, hungry or broken, as a run's request says."""

import time

from core.errors import DataError
from core.train import runs
from core.train.events import DataReady, Progress


def dask_setup(worker):
    for kind in runs.PERFORM:
        runs.PERFORM[kind] = count


def count(run, stop):
    """Count to `steps`; `pause_s` between two steps."""
    steps = run.request.get("steps", 3)
    trick = run.request.get("trick")
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
        time.sleep(run.request.get("pause_s", 0.01))
    yield DataReady(seq=steps, dataset="d", name="n", classes=("a", "b"), kept=2, train=1, valid=1)
