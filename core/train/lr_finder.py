"""The learning-rate finder: a model and its pictures in, a curve of losses over growing rates out.

The rules that read a curve are in core.train.finder_rules, what to do with it in core.train.finder_advice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import SettingsError
from core.settings import Stage, TrainSettings
from core.train.events import Progress, RatePoint
from core.train.finder_rules import RULES, Floats, Suggestion, say_rate, suggest
from core.train.schedules import PLAIN_MOMENTUM

if TYPE_CHECKING:  # reading a curve needs no torch: it is imported when a test is run
    from core.data.table import Dataset
    from core.train.steps import Learner

__all__ = [
    "RULES",
    "RangeTest",
    "Suggestion",
    "lower_rate",
    "lr_ladder",
    "range_test",
    "range_test_events",
    "smooth",
    "suggest",
]

FIRST, LAST, STEPS = 1e-7, 10.0, 100
STEPS_BETWEEN = 40  # of a test that a run makes before a stage
STOP_FACTOR = 4
USUAL_RATE = 3e-3
FINDER_STAGE = 2**31  # the finder shuffles by a stage number that no run reaches


@dataclass(frozen=True)
class RangeTest:
    """What a finder's run recorded, one value per batch. `steps`: batches planned; `stopped`: why it ended early."""

    lrs: tuple[float, ...]
    losses: tuple[float, ...]
    losses_smooth: tuple[float, ...]
    stopped: str | None = None
    steps: int = STEPS

    @property
    def suggestions(self) -> dict[str, Suggestion]:
        """Every rule's answer on the smoothed losses, and the recommended one."""
        return suggest(self.lrs, self.losses_smooth, steps=self.steps)


def lower_rate(lr: float) -> float:
    """Where to start again after a rate that ruined the weights: a tenth, and no more than what suits most heads."""
    return min(lr / 10, USUAL_RATE)


def lr_ladder(start: float = FIRST, end: float = LAST, steps: int = STEPS) -> Floats:
    """Rates that grow by one factor: `start * (end/start) ** (i/steps)`, i = 0..steps-1; `end` itself is not used."""
    if not (0 < start < end < math.inf and steps >= 1):
        raise SettingsError(
            f"The finder was asked to go from {start} to {end} in {steps} steps.",
            hint="The first rate must lie above 0, the last above the first, and there must be at least one step.",
        )
    return np.asarray(start * (end / start) ** (np.arange(steps) / steps), dtype=np.float64)


def smooth(losses: Iterable[float], beta: float = 0.98) -> Floats:
    """Exponential mean, divided by the weight it has gathered so far, so that it starts at the first loss itself."""
    if not 0 <= beta < 1:
        raise SettingsError(f"The smoothing is {beta}; it must lie between 0 and 1.", hint="0.98 is the usual value.")
    mean, means = 0.0, []
    for count, loss in enumerate(losses, start=1):
        mean = beta * mean + (1 - beta) * loss
        means.append(mean / (1 - beta**count))
    return np.array(means, dtype=np.float64)


def range_test(
    dataset: Dataset,
    settings: TrainSettings,
    learner: Learner,
    *,
    frozen: bool = True,
    stage: Stage | None = None,
    start: float = FIRST,
    end: float = LAST,
    steps: int = STEPS,
    stop: Callable[[], bool] = lambda: False,
) -> RangeTest:
    """Train for at most `steps` batches with a rate that grows from `start` to `end`, and record every loss.

    `stage` says which layers learn and how, its batch size how many pictures a step sees; without one the head learns
    alone, or with `frozen=False` everything. Ends early at 4 times the best smoothed loss, at a loss that is not a
    number, or when `stop` says so. Weights, dropout's random state and the learner's running mean are as before it; the
    optimiser is its own. The idea is Smith's, arXiv:1506.01186.
    """
    asked = stage or Stage(freeze_to=-1 if frozen else 0)
    test = range_test_events(dataset, settings, learner, stage=asked, start=start, end=end, steps=steps, stop=stop)
    while True:
        try:
            next(test)
        except StopIteration as over:
            found: RangeTest = over.value
            return found


def range_test_events(
    dataset: Dataset,
    settings: TrainSettings,
    learner: Learner,
    *,
    stage: Stage,
    start: float = FIRST,
    end: float = LAST,
    steps: int = STEPS,
    calm: float = 0.0,
    stop: Callable[[], bool] = lambda: False,
) -> Generator[Progress | RatePoint, None, RangeTest]:
    """A range test as it happens: progress while pictures are prepared, then a point per batch; returns the whole.

    A smoothed loss below `calm` (nats) does not end it: where a model has learned already, one hard batch may be many
    times the best.
    """
    from core.train.steps import enter, kept_as_it_was, prepare

    ladder = lr_ladder(start, end, steps)
    points: list[RatePoint] = []
    why = None
    whole = settings.resolve(stage)
    with kept_as_it_was(learner):
        enter(learner, whole)
        yield from prepare(learner, whole, dataset)
        for point in _climb(learner, whole, ladder, stop):
            points.append(point)
            yield point
            why = _ended(points, calm)
            if why:
                break
    if not why and len(points) < len(ladder):
        why = "It was stopped."
    return RangeTest(
        tuple(point.lr for point in points),
        tuple(point.loss for point in points),
        tuple(point.loss_smooth for point in points),
        why,
        len(ladder),
    )


def _climb(learner: Learner, stage: Stage, ladder: Floats, stop: Callable[[], bool]) -> Iterator[RatePoint]:
    """One batch a rate: its loss is handed out before the step that it leads to is taken."""
    from core.train.optim import make_optimiser, set_rates
    from core.train.steps import batch_loss
    from core.vision.model import set_training

    optimiser = make_optimiser(learner.model, weight_decay=stage.weight_decay or 0.0)
    set_training(learner.model, True)
    learner.restart()
    for step, (lr, (rows, changes)) in enumerate(zip(ladder, _endless_batches(learner, stage), strict=False)):
        if stop():
            return
        set_rates(optimiser, [float(lr)] * len(learner.model.groups()), PLAIN_MOMENTUM)
        loss = batch_loss(learner, stage, rows, changes)
        value = float(loss.detach())
        yield RatePoint(0, step, float(lr), value, learner.record_loss(value))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()


def _ended(points: list[RatePoint], calm: float) -> str | None:
    """Why a test ends after its latest point; None: it goes on."""
    last = points[-1]
    if not math.isfinite(last.loss):
        return f"The loss is not a number any more at a rate of {say_rate(last.lr)}."
    if last.loss_smooth > max(calm, STOP_FACTOR * min(point.loss_smooth for point in points)):
        return f"The loss has grown to {STOP_FACTOR} times its best at a rate of {say_rate(last.lr)}."
    return None


def _endless_batches(learner: Learner, stage: Stage) -> Iterator[tuple[Any, Any]]:
    """Batches of one shuffled pass after another; small sets need many passes for 100 steps."""
    from core.train.steps import plan_epoch

    for epoch in itertools.count():
        plan = plan_epoch(learner, FINDER_STAGE, epoch, stage)
        for rows in plan.batches:
            yield rows, plan.changes
