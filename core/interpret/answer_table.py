"""The table of answers to take along: what a pass wrote, and the pictures' names, in; CSV for a spreadsheet out."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from core.data.text_table import to_csv

PREFIX = "p:"
HEADER = ("picture", "label", "split", "predicted", "p_predicted", "p_label", "loss", "certainty")


def spreadsheet(table: pd.DataFrame, names: Mapping[str, str]) -> str:
    """One row per picture: HEADER, then the probability of each class, under its name, as a number from 0 to 1.

    `names` tells how a picture's file was called, by item; one that has no name is called by the hash of its file. A
    cell that a spreadsheet would take for a formula gets an apostrophe in front.
    """
    classes = [name for name in table.columns if name.startswith(PREFIX)]
    header = [*HEADER, *(f"p({name.removeprefix(PREFIX)})" for name in classes)]
    pictures = [names.get(item) or file for item, file in zip(table["item"], table["file"], strict=True)]
    texts = [pictures, *(table[name].tolist() for name in ("label", "split", "predicted"))]
    numbers = [[f"{value:.6g}" for value in table[name]] for name in (*HEADER[4:], *classes)]
    return to_csv(header, zip(*texts, *numbers, strict=True))
