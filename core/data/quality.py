"""Quality checks: a table of pictures and their looks in, a table of what a person should look at out.

Each check is one function and one entry in CHECKS. Nothing is changed: a check says what it saw, the person decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from core.data.looks import MEASURES, Looks
from core.data.shortcuts import shortcuts
from core.data.similar import group_rows, near_pairs

COLUMNS = ("check", "item", "score", "group", "words")
DARK, LIGHT = 0.3, 0.7  # the brightest, the darkest 2 % of the pixels lie below, above this
BLURRED = 0.7  # radians per pixel: what a lens out of focus by about 1 % of the picture's side leaves
UNIFORM, PLAIN, LITTLE = 0.012, 0.03, 1.8  # contrasts; bits
NATURE_SHARE, NATURE_COUNT = 0.2, 4  # beyond both it is how the set is, and no single picture's fault
ODD = 2.0  # times as large or as long as usual
SPREADS = 3.0  # and so many quartile distances away


@dataclass(frozen=True)
class Evidence:
    """What checks judge by: `table` is the items that count with columns MEASURES, `place` in the looks."""

    table: pd.DataFrame
    looks: Looks
    activations: np.ndarray | None


@dataclass(frozen=True)
class Issue:
    """One picture (or, with item "", a class or the whole set) that a check points at. `score` 0 to 1: how clearly."""

    item: str
    score: float
    words: str
    group: str = ""


Judge = Callable[[Evidence], list[Issue]]


@dataclass(frozen=True)
class Check:
    """A check: its name in tables, its title, one sentence that says how it judges, and the function."""

    name: str
    title: str
    explanation: str
    judge: Judge


def inspect(items: pd.DataFrame, looks: Looks, activations: np.ndarray | None = None) -> pd.DataFrame:
    """All checks on the rows of `items`: a table with columns COLUMNS, the clearest issue of each check first.

    `looks` holds a look for every picture in `items`; `activations` (N, D) belong to the rows of `looks.table`. Rows
    whose item is "" speak of the class in `group`, or of the whole set. Texts hold labels as people typed them.
    """
    places = looks.rows(list(items["file"]))
    measures = looks.table.iloc[places][list(MEASURES)].reset_index(drop=True)
    table = pd.concat([items.reset_index(drop=True), measures], axis=1).assign(place=places)
    evidence = Evidence(table, looks, activations)
    rows = []
    for check in CHECKS.values():
        found = sorted(check.judge(evidence) if len(table) else [], key=lambda issue: -issue.score)
        rows += [(check.name, issue.item, round(issue.score, 3), issue.group, issue.words) for issue in found]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"score": float})


def counts(issues: pd.DataFrame) -> dict[str, int]:
    """How many pictures (for shortcuts: classes) each check points at, zeros included."""
    pointed = issues[(issues["item"] != "") | (issues["check"] == "shortcut")]
    number = Counter(pointed["check"])
    return {name: number[name] for name in CHECKS}


def remarks(issues: pd.DataFrame) -> list[str]:
    """What is said about the whole set or a class, not about single pictures."""
    return list(issues.loc[issues["item"] == "", "words"])


def _exact(evidence: Evidence) -> list[Issue]:
    issues = []
    twice = evidence.table[evidence.table.duplicated("file", keep=False)]
    for number, (_, rows) in enumerate(twice.groupby("file", sort=False)):
        labels = sorted(set(rows["label"]))
        words = f"The very same picture is here {len(rows)} times"
        words += f", as {_named(labels)}: only one can be right." if len(labels) > 1 else "; once is enough."
        score = 1.0 if len(labels) > 1 else 0.6
        issues += [Issue(item, score, words, group=str(number + 1)) for item in rows["item"]]
    return issues


def _near(evidence: Evidence) -> list[Issue]:
    table, issues = evidence.table, []
    pairs = near_pairs(evidence.looks, activations=evidence.activations)
    best = np.zeros(len(evidence.looks.table))
    for side in (pairs.first, pairs.second):
        np.maximum.at(best, side, pairs.score)
    groups = pd.Series(group_rows(list(table["file"]), evidence.looks, pairs=pairs), index=table.index, dtype=object)
    number = 0
    for _, rows in table.groupby(groups, sort=False):
        if rows["file"].nunique() == 1:  # the very same picture: another check
            continue
        number += 1
        words, labels = f"{len(rows)} pictures are nearly the same", sorted(set(rows["label"]))
        words += f", but they are called {_named(labels)}" if len(labels) > 1 else ""
        torn = rows["split"].nunique() > 1
        words += "; some are for training and some for validation, which flatters the error." if torn else "."
        issues += [Issue(row.item, float(best[row.place]), words, group=str(number)) for row in rows.itertuples()]
    return issues


def _unreadable(evidence: Evidence) -> list[Issue]:
    lost = evidence.table["brightness"].isna()
    return _each(evidence, lost, lost.astype(float), lambda row: "The stored file is missing or damaged.")


def _dark(evidence: Evidence) -> list[Issue]:
    found = _is_dark(evidence.table)
    return _unless_nature(
        _each(
            evidence, found, 1 - evidence.table["high"] / DARK, lambda row: f"Its brightest parts reach {row.high:.0%}."
        ),
        evidence,
        "very dark",
    )


def _light(evidence: Evidence) -> list[Issue]:
    found, score = _is_light(evidence.table), (evidence.table["low"] - LIGHT) / (1 - LIGHT)
    issues = _each(evidence, found, score, lambda row: f"Even its darkest parts are {row.low:.0%} white.")
    return _unless_nature(issues, evidence, "washed out")


def _blurry(evidence: Evidence) -> list[Issue]:
    table = evidence.table
    judged = ~(_is_dark(table) | _is_light(table) | _is_empty(table))
    found, score = judged & (table["sharpness"] < BLURRED), 1 - table["sharpness"] / BLURRED
    issues = _each(evidence, found, score, lambda row: "Nothing in it is sharp: out of focus, moved or enlarged.")
    return _unless_nature(issues, evidence, "blurred")


def _low_information(evidence: Evidence) -> list[Issue]:
    found, score = _is_empty(evidence.table), 1 - evidence.table["entropy"] / 8
    issues = _each(evidence, found, score, lambda row: "There is hardly anything on it: one tone, or very few.")
    return _unless_nature(issues, evidence, "almost empty")


def _is_dark(table: pd.DataFrame) -> pd.Series:
    return (table["high"] < DARK) & ~_has_nothing(table)


def _is_light(table: pd.DataFrame) -> pd.Series:
    return (table["low"] > LIGHT) & ~_has_nothing(table)


def _is_empty(table: pd.DataFrame) -> pd.Series:
    """Plain in itself, and not because it is too dark or washed out."""
    return _has_nothing(table) | ((table["contrast"] < PLAIN) & ~_is_dark(table) & ~_is_light(table))


def _has_nothing(table: pd.DataFrame) -> pd.Series:
    return (table["contrast"] < UNIFORM) | (table["entropy"] < LITTLE)


def _odd_size(evidence: Evidence) -> list[Issue]:
    edge = np.log(np.sqrt((evidence.table["width"] * evidence.table["height"]).to_numpy(dtype=float)))
    usual = float(np.median(edge))
    return _odd(
        evidence,
        edge,
        lambda row: f"It has {row.width} x {row.height} pixels; {np.exp(usual):.0f} along a side are usual here.",
    )


def _odd_shape(evidence: Evidence) -> list[Issue]:
    table = evidence.table
    length = np.log(table[["width", "height"]].max(axis=1) / table[["width", "height"]].min(axis=1)).to_numpy()
    usual = float(np.median(length))
    return _odd(
        evidence,
        length,
        lambda row: (
            f"Its long side is {max(row.width, row.height) / min(row.width, row.height):.1f} times its short side; "
            f"{np.exp(usual):.1f} times is usual here."
        ),
    )


def _odd(evidence: Evidence, values: np.ndarray, words: Callable[..., str]) -> list[Issue]:
    """Pictures whose logarithm of a size lies far from the usual one, by a factor and by the spread of the set."""
    low, usual, high = np.quantile(values, [0.25, 0.5, 0.75])
    away = np.abs(values - usual)
    found = (away >= np.log(ODD) - 1e-9) & (away > SPREADS * (high - low))
    return _each(evidence, found, 1 - np.log(ODD) / np.maximum(2 * away, np.log(ODD)), words)


def _shortcut(evidence: Evidence) -> list[Issue]:
    table = evidence.table
    sized = table.assign(size=np.sqrt(table["width"] * table["height"]), shape=table["width"] / table["height"])
    return [Issue("", one.share, one.words, group=one.label) for one in shortcuts(sized)]


def _each(evidence: Evidence, found: Sequence[bool], scores: Sequence[float], words: Callable[..., str]) -> list[Issue]:
    """An issue for each row where `found` holds."""
    chosen = np.asarray(found, dtype=bool)
    rows = evidence.table[chosen]
    judged = np.clip(np.asarray(scores, dtype=float)[chosen], 0, 1).tolist()
    return [Issue(row.item, score, words(row)) for row, score in zip(rows.itertuples(), judged, strict=True)]


def _unless_nature(issues: list[Issue], evidence: Evidence, what: str) -> list[Issue]:
    """One remark instead of all issues when they are too many to be accidents."""
    share = len(issues) / len(evidence.table)
    if share <= NATURE_SHARE or len(issues) <= NATURE_COUNT:
        return issues
    words = f"{share:.0%} of the pictures are {what}: that is how this set is, so none is singled out."
    return [Issue("", share, words)]


def _named(labels: Sequence[str]) -> str:
    return " and ".join(repr(label) for label in labels)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        check.name: check
        for check in (
            Check("exact", "The same picture again", "Two entries hold the same file, byte by byte.", _exact),
            Check(
                "near",
                "Nearly the same picture",
                "Laid over one another, two pictures agree in their fine details: one shot, saved or cropped again.",
                _near,
            ),
            Check("unreadable", "Lost", "The stored file is missing or cannot be opened.", _unreadable),
            Check("dark", "Very dark", f"All but 2 % of the picture is below {DARK:.0%} of white.", _dark),
            Check("light", "Washed out", f"All but 2 % of the picture is above {LIGHT:.0%} of white.", _light),
            Check(
                "blurry",
                "Blurred",
                "Even where the picture is sharpest, brightness changes slowly from one pixel to the next.",
                _blurry,
            ),
            Check(
                "low_information",
                "Almost empty",
                f"The tones differ by less than {PLAIN:.0%} of white, or carry less than {LITTLE} bits per pixel.",
                _low_information,
            ),
            Check(
                "odd_size",
                "Odd size",
                f"The picture is {ODD:.0f} times larger or smaller than is usual in this set.",
                _odd_size,
            ),
            Check(
                "odd_shape",
                "Odd shape",
                f"The picture is {ODD:.0f} times longer or less long, for its height, than is usual in this set.",
                _odd_shape,
            ),
            Check(
                "shortcut",
                "A shortcut for the model",
                "One plain number, such as brightness, tells a class from all others in nearly every pair of pictures.",
                _shortcut,
            ),
        )
    }
)
