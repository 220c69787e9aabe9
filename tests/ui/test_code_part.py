"""Show the code on a page: the script of a run that is over, its pictures, and a sentence where there is no script."""

import io
import zipfile

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from core.settings import Stage, TrainSettings, to_record
from core.train.events import EpochDone, StageStarted, Started
from core.train.runs import append_event, create_run, load_run, set_state
from core.ui import downloads
from tests.conftest import make_toy
from tests.ui.support import without_terms


def draw(run_id):
    from core.train.runs import load_run
    from core.ui import code_part, state

    code_part.show(load_run(state.workspace(), run_id))


def finished(dataset, *, epochs=1, state="done"):
    """The record of a run as if it had been trained."""
    settings = TrainSettings(image_size=64, stages=(Stage(epochs=1),))
    request = {"dataset": dataset.id, "settings": to_record(settings), "preset": "quick"}
    run = create_run(dataset.workspace, "train", request)
    append_event(run, Started(0, dataset.id, dataset.version, dataset.classes, 27, 9, 1, 0.66, "cpu", "float32"))
    append_event(run, StageStarted(1, 0, 1, 4, True, True, (3e-3,) * 3, "one_cycle", 10, 2, 64, 8, "float32"))
    for epoch in range(epochs):
        append_event(run, EpochDone(2, 0, epoch, 1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 4, 9, 1e-3, 1.0, 30.0))
    (run.path / "items.csv").write_text((dataset.path / "items.csv").read_text(encoding="utf-8"), encoding="utf-8")
    for step in ("starting", "running", *([state] if state != "running" else [])):
        set_state(load_run(run.workspace, run.id), step)
    return load_run(run.workspace, run.id)


def shown(run, *, opened=True):
    page = AppTest.from_function(draw, args=(run.id,), default_timeout=30)
    if opened:
        page.session_state[f"code.{run.id}"] = True
    return page.run()


def html_of(page):
    return without_terms(" ".join(block.proto.body for block in page.get("html")))


def test_the_script_of_a_run_stands_on_the_page_with_its_pictures(lab):
    run = finished(make_toy(lab.home))
    page = shown(run)
    assert not page.exception and not page.error
    [code] = page.code
    assert code.value.startswith('"""Trains an image classifier') and "def epochs_of" in code.value
    assert f"/pictures/{run.id}.zip" in html_of(page) and "lines of plain PyTorch" in html_of(page)


def test_a_script_is_not_made_before_somebody_wants_to_see_it(lab, monkeypatch):
    monkeypatch.setattr("core.ui.code_part.plan_of", lambda run: pytest.fail("nobody asked"))
    page = shown(finished(make_toy(lab.home)), opened=False)
    assert not page.exception and not page.code


def test_a_run_without_an_epoch_says_so_and_a_running_one_shows_nothing(lab):
    dataset = make_toy(lab.home)
    page = shown(finished(dataset, epochs=0, state="stopped"))
    assert not page.exception and not page.code and "There is no script of this run yet" in html_of(page)
    assert not shown(finished(dataset, state="running")).get("expandable")


def test_the_pictures_of_a_run_come_with_their_table_and_the_script(lab):
    dataset = make_toy(lab.home)
    run = finished(dataset)
    downloads._limiter.cache_clear()
    client = TestClient(Starlette(routes=downloads.ROUTES))
    answer = client.get(f"/pictures/{run.id}.zip")
    assert answer.status_code == 200 and 'filename="pictures.zip"' in answer.headers["content-disposition"]
    zipped = zipfile.ZipFile(io.BytesIO(answer.content))
    names = set(zipped.namelist())
    shas = list(dataset.kept()["file"])
    assert names == {"labels.csv", "train.py", *(f"images/{sha}.jpg" for sha in shas)}
    assert zipped.read("labels.csv").decode().splitlines()[1] == f'"images/{shas[0]}.jpg","r","train"'
    dataset.image_path(shas[0]).unlink()
    answer = client.get(f"/pictures/{run.id}.zip")
    assert answer.status_code == 409 and "missing" in answer.json()["error"]
    assert not list(lab.home.rglob("*.zip"))
    assert client.get(f"/pictures/{'a' * 26}.zip").status_code == 404
    downloads._limiter.cache_clear()
