"""More pictures for a set that exists: a class and a way in, pictures in that class out."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.data.growth import ALREADY, Growth
from core.data.images import reencode
from core.data.shelf import Picture
from core.data.table import Dataset
from core.plots.style import esc
from core.text import read
from core.ui import cache, choices, gallery, imports, page, state, uploads, url_list

WAYS: Mapping[str, str] = {
    "files": ":material/image: Files",
    "camera": ":material/photo_camera: Camera",
    "web": ":material/public: From the web",
    "folder": ":material/folder: A folder",
    "zip": ":material/folder_zip: A zip",
    "path": ":material/computer: A path",
}
LAST_SHOTS = 12


def show(dataset: Dataset) -> None:
    """Choose a way and, where it needs one, a class."""
    laptop = cache.settings().profile == "laptop"
    ways = {way: words for way, words in WAYS.items() if way != "path" or laptop}
    way = choices.switch(ways, slot="way", key="bring.way", default="files", light=True)
    if way == "camera":
        _camera(dataset)
    elif way == "web":
        url_list.show(dataset)
    elif way == "path":
        _path(dataset)
    else:
        _upload(dataset, way)


def _class(dataset: Dataset, placeholder: str = "Choose a class, or type a new name") -> str | None:
    return choices.class_name(choices.class_names(dataset), key="bring.class", placeholder=placeholder)


def _upload(dataset: Dataset, way: str) -> None:
    """Many pictures of one class, or a folder or zip whose folders are classes unless a class is chosen."""
    by_folder = way != "files"
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        label = _class(dataset, "Each folder is a class") if by_folder else _class(dataset)
        page.note(read("build", f"bring_{way}"))
    with right:
        files = uploads.uploader("Pictures", way=way, disabled=label is None and not by_folder)
    if files:
        imports.add(dataset, imports.stored(files), label=label, origin="upload", way=way)


def _path(dataset: Dataset) -> None:
    left, right = st.columns([1, 1.6], gap="medium")
    with left:
        label = _class(dataset, "Each folder is a class")
    with right:
        typed = imports.typed_path(key="bring.path")
    page.note(read("build", "path"))
    if st.button("Add", key="bring.add", type="primary", icon=":material/add:"):
        source = imports.chosen_path(typed)
        imports.add(dataset, source, label=label, origin=source.name, way="path")


def _camera(dataset: Dataset) -> None:
    """One picture for each press; each is in its class before the next one can be taken."""
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        label = _class(dataset)
        _so_far(dataset, label)
        page.note(read("build", "bring_camera"))
    with right:
        shot = st.camera_input(
            "Camera",
            key=f"bring.camera.{state.get('build.round', 0)}",
            disabled=label is None,
            label_visibility="collapsed",
            resolution="480p",
        )
    if shot is not None and label is not None:
        _take(dataset, label, shot.getvalue())


def _take(dataset: Dataset, label: str, data: bytes) -> None:
    growth = Growth(dataset, source="camera", words=f"took a picture of {label}")
    try:
        told = growth.keep(Picture(data, label, "camera.jpg"), reencode(data))
        growth.commit()
    finally:
        uploads.forget_uploads()
    state.put("camera.said", ALREADY.get(told))
    st.rerun()


def _so_far(dataset: Dataset, label: str | None) -> None:
    """How many pictures each class has, and the latest of the class in front of the camera."""
    items = state.kept(dataset)
    counts = items["label"].value_counts()
    chips = (f"<span class='{'on' if name == label else ''}'>{esc(name)} <b>{counts.get(name, 0)}</b></span>"
             for name in choices.class_names(dataset))  # fmt: skip
    st.html(f'<div class="chips" aria-live="polite">{"".join(chips)}</div>')
    if state.get("camera.said"):
        page.see(esc(state.get("camera.said")), "attention")
    latest = items[(items["label"] == label) & (items["source"] == "camera")].tail(LAST_SHOTS)[::-1]
    st.html(gallery.thumbs(dataset, latest))
