"""Where pictures come from: a sample's card, a folder, a zip or a path in, a running import out."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from core.data.samples.gallery import SAMPLES, is_available
from core.data.table import check_free_name, list_datasets
from core.errors import DataError
from core.plots.style import esc, number
from core.settings import ImportSettings
from core.text import read
from core.ui import cache, forms, gallery, models, page, state, uploads

WAYS: Mapping[str, str] = {
    "samples": ":material/toys: A sample",
    "folder": ":material/folder: A folder",
    "zip": ":material/folder_zip: A zip",
    "path": ":material/computer: A path on this computer",
}
ICONS: Mapping[str, tuple[str, ...]] = {
    "fashion": ("checkroom", "apparel", "shopping_bag", "steps"),
    "imagenette": ("church", "sports_golf", "local_gas_station", "paragliding"),
    "pets": ("pets", "sound_detection_dog_barking", "cruelty_free", "pets"),
}
_NO_ICON = ("image",) * 4


def choose() -> None:
    """Pick a way to bring pictures; starting one leads to the page that shows it at work."""
    laptop = cache.settings().profile == "laptop"
    ways = [way for way in WAYS if way != "path" or laptop]
    way = st.segmented_control(
        "Where from", ways, format_func=WAYS.get, default="samples", key="build.way", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if way == "samples":
        _samples()
    elif way == "path":
        _path()
    else:
        _upload(folder=way == "folder")


def _samples() -> None:
    pressed = _cards()
    with st.expander("More", icon=":material/tune:"):
        name, settings = forms.import_options()
        options = forms.sample_options()
    if pressed is not None:
        _start_sample(pressed, name, settings, options)


def has_network() -> bool:
    """Whether this computer has a way out; nothing is sent to find out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: the system only looks for a route
        except OSError:
            return False
    return True


def _cards() -> str | None:
    """One card for each sample set; the name of the one that was chosen just now."""
    pressed, online = None, has_network()
    for column, sample in zip(st.columns(len(SAMPLES)), SAMPLES.values(), strict=True):
        with column, st.container(key=f"card-{sample.name}", height="stretch"):
            st.html(gallery.collage(_faces(sample.name)))
            st.markdown(f"### {esc(sample.title)}")
            page.note(esc(sample.description))
            here = is_available(state.workspace(), sample.name)
            if not here:
                section = "download" if online else "offline"
                text = page.say("build", section, size=number(sample.size_mb), licence=sample.licence)
                page.note(text)
            blocked = not here and not online
            kind = "primary" if sample.name == "bears" else "secondary"
            if st.button("Use it", key=f"build.use.{sample.name}", type=kind, disabled=blocked, width="stretch"):
                pressed = sample.name
    return pressed


def _faces(name: str) -> list[str]:
    if name != "bears":
        return list(ICONS.get(name, _NO_ICON))
    return [gallery.thumb_url(sha, models.DEMO) for sha in list(cache.demo_pictures())[:4]]


def free_name(wanted: str) -> str:
    """A name that no data set has yet: "bears", then "bears 2", and so on."""
    taken = {dataset.name for dataset in list_datasets(state.workspace())}
    names = [wanted, *(f"{wanted} {number}" for number in range(2, len(taken) + 3))]
    return next(name for name in names if name not in taken)


def start_sample(name: str, **options: Any) -> None:
    """Have a sample set made with its usual settings, or with these options, and go where it can be watched."""
    settings = ImportSettings()
    plain = {"per_class": None, "noise": 0.0, "biased_noise": 0.0, "imbalance": 0.0, "seed": 0, **options}
    _start_sample(name, "", settings, plain)


def _start_sample(sample: str, name: str, settings: ImportSettings, options: Mapping[str, Any]) -> None:
    _start(
        "sample",
        {
            "sample": sample,
            "name": _checked(name or free_name(sample)),
            **options,
            "valid_share": settings.valid_share,
            "split_seed": settings.seed,
        },
    )


def _upload(*, folder: bool) -> None:
    page.note(read("build", "upload" if folder else "zip"))
    files = uploads.uploader("Pictures", folder=folder)
    with st.expander("More", icon=":material/tune:"):
        name, settings = forms.import_options()
    if not files:
        return
    top = uploads.safe_parts(files[0].name)[0]
    name = _checked(name or free_name(Path(top).stem[:48] or "pictures"))
    source = uploads.keep(state.workspace(), files, allowed_mb=cache.settings().max_upload_mb)
    uploads.forget_uploads()
    _start_import(source, name, settings, delete=True)


def _path() -> None:
    page.note(read("build", "path"))
    typed = st.text_input("Folder or zip", placeholder="~/Pictures/pets", key="build.path")
    with st.expander("More", icon=":material/tune:"):
        name, settings = forms.import_options()
    if not st.button("Import", key="build.import", type="primary", icon=":material/download:"):
        return
    if not typed.strip():
        raise DataError(read("build", "nothing_chosen"))
    source = Path(typed.strip()).expanduser().absolute()
    _start_import(source, _checked(name or free_name(source.stem[:48] or "pictures")), settings, delete=False)


def _start_import(source: Path, name: str, settings: ImportSettings, *, delete: bool) -> None:
    request = {"source": str(source), "name": name, "valid_share": settings.valid_share, "seed": settings.seed}
    _start("import", {**request, "delete_source": delete})


def _checked(name: str) -> str:
    check_free_name(state.workspace(), name)
    return name


def _start(kind: str, request: Mapping[str, Any]) -> None:
    with st.spinner(read("train", "starting")):
        made = cache.submit(state.workspace(), kind, dict(request))
    state.put("job", made)
    page.go("build", job=made)
