"""A model to take along: what its card says, and its file in one of three forms, made on the disk when it is asked for.

ONNX and torch.export take seconds and a gigabyte of memory, so a process of its own makes them, one at a time. What was
made lies beside the other files to take along, under a name with the run and the hash, until it is swept away.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping
from functools import cache as once
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.deploy.bundle import file_stem
from core.deploy.bundle_text import SOURCES
from core.errors import ModelError
from core.interpret.reading import load_answers
from core.ui import readings
from core.ui.cache import Warm
from core.ui.models import Model
from core.workspace import Workspace, new_id, same_file

ROOT = Path(__file__).parents[2]
MAKING_S = 300.0
FORMS = ("zip", "onnx", "pt2")


@lru_cache(maxsize=1)
def _cards() -> Warm:
    return Warm(64)


@once
def _turn() -> threading.Lock:
    """Whoever holds it may make a file in a process of its own."""
    return threading.Lock()


def card(model: Model) -> dict[str, Any]:
    """What the bearings.json of a model to take along says; the first question takes a second."""
    from core.deploy.bundle import with_body

    found: Mapping[str, Any] = _cards().get((model.path, model.saved_at), lambda: with_body(model.bundle()).card)
    by_class = per_class(model)
    return {**found, "metrics": {**found["metrics"], "per_class": by_class}} if by_class else dict(found)


def per_class(model: Model) -> list[dict[str, Any]]:
    """Mistakes and pictures of each class in the exam, from the newest pass over the data; [] without one.

    A pass over other pictures than the run was judged on is left aside.
    """
    reading = readings.latest(model)
    if reading is None or model.run is None:
        return []
    table = load_answers(reading)
    exam = table[table["split"] == "valid"]
    wrong = exam["predicted"] != exam["label"]
    result = model.run.result or {}
    if (int(wrong.sum()), len(exam)) != (result.get("wrong"), result.get("of")):
        return []
    groups = wrong.groupby(exam["label"])
    return [{"label": str(label), "wrong": int(of.sum()), "of": len(of)} for label, of in groups]


def megabytes(about: Mapping[str, Any]) -> int:
    """About how large a model's file is, in MB."""
    return SOURCES[about["architecture"]["backbone"]].weights_mb


def make(workspace: Workspace, model: Model, form: str) -> tuple[Path, str]:
    """A file of a model in one form ("zip", "onnx" or "pt2") that is the caller's to delete, and what it is called."""
    from core.deploy.bundle import export_bundle

    folder = workspace.cache / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    bundle = folder / f"{new_id()}.zip"
    whole = export_bundle(model.bundle(), bundle, per_class=per_class(model))
    name = f"{file_stem(whole.card)}.{form}"
    if form == "zip":
        return bundle, name
    try:
        with _turn():
            if not (folder / name).exists():
                _in_a_process(bundle, folder / name)
            mine = bundle.with_suffix(f".{form}")
            same_file(folder / name, mine)
    finally:
        bundle.unlink(missing_ok=True)
    return mine, name


def _in_a_process(source: Path, target: Path) -> None:
    """Let a process of its own make ONNX or a program of torch.export; ModelError with its sentence when it cannot."""
    command = [sys.executable, "-m", "core.deploy.formats", str(source), str(target)]
    try:
        ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=MAKING_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ModelError("This file took too long to make.", hint="Try again when the computer is idle.") from error
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() if ended.returncode == 2 else []
        message = lines[-1] if lines else "This file could not be made here."
        raise ModelError(message, hint="The zip has the same model in it.")
