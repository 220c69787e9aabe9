"""A bank of real runs whose cause is known from how they were set up: for tuning and for checking the diagnosis.

    python -m benchmarks.bank [--tasks bears,fashion] [--seeds 4] [--out benchmarks/bank]

A task is a data set, a network and which layers learn. For every seed it is trained at rates over six decades for the
same number of epochs, and at one rate for 1 to 60 epochs. Written are `runs.csv`, one row per run with its set-up and
the finder's rate, `epochs.csv`, its table of epochs, and `batches.csv`, the loss of each batch of runs of one epoch:
four significant digits each. `benchmarks.diagnose` reads them.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from benchmarks.common import say_machine
from core.data.samples import make_sample
from core.data.table import Dataset, load_dataset
from core.settings import Stage, TrainSettings
from core.train.events import History
from core.train.learner import fit
from core.train.lr_finder import range_test
from core.train.steps import begin
from core.workspace import Workspace

FOLDER = Path(__file__).parent / "bank"
RATES = (1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 1.0)
LENGTHS = (1, 2, 4, 8, 16, 30, 60)


@dataclass(frozen=True)
class Task:
    """One kind of training. `lr`: the rate of the runs of several lengths; `rated` the epochs of the sweep of rates.

    `noise` is the share of wrong training labels. All that is not said is as people train.
    """

    sample: str
    per_class: int
    image_size: int
    lr: float
    rated: int = 8
    lengths: tuple[int, ...] = LENGTHS
    rates: tuple[float, ...] = RATES
    noise: float = 0.0
    backbone: str = "lite0"
    weights: str = "pretrained"
    freeze_to: int = -1
    regular: bool = True
    share: float = 1.0
    augment: str = "none"

    def settings(self, seed: int, *, lr: float, epochs: int) -> TrainSettings:
        """One run of this task."""
        spread = lr if self.freeze_to or self.weights == "random" else (lr / 10, lr)
        stage = Stage(epochs=epochs, lr=spread, freeze_to=self.freeze_to, augment=self.augment)
        settings = TrainSettings(
            stages=(stage,), backbone=self.backbone, weights=self.weights, image_size=self.image_size, seed=seed
        )
        free = settings if self.regular else replace(settings, dropout=0.0, weight_decay=0.0)
        return replace(free, train_share=self.share)


_WHOLE = {"freeze_to": 0, "rated": 4, "rates": (1e-6, 1e-5, 1e-4, 3e-4, 1e-3, 1e-2, 1e-1), "lr": 3e-4}
TASKS = {
    "bears": Task("bears", 100, 128, lr=3e-3),
    "bears_small": Task("bears", 40, 128, lr=3e-3),
    "bears_tiny": Task("bears", 20, 224, lr=3e-3),
    "bears_noisy": Task("bears", 60, 128, lr=3e-3, noise=0.3),
    "bears_free": Task("bears", 100, 128, lr=3e-3, regular=False, share=0.3),
    "bears_free_noisy": Task("bears", 40, 224, lr=3e-3, regular=False, noise=0.2),
    "fashion": Task("fashion", 60, 64, lr=3e-3),
    "fashion_free": Task("fashion", 30, 64, lr=3e-3, regular=False),
    "bears_whole": Task("bears", 40, 96, lengths=(1, 2, 4, 8, 16), **_WHOLE),
    "bears_whole_noisy": Task("bears", 30, 96, lengths=(1, 2, 4, 8, 24), noise=0.3, regular=False, **_WHOLE),
    "fashion_whole": Task("fashion", 24, 64, lengths=(1, 2, 4, 8, 16), **_WHOLE),
    "fashion_scratch": Task(
        "fashion", 40, 32, lengths=(1, 2, 4, 8, 16, 40), backbone="resnet18", weights="random",
        **{**_WHOLE, "lr": 3e-3, "rated": 8, "rates": (1e-6, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 1e-1, 1.0)},
    ),
}  # fmt: skip


def runs_of(task: Task) -> list[tuple[float, int]]:
    """Rate and epochs of each run, none twice."""
    pairs = [(lr, task.rated) for lr in task.rates] + [(task.lr, epochs) for epochs in task.lengths]
    return list(dict.fromkeys(pairs))


def data_of(task: Task, home: Path) -> Dataset:
    """The task's pictures: the same for all its seeds, which decide everything else."""
    workspace = Workspace(home)
    for _ in make_sample(workspace, task.sample, name="set", per_class=task.per_class, noise=task.noise):
        pass
    return load_dataset(workspace, "set")


def record(name: str, task: Task, seeds: int, home: Path) -> Iterator[tuple[dict[str, object], History]]:
    """Train every run of a task; yields its set-up and what it told."""
    dataset = data_of(task, home)
    for seed in range(seeds):
        settings = task.settings(seed, lr=task.lr, epochs=1)
        learner = begin(dataset, settings)
        found = range_test(dataset, settings, learner, stage=settings.resolved[0]).suggestions["recommended"].lr
        for lr, epochs in runs_of(task):
            history = History.of(fit(dataset, task.settings(seed, lr=lr, epochs=epochs)))
            started = history.last("started")
            yield (
                {
                    "task": name,
                    "seed": seed,
                    "lr": lr,
                    "epochs": epochs,
                    "suggested_lr": found,
                    "classes": len(started.classes),
                    "n_valid": started.valid,
                    "state": history.last("finished").state,
                },
                history,
            )


def write(rows: list[dict[str, object]], histories: list[History], folder: Path) -> None:
    """The three tables, as short as four digits allow."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = ["train_loss", "valid_loss", "error_rate"]
    epochs = [told.epochs[columns].assign(run=number) for number, told in enumerate(histories)]
    short = [(number, told) for number, told in enumerate(histories) if rows[number]["epochs"] == 1]
    batches = [told.batches[["loss"]].assign(run=number) for number, told in short]
    pd.DataFrame(rows).rename_axis("run").to_csv(folder / "runs.csv", float_format="%.4g")
    for name, tables in (("epochs", epochs), ("batches", batches)):
        table = pd.concat(tables, ignore_index=True)
        table[["run", *(column for column in table if column != "run")]].to_csv(
            folder / f"{name}.csv", index=False, float_format="%.4g"
        )


def main() -> None:
    """Record the bank."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", default=",".join(TASKS))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    say_machine()
    rows: list[dict[str, object]] = []
    histories: list[History] = []
    for name in options.tasks.split(","):
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as home:
            for row, history in record(name, TASKS[name], options.seeds, Path(home)):
                rows.append(row)
                histories.append(history)
        print(f"{name:<20} {len(rows):4} runs so far, {time.perf_counter() - began:6.1f} s", flush=True)
        write(rows, histories, options.out)


if __name__ == "__main__":
    main()
