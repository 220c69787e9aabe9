"""The guard: no spelling, name, redirect or second answer of a name server leads to a connection that is not public."""

import asyncio
import ipaddress
import socket
import threading
import time
from collections import Counter

import httpcore
import pytest
from AntiSSRF import IPAddressRanges
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data import guard
from core.data.fetch import fetch
from core.data.guard import REFUSED, AddressRefused, GuardedBackend, NameNotFound, is_public, look_up
from core.data.url_list import UrlRow
from core.data.web import Limits
from tests.data.web_server import WebServer, answer

PUBLIC = "93.184.216.34"
NAMES = {  # what the name server of these tests says
    "public.example": [PUBLIC],
    "public6.example": ["2606:2800:220:1:248:1893:25c8:1946"],
    "loopback.example": ["127.0.0.1"],
    "loopback6.example": ["::1"],
    "private.example": ["10.0.0.5"],
    "mixed.example": [PUBLIC, "192.168.1.1"],
    "mixed6.example": [PUBLIC, "fe80::1"],
    "mapped.example": ["::ffff:10.0.0.1"],
    "metadata.example": ["169.254.169.254"],
    "alibaba.example": ["100.100.100.200"],
    "azure.example": ["168.63.129.16"],
    "oracle.example": ["192.0.0.192"],
    "scoped.example": ["fe80::1%eth0"],
    "nothing.example": [],
    "localhost": ["127.0.0.1", "::1"],
    "metadata.google.internal": ["169.254.169.254"],
}
HOSTS = """
127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 127.0.0.1. 127.255.255.254
0.0.0.0 0 0.0.0.1 10.0.0.1 10.255.255.255 172.16.0.1 172.31.255.254 192.168.0.1 192.168.255.255
169.254.169.254 169.254.0.1 0xa9fea9fe 2852039166 0251.0376.0251.0376 100.64.0.1 100.100.100.200 100.127.255.254
168.63.129.16 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255
240.0.0.1 255.255.255.255
[::1] [::] [0:0:0:0:0:0:0:1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::127.0.0.1] [::ffff:0:127.0.0.1]
[64:ff9b::127.0.0.1] [64:ff9b::a9fe:a9fe] [64:ff9b:1::7f00:1] [2002:7f00:1::] [2002:a9fe:a9fe::1]
[2001:0:4136:e378:8000:63bf:80ff:fffe] [2606:4700::5efe:7f00:1] [2606:4700::200:5efe:7f00:1]
[fe80::1] [fe80::1%25eth0] [fec0::1] [fc00::1] [fd00:ec2::254] [ff02::1] [100::1] [2001:db8::1] [3fff::1] [5f00::1]
loopback.example loopback6.example private.example mixed.example mixed6.example mapped.example metadata.example
alibaba.example azure.example oracle.example scoped.example nothing.example localhost LOCALHOST localhost.
metadata.google.internal
""".split()
ODD = [
    "http://127。0。0。1/",
    "http://１２７.0.0.1/",
    "http://①②⑦.⓪.⓪.①/",
    "http://public.example@127.0.0.1/",
    "http://user:pw@public.example/",
    "http://127.0.0.1\\@public.example/",
    "http://public.example\\@127.0.0.1/",
    "http://public.example#@127.0.0.1:22/",
    "http://127.0.0.1?@public.example/",
    "http://public.example:22/",
    "http://public.example:8080/",
    "http://public.example:0/",
    "http://public.example:65536/",
    "http://public.example:443443/",
    "https://127.0.0.1/",
    "https://[::1]:443/",
    "http://[::1",
    "http:///etc/passwd",
    "http:127.0.0.1/",
    "//127.0.0.1/",
    "file:///etc/passwd",
    "ftp://public.example/1.jpg",
    "gopher://127.0.0.1:6379/_INFO",
    "data:image/png;base64,AAAA",
    "dict://127.0.0.1:11211/",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "unix:///var/run/docker.sock",
    "javascript:alert(1)",
    "http://public.example\r\nHost: x/",
    "http://public.example/\x00",
    "http://" + "a" * 70 + ".example/",
    "http://..../",
    "",
]
URLS = [*(f"http://{host}/latest/1.jpg" for host in HOSTS), *ODD]


class Wire:
    """What the tests let through instead of the network: fixed answers of a name server, no connection."""

    def __init__(self, monkeypatch) -> None:
        self.connects: list[tuple] = []
        self.lookups: Counter[str] = Counter()
        self.names = {name: [list(addresses)] for name, addresses in NAMES.items()}
        self._system = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._look_up)
        monkeypatch.setattr(socket.socket, "connect", lambda _, address: self._connect(address))

    def _look_up(self, host, port, *rest, **options):
        self.lookups[host] += 1
        answers = self.names.get(host.lower().rstrip("."))
        if answers is None:  # numbers as the system reads them; no other name exists
            return self._system(host, port, *rest, **{**options, "flags": socket.AI_NUMERICHOST})
        addresses = answers[0] if len(answers) == 1 else answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def _connect(self, address):
        self.connects.append(tuple(address[:2]))
        raise ConnectionRefusedError


