"""The lesson's first half in a real browser: from a page on the web to a set, its mistakes, and a better model.

A local page shows two classes of bears, and three pictures in twenty stand under the wrong name. The console snippet
saves its addresses, the build page fetches them, and from there on everything is pressed and typed as a student would.
"""

import os
import re
import time
from itertools import islice
from pathlib import Path

import pytest

from core.data.decoder import Task
from core.data.fetch_report import FETCHED_CODES, outcomes
from core.data.pool import make_pictures
from core.data.table import list_datasets, load_dataset
from core.train.runs import history, list_runs, read_events
from core.workspace import Workspace
from tests.browser.conftest import READY, Visitor, served
from tests.data.web_server import WebServer, answer

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]
SNIPPET = (Path(__file__).parents[2] / "core" / "ui" / "collect.js").read_text(encoding="utf-8")
CLASSES = ("black", "teddy")
EACH, NOISY_EACH = 60, 9  # pictures of a class, and how many of them stand under the other name
JPEG = (b"Content-Type", b"image/jpeg")
HTML = (b"Content-Type", b"text/html")


class Web(WebServer):
    """The page of bears. `truth` maps the address of a picture to what it shows."""

    def __init__(self) -> None:
        super().__init__()
        tasks = [
            ((label, number), Task("bears", {"label": label, "seed": 1000 * place + number}))
            for place, label in enumerate(CLASSES)
            for number in range(EACH)
        ]
        self.truth: dict[str, str] = {}
        shown: dict[str, list[str]] = {label: [] for label in CLASSES}
        for (label, number), made in make_pictures(tasks):
            path = f"/photo/{label[0]}{number * 7 + 1}?size=large&id={number}"
            self.pages[path] = lambda _, made=made: answer(200, made.jpeg, JPEG)
            self.truth[self.url(path)] = label
            other = CLASSES[1 - CLASSES.index(label)]
            shown[other if number < NOISY_EACH else label].append(path)
        faulty = self._faults(next(iter(shown["black"])))
        self.pages["/black.html"] = self._page(shown["black"], faulty)
        self.pages["/teddy.html"] = self._page(shown["teddy"], ())

    def _faults(self, known: str) -> list[str]:
        """Links to what cannot be used, one for each kind of reason."""
        self.pages["/copy.jpg"] = self.pages[known]
        self.pages["/login.jpg"] = lambda _: answer(200, b"<html><body>Please log in</body></html>", HTML)
        self.pages["/huge.jpg"] = lambda _: answer(200, b"", JPEG, length=10**9)
        self.pages["/gone.jpg"] = lambda _: answer(404, b"")
        return ["/copy.jpg", "/login.jpg", "/huge.jpg", "/gone.jpg", "http://10.0.0.7/router.jpg"]

    def _page(self, pictures, links):
        images = "".join(f'<img src="{path}" width="200">' for path in pictures)
        more = "".join(f'<a href="{path}">large</a>' for path in links)
        page = f"<!doctype html><title>bears</title><body>{images}{more}</body>".encode()
        return lambda _: answer(200, page, HTML)


@pytest.fixture(scope="module")
def web():
    with Web() as made:
        yield made


