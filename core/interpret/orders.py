"""Orders of suspects: a table of a search in, the same rows with the most suspicious first and a reason for each out.

Every order keeps the table's columns and adds two: `reason`, a sentence made from the picture's own numbers, and
`suggested`, the label it probably should have, or "". Order first, filter by class or side afterwards: then a reason
may speak of a picture that the filter hides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

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
    groups: dict[int, list[Twin]] = {}
    for row, (number, *told) in enumerate(_rows(table, "group", "file", "label", "split")):
        if number != ALONE:
            groups.setdefault(number, []).append(Twin(row, *told))
    ordered = [twins for _, twins in sorted(groups.items(), key=lambda entry: (*_rank(entry[1]), entry[0]))]
    common = [_most_common(twins) for twins in ordered]
    suggested = [
        label if label != twin.label else "" for label, twins in zip(common, ordered, strict=True) for twin in twins
    ]
    return (
        table.iloc[[twin.row for twins in ordered for twin in twins]]
        .reset_index(drop=True)
        .assign(
            reason=_texts([sentence for twins in ordered for sentence in _about_twins(twins)]),
            suggested=_texts(suggested),
        )
    )


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


class Twin(NamedTuple):
    """What counts about one picture of a group: its row in the table, picture, label and side."""

    row: int
    file: str
    label: str
    split: str


def _rank(twins: list[Twin]) -> tuple[bool, bool]:
    """Sorts groups with several labels before others, and among those the ones that lie on both sides."""
    return len({twin.label for twin in twins}) == 1, len({twin.split for twin in twins}) == 1


def _most_common(twins: list[Twin]) -> str:
    """The label that more pictures have than any other; "" in a tie or when all agree."""
    counted = Counter(twin.label for twin in twins).most_common()
    if len(counted) == 1 or counted[0][1] == counted[1][1]:
        return ""
    return counted[0][0]


def _about_twins(twins: list[Twin]) -> Iterator[str]:
    """For each picture: how many twins it has, whether they are the same to the byte, their labels and sides."""
    labels, files = {twin.label for twin in twins}, {twin.file for twin in twins}
    alike, others = "Exactly" if len(files) == 1 else "Nearly", len(twins) - 1
    many = "one other" if others == 1 else f"{others} others"
    exam = " The model learns from one and is examined on another, which is too easy an exam."
    torn = len({twin.split for twin in twins}) > 1
    for twin in twins:
        named = _twin_labels(twin.label, sorted(labels - {twin.label}), others)
        yield f"{alike} the same picture as {many}. {named}{exam if torn else ''}"


def _twin_labels(own: str, different: list[str], others: int) -> str:
    if not different:
        return f"{'Both' if others == 1 else 'All'} are labelled {own}."
    return f"This one is labelled {own}, {'the other' if others == 1 else 'others'} {_listed(different)}."


def _listed(labels: list[str]) -> str:
    named = ", ".join(labels[:NAMED])
    return f"{named} and {len(labels) - NAMED} more" if len(labels) > NAMED else named
