"""The lab in a real browser: five runs on the bears are guessed and revealed; one is mended, and turns out healthy."""

import pytest

from core.data.table import load_dataset
from core.diagnose import lab
from core.train.runs import list_runs, load_run
from core.workspace import Workspace
from tests.browser.conftest import Visitor, served
from tests.browser.test_training import RUN, until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server of its own over a few bears."""
    with served(tmp_path_factory.mktemp("diagnose"), bears=60) as server:
        yield server


def guess(visitor, letter, group, title):
    """Choose what happened in one panel."""
    visitor.page.locator(f".st-key-lab-guess-{letter}-{group} button").first.click()
    visitor.page.get_by_role("option", name=title, exact=True).click()
    visitor.settle()


def test_five_runs_are_guessed_revealed_and_one_of_them_is_mended(chromium, place):
    workspace = Workspace(place.home)
    dataset = load_dataset(workspace, "bears")
    visitor = Visitor(chromium, place, 1366, 768)

    # recorded runs are there before anybody has trained
    visitor.open(f"/diagnose?dataset={dataset.id}")
    assert "Recorded runs" in visitor.text() and "Rate too high" not in visitor.text()
    visitor.page.locator(".st-key-lab-reveal button").click()
    visitor.settle()
    visitor.page.get_by_text("Revealed without a guess").wait_for()

    # five of one's own, in an order that gives nothing away
    visitor.page.locator(".st-key-lab-start button").click()
    until(visitor, lambda: len(runs(workspace)) == 5, "five runs were to be queued")
    group = lab.newest_round(list_runs(workspace, "train"), dataset.id)[0]
    order = lab.order_of(group)
    visitor.page.locator(".st-key-lab-stop button").wait_for()
    guess(visitor, lab.LETTERS[0], group, lab.ROLES[order[0]].title)  # while they run
    until(visitor, lambda: all(run.ended for run in runs(workspace).values()), "five runs were to end", 240)
    visitor.page.locator(".st-key-lab-check button").wait_for(timeout=30_000)
    visitor.settle()
    first, *others = zip(lab.LETTERS, order, strict=True)
    kept = visitor.page.locator(f".st-key-lab-guess-{first[0]}-{group}")
    assert lab.ROLES[first[1]].title in kept.inner_html(), "what was guessed while they ran is still there"
    assert not any(lab.ROLES[role].title in visitor.text() for _, role in others), "nothing gives them away"
    for letter, role in others:
        guess(visitor, letter, group, lab.ROLES[role].title)
    visitor.page.locator(".st-key-lab-check button").click()
    visitor.page.get_by_text("5 of 5 right").wait_for()
    visitor.settle()

    # the one that crept is mended, from the right checkpoint, and its verdict changes
    letter = lab.LETTERS[order.index("too_low")]
    visitor.page.get_by_role("radio", name=f"{letter} · Rate too low").click()
    visitor.page.get_by_text("The learning rate is too low").wait_for()
    visitor.page.locator(".st-key-fix-lab button").click()
    visitor.page.wait_for_url(RUN)
    mended = load_run(workspace, RUN.search(visitor.page.url)[1])
    assert mended.request["repairs"] == {"run": runs(workspace)["too_low"].id, "kind": "lr_too_low"}
    until(visitor, lambda: load_run(workspace, mended.id).ended, "the mended run was to end")
    visitor.page.get_by_text("This looks healthy").wait_for()
    visitor.page.get_by_text("This run mends another one").wait_for()

    # it stands beside the others, and a refresh finds the round revealed
    visitor.open(f"/diagnose?dataset={dataset.id}")
    visitor.settle()
    assert "Rate too high" in visitor.text() and "5 of 5 right" in visitor.text()
    visitor.page.get_by_text("● mended:").wait_for()
    visitor.assert_no_fault()


def runs(workspace):
    """Role -> run of the lab's runs."""
    return {about[1]: run for run in list_runs(workspace, "train") if (about := lab.group_of(run))}
