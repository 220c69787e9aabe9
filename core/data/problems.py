"""Problems that an inspection found: its issues and the table as it is now in; which still stand, and what helps, out.

An inspection is done once and stays true for the pictures it saw: what was deleted or changed since is left out here,
so the counts are right without looking again.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from core.errors import NotFound, WorkspaceError

COLUMNS = ("check", "item", "score", "group", "words")
_OF_ITEM = ["item", "file", "label", "split", "width", "height", "original_name"]


def read_issues(path: Path) -> pd.DataFrame:
    """The issues.csv of an inspection; NotFound or WorkspaceError with a sentence when it cannot be read."""
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False, encoding="utf-8")
        return table.loc[:, list(COLUMNS)].astype({"score": float})
    except FileNotFoundError as error:
        raise NotFound("What was found is missing.", hint="Look for problems again.") from error
    except (ValueError, KeyError) as error:
        raise WorkspaceError("What was found cannot be read.", hint="Look for problems again.") from error


def standing(issues: pd.DataFrame, items: pd.DataFrame) -> pd.DataFrame:
    """The issues of pictures that still count, with what the table says about them now, in the order of the issues.

    `items` are the rows that count. A picture whose like is gone is no copy any more. What is said about classes or
    the whole set is not among them: see `of_classes` and `of_all`.
    """
    found = issues.merge(items[_OF_ITEM], on="item", how="inner")
    members = found.groupby(["check", "group"])["item"].transform("nunique")
    return found[(found["group"] == "") | (members > 1)].reset_index(drop=True)


def of_classes(issues: pd.DataFrame, items: pd.DataFrame) -> dict[str, list[str]]:
    """What was said about whole classes that still have pictures: label -> sentences."""
    said = issues[(issues["item"] == "") & issues["group"].isin(set(items["label"]))]
    return {label: list(rows["words"]) for label, rows in said.groupby("group", sort=False)}


def of_all(issues: pd.DataFrame) -> list[str]:
    """What was said about the whole set."""
    return list(issues.loc[(issues["item"] == "") & (issues["group"] == ""), "words"])


def spares(found: pd.DataFrame) -> list[str]:
    """Pictures of groups that can go so that one of each group is left: the largest, the first of equal ones.

    A group under two labels is left alone: which of them is right is for a person to say.
    """
    grouped = found[found["group"] != ""]
    agreed = grouped[grouped.groupby("group")["label"].transform("nunique") == 1]
    area = agreed["width"] * agreed["height"]
    best = agreed.assign(area=area).sort_values("area", ascending=False, kind="stable").drop_duplicates("group")
    return list(agreed.loc[~agreed["item"].isin(best["item"]), "item"])


def disagreeing(found: pd.DataFrame) -> int:
    """How many groups lie under two labels or more."""
    return int((found[found["group"] != ""].groupby("group")["label"].nunique() > 1).sum())


def one_side(found: pd.DataFrame) -> dict[str, str]:
    """Pictures to move, and where to, so that every group lies on one side: where most of it is, else to learn from."""
    grouped = found[found["group"] != ""]
    share = (grouped["split"] == "valid").groupby(grouped["group"]).transform("mean")
    side = (share > 0.5).map({True: "valid", False: "train"})
    away = (share > 0) & (share < 1) & (grouped["split"] != side)
    return dict(zip(grouped.loc[away, "item"], side[away], strict=True))
