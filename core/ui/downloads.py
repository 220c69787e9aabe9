"""`/export/{dataset}.zip`: a data set of yours as a file to take along.

The zip is made on the disk first, so that a fault is a status and not half a file, and then sent piece by piece: no
more than a piece of it is ever in memory.
"""

from __future__ import annotations

import contextlib
import time
from functools import lru_cache
from pathlib import Path

import anyio
import anyio.to_thread
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from core.data.export import export_zip
from core.data.safe_names import safe_name
from core.data.table import load_dataset
from core.errors import LabError, NotFound
from core.ui import cache
from core.ui.identity import owner_from_headers
from core.workspace import Workspace, is_id, new_id

AT_ONCE = 2
LEFT_BEHIND_S = 3600.0
HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


async def export(request: Request) -> Response:
    """A data set of whoever asks; 404 for everything that is not theirs."""
    owner, wanted = owner_from_headers(request.headers, cache.settings()), request.path_params["dataset"]
    if owner is None or not is_id(wanted):
        return Response(status_code=404)
    workspace = Workspace(cache.settings().home, owner)
    try:
        path, name = await anyio.to_thread.run_sync(_make, workspace, wanted, limiter=_limiter())
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
    folder = workspace.cache / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    path = folder / f"{new_id()}.zip"
    export_zip(dataset, path)
    return path, f"{safe_name(dataset.name)}.zip"


def _sweep(folder: Path) -> None:
    """Delete what a visitor who went away, or a killed server, left behind."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another one swept it first
            if path.stat().st_mtime < time.time() - LEFT_BEHIND_S:
                path.unlink()


ROUTES = (Route("/export/{dataset}.zip", export, methods=["GET"]),)
