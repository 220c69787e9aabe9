"""Addresses beside the pages: `/healthz`, `/thumb/…` and `/heat/…` for pictures, and `POST /api/v1/predict/{model}`.

Streamlit guards nothing here, so each route asks who sends the request, takes no more bytes than it must, and answers
every fault with a sentence.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
import secrets
from collections.abc import AsyncIterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import anyio.to_thread
from PIL import Image
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.data.mistakes import mistake_path
from core.data.table import Dataset, load_dataset
from core.deploy.shares import is_share_id
from core.errors import Busy, ImageRejected, LabError, ModelError, NotFound
from core.ui import cache, models
from core.ui.gallery import LARGE_PX, THUMB_PX
from core.ui.identity import owner_from_headers
from core.workspace import Workspace, is_id

log = logging.getLogger("bearings")
MAX_BYTES = 20 * 2**20
BODY_TIMEOUT_S = 30.0
AT_ONCE = 4
HEATS = 512  # heat maps that are kept, about 20 kB each
IMMUTABLE = {"cache-control": "private, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
UNKEPT = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
_SHA = re.compile(r"[0-9a-f]{64}")


class Refused(Exception):
    """A request that gets a status and a sentence."""

    def __init__(self, status: int, error: str, hint: str = "") -> None:
        super().__init__(error)
        self.status, self.error, self.hint = status, error, hint


async def healthz(_: Request) -> Response:
    """Whether the server lives, and how far its engine and its model are."""
    return JSONResponse({"status": "ok", "engine": cache.engine().state, "model": cache.demo().state})


async def thumb(request: Request) -> Response:
    """A stored picture of one of your data sets or of its mistakes; 404 for everything that is not yours."""
    sha, dataset_id = request.path_params["sha"], request.query_params.get("dataset", "")
    owner = owner_from_headers(request.headers, cache.settings())
    if owner is None or _SHA.fullmatch(sha) is None:
        return Response(status_code=404)
    side = LARGE_PX if request.query_params.get("large") else THUMB_PX
    mistake = bool(request.query_params.get("mistake"))
    try:
        jpeg = await anyio.to_thread.run_sync(_mistake if mistake else _jpeg, owner, dataset_id, sha, side)
    except (NotFound, FileNotFoundError):
        return Response(status_code=404)
    return Response(jpeg, media_type="image/jpeg", headers=UNKEPT if mistake else IMMUTABLE)


def _jpeg(owner: str, dataset_id: str, sha: str, side: int) -> bytes:
    if dataset_id == models.DEMO:
        if sha not in cache.demo_pictures():
            raise NotFound("There is no such picture.")
        return _shrunk(cache.demo_pictures()[sha].jpeg, side)
    return _shrunk_file(_dataset(owner, dataset_id).image_path(sha), side)


async def heat(request: Request) -> Response:
    """A stored picture of yours with what speaks for a class laid over it; 404 for everything that is not yours."""
    wanted, sha, asked = request.path_params["model"], request.path_params["sha"], request.query_params
    owner = owner_from_headers(request.headers, cache.settings())
    if owner is None or _SHA.fullmatch(sha) is None:
        return Response(status_code=404)
    try:
        jpeg = await anyio.to_thread.run_sync(
            _heat, owner, wanted, asked.get("dataset", ""), sha, asked.get("label", ""), limiter=_limiter()
        )
    except (NotFound, ModelError, ImageRejected, FileNotFoundError):
        return Response(status_code=404)
    return Response(jpeg, media_type="image/jpeg", headers=UNKEPT)


def _heat(owner: str, wanted: str, dataset_id: str, sha: str, label: str) -> bytes:
    model = models.find_model(Workspace(cache.settings().home, owner), wanted)
    path = _dataset(owner, dataset_id).image_path(sha)
    key = (owner, wanted, model.saved_at, sha, label)
    found: bytes = _heats().get(key, lambda: cache.predictors().heat(model, path.read_bytes(), label or None))
    return found


@lru_cache(maxsize=1)
def _heats() -> cache.Warm:
    return cache.Warm(HEATS)


def _mistake(owner: str, dataset_id: str, sha: str, side: int) -> bytes:
    """Read anew each time: what somebody has removed is shown to nobody."""
    return _shrunk(mistake_path(_dataset(owner, dataset_id), sha).read_bytes(), side)


def _dataset(owner: str, dataset_id: str) -> Dataset:
    if not is_id(dataset_id):
        raise NotFound("There is no such data set.")
    return load_dataset(Workspace(cache.settings().home, owner), dataset_id)


@lru_cache(maxsize=2048)
def _shrunk_file(path: Path, side: int) -> bytes:
    return _shrunk(path.read_bytes(), side)


def _shrunk(jpeg: bytes, side: int) -> bytes:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        if max(image.size) <= side:
            return jpeg
        image.draft("RGB", (side, side))
        image.thumbnail((side, side))
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=82)
    return buffer.getvalue()


async def predict(request: Request) -> Response:
    """What a model says about one picture: multipart field `image`, or the picture itself as the body."""
    try:
        _check_origin(request)
        owner = owner_from_headers(request.headers, cache.settings())
        model = _model(owner, request.path_params["model"])
        async with asyncio.timeout(BODY_TIMEOUT_S):
            name, data = await _picture(request)
        return JSONResponse(await anyio.to_thread.run_sync(_answer, model, name, data, limiter=_limiter()))
    except Refused as refused:
        return _refusal(refused.status, refused.error, refused.hint)
    except TimeoutError:
        return _refusal(408, "The picture took too long to arrive.", "Send a smaller one.")
    except NotFound as error:
        return _refusal(404, error.message, error.hint)
    except Busy as error:
        return _refusal(503, error.message, error.hint)
    except LabError as error:
        return _refusal(400, error.message, error.hint)
    except Exception:
        code = secrets.token_hex(4)
        log.exception("prediction failed, code %s", code)
        return _refusal(500, "Something went wrong here.", f"The log of the server has the details under {code}.")


@lru_cache(maxsize=1)
def _limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(AT_ONCE)


def _refusal(status: int, error: str, hint: str) -> JSONResponse:
    return JSONResponse({"error": error, "hint": hint}, status_code=status)


def _check_origin(request: Request) -> None:
    """Another site's page may not use a visitor's browser to ask here. Programs send no Origin and pass."""
    origin = request.headers.get("origin")
    foreign = request.headers.get("sec-fetch-site") in ("cross-site", "same-site")
    if foreign or (origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")):
        raise Refused(
            403, "Pages of other sites may not ask here.", "Send the request from a program, or from this app."
        )


def _model(owner: str | None, wanted: str) -> models.Model:
    if wanted == models.DEMO:
        return models.shipped()
    if is_share_id(wanted):
        return models.shared_model(cache.settings().home, wanted)[1]
    if owner is None:
        raise NotFound(f"There is no model {wanted[:40]!r} in this workspace.", hint="Open the app in a browser first.")
    return models.find_model(Workspace(cache.settings().home, owner), wanted)


async def _picture(request: Request) -> tuple[str, bytes]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data" and not kind.startswith("image/"):
        raise Refused(
            415,
            f"The request carries {kind or 'no content type'!r}; a picture is asked for.",
            "Send the field 'image' as multipart/form-data, or the picture itself as image/jpeg.",
        )
    body = await _body(request)
    if kind != "multipart/form-data":
        return "image", body
    return await _field(request, body)


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > MAX_BYTES:
            raise Refused(413, "The picture has more than 20 MB.", "Send a smaller one: 1000 pixels are plenty.")
        parts.append(part)
    return b"".join(parts)


class _InMemory(MultiPartParser):
    spool_max_size = MAX_BYTES + 1  # a visitor's picture never touches the disk


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


def _answer(model: models.Model, name: str, data: bytes) -> dict[str, object]:
    prediction = cache.predictors().predict(model, data)
    return {
        "image": name,
        "label": prediction.label,
        "probabilities": {label: float(value) for label, value in prediction.probabilities.items()},
        "ms": round(float(prediction.ms), 2),
    }


ROUTES = (
    Route("/healthz", healthz, methods=["GET"]),
    Route("/thumb/{sha}.jpg", thumb, methods=["GET"]),
    Route("/heat/{model}/{sha}.jpg", heat, methods=["GET"]),
    Route("/api/v1/predict/{model}", predict, methods=["POST"]),
)
