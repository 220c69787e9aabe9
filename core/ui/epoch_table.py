"""The table of epochs of a run as a page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.plots.style import esc, number
from core.plots.training import epochs_table


def epochs_html(epochs: pd.DataFrame) -> str:
    """The table of epochs; the one with the lowest validation loss is marked with a dot, not by colour alone."""
    table = epochs_table(epochs)
    best = int(epochs["valid_loss"].argmin())
    head = "".join(f"<th>{esc(name)}</th>" for name in table.columns)
    rows = [_row(record, place == best) for place, record in enumerate(table.to_dict("records"))]
    return f'<div class="epochs"><table><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _row(record: Mapping[str, Any], best: bool) -> str:
    cells = []
    for name, value in record.items():
        if name == "epoch":
            text = f"● {value}" if best else str(value)
        elif name == "error":
            text = f"{100 * value:.1f} %"
        elif name == "time (s)":
            text = f"{value:.2f}"
        elif isinstance(value, float):
            text = f"{value:.4f}" if abs(value) < 100 and name != "images / s" else number(value)
        else:
            text = str(value)
        cells.append(f"<td>{esc(text)}</td>")
    return f"<tr{' class=best' if best else ''}>{''.join(cells)}</tr>"
