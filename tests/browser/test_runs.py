"""Runs in a real browser: what is ticked stands in the address, a link shows the same, what is deleted comes back."""

import re
import signal

import pytest

from core.train import runs, shelf
from core.train.events import EpochDone
from core.workspace import Workspace
from tests.browser.conftest import Server, Visitor
from tests.conftest import make_toy
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.support import training_run

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def shelved(tmp_path_factory):
    """A server of its own over three runs, two of them the same one and one with a name that is none."""
    home = tmp_path_factory.mktemp("runs")
    dataset = make_toy(home)
    made = [training_run(dataset), training_run(dataset), training_run(dataset, wrong=(6, 4))]
    shelf.annotate(shelf.rename(made[2], HOSTILE_NAMES[1]), HOSTILE_NAMES[0])
    server = Server(home)
    try:
        server.start()
        yield server, made
    finally:
        if server.process.poll() is None:
            server.kill(signal.SIGTERM)
        server.end_engine()


@pytest.fixture
def visitor(chromium, shelved):
    made = Visitor(chromium, shelved[0], 1366, 768)
    yield made
    made.context.close()


def address(*chosen):
    return re.compile(r"[?&]compare=" + re.escape(".".join(run.id for run in chosen)) + "$")


def tick(visitor, run):
    visitor.page.locator(f".st-key-runs-pick-{run.id} label").click()


def test_what_is_ticked_is_compared_and_a_link_shows_the_same(visitor, shelved):
    _, (first, second, third) = shelved
    visitor.open(f"/runs?compare={first.id}")
    tick(visitor, second)
    visitor.page.get_by_text("are the same run, done twice").wait_for()
    visitor.page.wait_for_url(address(first, second))
    tick(visitor, third)
    visitor.page.wait_for_url(address(first, second, third))
    visitor.page.reload()
    visitor.settle()
    visitor.page.locator(".run-slot .slot").nth(2).wait_for()
    visitor.page.locator("[class*='st-key-runs-figure'] canvas").first.wait_for()
    visitor.assert_no_fault()


def test_the_figure_is_on_the_screen_and_on_a_phone_it_comes_first(chromium, shelved):
    server, made = shelved
    for width, height in ((1366, 768), (390, 844)):
        seen = Visitor(chromium, server, width, height)
        seen.open(f"/runs?compare={made[2].id}.{made[0].id}")
        box = seen.page.locator("[class*='st-key-runs-figure'] canvas").last.bounding_box()
        assert box["y"] + box["height"] <= height and box["x"] + box["width"] <= width
        assert seen.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        assert seen.page.locator("img[src='x'], [onerror]").count() == 0
        seen.assert_no_fault()
        seen.context.close()


def test_what_is_deleted_comes_back_with_one_press_wherever_one_has_scrolled_to(visitor, shelved):
    _, (first, *_) = shelved
    visitor.open(f"/runs?compare={first.id}")
    visitor.press("Delete")
    undo = visitor.page.get_by_role("button", name="Undo")
    undo.wait_for()
    box = undo.bounding_box()
    assert 0 <= box["y"] and box["y"] + box["height"] <= 768
    undo.click()
    visitor.page.wait_for_url(address(first))
    undo.wait_for(state="detached")
    assert shelf.binned(first.workspace) == []
    visitor.assert_no_fault()


def test_a_run_that_goes_on_is_followed(visitor, shelved):
    server, _ = shelved
    dataset = make_toy(server.home, seed=9, name="live")
    run = training_run(dataset, state="running", wrong=(6,), epochs=3)
    visitor.open(f"/runs?compare={run.id}")
    visitor.page.get_by_text("training, 1 of 3 epochs done").first.wait_for()
    runs.append_event(run, EpochDone(9, 0, 1, 0.3, 0.3, 0.3, 0.3, 0.25, 0.75, 3, 12, 1e-3, 0.5, 99.0))
    visitor.page.get_by_text("training, 2 of 3 epochs done").first.wait_for()
    runs.set_state(runs.load_run(Workspace(server.home), run.id), "stopped")
    visitor.page.get_by_text("Stopped", exact=True).first.wait_for()
    visitor.assert_no_fault()
