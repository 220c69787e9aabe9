"""The guard at the connection: a host and a port in, a connection to a public address out, or a refusal.

Every connection of a fetch passes `GuardedBackend.connect_tcp`: first hops and redirects, names and numbers however
they are written. The name is looked up once, and the connection goes to the very numbers that were judged, so a name
server that answers otherwise the second time gains nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

import httpcore
from AntiSSRF import IPAddressRanges

PORTS = (80, 443)
MAX_ADDRESSES = 6  # of one name that are tried
ATTEMPT_S = 2.5  # for each of them but the last
REFUSED = (
    "Only pages that are open to all are fetched: http or https, on their usual ports, without a password, and never "
    "from inside a private network."
)
_SPECIAL = tuple(ip_network(block) for block in IPAddressRanges.recommended_latest)
_GLOBAL_UNICAST = ip_network("2000::/3")
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # bits 64 to 95 of an IPv6 address that carries an IPv4 one in its last 32


class AddressRefused(Exception):
    """The connection would lead to a place that is never asked. Which one, and why, is not told."""


class NameNotFound(Exception):
    """There is no such host. `again`: the name server had trouble, and may know it later."""

    def __init__(self, *, again: bool) -> None:
        super().__init__("no such host")
        self.again = again


def is_public(address: str) -> bool:
    """Whether a numeric address belongs to the open internet.

    Of IPv6 only ordinary global addresses count, and none that carries an IPv4 address inside: `is_public("8.8.8.8")`
    is true, `is_public("::ffff:8.8.8.8")` is not.
    """
    try:
        number = ip_address(address)
    except ValueError:
        return False
    if isinstance(number, IPv6Address) and not _is_plain_global(number):
        return False
    return not any(number in block for block in _SPECIAL if block.version == number.version)


def _is_plain_global(number: IPv6Address) -> bool:
    return number in _GLOBAL_UNICAST and number.scope_id is None and (int(number) >> 32) & 0xFFFF_FFFF not in _ISATAP


def split_host(entry: str) -> tuple[str, int | None]:
    """Host and port of an entry such as "intranet.school", "127.0.0.1:8000" or "[::1]:8000"."""
    host, colon, port = entry.rpartition(":")
    if not colon or not port.isdecimal() or (":" in host and not host.endswith("]")):
        return _plain_host(entry), None
    return _plain_host(host), int(port)


def _plain_host(host: str) -> str:
    return host.strip("[]").rstrip(".").lower()


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """What httpcore connects through. Hosts of `allow_hosts` ("host" or "host:port") may be private."""

    def __init__(self, *, allow_hosts: Iterable[str] = ()) -> None:
        self._allowed = frozenset(split_host(entry) for entry in allow_hosts)
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to one of the host's addresses; AddressRefused when a single one of them is not public."""
        allowed = self._is_allowed(host, port)
        if port not in PORTS and not allowed:
            raise AddressRefused
        addresses = await look_up(host, port)
        if not allowed and not all(is_public(address) for address in addresses):
            raise AddressRefused
        return await self._first(addresses[:MAX_ADDRESSES], port, timeout=timeout, socket_options=socket_options)

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Sockets of this computer are never asked."""
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        """Wait, for httpcore."""
        await asyncio.sleep(seconds)

    def _is_allowed(self, host: str, port: int) -> bool:
        name = _plain_host(host)
        return (name, port) in self._allowed or ((name, None) in self._allowed and port in PORTS)

    async def _first(
        self, addresses: Sequence[str], port: int, *, timeout: float | None, socket_options: Iterable[Any] | None
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that answers. They are numbers: nothing is looked up again."""
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError, httpcore.ConnectTimeout):
                return await self._inner.connect_tcp(address, port, timeout=ATTEMPT_S, socket_options=socket_options)
        return await self._inner.connect_tcp(addresses[-1], port, timeout=timeout, socket_options=socket_options)


async def look_up(host: str, port: int) -> list[str]:
    """The numeric addresses of a host, or NameNotFound. Cancelling it returns at once, however slow the name server."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str], error: Exception | None) -> None:
        if found.done():
            return
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(addresses)

    def ask() -> None:
        addresses, error = _ask_system(host, port)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits for the answer any more
            loop.call_soon_threadsafe(settle, addresses, error)

    # a thread of its own, which nobody waits for: one of a pool would keep the loop from closing
    threading.Thread(target=ask, name="look-up", daemon=True).start()
    return await found


def _ask_system(host: str, port: int) -> tuple[list[str], Exception | None]:
    try:
        answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return [], NameNotFound(again=error.errno == socket.EAI_AGAIN)
    except (OSError, UnicodeError, ValueError):  # no name that could exist
        return [], NameNotFound(again=False)
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    return addresses, None if addresses else NameNotFound(again=False)
