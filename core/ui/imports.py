"""Pictures from this computer: a folder, a zip or a path in; an import that makes a data set, or adds to one, out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from core.data.catalogue import free_name
from core.data.table import Dataset, check_free_name
from core.errors import DataError
from core.settings import ImportSettings
from core.text import read
from core.ui import cache, forms, jobs, page, state, uploads


def new_set(way: str) -> None:
    """Make a data set of a folder, a zip or a path."""
    if way == "path":
        _path()
    else:
        _upload(way)


def _upload(way: str) -> None:
    page.note(read("build", "upload" if way == "folder" else "zip"))
    files = uploads.uploader("Pictures", way=way)
    with st.expander("More", icon=":material/tune:"):
        name, settings = forms.import_options()
        table = uploads.table_uploader("Labels in a table")
    if table and not files:
        page.see(page.say("build", "labels_ready", name=table.name))
    if files:
        top = uploads.safe_parts(files[0].name)[0]
        name = _checked(name, Path(top).stem)
        labels = uploads.keep_table(state.workspace(), table) if table else None
        _start_import(stored(files), name, settings, labels=labels, delete=True)


def stored(files: Sequence[Any]) -> Path:
    """Uploaded files on the disk, and gone from this session's memory."""
    source = uploads.keep(state.workspace(), files, allowed_mb=cache.settings().max_upload_mb)
    uploads.forget_uploads()
    return source


def _path() -> None:
    page.note(read("build", "path"))
    source = typed_path(key="build.path")
    with st.expander("More", icon=":material/tune:"):
        name, settings = forms.import_options()
        table = st.text_input("Labels in a table", placeholder="~/Pictures/labels.csv", key="build.labels").strip()
    if st.button("Import", key="build.import", type="primary", icon=":material/download:"):
        found, labels = chosen_path(source), chosen_path(table) if table else None
        _start_import(found, _checked(name, found.stem), settings, labels=labels, delete=False)


def typed_path(*, key: str) -> str:
    """What somebody typed as the place of a folder or a zip."""
    return st.text_input("Folder or zip", placeholder="~/Pictures/pets", key=key).strip()


def chosen_path(typed: str) -> Path:
    """The place as a path; DataError when nothing was typed."""
    if not typed:
        raise DataError(read("build", "nothing_chosen"))
    return Path(typed).expanduser().absolute()


def _start_import(source: Path, name: str, settings: ImportSettings, *, labels: Path | None, delete: bool) -> None:
    request = {"source": str(source), "name": name, "valid_share": settings.valid_share, "seed": settings.seed}
    with uploads.unless_refused(state.workspace(), source, labels):
        jobs.start("import", {**request, "labels": str(labels) if labels else None, "delete_source": delete})


def _checked(name: str, wanted: str) -> str:
    return check_free_name(state.workspace(), name or free_name(state.workspace(), wanted[:48].strip() or "pictures"))


def add(dataset: Dataset, source: Path, *, label: str | None, origin: str, way: str) -> None:
    """Bring the pictures of a file, a folder or a zip into a set: into one class, or by its folders without a label."""
    delete = origin == "upload"
    request = {"dataset": dataset.id, "source": str(source), "label": label, "origin": origin, "delete_source": delete}
    address = {"dataset": dataset.id, "part": "bring", "way": way}
    with uploads.unless_refused(state.workspace(), source):
        jobs.start("add", request, **address, **({"label": label} if label else {}))
