"""Checkpoints that a new run may go on from: a data set in, save points with their scores out. No tensor is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from core.errors import NotFound
from core.settings import Stage, from_record
from core.train.events import EpochDone, History, Note, Saved, Started
from core.train.runs import BEST, LAST, Run, history, is_checkpoint, list_runs, load_run, save_point
from core.workspace import Workspace


@dataclass(frozen=True)
class Start:
    """One checkpoint: the `file` in the folder of `run`, with `wrong` of `of` validation pictures wrong.

    `stage` counts from 0; `when` is the time at which its run was made, in unix seconds.
    """

    run: str
    file: str
    title: str
    stage: int
    wrong: int
    of: int
    backbone: str
    classes: tuple[str, ...]
    when: float

    @property
    def address(self) -> str:
        """As pages write it: "<run>:<file>"."""
        return f"{self.run}:{self.file}"


def starts_of(workspace: Workspace, dataset_id: str, *, told: Callable[[Run], History] = history) -> list[Start]:
    """Every checkpoint of this owner's runs on a data set: the newest run first, within a run stage by stage.

    `told` gives what a run has said; whoever asks often may keep that.
    """
    runs = [run for run in list_runs(workspace, "train") if run.request.get("dataset") == dataset_id]
    return [start for run in runs for start in of_run(run, told=told)]


def find_start(workspace: Workspace, address: str) -> Start:
    """The checkpoint "<run>:<file>"; NotFound says the same for a foreign, a deleted and an invented one.

    LAST is what a run ended with: where its last stage was saved as a whole, that is the very same, and it is found.
    """
    run_id, _, file = address.partition(":")
    if is_checkpoint(file):
        found = {start.file: start for start in of_run(load_run(workspace, run_id))}
        if file == LAST and file not in found:
            saved = [start for name, start in found.items() if name != BEST]
            file = saved[-1].file if saved else file
        if file in found:
            return found[file]
    raise NotFound(f"There is no checkpoint {address[:80]!r} in this workspace.", hint="Choose one from the list.")


def of_run(run: Run, *, told: Callable[[Run], History] = history) -> list[Start]:
    """The checkpoints of one run: after each stage, and the last and the best epoch where those are others."""
    if run.kind != "train" or not any((run.path / file).is_file() for file in (LAST, save_point(0))):
        return []
    said = told(run)
    started, epochs = said.last(Started.kind), _written(said)
    if not isinstance(started, Started) or not epochs:
        return []
    settings = from_record(run.request["settings"])
    return [
        Start(
            run=run.id,
            file=file,
            title=f"{title}: {epoch.wrong} of {epoch.of} wrong",
            stage=epoch.stage,
            wrong=epoch.wrong,
            of=epoch.of,
            backbone=settings.backbone,
            classes=started.classes,
            when=run.record["created"],
        )
        for file, title, epoch in _places(run, said, epochs, settings.stages)
        if (run.path / file).is_file()
    ]


def _written(said: History) -> list[EpochDone]:
    """The epochs up to the last one whose weights were written, in order; one that was done again counts once.

    An epoch that exploded is measured but not written, and so is one in which the run was killed.
    """
    written = [(event.stage, event.epoch) for event in said.all(Saved.kind)]
    told = {(epoch.stage, epoch.epoch): epoch for epoch in said.all(EpochDone.kind)}
    return [epoch for place, epoch in told.items() if written and place <= max(written)]


def _places(
    run: Run, said: History, epochs: list[EpochDone], stages: tuple[Stage, ...]
) -> Iterator[tuple[str, str, EpochDone]]:
    last, best = epochs[-1], min(epochs, key=lambda epoch: epoch.valid_loss)
    offered = [last]
    for number in range(last.stage + 1):
        if (run.path / save_point(number)).is_file():
            reached = [epoch for epoch in epochs if epoch.stage == number]
            kept = min(reached, key=lambda epoch: epoch.valid_loss) if _keeps_best(said, number) else reached[-1]
            offered.append(kept)
            yield save_point(number), _after(number, stages), kept
    if not (run.path / save_point(last.stage)).is_file():
        yield LAST, f"Its last epoch, {last.epoch + 1} of stage {last.stage + 1}", last
    if best not in offered:
        yield BEST, f"Its best epoch, {best.epoch + 1} of stage {best.stage + 1}", best


def _keeps_best(said: History, number: int) -> bool:
    """Whether a stage ended with the weights of an earlier epoch."""
    notes = [note for note in said.all(Note.kind) if note.code == "kept_best"]
    return any(note.text.startswith(f"Stage {number + 1} ") for note in notes)


def _after(number: int, stages: tuple[Stage, ...]) -> str:
    follows = stages[number + 1] if number + 1 < len(stages) else None
    unfreezes = follows is not None and follows.first_group < stages[number].first_group
    return f"After stage {number + 1}, before unfreezing" if unfreezes else f"After stage {number + 1}"
