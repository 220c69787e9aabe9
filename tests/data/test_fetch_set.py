"""Fetching into a data set: pictures arrive as rows, every address gets a sentence, and broken-off work goes on."""

import io
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.data import edits, fetch_set
from core.data.events import DataReady, Fetched, Progress
from core.data.fetch_report import FETCHED_CODES, outcomes
from core.data.fetch_set import fetch_into
from core.data.growth import Growth
from core.data.images import open_image
from core.data.table import create_empty, load_dataset
from core.data.url_list import UrlRow
from core.data.web import Limits
from core.errors import DataError
from core.jobs.worker import work
from core.settings import ImportSettings
from core.train import runs
from core.workspace import Workspace
from tests.data.web_server import WebServer, answer, slowly

ROOT = Path(__file__).parents[2]
QUICK = Limits(deadline_s=0.8, max_bytes=3_000_000, backoff_s=0.01)


def picture(seed: int, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def bomb(side: int) -> bytes:
    """A PNG that says it has `side` times `side` pixels, and holds none of them."""
    parts = {b"IHDR": struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0), b"IDAT": zlib.compress(b"")}
    chunks = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts.items()
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch):
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture
def server():
    with WebServer() as made:
        made.pages["/"] = lambda path: answer(200, picture(abs(hash(path)) % 2**32), (b"Content-Type", b"image/png"))
        yield made


@pytest.fixture
def dataset(tmp_path):
    return create_empty(Workspace(tmp_path), name="web", settings=ImportSettings())


def fetched(server, dataset, rows, **options):
    return list(fetch_into(dataset, rows, allow_hosts=(server.host,), limits=QUICK, workers=1, **options))


def rows_of(server, *paths, label="cat"):
    return [UrlRow(line, label, server.url(path)) for line, path in enumerate(paths, start=1)]


def codes(events) -> dict[int, str]:
    return {event.line: event.code for event in events if isinstance(event, Fetched)}


def test_pictures_become_rows_with_their_addresses(server, dataset):
    rows = rows_of(server, "/a.jpg?sig=1,2", "/b") + [UrlRow(3, "dog", server.url("/c%20d.png?x=http://e.org/f.gif#g"))]
    events = fetched(server, dataset, rows)
    items = load_dataset(dataset.workspace, dataset.id).kept().sort_values("source")
    assert list(items["label"]) == ["cat", "cat", "dog"]
    assert list(items["source"]) == [row.url.partition("#")[0] for row in rows]
    assert list(items["original_name"]) == ["a.jpg", "b", "c d.png"]
    assert set(items["split"]) == {"train", "valid"}
    assert all(open_image(dataset.image_path(file)).size == (40, 30) for file in items["file"])
    assert {event.file for event in events if isinstance(event, Fetched)} == set(items["file"])
    first, *_, last = events
    assert first == Progress(0, "fetch", 0, 3)
    assert isinstance(last, DataReady) and (last.kept, last.added, last.classes) == (3, 3, ("cat", "dog"))
    assert last.rejected == () and last.notes == ("3 of 3 addresses gave a new picture.",)


