"""The workspace on disk: owners and ids in, folders out; atomic writes, locks, free space.

A workspace is a folder with one sub-folder per owner. Ids are 128 random bits in base32 and never come from a user's
text, so a name can never become a path.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from core.errors import Busy, DiskFull, NewerVersion, NotFound, WorkspaceError

SCHEMA = 1
LOCK_TIMEOUT_S = 10.0
LOCK_POLL_S = 0.01  # a lock is held for some ten milliseconds: whoever waits must not miss every gap
TEMP_MAX_AGE_S = 3600.0
FREE_RESERVE_BYTES = 50 * 2**20
KINDS = ("datasets", "runs", "models", "uploads")
_ID = re.compile(r"[a-z2-7]{26}")
_OWNER = re.compile(r"local|[a-z2-7]{26}")


def new_id() -> str:
    """A fresh id: 128 random bits as 26 lower-case base32 characters."""
    return base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def is_id(text: str) -> bool:
    """Whether `text` has the form of an id made by `new_id`."""
    return _ID.fullmatch(text) is not None


@dataclass(frozen=True)
class Workspace:
    """One owner's part of the workspace folder `home`."""

    home: Path
    owner: str = "local"

    def __post_init__(self) -> None:
        if _OWNER.fullmatch(self.owner) is None:
            raise WorkspaceError("This owner id has the wrong form.", hint="Open the app's start page again.")

    @property
    def root(self) -> Path:
        """The owner's folder."""
        return self.home / self.owner

    @property
    def cache(self) -> Path:
        """Folder for things that can be computed again."""
        return self.root / "cache"

    def folder(self, kind: str) -> Path:
        """The folder that holds everything of one kind (one of KINDS)."""
        if kind not in KINDS:
            raise WorkspaceError(f"There is no folder for {kind!r}.", hint=f"There are {', '.join(KINDS)}.")
        return self.root / kind

    def create(self, kind: str) -> tuple[str, Path]:
        """Make an empty folder under a fresh id; returns the id and the folder."""
        made = new_id()
        path = self.folder(kind) / made
        with disk_errors():
            path.mkdir(parents=True)
        return made, path

    def find(self, kind: str, wanted: str) -> Path:
        """The existing folder of an id; NotFound says the same for a foreign, a deleted and an invented id."""
        path = self.folder(kind) / wanted
        if not is_id(wanted) or not path.is_dir():
            raise NotFound(
                f"There is no {_WORDS[kind]} {wanted[:40]!r} in this workspace.",
                hint="It may have been deleted, or it belongs to somebody else.",
            )
        return path

    def ids(self, kind: str) -> list[str]:
        """All ids of a kind, oldest first."""
        folder = self.folder(kind)
        if not folder.is_dir():
            return []
        made = [(entry.stat().st_ctime_ns, entry.name) for entry in folder.iterdir() if is_id(entry.name)]
        return [name for _, name in sorted(made)]


_WORDS = {"datasets": "data set", "runs": "run", "models": "model", "uploads": "upload"}


