"""All kinds of findings there are, and where the check of each lives: the place to look when adding a diagnostic.

A new kind is a check that gives it, one line here and one section of core/text/diagnostics.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RATE = "core/diagnose/rate_checks.py"
LENGTH = "core/diagnose/length_checks.py"
CURVE = "core/diagnose/curve_checks.py"
DATA = "core/diagnose/data_checks.py"


@dataclass(frozen=True)
class Kind:
    """A kind of finding: its `title` in a few words, the `topic` it belongs to, and the file `where` its check is."""

    title: str
    topic: str
    where: str


KINDS: Mapping[str, Kind] = {
    "lr_too_high": Kind("The learning rate is too high", "rate", RATE),
    "lr_too_low": Kind("The learning rate is too low", "rate", RATE),
    "too_few_epochs": Kind("Too few epochs", "length", LENGTH),
    "overfit": Kind("Too many epochs", "length", LENGTH),
    "healthy": Kind("Healthy", "verdict", CURVE),
    "cant_tell": Kind("Too early to tell", "verdict", CURVE),
    "few_classes": Kind("Fewer than two classes", "data", DATA),
    "empty_side": Kind("A class is missing on one side", "data", DATA),
    "same_on_both_sides": Kind("The same picture on both sides", "data", DATA),
    "near_on_both_sides": Kind("Near-copies on both sides", "data", DATA),
    "two_labels": Kind("One picture under two labels", "data", DATA),
    "small_class": Kind("A class with few pictures", "data", DATA),
    "unbalanced": Kind("Classes of very different size", "data", DATA),
    "small_exam": Kind("A small exam", "data", DATA),
    "odd_start": Kind("An odd first loss", "start", DATA),
}
