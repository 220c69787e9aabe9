"""Rows of a log in any tool's names in; one row per epoch in our names out.

Rows of the same epoch belong together, as Lightning writes them; where the count of epochs starts again, a new stage
begins.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from core.diagnose.log_cells import meanings
from core.diagnose.log_rows import BLOCK, Row, Rows
from core.errors import DataError

MEASURES = frozenset(
    ("train_loss", "valid_loss", "accuracy", "error_rate", "train_accuracy", "either_accuracy", "either_error", "wrong")
)
_JUDGED = ("train_loss", "valid_loss", "accuracy", "error_rate", "wrong")
_PLACES = ("stage", "epoch", "step", BLOCK)


@dataclass
class _Epoch:
    """The values of one epoch while its rows are gathered."""

    stage: int
    block: float
    at: float | None
    values: dict[str, list[float]] = field(default_factory=dict)

    def has(self, row: Mapping[str, float]) -> bool:
        """Whether a column that this row fills is filled already."""
        return any(name in self.values for name in row)

    def add(self, row: Mapping[str, float]) -> None:
        """Take the values of one more row."""
        for name, value in row.items():
            self.values.setdefault(name, []).append(value)

    def value(self, name: str) -> float | None:
        """The last value; of a training loss that was told step by step, the mean."""
        values = self.values.get(name)
        if not values:
            return None
        return sum(values) / len(values) if name == "train_loss" else values[-1]


def epochs_of(found: Rows, *, most: int) -> tuple[pd.DataFrame, tuple[tuple[str, str], ...]]:
    """The table of epochs and, for its columns, pairs of our name and the log's name.

    DataError when there is nothing to judge. In our own tables a loss that is missing was no number: neither JSON nor
    CSV has another word for it.
    """
    if not found.rows:
        raise _nothing()
    names = dict.fromkeys(name for row in found.rows for name in row if name != BLOCK)
    called = meanings(names, bare_is_training=found.tool == "Keras")
    if len(names) < 2:
        raise DataError(
            f"The log has only one column, {next(iter(names))}; a verdict needs at least two numbers side by side.",
            hint="Copy the whole table, with the epochs and the validation loss.",
        )
    rows = (_renamed(row, called, ours=found.tool == "Bearings") for row in found.rows)
    epochs = [epoch for epoch in _gathered(rows, called, most) if any(epoch.has({name: 0.0}) for name in _JUDGED)]
    if not epochs:
        raise _nothing()
    columns = [name for name in called.values() if name not in _PLACES and not name.endswith("_step")]
    table = _table(epochs, [name for name in columns if any(name in epoch.values for epoch in epochs)])
    return table, tuple((ours, name) for name, ours in called.items() if ours in table)


def _nothing() -> DataError:
    return DataError(
        "The log holds no finished epoch with a loss, an error rate or a validation accuracy.",
        hint="Let it train for a whole epoch, and copy the lines that it prints.",
    )


def _renamed(row: Row, called: Mapping[str, str], *, ours: bool) -> dict[str, float]:
    """The cells of a row that hold something, in our names; a column in per cent becomes shares of one."""
    values = {}
    for name, value in row.items():
        if value is None and ours and "loss" in name:
            value = math.nan
        if value is not None:
            values[called.get(name, name)] = value / 100 if "%" in name else value
    return values


def _gathered(rows: Iterable[dict[str, float]], called: Mapping[str, str], most: int) -> list[_Epoch]:
    """The epochs of all rows in order; rows that do not say their epoch in a log that does are left out."""
    counted, stepped = "epoch" in called.values(), "step" in called.values()
    epochs: list[_Epoch] = []
    for row in rows:
        at, block = _whole(row.get("epoch")), _block(row)
        if counted and at is None:
            continue
        values = {name: value for name, value in row.items() if name not in _PLACES}
        last = epochs[-1] if epochs else None
        same = last is not None and counted and last.at == at and last.block == block
        if last is None or not same or (last.has(values) and not stepped):
            epochs.append(_Epoch(_stage(last, block, at), block, at))
        epochs[-1].add(values)
        if len(epochs) > most:
            raise DataError(f"The log has more than {most:,} epochs.", hint="Keep the part that you ask about.")
    return epochs


def _stage(last: _Epoch | None, block: float, at: float | None) -> int:
    if last is None:
        return 0
    again = at is not None and last.at is not None and at <= last.at
    return last.stage + (again or block != last.block)


def _block(row: Mapping[str, float]) -> float:
    """Which table a row stands in, or which stage it names itself."""
    stage = row.get("stage", 0.0)
    return row.get(BLOCK, 0.0) + (stage / 1e6 if math.isfinite(stage) else 0.0)


def _whole(at: float | None) -> float | None:
    return at if at is not None and math.isfinite(at) and abs(at) < 1e9 else None


def _table(epochs: list[_Epoch], names: list[str]) -> pd.DataFrame:
    places = _places(epochs)
    whole = all(float(at).is_integer() for at in places)
    columns: dict[str, pd.Series] = {
        "stage": pd.Series([epoch.stage for epoch in epochs], dtype="int64"),
        "epoch": pd.Series(places, dtype="int64" if whole else "float64"),
    }
    for name in dict.fromkeys(names):
        values = [epoch.value(name) for epoch in epochs]
        columns[name] = pd.Series(values, dtype="object" if None in values else "float64")
    return pd.DataFrame(columns)


def _places(epochs: list[_Epoch]) -> list[float]:
    """The epochs as the log counts them; from 0 in every stage where it does not."""
    if all(epoch.at is not None for epoch in epochs):
        return [epoch.at for epoch in epochs if epoch.at is not None]
    seen: dict[int, int] = {}
    places: list[float] = []
    for epoch in epochs:
        places.append(seen.setdefault(epoch.stage, 0))
        seen[epoch.stage] += 1
    return places
