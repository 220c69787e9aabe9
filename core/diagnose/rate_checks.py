"""Checks of the learning rate: measurements of a training log in, a finding in words or None out."""

from __future__ import annotations

import numpy as np

from core.diagnose.base import Finding
from core.diagnose.curves import ASSUMED_VALID, Curves, Series
from core.diagnose.words import after_finder, counts, errors, faster, sentence, slower, went

ABSURD = 3.0  # times the loss of knowing nothing
MIN_LEAPS = 2  # one jump at the peak of a one-cycle schedule is nothing unusual on a small validation set
RATE_HIGH, RATE_LOW, RATE_FITS = 3.0, 0.1, 0.5  # rate over suggested rate
RATE_FAR = 10.0  # the finder is careful: up to here most heads learn as well
NATS_PER_MISTAKE = 6.0  # a model that has just begun is not surer of its mistakes than this
FLAT = 0.25  # a training loss whose second half lies less below its first is flat
CREEP = 0.025  # a training loss that falls by less per epoch only creeps


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


def too_high_but_alive(seen: Curves) -> Finding | None:
    """The losses are numbers but leap up and down, or the model knows nothing at a rate far above the suggested."""
    ratio, valid = seen.lr_ratio, seen.valid
    if valid is None or (ratio is not None and ratio < 1):
        return None
    leaps = _leaps(valid, at_least=0.1 * seen.high_loss)
    shaky = valid.jitter > 0.2 * seen.high_loss and valid.last > 0.5 * seen.chance_loss and not _arrived(seen, valid)
    if shaky or len(leaps) >= max(MIN_LEAPS, (len(valid.values) - 1) / 3):
        evidence = f"Validation loss leaps up and down between {min(valid.values):.3g} and {max(valid.values):.3g}."
    elif _sure_of_mistakes(seen, valid):
        evidence = f"Validation loss never came below {min(valid.values):.3g}, however many it got right."
    elif _knows_nothing(seen, valid):
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


def _knows_nothing(seen: Curves, valid: Series) -> bool:
    at_chance = seen.error is not None and seen.error.last >= 0.9 * seen.chance_error
    learned = seen.train is not None and seen.train.last < 0.5 * seen.chance_loss
    if seen.lr_ratio is not None and seen.lr_ratio > RATE_HIGH:
        far = seen.lr_ratio >= RATE_FAR
        given_time = at_chance and (far or len(valid.values) >= 3)  # so early, knowing nothing yet is no fault
        return given_time or (valid.last > 1.5 * seen.chance_loss and not learned and far)
    stuck = len(valid.values) >= 2 and valid.fall < 0.1
    fits = seen.train is not None and seen.train.last < 1.2 * seen.high_loss
    return stuck and not fits and valid.last > 1.5 * seen.high_loss


def _arrived(seen: Curves, valid: Series) -> bool:
    """However it leapt on the way, it ended lower than ever, and most is right."""
    best = valid.last <= min(valid.values)
    return best and seen.error is not None and seen.error.last < 0.6 * seen.chance_error


def _sure_of_mistakes(seen: Curves, valid: Series) -> bool:
    """Each mistake costs more than a model that has just begun could be sure of, from the first epoch to the last."""
    if seen.error is None or len(valid.values) < 3 or max(valid.values) < 1.5 * seen.chance_loss:
        return False
    least = 2 / (seen.of or ASSUMED_VALID)
    errors_by_row = dict(zip(seen.error.rows, seen.error.values, strict=True))
    prices = [
        value / max(errors_by_row[row], least)
        for value, row in zip(valid.values, valid.rows, strict=True)
        if row in errors_by_row
    ]
    return bool(prices) and min(prices) > NATS_PER_MISTAKE


def _leaps(series: Series, *, at_least: float) -> tuple[int, ...]:
    """Rows at which the curve turns, with a large step before and after."""
    steps = np.diff(series.values)
    large = np.abs(steps) > np.maximum(at_least, 0.15 * np.minimum(series.values[:-1], series.values[1:]))
    turns = (np.sign(steps[:-1]) != np.sign(steps[1:])) & large[:-1] & large[1:]
    return tuple(series.rows[i + 1] for i in np.flatnonzero(turns))


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
    slow &= loss.last > (0.5 if loss.steady else 0.8) * seen.chance_loss
    return unlearned and (slow or _stands_still(seen, loss) or _still_above_guessing(seen, loss))


def _still_above_guessing(seen: Curves, loss: Series) -> bool:
    """After five epochs or more the loss has crept down and is not even where knowing nothing is."""
    steps, error = len(loss.values) - 1, seen.error
    if steps < 4 or error is None or loss.last <= seen.chance_loss or loss.first <= 0:
        return False
    per_epoch = 1 - (loss.last / loss.first) ** (1 / steps)
    calm = seen.valid is None or seen.valid.last < 1.5 * loss.last
    return calm and 0 < per_epoch < 2 * CREEP and error.last > 0.7 * seen.chance_error


def _stands_still(seen: Curves, loss: Series) -> bool:
    """No more right than luck explains, and losses that jitter about one level, which is that of knowing nothing."""
    error, half = seen.error, len(loss.values) // 2
    if error is None or len(error.values) < 3 or half < 2:
        return False
    before, after = float(np.mean(loss.values[:half])), loss.mean_of_last(half)
    flat = -FLAT < 1 - after / before < FLAT and 0.8 * seen.chance_loss < after < 2 * seen.high_loss
    late = float(np.mean(error.values[-2:]))
    flat &= seen.valid is None or seen.valid.last < 1.5 * after  # steps too small spoil nothing
    return flat and late > error.first - seen.noise(error.first)


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