@contextlib.contextmanager
def disk_errors() -> Iterator[None]:
    """Turn a full disk, a full quota or a missing permission into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(
                "The disk is full, so this could not be saved.", hint="Free some space and try again."
            ) from error
        if isinstance(error, PermissionError):
            raise WorkspaceError(
                f"Bearings may not write to {error.filename}.", hint="Set BEARINGS_HOME to a folder of your own."
            ) from error
        raise


def check_free_space(folder: Path, need_bytes: int = 0) -> None:
    """Raise DiskFull when fewer than `need_bytes` plus a reserve of 50 MiB are free where `folder` lies."""
    place = folder
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    if free < need_bytes + FREE_RESERVE_BYTES:
        raise DiskFull(
            f"This needs about {need_bytes / 2**20:.0f} MB and {free / 2**20:.0f} MB are free on the disk.",
            hint="Free some space, or set BEARINGS_HOME to a larger disk.",
        )


def write_atomic(path: Path, data: bytes | str) -> None:
    """Replace `path` by `data`: a reader sees the old file or the new one, never a half. Survives a power cut."""
    payload = data.encode() if isinstance(data, str) else data
    with disk_errors():
        path.parent.mkdir(parents=True, exist_ok=True)
        temp = path.parent / f".tmp-{secrets.token_hex(8)}"
        try:
            with temp.open("wb") as file:
                file.write(payload)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temp, path)
        except BaseException:
            temp.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder for syncing
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def same_file(source: Path, target: Path) -> None:
    """Let `target` hold what `source` holds, atomically: as a link where the disk has such, else as a copy.

    Only for files that are replaced and never written into, as everything that `write_atomic` writes.
    """
    temp = target.with_name(f".tmp-{secrets.token_hex(8)}")
    with disk_errors():
        try:
            os.link(source, temp)
        except OSError:  # FAT and some network disks have no links
            shutil.copyfile(source, temp)
        os.replace(temp, target)
        temp.unlink(missing_ok=True)  # it stays where both were one file already
        _sync_folder(target.parent)


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write `record` atomically with the schema number in front."""
    write_atomic(path, json.dumps({"schema": SCHEMA, **record}, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read a file written by `write_json`; a newer schema, a missing and a damaged file each raise with a sentence."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(
            f"The file {path.name} is missing.", hint="The folder it belongs to was not finished."
        ) from error
    except (ValueError, UnicodeDecodeError) as error:
        raise WorkspaceError(
            f"The file {path.name} is damaged.", hint="Restore it from a copy, or start anew."
        ) from error
    if not isinstance(record, dict):
        raise WorkspaceError(f"The file {path.name} is damaged.", hint="Restore it from a copy, or start anew.")
    check_schema(record.get("schema"), path.name)
    return record


def check_schema(found: object, name: str) -> None:
    """Raise NewerVersion unless `found` is a schema number this version can read."""
    if not isinstance(found, int) or isinstance(found, bool):
        raise WorkspaceError(f"{name} carries no version number.", hint="It was not written by Bearings.")
    if found > SCHEMA:
        raise NewerVersion(
            f"{name} has version {found}; this Bearings reads up to version {SCHEMA}.",
            hint="Update Bearings and open it again.",
        )


def append_line(path: Path, record: dict[str, Any]) -> None:
    """Append one JSON record as one line in a single write (one writer per file).

    A line that a killed writer left unfinished is closed first, so that it takes nothing with it.
    """
    line = (json.dumps({"schema": SCHEMA, **record}, ensure_ascii=True, allow_nan=False) + "\n").encode()
    with disk_errors(), path.open("ab+", buffering=0) as file:
        if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
            line = b"\n" + line
        if file.write(line) != len(line):  # the disk took the first part only
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def read_lines(path: Path, start: int = 0) -> tuple[list[dict[str, Any]], int]:
    """Records from byte `start` on, and where to read on.

    A last line that is not finished yet is left for later; a line that a killed writer never finished is skipped.
    """
    if not path.exists():
        return [], start
    with path.open("rb") as file:
        file.seek(start)
        data = file.read()
    end = data.rfind(b"\n") + 1
    records = []
    for line in data[:end].splitlines():
        with contextlib.suppress(ValueError):  # torn: whoever wrote it was killed in the middle
            records.append(json.loads(line))
    for record in records:
        check_schema(record.get("schema") if isinstance(record, dict) else None, path.name)
    return records, start + end


@contextlib.contextmanager
def lock(folder: Path, what: str, *, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lock of `folder`; after `timeout_s` seconds raise Busy with a sentence that names `what`."""
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=timeout_s, poll_interval=LOCK_POLL_S):
            yield
    except Timeout as error:
        raise Busy(
            f"{what} has been in use elsewhere for {timeout_s:.0f} seconds.",
            hint="Close the other tab or wait, then try again.",
        ) from error


def sweep_temp(root: Path, *, max_age_s: float = TEMP_MAX_AGE_S) -> int:
    """Delete temporary files that an interrupted write left behind more than `max_age_s` seconds ago; count them."""
    swept = 0
    oldest = time.time() - max_age_s
    for path in root.rglob(".tmp-*"):
        try:
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink()
                swept += 1
        except FileNotFoundError:  # another process swept it first
            continue
    return swept
