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
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

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
    backoff_s: float = 0.5  # before the second attempt, twice that before the third


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


Gate = Callable[[str], AbstractAsyncContextManager[object]]


def open_pool(limits: Limits, *, allow_hosts: tuple[str, ...] = ()) -> httpcore.AsyncConnectionPool:
    """Connections for one fetch, all through the guard. Proxies of the environment are not used."""
    return httpcore.AsyncConnectionPool(
        ssl_context=httpcore.default_ssl_context(),
        max_connections=limits.at_once,
        keepalive_expiry=5.0,
        network_backend=GuardedBackend(allow_hosts=allow_hosts),
    )


async def get(url: str, *, pool: httpcore.AsyncConnectionPool, gate: Gate, limits: Limits) -> Answer:
    """Fetch one address. `gate(host)` lets a few at a time through to each host."""
    ends = time.monotonic() + limits.deadline_s
    try:
        async with asyncio.timeout(limits.deadline_s):
            return await _until_it_works(url, pool=pool, gate=gate, limits=limits, ends=ends)
    except _Failed as failed:
        return failed.answer
    except TimeoutError:
        return Answer("too_slow", f"The picture was not there after {limits.deadline_s:g} seconds.")


async def _until_it_works(
    url: str, *, pool: httpcore.AsyncConnectionPool, gate: Gate, limits: Limits, ends: float
) -> Answer:
    attempt = 0
    while True:
        try:
            return await _follow(url, pool=pool, gate=gate, limits=limits)
        except _Failed as failed:
            wait = limits.backoff_s * 2**attempt if failed.wait_s is None else failed.wait_s
            if not failed.again or attempt == limits.retries or time.monotonic() + wait >= ends:
                raise
            await asyncio.sleep(wait)
            attempt += 1


async def _follow(url: str, *, pool: httpcore.AsyncConnectionPool, gate: Gate, limits: Limits) -> Answer:
    """Ask, and go where the server says the picture is; every hop passes the same checks."""
    here = check_address(url)
    for _ in range(limits.redirects + 1):
        async with gate(here.host):
            found = await _ask(here, pool=pool, limits=limits)
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


async def _ask(url: httpx.URL, *, pool: httpcore.AsyncConnectionPool, limits: Limits) -> Answer | str:
    """One request: the bytes, or the address to go on to."""
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    try:
        async with pool.stream("GET", target, headers=[(b"Host", url.netloc), *HEADERS]) as response:
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
