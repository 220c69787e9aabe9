"""One pass of a model over a data set, as a run: every answer in a table, every picture's activations in an array.

answers.csv        the table of `predictions`, a row per picture that counts, both sides
activations.npy    what the body gave for each row, (rows, 2 * features) float16

Whatever is told about a model reads these two.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.data.events import Progress, Reported
from core.data.table import load_dataset
from core.errors import DataError, NotFound
from core.train.events import Event
from core.train.runs import Run, Stop, load_run
from core.workspace import SCHEMA, check_schema, write_atomic

if TYPE_CHECKING:  # the web server reads answers without torch
    import torch

__all__ = ["ACTIVATIONS", "ANSWERS", "KIND", "load_activations", "load_answers", "perform"]

KIND = "read"
ANSWERS, ACTIVATIONS = "answers.csv", "activations.npy"
TEXTS = ("item", "file", "label", "split", "predicted")
_FIRST_LINE = "# bearings answers, schema "


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Ask the model of the request's run about every picture of its data set that counts; write the two files.

    A pass that is stopped writes nothing, but the activations of a published body are kept in their store.
    """
    from core.train.source import Stopped  # torch takes seconds to import: not for the web server

    try:
        yield from _perform(run, stop)
    except Stopped:
        return


def _perform(run: Run, stop: Stop) -> Iterator[Event]:
    from core.interpret.activations import body_activations
    from core.interpret.predictions import answers, head_scores, load_trained

    request = run.request
    dataset = load_dataset(run.workspace, request["dataset"])
    items = dataset.kept()
    if items.empty:
        raise DataError(f"{dataset.name} has no pictures any more, so there is nothing to ask.", hint="Bring some.")
    trained = load_trained(load_run(run.workspace, request["run"]))
    yield Progress(0, "reading", 0, len(items))
    features = yield from body_activations(
        trained.model, dataset, items, size=trained.size, device=trained.device, pristine=trained.pristine, stop=stop
    )
    table = answers(items, head_scores(trained.model, features), trained.model.classes)
    write_atomic(run.path / ACTIVATIONS, _npy(features))
    write_atomic(run.path / ANSWERS, to_csv(table))  # last: who finds answers finds activations
    valid = table[table["split"] == "valid"]
    wrong = int((valid["predicted"] != valid["label"]).sum())
    yield Reported(0, KIND, {"pictures": len(table), "wrong": wrong, "of": len(valid)}, ())


def _npy(features: torch.Tensor) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, features.cpu().numpy().astype(np.float16), allow_pickle=False)
    return buffer.getvalue()


def to_csv(table: pd.DataFrame) -> str:
    """The text of answers.csv."""
    return f"{_FIRST_LINE}{SCHEMA}\n{table.to_csv(index=False, lineterminator=chr(10), float_format='%.9g')}"


def load_answers(run: Run) -> pd.DataFrame:
    """The table that a pass wrote (columns: see core.interpret.predictions); NotFound while it has not ended."""
    try:
        text = (run.path / ANSWERS).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound("This model has not been asked yet.", hint="Wait until it is done, or start again.") from error
    first, _, rest = text.partition("\n")
    number = first.removeprefix(_FIRST_LINE)
    check_schema(int(number) if number.isdecimal() else None, ANSWERS)
    types = dict.fromkeys(TEXTS, str)
    table = pd.read_csv(io.StringIO(rest), dtype=types, keep_default_na=False, na_values={})
    return table.astype({name: float for name in table.columns if name not in (*TEXTS, "known")})


def load_activations(run: Run) -> np.ndarray:
    """The activations (rows, 2 * features) float16 in the order of the answers, read from the disk as they are used."""
    try:
        found: np.ndarray = np.load(run.path / ACTIVATIONS, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError as error:
        raise NotFound("This model has not been asked yet.", hint="Wait until it is done, or start again.") from error
    return found
