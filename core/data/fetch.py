"""Fetching many pictures: rows of a list in, what came of each out, as it comes.

The network lives in an event loop in a thread of its own; whoever asks sees an ordinary iterator. A few hosts at once,
a few connections to each, and a place is free again only when the picture has been opened: however many addresses a
list has, little of it is in memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass

import httpx

from core.data.images import Encoded
from core.data.url_list import UrlRow
from core.data.web import Answer, Limits, Lines, get
from core.errors import ImageRejected

LIMITS = Limits()
POLL_S = 0.1
_FULL_WAIT_S = 0.02
Decode = Callable[[bytes], "Future[Encoded | ImageRejected]"]


@dataclass(frozen=True)
class Arrived:
    """What came of a row. `data` are its bytes, or with a decoder `made` is the picture or the reason why not."""

    row: UrlRow
    code: str
    reason: str = ""
    media_type: str = ""
    data: bytes | None = None
    made: Encoded | ImageRejected | None = None


def fetch(
    rows: Iterable[UrlRow],
    *,
    limits: Limits = LIMITS,
    allow_hosts: tuple[str, ...] = (),
    decode: Decode | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Arrived]:
    """Fetch all rows; yields each as it arrives, in any order, with code "arrived" or why not.

    `decode` is given the bytes of each and opens them elsewhere. Ends within half a second of `stop()` turning true,
    or of the iterator being closed.
    """
    work = _Work(list(rows), limits, allow_hosts, decode)
    work.start()
    try:
        while True:
            if stop():
                return
            try:
                found = work.arrivals.get(timeout=POLL_S)
            except queue.Empty:
                continue
            if isinstance(found, BaseException):
                raise found
            if found is None:
                return
            yield found
    finally:
        work.end()


class _Work:
    """The loop in its thread. `arrivals` holds what came, last of all None, or the error that ended it."""

    def __init__(self, rows: list[UrlRow], limits: Limits, allow_hosts: tuple[str, ...], decode: Decode | None) -> None:
        self.arrivals: queue.Queue[Arrived | BaseException | None] = queue.Queue()
        self._limits, self._allow_hosts, self._decode = limits, allow_hosts, decode
        self._rows: dict[str, deque[UrlRow]] = defaultdict(deque)
        for row in rows:
            self._rows[_host_of(row.url)].append(row)
        self._places = asyncio.Semaphore(limits.at_once)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Break off what is under way and wait until every connection is closed."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._main())
        except BaseExceptionGroup as errors:
            self.arrivals.put(errors.exceptions[0])
        except BaseException as error:  # handed to the caller, in whose thread it is raised
            self.arrivals.put(error)
        else:
            self.arrivals.put(None)

    async def _main(self) -> None:
        everything = asyncio.ensure_future(self._all())
        while not everything.done() and not self._ended.is_set():
            await asyncio.wait([everything], timeout=POLL_S)
        everything.cancel()  # does nothing where it is done
        with contextlib.suppress(asyncio.CancelledError):
            await everything

    async def _all(self) -> None:
        lines = Lines(self._limits, allow_hosts=self._allow_hosts)
        try:
            async with asyncio.TaskGroup() as group:
                for rows in self._rows.values():
                    for _ in range(min(self._limits.per_host, len(rows))):
                        group.create_task(self._host(rows, lines, group))
        finally:
            await lines.close()

    async def _host(self, rows: deque[UrlRow], lines: Lines, group: asyncio.TaskGroup) -> None:
        """Work through the rows of one host, one after the other; several of these share them."""
        while rows:
            await self._places.acquire()
            if not rows:  # another one took the last row while this one waited
                self._places.release()
                return
            row = rows.popleft()
            group.create_task(self._finish(row, await get(row.url, lines=lines, limits=self._limits)))

    async def _finish(self, row: UrlRow, answer: Answer) -> None:
        """Have the picture opened and hand it over; only then is its place free again."""
        made, data = None, answer.data
        if data is not None and self._decode is not None:
            made, data = await asyncio.wrap_future(self._decode(data)), None
        arrived = Arrived(row, answer.code, answer.reason, answer.media_type, data, made)
        while self.arrivals.qsize() >= self._limits.at_once:
            await asyncio.sleep(_FULL_WAIT_S)
        self.arrivals.put(arrived)
        self._places.release()


def _host_of(url: str) -> str:
    """The host a row is counted for; "" where the address is none."""
    try:
        return httpx.URL(url).host
    except (httpx.InvalidURL, ValueError, TypeError):
        return ""
