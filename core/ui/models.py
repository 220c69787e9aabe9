"""Models a person may use: a workspace in, the shipped model and the finished runs out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from core.data.table import Dataset, load_dataset
from core.errors import NotFound
from core.train.recipes import RECIPES
from core.train.runs import Run, list_runs, load_run
from core.workspace import Workspace

DEMO = "demo"
WEIGHTS = "last.safetensors"


@dataclass(frozen=True)
class Model:
    """One model that can answer. `run` is None for the one that ships with Bearings."""

    id: str
    title: str
    run: Run | None = None

    @property
    def saved_at(self) -> float:
        """When its weights were written, in unix seconds; 0 for the shipped model."""
        return (self.run.path / WEIGHTS).stat().st_mtime if self.run else 0.0


def shipped() -> Model:
    """The model that ships with Bearings."""
    return Model(DEMO, "Bears (comes with Bearings)")


def list_models(workspace: Workspace) -> list[Model]:
    """Every model of this owner, newest first, and the shipped one at the end."""
    runs = [run for run in list_runs(workspace, "train") if _has_weights(run)]
    one_each = {run.request["dataset"]: run for run in runs}
    names = {dataset: dataset_name(run) for dataset, run in one_each.items()}  # each data set is read once
    return [*(Model(run.id, run_title(run, names[run.request["dataset"]]), run) for run in runs), shipped()]


def find_model(workspace: Workspace, wanted: str) -> Model:
    """The model with this id; NotFound says the same for a foreign, a deleted and an invented id."""
    if wanted == DEMO:
        return shipped()
    with contextlib.suppress(NotFound):
        run = load_run(workspace, wanted)
        if run.kind == "train" and _has_weights(run):
            return _of(run)
    raise NotFound(
        f"There is no model {wanted[:40]!r} in this workspace.",
        hint="It may have been deleted, it belongs to somebody else, or its training has not saved anything yet.",
    )


def _has_weights(run: Run) -> bool:
    return run.ended and (run.path / WEIGHTS).is_file()


def _of(run: Run) -> Model:
    return Model(run.id, run_title(run), run)


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
