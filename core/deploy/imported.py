"""Models that somebody brought: a bundle from anywhere in, a checked copy on the owner's shelf out.

`models/<id>.zip`: only the numbers and what is known about them, written anew. Whatever else came along stays behind.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.deploy.bundle import Bundle, write_bundle
from core.deploy.model_file import load_bundle, read_card
from core.errors import LabError, ModelError, NotFound
from core.workspace import Workspace, is_id, lock, new_id

KEPT_MAX = 30
log = logging.getLogger("bearings")


@dataclass(frozen=True)
class Imported:
    """A model on the shelf of an owner. `card` is what its bearings.json says."""

    workspace: Workspace
    id: str
    card: Mapping[str, Any]

    @property
    def path(self) -> Path:
        """Its file."""
        return _path(self.workspace, self.id)

    def bundle(self) -> Bundle:
        """Its weights, checked once more."""
        return load_bundle(self.path)


def import_model(workspace: Workspace, path: Path) -> Imported:
    """Check a bundle, let it answer once, and keep it; ModelError or NewerVersion when it is none, or none that works.

    A model that is here already is not kept twice.
    """
    bundle = load_bundle(path)
    _try(bundle)
    with lock(workspace.folder("models"), "Your shelf of models"):
        known = list_imported(workspace)
        for model in known:
            if model.card["sha256"] == bundle.card["sha256"] and model.card["classes"] == bundle.card["classes"]:
                return model
        if len(known) >= KEPT_MAX:
            raise ModelError(f"You have brought {len(known)} models, and there is room for {KEPT_MAX}.",
                             hint="Delete one that you do not need.")  # fmt: skip
        made = new_id()
        write_bundle(bundle, _path(workspace, made))
    return Imported(workspace, made, bundle.card)


def _try(bundle: Bundle) -> None:
    """Raise ModelError unless the model gives an answer about a grey picture."""
    from PIL import Image

    from core.deploy.predictor import Predictor

    Predictor(bundle).predict([Image.new("RGB", (64, 64), "grey")])


def list_imported(workspace: Workspace) -> list[Imported]:
    """What an owner has brought, newest first; a file that is damaged is left out, and the log says so."""
    folder = workspace.folder("models")
    paths = [path for path in folder.glob("*.zip") if is_id(path.stem)] if folder.is_dir() else []
    found = []
    for path in sorted(paths, key=lambda path: path.stat().st_mtime_ns, reverse=True):
        try:
            found.append(Imported(workspace, path.stem, read_card(path)))
        except LabError as error:
            log.warning("model %s was left out of the list: %s", path.stem, error)
    return found


def find_imported(workspace: Workspace, wanted: str) -> Imported:
    """The model with this id; NotFound says the same for a foreign, a deleted and an invented id."""
    if is_id(wanted) and _path(workspace, wanted).is_file():
        with contextlib.suppress(ModelError):
            return Imported(workspace, wanted, read_card(_path(workspace, wanted)))
    raise NotFound(
        f"There is no model {wanted[:40]!r} in this workspace.",
        hint="It may have been deleted, or it belongs to somebody else.",
    )


def delete_imported(model: Imported) -> None:
    """Delete a model for good."""
    model.path.unlink(missing_ok=True)


def _path(workspace: Workspace, model_id: str) -> Path:
    return workspace.folder("models") / f"{model_id}.zip"
