"""Lists of addresses as people paste them: text or the bytes of a .txt or .csv in; rows, and problems by line, out.

A line holds an address, or a label, a comma and an address. A first line that names its columns is understood too.
Nothing is asked over the network here.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from core.data.layout import normalise_label, shown
from core.data.text_table import decode
from core.errors import DataError

MAX_ROWS = 2_000
MAX_URL = 4_096  # characters, like MAX_LINE
MAX_LINE = 10_000
MAX_PROBLEMS = 500
SEPARATORS = "\t,;"
URL_COLUMNS = ("url", "urls", "address", "link", "image", "image_url", "image url", "imageurl", "src", "href")
LABEL_COLUMNS = ("label", "labels", "class", "category", "tag")
HOW = "Write one address on each line, or a label, a comma and an address."
_START = re.compile(r"""(?:^|(?<=[\t,;]))[\s"'<]*(?=[a-z][a-z0-9+.-]*://)""", re.IGNORECASE)
_SEVERAL = re.compile(r"\s[\"'<]?https?://", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


class UrlRow(NamedTuple):
    """One address to fetch: its line in the list, counted from 1, the class it belongs to, and the address."""

    line: int
    label: str
    url: str


class Problem(NamedTuple):
    """A line that cannot be used, and why, as a sentence."""

    line: int
    reason: str


@dataclass(frozen=True)
class UrlList:
    """What a list holds. `duplicates` were there already; `over` came after the first MAX_ROWS and are left out."""

    rows: tuple[UrlRow, ...]
    problems: tuple[Problem, ...] = ()
    duplicates: int = 0
    over: int = 0
    unlisted: int = 0  # problems beyond the first MAX_PROBLEMS

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened to the rest, as sentences."""
        told = []
        if self.over:
            told.append(
                f"A list may have {MAX_ROWS:,} addresses; the {self.over:,} after them were left out. "
                "Fetch those as a list of their own."
            )
        if self.duplicates:
            word = "address was" if self.duplicates == 1 else "addresses were"
            told.append(f"{self.duplicates:,} {word} in the list twice and will be fetched once.")
        if self.unlisted:
            told.append(f"{self.unlisted:,} more lines cannot be used; only the first {MAX_PROBLEMS} are listed.")
        return tuple(told)


class _Unusable(Exception):
    """A line that gives no row; the text is the reason."""


class _Columns(NamedTuple):
    """What a first line says: the separator, how many columns there are, and which hold address and label."""

    separator: str
    width: int
    url: int
    label: int | None


def parse(data: bytes | str, *, label: str | None = None) -> UrlList:
    r"""Read a list. `label` is the class of the lines that name none; without it such lines are problems.

    `parse("cat,http://a.org/1.jpg\nhttp://a.org/2.jpg?x=1,2", label="dog")` gives a cat and a dog. DataError when the
    data are no text at all.
    """
    text = decode(data) if isinstance(data, bytes) else data.removeprefix("\ufeff")
    given = None if label is None else normalise_label(label)
    rows: dict[tuple[str, str], UrlRow] = {}
    problems, found, columns = [], 0, None
    for place, (number, line) in enumerate(_lines(text)):
        if place == 0 and (columns := _header(line)):
            continue
        try:
            row = _row(number, line, columns, given)
        except _Unusable as problem:
            problems.append(Problem(number, str(problem)))
            continue
        found += 1
        rows.setdefault((row.label, row.url), row)
    kept = tuple(rows.values())[:MAX_ROWS]
    return UrlList(
        kept,
        tuple(problems[:MAX_PROBLEMS]),
        duplicates=found - len(rows),
        over=len(rows) - len(kept),
        unlisted=max(0, len(problems) - MAX_PROBLEMS),
    )


def plain_url(url: str) -> str:
    """An address fit to be kept and shown: without name and password, without what follows #, nothing invisible."""
    bare = re.sub(r"^([^/?#]*//)[^/?#]*@", r"\1", url.strip().partition("#")[0])
    return shown(bare, most=MAX_URL)


def _lines(text: str) -> Iterable[tuple[int, str]]:
    """Lines with their numbers, without blank ones and comments."""
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text), start=1):
        line = line.strip().removeprefix("\ufeff")
        if line and not line.startswith("#"):
            yield number, line


