"""Pictures that somebody brings to a model: files, the clipboard, the camera or an address in, names and bytes out.

Files and photos lie where Streamlit keeps them until the session ends. What was pasted or fetched is made small at once
and kept in the session's memory; nothing is written to the disk.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import threading
import time
from collections.abc import Iterator
from functools import cache as once
from pathlib import Path
from urllib.parse import unquote, urlsplit

import streamlit as st

from core.data.images import LONGEST_SIDE, reencode
from core.data.layout import shown
from core.data.one_picture import fetch_picture
from core.errors import Busy, DataError, ImageRejected
from core.text import read
from core.ui import cache, page, state

MAX_MB = 20
PASTED_MAX_BYTES = 12 * 2**20  # a third more as text, and a message to the server has 25 MB at most
KEPT = 12
FETCHES_AT_ONCE, FETCHES_A_MINUTE, WAIT_S = 4, 10, 2.0
SNIPPET = Path(__file__).with_name("paste.js")
WAYS = ("Files", "Camera", "Web address")
_BROUGHT, _ASKED = "predict.brought", "predict.asked"
Picture = tuple[str, bytes]


def brought(*, web: bool = True) -> list[Picture]:
    """The pictures on the table, newest first. Without `web` nobody makes this computer fetch addresses."""
    way = st.segmented_control(
        "Your picture", WAYS if web else WAYS[:2], default=WAYS[0], key="predict.way", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    with page.boundary():
        if way == "Camera":
            return _photo()
        if way == "Web address":
            _address()
            return _kept()
        return [*_pasted(), *_files()]
    return []


def _photo() -> list[Picture]:
    taken = st.camera_input("Camera", key="predict.camera", label_visibility="collapsed")
    return [("Your picture", taken.getvalue())] if taken else []


def _files() -> list[Picture]:
    files = st.file_uploader(
        "Pictures", accept_multiple_files=True, type="image/*", key="predict.files", label_visibility="collapsed",
        max_upload_size=MAX_MB,
    )  # fmt: skip
    return [(file.name, file.getvalue()) for file in files]


def _kept() -> list[Picture]:
    """What was pasted or fetched so far, with the way to put it away."""
    kept: list[Picture] = state.get(_BROUGHT, [])
    if kept:
        st.button(
            "Put it away" if len(kept) == 1 else f"Put all {len(kept)} away", key="predict.clear", type="tertiary",
            icon=":material/close:", on_click=lambda: state.put(_BROUGHT, None),
        )  # fmt: skip
    return kept


def _keep(name: str, data: bytes) -> None:
    """Put a picture on the table, as small as a model looks at it; ImageRejected when it is none."""
    small = reencode(data, longest_side=LONGEST_SIDE).jpeg
    others = [picture for picture in state.get(_BROUGHT, []) if picture[1] != small]
    state.put(_BROUGHT, [(shown(name), small), *others][:KEPT])


# --- the clipboard


def _pasted() -> list[Picture]:
    """A button that takes the picture in the clipboard, which Ctrl+V does as well; what was taken so far."""
    words = {name: read("predict", f"paste_{name}") for name in ("label", "keys", "nothing", "forbidden", "too_large")}
    component = st.components.v2.component(
        "bearings_paste",
        html='<div class="paste"><button type="button" hidden></button><span role="status"></span></div>',
        js=SNIPPET.read_text(encoding="utf-8"),
        isolate_styles=False,
    )
    found = component(key="predict.paste", data={**words, "most_bytes": PASTED_MAX_BYTES}, on_picture_change=_ignore)
    if found.picture:
        _keep("Pasted picture", from_data_url(found.picture))
    return _kept()


def _ignore() -> None:
    """Streamlit wants somebody to call."""


def from_data_url(text: str) -> bytes:
    """The bytes in a `data:` address as browsers write them; ImageRejected for anything else."""
    head, comma, body = text.partition(",")
    try:
        if not comma or not head.startswith("data:image/") or not head.endswith(";base64"):
            raise ValueError("not a picture")
        return base64.b64decode(body, validate=True)
    except (ValueError, binascii.Error) as error:
        raise ImageRejected("unreadable", "What was pasted is no picture.", hint="Copy the picture itself.") from error


# --- the web


def _address() -> None:
    """Where a picture lies in the web, and the button that fetches it."""
    with st.form("predict.address", border=False, enter_to_submit=True):
        url = st.text_input(
            "Address of a picture", key="predict.url", placeholder="https://…/bear.jpg", label_visibility="collapsed",
            max_chars=2000,
        )  # fmt: skip
        pressed = st.form_submit_button("Fetch it", key="predict.fetch", icon=":material/download:")
    page.note(read("predict", "address"))
    if pressed and url.strip():
        _count_fetch()
        with st.spinner(read("predict", "fetching")), fetching():
            data = fetch_picture(url, allow_hosts=cache.settings().allow_hosts)
        _keep(name_in(url), data)


def name_in(url: str) -> str:
    """What an address calls its picture: `name_in("https://x.org/a/my%20bear.jpg?w=9") -> "my bear.jpg"`."""
    try:
        last = unquote(urlsplit(url.strip()).path).rstrip("/").rpartition("/")[2]
    except ValueError:
        last = ""
    return last or "Picture from the web"


def _count_fetch() -> None:
    """DataError when this session has fetched FETCHES_A_MINUTE within the last minute."""
    now = time.monotonic()
    recent = [asked for asked in state.get(_ASKED, []) if now - asked < 60]
    if len(recent) >= FETCHES_A_MINUTE:
        raise DataError(
            f"You have fetched {len(recent)} pictures within a minute; that is the most.",
            hint=f"Wait {60 - (now - recent[0]):.0f} seconds.",
        )
    state.put(_ASKED, [*recent, now])


@once
def _places() -> threading.BoundedSemaphore:
    return threading.BoundedSemaphore(FETCHES_AT_ONCE)


@contextlib.contextmanager
def fetching() -> Iterator[None]:
    """One of the few places for those who fetch; Busy when all are taken."""
    if not _places().acquire(timeout=WAIT_S):
        raise Busy("Too many people fetch pictures right now.", hint="Try again in a few seconds.")
    try:
        yield
    finally:
        _places().release()
