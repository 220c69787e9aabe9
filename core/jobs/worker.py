"""What happens where the work is done: a run in, its events, its last state and its result on disk.

`work` is for whoever wants to watch (the terminal), `execute` for an engine's worker process. Only this module moves a
run through starting and running to its end; a worker that is killed leaves that to the engine.
"""

from __future__ import annotations

import ctypes
import dataclasses
import errno
import gc
import importlib
import logging
import os
import re
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from core.errors import DiskFull, LabError
from core.train import runs
from core.train.events import DataReady, Diverged, Event, Finished, Reported
from core.train.memory import is_out_of_memory
from core.train.runs import Run, Stop
from core.workspace import Workspace, new_id

log = logging.getLogger(__name__)

# environment variable of glibc's malloc: (number of the same option for mallopt, value)
MALLOC: Mapping[str, tuple[int, int]] = {
    "MALLOC_TRIM_THRESHOLD_": (-1, 2**31 - 1),
    "MALLOC_TOP_PAD_": (-2, 64 * 2**20),
    "MALLOC_MMAP_MAX_": (-4, 0),
    "MALLOC_ARENA_MAX": (-8, 1),
}
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def lease(boot: str | None) -> dict[str, Any]:
    """Who works on a run: engine boot id (None for a terminal), host, process id and when that process started."""
    pid = os.getpid()
    return {"boot": boot, "host": socket.gethostname(), "pid": pid, "started": psutil.Process(pid).create_time()}


def is_held(found: dict[str, Any] | None) -> bool:
    """Whether the process of a lease still lives on this host. A process id alone could have been given out again."""
    if not found or found["host"] != socket.gethostname():
        return False
    try:
        process = psutil.Process(found["pid"])
        return process.create_time() == found["started"] and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def work(run: Run, stop: Stop | None = None, *, boot: str | None = None) -> Iterator[Event]:
    """Do a queued run from start to end: every event is written down, then handed on.

    `stop` is asked besides the run's own stop flag. Whatever goes wrong is recorded in the run and raised again.
    Closing the generator, or Ctrl-C, leaves the run interrupted.
    """

    def asked() -> bool:
        return runs.stop_requested(run) or (stop is not None and stop())

    if run.kind in ("train", "lr_find"):
        keep_memory()
    run = runs.set_state(run, "starting", lease=lease(boot))
    last: dict[str, Event] = {}
    try:
        for event in _numbered(run, asked):
            if not last:
                run = runs.set_state(run, "running")
            last[event.kind] = event
            yield event
        if not last:
            run = runs.set_state(run, "running")
    except (KeyboardInterrupt, GeneratorExit):
        runs.set_state(run, "interrupted", code="closed", message="The work was broken off.", hint="Start it again.")
        raise
    except Exception as error:
        _record_failure(run, error, asked=asked())
        raise
    _record_end(run, last, asked=asked())


def execute(home: str, owner: str, run_id: str, boot: str | None = None) -> bool:
    """Do a run in a worker process. True when the process should not be used again (its memory or GPU gave out).

    A run that is not queued any more, because somebody stopped it meanwhile, is left as it is.
    """
    run = runs.load_run(Workspace(Path(home), owner), run_id)
    if run.state != "queued":
        return False
    try:
        for _ in work(run, boot=boot):
            pass
    except Exception as error:  # `work` has written it into the run already
        return is_out_of_memory(error) or "CUDA error" in str(error)
    finally:
        _tidy()
    return False


def keep_memory() -> None:
    """Have freed memory kept for the next batch instead of handed back to the system, where the C library can do so.

    glibc gives every large tensor pages of its own and returns them at once. The page faults of that cost about half of
    an epoch: 13 against 5 to 7 CPU seconds for 180 augmented pictures through Lite0 on two cores.
    """
    library = _glibc()
    if library is not None:
        for name, value in MALLOC.values():
            library.mallopt(name, value)


def give_back_memory() -> None:
    """Hand back what `keep_memory` kept and nothing uses any more."""
    library = _glibc()
    if library is not None:
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    if sys.platform != "linux":
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None


def dask_setup(worker: Any) -> None:
    """Called once in every worker process before it takes work: log lines with a time, and torch warm for training."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s")
    logging.getLogger("distributed").setLevel(logging.WARNING)
    if "train" in worker.state.total_resources:
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()


def _warm_up() -> None:
    """Import what training needs, seconds of it; a run that comes before it is done waits at its own import."""
    try:
        importlib.import_module("core.train.train_run")
    except ImportError:  # the run then fails with a sentence; an engine that does not come up would say less
        log.exception("training cannot be prepared")


def _numbered(run: Run, stop: Stop) -> Iterator[Event]:
    """The events of a run's work, numbered on from what its file holds already, each written before it is seen."""
    seq = runs.mend_events(run)
    for event in runs.perform(run, stop):
        numbered = dataclasses.replace(event, seq=seq)
        runs.append_event(run, numbered)
        yield numbered
        seq += 1


def _record_end(run: Run, last: dict[str, Event], *, asked: bool) -> None:
    """Write down how a run ended that nothing went wrong with; `last` holds the latest event of each kind."""
    finished, ready, diverged = last.get(Finished.kind), last.get(DataReady.kind), last.get(Diverged.kind)
    reported = last.get(Reported.kind)
    if isinstance(finished, Finished):
        state = finished.state
        result = {name: getattr(finished, name) for name in ("error_rate", "wrong", "of", "seconds")}
    elif isinstance(ready, DataReady):
        state = "done"
        result = {name: getattr(ready, name) for name in ("dataset", "name", "kept", "train", "valid", "added")}
    elif isinstance(reported, Reported):
        state = "done"
        result = {"what": reported.what, "found": dict(reported.found)}
    else:
        state, result = ("stopped" if asked else "done"), None
    message = diverged.text if state == "diverged" and isinstance(diverged, Diverged) else None
    runs.set_state(run, state, result=result, message=message)


def _record_failure(run: Run, error: Exception, *, asked: bool) -> None:
    if isinstance(error, LabError) and asked:
        runs.set_state(run, "stopped", message=error.message, hint=error.hint)
        return
    code, message, hint = describe(error)
    if code == "error":
        number = new_id()[:8]
        log.error("run %s failed, details under %s", run.id, number, exc_info=error)
        hint = f"The engine's log says more under {number}."
    else:
        log.info("run %s failed with %s", run.id, code)
    runs.set_state(run, "failed", code=code, message=message, hint=hint)


def describe(error: Exception) -> tuple[str, str, str]:
    """A short code, a sentence and a hint for what went wrong while a run was worked on."""
    if is_out_of_memory(error):
        return "oom", "There was not enough memory for this.", "Choose a smaller batch or a smaller image size."
    if isinstance(error, OSError) and error.errno in _FULL:
        error = DiskFull("The disk is full, so this could not be saved.", hint="Free some space and try again.")
    if isinstance(error, LabError):
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", type(error).__name__).lower(), error.message, error.hint
    return "error", "Something went wrong inside Bearings, and this run could not go on.", ""


def _tidy() -> None:
    """Give memory back between runs, so that the next one finds as much as the first."""
    gc.collect()
    give_back_memory()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()
