"""Record the five runs of the lab that are shown before anybody has trained: real runs of our learner on the bears.

python -m benchmarks.record_lab [--per-class 100] [--out core/diagnose/recorded]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks.common import make_bears, say_machine
from core.diagnose.lab import ROLES, settings_of
from core.settings import to_record
from core.train.events import History
from core.train.learner import fit

FOLDER = Path(__file__).parents[1] / "core" / "diagnose" / "recorded"
BATCHES = 80


def main() -> None:
    """Train the five and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--per-class", type=int, default=100)
    parser.add_argument("--out", type=Path, default=FOLDER)
    options = parser.parse_args()
    say_machine()
    about, epochs, batches = {}, [], []
    with tempfile.TemporaryDirectory() as home:
        dataset = make_bears(Path(home), 3 * options.per_class)
        for role in ROLES:
            settings = settings_of(role)
            told = History.of(fit(dataset, settings))
            started = told.last("started")
            about[role] = {
                "settings": to_record(settings),
                "state": told.last("finished").state,
                "classes": len(started.classes),
                "n_valid": started.valid,
                "steps": [stage.steps for stage in told.all("stage")],
            }
            columns = ["stage", "epoch", "train_loss", "valid_loss", "error_rate", "wrong", "of"]
            epochs.append(told.epochs[columns].assign(role=role))
            every = max(1, len(told.batches) // BATCHES)
            batches.append(told.batches[["stage", "epoch", "step", "loss"]].iloc[::every].assign(role=role))
            print(role, told.epochs["wrong"].tolist()[-1], "wrong", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "runs.json").write_text(json.dumps(about, indent=1) + "\n")
    pd.concat(epochs).to_csv(options.out / "epochs.csv", index=False, float_format="%.4g")
    pd.concat(batches).to_csv(options.out / "batches.csv", index=False, float_format="%.4g")


if __name__ == "__main__":
    main()
