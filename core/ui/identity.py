"""Who somebody is: a cookie in, an owner's id out.

On a laptop there is one owner, "local". In a class every browser gets a random owner id in a signed, HttpOnly,
SameSite=Lax cookie with the first page it loads; the signature keeps anybody from becoming an owner whose id they saw.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from http.cookies import CookieError, SimpleCookie
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.deploy.shares import is_share_id
from core.errors import WorkspaceError
from core.settings import AppSettings
from core.ui.guests import MARK
from core.workspace import disk_errors, is_id, new_id

COOKIE = "bearings_owner"
LOCAL = "local"
_MAX_AGE_S = 180 * 24 * 3600
_KEY_BYTES = 32


def signing_key(home: Path) -> bytes:
    """The workspace's own secret for signing cookies; made on first use, readable by its user alone."""
    path = home / "identity.key"
    if not path.exists():
        _make_key(path)
    key = path.read_bytes()
    if len(key) != _KEY_BYTES:
        raise WorkspaceError("The file identity.key is damaged.", hint="Delete it; everybody starts with a new name.")
    return key


def _make_key(path: Path) -> None:
    with disk_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        temp = path.parent / f".tmp-{secrets.token_hex(8)}"
        handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(_KEY_BYTES))
        try:
            os.link(temp, path)  # unlike a rename this never replaces a key that another process made first
        except FileExistsError:
            pass  # the other process's key counts
        finally:
            temp.unlink()


def sign(owner: str, key: bytes) -> str:
    """The cookie's value for an owner."""
    return f"{owner}.{hmac.new(key, owner.encode(), hashlib.sha256).hexdigest()}"


def owner_of(cookie: str | None, key: bytes) -> str | None:
    """The owner in a cookie's value; None for a missing, malformed or forged one."""
    owner, _, _ = (cookie or "").partition(".")
    if not is_id(owner) or not hmac.compare_digest(sign(owner, key), cookie or ""):
        return None
    return owner


def owner_from_headers(headers: Headers, settings: AppSettings) -> str | None:
    """The owner who sends a request, or None when it carries no valid cookie, or on a laptop comes from elsewhere."""
    if settings.profile == "laptop":
        return None if MARK in headers else LOCAL
    return owner_of(_cookie(headers), signing_key(settings.home))


def _cookie(headers: Headers) -> str | None:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return None
    return jar[COOKIE].value if COOKIE in jar else None


def _is_for_friends(scope: Scope) -> bool:
    """Whether a page is a friends' one: nothing is made there, so nobody needs to be known again."""
    asked = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("model", [""])
    return is_share_id(asked[0])


class IdentityMiddleware:
    """ASGI middleware of the class profile: a page that is sent to somebody without a valid cookie brings one."""

    def __init__(self, app: ASGIApp, settings: AppSettings) -> None:
        self.app = app
        self.settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the cookie to the answer where it is missing."""
        if scope["type"] != "http" or self.settings.profile == "laptop":
            await self.app(scope, receive, send)
            return
        known = owner_from_headers(Headers(scope=scope), self.settings)

        async def send_with_cookie(message: Message) -> None:
            if message["type"] == "http.response.start" and known is None:
                headers = MutableHeaders(scope=message)
                if headers.get("content-type", "").startswith("text/html") and not _is_for_friends(scope):
                    headers.append("set-cookie", self._new_cookie(scope["scheme"] == "https"))
                    headers["cache-control"] = "no-store"  # a page with a cookie belongs to one person
            await send(message)

        await self.app(scope, receive, send_with_cookie)

    def _new_cookie(self, secure: bool) -> str:
        value = sign(new_id(), signing_key(self.settings.home))
        ending = "; Secure" if secure else ""
        return f"{COOKIE}={value}; Path=/; Max-Age={_MAX_AGE_S}; HttpOnly; SameSite=Lax{ending}"
