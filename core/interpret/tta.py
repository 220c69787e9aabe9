"""Test-time augmentation as a run: a model and the exam of a data set in; its answers before and after, a table, out.

Every picture of the exam is looked at five times: plain, and in four versions that are changed as in training. The
probabilities of the versions are averaged, and of that mean and the plain answer a quarter is the plain one's.
"""

from __future__ import annotations

import io
import math
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from core.data.events import Progress, Reported
from core.data.table import Dataset, load_dataset
from core.errors import DataError, NotFound, SettingsError
from core.settings import AUGMENT_PRESETS, TrainSettings
from core.train.events import Event
from core.train.runs import Run, Stop, load_run
from core.workspace import SCHEMA, check_schema, write_atomic

if TYPE_CHECKING:  # pages read what was found without torch
    from core.interpret.predictions import Trained

__all__ = ["FILE", "KIND", "Change", "averaged", "augment_of", "change_of", "load_table", "perform"]

KIND, FILE, PHASE = "tta", "tta.csv", "versions"
VERSIONS = 4
PLAIN_SHARE = 0.25  # fastai's beta
SEED = 0
BATCH = 32
LUCK = 0.05
_FIRST_LINE = "# bearings test-time augmentation, schema "
_TINY = 1e-12  # the least probability that a logarithm is taken of


def averaged(plain: np.ndarray, versions: np.ndarray) -> np.ndarray:
    """Probabilities (n, classes) from those of the plain pictures and of their versions (v, n, classes).

    0.25 * plain + 0.75 * mean(versions): what fastai's `tta` gives with its usual beta.
    """
    found: np.ndarray = PLAIN_SHARE * plain + (1 - PLAIN_SHARE) * versions.mean(axis=0)
    return found


@dataclass(frozen=True)
class Change:
    """What the versions change, over the `of` pictures of an exam whose class the model knows.

    `wrong` answers and mean log loss (nats), each before and after; `mended` pictures are right now and were wrong,
    `spoiled` ones the reverse. `luck`: the chance (0..1) that as many or more of the answers that turned turn one way
    when both ways are as likely (sign test, McNemar 1947). `loss_error`: the standard error of the change of the loss.
    """

    of: int
    wrong: tuple[int, int]
    loss: tuple[float, float]
    mended: int
    spoiled: int
    luck: float
    loss_error: float

    @property
    def clear(self) -> bool:
        """Whether more answers turned one way than luck explains."""
        return self.luck < LUCK

    @property
    def loss_clear(self) -> bool:
        """Whether the loss changed by more than two standard errors."""
        return abs(self.loss[1] - self.loss[0]) > 2 * self.loss_error


def change_of(table: pd.DataFrame) -> Change:
    """What a table of `load_table` says; NotFound where none of its pictures has a class that the model knows."""
    known = table[table["known"]]
    if known.empty:
        raise NotFound("The model knows none of the classes of this exam.", hint="Train a model on these classes.")
    before, after = (known[column] != known["label"] for column in ("predicted", "predicted_after"))
    losses = [-np.log(np.maximum(known[column].to_numpy(), _TINY)) for column in ("p_label", "p_label_after")]
    mended, spoiled = int((before & ~after).sum()), int((~before & after).sum())
    moved = losses[1] - losses[0]
    return Change(
        of=len(known),
        wrong=(int(before.sum()), int(after.sum())),
        loss=(float(losses[0].mean()), float(losses[1].mean())),
        mended=mended,
        spoiled=spoiled,
        luck=sign_test(mended, spoiled),
        loss_error=float(moved.std(ddof=1) / math.sqrt(len(moved))) if len(moved) > 1 else math.inf,
    )


def sign_test(one: int, other: int) -> float:
    """The chance that a fair coin falls as unevenly as this or more so, (0..1): (5, 0) -> 0.0625."""
    tosses = one + other
    ways = sum(math.comb(tosses, count) for count in range(min(one, other) + 1))
    return min(1.0, float(2 * ways / 2**tosses))


