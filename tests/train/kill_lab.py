"""Train a run in a process that is killed at given points and taken up again, until it is done.

    python -m tests.train.kill_lab HOME RUN LINES…       LINES: how many events there are when it is killed

torch is imported once, and every attempt is a fork of a process that has not used it yet.
"""

import os
import signal
import sys
import time
from pathlib import Path

import core.train.train_run  # noqa: F401  the import that takes seconds
from core.jobs.worker import work
from core.train import runs
from core.workspace import Workspace


def attempt(run, kill_at):
    """One process that works on the run; True when it came to its end before it was killed."""
    child = os.fork()
    if child == 0:
        for _ in work(run):
            pass
        os._exit(0)
    path = run.path / "events.jsonl"
    while kill_at is not None and (not path.exists() or path.read_bytes().count(b"\n") < kill_at):
        time.sleep(0.001)
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            return True
    if kill_at is not None:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return status == 0


def main(home, run_id, *points):
    run = runs.load_run(Workspace(Path(home)), run_id)
    for point in [*map(int, points), None]:
        if attempt(run, point):
            print("done", point)
            return
        run = runs.requeue(runs.set_state(run, "failed", code="killed"))


if __name__ == "__main__":
    main(*sys.argv[1:])
