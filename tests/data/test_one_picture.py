"""One picture from the web: its bytes, or one sentence with what to do next, within its time."""

import time

import pytest

from core.data.one_picture import LIMITS, fetch_picture
from core.data.web import Limits
from core.errors import DataError
from tests.data.web_server import WebServer, answer, slowly

QUICK = Limits(deadline_s=0.5, max_bytes=200_000, retries=0)
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 500


def test_the_limits_are_those_of_whole_lists():
    assert (LIMITS.max_bytes, LIMITS.deadline_s) == (20 * 2**20, 10.0)


def test_the_bytes_come_as_they_are_also_after_a_redirect():
    with WebServer() as server:
        server.pages = {
            "/a": lambda _: answer(302, b"", (b"Location", b"/b.png")),
            "/b.png": lambda _: answer(200, PNG),
        }
        assert fetch_picture(f"  {server.url('/a')} \n", allow_hosts=(server.host,), limits=QUICK) == PNG


REFUSED = {
    "http://127.0.0.1/a.png": "open to all",
    "http://localhost:8501/healthz": "open to all",
    "http://[::1]/a.png": "open to all",
    "http://169.254.169.254/latest/meta-data": "open to all",
    "http://0x7f.1/a.png": "open to all",
    "http://user:word@example.org/a.png": "open to all",
    "file:///etc/passwd": "open to all",
    "not an address": "not an address",
    "": "not an address",
    "https://x.org/" + "a" * 5000: "not an address",
}


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_never_asked_is_refused_with_a_sentence(url):
    with pytest.raises(DataError, match=REFUSED[url]) as caught:
        fetch_picture(url, limits=QUICK)
    assert caught.value.hint.endswith(".")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (lambda _: answer(404, b""), "404"),
        (lambda _: answer(302, b"", (b"Location", b"http://10.0.0.1/")), "open to all"),
        (lambda _: answer(200, b"x" * 300_000), "MB"),
        (slowly(b"HTTP/1.1 200 OK\r\n\r\n", b"x", wait_s=0.05), "seconds"),
    ],
)
def test_a_server_that_does_as_it_likes_costs_half_a_second(page, words):
    with WebServer() as server:
        server.pages["/"] = page
        began = time.monotonic()
        with pytest.raises(DataError, match=words) as caught:
            fetch_picture(server.url("/a.png"), allow_hosts=(server.host,), limits=QUICK)
        assert caught.value.hint and time.monotonic() - began < 2
