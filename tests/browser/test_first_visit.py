"""A person's way through the house in a real browser: a sample, a training run, a prediction, a refresh, a stop."""

import re
import signal
import time

import pytest

from core.deploy import demo
from core.train.runs import list_runs, load_run
from core.workspace import Workspace

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PAGES = ["/", "/build", "/train", "/predict", "/predict?model=demo"]


def runs(server, kind="train"):
    return list_runs(Workspace(server.home), kind)


def wait_until(condition, what, seconds=120.0):
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(what)


def state_of(server, run_id):
    return load_run(Workspace(server.home), run_id).state


def test_home_answers_about_a_picture_before_anybody_did_anything(visitor):
    visitor.open("/")
    visitor.page.get_by_text(re.compile(r"The model says")).wait_for()
    assert re.search(r"\d+ %", visitor.text()) and re.search(r"\d+ ms", visitor.text())
    visitor.assert_no_fault()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_cold_by_its_own_address(visitor, path):
    visitor.open(path)
    assert visitor.page.locator("h1").count() == 1
    visitor.assert_no_fault()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(phone, path):
    phone.open(path)
    widths = phone.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    phone.assert_no_fault()


def test_a_model_that_does_not_exist_is_one_sentence(visitor):
    visitor.open("/predict?model=" + "a" * 26)
    assert "There is no" in visitor.text()
    visitor.assert_no_fault()


@pytest.fixture(scope="module")
def bears(chromium, server):
    """The sample bears, made through the page; the name of the data set's run."""
    from tests.browser.conftest import Visitor

    visitor = Visitor(chromium, server, 1366, 768)
    visitor.open("/build?new=1")
    visitor.page.locator(".st-key-card-bears").get_by_role("button", name="Use it").click()
    visitor.page.get_by_role("button", name="Train").first.wait_for(timeout=150_000)
    visitor.settle()
    assert "300" in visitor.text() and "grizzly" in visitor.text()
    visitor.assert_no_fault()
    visitor.context.close()
    return runs(server, "sample")[0]


@pytest.fixture(scope="module")
def trained(chromium, server, bears):
    """Four epochs trained through the page, with a refresh in the middle; the run's id."""
    from tests.browser.conftest import Visitor

    visitor = Visitor(chromium, server, 1366, 768)
    visitor.open("/train")
    visitor.page.locator(".st-key-train-start button").click()
    visitor.page.wait_for_url(re.compile(r"run=[a-z2-7]{26}"))
    run_id = re.search(r"run=([a-z2-7]{26})", visitor.page.url).group(1)
    wait_until(lambda: state_of(server, run_id) in ("running", "done"), "the run never started")
    visitor.page.reload()
    visitor.settle()
    assert run_id in visitor.page.url
    visitor.page.get_by_text(re.compile(r"\d+ of 60 wrong")).first.wait_for(timeout=150_000)
    visitor.page.get_by_role("button", name="Try your model").wait_for(timeout=150_000)
    visitor.assert_no_fault()
    visitor.context.close()
    return run_id


def test_the_sample_is_trained_to_between_two_and_fifteen_percent(server, trained):
    result = load_run(Workspace(server.home), trained).result
    assert 0.02 <= result["error_rate"] <= 0.15 and result["of"] == 60


def test_a_second_tab_finds_the_run_by_its_address(visitor, trained):
    visitor.open(f"/train?run={trained}")
    visitor.page.get_by_text(re.compile(r"\d+ of 60 wrong")).first.wait_for()
    visitor.assert_no_fault()


def test_the_trained_model_answers_about_an_uploaded_picture(visitor, trained):
    visitor.open(f"/predict?model={trained}")
    picture = demo.pictures()[2]
    files = [{"name": "<img src=x onerror=alert(1)>.jpg", "mimeType": "image/jpeg", "buffer": picture.jpeg},
             {"name": "none.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}]  # fmt: skip
    visitor.page.locator("input[type=file]").first.set_input_files(files)
    visitor.page.get_by_text("onerror").first.wait_for()
    visitor.page.get_by_text(re.compile(r"\d+ ms")).first.wait_for()
    assert re.search(r"grizzly|black|teddy", visitor.text())
    visitor.assert_no_fault()


def start_long_run(visitor):
    """1,000 epochs, so that there is time to do something about it; the run's id."""
    visitor.open("/train?again=1")
    visitor.page.get_by_text("More", exact=True).first.click()
    box = visitor.page.locator(".st-key-train-more_epochs input")
    box.fill("1000")
    box.press("Enter")
    visitor.settle()
    visitor.page.locator(".st-key-train-start button").click()
    visitor.page.wait_for_url(re.compile(r"run=[a-z2-7]{26}"))
    return re.search(r"run=([a-z2-7]{26})", visitor.page.url).group(1)


def test_stop_stops_within_seconds_and_keeps_what_was_learned(visitor, server, trained):
    run_id = start_long_run(visitor)
    wait_until(lambda: (load_run(Workspace(server.home), run_id).path / "last.safetensors").exists(), "no epoch")
    visitor.press("Stop")
    wait_until(lambda: state_of(server, run_id) == "stopped", "the run did not stop", seconds=10)
    visitor.page.get_by_role("button", name="Try your model").wait_for()
    visitor.assert_no_fault()


def test_a_run_outlives_the_web_server(visitor, server, trained):
    run_id = start_long_run(visitor)
    wait_until(lambda: state_of(server, run_id) == "running", "the run never started")
    server.kill(signal.SIGKILL)
    before = (load_run(Workspace(server.home), run_id).path / "events.jsonl").stat().st_size
    wait_until(
        lambda: (load_run(Workspace(server.home), run_id).path / "events.jsonl").stat().st_size > before,
        "the run went down with the web server",
    )
    server.start()
    visitor.open(f"/train?run={run_id}")
    visitor.press("Stop")
    wait_until(lambda: state_of(server, run_id) == "stopped", "the run was not found again", seconds=15)
