"""Cookies of the class profile: who gets one, whose it is, and what a forged one is worth."""

import stat

import anyio
import pytest
from starlette.datastructures import Headers

from core.errors import WorkspaceError
from core.settings import AppSettings
from core.ui.identity import COOKIE, IdentityMiddleware, owner_from_headers, owner_of, sign, signing_key
from core.workspace import Workspace, is_id, new_id

KEY = b"k" * 32


def test_a_signed_owner_comes_back_and_a_forged_one_does_not():
    owner = new_id()
    good = sign(owner, KEY)
    assert owner_of(good, KEY) == owner
    assert owner_of(good, b"x" * 32) is None
    assert owner_of(good[:-1] + ("0" if good[-1] != "0" else "1"), KEY) is None
    assert owner_of(f"{new_id()}.{good.partition('.')[2]}", KEY) is None


@pytest.mark.parametrize("cookie", [None, "", ".", "local", "../../etc", "local." + "0" * 64, "é.ü"])
def test_a_malformed_cookie_names_nobody(cookie):
    assert owner_of(cookie, KEY) is None


def test_local_can_never_be_claimed_by_a_cookie():
    assert owner_of(sign("local", KEY), KEY) is None


def test_the_signing_key_is_made_once_and_readable_by_its_user_alone(tmp_path):
    home = tmp_path / "new" / "home"
    first = signing_key(home)
    assert first == signing_key(home) and len(first) == 32
    assert stat.S_IMODE((home / "identity.key").stat().st_mode) == 0o600
    assert [path.name for path in home.iterdir()] == ["identity.key"]


def test_a_damaged_signing_key_is_refused_with_a_sentence(tmp_path):
    (tmp_path / "identity.key").write_bytes(b"short")
    with pytest.raises(WorkspaceError, match="damaged"):
        signing_key(tmp_path)


def test_a_laptop_has_one_owner_whatever_the_browser_sends(tmp_path):
    assert owner_from_headers(Headers({"cookie": f"{COOKIE}=x"}), AppSettings(tmp_path)) == "local"


def answered(settings, *, cookie=None, kind="text/html; charset=utf-8", scheme="http"):
    """The headers with which the middleware lets an answer through."""
    sent = []

    async def inner(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind.encode())]})

    async def send(message):
        sent.append(message)

    headers = [(b"cookie", f"{COOKIE}={cookie}".encode())] if cookie else []
    scope = {"type": "http", "headers": headers, "scheme": scheme}
    anyio.run(IdentityMiddleware(inner, settings), scope, None, send)
    return Headers(raw=sent[0]["headers"])


def test_a_page_brings_a_cookie_that_scripts_and_other_sites_cannot_use(tmp_path):
    settings = AppSettings(tmp_path, profile="class")
    made = answered(settings)["set-cookie"]
    assert "HttpOnly" in made and "SameSite=Lax" in made and "Secure" not in made
    owner = owner_of(made.split(";")[0].partition("=")[2], signing_key(tmp_path))
    assert is_id(owner) and Workspace(tmp_path, owner)
    assert "Secure" in answered(settings, scheme="https")["set-cookie"]


def test_only_pages_bring_cookies_and_only_to_those_without_one(tmp_path):
    settings = AppSettings(tmp_path, profile="class")
    valid = sign(new_id(), signing_key(tmp_path))
    assert "set-cookie" not in answered(settings, kind="image/jpeg")
    assert "set-cookie" not in answered(settings, cookie=valid)
    assert "set-cookie" in answered(settings, cookie=valid[:-4] + "zzzz")
    assert "set-cookie" not in answered(AppSettings(tmp_path))
