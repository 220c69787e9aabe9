"""Fetching 500 pictures by address against the reference library's `download_images`, in the same run.

A server process of this benchmark serves pictures and every usual fault on several loopback addresses, each a host of
its own. Two figures: the bytes alone, and the whole way to a data set (against download, verify and resize). Then a
table of what each of the two lost or got wrong.

    python -m benchmarks.urls [--addresses 500] [--latency-ms 40] [--rounds 3]
"""

from __future__ import annotations

import argparse
import http.server
import importlib.util
import io
import json
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from PIL import Image

from core.data.fetch import fetch
from core.data.fetch_set import fetch_into
from core.data.table import create_empty
from core.data.url_list import UrlRow
from core.settings import ImportSettings
from core.workspace import Workspace

HOSTS = 8
FAULTS = ("missing", "page", "cut", "query", "png", "sideways", "grey", "moved", "circle", "twice")


def picture(seed: int, *, mode: str = "RGB", kind: str = "JPEG", **options: object) -> bytes:
    """A photo-like picture of 800 x 600 pixels, about 100 kB as a JPEG."""
    rng = np.random.default_rng(seed)
    base = Image.fromarray(rng.integers(0, 256, (60, 80, 3), dtype=np.uint8)).resize((800, 600), Image.BICUBIC)
    buffer = io.BytesIO()
    base.convert(mode).save(buffer, kind, **options)
    return buffer.getvalue()


