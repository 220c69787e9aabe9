"""The parts that every page shares: its frame, its words, its gates and what happens when something fails.

A page begins, requires, chooses, computes, shows and explains. PAGES is the only list of pages.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import logging
import secrets
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from core.data.table import Dataset
from core.errors import LabError, NotFound
from core.plots.style import Look, esc, look
from core.text import read
from core.text.glossary import linked
from core.ui import state, visits
from core.ui.gallery import inline

ROOT = Path(__file__).parents[2]
log = logging.getLogger("bearings")


@dataclass(frozen=True)
class PageInfo:
    """One page: its section in the navigation, its title and its icon."""

    section: str
    title: str
    icon: str


PAGES: Mapping[str, PageInfo] = {
    "home": PageInfo("Start", "Home", ":material/home:"),
    "build": PageInfo("Data", "Build", ":material/add_photo_alternate:"),
    "explore": PageInfo("Data", "Explore", ":material/search_insights:"),
    "clean": PageInfo("Data", "Clean", ":material/mop:"),
    "lr_finder": PageInfo("Train", "Find a rate", ":material/speed:"),
    "train": PageInfo("Train", "Train", ":material/show_chart:"),
    "diagnose": PageInfo("Train", "What went wrong?", ":material/troubleshoot:"),
    "runs": PageInfo("Train", "Compare runs", ":material/stacked_line_chart:"),
    "top_losses": PageInfo("Read the model", "Top losses", ":material/priority_high:"),
    "confusion": PageInfo("Read the model", "Confusion", ":material/grid_on:"),
    "where_it_looks": PageInfo("Read the model", "Where it looks", ":material/center_focus_strong:"),
    "predict": PageInfo("Use it", "Predict", ":material/image_search:"),
    "export": PageInfo("Use it", "Take it along", ":material/deployed_code_update:"),
    "sgd": PageInfo("Underneath", "Gradient descent", ":material/south_east:"),
    "schedules": PageInfo("Underneath", "Schedules", ":material/timeline:"),
    "functions": PageInfo("Underneath", "Fit a curve", ":material/ssid_chart:"),
    "tensors": PageInfo("Underneath", "Tensors", ":material/data_array:"),
    "glossary": PageInfo("Underneath", "Words", ":material/dictionary:"),
}


def entry(name: str) -> Any:
    """The page as Streamlit knows it."""
    info = PAGES[name]
    return st.Page(
        ROOT / "pages" / f"{name}.py", title=info.title, icon=info.icon, url_path=name, default=name == "home"
    )


def navigation() -> dict[str, list[Any]]:
    """All pages by section, in the order of PAGES."""
    sections: dict[str, list[Any]] = {}
    for name, info in PAGES.items():
        sections.setdefault(info.section, []).append(entry(name))
    return sections


def begin(name: str, title: str | None = None) -> None:
    """Title and goal: what you will be able to do here."""
    visits.remember(name)
    st.title(title or PAGES[name].title, anchor=False)
    st.html(f'<p class="goal">{esc(read(name, "goal"))}</p>')


def say(name: str, section: str, /, **values: object) -> str:
    """A section of a page's words with values filled in; every value is made safe for a page."""
    return read(name, section).format(**{key: esc(value) for key, value in values.items()})


def see(text: str, kind: str = "") -> None:
    """Say what there is to see, from your own numbers. `kind` may be "attention" or "high"."""
    st.html(f'<div class="see {kind}">{inline(text)}</div>')


def note(text: str) -> None:
    """A remark in small print. Values in it are safe already."""
    st.html(f'<p class="note">{inline(linked(text))}</p>')


def challenge(name: str, section: str = "try") -> None:
    """Offer one small challenge."""
    st.html(f'<div class="try"><b class="tag">Try this</b>{inline(linked(read(name, section)))}</div>')


def explain(name: str, *, source: Callable[..., object] | str, section: str = "behind") -> None:
    """Fold away the idea in words and the source of the function that did the work.

    `source` may be "package.module:Class.method": then the file is read without importing it (torch takes seconds).
    """
    with st.expander("Behind it", icon=":material/code:"):
        st.markdown(linked(read(name, section)))
        st.code(source_of(source), language="python")


def source_of(function: Callable[..., object] | str) -> str:
    """The text of a function, given itself or as "package.module:Class.method"."""
    if not isinstance(function, str):
        return inspect.getsource(function)
    module, _, qualified = function.partition(":")
    return _find_source((ROOT / Path(*module.split("."))).with_suffix(".py"), qualified)


@cache
def _find_source(path: Path, qualified: str) -> str:
    text = path.read_text(encoding="utf-8")
    node: Any = ast.parse(text)
    for name in qualified.split("."):
        node = next(child for child in node.body if getattr(child, "name", None) == name)
    return textwrap.dedent(ast.get_source_segment(text, node, padded=True) or "")


def go(name: str, **query: str) -> None:
    """Leave for another page, with these values in its address."""
    st.switch_page(entry(name), query_params=query)


def next_step(label: str, name: str, *, key: str, width: str = "content", kind: str = "primary", **query: str) -> None:
    """The one button that leads on. `kind` is "secondary" where something else on the page comes first."""
    icon = ":material/arrow_forward:"
    if st.button(label, key=key, type=kind, icon=icon, icon_position="right", width=width):
        go(name, **query)


def current_dataset() -> Dataset | None:
    """The current data set, now named in the page's address; an address that names none of yours gets a sentence."""
    wanted, found = state.from_address("dataset"), state.dataset()
    if wanted and (found is None or wanted not in (found.id, found.name)):
        show_error(
            NotFound(
                f"There is no data set {wanted[:40]!r} in this workspace.",
                hint="It may have been deleted, or it belongs to somebody else.",
            )
        )
    if found is not None:
        state.to_address("dataset", found.id)
    return found


def require_dataset(name: str) -> Dataset:
    """The current data set; without one the page ends here, with the way to get one."""
    found = current_dataset()
    if found is None:
        with st.container(key="card-gate"):
            st.markdown(read(name, "need_data"))
            next_step("Build a data set", "build", key=f"{name}.gate")
        st.stop()
    return found


def require_classes(dataset: Dataset) -> None:
    """End the page here while a data set has fewer than two classes with pictures, with the way to bring some."""
    if dataset.trainable:
        return
    with st.container(key="card-gate"):
        st.markdown(say("build", "need_classes", name=dataset.name, found=_named(dataset.classes)))
        next_step("Bring pictures", "build", key="gate.bring", dataset=dataset.id, part="bring")
    st.stop()


def _named(classes: tuple[str, ...]) -> str:
    return f"only {classes[0]}" if classes else "none"


def current_look() -> Look:
    """Colours and sizes for figures, as this browser shows the app."""
    return look(state.theme(), projector=state.projector())


def show_error(error: LabError) -> None:
    """What happened and what to do next, in the learner's words."""
    st.error(
        f"{esc(error.message)}  \n{esc(error.hint)}" if error.hint else esc(error.message), icon=":material/error:"
    )


def show_crash(error: Exception) -> bool:
    """One sentence for a fault of ours, with a code under which the log has the traceback. True: it was shown."""
    if isinstance(error, LabError):
        show_error(error)
        return True
    code = secrets.token_hex(4)
    log.error("page failed, code %s", code, exc_info=error)
    st.error(read("shell", "crash").format(code=code), icon=":material/error:")
    return True


@contextlib.contextmanager
def boundary() -> Iterator[None]:
    """Whatever fails inside becomes a sentence on the page; what surrounds it goes on."""
    try:
        yield
    except Exception as error:  # the outermost frame of a page: nothing above could do better
        show_crash(error)
