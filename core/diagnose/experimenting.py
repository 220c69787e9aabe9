"""Experiments about data as they are done: a data set and settings in; progress, points and their sentences out.

Every point is one real training by the one training loop. Its seed also decides how the training begins and in which
order it sees its pictures, so that what the seeds spread over is all that chance decides.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from dataclasses import replace

import pandas as pd

from core.data.events import Progress, Reported
from core.data.table import Dataset, items_to_csv, load_dataset, read_items
from core.diagnose.experiment_words import summary
from core.diagnose.experiments import BALANCE_OF, EXPERIMENTS, Changed, Experiment, Setup
from core.errors import SettingsError
from core.settings import TrainSettings, from_record
from core.train.checkpoint import Checkpoint
from core.train.events import EpochDone, Event, Finished, Note, Started
from core.train.experiment_point import ExperimentPoint
from core.train.learner import fit
from core.train.runs import Run, Stop, history
from core.train.source import Stopped, scores
from core.train.steps import begin, enter, prepare
from core.vision.model import set_training
from core.workspace import write_atomic

PHASE = "experiment"
_LAST = "last"

Point = Progress | ExperimentPoint | Note


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Do the experiment of a run's request {dataset, dataset_name, experiment, settings}.

    Points that an interrupted run has are not done again; the others learn from the table that it began with.
    SettingsError for an experiment that does not exist, or settings of anything but one stage with a frozen body.
    """
    experiment = experiment_named(run.request["experiment"])
    settings = from_record(run.request["settings"])
    dataset = load_dataset(run.workspace, run.request["dataset"])
    pinned = run.path / "items.csv"
    if not pinned.exists():
        write_atomic(pinned, items_to_csv(dataset.kept()))
    points: list[ExperimentPoint] = history(run).all(ExperimentPoint.kind)
    total = len(experiment.setups)
    yield Progress(0, PHASE, len(points), total)
    for event in points_of(dataset, settings, experiment, items=read_items(pinned), done=points, stop=stop):
        yield event
        if isinstance(event, ExperimentPoint):
            points.append(event)
            yield Progress(0, PHASE, len(points), total)
    if not stop():
        yield Reported(0, PHASE, {"points": len(points), "of": total}, tuple(summary(experiment.name, points)))


def experiment_named(name: str) -> Experiment:
    """One of EXPERIMENTS; SettingsError for a name that is none of theirs."""
    if name not in EXPERIMENTS:
        raise SettingsError(
            f"There is no experiment called {str(name)[:40]!r}.", hint=f"There are {', '.join(EXPERIMENTS)}."
        )
    return EXPERIMENTS[name]


def points_of(
    dataset: Dataset,
    settings: TrainSettings,
    experiment: Experiment,
    *,
    items: pd.DataFrame | None = None,
    done: Collection[ExperimentPoint] = (),
    stop: Stop = lambda: False,
) -> Iterator[Point]:
    """The points of an experiment that are not `done`, one real training after the other.

    Between them comes progress of activations that had to be computed, and a note for a training that broke off and
    has no point. `items` are the rows to learn from and to be examined on (those that the data set keeps when left
    out). Settings have one stage with a frozen body and no changes to its pictures; their seed, balance and share of
    the training pictures are the experiment's, and every training does all of its epochs. Ends early, without a point
    for what was going on, on `stop`.
    """
    check_settings(settings)
    table = (dataset.kept() if items is None else items).reset_index(drop=True)
    there = {(point.group, point.value, point.seed) for point in done}
    for setup in experiment.setups:
        if (setup.group, setup.value, setup.seed) in there:
            continue
        if stop():
            return
        try:
            changed = experiment.change(table, setup)
            yield from _point(dataset, _settings_for(settings, setup, changed.share), changed, setup, stop)
        except Stopped:
            return


def check_settings(settings: TrainSettings) -> None:
    """Raise SettingsError unless an experiment can be made with these settings: one stage on kept activations."""
    stage = settings.stages[0]
    if len(settings.stages) > 1 or not stage.cached or stage.data != "all":
        raise SettingsError(
            "An experiment trains many times, so it needs one stage that trains the head alone, on all pictures and "
            "without changing them.",
            hint="Choose one stage with everything but the head frozen, without augmentation and without mixup.",
        )


def _settings_for(settings: TrainSettings, setup: Setup, share: float) -> TrainSettings:
    stage = replace(settings.stages[0], balance=BALANCE_OF.get(setup.group, "none"))
    return replace(settings, stages=(stage,), seed=setup.seed, train_share=share, keep_best=False, patience=0)


def _point(
    dataset: Dataset, settings: TrainSettings, changed: Changed, setup: Setup, stop: Stop
) -> Generator[Point, None, None]:
    """One training. With a thinned class its last checkpoint sits the exam once more, for the answers one by one."""
    kept: dict[str, Checkpoint] = {}

    def save(checkpoint: Checkpoint, best: bool) -> str:
        kept[_LAST] = checkpoint
        return _LAST

    thin = setup.group in BALANCE_OF
    last: EpochDone | None = None
    train, outcome = 0, ""
    for event in fit(dataset, settings, items=changed.items, stop=stop, save=save if thin else None):
        if isinstance(event, Progress):
            yield event
        elif isinstance(event, Started):
            train = event.train
        elif isinstance(event, EpochDone):
            last = event
        elif isinstance(event, Finished):
            outcome = event.state
    if outcome == "stopped":
        raise Stopped
    if outcome != "done" or last is None:
        yield _broke_off(setup)
        return
    recall, thin_of = _recall(dataset, settings, changed, kept[_LAST], stop) if thin else (None, 0)
    yield ExperimentPoint(
        seq=0,
        group=setup.group,
        value=setup.value,
        seed=setup.seed,
        wrong=last.wrong,
        of=last.of,
        error_rate=last.error_rate,
        valid_loss=last.valid_loss,
        thin_recall=recall,
        train=train,
        changed=changed.changed,
        classes=changed.classes,
        thin_of=thin_of,
    )


def _broke_off(setup: Setup) -> Note:
    return Note(
        0,
        "experiment_broke_off",
        f"The training of the group “{setup.group}” at {100 * setup.value:g} % with seed {setup.seed} broke off, as "
        "its loss grew beyond all bounds. It has no point; try a lower rate.",
    )


def _recall(
    dataset: Dataset, settings: TrainSettings, changed: Changed, trained: Checkpoint, stop: Stop
) -> tuple[float, int]:
    """The share (0..1) of the thinned class's validation pictures that a checkpoint recognises, and how many they are.

    They are asked about as in the exam of the training loop, on the activations that the training has kept.
    """
    stage = settings.resolved[0]
    learner = begin(dataset, settings, items=changed.items, start=trained, stop=stop)
    enter(learner, stage)
    for _ in prepare(learner, stage, dataset):
        pass
    valid, number = learner.source.valid, learner.model.classes.index(changed.classes[0])
    own = (valid.labels == number).nonzero().flatten()
    set_training(learner.model, False)
    answers = scores(learner.model, valid, own, learner.device, use_features=True).argmax(1)
    return int((answers == number).sum()) / len(own), len(own)
