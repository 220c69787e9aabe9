"""All kinds of findings there are, and where the check of each lives: the place to look when adding a diagnostic."""

from __future__ import annotations

from collections.abc import Mapping

from core.diagnose.data_checks import DATA_CHECKS

CURVE = "core/diagnose/curve_checks.py"
DATA = "core/diagnose/data_checks.py"
KINDS: Mapping[str, str] = {
    **dict.fromkeys(("lr_too_high", "lr_too_low", "too_few_epochs", "overfit", "healthy", "cant_tell"), CURVE),
    **dict.fromkeys((*DATA_CHECKS, "odd_start"), DATA),
}
