"""A set-up as the short parameters of a link, and back. Whatever somebody wrote there gives a set-up and sentences.

`?rate=0.1&batch=20` says only what differs from the usual. Points moved by hand are two bytes a number, in base 64:
200 of them are 1,068 letters.
"""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.errors import LabError, SettingsError
from core.sgd.setup import ALL, MENU, POINTS_MAX, RANGES, Pair, Setup, near, range_of

X_STEP, Y_STEP, POINT_BYTES = 1e-3, 1e-2, 4
VALUE_CHARS = 4 * POINTS_MAX * POINT_BYTES // 3 + 8  # nothing in a link is longer than 200 points


@dataclass(frozen=True)
class Parameter:
    """One value of a link: the field of Setup that it is, and how to read and write it."""

    field: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]


def _decimal(value: float) -> str:
    return f"{value:.6g}"


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise ValueError(text)
    return int(text)


def _pair(text: str) -> Pair:
    one, two = text.split(",")
    return (float(one), float(two))


PARAMETERS: Mapping[str, Parameter] = {
    "rate": Parameter("rate", float, _decimal),
    "low": Parameter("low", float, _decimal),
    "high": Parameter("high", float, _decimal),
    "batch": Parameter("batch", lambda text: ALL if text == "all" else _whole(text), lambda b: str(b) if b else "all"),
    "rule": Parameter("rule", str, str),
    "mom": Parameter("momentum", float, _decimal),
    "plan": Parameter("schedule", str, str),
    "steps": Parameter("steps", _whole, str),
    "noise": Parameter("noise", float, _decimal),
    "n": Parameter("n", _whole, str),
    "out": Parameter("outlier", float, _decimal),
    "seed": Parameter("seed", _whole, str),
    "a": Parameter("start", _pair, lambda pair: ",".join(_decimal(value) for value in pair)),
    "pts": Parameter("points", lambda text: unpack(text), lambda points: pack(points)),
}
_ALLOWED = {"rule": ", ".join(MENU), "start": "two numbers, such as -1,1", "points": f"2 to {POINTS_MAX} points"}


def read_setup(said: Mapping[str, str], schedules: Collection[str]) -> tuple[Setup, list[LabError]]:
    """The set-up that a link says, and a sentence for every value in it that cannot be; those are the usual ones."""
    setup, faults = Setup(), []
    for name, parameter in PARAMETERS.items():
        if name not in said:
            continue
        try:
            setup = replace(setup, **{parameter.field: _value(name, said[name], schedules)})
        except SettingsError as fault:
            usual = write_value(name, getattr(Setup(), parameter.field))
            faults.append(SettingsError(f"In the link, {name}: {fault.message}", hint=f"{fault.hint}{_instead(usual)}"))
    return setup, faults


def _value(name: str, text: str, schedules: Collection[str]) -> Any:
    parameter = PARAMETERS[name]
    try:
        value = parameter.read(text) if len(text) <= VALUE_CHARS else None
    except (ValueError, OverflowError):
        value = None
    if value is None or (name == "plan" and value not in schedules):
        raise SettingsError(f"{text[:40]!r} cannot be used.", hint=f"Allowed: {allowed(name, schedules)}.")
    return value


def allowed(name: str, schedules: Collection[str]) -> str:
    """What a parameter may be, in words."""
    field = PARAMETERS[name].field
    if field in RANGES:
        return range_of(field)
    return ", ".join(schedules) if field == "schedule" else _ALLOWED[field]


def _instead(usual: str) -> str:
    return f" The page uses {usual} instead." if usual else " The page draws its own instead."


def write_setup(setup: Setup) -> dict[str, str]:
    """What a link must say to give this set-up: the values that are not the usual ones."""
    usual = Setup()
    return {
        name: write_value(name, getattr(setup, parameter.field))
        for name, parameter in PARAMETERS.items()
        if getattr(setup, parameter.field) != getattr(usual, parameter.field)
    }


def write_value(name: str, value: Any) -> str:
    """One value as a link writes it; nothing for points that nobody moved."""
    return "" if value is None else PARAMETERS[name].write(value)


def pack(points: tuple[Pair, ...]) -> str:
    """Points as letters for a link."""
    numbers = [round(v / step) for point in points for v, step in zip(near(point), (X_STEP, Y_STEP), strict=True)]
    return base64.urlsafe_b64encode(struct.pack(f"<{len(numbers)}h", *numbers)).decode().rstrip("=")


def unpack(text: str) -> tuple[Pair, ...]:
    """Inverse of `pack`; ValueError for what it never wrote."""
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        numbers = struct.unpack(f"<{len(packed) // 2}h", packed)
    except (binascii.Error, struct.error) as error:
        raise ValueError(text[:40]) from error
    if len(packed) % POINT_BYTES:
        raise ValueError(text[:40])
    return tuple((round(x * X_STEP, 3), round(y * Y_STEP, 2)) for x, y in zip(numbers[::2], numbers[1::2], strict=True))
