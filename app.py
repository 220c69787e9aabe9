"""The web app: routes, identity and what starts with the server. Run it by `streamlit run app.py`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
import streamlit.config
from starlette.middleware import Middleware

from core.ui import api, cache, downloads, page, routes, sockets
from core.ui.guests import GuestMiddleware
from core.ui.identity import IdentityMiddleware

if streamlit.config._main_script_path is None:
    # started by uvicorn: the settings lie in .streamlit beside this file, wherever uvicorn was started
    streamlit.config._main_script_path = str(Path(__file__).resolve())


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[dict[str, object]]:
    """Begin to wake the engine and the shipped model; the server answers at once."""
    sockets.start()
    cache.start_all()
    yield {}


app = st.App(
    Path(__file__).resolve().parent / "core" / "ui" / "shell.py",
    routes=(*routes.ROUTES, *downloads.ROUTES, *api.ROUTES),
    middleware=[
        Middleware(GuestMiddleware, settings=cache.settings()),
        Middleware(IdentityMiddleware, settings=cache.settings()),
    ],
    lifespan=lifespan,
    on_script_error=page.show_crash,
)
