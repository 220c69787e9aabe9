"""The search for suspects: a run's request in; a table of what is odd about every picture, and counts, out.

The model of a run says what it thinks of each picture, heads that never saw it say what they think of its label, and
copies are put into groups. `ORDERS` brings the most suspicious pictures to the front.
"""

from __future__ import annotations

import io
from collections.abc import Generator, Hashable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.data import pool
from core.data.copies import kept_pairs
from core.data.events import Progress, Reported
from core.data.looks import scan
from core.data.similar import group_rows
from core.data.split import binding
from core.data.table import Dataset, load_dataset, read_items
from core.errors import DataError, NotFound
from core.interpret.folds import FOLDS, deal, judge
from core.interpret.label_errors import find_label_errors
from core.interpret.orders import ALONE, ORDERS
from core.train.events import Event
from core.train.runs import Run, Stop, load_run
from core.workspace import SCHEMA, check_schema, write_atomic

if TYPE_CHECKING:  # the web server reads and orders suspects without torch
    from core.interpret.predictions import Trained

__all__ = ["COLUMNS", "FILE", "ORDERS", "load_suspects", "perform"]

FILE = "suspects.csv"
SEED = 0  # of the folds: the same data gives the same suspects
TEXTS = ("item", "file", "label", "split", "predicted", "second", "fold_guess")
NUMBERS = ("p_predicted", "p_second", "p_label", "loss", "certainty", "fold_p_guess", "fold_p_label", "doubt")
FLAGS = ("known", "label_error")
COLUMNS = (*TEXTS, *NUMBERS, *FLAGS, "group")
_FIRST_LINE = "# bearings suspects, schema "


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Search the data set of the request with the model of its run; write suspects.csv, and report what was found.

    With "against", the id of an older run, both models are also asked about the same validation pictures with their
    labels of today. A search that is stopped writes nothing.
    """
    from core.train.source import Stopped

    try:
        yield from _perform(run, stop)
    except (Stopped, pool.Stopped):
        return


def _perform(run: Run, stop: Stop) -> Iterator[Event]:
    from core.interpret.predictions import load_trained, predicting

    request = run.request
    model, dataset = load_run(run.workspace, request["run"]), load_dataset(run.workspace, request["dataset"])
    items = dataset.kept()
    if items["label"].nunique() < 2:
        raise DataError(
            f"{dataset.name} has pictures of {items['label'].nunique()} class; suspects need at least 2 classes.",
            hint="Add pictures of another class, or switch one on.",
        )
    trained = load_trained(model)
    table = _with_second((yield from predicting(trained, dataset, items=items, stop=stop)))
    groups = yield from _groups(dataset, items, stop)
    table = table.assign(**(yield from _judged(trained, dataset, items, groups=groups, stop=stop)), group=groups)
    found, models = _counts(table), {"this": model}
    if request.get("against"):
        models["the older"] = load_run(run.workspace, request["against"])
        before = yield from predicting(load_trained(models["the older"]), dataset, items=items, stop=stop)
        found = {"before_wrong": _wrong(before), **found}
    write_atomic(run.path / FILE, to_csv(table))
    yield Reported(0, "suspects", found, tuple(_notes(models, items)))


def _with_second(table: pd.DataFrame) -> pd.DataFrame:
    """Predictions with the second class and its probability in place of those of all classes."""
    from core.interpret.predictions import PREFIX, class_probs

    classes, probs = class_probs(table)
    place = np.argsort(-probs, axis=1, kind="stable")[:, 1]
    kept = table[[column for column in table.columns if not column.startswith(PREFIX)]]
    return kept.assign(
        second=np.array(classes, dtype=object)[place], p_second=np.take_along_axis(probs, place[:, None], 1)[:, 0]
    )


def _groups(dataset: Dataset, items: pd.DataFrame, stop: Stop) -> Generator[Progress, None, np.ndarray]:
    """The number of the group of copies that each row belongs to; ALONE for most."""
    cache, files = dataset.workspace.cache, list(items["file"])
    looks = yield from scan(cache, files, dataset.image_path, stop=stop)
    groups = group_rows(files, looks, pairs=kept_pairs(looks, cache))
    return np.array([ALONE if number is None else number for number in groups], dtype=int)


def _judged(
    trained: Trained, dataset: Dataset, items: pd.DataFrame, *, groups: np.ndarray, stop: Stop
) -> Generator[Progress, None, dict[str, np.ndarray]]:
    """What heads that never saw a picture, nor a copy of it, say about its label."""
    from core.interpret.activations import published_activations
    from core.train.source import Stopped

    features = yield from published_activations(
        trained.model.backbone.name, dataset, items, size=trained.size, device=trained.device, stop=stop
    )
    classes, labels = np.unique(items["label"].to_numpy(dtype=object), return_inverse=True)
    dealt = deal(labels, seed=SEED, groups=_together(items, groups))
    probs = np.zeros((len(items), len(classes)))
    yield Progress(0, "suspects", 0, FOLDS)
    for done, judged in enumerate(judge(features.cpu().numpy(), labels, dealt, classes=len(classes)), start=1):
        probs[judged.rows] = judged.probs
        yield Progress(0, "suspects", min(done, FOLDS), FOLDS)
        if stop():
            raise Stopped
    found, rows = find_label_errors(probs, labels), np.arange(len(items))
    guess = np.where(found.is_error, found.likely, probs.argmax(axis=1))
    return {
        "fold_guess": classes[guess],
        "fold_p_guess": probs[rows, guess],
        "fold_p_label": probs[rows, labels],
        "doubt": found.doubt,
        "label_error": found.is_error,
    }


def _together(items: pd.DataFrame, groups: np.ndarray) -> list[Hashable]:
    """What may not be torn apart, one name per row: near-copies, but for a class that is mostly one shot, and one file.

    Such a class could not be judged by heads that have seen none of it.
    """
    kept, _ = binding(list(items["label"]), [None if group == ALONE else int(group) for group in groups])
    return [file if group is None else group for file, group in zip(items["file"], kept, strict=True)]


def _wrong(table: pd.DataFrame) -> int:
    valid = table[table["split"] == "valid"]
    return int((valid["predicted"] != valid["label"]).sum())


def _counts(table: pd.DataFrame) -> dict[str, int]:
    return {
        "after_wrong": _wrong(table),
        "of": int((table["split"] == "valid").sum()),
        "pictures": len(table),
        "label_errors": int(table["label_error"].sum()),
        "duplicates": int((table["group"] != ALONE).sum()),
    }


def _notes(models: dict[str, Run], items: pd.DataFrame) -> list[str]:
    """A sentence for each model that learned from pictures it is examined on now, since pictures changed sides."""
    exam = set(items.loc[items["split"] == "valid", "file"])
    notes = []
    for name, run in models.items():
        learned = read_items(run.path / "items.csv")
        learned = learned[(learned["status"] == "kept") & (learned["split"] == "train")]
        seen = len(exam & set(learned["file"]))
        if seen:
            pictures = "1 picture" if seen == 1 else f"{seen} pictures"
            notes.append(f"{name.capitalize()} model learned from {pictures} of today's exam: its count is too good.")
    return notes


def to_csv(table: pd.DataFrame) -> str:
    """The text of suspects.csv: one row per picture in the order of the data set's table (columns: COLUMNS)."""
    text: str = table[list(COLUMNS)].to_csv(index=False, lineterminator="\n", float_format="%.6g")
    return f"{_FIRST_LINE}{SCHEMA}\n{text}"


def load_suspects(run: Run) -> pd.DataFrame:
    """What a search wrote down; NotFound while it has not ended. Bring it into an order with one of ORDERS."""
    try:
        text = (run.path / FILE).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            "This search has found nothing yet.", hint="Wait until it is done, or start it again."
        ) from error
    first, _, rest = text.partition("\n")
    number = first.removeprefix(_FIRST_LINE)
    check_schema(int(number) if number.isdecimal() else None, FILE)
    types = {**dict.fromkeys(TEXTS, str), **dict.fromkeys(NUMBERS, float), **dict.fromkeys(FLAGS, bool), "group": int}
    return pd.read_csv(io.StringIO(rest), dtype=types, keep_default_na=False, na_filter=False)
