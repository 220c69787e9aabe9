"""Addresses beside the pages: who is served, what is refused, and with which sentence."""

import io

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.data.mistakes import add_mistake, remove_mistake
from core.errors import ModelError
from core.ui import cache, gallery, routes
from core.ui.identity import COOKIE, sign, signing_key
from core.workspace import new_id
from tests.conftest import make_toy
from tests.ui.support import training_run


@pytest.fixture
def client(lab):
    return TestClient(Starlette(routes=routes.ROUTES))


def jpeg(width=40, height=30):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "brown").save(buffer, "JPEG")
    return buffer.getvalue()


def first_sha(dataset):
    return dataset.items()["file"].iloc[0]


def test_health_says_how_far_the_slow_things_are(client):
    assert client.get("/healthz").json() == {"status": "ok", "engine": "ready", "model": "ready"}


# --- thumbnails


def test_a_thumbnail_is_a_small_jpeg_that_browsers_may_keep(client, lab):
    dataset = make_toy(lab.home)
    large = dataset.path / "images" / f"{'a' * 64}.jpg"
    large.write_bytes(jpeg(500, 400))
    answer = client.get(f"/thumb/{'a' * 64}.jpg?dataset={dataset.id}")
    assert answer.headers["content-type"] == "image/jpeg" and "immutable" in answer.headers["cache-control"]
    assert max(Image.open(io.BytesIO(answer.content)).size) == 192
    bigger = client.get(f"/thumb/{'a' * 64}.jpg?dataset={dataset.id}&large=1")
    assert Image.open(io.BytesIO(bigger.content)).size == (500, 400)


def test_a_thumbnail_that_is_not_there_or_not_asked_for_properly_is_404(client, lab):
    dataset = make_toy(lab.home)
    sha = first_sha(dataset)
    assert client.get(f"/thumb/{sha}.jpg?dataset={dataset.id}").status_code == 200
    for wrong in (
        f"/thumb/{sha}.jpg",
        f"/thumb/{sha}.jpg?dataset={new_id()}",
        f"/thumb/{sha}.jpg?dataset={dataset.name}",
        f"/thumb/{sha}.jpg?dataset=..%2F{dataset.id}",
        f"/thumb/{sha}.jpg?dataset=demo",
        f"/thumb/{'b' * 64}.jpg?dataset={dataset.id}",
        f"/thumb/{sha[:10]}.jpg?dataset={dataset.id}",
        f"/thumb/..%2F..%2Fitems.csv.jpg?dataset={dataset.id}",
    ):
        assert client.get(wrong).status_code == 404, wrong


def test_pictures_of_the_shipped_model_are_for_everybody(client):
    sha = next(iter(cache.demo_pictures()))
    assert client.get(f"/thumb/{sha}.jpg?dataset=demo").status_code == 200


def test_in_a_class_only_the_owner_sees_a_thumbnail(lab, monkeypatch):
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    cache.settings.cache_clear()
    dataset = make_toy(lab.home)
    owner = new_id()
    address = f"/thumb/{first_sha(dataset)}.jpg?dataset={dataset.id}"
    lab.workspace.root.rename(lab.home / owner)
    key = signing_key(lab.home)
    client = TestClient(Starlette(routes=routes.ROUTES))
    for cookie, status in ((sign(owner, key), 200), (sign(new_id(), key), 404), ("local", 404), ("", 404)):
        assert client.get(address, headers={"cookie": f"{COOKIE}={cookie}"}).status_code == status


def kept_mistake(dataset):
    return add_mistake(dataset, jpeg(400, 300), label="r", said="g", probability=0.9, run=new_id()).file


def test_a_mistake_has_a_thumbnail_that_nobody_keeps_and_that_ends_with_it(client, lab):
    dataset = make_toy(lab.home)
    sha = kept_mistake(dataset)
    answer = client.get(gallery.mistake_url(sha, dataset.id))
    assert answer.headers["cache-control"] == "private, no-store"
    assert max(Image.open(io.BytesIO(answer.content)).size) == 192
    for wrong in (
        gallery.thumb_url(sha, dataset.id),  # it is no picture of the data set
        gallery.mistake_url(first_sha(dataset), dataset.id),
        gallery.mistake_url(sha, new_id()),
        gallery.mistake_url(sha, "demo"),
        gallery.mistake_url(sha[:10], dataset.id),
        gallery.mistake_url("..%2Fmistakes.csv", dataset.id),
    ):
        assert client.get(wrong).status_code == 404, wrong
    remove_mistake(dataset, sha)
    assert client.get(gallery.mistake_url(sha, dataset.id)).status_code == 404