@pytest.fixture
def wire(monkeypatch):
    return Wire(monkeypatch)


def fetched(*urls, **options):
    return list(fetch([UrlRow(line, "x", url) for line, url in enumerate(urls, start=1)], **options))


def test_no_hostile_address_is_ever_connected_to(wire):
    assert len(URLS) >= 100
    found = fetched(*URLS, limits=Limits(deadline_s=5, backoff_s=0.01))
    allowed = {(PUBLIC, 80)}  # one of the odd ones is a public page with a strange end
    assert set(wire.connects) <= allowed
    assert len(found) == len(URLS)
    assert {one.code for one in found} <= {"refused_address", "bad_address", "failed"}
    # spellings that are no number and no name at all are not found; all others are refused, in the same words
    refused = [one for one in found if one.code == "refused_address"]
    assert len(refused) > 80 and {one.reason for one in refused} == {REFUSED}


def test_a_public_page_is_connected_to_by_its_number(wire):
    fetched("http://public.example/", "https://public6.example/", limits=Limits(retries=0))
    assert set(wire.connects) == {(PUBLIC, 80), (NAMES["public6.example"][0], 443)}
    assert set(wire.lookups.values()) == {1}


def test_the_number_that_was_judged_is_the_one_connected_to_however_the_name_changes(wire):
    wire.names["public.example"] = [[PUBLIC], ["127.0.0.1"]]
    (found,) = fetched("http://public.example/", limits=Limits(backoff_s=0.01))
    assert wire.connects == [(PUBLIC, 80)]
    assert wire.lookups["public.example"] == 2  # one for each attempt; the second answer is refused
    assert found.code == "refused_address"


def test_further_addresses_of_a_name_are_tried(wire):
    wire.names["public.example"] = [[PUBLIC, "8.8.8.8"]]
    fetched("http://public.example/", limits=Limits(retries=0))
    assert wire.connects == [(PUBLIC, 80), ("8.8.8.8", 80)] and wire.lookups["public.example"] == 1


@pytest.mark.parametrize("target", [
    "http://127.0.0.1:{other}/secret",
    "//169.254.169.254/latest/",
    "http://[::1]:{other}/",
    "http://2130706433/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{other}/",
    "http://me:pw@127.0.0.1:{port}/1.jpg",
])  # fmt: skip
def test_a_redirect_leads_nowhere_that_the_address_itself_could_not(target, monkeypatch):
    connects = []
    real = socket.socket.connect
    monkeypatch.setattr(socket.socket, "connect", lambda self, to: connects.append(to[:2]) or real(self, to))
    with WebServer() as server, WebServer() as other:
        place = target.format(other=other.port, port=server.port).encode()
        server.pages["/go"] = lambda _: answer(302, b"", (b"Location", place))
        (found,) = fetched(server.url("/go"), allow_hosts=(server.host,))
    assert (found.code, found.reason) == ("refused_address", REFUSED)
    assert set(connects) == {("127.0.0.1", server.port)} and other.asked == []


def test_a_chain_of_redirects_ends_after_five():
    with WebServer() as server:
        server.pages["/"] = lambda path: answer(302, b"", (b"Location", b"/" + str(len(server.asked)).encode()))
        (found,) = fetched(server.url("/0"), allow_hosts=(server.host,))
        assert found.code == "failed" and "more than 5 times" in found.reason
        assert len(server.asked) == 6


def test_a_redirect_to_a_relative_place_is_followed():
    with WebServer() as server:
        server.pages["/a/b"] = lambda _: answer(301, b"", (b"Location", b"../c%20d?x=1"))
        server.pages["/c%20d?x=1"] = lambda _: answer(200, b"there")
        (found,) = fetched(server.url("/a/b"), allow_hosts=(server.host,))
    assert (found.code, found.data) == ("arrived", b"there")


def test_proxies_of_the_environment_are_not_used(monkeypatch):
    with WebServer() as server, WebServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("NO_PROXY", "")
        server.pages["/"] = lambda _: answer(200, b"direct")
        (found,) = fetched(server.url("/"), allow_hosts=(server.host,))
    assert found.data == b"direct" and proxy.asked == []


@pytest.mark.parametrize(("allowed", "code"), [
    ("127.0.0.1:{port}", "arrived"),
    ("127.0.0.1", "refused_address"),  # without a port the usual ones
    ("127.0.0.1:1", "refused_address"),
    ("localhost:{port}", "refused_address"),  # another name for the same place is another entry
    ("[::1]:{port}", "refused_address"),
])  # fmt: skip
def test_an_allowed_host_is_that_host_and_that_port(allowed, code):
    with WebServer() as server:
        server.pages["/"] = lambda _: answer(200, b"here")
        (found,) = fetched(server.url("/"), allow_hosts=(allowed.format(port=server.port),))
    assert found.code == code


