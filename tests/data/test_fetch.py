"""Fetching: every hostile answer ends in time with a reason, servers are treated politely, and stopping is quick."""

import gzip
import socket
import threading
import time
from email.utils import formatdate

import pytest

from core.data.fetch import fetch
from core.data.url_list import UrlRow
from core.data.web import Limits
from tests.data.web_server import WebServer, answer, slowly

QUICK = Limits(deadline_s=1.0, max_bytes=200_000, backoff_s=0.02)
OK = b"HTTP/1.1 200 OK\r\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 500


def rows(server: WebServer, *paths: str) -> list[UrlRow]:
    return [UrlRow(line, "x", server.url(path)) for line, path in enumerate(paths, start=1)]


def fetched(server: WebServer, *paths: str, limits: Limits = QUICK, **options) -> list:
    return list(fetch(rows(server, *paths), limits=limits, allow_hosts=(server.host,), **options))


HOSTILE = {  # what the server does, and what becomes of it
    "endless": (slowly(OK + b"\r\n", b"x" * 65_536, wait_s=0), "too_large"),
    "says too much": (lambda _: answer(200, PNG, length=10**12), "too_large"),
    "says more digits than a number has": (lambda _: answer(200, PNG, length=10**40), "failed"),
    "says more than comes, and waits": (slowly(OK + b"Content-Length: 9999\r\n\r\n", PNG, b"", wait_s=0.1), "too_slow"),
    "drips its body": (slowly(OK + b"\r\n", b"x", wait_s=0.05), "too_slow"),
    "drips its headers": (slowly(OK, b"X: y\r\n", wait_s=0.05), "too_slow"),
    "drips its first line": (slowly(b"HTTP/1.1", b" ", wait_s=0.05), "too_slow"),
    "says nothing": (slowly(b"", wait_s=0.05), "too_slow"),
    "endless headers": (slowly(OK, b"X: " + b"y" * 60_000 + b"\r\n", wait_s=0), "failed"),
    "endless hints": (slowly(b"HTTP/1.1 100 Continue\r\n\r\n", wait_s=0.01), "too_slow"),
    "bomb": (
        lambda _: answer(200, gzip.compress(b"\0" * 3_000_000), (b"Content-Encoding", b"gzip")),
        "failed",
    ),
    "cut off": (lambda _: iter([answer(200, PNG, length=600)]), "failed"),
    "no HTTP": (lambda _: iter([b"SSH-2.0-OpenSSH_9.6\r\n"]), "failed"),
    "two lengths": (lambda _: iter([OK + b"Content-Length: 5\r\nContent-Length: 9\r\n\r\n123456789"]), "failed"),
    "a redirect to nowhere": (lambda _: answer(302, b"", (b"Location", b"http://\\")), "bad_address"),
    "a redirect that says nothing": (lambda _: answer(302, b""), "http_status"),
}  # fmt: skip


def test_every_hostile_answer_ends_in_time_with_a_reason():
    with WebServer() as server:
        server.pages = {f"/{place}": page for place, (page, _) in enumerate(HOSTILE.values())}
        limits = Limits(deadline_s=0.7, max_bytes=200_000, backoff_s=0.02, per_host=16)
        began, found = time.monotonic(), {}
        for one in fetch(rows(server, *server.pages), limits=limits, allow_hosts=(server.host,)):
            found[one.row.line] = (one.code, time.monotonic() - began)
            assert one.reason.endswith(".") and one.data is None
    names = list(HOSTILE)
    assert {names[line - 1]: code for line, (code, _) in found.items()} == {n: code for n, (_, code) in HOSTILE.items()}
    assert max(seconds for _, seconds in found.values()) < 1.2


def test_names_and_types_decide_nothing():
    with WebServer() as server:
        server.pages["/a.txt"] = lambda _: answer(200, PNG, (b"Content-Type", b"text/html; charset=x"))
        server.pages["/b.jpg"] = lambda _: answer(200, b"<html>", (b"Content-Type", b"image/jpeg"))
        server.pages["/c"] = lambda _: answer(200, b"", (b"Content-Type", b"<script>alert(1)</script>"))
        found = {one.row.line: one for one in fetched(server, "/a.txt", "/b.jpg", "/c")}
    assert {one.code for one in found.values()} == {"arrived"}
    assert (found[1].data, found[1].media_type) == (PNG, "text/html")
    assert (found[2].data, found[2].media_type) == (b"<html>", "image/jpeg")
    assert (found[3].data, found[3].media_type) == (b"", "")