def test_in_a_class_only_the_owner_sees_a_mistake(lab, monkeypatch):
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    cache.settings.cache_clear()
    dataset = make_toy(lab.home)
    address = gallery.mistake_url(kept_mistake(dataset), dataset.id)
    owner = new_id()
    lab.workspace.root.rename(lab.home / owner)
    key = signing_key(lab.home)
    client = TestClient(Starlette(routes=routes.ROUTES))
    for cookie, status in ((sign(owner, key), 200), (sign(new_id(), key), 404), ("local", 404), ("", 404)):
        assert client.get(address, headers={"cookie": f"{COOKIE}={cookie}"}).status_code == status


# --- heat maps


class Painter:
    """Stands in for the models: paints the name of the class that was asked for, and counts."""

    def __init__(self):
        self.asked = []

    def heat(self, model, picture, label=None):
        if label == "unknown":
            raise ModelError("This model has no class 'unknown'.")
        self.asked.append((model.id, label))
        return b"jpeg of " + (label or "its answer").encode()


@pytest.fixture
def painter(lab, monkeypatch):
    made = Painter()
    monkeypatch.setattr(cache, "predictors", lambda: made)
    return made


def heat_address(model, sha, dataset, label="g"):
    return f"/heat/{model}/{sha}.jpg?dataset={dataset}&label={label}"


def test_a_heat_map_of_a_picture_of_yours_is_painted_once(client, lab, painter):
    dataset = make_toy(lab.home)
    run, sha = training_run(dataset), first_sha(dataset)
    for _ in range(2):
        answer = client.get(heat_address(run.id, sha, dataset.id))
        assert answer.status_code == 200 and answer.content == b"jpeg of g"
    assert answer.headers["content-type"] == "image/jpeg" and answer.headers["x-content-type-options"] == "nosniff"
    assert "private" in answer.headers["cache-control"]
    assert client.get(f"/heat/{run.id}/{sha}.jpg?dataset={dataset.id}").content == b"jpeg of its answer"
    assert painter.asked == [(run.id, "g"), (run.id, None)]


def test_a_heat_map_of_anything_that_is_not_there_is_not_found(client, lab, painter):
    dataset, other = make_toy(lab.home), make_toy(lab.home, seed=7, name="other")
    run, sha = training_run(dataset), first_sha(dataset)
    assert client.get(heat_address(run.id, sha, dataset.id)).status_code == 200
    for address in (
        heat_address(new_id(), sha, dataset.id),
        heat_address("..%2F..%2Fetc", sha, dataset.id),
        heat_address(run.id, sha, new_id()),
        heat_address(run.id, sha, "../" + dataset.id),
        heat_address(run.id, sha, "demo"),
        heat_address(run.id, sha, ""),
        heat_address(run.id, sha, other.id),  # its picture lies in the other set
        heat_address(run.id, "0" * 64, dataset.id),
        heat_address(run.id, sha[:20], dataset.id),
        heat_address(run.id, "..%2Fitems.csv", dataset.id),
        heat_address(run.id, sha, dataset.id, "unknown"),
        heat_address(training_run(dataset, state="running").id, sha, dataset.id),  # no model yet
    ):
        assert client.get(address).status_code == 404, address
    assert painter.asked == [(run.id, "g")]


def test_in_a_class_only_the_owner_sees_where_a_model_looks(lab, painter, monkeypatch):
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    cache.settings.cache_clear()
    dataset = make_toy(lab.home)
    address = heat_address(training_run(dataset).id, first_sha(dataset), dataset.id)
    owner = new_id()
    lab.workspace.root.rename(lab.home / owner)
    key = signing_key(lab.home)
    client = TestClient(Starlette(routes=routes.ROUTES))
    for cookie, status in ((sign(owner, key), 200), (sign(new_id(), key), 404), ("local", 404), ("", 404)):
        assert client.get(address, headers={"cookie": f"{COOKIE}={cookie}"}).status_code == status


def test_a_picture_that_has_gone_has_no_heat_map_any_more(client, lab, painter):
    dataset = make_toy(lab.home)
    address = heat_address(training_run(dataset).id, first_sha(dataset), dataset.id)
    assert client.get(address).status_code == 200
    dataset.image_path(first_sha(dataset)).unlink()
    assert client.get(address).status_code == 404
