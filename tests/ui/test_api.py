"""The API: what it says, whom it refuses and with which sentence, and that its description tells the truth."""

import io
import json

import jsonschema
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core.ui import api, cache
from core.ui.identity import COOKIE, sign, signing_key
from core.ui.limits import Full
from core.workspace import new_id
from tests.conftest import make_toy
from tests.ui.support import ready, training_run


@pytest.fixture
def client(lab):
    return TestClient(Starlette(routes=api.ROUTES))


@pytest.fixture
def described(client):
    return client.get("/api/v1/openapi.json").json()


def jpeg(width=40, height=30):
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "brown").save(buffer, "JPEG")
    return buffer.getvalue()


SENT = {"content": jpeg(), "headers": {"content-type": "image/jpeg"}}


def in_class(lab, monkeypatch, **settings):
    """The app of a class, and the cookie of an owner who has what "local" had."""
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    for name, value in settings.items():
        monkeypatch.setenv(f"BEARINGS_{name}", str(value))
    cache.settings.cache_clear()
    owner = new_id()
    if lab.workspace.root.exists():
        lab.workspace.root.rename(lab.home / owner)
    return owner


def cookie(lab, owner):
    return {"cookie": f"{COOKIE}={sign(owner, signing_key(lab.home))}"}


def test_a_picture_in_a_form_is_answered_with_label_probabilities_and_time(client):
    answer = client.post("/api/v1/predict/demo", files={"image": ("my bear.jpg", jpeg(), "image/jpeg")})
    assert answer.status_code == 200
    said = answer.json()
    assert said["image"] == "my bear.jpg" and said["label"] == "grizzly" and said["ms"] > 0
    assert sum(said["probabilities"].values()) == pytest.approx(1)


def test_a_picture_as_the_body_is_answered_too(client):
    assert client.post("/api/v1/predict/demo", **SENT).json()["label"] == "grizzly"


def test_a_model_of_your_own_answers(client, lab, monkeypatch):
    monkeypatch.setattr(cache.Predictors, "_of_run", lambda self, model: lab.oracle)
    run = training_run(make_toy(lab.home))
    assert client.post(f"/api/v1/predict/{run.id}", **SENT).status_code == 200


def test_in_a_class_a_model_answers_its_owner_alone(lab, monkeypatch):
    monkeypatch.setattr(cache.Predictors, "_of_run", lambda self, model: lab.oracle)
    run = training_run(make_toy(lab.home))
    owner = in_class(lab, monkeypatch)
    client = TestClient(Starlette(routes=api.ROUTES))
    for headers, status in ((cookie(lab, owner), 200), (cookie(lab, new_id()), 404), ({}, 404)):
        sent = {"content": jpeg(), "headers": {"content-type": "image/jpeg", **headers}}
        assert client.post(f"/api/v1/predict/{run.id}", **sent).status_code == status
    assert client.post("/api/v1/predict/demo", **SENT).status_code == 200  # for everybody


REFUSED = [
    (404, "nothing", {"content": b"x", "headers": {"content-type": "image/jpeg"}}),
    (404, "a" * 26, {"content": b"x", "headers": {"content-type": "image/jpeg"}}),
    (400, "demo", {"content": b"not a picture", "headers": {"content-type": "image/jpeg"}}),
    (400, "demo", {"content": b"", "headers": {"content-type": "image/png"}}),
    (413, "demo", {"content": b"\xff" * (21 * 2**20), "headers": {"content-type": "image/jpeg"}}),
    (415, "demo", {"json": {"image": "x"}}),
    (415, "demo", {"content": b"x"}),
    (400, "demo", {"files": {"picture": ("a.jpg", b"x", "image/jpeg")}}),
    (400, "demo", {"content": b"--", "headers": {"content-type": "multipart/form-data; boundary=y"}}),
    (400, "demo", {"content": b"", "headers": {"content-type": "multipart/form-data"}}),
    (403, "demo", {"content": b"x", "headers": {"content-type": "image/jpeg", "origin": "http://evil.example"}}),
    (403, "demo", {"content": b"x", "headers": {"content-type": "image/jpeg", "sec-fetch-site": "cross-site"}}),
]


@pytest.mark.parametrize(("status", "model", "sent"), REFUSED)
def test_a_refusal_has_a_status_and_a_sentence_as_described(client, described, status, model, sent):
    answer = client.post(f"/api/v1/predict/{model}", **sent)
    assert answer.status_code == status
    said = answer.json()
    assert said["error"].endswith((".", "!")) and said["hint"] and "Traceback" not in answer.text
    as_described(described, answer)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "DISPATCH"])
