"""Models a person may use: a workspace in; the shipped model, the finished runs and what was brought along out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.data.table import Dataset, load_dataset
from core.deploy.imported import Imported, find_imported, list_imported
from core.deploy.shares import Share, opened
from core.errors import NotFound
from core.train.recipes import RECIPES
from core.train.runs import Run, list_runs, load_run
from core.workspace import Workspace

DEMO = "demo"
WEIGHTS = "last.safetensors"


@dataclass(frozen=True)
class Model:
    """One model that can answer. It is a `run`'s, or was `imported`, or (both None) it ships with Bearings."""

    id: str
    title: str
    run: Run | None = None
    imported: Imported | None = None

    @property
    def path(self) -> Path:
        """The file with its weights."""
        if self.imported is not None:
            return self.imported.path
        if self.run is not None:
            return self.run.path / WEIGHTS
        from core.deploy import demo

        return demo.MODEL

    @property
    def saved_at(self) -> float:
        """When its weights were written, in unix seconds; 0 for the shipped model."""
        return 0.0 if self.id == DEMO else self.path.stat().st_mtime

    def bundle(self) -> Any:
        """Its weights and what is known about them; ModelError when they are damaged. Imports torch."""
        from core.deploy import demo
        from core.deploy.bundle import bundle_of

        if self.imported is not None:
            return self.imported.bundle()
        return demo.bundle() if self.run is None else bundle_of(self.run)


def shipped() -> Model:
    """The model that ships with Bearings."""
    return Model(DEMO, "Bears (comes with Bearings)")


def list_models(workspace: Workspace) -> list[Model]:
    """Every model of this owner, newest first, then those brought along, and the shipped one at the end."""
    runs = [run for run in list_runs(workspace, "train") if _has_weights(run)]
    one_each = {run.request["dataset"]: run for run in runs}
    names = {dataset: dataset_name(run) for dataset, run in one_each.items()}  # each data set is read once
    own = [Model(run.id, run_title(run, names[run.request["dataset"]]), run) for run in runs]
    return [*own, *(_brought(model) for model in list_imported(workspace)), shipped()]


def find_model(workspace: Workspace, wanted: str) -> Model:
    """The model with this id; NotFound says the same for a foreign, a deleted and an invented id."""
    if wanted == DEMO:
        return shipped()
    with contextlib.suppress(NotFound):
        run = load_run(workspace, wanted)
        if run.kind == "train" and _has_weights(run):
            return _of(run)
    with contextlib.suppress(NotFound):
        return _brought(find_imported(workspace, wanted))
    raise NotFound(
        f"There is no model {wanted[:40]!r} in this workspace.",
        hint="It may have been deleted, it belongs to somebody else, or its training has not saved anything yet.",
    )


def shared_model(home: Path, share_id: str) -> tuple[Share, Model]:
    """A friends' link and the model behind it, whoever asks.

    NotFound says the same for one that is off, deleted or invented, and for one whose model is gone.
    """
    share = opened(home, share_id)
    with contextlib.suppress(NotFound):
        if share is not None:
            return share, find_model(Workspace(home, share.owner), share.model)
    raise NotFound(
        "There is no page behind this link.", hint="Whoever gave it to you may have switched it off. Ask them."
    )


def _has_weights(run: Run) -> bool:
    return run.ended and (run.path / WEIGHTS).is_file()


def _of(run: Run) -> Model:
    return Model(run.id, run_title(run), run)


def _brought(model: Imported) -> Model:
    metrics = model.card["metrics"]
    title = f"{model.card['dataset']['name']} · brought along · {metrics['wrong']} of {metrics['of']} wrong"
    return Model(model.id, title, imported=model)


def run_title(run: Run, dataset: str | None = None) -> str:
    """A run in a few words: its data set, whose name may be known already, its name and how well it did."""
    result = run.result or {}
    wrong, of = result.get("wrong"), result.get("of")
    score = f"{wrong} of {of} wrong" if wrong is not None else run.state
    return f"{dataset or dataset_name(run)} · {run_name(run)} · {score}"


def run_name(run: Run) -> str:
    """The name that somebody gave a run; without one the recipe it followed, or that it mends another run."""
    recipe = RECIPES.get(str(run.request.get("preset", "")))
    other = "Mended run" if run.request.get("repairs") else "Own stages"
    return run.name or (recipe.title if recipe else other)


def dataset_of(run: Run) -> Dataset | None:
    """The data set that a run was trained on; None when it has been deleted."""
    with contextlib.suppress(NotFound):
        return load_dataset(run.workspace, run.request["dataset"])
    return None


def dataset_name(run: Run) -> str:
    """The name of the data set that a run was trained on."""
    found = dataset_of(run)
    return found.name if found else "a deleted data set"
