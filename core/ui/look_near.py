"""The nearest pictures that a model has learned from: one picture in; those pictures and a sentence about them out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.interpret.neighbours import Company, company, nearest
from core.plots.style import esc
from core.ui import page
from core.ui.gallery import thumb_url
from core.ui.look_pick import WORDS, Row
from core.ui.readings import Reading

AROUND = 5


@dataclass(frozen=True)
class Near:
    """The nearest training pictures, rows of the table of answers, and what their labels say; None without any."""

    rows: pd.DataFrame
    company: Company | None


def near(reading: Reading, row: Row) -> Near:
    """The five nearest pictures that were learned from, without the picture itself and its copies of the same file."""
    found: Near = reading.kept(("looks.near", row["item"]), lambda: _near(reading, row))
    return found


def _near(reading: Reading, row: Row) -> Near:
    table, every = reading.table, reading.activations()
    at = int(np.flatnonzero(table["item"] == row["item"])[0])
    taught = np.flatnonzero((table["split"] == "train") & (table["file"] != row["file"]))
    places, _ = nearest(np.asarray(every[at], dtype=np.float32), every[taught], AROUND)
    rows = table.iloc[taught[places]].reset_index(drop=True)
    return Near(rows, company(str(row["label"]), str(row["predicted"]), rows["label"].tolist()))


def html(reading: Reading, found: Near, row: Row) -> str:
    """The pictures side by side, each with its label; another label than the picture's own is marked."""
    shown = "".join(_one(reading, near_row, row) for near_row in found.rows.to_dict("records"))
    return f'<div class="near" role="list">{shown}</div>'


def _one(reading: Reading, near_row: Row, row: Row) -> str:
    same = near_row["label"] == row["label"]
    name, label = esc(reading.names.get(near_row["item"], "")), esc(near_row["label"])
    source = thumb_url(near_row["file"], reading.dataset.id)
    return (
        f'<figure class="{"same" if same else "other"}" role="listitem">'
        f'<img src="{source}" alt="{name}, labelled {label}" title="{name}" loading="lazy">'
        f"<figcaption>{'' if same else '≠ '}{label}</figcaption></figure>"
    )


def sentence(found: Near, row: Row) -> tuple[str, str]:
    """What the company of a picture says about its label and its answer, and the sentence's colour."""
    its = found.company
    if its is None:
        return page.say(WORDS, "near_none"), ""
    labels = list(dict.fromkeys(found.rows["label"]))
    values = {"own": row["label"], "said": row["predicted"], "most": its.label, "count": its.count, "of": its.of}
    text = page.say(WORDS, f"near_{its.kind}", labels=", ".join(map(str, labels)), **values)
    return text, "attention" if its.kind in ("misled", "doubtful") else ""
