"""The verdict on a training log: a table of epochs in, findings in words out; the first one is the verdict.

`LADDER` holds the checks in the order in which they are asked. Each judges the measurements of `curves.measure` and,
where it fires, advises. A new check is one function and one line in `LADDER`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from core.diagnose.base import Check, Finding, climb
from core.diagnose.curves import Curves, measure
from core.diagnose.length_checks import overfit, too_few
from core.diagnose.rate_checks import diverged, recovered, too_high_but_alive, too_low
from core.diagnose.words import errors, sentence, went

ENDINGS = ("too_few_epochs", "healthy", "cant_tell")


def diagnose(
    epochs: Any,
    *,
    lr: Any = None,
    suggested_lr: Any = None,
    classes: Any = None,
    n_valid: Any = None,
    batches: Any = None,
) -> list[Finding]:
    """What went wrong, if anything. Never raises and never returns an empty list.

    Parameters
    ----------
    epochs : table
        One row per epoch and any of train_loss, valid_loss, error_rate, accuracy, wrong, of; other tools' names
        (loss, val_loss, val_accuracy) are understood. Cells may be missing, NaN, infinite or text.
    lr, suggested_lr : float, optional
        The highest rate of the run, and what the finder suggested.
    classes, n_valid : int, optional
        Number of classes and of validation pictures; read off the error rates when left out.
    batches : table, optional
        The `loss` of each batch: all there is to judge a run of less than two epochs by.

    Returns
    -------
    list of Finding
        The verdict, of kind lr_too_high, lr_too_low, too_few_epochs, overfit, healthy or cant_tell, and after it what
        else was seen. `Finding.epochs` are rows of the table, from 0.

    """
    with np.errstate(all="ignore"):
        seen = measure(epochs, lr=lr, suggested_lr=suggested_lr, classes=classes, n_valid=n_valid, batches=batches)
        verdict, *others = climb(LADDER, seen)
    if verdict.kind == "lr_too_high":
        return [verdict]  # what a ruined curve does afterwards means nothing
    return [verdict, *(other for other in others if other.kind not in (*ENDINGS, verdict.kind))]


def healthy(seen: Curves) -> Finding | None:
    """It has learned, and nothing above was found."""
    if seen.epochs < 2 or not _learned(seen):
        return None
    loss = seen.valid
    return Finding(
        "healthy",
        "good",
        "This looks healthy",
        sentence("" if loss is None else went("Validation loss", loss), errors(seen)),
        _above_or_below(seen),
        "Nothing to repair. Ask it about pictures of your own, or go on and train all its layers gently.",
        tuple(range(seen.epochs)),
    )


def _learned(seen: Curves) -> bool:
    error, valid = seen.error, seen.valid
    if error is not None:
        sane = valid is None or valid.last < 1.3 * seen.high_loss or valid.fall > 0.2 or error.last < 0.25
        return sane and len(error.values) > 1 and error.last < 0.75 * seen.chance_error
    return seen.valid is not None and len(seen.valid.values) > 1 and seen.valid.last < 0.8 * seen.chance_loss


def _above_or_below(seen: Curves) -> str:
    if seen.train is None or seen.valid is None:
        return "It has learned, and it neither stopped in the middle nor went on for too long."
    if seen.train.last > seen.valid.last:
        return (
            "Training loss above validation loss is normal here: dropout and augmentation make training pictures "
            "harder, and its mean reaches back to the start of the epoch."
        )
    return (
        "Training loss below validation loss is normal for a trained model. It would only matter if the error rate got "
        "worse or validation loss kept climbing."
    )


def cant_tell(seen: Curves) -> Finding:
    """Always fires: when no other check has an answer, say what is missing."""
    if seen.epochs == 0 or (seen.train is None and seen.valid is None and seen.error is None):
        why, fix = "There is no finished epoch with numbers to judge.", "Train for four epochs and look again."
    elif seen.valid is None and seen.error is None:
        why = "There are no validation numbers, and training loss alone cannot tell learning from learning by heart."
        fix = "Train again with a validation set."
    elif seen.epochs == 1:
        why = "One epoch is a point, not a curve: it does not say where things are heading."
        fix = "Train for four epochs, and you will see."
    else:
        why = "So far it is hardly better than guessing, and the curve does not say why."
        fix = "Ask the finder for a rate, and look at a batch of pictures with their labels."
    loss = seen.valid or seen.train
    evidence = sentence("" if loss is None else went("Validation loss" if seen.valid else "Training loss", loss))
    return Finding(
        "cant_tell",
        "note",
        "Too early to tell" if seen.epochs < 2 else "The curve alone does not tell",
        sentence(evidence, errors(seen)) or "The log holds no numbers yet.",
        why,
        fix,
        tuple(range(seen.epochs)),
    )


LADDER: Mapping[str, Check[Curves]] = {
    "diverged": diverged,
    "too_high_but_alive": too_high_but_alive,
    "too_low": too_low,
    "overfit": overfit,
    "too_few": too_few,
    "healthy": healthy,
    "cant_tell": cant_tell,
    "recovered": recovered,
}
