"""The console snippet in a real browser: exactly the pictures of a page, each once, the largest first."""

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from core.data.url_list import parse
from tests.data.web_server import WebServer, answer

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
SNIPPET = (Path(__file__).parents[2] / "core" / "ui" / "collect.js").read_text(encoding="utf-8")
DOT = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
PAGE = f"""<!doctype html><html><head><base href="/deep/"><style>img {{ max-width: 900px }}</style></head><body>
<img src="/w300/plain.jpg?sig=1,2&amp;x=%2F#part"> <img src="/w300/plain.jpg?sig=1,2&amp;x=%2F" alt="again">
<img src="relative-w250.jpg">
<img src="/w320/s.jpg" srcset="/w320/s.jpg 320w, /w640/s.jpg 640w,/w1280/s,1.jpg 1280w" sizes="320px">
<img src="/w200/d.jpg" srcset="/w200/d.jpg, /w400/d2.jpg 2x">
<picture><source type="image/avif" srcset="/w2000/p.avif 2000w"><source type="image/webp" srcset="/w500/p.webp 500w">
<img src="/w100/p.jpg"></picture>
<img src="{DOT}" width="150" height="90" data-src="https://far.example/lazy.jpg">
<img src="{DOT}" data-original="//far.example/unseen.jpg">
<img src="{DOT}" width="160" height="90" data-srcset="https://far.example/l1.jpg 400w, https://far.example/l2.jpg 800w">
<a href="https://far.example/photos/full.JPG"><img src="/w120/thumb.jpg"></a>
<a href="/deep/full2.png?download=1">the whole picture</a>
<a href="/imgres?imgurl=https%3A%2F%2Ffar.example%2Fa%20b%3Fid%3D7%26s%3D1&amp;refurl=https%3A%2F%2Ffar.example%2Fp">
<img src="{DOT}" width="110" height="110"></a>
<a href="/view?mediaurl=https%3a%2f%2ffar.example%2fmedia.webp&amp;w=9"><img src="/w130/m.jpg"></a>
<img src="/w140/proxy?u=https%3A%2F%2Ffar.example%2Foriginal.jpg">
<a href="/wiki/File:Bear.jpg"><img src="/w220/File:Bear.jpg/220px-Bear.jpg"></a>
<a href="https://share.example/?u=https%3A%2F%2Ffar.example%2Fpage">share</a> <a href="/other.html">more</a>
<a href="javascript:void 0">x</a> <a href="mailto:me@far.example">y</a> <img> <img src="">
<div style="width: 170px; height: 80px; background: url('/w170/back.jpg') center"></div>
<div style="width: 20px; height: 20px; background: url('/w20/icon.png')"></div>
<img src="/w16/icon.png"> <img src="/w1/pixel.gif"> <img src="/w300h10/line.png">
<img src="{DOT}" width="300" height="300">
</body></html>"""
SAVED = [
    "https://far.example/photos/full.JPG",
    "{here}/deep/full2.png?download=1",
    "https://far.example/a%20b?id=7&s=1",
    "https://far.example/media.webp",
    "{here}/w1280/s,1.jpg",
    "https://far.example/l2.jpg",
    "{here}/w500/p.webp",
    "{here}/w400/d2.jpg",
    "{here}/w300/plain.jpg?sig=1,2&x=%2F",
    "{here}/deep/relative-w250.jpg",
    "{here}/w220/File:Bear.jpg/220px-Bear.jpg",
    "{here}/w170/back.jpg",
    "https://far.example/lazy.jpg",
    "https://far.example/original.jpg",
    "{scheme}far.example/unseen.jpg",
]


def drawn(path: str) -> bytes:
    """A picture as wide as its path says."""
    size = re.search(r"[/-]w(\d+)(?:h(\d+))?[/.]", path)
    if size is None:
        return answer(404, b"")
    buffer = io.BytesIO()
    Image.new("RGB", (int(size[1]), int(size[2] or size[1])), "teal").save(buffer, "PNG")
    return answer(200, buffer.getvalue(), (b"Content-Type", b"image/png"))


@pytest.fixture
def site():
    with WebServer() as server:
        policy = b"default-src 'none'; img-src 'self' data:; style-src 'unsafe-inline'; base-uri 'self'"
        headers = ((b"Content-Type", b"text/html; charset=utf-8"), (b"Content-Security-Policy", policy))
        server.pages["/"] = drawn
        server.pages["/page"] = lambda _: answer(200, PAGE.encode(), *headers)
        server.pages["/empty"] = lambda _: answer(200, b"<p>Nothing here", *headers)
        yield server


def collected(chromium, url: str) -> tuple[bytes, str, str]:
    """What the snippet saves on a page, under which name, and what the console says."""
    context = chromium.new_context(viewport={"width": 1366, "height": 768})
    try:
        page = context.new_page()
        page.goto(url, wait_until="load")
        console = context.new_cdp_session(page)
        with page.expect_download() as download:
            said = console.send("Runtime.evaluate", {"expression": SNIPPET})
        assert "exceptionDetails" not in said, said
        return download.value.path().read_bytes(), download.value.suggested_filename, said["result"]["value"]
    finally:
        context.close()


def test_the_snippet_saves_exactly_the_pictures_of_a_page(chromium, site):
    saved, name, said = collected(chromium, site.url("/page"))
    here = site.url("")
    assert saved.decode().splitlines() == [line.format(here=here, scheme="http://") for line in SAVED]
    assert name == "urls.txt" and said == f"{len(SAVED)} addresses saved in urls.txt"
    found = parse(saved, label="bear")
    assert (len(found.rows), found.problems, found.duplicates) == (len(SAVED), (), 0)


def test_a_page_without_pictures_gives_an_empty_list(chromium, site):
    saved, _, said = collected(chromium, site.url("/empty"))
    assert saved == b"" and said == "0 addresses saved in urls.txt"


def test_the_snippet_is_short_and_asks_nobody():
    assert len(SNIPPET.splitlines()) <= 30 and max(map(len, SNIPPET.splitlines())) <= 132
    assert not [word for word in ("fetch(", "XMLHttpRequest", "eval", "http://", "https://") if word in SNIPPET]