def test_a_lying_length_gives_no_more_than_it_says():
    with WebServer() as server:
        server.pages["/"] = lambda _: iter([answer(200, b"1234567890", length=4)])
        (found,) = fetched(server, "/")
    assert found.data == b"1234"


def test_the_cap_is_exact():
    with WebServer() as server:
        server.pages["/fits"] = lambda _: answer(200, b"x" * 1000)
        server.pages["/not"] = lambda _: iter([OK + b"\r\n", b"x" * 1001])
        found = {one.row.line: one.code for one in fetched(server, "/fits", "/not", limits=Limits(max_bytes=1000))}
    assert found == {1: "arrived", 2: "too_large"}


def test_a_request_says_who_asks_keeps_the_query_and_hides_the_rest():
    with WebServer() as server:
        server.pages["/"] = lambda _: answer(200, b"x")
        fetched(server, "/a b/ü.jpg?sig=x%2Fy&n=1,2#top")
        (head,) = server.heads
    lines = head.decode().split("\r\n")
    assert lines[0] == "GET /a%20b/%C3%BC.jpg?sig=x%2Fy&n=1,2 HTTP/1.1"
    names = {line.partition(":")[0].lower() for line in lines[1:] if line}
    assert names == {"host", "user-agent", "accept", "accept-encoding"}
    assert "Accept-Encoding: identity" in lines and f"Host: {server.host}" in lines
    assert any("Bearings/0.1 (+a teaching tool" in line for line in lines)


@pytest.mark.parametrize(("status", "words"), [(404, "nothing"), (403, "hand"), (401, "password"), (418, "refuses")])
def test_a_refusal_is_told_with_its_number_and_asked_once(status, words):
    with WebServer() as server:
        server.pages["/"] = lambda _: answer(status, b"no")
        (found,) = fetched(server, "/")
    assert found.code == "http_status" and str(status) in found.reason and words in found.reason
    assert len(server.asked) == 1


@pytest.mark.parametrize("trouble", [
    lambda _: answer(503, b""),
    lambda _: answer(500, b""),
    lambda _: answer(429, b"", (b"Retry-After", b"0")),
    lambda _: answer(429, b"", (b"Retry-After", formatdate(time.time() - 5).encode())),
    lambda _: iter([b""]),
    lambda _: iter([answer(200, b"half", length=8)]),
])  # fmt: skip
def test_trouble_is_met_with_two_further_attempts(trouble):
    with WebServer() as server:
        server.pages["/"] = lambda path: trouble(path) if len(server.asked) < 3 else answer(200, b"there")
        (found,) = fetched(server, "/")
        assert (found.code, found.data, len(server.asked)) == ("arrived", b"there", 3)
        server.asked.clear()
        server.pages["/"] = trouble
        (found,) = fetched(server, "/")
        assert found.code in ("http_status", "failed") and len(server.asked) == 3


def test_the_wait_that_a_server_asks_for_is_kept():
    times = []
    with WebServer() as server:

        def page(_):
            times.append(time.monotonic())
            return answer(429, b"", (b"Retry-After", b"1")) if len(times) < 2 else answer(200, b"x")

        server.pages["/"] = page
        (found,) = fetched(server, "/", limits=Limits(deadline_s=3, backoff_s=0.01))
    assert found.code == "arrived" and 0.9 < times[1] - times[0] < 1.5


@pytest.mark.parametrize(
    "wait", [b"3600", b"9" * 50, formatdate(time.time() + 9000).encode()], ids=["hour", "ages", "date"]
)  # a name with the time in it would differ between two processes
def test_a_wait_longer_than_the_deadline_is_not_begun(wait):
    with WebServer() as server:
        server.pages["/"] = lambda _: answer(429, b"", (b"Retry-After", wait))
        began = time.monotonic()
        (found,) = fetched(server, "/")
    assert found.code == "http_status" and len(server.asked) == 1 and time.monotonic() - began < 0.8


def test_one_deadline_covers_all_attempts_and_redirects():
    def page(path):
        time.sleep(0.1)
        return answer(302, b"", (b"Location", b"/next"))

    with WebServer() as server:
        server.pages["/"] = page
        began = time.monotonic()
        (found,) = fetched(server, "/", limits=Limits(deadline_s=0.36))
    assert found.code == "too_slow" and time.monotonic() - began < 0.8 and 2 <= len(server.asked) <= 4


def test_a_server_that_is_gone_is_told():
    with WebServer() as server:
        host = server.host
    (found,) = fetch([UrlRow(1, "x", f"http://{host}/")], limits=QUICK, allow_hosts=(host,))
    assert (found.code, found.reason) == ("failed", "The server does not take the call.")


