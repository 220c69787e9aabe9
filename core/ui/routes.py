"""Addresses beside the pages: `/healthz`, and `/thumb/…` and `/heat/…` for pictures. For programs there is api.py.

Streamlit guards nothing here, so each route asks who sends the request, takes no more bytes than it must, and answers
every fault with a sentence.
"""

from __future__ import annotations

import io
import re
from functools import lru_cache
from pathlib import Path

import anyio.to_thread
from PIL import Image
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.data.mistakes import mistake_path
from core.data.table import Dataset, load_dataset
from core.errors import ImageRejected, ModelError, NotFound
from core.ui import cache, models
from core.ui.gallery import LARGE_PX, THUMB_PX
from core.ui.identity import owner_from_headers
from core.workspace import Workspace, is_id

AT_ONCE = 4
HEATS = 512  # heat maps that are kept, about 20 kB each
IMMUTABLE = {"cache-control": "private, max-age=31536000, immutable", "x-content-type-options": "nosniff"}
UNKEPT = {"cache-control": "private, no-store", "x-content-type-options": "nosniff"}
_SHA = re.compile(r"[0-9a-f]{64}")


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
    picture = _dataset(owner, dataset_id).image_path(sha).read_bytes()  # what has gone is shown to nobody, kept or not
    key = (owner, wanted, model.saved_at, sha, label)
    found: bytes = _heats().get(key, lambda: cache.predictors().heat(model, picture, label or None))
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


@lru_cache(maxsize=1)
def _limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(AT_ONCE)


ROUTES = (
    Route("/healthz", healthz, methods=["GET"]),
    Route("/thumb/{sha}.jpg", thumb, methods=["GET"]),
    Route("/heat/{model}/{sha}.jpg", heat, methods=["GET"]),
)
