"""The band of a finding: which epochs it speaks of, as a coloured area behind a curve, with its title on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.diagnose.base import Finding
from core.plots.charts import Spec
from core.plots.style import Look

COLOURS = {"lr_too_high": "too_high", "lr_too_low": "too_low"}  # all else that goes wrong asks for attention
OPACITY = 0.14


@dataclass(frozen=True)
class Band:
    """A stretch of the x axis that a finding speaks of. `kind` is the finding's, and decides the colour."""

    first: float
    last: float
    title: str
    kind: str


def band_of(finding: Finding, ends: Sequence[float], *, until: float | None = None) -> Band | None:
    """The stretch of a finding on an axis on which the epochs end at `ends`; None where nothing is wrong.

    A run that exploded has batches `until` there, in an epoch that never ended: the band reaches them.
    `band_of(overfit in rows 2 and 3, [1, 2, 3, 4])` goes from 2 to 4.
    """
    if finding.severity in ("good", "note"):
        return None
    rows = [row for row in finding.epochs if row < len(ends)]
    if not rows and until is None:
        return None
    before = rows[0] if rows else len(ends)
    first = float(ends[before - 1]) if before else 0.0
    last = max([float(ends[row]) for row in rows[-1:]] + ([] if until is None else [until]))
    return Band(first, last, finding.title, finding.kind) if last > first else None


def band_area(band: Band, look: Look, *, titled: bool = True) -> Spec:
    """The band as the markArea of a series; without its title where there is no room for it."""
    label = {"show": titled, "color": look.ink, "fontSize": look.font_px - 1, "position": "insideTop"}
    return {
        "silent": True,
        "itemStyle": {"color": getattr(look, COLOURS.get(band.kind, "attention")), "opacity": OPACITY},
        "label": label,
        "data": [[{"name": band.title, "xAxis": band.first}, {"xAxis": band.last}]],
    }
