"""The three doors of the start page: what somebody has made so far in, the ways on out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from core.data.table import Dataset
from core.text import read
from core.train.runs import Run, list_runs
from core.ui import models, page, sources, state


@dataclass(frozen=True)
class Door:
    """A card with a few words and one button; `enter` is what the button does."""

    name: str
    words: str
    label: str
    icon: str
    enter: Callable[[], None]
    kind: str = "secondary"


def doors() -> list[Door]:
    """Try it, build your own, and carry on where you were (or begin with the bears)."""
    return [
        Door(
            "try",
            read("home", "door_try"),
            "Try a picture",
            ":material/image_search:",
            partial(page.go, "predict", model=models.DEMO),
        ),
        Door(
            "build",
            read("home", "door_build"),
            "Build a data set",
            ":material/add_photo_alternate:",
            partial(page.go, "build"),
        ),
        _carry_on(),
    ]


def _carry_on() -> Door:
    runs = list_runs(state.workspace(), "train")
    dataset = state.dataset()
    if runs:
        return _to_run(runs[0])
    if dataset is not None:
        return _to_dataset(dataset)
    make = partial(sources.start_sample, "bears")
    return Door("continue", read("home", "door_bears"), "Draw the bears", ":material/draw:", make, "primary")


def _to_run(run: Run) -> Door:
    words = page.say("home", "door_continue", name=models.run_title(run))
    return Door(
        "continue", words, "Carry on", ":material/arrow_forward:", partial(page.go, "train", run=run.id), "primary"
    )


def _to_dataset(dataset: Dataset) -> Door:
    words = page.say("home", "door_continue", name=dataset.name)
    return Door("continue", words, "Train on it", ":material/show_chart:", partial(page.go, "train"), "primary")
