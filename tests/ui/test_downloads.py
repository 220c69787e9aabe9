"""Taking a data set along: who gets it, what it is called, and what is left on the disk."""

import csv
import io
import zipfile

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.data.catalogue import delete_dataset, rename_dataset
from core.data.ingest import import_source
from core.data.table import items_to_csv, load_dataset
from core.settings import ImportSettings
from core.train import shelf
from core.ui import cache, downloads
from core.ui.identity import COOKIE, sign, signing_key
from core.workspace import new_id
from tests.conftest import make_toy
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.answers import read, reading_run
from tests.ui.support import training_run


@pytest.fixture
def client(lab):
    downloads._limiter.cache_clear()
    yield TestClient(Starlette(routes=downloads.ROUTES))
    downloads._limiter.cache_clear()


def test_a_set_comes_as_a_zip_and_nothing_of_it_stays_behind(client, lab):
    dataset = make_toy(lab.home)
    answer = client.get(f"/export/{dataset.id}.zip")
    assert answer.status_code == 200 and answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="toy.zip"'
    assert int(answer.headers["content-length"]) == len(answer.content)
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert "labels.csv" in names and sum(name.endswith(".jpg") for name in names) == 36
    assert not list(lab.home.rglob("*.zip"))


def test_what_was_taken_along_is_the_same_version_when_it_comes_back(client, lab, tmp_path):
    dataset = make_toy(lab.home)
    path = tmp_path / "back.zip"
    path.write_bytes(client.get(f"/export/{dataset.id}.zip").content)
    *_, ready = import_source(lab.workspace, path, name="back", settings=ImportSettings(), workers=1)
    assert load_dataset(lab.workspace, ready.dataset).version == dataset.version


def test_a_hostile_name_is_a_harmless_file_name(client, lab):
    dataset = rename_dataset(make_toy(lab.home), '../"x"; дом')
    said = client.get(f"/export/{dataset.id}.zip").headers["content-disposition"]
    assert said.startswith("attachment; filename*=utf-8''") and "/" not in said.removeprefix("attachment;")
    assert "%22" not in said and ".zip" in said


@pytest.mark.parametrize("wanted", ["toy", "..", "a" * 26, "..%2F..%2Fx"])
def test_what_is_not_there_is_404(client, lab, wanted):
    make_toy(lab.home)
    assert client.get(f"/export/{wanted}.zip").status_code == 404


def test_a_picture_that_is_missing_is_a_sentence_and_not_half_a_zip(client, lab):
    dataset = make_toy(lab.home)
    dataset.image_path(dataset.items()["file"].iloc[3]).unlink()
    answer = client.get(f"/export/{dataset.id}.zip")
    assert answer.status_code == 409 and "missing" in answer.json()["error"] and answer.json()["hint"]
    assert not list(lab.home.rglob("*.zip"))


def test_in_a_class_only_the_owner_takes_a_set_along(lab, monkeypatch):
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    cache.settings.cache_clear()
    dataset, owner = make_toy(lab.home), new_id()
    lab.workspace.root.rename(lab.home / owner)
    key = signing_key(lab.home)
    downloads._limiter.cache_clear()
    client = TestClient(Starlette(routes=downloads.ROUTES))
    for cookie, status in ((sign(owner, key), 200), (sign(new_id(), key), 404), ("local", 404), ("", 404)):
        asked = client.get(f"/export/{dataset.id}.zip", headers={"cookie": f"{COOKIE}={cookie}"})
        assert asked.status_code == status


# --- answers


def table_of(answer):
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_answers_come_as_a_table_with_the_names_of_the_pictures(client, lab):
    dataset = make_toy(lab.home, name="bears, mine")
    _, run = read(dataset)
    answer = client.get(f"/answers/{run.id}.csv")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["x-content-type-options"] == "nosniff" and answer.headers["cache-control"] == "no-store"
    assert "bears" in answer.headers["content-disposition"] and answer.content.startswith(b"\xef\xbb\xbf")
    header, *rows = table_of(answer)
    assert header[:3] == ["picture", "label", "split"] and header[-3:] == ["p(b)", "p(g)", "p(r)"] and len(rows) == 36
    assert [row[0] for row in rows] == [f"{number}.jpg" for number in range(36)]
    assert {row[2] for row in rows} == {"train", "valid"}
    assert all(abs(sum(map(float, row[-3:])) - 1) < 1e-4 for row in rows)


def test_a_table_of_answers_with_hostile_names_holds_no_formula(client, lab):
    dataset = rename_dataset(make_toy(lab.home), '=x"; ../y')
    items = dataset.items()
    items["original_name"] = [HOSTILE_NAMES[row % len(HOSTILE_NAMES)] for row in range(len(items))]
    (dataset.path / "items.csv").write_text(items_to_csv(items), encoding="utf-8")
    _, run = read(dataset)
    answer = client.get(f"/answers/{run.id}.csv")
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in table_of(answer) for cell in row)
    said = answer.headers["content-disposition"]
    assert '"' not in said and "/" not in said and said.startswith("attachment; ")


def test_answers_outlive_their_data_set_but_not_their_run(client, lab):
    model, run = read(make_toy(lab.home))
    delete_dataset(load_dataset(lab.workspace, run.request["dataset"]))
    first = table_of(client.get(f"/answers/{run.id}.csv"))[1]
    assert len(first[0]) == 64
    shelf.delete(run)
    assert client.get(f"/answers/{run.id}.csv").status_code == 404
    assert client.get(f"/answers/{model.id}.csv").status_code == 404  # a run, but no pass


@pytest.mark.parametrize("wanted", ["toy", "..", "a" * 26, "..%2F..%2Fx"])
def test_answers_that_are_not_there_are_404(client, lab, wanted):
    read(make_toy(lab.home))
    assert client.get(f"/answers/{wanted}.csv").status_code == 404


def test_answers_that_are_not_ready_are_404(client, lab):
    dataset = make_toy(lab.home)
    run = reading_run(training_run(dataset), dataset, state="running")
    assert client.get(f"/answers/{run.id}.csv").status_code == 404


def test_in_a_class_only_the_owner_takes_answers_along(lab, monkeypatch):
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    cache.settings.cache_clear()
    (_, run), owner = read(make_toy(lab.home)), new_id()
    lab.workspace.root.rename(lab.home / owner)
    key = signing_key(lab.home)
    downloads._limiter.cache_clear()
    client = TestClient(Starlette(routes=downloads.ROUTES))
    for cookie, status in ((sign(owner, key), 200), (sign(new_id(), key), 404), ("local", 404), ("", 404)):
        asked = client.get(f"/answers/{run.id}.csv", headers={"cookie": f"{COOKIE}={cookie}"})
        assert asked.status_code == status


def test_what_was_left_behind_is_swept_away_with_the_next_one(client, lab, monkeypatch):
    dataset = make_toy(lab.home)
    folder = lab.workspace.cache / "exports"
    folder.mkdir(parents=True)
    (folder / "old.zip").write_bytes(b"x")
    monkeypatch.setattr(downloads, "LEFT_BEHIND_S", -10.0)
    client.get(f"/export/{dataset.id}.zip")
    assert not (folder / "old.zip").exists()