def test_only_post_is_answered(client, described, method):
    answer = client.request(method, "/api/v1/predict/demo")
    assert answer.status_code == 405 and answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/json"
    if method != "HEAD":
        as_described(described, answer)


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/v1", "/api/v1/predict", "/api/v1/predict/", "/api/v2/x"])
def test_another_address_is_a_404_in_json(client, path):
    for method in ("GET", "POST"):
        answer = client.request(method, path)
        assert answer.status_code == 404 and "openapi.json" in answer.json()["hint"]


def test_pages_of_other_sites_get_no_leave_to_read(client):
    """CORS is off: nothing names an origin that may, whoever asks."""
    asks = {"origin": "http://evil.example", "access-control-request-method": "POST"}
    for answer in (
        client.options("/api/v1/predict/demo", headers=asks),
        client.post("/api/v1/predict/demo", content=jpeg(), headers={"content-type": "image/jpeg", **asks}),
        client.get("/api/v1/openapi.json", headers=asks),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


def test_the_app_itself_may_ask(client):
    headers = {"content-type": "image/jpeg", "origin": "http://testserver", "sec-fetch-site": "same-origin"}
    assert client.post("/api/v1/predict/demo", content=jpeg(), headers=headers).status_code == 200


def test_a_fault_of_ours_is_a_sentence_with_a_code(client, described, monkeypatch):
    nothing = ready(object())
    monkeypatch.setattr(cache, "demo", lambda: nothing)
    answer = client.post("/api/v1/predict/demo", **SENT)
    assert answer.status_code == 500 and "details under" in answer.json()["hint"]
    assert "AttributeError" not in answer.text
    as_described(described, answer)


# --- limits


def test_reading_stops_at_the_limit_whatever_was_announced(client):
    taken = []

    def endless():
        while True:
            taken.append(1)
            yield b"\xff" * 2**20

    parts = endless()
    sent = (next(parts) for _ in range(40))
    answer = client.post("/api/v1/predict/demo", content=sent, headers={"content-type": "image/jpeg"})
    assert answer.status_code == 413 and "more than 20 MB" in answer.json()["error"]


def test_a_smaller_limit_can_be_set(lab, monkeypatch):
    monkeypatch.setenv("BEARINGS_API_MAX_MB", "1")
    cache.settings.cache_clear()
    client = TestClient(Starlette(routes=api.ROUTES))
    sent = {"content": b"\xff" * (2 * 2**20), "headers": {"content-type": "image/jpeg"}}
    answer = client.post("/api/v1/predict/demo", **sent)
    assert answer.status_code == 413 and "more than 1 MB" in answer.json()["error"]


def test_too_many_pictures_in_a_short_time_have_to_wait(lab, described, monkeypatch):
    monkeypatch.setenv("BEARINGS_API_PER_MINUTE", "30")
    cache.settings.cache_clear()
    api._buckets.cache_clear()
    client, clock = TestClient(Starlette(routes=api.ROUTES)), [1000.0]
    monkeypatch.setattr(api.time, "monotonic", lambda: clock[0])
    statuses = [client.post("/api/v1/predict/demo", **SENT).status_code for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2  # what flows in within ten seconds may come at once
    answer = client.post("/api/v1/predict/demo", **SENT)
    assert answer.headers["retry-after"] == "2" and "30 times a minute" in answer.json()["error"]
    as_described(described, answer)
    clock[0] += 2.0
    assert client.post("/api/v1/predict/demo", **SENT).status_code == 200


def test_in_a_class_nobody_uses_up_what_is_another_persons(lab, monkeypatch):
    owner = in_class(lab, monkeypatch, API_PER_MINUTE=6)
    monkeypatch.setattr(api.time, "monotonic", lambda: 1000.0)
    client = TestClient(Starlette(routes=api.ROUTES))

    def ask(headers):
        sent = {"content": jpeg(), "headers": {"content-type": "image/jpeg", **headers}}
        return client.post("/api/v1/predict/demo", **sent).status_code

    assert [ask(cookie(lab, owner)) for _ in range(2)] == [200, 429]
    assert ask(cookie(lab, new_id())) == 200 and ask({}) == 200


def test_somebody_with_many_cookies_is_no_crowd(lab, monkeypatch):
    in_class(lab, monkeypatch, API_PER_MINUTE=6)
    monkeypatch.setattr(api.time, "monotonic", lambda: 1000.0)
    client = TestClient(Starlette(routes=api.ROUTES))
    statuses = []
    for _ in range(api.PEOPLE_AT_AN_ADDRESS + 2):
        sent = {"content": jpeg(), "headers": {"content-type": "image/jpeg", **cookie(lab, new_id())}}
        statuses.append(client.post("/api/v1/predict/demo", **sent).status_code)
    assert statuses == [200] * api.PEOPLE_AT_AN_ADDRESS + [429] * 2


def test_a_full_server_says_so_and_takes_no_more(client, described, monkeypatch):
    monkeypatch.setattr(api, "_room", lambda: api.Room(1, 100))
    answer = client.post("/api/v1/predict/demo", **SENT)
    assert answer.status_code == 503 and answer.headers["retry-after"] == "1"
    as_described(described, answer)


def test_room_is_given_back_whatever_happens(client, monkeypatch):
    room = api.Room(1, 10_000)
    monkeypatch.setattr(api, "_room", lambda: room)
    for content in (jpeg(), b"nothing", jpeg(), b""):
        client.post("/api/v1/predict/demo", content=content, headers={"content-type": "image/jpeg"})
    with room.guest() as guest:
        guest.bring(10_000)
        with pytest.raises(Full):
            guest.bring(1)


def test_predicting_leaves_nothing_on_disk(client, lab):
    before = sorted(lab.home.rglob("*"))
    client.post("/api/v1/predict/demo", files={"image": ("a.jpg", jpeg(), "image/jpeg")})
    assert sorted(lab.home.rglob("*")) == before


# --- the description


def as_described(described, answer, path="/api/v1/predict/{model}", method="post"):
    """Fail unless the description names this status and its schema fits the answer."""
    found = described["paths"][path][method]["responses"].get(str(answer.status_code))
    assert found is not None, f"{answer.status_code} is not described"
    schema = found["content"]["application/json"]["schema"]
    whole = {**schema, "components": described["components"]}
    jsonschema.Draft202012Validator(whole).validate(answer.json())
    for name in found.get("headers", {}):
        assert name.lower() in answer.headers


def test_the_description_is_openapi_3_1_and_refers_to_nothing_that_is_not_there(described):
    assert described["openapi"] == "3.1.0" and described["info"]["title"] and described["info"]["version"]
    text = json.dumps(described)
    for reference in {part.split('"')[0] for part in text.split('"$ref": "')[1:]}:
        place = described
        for word in reference.removeprefix("#/").split("/"):
            place = place[word]
    for schema in described["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)
    for path, methods in described["paths"].items():
        for operation in methods.values():
            assert operation["operationId"] and operation["responses"]["200"]["description"]
            named = {one["name"] for one in operation.get("parameters", ())}
            assert named == {part[1:-1] for part in path.split("/") if part.startswith("{")}


def test_the_addresses_described_are_those_that_answer(client, described):
    for path, methods in described["paths"].items():
        for method in methods:
            answer = client.request(method.upper(), path.replace("{model}", "demo"))
            assert answer.status_code not in (404, 405)


def test_an_answer_is_as_described(client, described):
    as_described(described, client.post("/api/v1/predict/demo", **SENT))


def test_every_kind_of_body_described_is_taken(client, described):
    kinds = described["paths"]["/api/v1/predict/{model}"]["post"]["requestBody"]["content"]
    for kind in kinds:
        sent = {"files": {"image": ("a", jpeg())}} if kind.startswith("multipart") else SENT
        sent = sent if kind.startswith("multipart") else {"content": jpeg(), "headers": {"content-type": kind}}
        assert client.post("/api/v1/predict/demo", **sent).status_code == 200, kind


def test_every_status_that_is_given_is_described(described):
    known = described["paths"]["/api/v1/predict/{model}"]["post"]["responses"]
    assert {str(status) for status, _, _ in REFUSED} | {"200", "405", "408", "429", "500", "503"} == set(known)


def test_the_limits_stand_in_the_description(lab, monkeypatch):
    monkeypatch.setenv("BEARINGS_API_PER_MINUTE", "77")
    monkeypatch.setenv("BEARINGS_API_MAX_MB", "3")
    cache.settings.cache_clear()
    said = TestClient(Starlette(routes=api.ROUTES)).get("/api/v1/openapi.json").json()["info"]["description"]
    assert "77 times a minute" in said and "3 MB" in said
