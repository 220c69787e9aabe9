"""How fast training is, against peers that do the same work in the same run. Prints ratios and all error rates.

    python -m benchmarks.train [--backbone resnet34] [--pictures 400] [--device cpu] [--repeat 3] [--unfrozen] [--quick]

Peers: fastai when it is installed (it is needed for nothing else), and a plain PyTorch loop that runs the frozen body
in every epoch, as a first tutorial does. Every measurement is a process of its own, with its imports done before the
clock starts. Ours is a run as the engine does it: queued, worked on, every event written down and every checkpoint
saved. The frozen figure starts from cold caches. Contenders take turns; a peer that needs longer than LONG_S is not
repeated. Without a network, random numbers stand in for the published weights of a backbone other than lite0, the same
ones on all sides: that tells the time, not the accuracy. `--quick` takes few small epochs, to see that all works.
"""

from __future__ import annotations

import argparse
import importlib
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from benchmarks.common import Timed, make_bears, say_machine
from benchmarks.peers import BATCH, SIZE, fastai_run, fastai_version, plain_loop
from core.data.table import Dataset, load_dataset
from core.jobs.worker import keep_memory, work
from core.settings import Stage, TrainSettings, to_record
from core.train.events import Event
from core.train.learner import fit  # noqa: F401  what a training worker imports before its first run
from core.train.lr_finder import range_test
from core.train.optim import make_optimiser, set_rates
from core.train.runs import append_event, create_run
from core.train.steps import begin, enter, prepare
from core.vision.backbones import BACKBONES
from core.vision.device import pick_device
from core.vision.model import build_model, freeze_to, set_training
from core.workspace import Workspace

LONG_S = 45.0
FLOOR_STEPS = 4


@dataclass(frozen=True)
class Ours:
    """One run of ours. `pictures_per_s` while batches ran, `told_s` what writing its events again took."""

    seconds: float
    error: float
    pictures_per_s: float
    told_s: float


def ours(dataset: Dataset, settings: TrainSettings, *, cold: bool = True) -> Ours:
    """One run as the engine does it, from queued to its end; activations are forgotten first when it is to be cold."""
    if cold:
        shutil.rmtree(dataset.workspace.cache, ignore_errors=True)
    run = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    began = time.perf_counter()
    told = [(event, time.perf_counter()) for event in work(run)]
    seconds = time.perf_counter() - began
    events = [event for event, _ in told]
    return Ours(seconds, events[-1].error_rate, _pace(told), _telling(dataset, settings, events))


def _pace(told: Sequence[tuple[Event, float]]) -> float:
    """Training pictures per second: the median over the steps, each from one batch's event to the next one's."""
    stage = next(event for event, _ in told if event.kind == "stage")
    both = zip(told[:-1], told[1:], strict=True)
    steps = [later - earlier for (one, earlier), (two, later) in both if one.kind == two.kind == "batch"]
    return stage.batch / statistics.median(steps) if steps else 0.0


def _telling(dataset: Dataset, settings: TrainSettings, events: Sequence[Event]) -> float:
    """Seconds that it takes to write these events into a run's folder."""
    scratch = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    began = time.perf_counter()
    for event in events:
        append_event(scratch, event)
    return time.perf_counter() - began


def finder_seconds(dataset: Dataset, settings: TrainSettings) -> Timed:
    """100 steps of the finder on activations that are there already."""
    keep_memory()
    learner = begin(dataset, settings)
    stage = settings.resolved[0]
    enter(learner, stage)
    for _ in prepare(learner, stage, dataset):
        pass
    began = time.perf_counter()
    range_test(dataset, settings, learner, stage=stage)
    return Timed(time.perf_counter() - began, 0.0)


def floor_seconds(dataset: Dataset, settings: TrainSettings) -> Timed:
    """Seconds per unfrozen step on a batch that is on the device already: no decoding, augmentation or validation."""
    keep_memory()
    device = pick_device(settings.device, settings.precision)
    model = build_model(settings.backbone, dataset.classes, seed=0).to(device.torch)
    freeze_to(model, 0)
    model.seed_dropout(0)
    set_training(model, True)
    optimiser = make_optimiser(model, weight_decay=settings.weight_decay)
    set_rates(optimiser, [1e-4] * len(model.groups()), 0.9)
    size, batch = settings.image_size, settings.batch_size
    images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8, device=device.torch)
    labels = torch.zeros(batch, dtype=torch.int64, device=device.torch)
    seconds = []
    for _ in range((10 if device.kind == "cuda" else 1) * FLOOR_STEPS):
        began = time.perf_counter()
        with device.autocast():
            pooled = model.pooled(images)
        loss = F.cross_entropy(model.head(pooled.float()), labels)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        if device.kind == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    return Timed(statistics.median(seconds[1:]), 0.0)


