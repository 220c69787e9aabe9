"""How right the diagnosis is on the bank of real runs, and whether its repairs help.

    python -m benchmarks.diagnose [--bank benchmarks/bank] [--half tuned|held_out|both] [--repairs 24] [--misses]

The cause of a run is known from how it was set up, see `causes`. Even seeds are the half that thresholds were tuned on,
odd ones the half that is reported. Prints the confusion matrix with everything known, and with the curve alone.
"""

from __future__ import annotations

import argparse
import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.bank import FOLDER, TASKS, data_of
from benchmarks.common import say_machine
from core.diagnose import Finding, diagnose
from core.diagnose.curves import noise_of
from core.diagnose.repairs import repair
from core.train.checkpoint import Checkpoint
from core.train.events import EpochDone
from core.train.learner import fit

KINDS = ("lr_too_high", "lr_too_low", "too_few_epochs", "overfit", "healthy")
SEEN = (*KINDS, "cant_tell")
FAR = 10.0  # a rate so many times the highest good one, or below the lowest, is at fault
LONG, SHORT = 3.0, 0.26  # epochs over the best number of them
CLIMB = 1.1
BY_HEART = 0.1  # training loss over that of knowing nothing


def causes(runs: pd.DataFrame, epochs: pd.DataFrame) -> pd.Series:
    """The cause of every run by its set-up, or "" where the set-up does not decide it.

    The good rates of a task are those of its sweep whose mean error is the lowest but for half of what is noise, and
    whose mean validation loss is at most twice the lowest. The best number of epochs has the lowest mean validation
    loss. A rate of ten times the highest good one is too high where that did harm: the loss ended at twice the best
    or more. At a tenth of the lowest it is too low where the error ended worse than the best by more than noise.
    Between the good rates the length decides: too few epochs at a quarter of the best number or less, where the error
    ended worse by more than noise; overfitted at three times the number or more where validation loss climbed by a
    tenth while training loss fell or was a tenth of that of guessing, or the error got worse by more than noise;
    healthy where neither shows, the error is within noise of the best of the task, and it is clearly below guessing.
    """
    ends = epochs.groupby("run").last()
    table = runs.assign(loss=ends["valid_loss"].fillna(np.inf), error=ends["error_rate"].fillna(1.0))
    table.loc[table["state"] == "diverged", "loss"] = np.inf
    found = pd.Series("", index=runs.index)
    for name, part in table.groupby("task"):
        task = TASKS[str(name)]
        lowest, highest = _good_rates(part[part["epochs"] == task.rated])
        lengths = part[part["lr"] == task.lr].groupby("epochs")["loss"].mean()
        best_length, best_loss = float(lengths.idxmin()), part.groupby(["lr", "epochs"])["loss"].mean().min()
        best_error = part.groupby(["lr", "epochs"])["error"].mean().min()
        for run, row in part.iterrows():
            worse = row["error"] - best_error > noise_of((row["error"] + best_error) / 2, row["n_valid"])
            if row["lr"] >= 0.99 * FAR * highest:
                found[run] = "lr_too_high" if row["loss"] >= 2 * best_loss else ""
            elif row["lr"] <= 1.01 * lowest / FAR:
                found[run] = "lr_too_low" if worse else ""
            elif lowest <= row["lr"] <= highest:
                log, length = epochs[epochs["run"] == run], row["epochs"] / best_length
                found[run] = _by_length(log, length, worse=worse, n_valid=row["n_valid"], classes=row["classes"])
    return found


def _good_rates(sweep: pd.DataFrame) -> tuple[float, float]:
    """The lowest and the highest of the rates that did well."""
    mean = sweep.groupby("lr")[["error", "loss"]].mean()
    least = float(mean["error"].min())
    good = mean[(mean["error"] <= least + noise_of(least, int(sweep["n_valid"].iloc[0])) / 2)]
    good = good[good["loss"] <= 2 * good["loss"].min()]
    return float(good.index.min()), float(good.index.max())