@pytest.fixture(scope="module")
def lab(tmp_path_factory, web):
    """A server that may fetch from the local page, and from no other private host."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "BEARINGS_ALLOW_HOSTS", web.host)
        with served(tmp_path_factory.mktemp("own")) as made:
            yield made


def runs(server, kind):
    return list_runs(Workspace(server.home), kind)


def wait_until(condition, what, seconds=120.0):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(what)


def wait_for_run(server, kind, count):
    wait_until(
        lambda: len(found := runs(server, kind)) == count and found[0].ended, f"no {kind} run number {count} ended"
    )
    assert runs(server, kind)[0].state == "done", runs(server, kind)[0].record


def collect(chromium, web, label, folder):
    """What a student does on a search page: open the console, paste the snippet, find urls.txt."""
    context = chromium.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(web.url(f"/{label}.html"), wait_until="load")
    with page.expect_download() as download:
        said = page.evaluate(SNIPPET)
    path = folder / f"{label}-urls.txt"
    download.value.save_as(path)
    context.close()
    return path, said


def fetched(server, visitor, label, path, count):
    """Bring a list into a class through the build page, and wait until it has been fetched."""
    dataset = list_datasets(Workspace(server.home))[0]
    visitor.open(f"/build?dataset={dataset.id}&part=bring&way=web&label={label}")
    visitor.page.locator("input[type=file]").first.set_input_files(path)
    visitor.page.get_by_role("button", name=re.compile(r"Fetch \d+ pictures")).click()
    wait_for_run(server, "fetch", count)
    visitor.page.locator(".st-key-fetch-close button").wait_for()
    visitor.settle()


def test_from_a_page_on_the_web_to_a_better_model(chromium, web, lab, tmp_path):
    visitor = Visitor(chromium, lab, 1366, 768)

    # an empty set with two classes
    visitor.open("/build?new=1&way=own")
    visitor.page.get_by_placeholder("for example pets").fill("web bears")
    visitor.page.get_by_placeholder("for example cat").fill(", ".join(CLASSES))
    visitor.press("Begin")
    visitor.page.get_by_text("Choose as many pictures").wait_for()

    # the pictures come from the page, and the report says five times why not
    for count, label in enumerate(CLASSES, start=1):
        path, said = collect(chromium, web, label, tmp_path)
        assert said == f"{EACH + 5 * (label == 'black')} addresses saved in urls.txt"
        fetched(lab, visitor, label, path, count)
        if label == "black":
            told = visitor.text()
    first = outcomes(read_events(runs(lab, "fetch")[-1])[0])
    assert {event.code for event in first.values()} == {
        "saved", "duplicate", "not_an_image", "refused_address", "too_large", "http_status",
    }  # fmt: skip
    assert "10.0.0.7" not in " ".join(web.asked)
    for event in first.values():
        assert FETCHED_CODES[event.code] in told
    dataset = list_datasets(Workspace(lab.home))[0]
    assert dataset.trainable and len(dataset.kept()) == 2 * EACH
    visitor.assert_no_fault()

    # a look at the data
    visitor.open(f"/explore?dataset={dataset.id}")
    assert "120" in visitor.text() and "teddy" in visitor.text()
    visitor.open(f"/explore?dataset={dataset.id}&look=model")
    assert "(12, 3, 224, 224)" in visitor.text().replace("\n", "") or "224" in visitor.text()
    visitor.assert_no_fault()

    # a model, and what it suspects
    visitor.open(f"/clean?dataset={dataset.id}")
    visitor.press("Train and find suspects")
    wait_for_run(lab, "train", 1)
    wait_for_run(lab, "suspects", 1)
    visitor.page.locator(".position b").wait_for()
    noisy = wrong_rows(dataset, web)
    assert len(noisy) == 2 * NOISY_EACH

    # twice as many suspects as there are wrong labels are looked at, and judged rightly
    visitor.page.get_by_text("Wrong labels", exact=True).click()
    visitor.settle()
    judged = [judge(visitor, dataset, web) for _ in islice(range(2 * len(noisy)), 2 * len(noisy))]
    assert len(set(judged)) == 2 * len(noisy)
    found = noisy & set(judged)
    assert len(found) >= 0.7 * len(noisy), (len(found), len(noisy))

    # apply, take back, do it again
    before = dataset.version
    visitor.page.locator(".st-key-clean-apply button").click()
    visitor.page.get_by_role("button", name="Retrain and compare").wait_for()
    after = again(dataset).version
    assert after != before and wrong_rows(again(dataset), web) == noisy - found
    visitor.press("Take it back")
    wait_until(lambda: again(dataset).version == before, "not taken back")
    visitor.page.get_by_role("button", name="Do it again").wait_for()
    visitor.page.reload()
    visitor.settle()
    visitor.press("Do it again")
    wait_until(lambda: again(dataset).version == after, "not done again")

    # a new model on the cleaned data is better: of 24 pictures in the exam one more or less is luck, their loss is not
    visitor.press("Retrain and compare")
    wait_for_run(lab, "train", 2)
    wait_for_run(lab, "suspects", 2)
    visitor.page.get_by_text(re.compile(r"\d+ of \d+ wrong")).first.wait_for()
    now, then = runs(lab, "train")
    assert now.result["error_rate"] <= then.result["error_rate"]
    assert last_loss(now) < last_loss(then)
    visitor.assert_no_fault()
    visitor.context.close()


def last_loss(run):
    """The loss on the exam, in nats, with which a run ended."""
    return history(run).epochs["valid_loss"].iloc[-1]


def again(dataset):
    return load_dataset(dataset.workspace, dataset.id)


def wrong_rows(dataset, web):
    """The items whose label is not what their picture shows."""
    kept = dataset.kept()
    return {row.item for row in kept.itertuples() if web.truth.get(row.source) not in (None, row.label)}


def judge(visitor, dataset, web):
    """Judge the suspect on the screen as somebody would who knows bears, with a key; its item."""
    place = visitor.page.locator(".position b").inner_text()
    button = visitor.page.locator("[class*='st-key-clean-keep-']").first
    item = re.search(r"st-key-clean-keep-(\d+)", button.get_attribute("class")).group(1)
    row = dataset.items().set_index("item").loc[item]
    truth = web.truth.get(row["source"], row["label"])
    visitor.page.keyboard.press("k" if truth == row["label"] else str(1 + CLASSES.index(truth)))
    visitor.page.locator(".position b", has_text=re.compile(rf"^{int(place) + 1}$")).wait_for()
    visitor.page.wait_for_selector(READY)
    return item
