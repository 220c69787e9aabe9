"""Findings: what a check saw, why it matters and what to do, in words. A ladder asks checks in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

Severity = Literal["good", "note", "warning", "bad"]
SEVERITIES: tuple[Severity, ...] = ("good", "note", "warning", "bad")

Measured = TypeVar("Measured")


@dataclass(frozen=True)
class Finding:
    """One card. `kind` names the fault and its help text; the sentences are for the learner.

    `evidence`: what was seen, with numbers; `why`: what it means; `fix`: one thing to do. `epochs` holds the rows of
    the epochs table (from 0) that show it, to be drawn as a band; it may be empty.
    """

    kind: str
    severity: Severity
    title: str
    evidence: str
    why: str
    fix: str
    epochs: tuple[int, ...] = ()


Check = Callable[[Measured], Finding | None]


def climb(ladder: Mapping[str, Check[Measured]], measured: Measured) -> Iterator[Finding]:
    """The finding of every check that fires, in the order of the ladder; all get the same measurements."""
    for check in ladder.values():
        finding = check(measured)
        if finding is not None:
            yield finding
