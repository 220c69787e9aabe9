"""Forty hostile names, as classes, files, sources, notes and the set's own name, on every page: they stay text."""

import contextlib
import hashlib

import numpy as np
import pandas as pd
import pytest
import torch

from core.data.layout import normalise_label, shown
from core.data.table import COLUMNS, create_dataset
from core.jobs.worker import work
from core.settings import Stage, TrainSettings, to_record
from core.train.runs import create_run
from core.ui import clean_controls, explore, workbench
from core.ui.page import PAGES
from core.workspace import Workspace
from tests.browser.conftest import Visitor, served
from tests.conftest import colour_jpeg
from tests.hostile_names import HOSTILE_NAMES

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PARTS = {
    "build": ("part", workbench.PARTS),
    "explore": ("look", explore.PARTS),
    "clean": ("view", clean_controls.VIEWS),
}


def hostile_set(workspace):
    """Three pictures of each of the names, which are everything that can be named."""
    made, path = workspace.create("datasets")
    (path / "images").mkdir()
    rng, rows = np.random.default_rng(0), []
    for number, name in enumerate(name for name in HOSTILE_NAMES for _ in range(3)):
        data = colour_jpeg(rng, number % 3)
        sha = hashlib.sha256(data).hexdigest()
        (path / "images" / f"{sha}.jpg").write_bytes(data)
        side = "valid" if number % 3 == 2 else "train"
        safe = shown(name)
        rows.append((f"{number + 1:06d}", sha, normalise_label(name), side, 64, 64, safe, safe, "kept", safe))
    items = pd.DataFrame(rows, columns=COLUMNS)
    return create_dataset(
        workspace, made, items, name=HOSTILE_NAMES[0], seed=0, valid_share=0.25, source=HOSTILE_NAMES[1]
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server of its own over the hostile set, a model trained on it, its suspects and its problems."""
    torch.set_num_threads(1)  # threads that wait for a busy core make small tasks slow
    home = tmp_path_factory.mktemp("hostile")
    workspace = Workspace(home)
    dataset = hostile_set(workspace)
    settings = TrainSettings(stages=(Stage(epochs=1),), image_size=64)
    request = {"dataset": dataset.id, "dataset_name": dataset.name, "preset": "quick"}
    train = create_run(workspace, "train", {**request, "settings": to_record(settings)})
    for run in (
        train,
        create_run(workspace, "suspects", {"run": train.id, "dataset": dataset.id, "against": None}),
        create_run(workspace, "inspect", {"dataset": dataset.id}),
    ):
        for _ in work(run):
            pass
    with served(home) as server:
        yield server, dataset, train


def paths(dataset, run):
    for name in PAGES:
        yield "/" if name == "home" else f"/{name}?dataset={dataset.id}"
        slot, parts = PARTS.get(name, ("", ()))
        for part in parts:
            yield f"/{name}?dataset={dataset.id}&{slot}={part}"
    yield f"/train?run={run.id}"
    yield f"/predict?model={run.id}"


def assert_names_are_text(visitor, where):
    visitor.assert_no_fault()
    assert visitor.page.locator("[data-testid=stMain] a[href*='evil.example']").count() == 0, where
    assert visitor.page.locator("img[src='x'], iframe[src*='evil'], [onerror], [onload]").count() == 0, where
    assert visitor.page.locator("h1").is_visible(), where


def fits(page):
    """Whether nothing sticks out to the right, as soon as figures and tables have followed the window."""
    from playwright.sync_api import TimeoutError as TooLate

    with contextlib.suppress(TooLate):
        page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth", timeout=3000)
        return True
    return False


@pytest.mark.slow
def test_forty_hostile_names_are_text_on_every_page(chromium, house):
    """Each page is loaded once; every other one in a small window that then becomes large, the others the reverse."""
    server, dataset, run = house
    visitor, widths = Visitor(chromium, server, 1366, 800), [1366, 390]
    for path in paths(dataset, run):
        visitor.open(path)
        for width in widths:
            visitor.page.set_viewport_size({"width": width, "height": 800})
            visitor.settle()
            assert fits(visitor.page), (path, width)
            assert_names_are_text(visitor, (path, width))
        widths.reverse()
    visitor.context.close()


def test_the_corpus_has_forty_names_and_they_are_forty_classes(house):
    _, dataset, _ = house
    assert len(set(HOSTILE_NAMES)) >= 40 and len(dataset.classes) >= 40
