"""What a fix starts: a run, what it said and the judgement on it in; the request of the repaired run out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.diagnose.of_run import Judgement
from core.diagnose.repairs import Repair, repair
from core.errors import NotFound
from core.settings import TrainSettings, from_record, to_record
from core.text import read
from core.train.events import History
from core.train.known_rates import as_trained, known_rates
from core.train.runs import LAST, Run, load_run, save_point
from core.ui.models import dataset_of

ENDED_BY_ITSELF = ("done", "diverged")


@dataclass(frozen=True)
class Fix:
    """One button. `text` is written on it, `words` say what it does, `request` is that of the run it starts.

    `afresh`: the checkpoint that the run should begin from is gone, so it begins with fresh weights and does again what
    came before.
    """

    text: str
    words: str
    request: Mapping[str, Any]
    afresh: bool = False


def fix_of(run: Run, judged: Judgement, said: History) -> Fix | None:
    """The fix of a run's verdict, or None where there is nothing to mend or nothing to mend it with."""
    if run.state not in ENDED_BY_ITSELF or dataset_of(run) is None:
        return None
    settings, stage = as_trained(from_record(run.request["settings"]), said), judged.stage
    found = repair(judged.in_stage, settings, stage=stage, suggested_lr=known_rates(run, said=said).get(stage))
    if found is None:
        return None
    begin = _begin(run, found)
    afresh = begin is not None and not _is_there(run, begin)
    text, words, then = found.text, found.words, found.settings
    if afresh:
        text, words, then = _from_the_beginning(found, settings)
    request: dict[str, Any] = {
        "dataset": run.request["dataset"],
        "settings": to_record(then),
        "preset": "own",
        "repairs": {"run": run.id, "kind": judged.verdict.kind},
    }
    if begin is not None and not afresh:
        request["start"] = dict(begin)
    return Fix(text, words, request, afresh)


def _begin(run: Run, found: Repair) -> Mapping[str, str] | None:
    """The checkpoint that a repair begins from; None where it begins with fresh weights anyway."""
    if found.begins == "as_before":
        return run.request.get("start")
    return {"run": run.id, "file": LAST if found.begins == "last" else save_point(found.stage - 1)}


def _is_there(run: Run, begin: Mapping[str, str]) -> bool:
    try:
        return (load_run(run.workspace, begin["run"]).path / begin["file"]).is_file()
    except NotFound:
        return False


def _from_the_beginning(found: Repair, settings: TrainSettings) -> tuple[str, str, TrainSettings]:
    """The repair without its checkpoint: the stages before it are done again, and one that went on is made longer."""
    text, words, stages = found.text, found.words, found.settings.stages
    if found.begins == "last":
        epochs = settings.stages[found.stage].epochs + stages[0].epochs
        stages = (replace(stages[0], epochs=epochs), *stages[1:])
        text, words = f"Train for {epochs} epochs", f"Train again, for {epochs} epochs."
    if found.begins != "as_before":
        stages = (*settings.stages[: found.stage], *stages)
    return text, f"{words} {read('diagnose', 'afresh')}", replace(found.settings, stages=stages)