def test_the_host_without_a_port_may_be_asked_on_the_usual_ones(wire):
    fetched("http://private.example/", "https://Private.example/", "http://private.example:8080/",
            allow_hosts=("private.example",), limits=Limits(retries=0))  # fmt: skip
    assert Counter(wire.connects) == {("10.0.0.5", 80): 1, ("10.0.0.5", 443): 1}


def test_sockets_of_this_computer_are_refused():
    with pytest.raises(AddressRefused):
        asyncio.run(GuardedBackend().connect_unix_socket("/var/run/docker.sock"))


def test_the_backend_is_asked_for_every_connection_of_the_pool(wire):
    async def ask():
        async with httpcore.AsyncConnectionPool(network_backend=GuardedBackend()) as pool:
            await pool.request("GET", "http://loopback.example/")

    with pytest.raises(AddressRefused):
        asyncio.run(ask())
    assert wire.connects == []


def test_a_slow_name_server_is_not_waited_for(monkeypatch):
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(20) and [])
    began = time.monotonic()
    (found,) = fetched("http://slow.example/", limits=Limits(deadline_s=0.3))
    assert found.code == "too_slow" and time.monotonic() - began < 0.8
    release.set()


@pytest.mark.parametrize(("number", "again"), [(socket.EAI_AGAIN, True), (socket.EAI_NONAME, False)])
def test_a_name_server_in_trouble_is_asked_again_and_a_missing_name_is_not(number, again, monkeypatch):
    def fails(*_, **__):
        raise socket.gaierror(number, "no")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    with pytest.raises(NameNotFound) as caught:
        asyncio.run(look_up("a.example", 80))
    assert caught.value.again is again


ipv4 = st.integers(0, 2**32 - 1).map(ipaddress.IPv4Address)
special = st.sampled_from([ipaddress.ip_network(block) for block in IPAddressRanges.recommended_latest])
inside = special.flatmap(
    lambda block: st.integers(int(block.network_address), int(block.broadcast_address)).map(
        lambda number: ipaddress.IPv4Address(number) if block.version == 4 else ipaddress.IPv6Address(number)
    )
)
FORMS = {  # every way to carry an IPv4 address inside an IPv6 one
    "mapped": lambda v4, rest: 0xFFFF << 32 | v4,
    "compatible": lambda v4, rest: v4,
    "translated": lambda v4, rest: 0xFFFF << 48 | v4,
    "NAT64": lambda v4, rest: 0x64_FF9B << 96 | v4,
    "NAT64 local": lambda v4, rest: 0x64_FF9B_0001 << 80 | (rest & (2**48 - 1)) << 32 | v4,
    "6to4": lambda v4, rest: 0x2002 << 112 | v4 << 80 | rest & (2**80 - 1),
    "Teredo": lambda v4, rest: 0x2001_0000 << 96 | (rest & (2**64 - 1)) << 32 | v4 ^ 0xFFFF_FFFF,
    "ISATAP": lambda v4, rest: (rest | 1 << 61) << 64 & 2**128 - 1 | 0x5EFE << 32 | v4,
    "ISATAP, global": lambda v4, rest: (rest | 1 << 61) << 64 & 2**128 - 1 | 0x0200_5EFE << 32 | v4,
}


@pytest.mark.parametrize("form", FORMS)
@given(v4=st.one_of(ipv4, inside.filter(lambda address: address.version == 4)), rest=st.integers(0, 2**64 - 1))
@settings(max_examples=60, deadline=None)
def test_no_ipv6_address_with_an_ipv4_one_inside_is_public(form, v4, rest):
    address = ipaddress.IPv6Address(FORMS[form](int(v4), rest))
    assert not is_public(str(address)) and not is_public(address.exploded)


@given(inside)
@settings(max_examples=300, deadline=None)
def test_nothing_in_a_special_range_is_public(address):
    assert not is_public(str(address))


@given(st.integers(0, 2**128 - 1).filter(lambda number: number >> 125 != 1))
@settings(max_examples=200, deadline=None)
def test_of_ipv6_only_global_unicast_is_public(number):
    assert not is_public(str(ipaddress.IPv6Address(number)))


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", PUBLIC, "2606:4700:4700::1111", "2a00:1450:4001:80b::200e"])
def test_ordinary_addresses_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize("address", ["", "a.example", "2606:4700::1111%eth0", "1.2.3", "1.2.3.4.5"])
def test_what_is_no_plain_address_is_not_public(address):
    assert not is_public(address)


def test_the_ranges_hold_what_clouds_and_homes_use():
    found = {str(block) for block in guard._SPECIAL}
    assert {"10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "100.64.0.0/10", "fc00::/7"} <= found
