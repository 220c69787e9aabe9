"""Fetching into a data set: rows of a list in; pictures of the set, and one event for each address, out.

What comes from the web is opened in the decoder's child processes only. The table's `source` column is the truth about
what is there: work that was broken off goes on by asking for the rest.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import PurePosixPath

import httpx
import pandas as pd

from core.data.decoder import Task
from core.data.edits import DELETED, check_classes
from core.data.events import DataReady, Event, Fetched, Progress
from core.data.fetch import LIMITS, Arrived, fetch
from core.data.fetch_report import GOOD, Key, key_of, outcomes
from core.data.growth import Growth, ready
from core.data.images import Encoded
from core.data.pool import Crew, process_count
from core.data.shelf import Picture
from core.data.table import Dataset
from core.data.url_list import UrlRow, plain_url
from core.data.web import Limits
from core.errors import ImageRejected
from core.workspace import check_free_space

COMMIT_PICTURES, COMMIT_EVERY_S = 25, 3.0
PROGRESS_EVERY_S = 0.25
STORED_BYTES = 120_000
_REASONS: Mapping[str, str] = {
    "saved": "The picture was saved.",
    "duplicate": "The same picture is in this class already.",
    "deleted_before": "This picture was deleted from the class before; take it out of the bin if you want it back.",
}
_DECODER_CODES: Mapping[str, str] = {
    "not_a_picture": "not_an_image",
    "empty": "not_an_image",
    "format": "format",
    "too_large": "too_large",
    "too_many_bytes": "too_large",
    "memory": "too_large",
    "too_small": "wrong_size",
    "too_long": "wrong_size",
}


def fetch_into(
    dataset: Dataset,
    rows: Iterable[UrlRow],
    *,
    words: str = "fetched pictures",
    before: Iterable[object] = (),
    limits: Limits = LIMITS,
    allow_hosts: tuple[str, ...] = (),
    workers: int | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Iterator[Event]:
    """Fetch `rows` into a data set; yields Fetched for each, Progress in between and, last of all, DataReady.

    `before` holds the events of the same work before it was broken off: what came of an address then is not asked
    again, unless its picture never reached the table. When `stop()` turns true the events end without DataReady; what
    was fetched until then stays.
    """
    rows, items = list(rows), dataset.items()
    check_classes({*dataset.empty, *items.loc[items["status"] != DELETED, "label"], *(row.label for row in rows)})
    check_free_space(dataset.path, len(rows) * STORED_BYTES)
    growth, there = Growth(dataset, source="the web", words=words), _there(items)
    # a picture that was told and never listed is lost: the work was killed in between
    listed = {"", *items["file"]}
    earlier = {key: event for key, event in outcomes(before).items() if event.file in listed}
    account = _Account(rows, earlier)
    wanted = [row for row in rows if key_of(row) not in earlier]
    yield account.progress()
    for row in wanted:
        if known := there.get(key_of(row)):
            yield account.tell(row, *known)
    fresh = [row for row in wanted if key_of(row) not in there]
    try:
        with _decoders(workers) as decode:
            for arrived in fetch(fresh, limits=limits, allow_hosts=allow_hosts, decode=decode, stop=stop):
                yield account.tell(arrived.row, *_sort_in(growth, arrived))
                if growth.pending >= COMMIT_PICTURES or account.is_due("commit", COMMIT_EVERY_S):
                    growth.commit()
                if account.is_due("progress", PROGRESS_EVERY_S):
                    yield account.progress()
    finally:
        growth.commit()
    yield account.progress()
    if account.done == len(rows):
        yield account.ready(growth, earlier)


class _Account:
    """What has been told about `rows` so far, and when. `earlier` was told before the work was broken off."""

    def __init__(self, rows: Sequence[UrlRow], earlier: Mapping[Key, Fetched]) -> None:
        self.total = len(rows)
        self.done = sum(key_of(row) in earlier for row in rows)
        self._told = dict(earlier)
        self._seq = itertools.count()
        self._last = dict.fromkeys(("commit", "progress"), time.monotonic())

    def is_due(self, what: str, every_s: float) -> bool:
        """Whether "commit" or "progress" was due the last time `every_s` ago; if so it counts as done now."""
        now = time.monotonic()
        if now - self._last[what] < every_s:
            return False
        self._last[what] = now
        return True

    def tell(self, row: UrlRow, code: str, reason: str = "", file: str = "") -> Fetched:
        """What became of a row."""
        self.done += 1
        url, reason = plain_url(row.url), reason or _REASONS[code]
        event = Fetched(next(self._seq), row.line, row.label, url, code, reason, file)
        self._told[key_of(event)] = event
        return event

    def progress(self) -> Progress:
        """How far the work is."""
        return Progress(seq=next(self._seq), phase="fetch", done=self.done, total=self.total)

    def ready(self, growth: Growth, earlier: Mapping[Key, Fetched]) -> DataReady:
        """The last event; what was added before the work was broken off counts too."""
        added = growth.added + sum(event.code == "saved" for event in earlier.values())
        failed = [event for event in self._told.values() if event.code not in GOOD]
        rejected = tuple({"name": event.url, "reason": event.reason} for event in failed)
        note = f"{added} of {self.total} addresses gave a new picture."
        return replace(ready(growth, seq=next(self._seq), notes=(note,)), rejected=rejected, added=added)


@contextlib.contextmanager
def _decoders(workers: int | None) -> Iterator[Callable[[bytes], Future[Encoded | ImageRejected]]]:
    """Open bytes in child processes: hostile pictures take none of this process with them."""
    count = process_count(workers)

    def opened(data: bytes) -> Encoded | ImageRejected:
        try:
            return crew.make(Task(data=data))
        except ImageRejected as reason:
            return reason

    with ThreadPoolExecutor(count, thread_name_prefix="pictures") as threads, Crew(count) as crew:
        yield lambda data: threads.submit(opened, data)


def _there(items: pd.DataFrame) -> dict[Key, tuple[str, str, str]]:
    """What the table holds from the web: (label, address) -> code, reason and picture, as they are told again."""
    web = items[items["source"].str.match("(?i)https?://")]
    return {
        (row.label, row.source): ("deleted_before" if row.status == DELETED else "duplicate", "", row.file)
        for row in web.itertuples()
    }


def _sort_in(growth: Growth, arrived: Arrived) -> tuple[str, str, str]:
    """Put what came where it belongs, a picture into the set; code, reason and the picture's hash."""
    row, made = arrived.row, arrived.made
    if isinstance(made, Encoded):
        url = plain_url(row.url)
        code = growth.keep(Picture(made, row.label, _file_name(url), source=url), made)
        return code, "", made.sha
    if isinstance(made, ImageRejected):
        return *_no_picture(made, arrived.media_type), ""
    return arrived.code, arrived.reason, ""


def _no_picture(reason: ImageRejected, media_type: str) -> tuple[str, str]:
    code = _DECODER_CODES.get(reason.code, "damaged")
    if code != "not_an_image":
        return code, reason.message
    called = f"; the server calls it {media_type}" if media_type else ""
    return code, f"This is not an image{called}. {reason.message}"


def _file_name(url: str) -> str:
    """The last word of an address, for people: it decides nothing."""
    found = httpx.URL(url)
    return PurePosixPath(found.path).name or found.host
