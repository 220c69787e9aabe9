"""A stage that has the finder choose its rate: a learner and a stage in, a range test and the rate it gives out."""

from __future__ import annotations

from collections.abc import Generator

from core.data.table import Dataset
from core.settings import Stage, TrainSettings
from core.train.events import Event, RateFound
from core.train.lr_finder import range_test
from core.train.steps import Learner

# fewer and smaller steps than on the finder's own page: all layers learn, and on a CPU a step takes a second
STEPS, FIRST, LAST, BATCH = 40, 1e-6, 0.1, 16


def find_rates(
    dataset: Dataset, settings: TrainSettings, learner: Learner, stage: Stage, number: int
) -> Generator[Event, None, RateFound]:
    """Run a range test on the weights as they are; they are the same afterwards.

    For a stage that trains layers of the body the answer is the low end of its spread; for one that trains the head
    alone it is the rate itself. Where the curve has no answer the stage keeps its own.
    """
    found = range_test(
        dataset, settings, learner, frozen=stage.frozen, start=FIRST, end=LAST, steps=STEPS, stop=learner.library.stop
    )
    answer = found.suggestions["recommended"]
    curve = {"lrs": found.lrs, "losses": found.losses, "losses_smooth": found.losses_smooth}
    if stage.frozen:
        return RateFound(0, number, None, answer.lr or stage.lr_max, answer.why, **curve)
    return RateFound(0, number, answer.lr, stage.lr_max, answer.why, **curve)
    yield