def test_a_server_without_a_certificate_is_told():
    with WebServer() as server:
        url = server.url("/").replace("http", "https")
        (found,) = fetch([UrlRow(1, "x", url)], limits=QUICK, allow_hosts=(server.host,))
        assert (found.code, server.asked) == ("failed", ["/tls"])
    assert found.reason == "The server cannot prove who it is, or its encryption is out of date."


def slow_page(_: str) -> bytes:
    time.sleep(0.03)
    return answer(200, b"x")


def test_one_host_gets_four_connections_at_most():
    with WebServer() as server:
        server.pages["/"] = slow_page
        assert len(fetched(server, *(f"/{n}" for n in range(40)))) == 40
        assert server.most == 4 and server.connections == 4  # they are used again


def named(monkeypatch, *names: str) -> None:
    """Names that all lead to this computer."""

    def look_up(host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))] * (host in names)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def test_all_hosts_together_get_sixteen(monkeypatch):
    names = [f"h{n}.example" for n in range(8)]
    named(monkeypatch, *names)
    with WebServer() as server:
        server.pages["/"] = slow_page
        asked = [UrlRow(n, "x", f"http://{names[n % 8]}:{server.port}/{n}") for n in range(120)]
        found = list(fetch(asked, allow_hosts=tuple(f"{name}:{server.port}" for name in names)))
        assert {one.code for one in found} == {"arrived"} and len(found) == 120
        assert 8 < server.most <= 16


def test_a_host_that_others_lead_to_gets_four_too(monkeypatch):
    names = ["target.example", *(f"h{n}.example" for n in range(6))]
    named(monkeypatch, *names)
    with WebServer() as server, WebServer() as target:
        server.pages["/"] = lambda path: answer(302, b"", (b"Location", f"http://{names[0]}:{target.port}/".encode()))
        target.pages["/"] = slow_page
        asked = [UrlRow(n, "x", f"http://{names[1 + n % 6]}:{server.port}/{n}") for n in range(40)]
        allowed = (f"{names[0]}:{target.port}", *(f"{name}:{server.port}" for name in names[1:]))
        assert {one.code for one in fetch(asked, allow_hosts=allowed)} == {"arrived"}
        assert target.most == 4


def test_a_slow_host_does_not_hold_up_the_others(monkeypatch):
    named(monkeypatch, "slow.example", "quick.example")
    with WebServer() as slow, WebServer() as quick:
        slow.pages["/"] = slowly(OK + b"\r\n", b"x", wait_s=0.05)
        quick.pages["/"] = lambda _: answer(200, b"x")
        asked = [UrlRow(n, "slow", f"http://slow.example:{slow.port}/{n}") for n in range(4)]
        asked += [UrlRow(n, "quick", f"http://quick.example:{quick.port}/{n}") for n in range(40)]
        allowed = (f"slow.example:{slow.port}", f"quick.example:{quick.port}")
        order = [one.row.label for one in fetch(asked, limits=Limits(deadline_s=0.5), allow_hosts=allowed)]
    assert order == ["quick"] * 40 + ["slow"] * 4


def test_stopping_takes_half_a_second_at_most():
    asked = threading.Event()
    with WebServer() as server:

        def page(path):
            asked.set()
            return slowly(OK + b"\r\n", b"x", wait_s=0.05)(path)

        server.pages["/"] = page
        stopped = []

        def stop() -> bool:
            if asked.is_set() and not stopped:
                stopped.append(time.monotonic())
            return bool(stopped)

        assert fetched(server, "/a", "/b", "/c", "/d", "/e", limits=Limits(), stop=stop) == []
        assert time.monotonic() - stopped[0] < 0.5


def test_closing_the_iterator_ends_the_work():
    with WebServer() as server:
        server.pages["/"] = slow_page
        stream = fetch(rows(server, *(f"/{n}" for n in range(200))), allow_hosts=(server.host,))
        next(stream)
        stream.close()
        assert "fetch" not in {thread.name for thread in threading.enumerate()}
        assert len(server.asked) < 60


def test_who_does_not_read_is_not_sent_everything():
    with WebServer() as server:
        server.pages["/"] = lambda _: answer(200, b"x")
        stream = fetch(rows(server, *(f"/{n}" for n in range(300))), allow_hosts=(server.host,))
        next(stream)
        time.sleep(0.2)
        assert len(server.asked) < 60
        assert len(list(stream)) == 299


def test_nothing_to_fetch_gives_nothing():
    assert list(fetch([])) == []