def test_every_end_has_its_code_and_a_sentence(server, dataset):
    same, gone = picture(1), picture(2)
    server.pages |= {
        "/saved.html": lambda _: answer(200, same, (b"Content-Type", b"text/html")),
        "/again": lambda _: answer(200, same),
        "/page.jpg": lambda _: answer(200, b"<!doctype html><p>Log in", (b"Content-Type", b"text/html; charset=x")),
        "/json": lambda _: answer(200, b'{"a": 1}', (b"Content-Type", b"application/json")),
        "/nothing": lambda _: answer(200, b""),
        "/drawing.svg": lambda _: answer(200, b"<svg xmlns='x'></svg>"),
        "/cut": lambda _: answer(200, picture(3, "JPEG")[:700]),
        "/bomb": lambda _: answer(200, bomb(60_000)),
        "/dot": lambda _: answer(200, bomb(1)),
        "/404": lambda _: answer(404, b""),
        "/slow": slowly(b"HTTP/1.1 200 OK\r\n\r\n", b"x", wait_s=0.05),
        "/endless": slowly(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 2**20, wait_s=0),
        "/packed": lambda _: answer(200, same, (b"Content-Encoding", b"br")),
        "/inside": lambda _: answer(302, b"", (b"Location", b"http://192.168.1.1/")),
        "/gone": lambda _: answer(200, gone),
    }
    wanted = {
        "/saved.html": "saved", "/page.jpg": "not_an_image", "/json": "not_an_image", "/nothing": "not_an_image",
        "/drawing.svg": "format", "/cut": "damaged", "/bomb": "too_large", "/dot": "wrong_size", "/404": "http_status",
        "/slow": "too_slow", "/endless": "too_large", "/packed": "failed", "/inside": "refused_address",
    }  # fmt: skip
    rows = [*rows_of(server, *wanted), UrlRow(99, "cat", "http://exa mple\\.org/")]
    events = fetched(server, dataset, rows)
    found = codes(events)
    assert {path: found[line] for line, path in enumerate(wanted, start=1)} == wanted
    assert found[99] == "bad_address"
    more = fetched(server, dataset, rows_of(server, "/again", "/gone"))
    assert codes(more) == {1: "duplicate", 2: "saved"}
    kept = load_dataset(dataset.workspace, dataset.id).kept()
    edits.delete(dataset, kept["item"])
    server.pages["/elsewhere"] = server.pages["/gone"]
    rest = fetched(server, dataset, rows_of(server, "/elsewhere"))
    assert codes(rest) == {1: "deleted_before"} and rest[-1].added == 0

    told = [event for event in (*events, *more, *rest) if isinstance(event, Fetched)]
    assert {event.code for event in told} == set(FETCHED_CODES)
    assert all(event.reason.endswith(".") for event in told)
    html = next(event for event in told if event.url.endswith("page.jpg"))
    assert html.reason.startswith("This is not an image; the server calls it text/html.")
    assert len(events[-1].rejected) == len(wanted) and events[-1].added == 1


def test_pictures_from_the_web_are_never_opened_in_this_process(server, dataset, monkeypatch):
    def here(*_):
        raise AssertionError("opened here")

    monkeypatch.setattr("core.data.pool.perform", here)
    monkeypatch.setattr("core.data.images._decode", here)
    assert codes(fetched(server, dataset, rows_of(server, "/a", "/b"))) == {1: "saved", 2: "saved"}


def test_what_is_there_already_is_not_asked_again(server, dataset):
    rows = rows_of(server, "/a", "/b")
    fetched(server, dataset, rows)
    items = load_dataset(dataset.workspace, dataset.id).kept()
    edits.delete(dataset, [items.loc[items["source"] == rows[1].url, "item"].item()])
    server.asked.clear()
    more = [*rows, UrlRow(3, "dog", rows[0].url), UrlRow(4, "cat", server.url("/c"))]
    events = fetched(server, dataset, more)
    assert codes(events) == {1: "duplicate", 2: "deleted_before", 3: "saved", 4: "saved"}
    assert sorted(server.asked) == ["/a", "/c"] and events[-1].added == 2


def test_work_that_was_broken_off_asks_for_the_rest_alone(server, dataset):
    server.pages["/404"] = lambda _: answer(404, b"")
    rows = rows_of(server, "/a", "/404", "/b", "/c", "/lost")
    before = fetched(server, dataset, rows[:2])
    # told and never listed: the process was killed before the commit
    before.append(Fetched(9, 5, "cat", rows[4].url, "saved", "The picture was saved.", "0" * 64))
    server.asked.clear()
    events = fetched(server, dataset, rows, before=before)
    assert sorted(server.asked) == ["/b", "/c", "/lost"]
    assert codes(events) == {3: "saved", 4: "saved", 5: "saved"}
    assert events[0] == Progress(0, "fetch", 2, 5)
    assert (events[-1].added, events[-1].kept, len(events[-1].rejected)) == (4, 4, 1)
    assert len(outcomes([*before, *events])) == 5


