"""Numbers of a training as people say them: a rate or a count in, a few characters out."""

from __future__ import annotations


def rate(value: float) -> str:
    """A learning rate as people say it: 0.003 -> "3e-3", 1 -> "1", 0.00125 -> "1.25e-3"."""
    if value >= 1:
        return f"{value:g}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{float(mantissa):g}e{int(exponent)}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number with its noun: (1, "picture") -> "1 picture", (1200, "class", "classes") -> "1,200 classes"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"
