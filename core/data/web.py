"""One picture from the web: an address in; its bytes, or a code and a sentence why there are none, out.

The server is not trusted with anything: not with where it leads, how much it sends, how long it takes or what it says
that it sends. One deadline covers name, connection, headers, body, redirects, further attempts and the waits between.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cached_property

import httpcore
import httpx

from core.data.guard import REFUSED, AddressRefused, GuardedBackend, NameNotFound
from core.data.url_list import MAX_URL

USER_AGENT = "Bearings/0.1 (+a teaching tool: a person collects pictures for a small image classifier)"
HEADERS = (
    (b"User-Agent", USER_AGENT.encode()),
    (b"Accept", b"image/*,*/*;q=0.5"),
    (b"Accept-Encoding", b"identity"),
)
KEEP_S, KEPT_LINES = 5.0, 64  # how long a connection waits for another request, and how many may
REDIRECTS = (301, 302, 303, 307, 308)
_BROKEN = (  # what a server, or a name that no server can have, makes the layers below raise; TLS raises OSError
    httpcore.NetworkError,
    httpcore.ProtocolError,
    httpcore.TimeoutException,
    httpcore.UnsupportedProtocol,
    OSError,
    ValueError,
)
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,40}/[\w.+-]{1,40}")
_STATUS_WORDS = {
    401: "it wants a password",
    403: "it does not hand this out",
    404: "there is nothing at this address",
    410: "there is nothing at this address any more",
    429: "it has been asked too often; try again later",
}


@dataclass(frozen=True)
class Limits:
    """What fetching may take. `deadline_s` covers all that is done for one picture, further attempts included."""

    at_once: int = 16
    per_host: int = 4
    max_bytes: int = 20 * 2**20
    deadline_s: float = 10.0
    redirects: int = 5
    retries: int = 2
    backoff_s: float = 0.25  # before the second attempt, twice that before the third


@dataclass(frozen=True)
class Answer:
    """What came of an address. `code` is "arrived" when there are bytes; `media_type` is what the server calls them."""

    code: str
    reason: str = ""
    data: bytes | None = None
    media_type: str = ""


class _Failed(Exception):
    """One attempt came to nothing. `again`: another may do better, after `wait_s` where the server named a time."""

    def __init__(self, code: str, reason: str, *, again: bool = False, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.answer = Answer(code, reason)
        self.again = again
        self.wait_s = wait_s


class Lines:
    """Connections of one fetch, all through the guard: a few to each host at a time, and the last ones kept.

    Proxies of the environment are not used. A pool of the library would look at all connections for every request.
    """

    def __init__(self, limits: Limits, *, allow_hosts: Iterable[str] = ()) -> None:
        self._backend = GuardedBackend(allow_hosts=allow_hosts)
        self._gates: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(limits.per_host))
        self._idle: list[httpcore.AsyncHTTPConnection] = []

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        """Whom to trust: reading that takes a while, so only for the first address that begins with https."""
        return httpcore.default_ssl_context()

    @contextlib.asynccontextmanager
    async def to(self, url: httpcore.URL) -> AsyncIterator[httpcore.AsyncHTTPConnection]:
        """A connection for one request, when it is this one's turn."""
        async with self._gates[url.host.decode("latin-1")]:
            line = await self._kept(url.origin) or self._new(url.origin)
            try:
                yield line
            finally:
                await self._put_back(line)

    async def close(self) -> None:
        """Close what was kept."""
        while self._idle:
            await self._idle.pop().aclose()

    def _new(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        return httpcore.AsyncHTTPConnection(
            origin,
            ssl_context=self._tls if origin.scheme == b"https" else None,
            keepalive_expiry=KEEP_S,
            network_backend=self._backend,
        )

    async def _kept(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection | None:
        for line in [line for line in reversed(self._idle) if line.can_handle_request(origin)]:
            self._idle.remove(line)
            if not line.has_expired():
                return line
            await line.aclose()
        return None

    async def _put_back(self, line: httpcore.AsyncHTTPConnection) -> None:
        if not line.is_available():
            await line.aclose()
            return
        self._idle.append(line)
        if len(self._idle) > KEPT_LINES:
            await self._idle.pop(0).aclose()


async def get(url: str, *, lines: Lines, limits: Limits) -> Answer:
    """Fetch one address."""
    ends = time.monotonic() + limits.deadline_s
    try:
        async with asyncio.timeout(limits.deadline_s):
            return await _until_it_works(url, lines=lines, limits=limits, ends=ends)
    except _Failed as failed:
        return failed.answer
    except TimeoutError:
        return Answer("too_slow", f"The picture was not there after {limits.deadline_s:g} seconds.")


async def _until_it_works(url: str, *, lines: Lines, limits: Limits, ends: float) -> Answer:
    attempt = 0
    while True:
        try:
            return await _follow(url, lines=lines, limits=limits)
        except _Failed as failed:
            wait = limits.backoff_s * 2**attempt if failed.wait_s is None else failed.wait_s
            if not failed.again or attempt == limits.retries or time.monotonic() + wait >= ends:
                raise
            await asyncio.sleep(wait)
            attempt += 1


async def _follow(url: str, *, lines: Lines, limits: Limits) -> Answer:
    """Ask, and go where the server says the picture is; every hop passes the same checks."""
    here = check_address(url)
    for _ in range(limits.redirects + 1):
        found = await _ask(here, lines=lines, limits=limits)
        if isinstance(found, Answer):
            return found
        here = check_address(found, start=here)
    raise _Failed("failed", f"The address leads on to another one more than {limits.redirects} times.")


def check_address(url: str, *, start: httpx.URL | None = None) -> httpx.URL:
    """An address that may be asked, or a failure. `start` is where a relative one was found."""
    try:
        if len(url) > MAX_URL or re.search(r"[\x00-\x1f\x7f\\]", url):
            raise ValueError("not an address")
        found = httpx.URL(url.strip()) if start is None else start.join(url.strip())
    except (httpx.InvalidURL, ValueError) as error:  # UnicodeError is a ValueError
        raise _Failed("bad_address", "This is not an address that a browser could open.") from error
    if found.scheme and (found.scheme not in ("http", "https") or found.userinfo):
        raise _Failed("refused_address", REFUSED)
    if not found.scheme or not found.host:
        raise _Failed("bad_address", "This is not an address that a browser could open.")
    return found


async def _ask(url: httpx.URL, *, lines: Lines, limits: Limits) -> Answer | str:
    """One request: the bytes, or the address to go on to."""
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    try:
        headers_out = [(b"Host", url.netloc), *HEADERS]
        async with lines.to(target) as line, line.stream("GET", target, headers=headers_out) as response:
            headers = {name.decode("latin-1").lower(): value for name, value in response.headers}
            if response.status in REDIRECTS and "location" in headers:
                return _text(headers["location"])
            _check_head(response.status, headers, limits)
            return Answer("arrived", "", await _body(response, limits), _media_type(headers))
    except AddressRefused as error:
        raise _Failed("refused_address", REFUSED) from error
    except NameNotFound as error:
        raise _Failed("failed", "There is no server of this name.", again=error.again) from error
    except _BROKEN as error:
        raise _broken(error) from error


def _check_head(status: int, headers: dict[str, bytes], limits: Limits) -> None:
    if not 200 <= status < 300:
        words = _STATUS_WORDS.get(status, "it has trouble; try again later" if status >= 500 else "it refuses")
        raise _Failed(
            "http_status",
            f"The server answered {status}: {words}.",
            again=status == 429 or status >= 500,
            wait_s=_retry_after(headers),
        )
    packed = _text(headers.get("content-encoding", b"")).strip().lower()
    if packed not in ("", "identity"):
        raise _Failed("failed", "The server sent the picture packed, though it was asked not to.")
    stated = headers.get("content-length", b"").strip()
    if stated.isdigit() and (len(stated) > 15 or int(stated) > limits.max_bytes):
        raise _too_large(limits)


async def _body(response: httpcore.Response, limits: Limits) -> bytes:
    data = bytearray()
    async for chunk in response.aiter_stream():
        data += chunk
        if len(data) > limits.max_bytes:
            raise _too_large(limits)
    return bytes(data)


def _too_large(limits: Limits) -> _Failed:
    return _Failed("too_large", f"The file has more than {limits.max_bytes / 2**20:g} MB, the most that is fetched.")


def _broken(error: Exception) -> _Failed:
    """Why there was no whole answer, in words."""
    if isinstance(error, ssl.SSLError) or isinstance(error.__context__, ssl.SSLError):
        return _Failed("failed", "The server cannot prove who it is, or its encryption is out of date.")
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
        return _Failed("failed", "The server does not take the call.", again=True)
    if isinstance(error, httpcore.LocalProtocolError | httpcore.UnsupportedProtocol | ValueError):
        return _Failed("bad_address", "This is not an address that a browser could open.")
    return _Failed("failed", "The server broke off before the picture was complete.", again=True)


def _retry_after(headers: dict[str, bytes]) -> float | None:
    """Seconds to wait that the server asks for, as a number or as a date; None where it does not."""
    text = _text(headers.get("retry-after", b"")).strip()
    if text.isdecimal():
        return float(text[:9])
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    return None


def _media_type(headers: dict[str, bytes]) -> str:
    found = _MEDIA_TYPE.match(_text(headers.get("content-type", b"")).strip().lower())
    return found[0] if found else ""


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
