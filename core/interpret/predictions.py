"""One pass, one table: a trained run and a data set in, what the model says about every picture out.

Everything that is told about a model's answers is a view on this table. Where the body is as published, the activations
come from the store that training filled, and the table is there in well under a second.
"""

from __future__ import annotations

import math
from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from core import settings as settings_of
from core.data.events import Progress
from core.data.table import Dataset
from core.errors import ModelError, SettingsError
from core.interpret.activations import body_activations
from core.interpret.metrics import confusion as confusion
from core.interpret.metrics import most_confused as most_confused
from core.interpret.metrics import top_losses as top_losses
from core.train.checkpoint import read_checkpoint, restore_model
from core.train.runs import BEST, LAST, Run
from core.train.source import Stop
from core.vision.device import Device, pick_device
from core.vision.model import Classifier

CHECKPOINTS = {"last": LAST, "best": BEST}
PREFIX = "p:"  # of the columns that hold the probability of one class
LOSS_UNKNOWN = -math.log(1e-12)  # for a label that the model has never heard of
AT_ONCE = 1024


@dataclass(frozen=True)
class Trained:
    """The model of a run, on the device it was trained on. `pristine`: its body is still as published."""

    model: Classifier
    device: Device
    size: int
    pristine: bool


def load_trained(run: Run, *, checkpoint: str = "last") -> Trained:
    """The model of a run's last or best epoch; ModelError when there is none."""
    if checkpoint not in CHECKPOINTS:
        raise SettingsError(
            f"There is no checkpoint {checkpoint!r}; there are {', '.join(CHECKPOINTS)}.", hint="Use 'last'."
        )
    if run.kind != "train":
        raise ModelError("This run trained no model.", hint="Choose a training run.")
    found = read_checkpoint(run.path / CHECKPOINTS[checkpoint])
    settings = settings_of.from_record(found.meta["settings"])
    device = pick_device(settings.device, settings.resolved[found.meta["stage"]].precision or "auto")
    pristine = found.meta["body"] == "pretrained"
    return Trained(restore_model(found).to(device.torch), device, found.meta["image_size"], pristine)


def predictions(
    run: Run,
    dataset: Dataset,
    *,
    checkpoint: str = "last",
    items: pd.DataFrame | None = None,
    stop: Stop = lambda: False,
) -> pd.DataFrame:
    """What the model of `run` says about the pictures of `dataset` that count, one row each in the table's order.

    Columns: item, file, label, split; `predicted`, the class with the highest probability, and `p_predicted`;
    `p_label`, the label's probability; `known`, whether the model has a class of that name (else p_label is 0 and the
    loss LOSS_UNKNOWN); `loss`, cross-entropy in nats; `certainty`, the lead of the first class over the second,
    0 (cannot decide) to 1; `log_sum`, the logarithm of the sum of e to the scores, so that a class's score is its
    log-probability plus log_sum; and one column "p:<class>" per class of the model, which sum to 1.
    `checkpoint` is "last", the epoch whose error the run reports, or "best", the one with the lowest loss. `items`
    replaces the data set's own table. Raises Stopped soon after `stop()` turns true.
    """
    steps = predicting(load_trained(run, checkpoint=checkpoint), dataset, items=items, stop=stop)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            table: pd.DataFrame = done.value
            return table


def predicting(
    trained: Trained, dataset: Dataset, *, items: pd.DataFrame | None = None, stop: Stop = lambda: False
) -> Generator[Progress, None, pd.DataFrame]:
    """`predictions` that tells how far it is, and returns the table."""
    rows = dataset.kept() if items is None else items
    features = yield from body_activations(
        trained.model,
        dataset,
        rows,
        size=trained.size,
        device=trained.device,
        pristine=trained.pristine,
        stop=stop,
    )
    return answers(rows, head_scores(trained.model, features), trained.model.classes)


@torch.inference_mode()
def head_scores(model: Classifier, features: torch.Tensor) -> np.ndarray:
    """Scores (n, classes) float64 of the model's head for activations (n, 2 * features)."""
    model.eval()
    scores = [model.head(some).cpu().double() for some in torch.split(features, AT_ONCE)]
    found: np.ndarray = torch.cat(scores).numpy()
    if not np.isfinite(found).all():
        raise ModelError("This model's answers are no numbers.", hint="Train again, at a lower learning rate.")
    return found


def answers(items: pd.DataFrame, scores: np.ndarray, classes: tuple[str, ...]) -> pd.DataFrame:
    """The table of `predictions` from scores (n, classes) for the rows of an items table."""
    largest = scores.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(scores - largest).sum(axis=1, keepdims=True)) + largest
    logs = scores - log_sums
    probs, index = np.exp(logs), {label: number for number, label in enumerate(classes)}
    own = np.array([index.get(label, -1) for label in items["label"]], dtype=int)
    rows, known, best = np.arange(len(items)), own >= 0, probs.argmax(axis=1)
    two = np.sort(probs, axis=1)[:, -2:]
    made = {
        "predicted": [classes[number] for number in best],
        "p_predicted": probs[rows, best],
        "p_label": np.where(known, probs[rows, own], 0.0),
        "known": known,
        "loss": np.where(known, np.abs(logs[rows, own]), LOSS_UNKNOWN),
        "certainty": two[:, -1] - two[:, 0],
        "log_sum": log_sums[:, 0],
        **{f"{PREFIX}{label}": probs[:, number] for number, label in enumerate(classes)},
    }
    table = items[["item", "file", "label", "split"]].reset_index(drop=True)
    return pd.concat([table, pd.DataFrame(made)], axis=1)


def class_probs(table: pd.DataFrame) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes of a table of predictions and their probabilities (n, classes)."""
    columns = [column for column in table.columns if column.startswith(PREFIX)]
    return tuple(column.removeprefix(PREFIX) for column in columns), table[columns].to_numpy(dtype=float)
