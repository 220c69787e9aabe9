"""The script that Streamlit runs: the frame around every page, and the page itself."""

from pathlib import Path

import streamlit as st

from core.text import read
from core.ui import cache, friends, page

HERE = Path(__file__).parent


def frame() -> None:
    """Logo, style and what stands at the foot of the sidebar."""
    st.logo(str(HERE / "logo.svg"), size="large")
    st.html(HERE / "style.css")
    with st.sidebar:
        big = st.toggle("Projector", key="shell.projector", help=read("shell", "projector_help"))
        about = "about" if cache.settings().profile == "laptop" else "about_class"
        st.caption(read("shell", about))
    if big:
        st.html("<style>html { font-size: 18px !important; }</style>")


def app() -> None:
    """The page of the address, in the frame of all pages."""
    current = st.navigation(page.navigation(), expanded=True)
    with page.boundary():
        frame()
        current.run()


def _nothing() -> None:
    """A page that nobody sees."""


def friends_page(link: str) -> None:
    """The one page there is for friends: no other can be reached from it."""
    begin = st.Page(_nothing, title="Bearings", url_path="begin", default=True)  # without one, this would lie at "/"
    st.navigation([begin, page.entry("predict")], position="hidden")
    with page.boundary():
        st.html(HERE / "style.css")
        friends.show(link)


st.set_page_config(page_title="Bearings", page_icon=str(HERE / "logo.svg"), layout="wide", initial_sidebar_state=256)
asked = friends.link()
if asked is None:
    app()
else:
    friends_page(asked)