def _header(line: str) -> _Columns | None:
    """The columns, if this first line names them."""
    if "://" in line or len(line) > MAX_LINE:
        return None
    for separator in SEPARATORS:
        names = [cell.strip().casefold() for cell in _cells(line, separator)]
        url, label = _place(names, URL_COLUMNS), _place(names, LABEL_COLUMNS)
        if url is not None:
            return _Columns(separator, len(names), url, label)
    return None


def _place(names: Sequence[str], known: Sequence[str]) -> int | None:
    return next((names.index(name) for name in known if name in names), None)


def _row(number: int, line: str, columns: _Columns | None, given: str | None) -> UrlRow:
    if len(line) > MAX_LINE:
        raise _Unusable(f"The line has {len(line):,} characters; an address may have up to {MAX_URL:,}.")
    named, url = _by_columns(line, columns) if columns else _by_looks(line)
    url = _checked(url)
    if not named.strip():
        if given is None:
            raise _Unusable(f"The line names no class. {HOW}")
        return UrlRow(number, given, url)
    try:
        return UrlRow(number, normalise_label(named), url)
    except DataError as error:
        raise _Unusable("The class of this line has no visible characters, or more than 64.") from error


def _by_columns(line: str, columns: _Columns) -> tuple[str, str]:
    """Label and address from their columns; an address with separators of its own is put together again."""
    cells, place = _cells(line, columns.separator), columns.url
    extra = max(0, len(cells) - columns.width)
    if len(cells) <= place:
        raise _Unusable("The line has fewer columns than the first line names.")
    url = columns.separator.join(cells[place : place + extra + 1])
    rest = [*cells[:place], "", *cells[place + extra + 1 :]]
    return (rest[columns.label] if columns.label is not None and columns.label < len(rest) else ""), url


def _by_looks(line: str) -> tuple[str, str]:
    """Label and address of a line without named columns: the address begins where something like http:// does."""
    start = _START.search(line)
    if start is None:
        raise _Unusable(f"There is no address that begins with http:// or https:// here. {HOW}")
    label = _unquoted(line[: start.start()].rstrip(SEPARATORS + " "))
    url = line[start.end() :]
    opened = start[0].strip()
    if opened:  # quoted: what follows the closing sign is another column
        url, _, after = url.partition({"<": ">"}.get(opened[-1], opened[-1]))
        return label or _unquoted(after.strip(SEPARATORS + " ")), url
    url, _, after = url.partition("\t")
    return label or _unquoted(after.strip()), url.rstrip(",; ")


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator, skipinitialspace=True), [])


def _unquoted(text: str) -> str:
    return next(iter(_cells(text, ",")), "") if text.startswith('"') else text


def _checked(url: str) -> str:
    """The address without what follows #, or the reason why it is none."""
    url = url.strip().partition("#")[0]
    scheme, _, rest = url.partition("://")
    if not rest or scheme.lower() not in ("http", "https"):
        raise _Unusable("The address does not begin with http:// or https://.")
    if len(url) > MAX_URL:
        raise _Unusable(f"The address has {len(url):,} characters; up to {MAX_URL:,} are allowed.")
    if _SEVERAL.search(url):
        raise _Unusable("The line holds several addresses. Write each on a line of its own.")
    if _CONTROL.search(url):
        raise _Unusable("The address holds a backslash or an invisible character, which no address has.")
    if "@" in re.split(r"[/?]", rest, maxsplit=1)[0]:
        raise _Unusable("The address holds a name or a password; only pages that are open to all are fetched.")
    return url