def augment_of(settings: TrainSettings) -> str:
    """The preset of versions for a model: that of its last stage with any, else the one for photos."""
    used = [stage.augment for stage in settings.stages if stage.augment != "none"]
    return used[-1] if used else "photos"


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Let the model of the request's "run" look at the exam of its "dataset" five times, in versions of "augment".

    Writes tta.csv; one that is stopped writes nothing.
    """
    from core.train.source import Stopped  # torch takes seconds to import: not for the web server

    try:
        yield from _perform(run, stop)
    except Stopped:
        return


def _perform(run: Run, stop: Stop) -> Iterator[Event]:
    from core.interpret.predictions import load_trained

    request = run.request
    augment = request["augment"]
    if augment not in AUGMENT_PRESETS or augment == "none":
        raise SettingsError(f"There are no versions called {str(augment)[:40]!r}.", hint="Use 'photos'.")
    dataset = load_dataset(run.workspace, request["dataset"])
    items = dataset.kept()
    items = items[items["split"] == "valid"].reset_index(drop=True)
    if items.empty:
        raise DataError(f"{dataset.name} has no pictures for the exam.", hint="Split it anew on the Build page.")
    trained = load_trained(load_run(run.workspace, request["run"]))
    plain, versions = yield from probabilities(trained, dataset, list(items["file"]), augment=augment, stop=stop)
    table = table_of(items, plain, averaged(plain, versions), trained.model.classes)
    write_atomic(run.path / FILE, to_csv(table))
    wrong = [int((table[column] != table["label"]).sum()) for column in ("predicted", "predicted_after")]
    yield Reported(0, KIND, {"wrong": wrong[0], "wrong_after": wrong[1], "of": len(table)}, ())


def probabilities(
    trained: Trained, dataset: Dataset, files: Sequence[str], *, augment: str, seed: int = SEED, stop: Stop
) -> Generator[Progress, None, tuple[np.ndarray, np.ndarray]]:
    """What a model says about the plain pictures (n, classes) and about versions of them (VERSIONS, n, classes).

    Version v of a set of pictures is the same for the same seed. Raises Stopped between batches.
    """
    import torch

    from core.data.pixels import decode_all
    from core.train.source import Stopped
    from core.vision.augment import AUGMENTS, augment_batch

    preset = AUGMENTS[augment]
    if preset is None:
        raise SettingsError("Versions that are not changed say nothing new.", hint="Use 'photos'.")
    chance = [torch.Generator().manual_seed(VERSIONS * seed + version) for version in range(VERSIONS)]
    found: list[np.ndarray] = []
    done = 0
    yield Progress(0, PHASE, 0, len(files))
    for images in decode_all([dataset.image_path(sha) for sha in files], trained.size, batch=BATCH):
        if stop():
            raise Stopped
        looks = [images, *(augment_batch(images, preset, generator=one) for one in chance)]
        found.append(np.stack([_look(trained, look) for look in looks]))
        done += len(images)
        yield Progress(0, PHASE, done, len(files))
    every = np.concatenate(found, axis=1)
    return every[0], every[1:]


def _look(trained: Trained, images: object) -> np.ndarray:
    """Probabilities (b, classes) float64 for pictures (b, 3, S, S), computed as in an exam."""
    import torch

    with torch.inference_mode():
        trained.model.eval()
        with trained.device.autocast():
            pooled = trained.model.pooled(images.to(trained.device.torch))  # type: ignore[attr-defined]
        scores = trained.model.head(pooled.float()).double()
        found: np.ndarray = scores.softmax(1).cpu().numpy()
    return found


def table_of(items: pd.DataFrame, plain: np.ndarray, after: np.ndarray, classes: tuple[str, ...]) -> pd.DataFrame:
    """One row per picture: item, file, label, known, and predicted, p_predicted, p_label before and `_after`."""
    index = {label: place for place, label in enumerate(classes)}
    own = np.array([index.get(label, -1) for label in items["label"]], dtype=int)
    rows, known, names = np.arange(len(items)), own >= 0, np.array(classes, dtype=object)
    made: dict[str, np.ndarray] = {"known": known}
    for ending, probs in (("", plain), ("_after", after)):
        made[f"predicted{ending}"] = names[probs.argmax(axis=1)]
        made[f"p_predicted{ending}"] = probs.max(axis=1)
        made[f"p_label{ending}"] = np.where(known, probs[rows, own], 0.0)
    return pd.concat([items[["item", "file", "label"]].reset_index(drop=True), pd.DataFrame(made)], axis=1)


def to_csv(table: pd.DataFrame) -> str:
    """The text of tta.csv."""
    return f"{_FIRST_LINE}{SCHEMA}\n{table.to_csv(index=False, lineterminator=chr(10), float_format='%.9g')}"


def load_table(run: Run) -> pd.DataFrame:
    """What a run wrote down (columns: see `table_of`); NotFound while it has not ended."""
    try:
        text = (run.path / FILE).read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            "These pictures were not looked at yet.", hint="Wait until it is done, or start again."
        ) from error
    first, _, rest = text.partition("\n")
    number = first.removeprefix(_FIRST_LINE)
    check_schema(int(number) if number.isdecimal() else None, FILE)
    types = dict.fromkeys(("item", "file", "label", "predicted", "predicted_after"), str)
    return pd.read_csv(io.StringIO(rest), dtype=types, keep_default_na=False, na_values={})
