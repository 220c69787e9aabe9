"""A data set of one's own, class by class: a name and class names in, a set without pictures out."""

from __future__ import annotations

import re

import streamlit as st

from core.data.catalogue import free_name
from core.data.classes import create_classes
from core.data.edits import check_classes
from core.data.layout import normalise_label
from core.data.table import create_empty
from core.errors import DataError
from core.settings import ImportSettings
from core.text import read
from core.ui import page, state


def begin(way: str) -> None:
    """Name a set and its classes; then pictures are brought, from the web or otherwise."""
    page.note(read("build", f"begin_{way}"))
    with st.form("build.own", border=False, enter_to_submit=True):
        left, right = st.columns([1, 2])
        name = left.text_input("Name", placeholder="for example pets", key="own.name", max_chars=64)
        typed = right.text_input("Classes", placeholder="for example cat, dog, rabbit", key="own.classes")
        pressed = st.form_submit_button("Begin", type="primary", icon=":material/arrow_forward:", key="own.begin")
    if pressed:
        make(name.strip(), class_list(typed), way="web" if way == "web" else "files")


def class_list(typed: str) -> list[str]:
    """Class names in a line of text, each once: "cat, dog; cat" gives cat and dog."""
    labels = [normalise_label(word) for word in re.split(r"[,;\n]", typed) if word.strip()]
    if not labels:
        raise DataError("Which classes will there be?", hint="Type at least one, for example cat, dog.")
    check_classes(labels)
    return list(dict.fromkeys(labels))


def make(name: str, labels: list[str], *, way: str) -> None:
    """Make the set with its classes and go where pictures are brought."""
    workspace = state.workspace()
    dataset = create_empty(workspace, name=name or free_name(workspace, "my pictures"), settings=ImportSettings())
    create_classes(dataset, labels)
    state.put("new", None)
    page.go("build", dataset=dataset.id, part="bring", way=way, label=labels[0])
