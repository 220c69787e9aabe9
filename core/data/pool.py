"""Many pictures at once: tasks in, pictures or reasons out, in order, from a few child processes.

The children are plain subprocesses that talk over pipes. They do not import the caller's main module again, may be
started from daemonic processes such as a cluster's workers, and take nothing down when they die.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import Any, TypeVar

from core.data.decoder import Task, perform, receive, send
from core.data.images import Encoded
from core.errors import ImageRejected

MAX_WORKERS = 16
FEW_TASKS = 24  # below this many small pictures, starting processes takes longer than opening the pictures
SMALL_BYTES = 2**20
TASK_LIMIT_S = 60.0
POLL_S = 0.1
_ROOT = Path(__file__).resolve().parents[2]
Key = TypeVar("Key")
Item = TypeVar("Item")
Outcome = Encoded | ImageRejected


class Stopped(Exception):
    """The caller asked to stop; whoever started the work cleans up and ends quietly."""


def process_count(wanted: int | None = None) -> int:
    """How many processes to use: `wanted`, or one per core that this process may use, at most 16."""
    if wanted is not None:
        return max(1, min(wanted, MAX_WORKERS))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_WORKERS)


def make_pictures(
    tasks: Iterable[tuple[Key, Task | None]], *, workers: int | None = None, stop: Callable[[], bool] = lambda: False
) -> Iterator[tuple[Key, Outcome | None]]:
    """Yield (key, picture or reason) for each (key, task), in the tasks' order; raises Stopped soon after `stop()`.

    Tasks are taken one by one, a few ahead of the results, so `tasks` may be a long stream. A task of None, where
    there is nothing to do, comes back as None in its turn.
    """
    count = process_count(workers)
    stream = _until(stop, tasks)
    first = list(itertools.islice(stream, FEW_TASKS))
    if count == 1 or (len(first) < FEW_TASKS and all(_is_small(task) for _, task in first)):
        yield from _make_here(_until(stop, itertools.chain(first, stream)))
    else:
        yield from _make_apart(itertools.chain(first, stream), count, stop)


def _until(stop: Callable[[], bool], stream: Iterable[Item]) -> Iterator[Item]:
    """The stream, which may be slow itself, until `stop()` turns true."""
    for item in stream:
        if stop():
            raise Stopped
        yield item


def _is_small(task: Task | None) -> bool:
    if task is None:
        return True
    if isinstance(task.data, bytes):
        return len(task.data) <= SMALL_BYTES
    with contextlib.suppress(OSError):  # a file that cannot be read gets its reason when its turn comes
        return task.data.stat().st_size <= SMALL_BYTES
    return True


def _outcome(work: Callable[[Task], Encoded], task: Task | None) -> Outcome | None:
    try:
        return None if task is None else work(task)
    except ImageRejected as reason:
        return reason


def _make_here(tasks: Iterable[tuple[Key, Task | None]]) -> Iterator[tuple[Key, Outcome | None]]:
    for key, task in tasks:
        yield key, _outcome(perform, task)


def _make_apart(
    tasks: Iterable[tuple[Key, Task | None]], count: int, stop: Callable[[], bool]
) -> Iterator[tuple[Key, Outcome | None]]:
    waiting: deque[tuple[Key, Future[Outcome | None]]] = deque()
    with ThreadPoolExecutor(count, thread_name_prefix="pictures") as threads, Crew(count) as crew:
        for key, task in tasks:
            waiting.append((key, threads.submit(_outcome, crew.make, task)))
            if len(waiting) > 2 * count:
                yield _next(waiting, stop)
        while waiting:
            yield _next(waiting, stop)


def _next(waiting: deque[tuple[Key, Future[Outcome | None]]], stop: Callable[[], bool]) -> tuple[Key, Outcome | None]:
    key, future = waiting.popleft()
    while True:
        if stop():
            raise Stopped
        with contextlib.suppress(NotYet):
            return key, future.result(timeout=POLL_S)


class Crew:
    """A few children, started when first needed; a thread borrows one, gives it a task and waits for the picture."""

    def __init__(self, count: int) -> None:
        self._lock = threading.Lock()
        self._closed = False
        self._all: set[_Child] = set()
        self._idle: queue.LifoQueue[_Child | None] = queue.LifoQueue()
        for _ in range(count):
            self._idle.put(None)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            for child in self._all:
                child.kill()
        for child in self._all:
            child.wait()

    def make(self, task: Task) -> Encoded:
        """The picture of a task. A child that dies is replaced and the task tried once more, then rejected."""
        child = self._idle.get()
        try:
            child = child or self._start()
            for _ in range(2):
                try:
                    return child.make(task)
                except (EOFError, OSError):
                    started, slow = child.started, child.slow
                    child = self._replace(child)
                    if not started:  # children cannot be started here at all: slower, but it works
                        return perform(task)
                    if slow:
                        break
            raise ImageRejected(
                "crashed",
                "Opening this picture took too long or needed too much memory.",
                hint="Save it anew with another program and import it again.",
            )
        finally:
            self._idle.put(child)

    def _replace(self, dead: _Child) -> _Child:
        dead.kill()
        dead.wait()
        return self._start()

    def _start(self) -> _Child:
        with self._lock:
            if self._closed:
                raise Stopped
            fresh = _Child()
            self._all.add(fresh)
            return fresh


class _Child:
    """One decoder process and its two pipes."""

    def __init__(self) -> None:
        environ = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self.started = False
        self.slow = False
        self._process = subprocess.Popen(
            [sys.executable, "-m", "core.data.decoder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=_ROOT,
            env=environ,
        )

    def make(self, task: Task) -> Encoded:
        """Send the task and wait for its picture; EOFError or OSError when the process dies on it."""
        if not self.started:
            self.started = bool(receive(self._stream("stdout"))[0].get("ready"))
        path = str(task.data) if isinstance(task.data, Path) else None
        request = {"kind": task.kind, "options": dict(task.options), "path": path}
        with self._time_limit():
            send(self._stream("stdin"), request, b"" if isinstance(task.data, Path) else task.data)
            record, jpeg = receive(self._stream("stdout"))
        if "rejected" in record:
            code, message, hint = record["rejected"]
            raise ImageRejected(code, message, hint=hint)
        if "failed" in record:
            raise RuntimeError(f"a picture could not be made: {record['failed']}")
        return Encoded.of(jpeg, record["width"], record["height"], note=record["note"])

    def kill(self) -> None:
        """End the process now; it has nothing to save."""
        self._process.kill()

    def wait(self) -> None:
        """Collect the ended process and close its pipes."""
        self._process.wait()
        for name in ("stdin", "stdout"):
            with contextlib.suppress(OSError):  # what was still in the pipe of a dead process is lost anyway
                self._stream(name).close()

    def _stream(self, name: str) -> Any:
        return getattr(self._process, name)

    @contextlib.contextmanager
    def _time_limit(self) -> Iterator[None]:
        timer = threading.Timer(TASK_LIMIT_S, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _give_up(self) -> None:
        self.slow = True
        self.kill()