def serve(pipe: Connection, latency_s: float, seed_count: int) -> None:
    """Serve until the parent ends this process; tells the port on each loopback address."""
    bodies = [picture(seed, quality=92) for seed in range(seed_count)]
    exif = Image.Exif()
    exif[0x0112] = 6
    special = {
        "png": picture(10_001, kind="PNG"),
        "sideways": picture(10_002, exif=exif),
        "grey": picture(10_003, mode="L"),
        "query": picture(10_004),
        "twice": picture(10_005),
    }

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(latency_s)
            path, _, query = self.path.partition("?")
            name, number = path.strip("/").removesuffix(".jpg").split("-")
            if name == "missing" or (name == "query" and query != "sig=1"):
                self.answer(404, b"gone", "text/plain")
            elif name == "page":
                self.answer(200, b"<html><body>Please log in</body></html>", "image/jpeg")
            elif name == "circle" or (name == "moved" and not query):
                self.send_response(302)
                self.send_header("Location", path + ("?there" if name == "moved" else ""))
                self.send_header("Content-Length", "0")
                self.end_headers()
            elif name == "cut":
                body = bodies[0]
                self.send_response(200)
                self.send_header("Content-Type", "image/jpeg")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
                self.close_connection = True
            else:
                self.answer(200, special.get(name, bodies[int(number) % len(bodies)]), "image/jpeg")

        def answer(self, status: int, body: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        request_queue_size = 128
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that hung up is none of this benchmark's business."""

    servers = [Server((f"127.0.0.{host}", 0), Handler) for host in range(2, 2 + HOSTS)]
    pipe.send([f"{server.server_address[0]}:{server.server_address[1]}" for server in servers])
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    servers[0].serve_forever()


def addresses(hosts: list[str], count: int) -> list[str]:
    """`count` addresses over all hosts: one in ten stands for a fault, the faults in turns."""
    urls = []
    for number in range(count):
        name = FAULTS[number // 10 % len(FAULTS)] if number % 10 == 9 else "plain"
        place = 0 if name == "twice" else number
        host = hosts[0] if name == "twice" else hosts[number % len(hosts)]
        urls.append(f"http://{host}/{name}-{place}.jpg" + ("?sig=1" if name == "query" else ""))
    return urls


def reference(urls: list[str], target: Path) -> None:
    """What the reference library does with the addresses alone."""
    from fastai.vision.utils import download_images

    download_images(target, urls=urls, max_pics=len(urls))


def reference_whole(urls: list[str], target: Path) -> None:
    """Download, verify, delete what failed, resize: the steps of its own lesson."""
    from fastai.vision.utils import download_images, get_image_files, resize_images, verify_images

    download_images(target / "raw", urls=urls, max_pics=len(urls))
    for failed in verify_images(get_image_files(target / "raw")):
        failed.unlink()
    resize_images(target / "raw", dest=target / "small", max_size=512)


def ours(urls: list[str], target: Path, *, hosts: list[str]) -> None:
    """The bytes alone, thrown away as they arrive."""
    for _ in fetch(rows_of(urls), allow_hosts=tuple(hosts)):
        pass


def ours_whole(urls: list[str], target: Path, *, hosts: list[str]) -> Counter[str]:
    """From addresses to a data set; what became of each address, counted."""
    dataset = create_empty(Workspace(target), name="web", settings=ImportSettings())
    events = list(fetch_into(dataset, rows_of(urls), allow_hosts=tuple(hosts)))
    return Counter(event.code for event in events if event.kind == "fetched")


def rows_of(urls: list[str]) -> list[UrlRow]:
    """The addresses as rows of a list, all of one class."""
    return [UrlRow(line, "thing", url) for line, url in enumerate(urls, start=1)]


def timed(work: Callable[[Path], object], rounds: int) -> float:
    """The median seconds of `work`, each time with an empty folder."""
    seconds = []
    for _ in range(rounds):
        target = Path(tempfile.mkdtemp(prefix="bearings-urls-"))
        start = time.perf_counter()
        work(target)
        seconds.append(time.perf_counter() - start)
        shutil.rmtree(target)
    return statistics.median(seconds)


def losses(urls: list[str], hosts: list[str]) -> dict[str, dict[str, int]]:
    """What became of each kind of address: how many files the reference library kept, and what Bearings says."""
    table: dict[str, dict[str, int]] = {}
    for name in ("plain", *FAULTS):
        some = [url for url in urls if f"/{name}-" in url]
        target = Path(tempfile.mkdtemp(prefix="bearings-urls-"))
        (target / "theirs").mkdir()
        found = {"addresses": len(some)}
        if "fastai" in sys.modules:
            reference_whole(some, target / "theirs")
            found["reference kept"] = sum(1 for _ in (target / "theirs" / "small").glob("*"))
            found["reference sideways"] = sum(
                Image.open(path).height < Image.open(path).width
                for path in (target / "theirs" / "small").glob("*")
                if name == "sideways"
            )
        found |= {f"bearings: {code}": count for code, count in ours_whole(some, target / "mine", hosts=hosts).items()}
        table[name] = found
        shutil.rmtree(target)
    return table


def main() -> None:
    """Serve, fetch in turns, print medians, ratios and the table as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--addresses", type=int, default=500)
    parser.add_argument("--latency-ms", type=float, default=40.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe()
    server = context.Process(target=serve, args=(theirs, options.latency_ms / 1000, 40), daemon=True)
    server.start()
    try:
        hosts = mine.recv()
        print(json.dumps(measure(hosts, options), indent=1))
    finally:
        server.terminate()
        server.join()


def measure(hosts: list[str], options: argparse.Namespace) -> dict[str, object]:
    """All figures of one run."""
    urls = addresses(hosts, options.addresses)
    works: dict[str, Callable[[Path], object]] = {
        "bearings, bytes": lambda target: ours(urls, target, hosts=hosts),
        "bearings, whole": lambda target: ours_whole(urls, target, hosts=hosts),
    }
    if importlib.util.find_spec("fastai") is None:
        print("the reference library is not installed: only our own figures", file=sys.stderr)
    else:
        warnings.simplefilter("ignore")
        works["reference, bytes"] = lambda target: reference(urls, target)
        works["reference, whole"] = lambda target: reference_whole(urls, target)
    seconds = {name: round(timed(work, options.rounds), 2) for name, work in works.items()}
    ratios = {
        part: round(seconds[f"reference, {part}"] / seconds[f"bearings, {part}"], 2)
        for part in ("bytes", "whole")
        if f"reference, {part}" in seconds
    }
    return {
        "addresses": len(urls),
        "latency_ms": options.latency_ms,
        "seconds": seconds,
        "times_faster_than_reference": ratios,
        "what_became_of_them": losses(urls, hosts),
    }


if __name__ == "__main__":
    main()