def _by_length(epochs: pd.DataFrame, length: float, *, worse: bool, n_valid: int, classes: int) -> str:
    if length <= SHORT and worse:
        return "too_few_epochs"
    overfits = _overfits(epochs, n_valid, classes)
    if length >= LONG and overfits:
        return "overfit"
    learned = epochs["error_rate"].iloc[-1] < 0.6 * (1 - 1 / classes)
    return "healthy" if length > SHORT and learned and not worse and not overfits else ""


def _overfits(epochs: pd.DataFrame, n_valid: int, classes: int) -> bool:
    loss, error, train = (epochs[name].to_numpy() for name in ("valid_loss", "error_rate", "train_loss"))
    low = int(loss.argmin())
    fits = np.median(train[-5:]) < max(train[low], BY_HEART * math.log(classes))
    climbed = loss[-3:].mean() >= CLIMB * loss[low] and fits
    best = float(error.min())
    return bool(climbed or error[-3:].mean() - best > noise_of(best, n_valid))


def judged(runs: pd.DataFrame, epochs: pd.DataFrame, batches: pd.DataFrame, *, known: bool) -> list[Finding]:
    """The verdict on every run: with all that the app knows of it, or from its table of epochs alone."""
    verdicts = []
    for run, row in runs.iterrows():
        log = epochs[epochs["run"] == run].drop(columns="run").reset_index(drop=True)
        facts = {name: row[name] for name in ("lr", "suggested_lr", "classes", "n_valid")} if known else {}
        if known and row["epochs"] == 1:
            facts["batches"] = batches[batches["run"] == run]
        verdicts.append(diagnose(log, **facts)[0])
    return verdicts


def show(runs: pd.DataFrame, kinds: list[str], title: str) -> None:
    """The confusion matrix of one half, and the three figures that were asked for."""
    table = runs.assign(seen=kinds)
    table = table[table["cause"] != ""]
    matrix = pd.crosstab(table["cause"], table["seen"]).reindex(index=list(KINDS), columns=list(SEEN), fill_value=0)
    right = (table["cause"] == table["seen"]).mean()
    healthy, diverged = table[table["cause"] == "healthy"], table[table["state"] == "diverged"]
    print(f"\n{title}: {len(table)} runs, {right:.1%} right\n{matrix.to_string()}")
    print(f"  healthy runs called overfit: {(healthy['seen'] == 'overfit').mean():.1%} of {len(healthy)}")
    print(f"  diverged runs called healthy: {(diverged['seen'] == 'healthy').sum()} of {len(diverged)}")


def show_misses(runs: pd.DataFrame, epochs: pd.DataFrame, kinds: list[str]) -> None:
    """Every run that was judged otherwise than it was set up."""
    for (run, row), kind in zip(runs.iterrows(), kinds, strict=True):
        if row["cause"] not in ("", kind):
            log = epochs[epochs["run"] == run]
            rows = log[["train_loss", "valid_loss", "error_rate"]].itertuples(index=False)
            text = " ".join(f"{t:.3g}/{v:.3g}/{e * row['n_valid']:.0f}" for t, v, e in rows)
            about = f"lr {row['lr']:g} (finder {row['suggested_lr']:.2g}) {row['epochs']} epochs, of {row['n_valid']}"
            print(f"{run} {row['task']} seed {row['seed']} {about}: {row['cause']} seen as {kind}\n    {text[:700]}")


