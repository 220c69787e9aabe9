"""Show the code: a training run in, a plain PyTorch script out that repeats it and prints the same table.

What a run decided while it went on (its number format, the rates that a range test found, a smaller batch) is read
from its events, so that the script does what was done.
"""

from __future__ import annotations

from core.deploy.script_text import Done, Plan, write_script
from core.errors import ModelError
from core.settings import from_record
from core.train.events import StageStarted, Started
from core.train.runs import Run, history


def script_of(run: Run) -> str:
    """The script of a training run; LabError with a sentence when there is none."""
    if run.kind != "train":
        raise ModelError("This run trained no model.", hint="Choose a training run.")
    told, settings = history(run), from_record(run.request["settings"])
    started = told.last(Started.kind)
    begun = {event.stage: event for event in told.all(StageStarted.kind)}
    if not isinstance(started, Started) or not begun:
        raise ModelError("This run has not begun to train yet.", hint="Come back when its first epoch is over.")
    stages = [
        Done(
            stage=settings.resolved[number],
            rates=event.lr,
            batch=event.batch,
            bf16=(event.precision or started.precision) == "bfloat16",
            number=number,
            seed=settings.seed,
        )
        for number, event in sorted(begun.items())
    ]
    plan = Plan(tuple(stages), started.classes, settings.backbone, settings.weights)
    return write_script(plan, intro="Repeats a run.")
