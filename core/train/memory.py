"""Memory: how much a run takes, what tells that there was none left, and how a stage goes on with half the batch.

A process that is ended for its memory cannot try again by itself; the engine leaves a note in the run's folder then.
Imports no torch by itself.
"""

from __future__ import annotations

import gc
import sys
from dataclasses import replace

import psutil

from core.settings import TrainSettings
from core.train.events import StageStarted
from core.train.runs import Run, history
from core.workspace import read_json, write_json

MB = 2**20
HALVED = "halved.json"
SMALLEST_BATCH = 4  # a batch smaller than this is not halved: batch norm needs two pictures


def is_out_of_memory(error: BaseException) -> bool:
    """MemoryError, and what torch raises when a CPU or a GPU has no room left."""
    names = {kind.__name__ for kind in type(error).__mro__}
    text = str(error).lower()
    return bool(names & {"MemoryError", "OutOfMemoryError"}) or (
        isinstance(error, RuntimeError) and ("can't allocate memory" in text or "not enough memory" in text)
    )


def memory_used(device: str) -> tuple[float, float]:
    """MB this process takes and MB there are: of the GPU (its highest point) on "cuda", else of the computer."""
    torch = sys.modules.get("torch")
    if device == "cuda" and torch is not None:
        total = torch.cuda.get_device_properties(torch.cuda.current_device()).total_memory
        return torch.cuda.max_memory_allocated() / MB, total / MB
    return psutil.Process().memory_info().rss / MB, psutil.virtual_memory().total / MB


def give_room() -> None:
    """Let go of what a failed batch still holds."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def halve(run: Run) -> bool:
    """Note down that a run whose process was ended for its memory goes on with half the batch; False: not once more."""
    begun = history(run).last(StageStarted.kind)
    if not isinstance(begun, StageStarted) or begun.batch < SMALLEST_BATCH or (run.path / HALVED).exists():
        return False
    write_json(run.path / HALVED, {"stage": begun.stage, "batch": begun.batch // 2})
    return True


def halved(run: Run) -> tuple[int, int] | None:
    """The stage of a run that had no room, and its smaller batch; None where there was room."""
    path = run.path / HALVED
    if not path.exists():
        return None
    found = read_json(path)
    return found["stage"], found["batch"]


def with_batch(settings: TrainSettings, stage: int, batch: int) -> TrainSettings:
    """Settings in which one stage has another batch size."""
    stages = list(settings.stages)
    stages[stage] = replace(stages[stage], batch_size=batch)
    return replace(settings, stages=tuple(stages))
