"""A training composed of phases: what each of them is in, rates over all steps, and stages of a recipe, out.

Phases in a row: each has a schedule with its own options, a number of epochs and a highest rate. As text, so that an
address can carry them, a phase is "one_cycle-4-0.003", with options behind it as "sgdr-7-0.003-cycle_len=1".
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from core.errors import SettingsError
from core.settings import Stage
from core.train.schedules import check_options, options_of, rate_at

PHASES_MAX = 6
EPOCHS_MAX = 100
TEXT_MAX = 1000


@dataclass(frozen=True)
class Phase:
    """A stretch of training: the `schedule`, how many `epochs`, its highest rate `lr`, and options of the schedule."""

    schedule: str = "one_cycle"
    epochs: int = 4
    lr: float = 3e-3
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not (1 <= self.epochs <= EPOCHS_MAX):
            raise SettingsError(
                f"A phase of {self.epochs} epochs was asked for.", hint=f"A phase has 1 to {EPOCHS_MAX} epochs."
            )
        self.stage()  # which checks the rate
        check_options(self.schedule, self.options)

    def stage(self) -> Stage:
        """The same as a stage of a recipe, in which the head alone learns."""
        return Stage(epochs=self.epochs, lr=self.lr, schedule=self.schedule, options=dict(self.options))

    def rate(self, pos: float) -> float:
        """The rate at `pos`, 0 to 1 over this phase, as a training takes it: a share of the highest rate."""
        return self.lr * rate_at(self.schedule, pos, lr_max=1.0, epochs=self.epochs, **self.options)


def rates_over(phases: Sequence[Phase], steps: int) -> np.ndarray:
    """The rates of so many steps that are spread evenly over all phases, as a training takes them."""
    ends = np.cumsum([phase.epochs for phase in phases])
    rates = []
    for step in range(steps):
        epoch = step / steps * ends[-1]
        number = int(np.searchsorted(ends, epoch, side="right"))
        begin = ends[number] - phases[number].epochs
        rates.append(phases[number].rate((epoch - begin) / phases[number].epochs))
    return np.array(rates)


def written(phases: Sequence[Phase]) -> str:
    """Phases as text for an address; inverse of `parsed`."""
    return "_and_".join(_written(phase) for phase in phases)


def _written(phase: Phase) -> str:
    options = [f"{name}={_text(value)}" for name, value in phase.options.items() if value is not None]
    return "-".join([phase.schedule, str(phase.epochs), f"{phase.lr:.15g}".replace("e-", "em"), *options])


def _text(value: Any) -> str:
    values = value if isinstance(value, (tuple, list)) else [value]
    return "~".join(f"{number:.6g}".replace("e-", "em") for number in values)


def parsed(text: str) -> tuple[Phase, ...]:
    """Phases out of an address; SettingsError with a sentence for what is none."""
    parts = text.split("_and_")
    if len(text) > TEXT_MAX or len(parts) > PHASES_MAX:
        raise SettingsError(
            "The phases in this address are too many or too long.", hint=f"There can be up to {PHASES_MAX} of them."
        )
    try:
        return tuple(_parsed(part) for part in parts)
    except (ValueError, KeyError) as error:
        raise SettingsError(
            f"The phases {text[:60]!r} in this address cannot be read.",
            hint="A phase is a schedule, its epochs and its rate, such as one_cycle-4-0.003.",
        ) from error


def _parsed(part: str) -> Phase:
    schedule, epochs, lr, *options = part.split("-")
    usual = options_of(schedule)
    chosen = dict(option.split("=", 1) for option in options)
    return Phase(
        schedule,
        int(epochs) if epochs.isascii() and epochs.isdecimal() and len(epochs) < 6 else 0,
        _number(lr),
        {name: _value(value, usual[name]) for name, value in chosen.items()},
    )


def _value(text: str, usual: Any) -> float | tuple[float, ...]:
    return tuple(_number(one) for one in text.split("~")) if isinstance(usual, (tuple, list)) else _number(text)


def _number(text: str) -> float:
    number = float(text.replace("em", "e-"))
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def cycles(epochs: float, cycle_len: float, cycle_mult: float) -> list[tuple[float, float, bool]]:
    """The cycles of warm restarts in so many epochs: where each begins and ends, and whether it runs to its end.

    `cycles(7, 1, 2) -> [(0, 1, True), (1, 3, True), (3, 7, True)]`.
    """
    found, start, length = [], 0.0, float(cycle_len)
    while start < epochs - 1e-9 and len(found) < 1000:
        found.append((start, min(start + length, epochs), start + length <= epochs + 1e-9))
        start, length = start + length, length * cycle_mult
    return found
