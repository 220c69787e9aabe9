"""What tests of the script share: small runs of every sort, and one process in which all of their scripts run."""

import contextlib
import io
import json
import os
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np

from core.data.mistakes import add_mistake
from core.data.table import Dataset
from core.deploy.pictures import pictures_zip
from core.settings import Stage, TrainSettings, to_record
from core.train.events import EpochDone
from core.train.runs import Run, append_event, create_run, history
from core.train.train_run import train_run
from core.workspace import new_id
from tests.conftest import colour_jpeg

SMALL = {"image_size": 32, "batch_size": 8}
CASES = {
    "quick": TrainSettings(image_size=32, stages=(Stage(epochs=3),)),
    "augmented": TrainSettings(image_size=32, precision="float32", stages=(Stage(epochs=2, augment="photos"),)),
    "standard": TrainSettings(
        **SMALL, stages=(Stage(epochs=1), Stage(epochs=2, lr=(1e-5, 3e-4), freeze_to=0, augment="photos"))
    ),
    "every_option_differs": TrainSettings(
        **SMALL,
        keep_best=True,
        patience=1,
        train_share=0.8,
        stages=(
            Stage(epochs=2, balance="oversample", label_smoothing=0.1, options={"pct_start": 0.5}),
            Stage(
                epochs=2, mixup=0.4, weight_decay=0.1, dropout=0.2, precision="float32", balance="weights",
                schedule="sgdr", options={"cycle_mult": 2},
            ),
            Stage(
                epochs=3, lr=(None, 1e-3), freeze_to=1, image_size=64, batch_size=4, mixup=0.3, augment="top_down",
                precision="bfloat16", schedule="flat_cos",
            ),
            Stage(epochs=1, lr=1e-4, freeze_to=0, schedule="step", augment="photos"),
            Stage(epochs=1, lr=1e-4, schedule="linear", data="mistakes"),
        ),
    ),
    "every_option_in_one_stage": TrainSettings(
        **SMALL,
        seed=7,
        keep_best=True,
        patience=1,
        train_share=0.8,
        weight_decay=0.1,
        dropout=0.3,
        stages=(
            Stage(
                epochs=3, lr=(1e-4, 1e-3), freeze_to=1, mixup=0.4, label_smoothing=0.1, balance="oversample",
                augment="top_down", schedule="sgdr", options={"cycle_len": 1},
            ),
        ),
    ),
    "found_rates": TrainSettings(
        **SMALL, stages=(Stage(epochs=1, find_lr=True), Stage(epochs=1, lr=(None, 1e-3), freeze_to=0, find_lr=True))
    ),
    "mistakes": TrainSettings(**SMALL, stages=(Stage(epochs=2, data="mistakes", balance="weights"),)),
    "painted": TrainSettings(
        **SMALL,
        stages=(
            Stage(epochs=1),
            Stage(
                epochs=2, schedule="painted", options={"places": (0, 0.3, 0.8, 1), "heights": [0.2, 1, 0.4, 0.05]}
            ),
        ),
    ),
    "random_resnet": TrainSettings(
        **SMALL, backbone="resnet18", weights="random", stages=(Stage(epochs=1, freeze_to=0),)
    ),
    "exploded": TrainSettings(**SMALL, stages=(Stage(epochs=3, lr=1e5, freeze_to=0, schedule="constant"),)),
}  # fmt: skip
DRIVER = """
import contextlib, io, json, runpy, sys
try:
    import core
except ModuleNotFoundError:
    pass
else:
    sys.exit("core can be imported")
told = {}
for name, script, folder in json.load(sys.stdin):
    sys.argv = [script, folder] if folder else [script]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        runpy.run_path(script, run_name="__main__")
    told[name] = printed.getvalue()
print(json.dumps(told))
"""


def trained(
    dataset: Dataset, settings: TrainSettings, *, start=None, epochs: int | None = None, keeps: bool = False
) -> Run:
    """A run that was trained here; with `epochs` somebody stopped it after so many. Without `keeps` no weights stay."""
    request = {"dataset": dataset.id, "settings": to_record(settings), "preset": "own"}
    run = create_run(dataset.workspace, "train", request | ({"start": start} if start else {}))
    done: list[str] = []

    def stop() -> bool:
        return epochs is not None and done.count(EpochDone.kind) >= epochs

    with mock.patch("core.train.found_rates.STEPS_BETWEEN", 15), contextlib.ExitStack() as patches:
        if not keeps:  # a checkpoint takes as long as an epoch of so few pictures
            patches.enter_context(mock.patch("core.train.train_run.write_checkpoint"))
            patches.enter_context(mock.patch("core.train.train_run.same_file"))
        for seq, event in enumerate(train_run(run, stop)):
            append_event(run, replace(event, seq=seq))
            done.append(event.kind)
    return run


def keep_mistakes(dataset: Dataset, count: int = 3) -> None:
    """Put a few pictures into the set of mistakes."""
    rng = np.random.default_rng(5)
    for number in range(count):
        add_mistake(
            dataset, colour_jpeg(rng, number % 3), label="rgb"[number % 3], said="x", probability=0.9, run=new_id()
        )


def unpacked(run: Run, folder: Path) -> Path:
    """The folder that somebody has who downloaded the pictures of a run and unpacked them."""
    folder.mkdir()
    pictures_zip(run, folder / "pictures.zip")
    zipfile.ZipFile(io.BytesIO((folder / "pictures.zip").read_bytes())).extractall(folder)
    return folder


def printed_by(scripts: list[tuple[str, Path, Path | None]], folder: Path) -> dict[str, list[list[str]]]:
    """The rows that scripts print, cell by cell; they run one after the other in one process without the lab.

    Each is a name, a file and the folder of its pictures (None: it looks beside itself).
    """
    asked = [(name, str(script), str(pictures) if pictures else None) for name, script, pictures in scripts]
    done = subprocess.run(
        [sys.executable, "-I", "-c", DRIVER],
        input=json.dumps(asked),
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return {name: [line.split() for line in text.splitlines()] for name, text in json.loads(done.stdout).items()}


def table_of(*runs: Run) -> list[list[str]]:
    """The epochs of runs as a script has to print them."""
    rows = [row for run in runs for row in history(run).epochs.itertuples()]
    return [
        [
            str(number), f"{row.train_loss_smooth:.4f}", f"{row.valid_loss:.4f}", f"{row.error_rate:.4f}",
            str(row.wrong), "of", str(row.of), f"{row.train_loss:.4f}", f"{row.train_loss_eval:.4f}", f"{row.lr:.3g}",
        ]
        for number, row in enumerate(rows, start=1)
    ]  # fmt: skip
