"""`/export/{dataset}.zip`: a data set of yours as a file to take along. `/pictures/{run}.zip`: what a run learned from.
`/answers/{run}.csv`: what a pass says a model answered about every picture.

A zip is made on the disk first, so that a fault is a status and not half a file, and then sent piece by piece: no
more than a piece of it is ever in memory.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import anyio
import anyio.to_thread
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from core.data.export import export_zip
from core.data.safe_names import safe_name
from core.data.table import load_dataset
from core.deploy.pictures import pictures_zip
from core.errors import LabError, NotFound
from core.interpret.answer_table import spreadsheet
from core.interpret.reading import KIND, load_answers
from core.train.runs import load_run
from core.ui import cache
from core.ui.identity import owner_from_headers
from core.workspace import Workspace, is_id, new_id

AT_ONCE = 2
LEFT_BEHIND_S = 3600.0
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def export(request: Request) -> Response:
    """A data set of whoever asks; 404 for everything that is not theirs."""
    return await _answer(request, request.path_params["dataset"], _make)


async def pictures(request: Request) -> Response:
    """The pictures of a run of whoever asks, with its script; 404 for everything that is not theirs."""
    return await _answer(request, request.path_params["run"], _make_pictures)


async def answers(request: Request) -> Response:
    """The answers that a pass of whoever asks wrote down, as a table; 404 for everything that is not theirs."""
    owner, wanted = owner_from_headers(request.headers, cache.settings()), request.path_params["run"]
    if owner is None or not is_id(wanted):
        return Response(status_code=404)
    workspace = Workspace(cache.settings().home, owner)
    try:
        text, name = await anyio.to_thread.run_sync(_answers, workspace, wanted, limiter=_limiter())
    except NotFound:
        return Response(status_code=404)
    except LabError as error:
        return JSONResponse({"error": error.message, "hint": error.hint}, status_code=409)
    # a mark of the charset in front: without it a spreadsheet takes the letters of other languages for rubbish
    ending = {"content-disposition": f"attachment; filename*=utf-8''{quote(name)}"}
    return Response(text.encode("utf-8-sig"), media_type="text/csv", headers={**HEADERS, **ending})


def _answers(workspace: Workspace, run_id: str) -> tuple[str, str]:
    """The table, and what it is called; pictures whose data set is gone are called by their hash."""
    run = load_run(workspace, run_id)
    if run.kind != KIND:
        raise NotFound("This run asked no model.", hint="Choose a model on one of the pages about it.")
    table, names, name = load_answers(run), {}, "answers"
    with contextlib.suppress(NotFound):
        dataset = load_dataset(workspace, run.request["dataset"])
        items = dataset.items()
        names, name = dict(zip(items["item"], items["original_name"], strict=True)), f"{dataset.name} answers"
    return spreadsheet(table, names), f"{safe_name(name)}.csv"


async def _answer(request: Request, wanted: str, make: Callable[[Workspace, str], tuple[Path, str]]) -> Response:
    owner = owner_from_headers(request.headers, cache.settings())
    if owner is None or not is_id(wanted):
        return Response(status_code=404)
    workspace = Workspace(cache.settings().home, owner)
    try:
        path, name = await anyio.to_thread.run_sync(make, workspace, wanted, limiter=_limiter())
    except NotFound:
        return Response(status_code=404)
    except LabError as error:
        return JSONResponse({"error": error.message, "hint": error.hint}, status_code=409)
    return FileResponse(
        path,
        media_type="application/zip",
        filename=name,
        headers=HEADERS,
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


@lru_cache(maxsize=1)
def _limiter() -> anyio.CapacityLimiter:
    return anyio.CapacityLimiter(AT_ONCE)


def _make(workspace: Workspace, dataset_id: str) -> tuple[Path, str]:
    """The zip on the disk, and what it is called for whoever takes it."""
    dataset = load_dataset(workspace, dataset_id)
    path = _new_file(workspace)
    export_zip(dataset, path)
    return path, f"{safe_name(dataset.name)}.zip"


def _make_pictures(workspace: Workspace, run_id: str) -> tuple[Path, str]:
    """The pictures of a run as a zip on the disk, and what it is called; a zip that fails halfway does not stay."""
    run = load_run(workspace, run_id)
    path = _new_file(workspace)
    try:
        pictures_zip(run, path)
    except LabError:
        path.unlink(missing_ok=True)
        raise
    return path, "pictures.zip"


def _new_file(workspace: Workspace) -> Path:
    folder = workspace.cache / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    return folder / f"{new_id()}.zip"


def _sweep(folder: Path) -> None:
    """Delete what a visitor who went away, or a killed server, left behind."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another one swept it first
            if path.stat().st_mtime < time.time() - LEFT_BEHIND_S:
                path.unlink()


ROUTES = (
    Route("/export/{dataset}.zip", export, methods=["GET"]),
    Route("/pictures/{run}.zip", pictures, methods=["GET"]),
    Route("/answers/{run}.csv", answers, methods=["GET"]),
)
