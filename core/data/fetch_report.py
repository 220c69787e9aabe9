"""Reports of a fetch: its events in; what became of each address, what to try again, and a file to keep, out.

Nothing here touches the network, so that a page can show a report without what talks to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from core.data.events import Fetched
from core.data.text_table import to_csv
from core.data.url_list import UrlRow, plain_url

Key = tuple[str, str]  # label and address
FETCHED_CODES: Mapping[str, str] = {  # what can become of an address, and a word or two for tables
    "saved": "saved",
    "duplicate": "there already",
    "deleted_before": "in the bin",
    "not_an_image": "not an image",
    "format": "a format that is not read",
    "damaged": "damaged picture",
    "wrong_size": "too small or too long",
    "refused_address": "refused address",
    "bad_address": "not an address",
    "too_large": "too large",
    "too_slow": "too slow",
    "http_status": "refused by the server",
    "failed": "no connection",
}
GOOD = frozenset({"saved", "duplicate", "deleted_before"})  # the picture is there, or was left out on purpose
WORTH_RETRYING = frozenset({"too_slow", "http_status", "failed", "damaged"})


def key_of(row: UrlRow | Fetched) -> Key:
    """By what an address of a list is known: its class and how it is kept."""
    return row.label, plain_url(row.url)


def outcomes(events: Iterable[object]) -> dict[Key, Fetched]:
    """What became of each (label, address) in the end, in the order in which they were first told."""
    return {key_of(event): event for event in events if isinstance(event, Fetched)}


def failed_rows(events: Iterable[object]) -> list[UrlRow]:
    """The rows that may do better when they are fetched once more, by their lines."""
    failed = [event for event in outcomes(events).values() if event.code in WORTH_RETRYING]
    return sorted(UrlRow(event.line, event.label, event.url) for event in failed)


def report_csv(events: Iterable[object]) -> str:
    """What became of each address as a CSV file that is safe to open in a spreadsheet."""
    header: Sequence[str] = ("line", "label", "url", "code", "reason", "file")
    told = sorted(outcomes(events).values(), key=lambda event: event.line)
    return to_csv(header, [[str(getattr(event, name)) for name in header] for event in told])