def stand_in(backbone: str, folder: Path) -> bool:
    """Random numbers where published weights would lie, if they are not there: for this and all later processes."""
    body = BACKBONES[backbone]
    if body.is_ready():
        return False
    os.environ["TORCH_HOME"] = str(folder)
    path = Path(torch.hub.get_dir()) / "checkpoints" / f"{body.weights_id}.pth"
    path.parent.mkdir(parents=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        torch.save(body.make().state_dict(), path)
    return True


def alone(measure: Callable[..., Any], home: Path, settings: TrainSettings, **options: object) -> Any:
    """What a measurement gives in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(_measure, measure, str(home), settings, options).result()


def _measure(measure: Callable[..., Any], home: str, settings: TrainSettings, options: dict[str, Any]) -> Any:
    multiprocessing.set_start_method(None, force=True)  # loaders start their workers as they do in anybody's script
    for name in ("timm", "torchvision", *(["fastai.vision.all"] if measure is fastai_run else [])):
        importlib.import_module(name)  # is no part of the training
    return measure(load_dataset(Workspace(Path(home)), "bears"), settings, **options)


def compare(home: Path, settings: TrainSettings, repeat: int, *, plain: bool = True) -> Ours:
    """Ours and every peer on one piece of work, in turns; prints medians and ratios; returns our median run."""
    contenders: dict[str, Callable[..., Any]] = {"Bearings": ours}
    if version := fastai_version():
        contenders[f"fastai {version}"] = fastai_run
    if plain:
        contenders["plain PyTorch loop"] = plain_loop
    results: dict[str, list[Any]] = {name: [] for name in contenders}
    for _ in range(repeat):
        for name, contender in contenders.items():
            if not results[name] or results[name][0].seconds < LONG_S:
                results[name].append(alone(contender, home, settings))
    mine = _median(results["Bearings"])
    print(f"  {'':<26} {'seconds':>8}  {'error':>6}  {'times ours':>10}  runs")
    for name, runs in results.items():
        middle = _median(runs)
        ratio = f"{middle.seconds / mine.seconds:10.1f}" if name != "Bearings" else " " * 10
        print(f"  {name:<26} {middle.seconds:8.2f}  {middle.error:6.1%}  {ratio}  {len(runs)}", flush=True)
    if version is None:
        print("  fastai is not installed; with it (pip install fastai) the comparison is printed as well")
    return mine


def _median(runs: Sequence[Any]) -> Any:
    return sorted(runs, key=lambda run: run.seconds)[(len(runs) - 1) // 2]


def frozen_table(home: Path, settings: TrainSettings, repeat: int) -> None:
    """Frozen epochs from cold caches; what telling of them costs; the finder."""
    epochs = settings.stages[0].epochs
    print(f"\n{epochs} frozen epochs, {_what(settings)}, from cold caches:")
    mine = compare(home, settings, repeat)
    print(f"  events written: {mine.told_s / mine.seconds:.2%} of the run's time")
    warm = [alone(finder_seconds, home, settings).seconds for _ in range(repeat)]
    print(f"  finder, 100 frozen steps on kept activations: {statistics.median(warm):.2f} s")


def unfrozen_table(home: Path, settings: TrainSettings, repeat: int) -> None:
    """One unfrozen epoch without augmentation on both sides, ours with it, and the floor of its steps."""
    print(f"\none unfrozen epoch, {_what(settings)}, without augmentation on both sides:")
    plain = compare(home, settings, repeat, plain=False)
    changed = replace(settings, stages=(replace(settings.stages[0], augment="photos"),))
    augmented = _median([alone(ours, home, changed) for _ in range(repeat)])
    print(f"  ours, augmented            {augmented.seconds:8.2f}  {augmented.seconds / plain.seconds:.2f} times ours")
    print(f"  events written: {plain.told_s / plain.seconds:.2%} of the run's time")
    floor = settings.batch_size / alone(floor_seconds, home, settings).seconds
    print("  pictures a second while training:")
    print(f"    the step alone, on pictures made up beforehand {floor:8.1f}")
    for name, run in (("without augmentation", plain), ("augmented", augmented)):
        print(f"    ours, {name:<22} {run.pictures_per_s:8.1f}   {run.pictures_per_s / floor:.0%} of the step alone")


def _what(settings: TrainSettings) -> str:
    return f"{settings.backbone} at {settings.image_size}, on {settings.device}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="lite0")
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--unfrozen", action="store_true", help="also one epoch with all layers (minutes on a CPU)")
    parser.add_argument("--quick", action="store_true", help="36 pictures and one round, to see that it works")
    options = parser.parse_args()
    pictures, repeat = (36, 1) if options.quick else (options.pictures, options.repeat)
    say_machine()
    settings = TrainSettings(
        stages=(Stage(epochs=4, lr=3e-3),),
        backbone=options.backbone,
        image_size=SIZE,
        batch_size=8 if options.quick else BATCH,
        device=options.device,
    )
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        if stand_in(settings.backbone, Path(folder) / "torch"):
            print(f"no network: random numbers stand in for the weights of {settings.backbone}, the same on all sides")
        dataset = make_bears(home, pictures)
        print(f"{len(dataset.kept())} pictures in {len(dataset.classes)} classes")
        frozen_table(home, settings, repeat)
        if options.unfrozen:
            unfrozen_table(home, replace(settings, stages=(Stage(epochs=1, lr=1e-4, freeze_to=0),)), repeat)


if __name__ == "__main__":
    main()
