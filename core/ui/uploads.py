"""Uploads: files from a browser in, a folder in the owner's workspace out. The bytes leave the memory at once."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from core.errors import DataError, LabError
from core.text import read
from core.ui import state
from core.workspace import Workspace, check_free_space, disk_errors

_UNSAFE = re.compile(r"[\x00-\x1f<>:\"|?*]")
_PART_MAX = 100


def safe_parts(name: str) -> tuple[str, ...]:
    """A client's path as harmless parts: no root, no way up, no odd characters, each at most 100 characters.

    `safe_parts("../pets/cats/a.jpg") -> ("pets", "cats", "a.jpg")`.
    """
    parts = PurePosixPath(name.replace("\\", "/")).parts
    cleaned = (_UNSAFE.sub("_", part).strip() for part in parts)
    return tuple(part[-_PART_MAX:] for part in cleaned if part.strip(". /")) or ("unnamed",)


def check_size(files: Sequence[Any], allowed_mb: int) -> None:
    """Raise DataError when files are larger together than may be sent at once."""
    total = sum(file.size for file in files)
    if total > allowed_mb * 2**20:
        raise DataError(read("build", "too_much").format(found=round(total / 2**20), allowed=allowed_mb))


def keep(workspace: Workspace, files: Sequence[Any], *, allowed_mb: int) -> Path:
    """Write uploaded files below `uploads/<id>/`; returns the zip, or the folder that holds the classes."""
    check_size(files, allowed_mb)
    check_free_space(workspace.root, 2 * sum(file.size for file in files))
    _, folder = workspace.create("uploads")
    written = [_write(folder, file) for file in files]
    if len(written) == 1 and written[0].suffix.lower() == ".zip":
        return written[0]
    return _innermost(folder)


def keep_table(workspace: Workspace, file: Any) -> Path:
    """Write an uploaded table below `uploads/<id>/`; returns the file."""
    check_free_space(workspace.root, file.size)
    _, folder = workspace.create("uploads")
    return _write(folder, file)


@contextlib.contextmanager
def unless_refused(workspace: Workspace, *kept: Path | None) -> Iterator[None]:
    """Delete what was written below `uploads/` when the work on it cannot even begin."""
    try:
        yield
    except LabError:
        top = workspace.folder("uploads")
        for path in kept:
            if path is not None and top in path.parents:
                shutil.rmtree(top / path.relative_to(top).parts[0], ignore_errors=True)
        raise


def _write(folder: Path, file: Any) -> Path:
    path = folder.joinpath(*safe_parts(file.name))
    with disk_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        for number in range(2, 10_000):
            if not path.exists():
                break
            path = path.with_name(f"{number}-{safe_parts(file.name)[-1]}")
        path.write_bytes(file.getbuffer())
    return path


def _innermost(folder: Path) -> Path:
    """Step into folders that hold nothing but one folder with folders in it, as a browser sends them."""
    entries = list(folder.iterdir())
    if len(entries) == 1 and entries[0].is_dir() and any(entry.is_dir() for entry in entries[0].iterdir()):
        return _innermost(entries[0])
    return folder


def forget_uploads() -> None:
    """Drop what this session uploaded from the server's memory; Streamlit keeps it until the session ends otherwise."""
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)
    state.put("build.round", state.get("build.round", 0) + 1)


def table_uploader(label: str) -> Any:
    """The table that somebody chose, or None."""
    key = f"build.labels.{state.get('build.round', 0)}"
    return st.file_uploader(label, type=["csv", "tsv", "txt"], key=key, help=read("build", "labels_help"))


def uploader(label: str, *, way: str, disabled: bool = False) -> list[Any]:
    """The files somebody chose: many pictures ("files"), a whole "folder" with its sub-folders, or one "zip"."""
    options: dict[str, Any] = {
        "key": f"build.{way}.{state.get('build.round', 0)}",
        "label_visibility": "collapsed",
        "disabled": disabled,
    }
    if way == "folder":
        return st.file_uploader(label, accept_multiple_files="directory", **options)
    if way == "files":
        return st.file_uploader(label, accept_multiple_files=True, type="image/*", **options)
    chosen = st.file_uploader(label, type=["zip"], **options)
    return [chosen] if chosen else []
