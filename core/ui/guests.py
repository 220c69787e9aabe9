"""Who comes from elsewhere: a request in, the same one out, marked when it was not sent at this computer.

On a laptop everybody who reaches the app is its one owner. The app listens to this computer alone; whoever opens it to
others, so that friends can use a link, opens the friends' pages and nothing else: a guest's request carries a mark that
only the middleware can set, and where the mark is, there is no owner.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from core.settings import AppSettings
from core.text import read

MARK = "x-bearings-guest"
_PASSED_ON = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")  # a proxy speaks for somebody
_FOR_GUESTS = re.compile(  # the friends' page, what Streamlit's pages are made of, and the friends' way for programs
    r"/predict/?|/favicon\.\w+|/static/[\w./-]+|/media/[\w./-]+"
    r"|(?:/predict)?/_stcore/(?:health|host-config|stream|upload_file/[\w./-]+)"
    r"|/api/v1/predict/link-[a-z2-7]{26}|/api/v1/openapi\.json"
)


def is_here(scope: Scope) -> bool:
    """Whether a request was sent at this computer: from it, to it by its own name, and by no proxy."""
    headers = Headers(scope=scope)
    sender = scope.get("client")
    return (
        sender is not None
        and is_loopback(sender[0])
        and is_loopback(_name(headers.get("host", "")))
        and not any(name in headers for name in _PASSED_ON)
    )


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def is_loopback(host: str) -> bool:
    """Whether a name or number means the computer itself."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        number = ip_address(host)
    except ValueError:
        return False
    return (getattr(number, "ipv4_mapped", None) or number).is_loopback


class GuestMiddleware:
    """ASGI middleware of the laptop profile: marks guests, and answers what is not for them with one sentence."""

    def __init__(self, app: ASGIApp, settings: AppSettings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, without a mark that its sender set and with one where it is due."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = [pair for pair in scope["headers"] if pair[0].lower() != MARK.encode()]
        if self.settings.profile == "laptop" and not is_here(scope):
            if scope["type"] == "http" and _FOR_GUESTS.fullmatch(scope["path"]) is None:
                refusal = PlainTextResponse(read("shell", "guest"), 403, {"cache-control": "no-store"})
                await refusal(scope, receive, send)
                return
            headers.append((MARK.encode(), b"1"))
        await self.app({**scope, "headers": headers}, receive, send)
