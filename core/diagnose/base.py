"""Findings: what a check saw, why it matters and what to do, in words. A registry runs checks in order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

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


@dataclass(frozen=True)
class Ladder(Generic[Measured]):
    """Checks in the order in which they were added. Each takes the same measurements and may return a finding."""

    checks: dict[str, Check[Measured]] = field(default_factory=dict)

    def add(self, check: Check[Measured]) -> Check[Measured]:
        """Register a check under its function's name; use it as a decorator."""
        self.checks[check.__name__] = check
        return check

    def climb(self, measured: Measured) -> Iterator[Finding]:
        """The finding of every check that fires, in order."""
        for check in self.checks.values():
            finding = check(measured)
            if finding is not None:
                yield finding
