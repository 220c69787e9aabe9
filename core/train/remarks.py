"""What a run says about itself besides numbers: what happened in, events with a sentence out. All are in the student's
own numbers, and their `code` is stable.
"""

from __future__ import annotations

import math

from core.train.events import Diverged, EpochDone, Note
from core.train.lr_finder import lower_rate


def diverged(stage: int, epoch: int, step: int, loss: float, lr: float) -> Diverged:
    """The loss is not a number any more, or far too large: when, at which rate, and what to do."""
    what = "is not a number any more" if not math.isfinite(loss) else f"has grown to {loss:.0f}"
    text = (
        f"The loss {what} in epoch {epoch + 1}: a learning rate of {lr:g} is too high. "
        f"Start again at {lower_rate(lr):g}; weights that were thrown this far do not come back."
    )
    return Diverged(0, stage, epoch, step, loss, text)


def small_batch(pictures: int, batch: int, wanted: int | None) -> Note:
    """An epoch of few pictures has smaller batches than was asked for."""
    return Note(
        0,
        "small_batch",
        f"{pictures} training pictures: batches of {batch}, not {wanted}, so that an epoch takes several steps.",
    )


def half_batch(stage: int, batch: int) -> Note:
    """A stage (from 0) begins once more with batches of `batch` pictures."""
    return Note(
        0,
        "half_batch",
        f"Memory ran out in stage {stage + 1}, so it began again with batches of {batch} pictures, half as many. "
        "Each step sees fewer pictures now, and the curve is a little noisier.",
    )


def stopped_early(stage: int, epoch: int, epochs: int, best: EpochDone) -> Note:
    """A stage ended after `epoch` of `epochs`, because nothing had got better since `best`."""
    return Note(
        0,
        "stopped_early",
        f"Stage {stage + 1} ended after epoch {epoch + 1} of {epochs}: validation loss has not been lower than in "
        f"epoch {best.epoch + 1} for {epoch - best.epoch} epochs.",
    )


def kept_best(stage: int, best: EpochDone) -> Note:
    """A stage ends with the weights of its best epoch."""
    return Note(
        0,
        "kept_best",
        f"Stage {stage + 1} ends with the weights of its epoch {best.epoch + 1}, which had the lowest validation loss: "
        f"{best.valid_loss:.4f}, {best.wrong} of {best.of} wrong.",
    )


def goes_on_from(stage: int, wrong: int, of: int) -> Note:
    """A run begins with the weights of another one, as they were in its stage (from 0)."""
    return Note(
        0,
        "goes_on",
        f"This run goes on from a checkpoint of stage {stage + 1} of an earlier one, with {wrong} of {of} wrong.",
    )
