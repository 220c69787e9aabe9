"""The one fix of a finding, as a run: the settings of the repaired run, and the checkpoint it begins from.

A repair changes one thing: the rate, or how long it learns and from how much. `REPAIRS` holds one per kind of fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from core.diagnose.base import Finding
from core.settings import Stage, TrainSettings
from core.train.words import rate

Begins = Literal["as_before", "before_stage", "last"]
HEAD_RATE, WHOLE_RATE = 3e-3, 3e-4  # what suits most heads, and most models all of whose layers learn
LEAST_EPOCHS = 4
DROPOUT, WEIGHT_DECAY = 0.5, 0.01


@dataclass(frozen=True)
class Repair:
    """A run that mends another. `text`: what it does differently, for a button; `words`: the same as a sentence.

    `begins`: "as_before" with the weights that the faulty run began with, "before_stage" with those that it had before
    stage `stage` (from 0), "last" with those that it ended with.
    """

    text: str
    words: str
    settings: TrainSettings
    begins: Begins
    stage: int


def repair(
    finding: Finding, settings: TrainSettings, *, stage: int | None = None, suggested_lr: float | None = None
) -> Repair | None:
    """How to mend a run of `settings`, or None where nothing is to be mended.

    `stage` is the one at fault (the last without). `suggested_lr`: the finder's rate for this stage, if it is known.
    """
    mend = REPAIRS.get(finding.kind)
    if mend is None:
        return None
    number = len(settings.stages) - 1 if stage is None else stage
    return mend(finding, settings, number, suggested_lr)


def _lower_rate(finding: Finding, settings: TrainSettings, number: int, suggested: float | None) -> Repair:
    stage = settings.stages[number]
    high = min(stage.lr_max / 10, _usual(stage)) if suggested is None else min(suggested, stage.lr_max / 2)
    return _at_rate(settings, number, high, "Start again with the weights from before", suggested)


def _higher_rate(finding: Finding, settings: TrainSettings, number: int, suggested: float | None) -> Repair:
    stage = settings.stages[number]
    high = max(stage.lr_max * 10, _usual(stage)) if suggested is None else max(suggested, 2 * stage.lr_max)
    return _at_rate(settings, number, high, "Train again", suggested)


def _at_rate(settings: TrainSettings, number: int, high: float, how: str, suggested: float | None) -> Repair:
    stage = settings.stages[number]
    mended = replace(stage, lr=_scaled(stage, high), epochs=max(stage.epochs, LEAST_EPOCHS), find_lr=False)
    if suggested is not None and high == suggested:
        whose = "the finder's rate"
    else:
        whose = f"{_times(high, stage.lr_max)}, a usual rate for {'the head' if stage.frozen else 'all layers'}"
    words = f"{how}, at {rate(high)}: {whose}."
    return Repair(f"Train at {rate(high)}", words, _from(settings, number, mended), _before(number), number)


def _times(rate_now: float, rate_then: float) -> str:
    """How many times lower or higher: "30 times lower"."""
    ratio = max(rate_now / rate_then, rate_then / rate_now)
    return f"{float(f'{ratio:.2g}'):,.10g} times {'lower' if rate_now < rate_then else 'higher'}"


def _longer(finding: Finding, settings: TrainSettings, number: int, suggested: float | None) -> Repair:
    stage = settings.stages[number]
    more = max(LEAST_EPOCHS, stage.epochs)
    mended = replace(settings, stages=(replace(stage, epochs=more, find_lr=False),))
    words = f"Go on from where it ended, for {more} epochs more."
    return Repair(f"Go on for {more} epochs", words, mended, "last", number)


def _shorter(finding: Finding, settings: TrainSettings, number: int, suggested: float | None) -> Repair:
    """As long as it got better, with all pictures, and with what keeps a model from learning by heart."""
    stage = settings.stages[number]
    best = max(1, finding.epochs[0]) if finding.epochs else stage.epochs // 2
    epochs = max(LEAST_EPOCHS, min(best, stage.epochs))
    mended = replace(
        stage,
        epochs=epochs,
        lr=_scaled(stage, min(stage.lr_max, _usual(stage))),
        dropout=None,
        weight_decay=None,
        find_lr=False,
    )
    run = replace(
        _from(settings, number, mended),
        train_share=1.0,
        dropout=max(DROPOUT, settings.dropout),
        weight_decay=max(WEIGHT_DECAY, settings.weight_decay),
    )
    less, all_of_them = epochs < stage.epochs, settings.train_share < 1
    text = f"{epochs} epochs" + (", all pictures" if all_of_them else "")
    words = (
        f"Train again {'for' if less else 'once more for'} {epochs} epochs"
        f"{', with all pictures' if all_of_them else ''}, and with dropout and weight decay on."
    )
    return Repair(text if less or all_of_them else f"Again, {text}", words, run, _before(number), number)


REPAIRS: Mapping[str, Callable[[Finding, TrainSettings, int, float | None], Repair]] = {
    "lr_too_high": _lower_rate,
    "lr_too_low": _higher_rate,
    "too_few_epochs": _longer,
    "overfit": _shorter,
}


def _usual(stage: Stage) -> float:
    return HEAD_RATE if stage.frozen else WHOLE_RATE


def _scaled(stage: Stage, high: float) -> float | tuple[float | None, float]:
    """The stage's rates with `high` as the highest, the spread over the layer groups as it was."""
    if not isinstance(stage.lr, tuple):
        return high if stage.frozen else (high / 10, high)
    low, last = stage.lr
    return (None if low is None else low * high / last, high)


def _from(settings: TrainSettings, number: int, mended: Stage) -> TrainSettings:
    """Only the stage that went wrong and those that were to follow it."""
    return replace(settings, stages=(mended, *settings.stages[number + 1 :]))


def _before(number: int) -> Begins:
    return "as_before" if number == 0 else "before_stage"
