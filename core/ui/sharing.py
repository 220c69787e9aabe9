"""A link for friends on the owner's side: a model in; its link, a QR code, and the ways to end it.

There is none until the owner makes one.
"""

from __future__ import annotations

import socket
from functools import partial
from ipaddress import ip_address
from urllib.parse import urlsplit

import psutil
import streamlit as st

from core.data.table import Dataset
from core.deploy.shares import TITLE_MAX, Share, change, delete, find, make
from core.errors import LabError
from core.plots.style import esc
from core.text import read
from core.ui import cache, dialogs, forms, models, page, state
from core.ui.guests import is_loopback
from core.ui.models import Model
from core.workspace import Workspace

QUESTION = "delete_link"


def card(model: Model, threshold: float) -> None:
    """The link of a model of one's own, folded away; `threshold` is what a new link begins with."""
    if model.run is None:
        return
    workspace = model.run.workspace
    with page.boundary():
        share = find(workspace, model.id)
        with st.expander("A link for friends", key="share", icon=":material/share:", expanded=bool(share and share.on)):
            _switch(model, share, threshold)
            if share is None:
                page.note(read("predict", "share_none"))
            else:
                _details(workspace, share)
        if share is not None and dialogs.asked(QUESTION) == share.id:
            dialogs.show("Delete this link?", partial(_ask_to_delete, workspace, share))


def _switch(model: Model, share: Share | None, threshold: float) -> None:
    key = f"share.on.{model.id}"
    forms.follow(key, bool(share and share.on))
    st.toggle("Friends may use this model", key=key, on_change=_flip, args=(model, key, threshold))


def _flip(model: Model, key: str, threshold: float) -> None:
    with page.boundary():
        workspace = state.workspace()
        if find(workspace, model.id) is None:
            make(workspace, model.id, title=_question(models.dataset_of(model.run)), threshold=threshold)
        change(workspace, model.id, on=bool(st.session_state[key]))


def _question(dataset: Dataset | None) -> str:
    """What friends are asked unless the owner finds better words: "black, grizzly or teddy?"."""
    classes = dataset.classes if dataset is not None else ()
    words = f"{', '.join(classes[:-1])} or {classes[-1]}?" if len(classes) > 1 else ""
    return words if len(words) <= TITLE_MAX else ""


def _details(workspace: Workspace, share: Share) -> None:
    """The link itself while it is on; what friends read; the way to delete it."""
    if share.on:
        link, everywhere = address(share)
        st.html(f'<img class="qr" src="{qr_code(link)}" alt="{esc(read("predict", "share_qr"))}">')
        st.code(link, language=None, wrap_lines=True)
        if not everywhere:
            page.see(read("predict", "share_here"), "attention")
            _how_to_open()
        page.note(read("predict", "share_sees"))
    else:
        page.note(read("predict", "share_off"))
    _words(workspace, share)
    st.button(
        "Delete the link", key="share.delete", type="tertiary", icon=":material/delete_forever:",
        on_click=dialogs.ask, args=(QUESTION, share.id),
    )  # fmt: skip


def _how_to_open() -> None:
    """On a laptop: the command that lets others in. A class is served by whoever set it up."""
    if cache.settings().profile == "laptop":
        page.note(read("predict", "share_open"))
        hosts = " ".join(f"--server.allowedHosts {host}" for host in ("localhost", own_address()))
        st.code(f"streamlit run app.py --server.address 0.0.0.0 {hosts}", language=None, wrap_lines=True)


def own_address() -> str:
    """The number of this computer in its own network, or a word in its place."""
    found = [
        entry.address
        for name, entries in psutil.net_if_addrs().items()
        for entry in entries
        if entry.family is socket.AF_INET and psutil.net_if_stats()[name].isup and ip_address(entry.address).is_private
    ]
    return next((number for number in found if not is_loopback(number)), "ADDRESS")


def _words(workspace: Workspace, share: Share) -> None:
    """What friends read above the page, and below which probability they read "not sure"."""
    title, sure = f"share.title.{share.id}", f"share.sure.{share.id}"
    st.session_state.setdefault(title, share.title)
    st.session_state.setdefault(sure, share.threshold)
    st.text_input(
        "What they read above the page", key=title, max_chars=TITLE_MAX, placeholder="black, grizzly or teddy?",
        on_change=lambda: _change(workspace, share, title=st.session_state[title]),
    )  # fmt: skip
    st.slider(
        "They read “not sure” below", 0.0, 1.0, step=0.01, format="percent", key=sure,
        on_change=lambda: _change(workspace, share, threshold=st.session_state[sure]),
    )  # fmt: skip


def _change(workspace: Workspace, share: Share, **what: object) -> None:
    with page.boundary():
        change(workspace, share.model, **what)  # type: ignore[arg-type]


def _ask_to_delete(workspace: Workspace, share: Share) -> None:
    page.see(read("predict", "share_delete"), "attention")
    dialogs.answer("Delete it for good", partial(delete, workspace, share.model), key="share.delete.do")


def address(share: Share) -> tuple[str, bool]:
    """The address to hand out, and whether it leads here from other computers as well."""
    here = urlsplit(st.context.url or "http://localhost:8501")
    path = f"/predict?model={share.id}"
    if cache.settings().profile == "class":
        return f"{here.scheme}://{here.netloc}{path}", not is_loopback(here.hostname or "")
    host = served_name(st.get_option("server.allowedHosts") or [])
    if host is None:
        return f"{here.scheme}://{here.netloc}{path}", False
    port = f":{here.port}" if here.port else ""
    return f"http://{host}{port}{path}", True


def served_name(allowed: list[str]) -> str | None:
    """The first name or number under which others may reach this computer; None when it serves itself alone."""
    return next((host for host in allowed if "*" not in host and not is_loopback(host)), None)


def qr_code(text: str) -> str:
    """A QR code as the address of a picture that is drawn with lines: black on white, also on a dark page."""
    import segno  # only for those who share something

    try:
        return str(segno.make(text, micro=False, error="m").svg_data_uri(scale=4, border=3, dark="#000", light="#fff"))
    except segno.DataOverflowError as error:
        raise LabError("This address is too long for a QR code.", hint="Copy the link instead.") from error
