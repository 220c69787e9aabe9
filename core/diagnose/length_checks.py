"""Checks of the training time: measurements of a training log in, a finding in words or None out."""

from __future__ import annotations

from typing import Any

import numpy as np

from core.diagnose.base import Finding
from core.diagnose.curves import Curves, Series, rising_score
from core.diagnose.words import counts, errors, sentence, went

CLIMB, CLIMB_NATS = 0.10, 0.02  # validation loss above its lowest by this share, and by this much at least
CLIMB_EPOCHS = 3
BY_HEART = 0.1  # of the loss of knowing nothing
LONG_LOG = 12  # epochs from which on a level can be told from a trend
STILL_FALLING = 0.08  # validation loss that falls by more in the last epoch has not arrived


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
    return row if _keeps_falling(seen, row) else None


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
    if rising_score(since) < (2.0 if len(since) <= 5 else 2.4) and not _stays_above(valid):
        return None
    return valid.rows[valid.low] if _keeps_falling(seen, valid.rows[valid.low]) else None


def _stays_above(valid: Series) -> bool:
    """Whether the last third of a long series lies clearly above its lowest stretch, although it does not rise on."""
    count = len(valid.values)
    if count < LONG_LOG:
        return False
    lowest = float(_means(valid, 3).min())
    late = valid.values[-(count // 3) :]
    return float(np.mean(late)) > (1 + CLIMB) * lowest and min(late) > lowest


def _keeps_falling(seen: Curves, row: int) -> bool:
    """Whether training loss ends below what it was at `row`, or so low that the training pictures are known by heart.

    The middle one of its last values counts, as single batches leap; true where no training loss was logged.
    """
    train = seen.train
    before = None if train is None else train.until(row)
    if train is None or before is None:
        return True
    late = float(np.median(train.values[-max(1, min(5, len(train.values) // 4)) :]))
    return late < max(before, BY_HEART * seen.chance_loss)


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


def too_few(seen: Curves) -> Finding | None:
    """Still improving fast when it stopped, or one epoch that left the model close to guessing."""
    if not (_one_poor_epoch(seen) or _still_falling(seen) or _on_its_way(seen) or _in_full_swing(seen)):
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
    poor = seen.error.last > 0.4 * seen.chance_error
    return poor or (seen.error.last > 0.25 * seen.chance_error and _not_level(seen.batches))


def _in_full_swing(seen: Curves) -> bool:
    """Two or three epochs, the last of which still took a fifth off the training loss, and much is wrong yet."""
    train, error = seen.train, seen.error
    if train is None or error is None or not 2 <= len(train.values) <= 3:
        return False
    return train.last_fall > 0.2 and error.last > 0.4 * seen.chance_error


def _not_level(steps: Series | None) -> bool:
    """Whether the last quarter of the batches costs a tenth less than the one before; few batches are never level."""
    if steps is None:
        return False
    if len(steps.values) < 8:
        return True
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
    return error.last > 0.35 * seen.high_error or back - error.last > seen.noise((back + error.last) / 2)


def _on_its_way(seen: Curves) -> bool:
    """Most is still wrong, but it has improved all along and was at its best when it stopped."""
    valid, error = seen.valid, seen.error
    if valid is None or error is None or len(valid.values) < 2 or error.last < 0.6 * seen.chance_error:
        return False
    best_at_end = valid.low >= len(valid.values) - 2
    return best_at_end and valid.fall > 0.1 and _keeps_falling(seen, valid.rows[0])
