"""The learning-rate finder: a model and its pictures in, a curve of losses over growing rates out.

The rules that read a curve are in core.train.finder_rules, what to do with it in core.train.finder_advice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from core.errors import SettingsError
from core.settings import Stage, TrainSettings
from core.train.finder_rules import RULES, Floats, Suggestion, suggest
from core.train.schedules import PLAIN_MOMENTUM

if TYPE_CHECKING:  # reading a curve needs no torch: it is imported when a test is run
    from core.data.table import Dataset
    from core.train.steps import Learner

__all__ = ["RULES", "RangeTest", "Suggestion", "lower_rate", "lr_ladder", "range_test", "smooth", "suggest"]

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
    steps: int = 100

    @property
    def suggestions(self) -> dict[str, Suggestion]:
        """Every rule's answer on the smoothed losses, and the recommended one."""
        return suggest(self.lrs, self.losses_smooth, steps=self.steps)


def lower_rate(lr: float) -> float:
    """Where to start again after a rate that ruined the weights: a tenth, and no more than what suits most heads."""
    return min(lr / 10, USUAL_RATE)


def lr_ladder(start: float = 1e-7, end: float = 10.0, steps: int = 100) -> Floats:
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
    start: float = 1e-7,
    end: float = 10.0,
    steps: int = 100,
    stop: Callable[[], bool] = lambda: False,
) -> RangeTest:
    """Train for at most `steps` batches with a rate that grows from `start` to `end`, and record every loss.

    Ends early at 4 times the best smoothed loss, at a loss that is not a number, or when `stop` says so. Weights,
    dropout's random state and the learner's running mean are as before it; the optimiser is its own. The idea is
    Smith's, arXiv:1506.01186.
    """
    from core.train.steps import enter, kept_as_it_was, prepare

    stage = settings.resolve(Stage(freeze_to=-1 if frozen else 0))
    with kept_as_it_was(learner):
        enter(learner, stage)
        for _ in prepare(learner, stage, dataset):
            pass
        return _climb(learner, settings, stage, lr_ladder(start, end, steps), stop)


def _climb(
    learner: Learner, settings: TrainSettings, stage: Stage, ladder: Floats, stop: Callable[[], bool]
) -> RangeTest:
    from core.train.optim import make_optimiser, set_rates
    from core.train.steps import batch_loss
    from core.vision.model import set_training

    optimiser = make_optimiser(learner.model, weight_decay=stage.weight_decay or 0.0)
    losses: list[float] = []
    smoothed: list[float] = []
    why: str | None = None
    set_training(learner.model, True)
    learner.restart()
    for lr, (rows, changes) in zip(ladder, _endless_batches(learner, stage), strict=False):
        if stop():
            why = "It was stopped."
            break
        set_rates(optimiser, [float(lr)] * len(learner.model.groups()), PLAIN_MOMENTUM)
        loss = batch_loss(learner, stage, rows, changes)
        losses.append(float(loss.detach()))
        smoothed.append(learner.record_loss(losses[-1]))
        if not math.isfinite(losses[-1]):
            why = f"The loss is not a number any more at a rate of {lr:.1e}."
            break
        if smoothed[-1] > STOP_FACTOR * min(smoothed):
            why = f"The loss has grown to {STOP_FACTOR} times its best at a rate of {lr:.1e}."
            break
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
    rates = tuple(float(lr) for lr in ladder[: len(losses)])
    return RangeTest(rates, tuple(losses), tuple(smoothed), why, len(ladder))


def _endless_batches(learner: Learner, stage: Stage) -> Iterator[tuple[Any, Any]]:
    """Batches of one shuffled pass after another; small sets need many passes for 100 steps."""
    from core.train.steps import plan_epoch

    for epoch in itertools.count():
        plan = plan_epoch(learner, FINDER_STAGE, epoch, stage)
        for rows in plan.batches:
            yield rows, plan.changes
