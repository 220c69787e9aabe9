"""The training half of the lesson in a real browser: a rate is found, picked and trained with; a run is stopped in its
second stage, goes on, is compared with another one, and shows its code."""

import re

import pytest

from core.data.table import load_dataset
from core.train.runs import history, list_runs, load_run
from core.workspace import Workspace
from tests.browser.conftest import Visitor, served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]
RUN = re.compile(r"[?&]run=([a-z2-7]{26})")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A server of its own over a few bears."""
    with served(tmp_path_factory.mktemp("training"), bears=20) as server:
        yield server


def choose(visitor, key, option):
    """Choose an option of a select box."""
    visitor.page.locator(f".st-key-{key} button").first.click()
    visitor.page.get_by_role("option", name=option, exact=True).click()
    visitor.settle()


def slide_to_the_left(visitor, key):
    """Put a slider to its first value."""
    handle = visitor.page.locator(f".st-key-{key} [role=slider], .st-key-{key} input[type=range]").first
    handle.focus()
    visitor.page.keyboard.press("Home")
    visitor.settle()


def until(visitor, condition, what, seconds=150):
    for _ in range(seconds * 4):
        if condition():
            return
        visitor.page.wait_for_timeout(250)
    raise AssertionError(what)


def start(visitor, workspace):
    """Press Train; the run that begins."""
    visitor.page.locator(".st-key-train-start button").click()
    visitor.page.wait_for_url(RUN)
    return load_run(workspace, RUN.search(visitor.page.url)[1])


def now(run):
    return load_run(run.workspace, run.id)


def test_from_a_rate_that_is_found_to_two_runs_side_by_side_and_their_code(chromium, lab):
    workspace = Workspace(lab.home)
    visitor = Visitor(chromium, lab, 1366, 768)
    dataset = load_dataset(workspace, "bears")

    # the finder, and a pick that is carried to Train
    visitor.open(f"/lr_finder?dataset={dataset.id}")
    visitor.page.locator(".st-key-finder-start button").click()
    use = visitor.page.locator(".st-key-finder-use button")
    use.wait_for(timeout=120_000)
    visitor.settle()
    assert "valley" in visitor.text().lower() and "ten times" in visitor.text().lower()
    picked = use.inner_text().removeprefix("Use ").split("\n")[0].strip()
    use.click()
    visitor.page.locator(".st-key-train-start button").wait_for()
    visitor.settle()
    visitor.assert_no_fault()

    # the standard recipe at that rate, on small pictures so that it is over soon
    choose(visitor, "train-preset", "Standard")
    visitor.page.locator(".st-key-train-more summary").click()
    slide_to_the_left(visitor, "train-image_size")
    run = start(visitor, workspace)
    first, second = run.request["settings"]["stages"]
    assert run.request["settings"]["image_size"] == 64 and second["find_lr"] and first["freeze_to"] == -1
    assert float(picked.split()[-1]) == pytest.approx(first["lr"], rel=0.01)

    # stopped in stage two
    def in_stage_two():
        return any(epoch.stage == 1 for epoch in history(run).all("epoch")) or now(run).ended

    until(visitor, in_stage_two, "the second stage never began")
    visitor.page.locator(".watched figure").nth(7).wait_for()
    visitor.press("Stop")
    until(visitor, lambda: now(run).ended, "it did not stop", seconds=15)
    assert now(run).state == "stopped" and len(history(run).epochs) < 8
    visitor.page.get_by_text("Go on from the last epoch").wait_for()
    visitor.page.get_by_text("Go back to a save point").first.click()
    visitor.page.get_by_text("before unfreezing").first.wait_for()
    visitor.page.keyboard.press("Escape")
    visitor.assert_no_fault()

    # and it goes on to its end
    visitor.press("Go on from the last epoch")
    until(visitor, lambda: now(run).state == "done", "it did not come to its end")
    assert len(history(run).epochs) == 8
    visitor.page.get_by_role("button", name="Try your model").wait_for()
    visitor.page.get_by_text("the finder tried").first.wait_for()
    visitor.assert_no_fault()

    # another run that goes back to before unfreezing
    visitor.open(f"/train?dataset={dataset.id}&start={run.id}:stage-0.safetensors&preset=quick&again=1")
    visitor.page.locator(".st-key-train-start button").wait_for()
    other = start(visitor, workspace)
    until(visitor, lambda: now(other).ended, "the second run did not end")
    assert now(other).state == "done" and other.request["start"]["file"] == "stage-0.safetensors"

    # both side by side, with what differs in words
    visitor.open(f"/runs?compare={run.id}")
    visitor.page.locator(f".st-key-runs-pick-{other.id} label").click()
    visitor.page.get_by_text(re.compile("stage", re.IGNORECASE)).first.wait_for()
    assert "all layers" in visitor.text() and len(list_runs(workspace, "train")) == 2
    visitor.assert_no_fault()

    # and the code of the first
    visitor.open(f"/train?run={run.id}")
    visitor.page.get_by_text("Show the code").first.click()
    visitor.page.get_by_text("Trains an image classifier").first.wait_for()
    with visitor.page.expect_download() as download:
        visitor.page.locator(".st-key-code-take button").first.click()
    assert "def main" in download.value.path().read_text(encoding="utf-8")
    visitor.assert_no_fault()
    visitor.context.close()