def test_a_stop_keeps_what_came_and_tells_no_end(server, dataset):
    events, rows = [], rows_of(server, *(f"/{n}" for n in range(100)))

    def stop() -> bool:
        return len(codes(events)) >= 5

    events.extend(fetch_into(dataset, rows, allow_hosts=(server.host,), workers=1, stop=stop))
    assert not isinstance(events[-1], DataReady)
    kept = load_dataset(dataset.workspace, dataset.id).kept()
    assert 5 <= len(kept) == Counter(codes(events).values())["saved"] < 60


def test_pictures_are_listed_every_few(server, dataset, monkeypatch):
    listed = []
    commit = Growth.commit
    monkeypatch.setattr(Growth, "commit", lambda growth: listed.append(growth.pending) or commit(growth))
    fetched(server, dataset, rows_of(server, *(f"/{n}" for n in range(60))))
    assert listed == [25, 25, 10]
    monkeypatch.setattr(fetch_set, "COMMIT_EVERY_S", 0.0)
    listed.clear()
    fetched(server, dataset, rows_of(server, "/x", "/y", "/z"))
    assert listed == [1, 1, 1, 0]


def test_more_classes_than_allowed_are_refused_before_anything_is_asked(server, dataset):
    rows = [UrlRow(n, f"class {n}", server.url(f"/{n}")) for n in range(201)]
    with pytest.raises(DataError, match="201 classes"):
        fetched(server, dataset, rows)
    assert server.asked == []


def test_secrets_and_tricks_in_an_address_are_not_kept(server, dataset):
    url = server.url("/x").replace("//", "//me:secret@")
    (event,) = [e for e in fetched(server, dataset, [UrlRow(1, "cat", url)]) if isinstance(e, Fetched)]
    assert event.code == "refused_address" and "secret" not in repr(event)


def test_a_run_that_was_killed_goes_on_and_loses_nothing(server, tmp_path, monkeypatch):
    workspace, paths = Workspace(tmp_path), [f"/{n}" for n in range(70)]
    dataset = create_empty(workspace, name="web", settings=ImportSettings())
    rows = [list(row) for row in rows_of(server, *paths)]
    run = runs.create_run(workspace, "fetch", {"dataset": dataset.id, "name": "web", "rows": rows})
    monkeypatch.setenv("BEARINGS_ALLOW_HOSTS", server.host)
    script = (
        "import sys; from pathlib import Path; from core.workspace import Workspace; from core.train import runs;"
        "from core.jobs.worker import work; run = runs.load_run(Workspace(Path(sys.argv[1])), sys.argv[2]);"
        "list(work(run))"
    )
    process, limit = subprocess.Popen([sys.executable, "-c", script, str(tmp_path), run.id], cwd=ROOT), 30
    began = time.monotonic()
    while len(server.asked) < 45 and process.poll() is None and time.monotonic() - began < limit:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    runs.set_state(run, "interrupted")
    before = load_dataset(workspace, dataset.id).kept()
    assert all(dataset.image_path(file).is_file() for file in before["file"]) and len(before) < 70

    server.asked.clear()
    list(work(runs.requeue(run)))
    kept = load_dataset(workspace, dataset.id).kept()
    assert sorted(kept["source"]) == sorted(server.url(path) for path in paths)
    assert not {server.url(path) for path in server.asked} & set(before["source"])
    run = runs.load_run(workspace, run.id)
    assert (run.state, run.result["kept"]) == ("done", 70)
    assert len(outcomes(runs.read_events(run)[0])) == 70
