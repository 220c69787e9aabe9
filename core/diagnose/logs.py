"""Reading a training log of any tool: the text somebody pasted or saved in; a table of epochs out, with our names.

`FORMS` holds the forms that are understood, in the order in which they are tried. A new one is one function from text
to `Rows` (None when the text is not of that form), and one line there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from core.data import text_table
from core.diagnose.log_cells import cleaned, is_binary, meaning
from core.diagnose.log_epochs import MEASURES, epochs_of
from core.diagnose.log_lines import keras, told
from core.diagnose.log_records import printed, records
from core.diagnose.log_rows import Rows
from core.diagnose.log_tables import bracketed, tables
from core.errors import DataError

MAX_BYTES, MAX_LINES, MAX_EPOCHS = 2 * 2**20, 100_000, 10_000
TOOLS = ("fastai", "Keras", "Lightning", "Bearings", "table")
FORMS: Mapping[str, Callable[[str], Rows | None]] = {
    "records": records,
    "printed": printed,
    "keras": keras,
    "tables": tables,
    "bracketed": bracketed,
    "told": told,
}
_NO_TEXT = re.compile(r"[\x00-\x07\x0e-\x1a\x1c-\x1f]")  # a terminal's own marks, backspace and escape, are welcome
_SHORTER_HINT = "Keep the lines that hold one row for each epoch."
_NAMES_HINT = "The first line names the columns, for example: epoch train_loss valid_loss error_rate."


@dataclass(frozen=True)
class Log:
    """A training log as it was understood.

    `epochs`: one row per epoch, `stage` (from 0) and `epoch` first, then train_loss, valid_loss, error_rate, accuracy,
    … as `core.diagnose.diagnose` takes them; a cell that the log leaves empty is None, a loss that is no number is NaN.
    `tool`: one of TOOLS. `skipped`: sentences about what was not understood. `names`: pairs of a column of `epochs` and
    the name it has in the log. `n_valid`: validation pictures, where the log says so.
    """

    epochs: pd.DataFrame
    tool: str
    skipped: tuple[str, ...] = ()
    names: tuple[tuple[str, str], ...] = ()
    n_valid: int | None = None

    @property
    def stages(self) -> int:
        """How many tables, or trainings, follow one another in the log."""
        return int(self.epochs["stage"].max()) + 1


def decode(data: bytes) -> str:
    """The text of a file; DataError for one that is too large or no text."""
    _check_size(len(data))
    return text_table.decode(data, what="The log", refused=_NO_TEXT)


def read_log(text: str) -> Log:
    """Understand a printed or saved table of epochs.

    Takes what fastai, Keras and Lightning print or save, our own tables and JSON lines, and any CSV, tab-separated,
    Markdown or printed table with a line of names. Nothing in it is executed. DataError, in one sentence, for text that
    is empty, longer than 2 MB or no text, and for a table without numbers, without known columns, with a single column
    or with more than 10,000 epochs.
    """
    _check_size(len(text))
    text = cleaned(text)
    if not text.strip():
        raise DataError("There is no log to read: the text is empty.", hint="Paste the table of epochs.")
    if is_binary(text):
        raise DataError("This is not text, so it cannot be a log.", hint="Paste the printed table or save it as CSV.")
    if text.count("\n") > MAX_LINES:
        raise DataError(f"The log has more than {MAX_LINES:,} lines.", hint=_SHORTER_HINT)
    found = next((rows for form in FORMS.values() if (rows := form(text)) is not None and _is_log(rows)), None)
    if found is None:
        raise _not_understood(text)
    table, names = epochs_of(found, most=MAX_EPOCHS)
    return Log(table, found.tool, found.skipped, names, found.n_valid)


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise DataError(
            f"The log has {size / 2**20:.1f} MB; up to {MAX_BYTES // 2**20} MB are read.",
            hint=_SHORTER_HINT,
        )


def _is_log(found: Rows) -> bool:
    """Whether there is something to judge; no rows at all mean that the form was known and no epoch had ended."""
    return not found.rows or any(
        meaning(name) in MEASURES and value is not None for row in found.rows for name, value in row.items()
    )


def _not_understood(text: str) -> DataError:
    """Why there is nothing to read: no numbers, a single column, or no names that say what the numbers are."""
    lines = [line.split() for line in text.split("\n") if line.strip()]
    if not re.search(r"\d", text):
        return DataError("There are no numbers in this text.", hint=_NAMES_HINT)
    if "{" not in text and all(len(cells) == 1 and not re.search(r"[,;|]", cells[0]) for cells in lines):
        return DataError(
            "The log has only one column; a verdict needs at least the epochs and a loss side by side.",
            hint=_NAMES_HINT,
        )
    return DataError(
        "No table of epochs was found: no column is named like a loss, an error rate or an accuracy.",
        hint=_NAMES_HINT,
    )
