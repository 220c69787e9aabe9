"""Pictures with what a model said about them: rows of a table of answers in; one piece of HTML out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import pandas as pd

from core.plots.style import esc, number, sureness
from core.text import read
from core.ui.gallery import heat_url, thumb_url
from core.ui.readings import Reading

MAPS: Mapping[str, str] = {"off": "Plain", "said": "Heat map for what it said", "label": "for what it is"}


def grid(reading: Reading, rows: pd.DataFrame, *, shown: str) -> str:
    """A card for each row: the picture or a map of it, what the model said, what the label says, and the loss.

    `shown` is one of MAPS: the plain picture, or what in it speaks for the predicted or for the actual class.
    """
    cards = "".join(_card(reading, row, shown) for row in rows.to_dict("records"))
    return f'<div class="read-cards" role="list">{cards}</div>'


def _card(reading: Reading, row: Mapping[str, Any], shown: str) -> str:
    right = row["predicted"] == row["label"]
    name = reading.names.get(row["item"], "")
    source = _source(reading, row, shown)
    large = thumb_url(row["file"], reading.dataset.id, large=True) if shown == "off" else source
    said = f"{esc(name)}: the model says {esc(row['predicted'])}, the label says {esc(row['label'])}"
    return (
        f'<figure class="read-card {"right" if right else "wrong"}" role="listitem">'
        f'<a href="{large}" target="_blank" title="{esc(name)}"><img src="{source}" alt="{said}" loading="lazy"></a>'
        f"<figcaption>{_facts(row)}{_clean(reading, row)}</figcaption></figure>"
    )


def _source(reading: Reading, row: Mapping[str, Any], shown: str) -> str:
    """The address of the picture or of its map; a class that the model does not know has no map."""
    label = row["predicted"] if shown == "said" else row["label"]
    if shown == "off" or label not in reading.classes:
        return thumb_url(row["file"], reading.dataset.id)
    return heat_url(reading.model.id, row["file"], reading.dataset.id, label)


def _facts(row: Mapping[str, Any]) -> str:
    known = bool(row["known"])
    facts = (
        ("says", row["predicted"], sureness(row["p_predicted"])),
        ("is", row["label"], sureness(row["p_label"]) if known else "not known"),
        ("loss", "", number(row["loss"]) if known else "none"),
    )
    return (
        "<dl>"
        + "".join(f"<dt>{what}</dt><dd>{esc(who)}</dd><dd>{esc(size)}</dd>" for what, who, size in facts)
        + "</dl>"
    )


def _clean(reading: Reading, row: Mapping[str, Any]) -> str:
    """The way to the cleaner, with this picture on its desk."""
    asked = {"dataset": reading.dataset.id, "run": reading.model.id, "find": "1", "order": "loss", "view": "one"}
    address = urlencode({**asked, "item": row["item"]})
    return f'<a class="quiet" href="/clean?{address}" target="_self">{read("top_losses", "clean_one")}</a>'
