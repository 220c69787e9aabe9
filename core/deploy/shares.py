"""Friends' links: a model of an owner in, an unguessable id that opens this one model and nothing else out.

`shares/<id>.json` beside the owners' folders is the truth about a link; `shares/links.json` in an owner's folder says
which model has which. A link that is off, was deleted, or was never made looks the same to whoever tries it.
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.data.layout import visible
from core.errors import NotFound, SettingsError, WorkspaceError
from core.workspace import Workspace, disk_errors, is_id, lock, new_id, read_json, write_json

FOLDER, INDEX = "shares", "links.json"
TITLE_MAX = 80
THRESHOLD = 0.6
_SHARE_ID = re.compile(r"link-[a-z2-7]{26}")


@dataclass(frozen=True)
class Share:
    """A link to the model `model` of `owner`. Below `threshold` (0..1) friends read "not sure".

    `title` is what stands above the page, `made` a time in unix seconds. Friends are let in while it is `on`.
    """

    id: str
    owner: str
    model: str
    title: str
    threshold: float = THRESHOLD
    on: bool = False
    made: float = 0.0


def is_share_id(text: str) -> bool:
    """Whether `text` has the form of a link's id: "link-" and 128 random bits as 26 base32 characters."""
    return _SHARE_ID.fullmatch(text) is not None


def make(workspace: Workspace, model: str, *, title: str = "", threshold: float = THRESHOLD) -> Share:
    """A link for a model (its id), off as yet; the one that is there already counts."""
    if not is_id(model):
        raise NotFound(f"There is no model {model[:40]!r} in this workspace.", hint="Choose one of your own.")
    with _held(workspace):
        known = find(workspace, model)
        if known is not None:
            return known
        share = Share(
            f"link-{new_id()}", workspace.owner, model, check_title(title), _checked(threshold), made=time.time()
        )
        _write(workspace.home, share)
        _write_index(workspace, {**_index(workspace), model: share.id})
    return share


def find(workspace: Workspace, model: str) -> Share | None:
    """The link of a model of this owner, on or off; None when it has none."""
    wanted = _index(workspace).get(model)
    share = _read(workspace.home, wanted) if wanted else None
    return share if share is not None and (share.owner, share.model) == (workspace.owner, model) else None


def list_shares(workspace: Workspace) -> list[Share]:
    """All links of this owner, the newest first."""
    found = [share for model in _index(workspace) if (share := find(workspace, model))]
    return sorted(found, key=lambda share: share.made, reverse=True)


def change(
    workspace: Workspace,
    model: str,
    *,
    on: bool | None = None,
    title: str | None = None,
    threshold: float | None = None,
) -> Share:
    """Switch the link of a model on or off, or change what friends read; NotFound when it was deleted meanwhile."""
    with _held(workspace):
        share = find(workspace, model)
        if share is None:
            raise NotFound("This link is not there any more.", hint="Switch it on to make a new one.")
        fresh = replace(
            share,
            on=share.on if on is None else on,
            title=share.title if title is None else check_title(title),
            threshold=share.threshold if threshold is None else _checked(threshold),
        )
        _write(workspace.home, fresh)
    return fresh


def delete(workspace: Workspace, model: str) -> None:
    """Delete the link of a model for good: a new one is another one. One that is not there is no fault."""
    with _held(workspace):
        share = find(workspace, model)
        if share is not None:
            with disk_errors():
                _path(workspace.home, share.id).unlink(missing_ok=True)  # first this: from now on it opens nothing
        links = _index(workspace)
        if model in links:
            _write_index(workspace, {known: link for known, link in links.items() if known != model})


def opened(home: Path, share_id: str) -> Share | None:
    """The link that lets friends in; None for one that is off, was deleted, or never was."""
    share = _read(home, share_id) if is_share_id(share_id) else None
    return share if share is not None and share.on else None


def check_title(title: str) -> str:
    """The line above a friends' page without surrounding blanks: up to TITLE_MAX printable characters; may be ""."""
    clean = " ".join(visible(title).split())
    if len(clean) > TITLE_MAX:
        raise SettingsError(
            f"The line above the page has {len(clean)} characters; it may have {TITLE_MAX}.",
            hint="A short question is best.",
        )
    return clean


def _checked(threshold: float) -> float:
    if not 0 <= threshold <= 1:
        raise SettingsError(
            f"The threshold is {threshold}; it must lie between 0 and 1.", hint=f"{THRESHOLD} is the usual value."
        )
    return float(threshold)


def _held(workspace: Workspace) -> contextlib.AbstractContextManager[None]:
    return lock(workspace.root / FOLDER, "Your list of links")


def _path(home: Path, share_id: str) -> Path:
    return home / FOLDER / f"{share_id}.json"


def _read(home: Path, share_id: str) -> Share | None:
    """A link as it lies on the disk. One that is missing, and one that nobody can read, opens nothing."""
    try:
        record = read_json(_path(home, share_id))
        record.pop("schema")
        share = Share(**record)
    except (WorkspaceError, TypeError):
        return None
    return share if share.id == share_id and is_share_id(share_id) else None


def _write(home: Path, share: Share) -> None:
    write_json(_path(home, share.id), asdict(share))


def _index(workspace: Workspace) -> dict[str, str]:
    """Which model has which link."""
    try:
        links = read_json(workspace.root / FOLDER / INDEX).get("links", {})
    except NotFound:
        return {}
    return {model: link for model, link in links.items() if is_id(model) and is_share_id(link)}


def _write_index(workspace: Workspace, links: Mapping[str, Any]) -> None:
    write_json(workspace.root / FOLDER / INDEX, {"links": dict(links)})
