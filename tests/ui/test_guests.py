"""A laptop that somebody opened to its network: its owner sees everything, guests see friends' pages alone."""

import anyio
import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.routing import WebSocketRoute
from starlette.testclient import TestClient

from core.deploy.shares import change, make
from core.settings import AppSettings
from core.ui import api, cache, downloads, routes
from core.ui.guests import MARK, GuestMiddleware, is_here
from core.ui.identity import owner_from_headers
from core.workspace import new_id
from tests.conftest import make_toy
from tests.ui.support import training_run
from tests.ui.test_routes import jpeg


def scope(sender="127.0.0.1", host="localhost:8501", **headers):
    pairs = [(b"host", host.encode()), *((name.replace("_", "-").encode(), b"x") for name in headers)]
    return {"type": "http", "client": (sender, 50_000) if sender else None, "headers": pairs, "path": "/explore"}


@pytest.mark.parametrize(
    "found",
    [
        scope(),
        scope("::1", "[::1]:8501"),
        scope("127.0.0.9", "127.0.0.1"),
        scope("::ffff:127.0.0.1", "bear.localhost:1"),
    ],
)
def test_who_sits_at_the_computer_is_here(found):
    assert is_here(found)


@pytest.mark.parametrize(
    "found",
    [
        scope("192.168.1.7"),
        scope(None),
        scope("testclient"),
        scope(host="192.168.1.5:8501"),  # from here, but by a name that others use: a page that was rebound, a tunnel
        scope(host="evil.example"),
        scope(host="localhost.evil.example"),
        scope(host=""),
        scope(host="[::1"),
        scope(x_forwarded_for="1"),  # a proxy at this computer speaks for somebody
        scope(forwarded="1"),
        scope(via="1"),
    ],
)
def test_everybody_else_is_a_guest(found):
    assert not is_here(found)


def passed_on(found, settings):
    """What the app behind the middleware gets, or the status of the refusal."""
    got = []

    async def app(inner, receive, send):
        got.append(Headers(raw=inner["headers"]))

    async def send(message):
        got.append(message.get("status", got[-1] if got else None))

    anyio.run(GuestMiddleware(app, settings), found, None, send)
    return got[0]


def test_a_mark_is_set_by_the_middleware_alone(tmp_path):
    laptop = AppSettings(tmp_path)
    forged = scope(**{MARK.replace("-", "_"): "1"})
    assert MARK not in passed_on(forged, laptop)
    guest = {**scope("10.0.0.7"), "path": "/predict"}
    assert MARK in passed_on(guest, laptop) and owner_from_headers(passed_on(guest, laptop), laptop) is None
    assert owner_from_headers(passed_on(scope(), laptop), laptop) == "local"


def test_in_a_class_cookies_say_who_somebody_is_not_where_they_are(tmp_path):
    assert MARK not in passed_on(scope("10.0.0.7"), AppSettings(tmp_path, profile="class"))


def test_pages_are_refused_to_a_guest_before_anything_is_sent(tmp_path):
    for path in ("/", "/explore", "/settings", "/_stcore/metrics", "/predict/../explore", "/static/../x%", "/predictx"):
        assert passed_on({**scope("10.0.0.7"), "path": path}, AppSettings(tmp_path)) == 403
    for path in ("/predict", "/predict/", "/static/js/index.js", "/_stcore/health", f"/api/v1/predict/link-{new_id()}"):
        assert MARK in passed_on({**scope("10.0.0.7"), "path": path}, AppSettings(tmp_path))


def test_a_web_socket_of_a_guest_carries_the_mark(tmp_path):
    async def tell(socket):
        await socket.accept()
        await socket.send_text(socket.headers.get(MARK, "none"))
        await socket.close()

    app = Starlette(routes=[WebSocketRoute("/_stcore/stream", tell)],
                    middleware=[Middleware(GuestMiddleware, settings=AppSettings(tmp_path))])  # fmt: skip
    for sender, said in (("127.0.0.1", "none"), ("10.0.0.7", "1")):
        with TestClient(app, base_url="http://localhost", client=(sender, 1)).websocket_connect(
            "ws://localhost/_stcore/stream", headers={MARK: "forged"}
        ) as socket:
            assert socket.receive_text() == said


ROUTES = (*routes.ROUTES, *downloads.ROUTES, *api.ROUTES)


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_no_route_gives_a_guest_anything_of_the_owner_s(lab, monkeypatch, route):
    monkeypatch.setattr(cache.Predictors, "_of_run", lambda self, model: lab.oracle)
    dataset = make_toy(lab.home)
    run = training_run(dataset)
    sha = dataset.items()["file"].iloc[0]
    app = Starlette(routes=ROUTES, middleware=[Middleware(GuestMiddleware, settings=cache.settings())])
    values = {"sha": sha, "dataset": dataset.id, "run": run.id, "model": run.id}
    path = route.path
    for name, value in values.items():
        path = path.replace("{" + name + "}", value)
    kinds = {"params": {"dataset": dataset.id}, "headers": {"content-type": "image/jpeg"}}
    method = "POST" if "POST" in (route.methods or ()) else "GET"
    sent = {**kinds, **({"content": jpeg()} if method == "POST" else {})}
    answer = TestClient(app, base_url="http://localhost", client=("10.0.0.7", 1)).request(method, path, **sent)
    # what the API is like is told to everybody; it names nobody's models
    assert answer.status_code in ((200,) if path == "/api/v1/openapi.json" else (403, 404)), path
    assert dataset.name not in answer.text and run.id not in answer.text


def test_a_guest_with_a_link_gets_answers_of_this_model(lab, monkeypatch):
    monkeypatch.setattr(cache.Predictors, "_of_run", lambda self, model: lab.oracle)
    run = training_run(make_toy(lab.home))
    share = make(run.workspace, run.id)
    app = Starlette(routes=ROUTES, middleware=[Middleware(GuestMiddleware, settings=cache.settings())])
    client = TestClient(app, base_url="http://192.168.1.5", client=("10.0.0.7", 1))

    def ask():
        headers = {"content-type": "image/jpeg"}
        return client.post(f"/api/v1/predict/{share.id}", content=jpeg(), headers=headers)

    off = ask()
    change(run.workspace, run.id, on=True)
    assert ask().json()["label"] == "grizzly"
    unheard = f"link-{new_id()}"
    unknown = client.post(f"/api/v1/predict/{unheard}", content=jpeg(), headers={"content-type": "image/jpeg"})
    assert off.status_code == unknown.status_code == 404 and off.text.replace(share.id, "") == unknown.text.replace(
        unheard, ""
    )
