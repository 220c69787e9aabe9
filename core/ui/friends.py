"""The friends' page: a link in, one model that answers about pictures out. No navigation, nobody's data.

Whoever opens a link is a friend here, its owner too. The address decides before anything else of the app is drawn.
"""

from __future__ import annotations

import streamlit as st

from core.deploy.shares import is_share_id
from core.errors import NotFound
from core.plots.style import esc
from core.text import read
from core.ui import answers, cache, models, page, pictures, state

BARE = (
    "[data-testid='stHeader'], [data-testid='stSidebar'] { display: none !important; } "
    "[data-testid='stMainBlockContainer'] { padding-top: 1.5rem !important; }"
)


def link() -> str | None:
    """The friends' link in the address; "" for a guest of this laptop without one; None for everybody else."""
    wanted = st.query_params.get("model", "")
    if is_share_id(wanted):
        return wanted
    return "" if state.guest() else None


def show(share_id: str) -> None:
    """The whole page."""
    st.html(f"<style>{BARE}</style>")
    try:
        share, model = models.shared_model(cache.settings().home, share_id)
    except NotFound as gone:
        st.title(read("predict", "friends_title"), anchor=False)
        st.info(str(gone) if share_id else read("shell", "guest"), icon=":material/link_off:")
        return
    st.title(esc(share.title) or read("predict", "friends_title"), anchor=False)
    st.html(f'<p class="goal">{page.say("predict", "friends_goal")}</p>')
    left, right = st.container(key="friends-main").columns([1, 2], gap="large")
    with left:
        brought = pictures.brought(web=False)
    with right:
        answers.show_plain(model, brought, share.threshold)
    page.note(read("predict", "privacy"))
