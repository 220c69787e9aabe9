"""`POST /api/v1/predict/{model}`: what a model says about a picture, for programs. `/api/v1/openapi.json` describes it.

Every answer is JSON, every fault a sentence. A request is judged before its picture is received: who asks, how often,
for which model. What is received at the same time has an end, and a visitor's picture never touches the disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from core import __version__
from core.deploy.shares import is_share_id
from core.errors import Busy, LabError, NotFound
from core.ui import cache, models, openapi
from core.ui.identity import owner_from_headers
from core.ui.limits import Buckets, Full, Guest, Room, seconds
from core.workspace import Workspace

log = logging.getLogger("bearings")
BODY_TIMEOUT_S = 30.0
AT_ONCE = 4
RECEIVED_AT_ONCE, RECEIVED_BYTES = 64, 160 * 2**20
PEOPLE_AT_AN_ADDRESS = 30  # a class behind one proxy
FORM_BYTES = 64 * 2**10  # what a form may have around its picture
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Refused(Exception):
    """A request that gets a status and a sentence."""

    def __init__(self, status: int, error: str, hint: str, **headers: str) -> None:
        super().__init__(error)
        self.status, self.error, self.hint = status, error, hint
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


Answer = Callable[[Request], Awaitable[Response]]


class Endpoint:
    """An address that answers some methods, and every other with 405. Whatever goes wrong is told in JSON."""

    def __init__(self, answer: Answer, *methods: str) -> None:
        self._answer, self._methods = answer, methods

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        response = await told(self._answer if request.method in self._methods else self._not_allowed, request)
        await response(scope, receive, send)

    async def _not_allowed(self, request: Request) -> Response:
        allowed = " and ".join(self._methods)
        raise Refused(
            405, f"{request.method[:20]} is not answered here.", f"Use {allowed}.", allow=", ".join(self._methods)
        )


async def told(answer: Answer, request: Request) -> Response:
    """An answer, or the reason why there is none, as JSON."""
    try:
        return await answer(request)
    except Refused as refused:
        return _refusal(refused.status, refused.error, refused.hint, refused.headers)
    except Full:
        return _busy("There are too many pictures at once.", "Try again in a moment.")
    except TimeoutError:
        return _refusal(408, "The picture took too long to arrive.", "Send a smaller one.")
    except NotFound as error:
        return _refusal(404, error.message, error.hint)
    except Busy as error:
        return _busy(error.message, error.hint)
    except LabError as error:
        return _refusal(400, error.message, error.hint)
    except Exception:
        code = secrets.token_hex(4)
        log.exception("prediction failed, code %s", code)
        return _refusal(500, "Something went wrong here.", f"The log of the server has the details under {code}.")


def _refusal(status: int, error: str, hint: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    body = {"error": error, "hint": hint or "Look at /api/v1/openapi.json."}
    return JSONResponse(body, status_code=status, headers={**HEADERS, **(headers or {})})


def _busy(error: str, hint: str) -> JSONResponse:
    return _refusal(503, error, hint, {"retry-after": "1"})


async def predict(request: Request) -> Response:
    """What a model says about one picture: multipart field `image`, or the picture itself as the body."""
    _check_origin(request)
    owner = owner_from_headers(request.headers, cache.settings())
    _check_rate(owner, request.client.host if request.client else "")
    model = _model(owner, request.path_params["model"])
    with _room().guest() as guest:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            name, data = await _picture(request, guest)
        said = await anyio.to_thread.run_sync(_said, model, name, data, limiter=_limiter())
    return JSONResponse(said, headers=HEADERS)


async def described(request: Request) -> Response:
    """The description of this API."""
    settings = cache.settings()
    return JSONResponse(
        openapi.describe(__version__, per_minute=settings.api_per_minute, max_mb=settings.api_max_mb), headers=HEADERS
    )


async def nothing(request: Request) -> Response:
    """Every other address of the API."""
    raise Refused(404, "There is nothing at this address.", "/api/v1/openapi.json says what there is.")


@lru_cache(maxsize=1)
def _limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(AT_ONCE)


@lru_cache(maxsize=1)
def _room() -> Room:
    return Room(RECEIVED_AT_ONCE, RECEIVED_BYTES)


@lru_cache(maxsize=2)
def _buckets(people: int) -> Buckets:
    """The buckets of single people (1), or of addresses behind which there are so many."""
    return Buckets(people * cache.settings().api_per_minute)


def _check_origin(request: Request) -> None:
    """Another site's page may not use a visitor's browser to ask here. Programs send no Origin and pass."""
    origin = request.headers.get("origin")
    foreign = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    if foreign or (origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")):
        raise Refused(
            403, "Pages of other sites may not ask here.", "Send the request from a program, or from this app."
        )


def _check_rate(owner: str | None, address: str) -> None:
    """One token of whoever asks, and one of the address: a person with many cookies is no crowd."""
    now = time.monotonic()
    wait = _buckets(1).take(owner or f"at {address}", now)
    wait = wait or _buckets(PEOPLE_AT_AN_ADDRESS).take(address, now)
    if wait:
        per_minute = cache.settings().api_per_minute
        raise Refused(
            429,
            f"That was one picture too many: one person may ask {per_minute} times a minute.",
            f"Wait {seconds(wait)} s and send it again.",
            retry_after=seconds(wait),
        )


def _model(owner: str | None, wanted: str) -> models.Model:
    """A model of whoever asks, one whose link is on, or the shipped one; NotFound says the same for all others."""
    if wanted == models.DEMO:
        return models.shipped()
    if is_share_id(wanted):
        with contextlib.suppress(NotFound):
            return models.shared_model(cache.settings().home, wanted)[1]
    elif owner is not None:
        with contextlib.suppress(NotFound):
            return models.find_model(Workspace(cache.settings().home, owner), wanted)
    raise NotFound(
        f"There is no model {wanted[:40]!r} here for you.", hint="Check its id; it may be gone, or not be shared."
    )


async def _picture(request: Request, guest: Guest) -> tuple[str, bytes]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data" and not kind.startswith("image/"):
        raise Refused(
            415,
            f"The request carries {kind[:60] or 'no content type'!r}; a picture is asked for.",
            "Send the field 'image' as multipart/form-data, or the picture itself as image/jpeg.",
        )
    body = await _body(request, guest)
    if kind != "multipart/form-data":
        return "image", body
    return await _field(request, body)


async def _body(request: Request, guest: Guest) -> bytes:
    """The body, piece by piece, up to the limit; a request that announces more is refused before its first byte."""
    limit = cache.settings().api_max_mb * 2**20 + FORM_BYTES
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise _too_large()
    parts = []
    async for part in request.stream():
        guest.bring(len(part))
        if guest.size > limit:
            raise _too_large()
        parts.append(part)
    return b"".join(parts)


def _too_large() -> Refused:
    return Refused(
        413,
        f"The picture has more than {cache.settings().api_max_mb} MB.",
        "Send a smaller one: 1000 pixels are plenty.",
        connection="close",
    )


class _InMemory(MultiPartParser):
    spool_max_size = 2**31  # nothing of a visitor's picture is written to a file


async def _field(request: Request, body: bytes) -> tuple[str, bytes]:
    async def once() -> AsyncIterator[bytes]:
        yield body

    try:
        form = await _InMemory(request.headers, once(), max_files=1, max_fields=8).parse()
    except (MultiPartException, KeyError) as error:
        raise Refused(400, "The multipart form cannot be read.", "Send one file in the field 'image'.") from error
    try:
        sent = form.get("image")
        if sent is None or isinstance(sent, str):
            raise Refused(400, "The form has no file in its field 'image'.", "For example: curl -F image=@bear.jpg …")
        return Path(sent.filename or "image").name[:120], await sent.read()
    finally:
        await form.close()


def _said(model: models.Model, name: str, data: bytes) -> dict[str, object]:
    prediction = cache.predictors().predict(model, data)
    return {
        "image": name,
        "label": prediction.label,
        "probabilities": {label: float(value) for label, value in prediction.probabilities.items()},
        "ms": round(float(prediction.ms), 2),
    }


ROUTES = (
    Route(openapi.PATH, Endpoint(predict, "POST")),
    Route("/api/v1/openapi.json", Endpoint(described, "GET", "HEAD")),
    Route("/api", Endpoint(nothing, "GET", "HEAD", "POST")),
    Route("/api/{rest:path}", Endpoint(nothing, "GET", "HEAD", "POST")),
)
