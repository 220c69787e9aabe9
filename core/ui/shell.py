"""The script that Streamlit runs: the frame around every page, and the page itself."""

from pathlib import Path

import streamlit as st

from core.text import read
from core.ui import cache, page

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


st.set_page_config(page_title="Bearings", page_icon=str(HERE / "logo.svg"), layout="wide", initial_sidebar_state=256)
current = st.navigation(page.navigation(), expanded=True)
with page.boundary():
    frame()
    current.run()
