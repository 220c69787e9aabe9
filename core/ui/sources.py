"""Ways to begin a data set: a sample's card, pictures from this computer, addresses of the web, or class by class."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data.catalogue import free_name
from core.data.samples.gallery import SAMPLES, is_available
from core.data.table import check_free_name
from core.plots.style import esc, number
from core.settings import ImportSettings
from core.ui import cache, choices, forms, gallery, imports, jobs, models, own, page, state

WAYS: Mapping[str, str] = {
    "samples": ":material/toys: A sample",
    "folder": ":material/folder: A folder",
    "zip": ":material/folder_zip: A zip",
    "path": ":material/computer: A path on this computer",
    "web": ":material/public: From the web",
    "own": ":material/category: Class by class",
}
ICONS: Mapping[str, tuple[str, ...]] = {
    "fashion": ("checkroom", "apparel", "shopping_bag", "steps"),
    "imagenette": ("church", "sports_golf", "local_gas_station", "paragliding"),
    "pets": ("pets", "sound_detection_dog_barking", "cruelty_free", "pets"),
}
_NO_ICON = ("image",) * 4


def choose(*, back: bool = False) -> None:
    """Pick a way to begin; it leads to where the new set can be seen. `back` offers the way to the sets there are."""
    if back:
        st.button("Back", key="build.back", icon=":material/arrow_back:", type="tertiary", on_click=_back)
    laptop = cache.settings().profile == "laptop"
    ways = {way: words for way, words in WAYS.items() if way != "path" or laptop}
    way = choices.switch(ways, slot="way", key="build.way", default="samples")
    with page.boundary():
        if way == "samples":
            _samples()
        elif way in ("web", "own"):
            own.begin(way)
        else:
            imports.new_set(way)


def _back() -> None:
    state.to_address("new", None)


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


def start_sample(name: str, **options: Any) -> None:
    """Have a sample set made with its usual settings, or with these options, and go where it can be watched."""
    settings = ImportSettings()
    plain = {"per_class": None, "noise": 0.0, "biased_noise": 0.0, "imbalance": 0.0, "seed": 0, **options}
    _start_sample(name, "", settings, plain)


def _start_sample(sample: str, name: str, settings: ImportSettings, options: Mapping[str, Any]) -> None:
    name = check_free_name(state.workspace(), name or free_name(state.workspace(), sample))
    split = {"valid_share": settings.valid_share, "split_seed": settings.seed}
    jobs.start("sample", {"sample": sample, "name": name, **options, **split})
