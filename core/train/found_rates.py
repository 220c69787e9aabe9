"""A stage that has the finder choose its rate: a learner and a stage in, a range test and the rate it gives out."""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import replace

from core.data.table import Dataset
from core.settings import Stage, TrainSettings
from core.train.events import Event, RateFound
from core.train.finder_advice import slice_for
from core.train.lr_finder import STEPS_BETWEEN, range_test_events
from core.train.steps import Learner

# fewer and smaller steps than on the finder's own page: all layers learn, and on a CPU a step takes a second
FIRST, LAST, BATCH = 1e-6, 0.1, 16


def find_rates(
    dataset: Dataset, settings: TrainSettings, learner: Learner, stage: Stage, number: int
) -> Generator[Event, None, RateFound]:
    """Run a range test on the weights as they are; they are the same afterwards.

    For a stage that trains layers of the body the answer is the low end of its spread; for one that trains the head
    alone it is the rate itself. Where the curve has no answer the stage keeps its own.
    """
    smaller = min(BATCH, stage.batch_size or BATCH)
    tried = replace(stage, augment="none", mixup=0.0, batch_size=stage.batch_size if stage.frozen else smaller)
    found = yield from range_test_events(
        dataset,
        settings,
        learner,
        stage=tried,
        start=FIRST,
        end=LAST,
        steps=STEPS_BETWEEN,
        calm=math.log(len(learner.model.classes)),
        stop=learner.library.stop,
    )
    learner.library.check_stop()
    curve = {"lrs": found.lrs, "losses": found.losses, "losses_smooth": found.losses_smooth}
    if stage.frozen:
        answer = found.suggestions["recommended"]
        return RateFound(0, number, None, answer.lr or stage.lr_max, answer.why, **curve)
    ends = slice_for(found.lrs, found.losses_smooth, steps=found.steps, high=stage.lr_max)
    return RateFound(0, number, ends.low, ends.high, ends.why_low, **curve)
