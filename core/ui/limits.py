"""How much anybody may ask of the API: who asks and when in, yes or a number of seconds to wait out.

What is remembered has an end: buckets of those who have not asked for a while are dropped, and the bytes of all
pictures that are being received together have a limit.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections import OrderedDict
from collections.abc import Iterator

BURST_S = 10.0
BUCKETS_MAX = 4096


class Buckets:
    """A token bucket per name: `per_minute` tokens flow in, and as many as flow in within BURST_S may lie there.

    Safe to use from several threads. Of more than `most` names those that asked longest ago are forgotten.
    """

    def __init__(self, per_minute: float, *, most: int = BUCKETS_MAX) -> None:
        self._rate = per_minute / 60
        self._room = max(1.0, self._rate * BURST_S)
        self._most = most
        self._lock = threading.Lock()
        self._levels: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, now: float) -> float:
        """Take a token at the time `now` in seconds. 0.0 when there was one; else seconds until there is."""
        with self._lock:
            level, then = self._levels.get(name, (self._room, now))
            level = min(self._room, level + max(0.0, now - then) * self._rate)
            wait = 0.0 if level >= 1 else (1 - level) / self._rate
            self._levels[name] = (level - 1 if level >= 1 else level, max(now, then))
            self._levels.move_to_end(name)
            while len(self._levels) > self._most:
                self._levels.popitem(last=False)
            return wait

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._levels)


class Full(Exception):
    """There is no room for more just now."""


class Room:
    """Requests that are being worked on, and their bytes: at most so many of each at once."""

    def __init__(self, requests: int, size: int) -> None:
        self._requests, self._bytes = requests, size
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def guest(self) -> Iterator[Guest]:
        """A place for one request until its end; Full when there is none."""
        with self._lock:
            if self._requests < 1:
                raise Full
            self._requests -= 1
        guest = Guest(self)
        try:
            yield guest
        finally:
            with self._lock:
                self._requests += 1
                self._bytes += guest.size

    def reserve(self, size: int) -> None:
        """Take room for so many bytes; Full when there is none."""
        with self._lock:
            if size > self._bytes:
                raise Full
            self._bytes -= size


class Guest:
    """One request in a Room. `size` is how many bytes it holds."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def bring(self, size: int) -> None:
        """Take room for so many more bytes; Full when there is none."""
        self._room.reserve(size)
        self.size += size


def seconds(wait: float) -> str:
    """A wait as the header Retry-After has it: whole seconds, at least one."""
    return str(max(1, math.ceil(wait)))
