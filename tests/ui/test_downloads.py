"""Taking a data set along: who gets it, what it is called, and what is left on the disk."""

import io
import zipfile

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.data.catalogue import rename_dataset
from core.data.ingest import import_source
from core.data.table import load_dataset
from core.settings import ImportSettings
from core.ui import cache, downloads
from core.ui.identity import COOKIE, sign, signing_key
from core.workspace import new_id
from tests.conftest import make_toy


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


def test_what_was_left_behind_is_swept_away_with_the_next_one(client, lab, monkeypatch):
    dataset = make_toy(lab.home)
    folder = lab.workspace.cache / "exports"
    folder.mkdir(parents=True)
    (folder / "old.zip").write_bytes(b"x")
    monkeypatch.setattr(downloads, "LEFT_BEHIND_S", -10.0)
    client.get(f"/export/{dataset.id}.zip")
    assert not (folder / "old.zip").exists()
