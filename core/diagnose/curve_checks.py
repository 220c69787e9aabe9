"""The verdict on a training log: a table of epochs in, findings in words out; the first one is the verdict.

`LADDER` asks its checks in order. Each judges the measurements of `curves.measure` and, where it fires, advises.
A new check is one function with `@LADDER.add` above it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from core.diagnose.base import Finding, Ladder
from core.diagnose.curves import Curves, Series, measure, rising_score
from core.diagnose.words import after_finder, counts, errors, faster, sentence, slower, went

LADDER: Ladder[Curves] = Ladder()
ENDINGS = ("too_few_epochs", "healthy", "cant_tell")

ABSURD = 3.0  # times the loss of knowing nothing
RATE_HIGH, RATE_LOW, RATE_FITS = 3.0, 0.1, 0.5  # rate over suggested rate
CREEP = 0.025  # a training loss that falls by less per epoch only creeps
CLIMB, CLIMB_NATS = 0.10, 0.02  # validation loss above its lowest by this share, and by this much at least
CLIMB_EPOCHS = 3
STILL_FALLING = 0.05  # validation loss that falls by more in the last epoch has not arrived


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
        verdict, *others = LADDER.climb(seen)
    if verdict.kind == "lr_too_high":
        return [verdict]  # what a ruined curve does afterwards means nothing
    return [verdict, *(other for other in others if other.kind not in (*ENDINGS, verdict.kind))]


# ---------------------------------------------------------------- the rate is too high


@LADDER.add
def diverged(seen: Curves) -> Finding | None:
    """The loss is no number, absurdly large, or back at the level of knowing nothing after the model had learned."""
    evidence = _not_a_number(seen) or _absurd(seen) or _collapsed(seen) or _exploded_in_batches(seen)
    if evidence is None:
        return None
    return Finding(
        "lr_too_high",
        "bad",
        "The learning rate is too high",
        sentence(evidence, errors(seen), after_finder(seen)),
        "Each step jumped right across the valley and landed higher up on the other side, until the weights were "
        "ruined. More training cannot bring them back.",
        slower(seen),
        _bad_rows(seen),
    )


def _not_a_number(seen: Curves) -> str | None:
    if seen.broken is None:
        return None
    if seen.broken == 0:
        return "The loss stopped being a number in the first epoch."
    return f"The loss stopped being a number after {counts(seen.broken, 'epoch')}."


def _absurd(seen: Curves) -> str | None:
    loss = seen.valid or seen.train
    level = ABSURD * seen.high_loss
    if loss is None or loss.last <= level:
        return None
    if seen.train is not None and seen.train.last < 0.7 * seen.chance_loss and loss.last < 30 * level:
        return None  # it fits its training pictures: sure of its mistakes, but not ruined
    name = "Validation" if seen.valid else "Training"
    return f"{name} loss is {loss.last:.3g}, where knowing nothing costs {seen.chance_loss:.2f}."


def _collapsed(seen: Curves) -> str | None:
    train, error = seen.train, seen.error
    if train is None or error is None or train.last < max(1.5 * min(train.values), 0.8 * seen.chance_loss):
        return None
    if error.last < 0.8 * seen.chance_error or min(error.values) > 0.5 * seen.chance_error:
        return None
    return f"The model had learned, and lost it: training loss rose from {min(train.values):.3g} to {train.last:.3g}."


def _exploded_in_batches(seen: Curves) -> str | None:
    steps = seen.batches
    if steps is None or len(steps.values) < 8 or seen.epochs > 1:
        return None
    late, best = steps.mean_of_last(4), min(np.convolve(steps.values, np.ones(4) / 4, "valid"))
    if late <= max(4 * best, 1.5 * seen.chance_loss):
        return None
    return f"Within the epoch the loss of the batches rose from {best:.3g} to {late:.3g}."


def _bad_rows(seen: Curves) -> tuple[int, ...]:
    """From the first row that is worse than knowing nothing by far, or broken, to the end."""
    level = ABSURD * seen.chance_loss
    loss = seen.valid or seen.train
    first = seen.epochs - 1 if loss is None else loss.rows[-1]
    if loss is not None:
        for value, row in zip(reversed(loss.values), reversed(loss.rows), strict=True):
            if value <= level:
                break
            first = row
    return tuple(range(max(0, min(first, seen.epochs if seen.broken is None else seen.broken)), seen.epochs))


@LADDER.add
def too_high_but_alive(seen: Curves) -> Finding | None:
    """The losses are numbers but leap up and down, or the model knows nothing at a rate far above the suggested."""
    ratio, valid = seen.lr_ratio, seen.valid
    if valid is None or (ratio is not None and ratio < 1):
        return None
    leaps = _leaps(valid, at_least=0.1 * seen.high_loss)
    shaky = valid.jitter > 0.2 * seen.high_loss and valid.last > 0.5 * seen.chance_loss
    if shaky or (len(valid.values) >= 4 and len(leaps) >= (len(valid.values) - 1) / 3):
        evidence = f"Validation loss leaps up and down between {min(valid.values):.3g} and {max(valid.values):.3g}."
    elif _knows_nothing(seen, valid, given_away_by_rate=ratio is not None and ratio > RATE_HIGH):
        evidence = f"Validation loss is {valid.last:.3g}, where knowing nothing costs {seen.chance_loss:.2f}."
    else:
        return None
    return Finding(
        "lr_too_high",
        "bad",
        "The learning rate is too high",
        sentence(evidence, errors(seen), after_finder(seen)),
        "The steps are longer than the valley is wide, so the model is thrown from one side to the other.",
        slower(seen),
        leaps or valid.rows,
    )


def _knows_nothing(seen: Curves, valid: Series, *, given_away_by_rate: bool) -> bool:
    at_chance = seen.error is not None and seen.error.last >= 0.9 * seen.chance_error
    if given_away_by_rate:
        return at_chance or valid.last > 1.5 * seen.chance_loss
    stuck = len(valid.values) >= 2 and valid.fall < 0.1
    fits = seen.train is not None and seen.train.last < 1.2 * seen.high_loss
    return stuck and not fits and valid.last > 1.5 * seen.high_loss


def _leaps(series: Series, *, at_least: float) -> tuple[int, ...]:
    """Rows at which the curve turns, with a large step before and after."""
    steps = np.diff(series.values)
    large = np.abs(steps) > np.maximum(at_least, 0.15 * np.minimum(series.values[:-1], series.values[1:]))
    turns = (np.sign(steps[:-1]) != np.sign(steps[1:])) & large[:-1] & large[1:]
    return tuple(series.rows[i + 1] for i in np.flatnonzero(turns))


# ---------------------------------------------------------------- the rate is too low


@LADDER.add
def too_low(seen: Curves) -> Finding | None:
    """The losses creep and little was learned; a rate far below the suggested one settles it sooner."""
    loss = seen.train or seen.valid
    if loss is None or not (_far_below_finder(seen, loss) or _creeping(seen, loss)):
        return None
    name = "Training loss" if seen.train else "Validation loss"
    return Finding(
        "lr_too_low",
        "warning",
        "The learning rate is too low",
        sentence(went(name, loss), errors(seen), after_finder(seen)),
        "The steps point the right way but are tiny, so the model hardly moves however long you wait.",
        faster(seen),
        loss.rows,
    )


def _far_below_finder(seen: Curves, loss: Series) -> bool:
    if seen.lr_ratio is None or seen.lr_ratio > RATE_LOW:
        return False
    unlearned = seen.error is None or seen.error.last > 0.3 * seen.chance_error
    return unlearned and loss.last > 0.5 * seen.chance_loss and loss.last_fall < 0.2


def _creeping(seen: Curves, loss: Series) -> bool:
    if len(loss.values) < 3 or (seen.lr_ratio is not None and seen.lr_ratio >= RATE_FITS):
        return False
    error = seen.error
    unlearned = error is None or error.last > 0.5 * max(error.first, seen.chance_error)
    slow = -0.1 < loss.fall < CREEP * (len(loss.values) - 1)
    slow &= loss.steady or max(loss.values) < 1.25 * min(loss.values)
    slow &= loss.steady or seen.valid is None or seen.valid.fall < 0.25
    return unlearned and slow and loss.last > (0.5 if loss.steady else 0.8) * seen.chance_loss


# ---------------------------------------------------------------- too long


@LADDER.add
def overfit(seen: Curves) -> Finding | None:
    """The error rate got worse by more than noise; or, earlier, validation loss climbs while training loss falls."""
    worse, climbing = _error_worse(seen), _climbing(seen)
    best = worse if climbing is None else climbing
    if best is None:
        return None
    price = (
        "On new pictures it grows too sure of its mistakes; the error rate has not followed yet."
        if worse is None
        else "New pictures pay for it: the error rate is worse than it was, by more than luck explains."
    )
    return Finding(
        "overfit",
        "warning" if worse is None else "bad",
        "Too many epochs: the model grows too sure" if worse is None else "Too many epochs: it overfits",
        sentence(_parting(seen, best), errors(seen, through=best)),
        f"It has begun to learn its training pictures by heart instead of what they have in common. {price}",
        _shorter(best, followed=worse is not None),
        tuple(range(min(best + 1, seen.epochs - 1), seen.epochs)),
    )


def _shorter(best: int, *, followed: bool) -> str:
    if followed:
        return f"Train again for {counts(best + 1, 'epoch')}; with augmentation or more pictures it may run longer."
    return (
        f"Train again with augmentation, weight decay or more pictures; without them, {counts(best + 1, 'epoch')} is "
        "where it was least sure of its mistakes."
    )


def _error_worse(seen: Curves) -> int | None:
    """The row of the best error rates, if the last ones are worse by more than noise. Means, so that luck evens out."""
    error, valid = seen.error, seen.valid
    if error is None or len(error.values) < 4:
        return None
    width = min(3, max(2, len(error.values) // 3))
    means = _means(error, width)
    best, late = int(means[:-width].argmin()), float(means[-1])
    gap = late - float(means[best])
    noise = max(seen.noise((late + float(means[best])) / 2), 2.5 * error.jitter)
    confirmed = valid is None or valid.mean_of_last(width) > 1.03 * min(_means(valid, width))
    if gap <= noise or error.last - means[best] <= noise / 2 or not confirmed:
        return None
    row = error.rows[best + width - 1]
    return row if _keeps_falling(seen.train, row) else None


def _means(series: Series, width: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.convolve(series.values, np.ones(width) / width, "valid")


def _climbing(seen: Curves) -> int | None:
    """The row of the lowest validation loss, if it has climbed for several epochs since, by more than it jitters."""
    valid = seen.valid
    if valid is None or len(valid.values) - 1 - valid.low < CLIMB_EPOCHS:
        return None
    since = valid.values[valid.low :]
    climb = float(np.median(since[-CLIMB_EPOCHS:])) - since[0]
    if climb < max(CLIMB * since[0], CLIMB_NATS, 3 * valid.jitter):
        return None
    if rising_score(since) < (2.0 if len(since) <= 5 else 2.4):
        return None
    return valid.rows[valid.low] if _keeps_falling(seen.train, valid.rows[valid.low]) else None


def _keeps_falling(train: Series | None, row: int) -> bool:
    """Whether training loss ends below what it was at `row`; true where no training loss was logged."""
    before = None if train is None else train.until(row)
    return train is None or before is None or train.mean_of_last(2) < before


def _parting(seen: Curves, best: int) -> str:
    valid, train = seen.valid, seen.train
    if valid is None or valid.until(best) is None:
        return ""
    text = f"Since epoch {best + 1} validation loss went from {valid.until(best):.3g} to {valid.last:.3g}"
    before = None if train is None else train.until(best)
    return (
        f"{text}."
        if train is None or before is None
        else f"{text}, training loss from {before:.3g} to {train.last:.3g}."
    )


# ---------------------------------------------------------------- too short


@LADDER.add
def too_few(seen: Curves) -> Finding | None:
    """Still improving fast when it stopped, or one epoch that left the model close to guessing."""
    if not (_one_poor_epoch(seen) or _still_falling(seen) or _on_its_way(seen)):
        return None
    loss = seen.valid or seen.train
    return Finding(
        "too_few_epochs",
        "warning",
        "Too few epochs",
        sentence(
            "" if loss is None else went("Validation loss" if seen.valid else "Training loss", loss), errors(seen)
        ),
        "The model was still on its way when training ended."
        if seen.epochs > 1
        else "It has seen each picture once, and that is not enough to tell the classes apart.",
        f"Train for {max(4, 2 * seen.epochs)} epochs.",
        tuple(range(max(0, seen.epochs - 2), seen.epochs)),
    )


def _one_poor_epoch(seen: Curves) -> bool:
    loss = seen.valid or seen.train
    if seen.epochs != 1 or loss is None:
        return False
    if seen.error is None:
        return loss.last > 0.75 * seen.chance_loss
    poor = seen.error.last > 0.5 * seen.chance_error
    return poor or (seen.error.last > 0.25 * seen.chance_error and _batches_fall(seen.batches))


def _batches_fall(steps: Series | None) -> bool:
    """Whether the last quarter of the batches costs a tenth less than the quarter before it."""
    if steps is None or len(steps.values) < 8:
        return False
    quarter = len(steps.values) // 4
    before = float(np.mean(steps.values[-2 * quarter : -quarter]))
    return steps.mean_of_last(quarter) < 0.9 * before


def _still_falling(seen: Curves) -> bool:
    valid, error, train = seen.valid, seen.error, seen.train
    if valid is None or len(valid.values) < 2:
        return False
    fell = valid.values[-2] - valid.last
    if valid.last_fall <= STILL_FALLING or fell < max(CLIMB_NATS, 1.5 * valid.jitter):
        return False
    if train is not None and len(train.values) > 1 and train.last >= train.values[-2]:
        return False
    if error is None or len(error.values) < 2:
        return True
    back = error.values[max(0, len(error.values) - 3)]
    return error.last > 0.35 * seen.chance_error or back - error.last > seen.noise((back + error.last) / 2)


def _on_its_way(seen: Curves) -> bool:
    """Most is still wrong, but it has improved all along and was at its best when it stopped."""
    valid, error = seen.valid, seen.error
    if valid is None or error is None or len(valid.values) < 2 or error.last < 0.6 * seen.chance_error:
        return False
    best_at_end = valid.low >= len(valid.values) - 2
    return best_at_end and valid.fall > 0.1 and _keeps_falling(seen.train, valid.rows[0])


# ---------------------------------------------------------------- endings


@LADDER.add
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
        "Nothing to repair. Look at the pictures it gets most wrong, or go on to the next stage of the recipe.",
        tuple(range(seen.epochs)),
    )


def _learned(seen: Curves) -> bool:
    error, valid = seen.error, seen.valid
    if error is not None:
        sane = valid is None or valid.last < 1.3 * seen.chance_loss or valid.fall > 0.2 or error.last < 0.25
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


@LADDER.add
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


@LADDER.add
def recovered(seen: Curves) -> Finding | None:
    """A remark after any verdict: the loss exploded for an epoch and came back."""
    valid = seen.valid
    if valid is None or len(valid.values) < 3:
        return None
    level = max(ABSURD * seen.chance_loss, 5 * valid.last)
    rows = tuple(row for value, row in zip(valid.values, valid.rows, strict=True) if value > level)
    if not rows:
        return None
    return Finding(
        "lr_too_high",
        "note",
        "It nearly went wrong",
        f"Validation loss jumped to {max(valid.values):.3g} in epoch {rows[0] + 1} and came back.",
        "The rate was at the edge of what this model bears. It recovered this time; another seed may not.",
        slower(seen, start="Next time start"),
        rows,
    )