def mended(runs: pd.DataFrame, wanted: int) -> None:
    """Train faulty set-ups again, press the fix of their finding, and count how often that is better.

    Better is fewer wrong by more than noise; where the errors are not told apart, a lower validation loss.
    """
    faulty = runs[(runs["cause"] != "") & (runs["cause"] != "healthy") & (runs["seed"] % 2 == 1)]
    of_task = faulty.groupby(["cause", "task"]).cumcount()
    spread = faulty.assign(of_task=of_task).sort_values(["of_task", "task"], kind="stable")
    chosen = spread.assign(turn=spread.groupby("cause").cumcount()).sort_values("turn", kind="stable").head(wanted)
    better, total = 0, 0
    for name, part in chosen.groupby("task"):
        with tempfile.TemporaryDirectory() as home:
            dataset = data_of(TASKS[str(name)], Path(home))
            for _, row in part.iterrows():
                outcome = _mend(dataset, row)
                total += 1
                better += outcome.startswith("better")
                print(f"  {row['cause']:<15} {name:<18} seed {row['seed']}: {outcome}", flush=True)
    print(f"repaired runs better than the faulty ones: {better} of {total}, {better / max(1, total):.0%}")


def _mend(dataset: object, row: Mapping[str, object]) -> str:
    settings = TASKS[str(row["task"])].settings(row["seed"], lr=row["lr"], epochs=row["epochs"])
    before, last = _trained(dataset, settings, None)
    facts = {name: row[name] for name in ("lr", "suggested_lr", "classes", "n_valid")}
    finding = diagnose(before, **facts)[0]
    fix = repair(finding, settings, suggested_lr=row["suggested_lr"])
    if fix is None:
        return f"no fix: seen as {finding.kind}"
    after, _ = _trained(dataset, fix.settings, last if fix.begins == "last" else None)
    old, new = _score(before), _score(after)
    apart = abs(old[0] - new[0]) > noise_of((old[0] + new[0]) / 2, int(row["n_valid"]))
    word = "better" if (new[0] < old[0] if apart else new[1] < old[1]) else "not better"
    return f"{word}: {old[0]:.1%} {old[1]:.3g} -> {new[0]:.1%} {new[1]:.3g} ({finding.kind}: {fix.text})"


def _trained(dataset, settings, start: Checkpoint | None) -> tuple[pd.DataFrame, Checkpoint | None]:
    kept: list[Checkpoint] = []
    settings = settings if start is None else replace(settings, seed=settings.seed + 100)
    events = list(fit(dataset, settings, start=start, save=lambda checkpoint, best: kept.append(checkpoint) or "last"))
    rows = [event for event in events if isinstance(event, EpochDone)]
    table = pd.DataFrame([(row.train_loss, row.valid_loss, row.error_rate) for row in rows])
    if table.empty:
        table = pd.DataFrame([(math.nan, math.nan, 1.0)])
    return table.set_axis(["train_loss", "valid_loss", "error_rate"], axis=1), kept[-1] if kept else None


def _score(table: pd.DataFrame) -> tuple[float, float]:
    """Error rate at the end, then validation loss: the lower is better."""
    loss = float(table["valid_loss"].iloc[-1])
    return float(table["error_rate"].iloc[-1]), loss if math.isfinite(loss) else math.inf


def main() -> None:
    """Judge and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bank", type=Path, default=FOLDER)
    parser.add_argument("--half", choices=("tuned", "held_out", "both"), default="both")
    parser.add_argument("--repairs", type=int, default=0)
    parser.add_argument("--misses", action="store_true")
    options = parser.parse_args()
    say_machine()
    runs = pd.read_csv(options.bank / "runs.csv", index_col="run")
    epochs, batches = (pd.read_csv(options.bank / f"{name}.csv") for name in ("epochs", "batches"))
    runs["cause"] = causes(runs, epochs)
    print(f"{len(runs)} runs, {(runs['cause'] != '').sum()} of which have a cause that their set-up decides")
    for half, odd in (("tuned", 0), ("held_out", 1)):
        if options.half in (half, "both"):
            part = runs[runs["seed"] % 2 == odd]
            for known, how in ((True, "everything known"), (False, "from the curve alone")):
                kinds = [finding.kind for finding in judged(part, epochs, batches, known=known)]
                show(part, kinds, f"{half.replace('_', ' ')} half, {how}")
                if options.misses:
                    show_misses(part, epochs, kinds)
    if options.repairs:
        mended(runs, options.repairs)


if __name__ == "__main__":
    main()
