"""Orders of suspects: a table of a search in, the same rows with the most suspicious first and a reason for each out.

Every order keeps the table's columns and adds two: `reason`, a sentence made from the picture's own numbers, and
`suggested`, the label it probably should have, or "". Order first, filter by class or side afterwards: then a reason
may speak of a picture that the filter hides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

CANNOT_DECIDE = 0.2  # lead of the first class over the second below which a model is torn
ALONE = -1  # the group of a picture that has no twin
NAMED = 3  # labels that are named before they are counted

Order = Callable[[pd.DataFrame], pd.DataFrame]


def by_loss(table: pd.DataFrame) -> pd.DataFrame:
    """The pictures whose label surprised the model most come first; suggested is what it says instead."""
    ordered = _sorted(table, -table["loss"].to_numpy())
    return ordered.assign(
        reason=[_about_loss(*row) for row in _rows(ordered, "label", "predicted", "p_predicted", "p_label", "known")],
        suggested=ordered["predicted"].where(ordered["predicted"] != ordered["label"], ""),
    )


def by_certainty(table: pd.DataFrame) -> pd.DataFrame:
    """The pictures between whose first and second class the model can hardly decide come first."""
    ordered = _sorted(table, table["certainty"].to_numpy())
    columns = ("label", "predicted", "p_predicted", "second", "p_second", "certainty")
    return ordered.assign(
        reason=[_about_doubt(*row) for row in _rows(ordered, *columns)],
        suggested=ordered["predicted"].where(ordered["predicted"] != ordered["label"], ""),
    )


def by_label_error(table: pd.DataFrame) -> pd.DataFrame:
    """The labels against which the heads of other folds speak most come first, all others after those."""
    ordered = _sorted(table, -table["doubt"].to_numpy())
    columns = ("label", "fold_guess", "fold_p_guess", "fold_p_label", "label_error")
    return ordered.assign(
        reason=[_about_label(*row) for row in _rows(ordered, *columns)],
        suggested=ordered["fold_guess"].where(ordered["fold_guess"] != ordered["label"], ""),
    )


def by_twins(table: pd.DataFrame) -> pd.DataFrame:
    """Only pictures that have a copy, copies side by side; first groups with several labels, then those on both sides.

    Suggested is the most common label of a group where its pictures do not agree.
    """
    twins = table[table["group"] != ALONE]
    groups = {number: rows for number, rows in twins.groupby("group", sort=True)}
    ranks = {number: _rank(rows) for number, rows in groups.items()}
    numbers = sorted(groups, key=lambda number: (*ranks[number], number))
    ordered = pd.concat([groups[number] for number in numbers]) if numbers else twins
    reasons, suggested = [], []
    for number in numbers:
        rows = groups[number]
        common = _most_common(list(rows["label"]))
        for row in range(len(rows)):
            reasons.append(_about_twins(rows, row))
            suggested.append(common if common and rows["label"].iloc[row] != common else "")
    return ordered.assign(reason=_texts(reasons), suggested=_texts(suggested)).reset_index(drop=True)


ORDERS: Mapping[str, Order] = MappingProxyType(
    {"loss": by_loss, "unsure": by_certainty, "label_error": by_label_error, "duplicates": by_twins}
)


def _sorted(table: pd.DataFrame, key: np.ndarray) -> pd.DataFrame:
    return table.iloc[np.argsort(key, kind="stable")].reset_index(drop=True)


def _rows(table: pd.DataFrame, *columns: str) -> zip[tuple[Any, ...]]:
    return zip(*(table[column].tolist() for column in columns), strict=True)


def _texts(values: list[str]) -> Any:
    return pd.Series(values, dtype=str).to_numpy()


def percent(probability: float) -> str:
    """A model's probability inside a sentence; no model is entirely sure: 0.97 -> "97 %", 1.0 -> "more than 99 %"."""
    if probability >= 0.995:
        return "more than 99 %"
    return "less than 1 %" if probability < 0.005 else f"{100 * probability:.0f} %"


def _about_loss(label: str, predicted: str, p_predicted: float, p_label: float, known: bool) -> str:
    if not known:
        return f"Labelled {label}, which this model never learned; it says {predicted} with {percent(p_predicted)}."
    if label == predicted:
        return f"Labelled {label}, and the model says so too, with {percent(p_label)}."
    return (
        f"Labelled {label}; the model says {predicted} with {percent(p_predicted)}. "
        f"It gives {label} {percent(p_label)}."
    )


def _about_doubt(label: str, predicted: str, p_predicted: float, second: str, p_second: float, certainty: float) -> str:
    if not second:
        return f"Labelled {label}; the model says {predicted} with {percent(p_predicted)}."
    first, then = f"{predicted} with {percent(p_predicted)}", f"{second} with {percent(p_second)}"
    if certainty < CANNOT_DECIDE:
        return f"Labelled {label}; the model cannot decide: {first}, {then}."
    return f"Labelled {label}; the model says {first}, and {then}."


def _about_label(label: str, guess: str, p_guess: float, p_label: float, is_error: bool) -> str:
    judge = "a small model that never saw this picture"
    if guess == label:
        return f"Labelled {label}, and {judge} says so too, with {percent(p_label)}."
    if p_guess <= p_label:  # an error all the same: for that class it is much
        return f"Labelled {label}; {judge} gives it {percent(p_label)}, and {guess} {percent(p_guess)}."
    said = f"Labelled {label}; {judge} says {guess} with {percent(p_guess)}. It gives {label} {percent(p_label)}."
    return f"{said} That is as sure as it usually is of {guess}." if is_error else said


def _rank(rows: pd.DataFrame) -> tuple[int, int]:
    return (-(rows["label"].nunique() > 1), -(rows["split"].nunique() > 1))


def _most_common(labels: list[str]) -> str:
    """The label that more pictures have than any other; "" in a tie or when all agree."""
    counted = Counter(labels).most_common()
    if len(counted) == 1 or counted[0][1] == counted[1][1]:
        return ""
    return counted[0][0]


def _about_twins(rows: pd.DataFrame, row: int) -> str:
    """One picture of a group: how many twins it has, whether they are the same to the byte, their labels and sides."""
    own, others = rows.iloc[row], rows.drop(rows.index[row])
    alike = "Exactly" if (others["file"] == own["file"]).all() else "Nearly"
    many = "one other" if len(others) == 1 else f"{len(others)} others"
    return f"{alike} the same picture as {many}. {_labels(own, others)}{_sides(own, others)}"


def _labels(own: pd.Series, others: pd.DataFrame) -> str:
    different = sorted(set(others["label"]) - {own["label"]})
    if not different:
        return f"{'Both' if len(others) == 1 else 'All'} are labelled {own['label']}."
    there = "the other" if len(others) == 1 else "others"
    return f"This one is labelled {own['label']}, {there} {_listed(different)}."


def _sides(own: pd.Series, others: pd.DataFrame) -> str:
    if set(others["split"]) <= {own["split"]}:
        return ""
    return " The model learns from one and is examined on another, which is too easy an exam."


def _listed(labels: list[str]) -> str:
    named = ", ".join(labels[:NAMED])
    return f"{named} and {len(labels) - NAMED} more" if len(labels) > NAMED else named
