"""The bank of real runs: how right verdicts are on the half that nothing was tuned on, and what must never happen."""

import pandas as pd
import pytest

from benchmarks.bank import FOLDER, TASKS, runs_of
from benchmarks.diagnose import KINDS, causes, judged


@pytest.fixture(scope="module")
def bank():
    runs = pd.read_csv(FOLDER / "runs.csv", index_col="run")
    epochs, batches = (pd.read_csv(FOLDER / f"{name}.csv") for name in ("epochs", "batches"))
    runs["cause"] = causes(runs, epochs)
    odd = runs[runs["seed"] % 2 == 1]
    seen = [finding.kind for finding in judged(odd, epochs, batches, known=True)]
    return runs, odd.assign(seen=seen)


def test_the_bank_is_large_and_holds_every_cause(bank):
    runs, _ = bank
    assert len(runs) == sum(len(runs_of(task)) for task in TASKS.values()) * runs["seed"].nunique()
    assert (runs["cause"] != "").sum() >= 200 and set(runs["cause"]) == {"", *KINDS}


def test_nine_verdicts_in_ten_are_right_on_the_half_that_nothing_was_tuned_on(bank):
    known = bank[1][bank[1]["cause"] != ""]
    assert (known["cause"] == known["seen"]).mean() >= 0.9


def test_a_diverged_run_is_never_healthy(bank):
    diverged = bank[1][bank[1]["state"] == "diverged"]
    assert len(diverged) and not (diverged["seen"] == "healthy").any()


def test_at_most_two_healthy_runs_in_a_hundred_are_called_overfitted(bank):
    healthy = bank[1][bank[1]["cause"] == "healthy"]
    assert len(healthy) >= 40 and (healthy["seen"] == "overfit").mean() <= 0.02
