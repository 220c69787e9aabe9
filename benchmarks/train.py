"""How fast training is, against peers that do the same work in the same run. Prints ratios and all accuracies.

    python -m benchmarks.train [--backbone lite0] [--pictures 400] [--device cpu] [--repeat 3] [--unfrozen]

Peers: fastai when it is installed (it is needed for nothing else), and a plain PyTorch loop that runs the frozen body
in every epoch, as a first tutorial does. The frozen figure starts from cold caches: pictures decoded, activations
computed, four epochs, the validation set measured after each. Without a network a backbone other than lite0 has random
weights on both sides, which tells the time but not the accuracy.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F

from benchmarks.common import Timed, make_bears, say_machine
from core.data.pixels import decode
from core.data.table import Dataset
from core.settings import Stage, TrainSettings
from core.train.learner import fit
from core.train.lr_finder import range_test
from core.train.steps import begin
from core.vision.backbones import BACKBONES
from core.vision.device import pick_device
from core.vision.model import build_model, freeze_to, set_training

EPOCHS, LR, BATCH, SIZE = 4, 3e-3, 64, 224


def ours(dataset: Dataset, settings: TrainSettings) -> Timed:
    """Seconds and last error rate of one run; activations are forgotten first."""
    shutil.rmtree(dataset.workspace.cache, ignore_errors=True)
    began = time.perf_counter()
    events = list(fit(dataset, settings))
    return Timed(time.perf_counter() - began, events[-1].error_rate)


class PlainPictures(torch.utils.data.Dataset):
    """Pictures decoded whenever they are asked for, as float tensors."""

    def __init__(self, dataset: Dataset, side: str) -> None:
        rows = dataset.kept()
        rows = rows[rows["split"] == side]
        self.paths = [dataset.image_path(sha) for sha in rows["file"]]
        self.labels = [dataset.classes.index(label) for label in rows["label"]]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, row: int) -> tuple[torch.Tensor, int]:
        pixels = torch.from_numpy(decode(self.paths[row], SIZE).copy()).permute(2, 0, 1)
        return pixels.float() / 255, self.labels[row]


def plain_loop(dataset: Dataset, settings: TrainSettings) -> Timed:
    """The tutorial's loop: float32, the body runs over every picture in every epoch, nothing is kept."""
    device = pick_device(settings.device, "float32").torch
    began = time.perf_counter()
    model = build_model(settings.backbone, dataset.classes, seed=settings.seed, pretrained=has_weights(settings))
    model = model.to(device, memory_format=torch.contiguous_format)
    stage = settings.stages[0]
    freeze_to(model, stage.first_group)
    model.seed_dropout(0)
    loaders = {  # a last batch of one would stop a batch norm, so it is dropped, as most loops do
        side: torch.utils.data.DataLoader(
            PlainPictures(dataset, side), BATCH, shuffle=side == "train", drop_last=side == "train", num_workers=2
        )
        for side in ("train", "valid")
    }
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=stage.lr_max)
    steps = stage.epochs * len(loaders["train"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, stage.lr_max, total_steps=steps)
    for _ in range(stage.epochs):
        set_training(model, True)
        for images, labels in loaders["train"]:
            loss = F.cross_entropy(model(images.to(device)), labels.to(device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        set_training(model, False)
        with torch.inference_mode():
            wrong = sum(int((model(x.to(device)).argmax(1).cpu() != y).sum()) for x, y in loaders["valid"])
    return Timed(time.perf_counter() - began, wrong / len(loaders["valid"].dataset))


def fastai_run(dataset: Dataset, settings: TrainSettings) -> Timed:
    """The reference library with its own defaults, on the same split and from the same weights."""
    from fastai.vision.all import ImageDataLoaders, Normalize, Resize, error_rate, vision_learner

    rows = dataset.kept()
    frame = rows.assign(path=[str(dataset.image_path(sha)) for sha in rows["file"]], is_valid=rows["split"] == "valid")
    stage, backbone = settings.stages[0], BACKBONES[settings.backbone]
    began = time.perf_counter()
    loaders = ImageDataLoaders.from_df(
        frame[["path", "label", "is_valid"]],
        path="/",
        valid_col="is_valid",
        item_tfms=Resize(SIZE),
        batch_tfms=Normalize.from_stats(backbone.mean, backbone.std),
        bs=BATCH,
        device=pick_device(settings.device).torch,
    )
    learner = vision_learner(loaders, fastai_arch(settings), pretrained=False, metrics=error_rate, normalize=False)
    load_same_body(learner.model[0], settings)
    learner.freeze() if stage.frozen else learner.unfreeze()
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(stage.epochs, stage.lr_max)
    return Timed(time.perf_counter() - began, float(learner.recorder.values[-1][-1]))


def fastai_arch(settings: TrainSettings) -> object:
    """The same architecture as fastai asks for it."""
    import torchvision

    if settings.backbone == "lite0":
        return "tf_efficientnet_lite0"
    return getattr(torchvision.models, settings.backbone)


def load_same_body(body: torch.nn.Module, settings: TrainSettings) -> None:
    """Give fastai's body the weights of ours: both hold the same tensors in the same order."""
    mine = BACKBONES[settings.backbone].build(pretrained=has_weights(settings)).state_dict()
    theirs = body.state_dict()
    shapes = [tuple(value.shape) for value in mine.values()]
    assert [tuple(value.shape) for value in theirs.values()] == shapes, "the two bodies differ"  # noqa: S101
    body.load_state_dict(dict(zip(theirs, mine.values(), strict=True)))


def has_weights(settings: TrainSettings) -> bool:
    """Whether published weights can be used on both sides."""
    return BACKBONES[settings.backbone].is_ready()


def finder_seconds(dataset: Dataset, settings: TrainSettings) -> float:
    """100 steps of the finder on activations that are there already."""
    learner = begin(dataset, settings)
    range_test(dataset, settings, learner, steps=5)
    began = time.perf_counter()
    range_test(dataset, settings, learner)
    return time.perf_counter() - began


def synthetic_seconds(dataset: Dataset, settings: TrainSettings) -> float:
    """The floor of one unfrozen epoch: the same steps on pictures that are on the device already, nothing else."""
    device = pick_device(settings.device, settings.precision)
    model = build_model(settings.backbone, dataset.classes, seed=0, pretrained=False).to(device.torch)
    freeze_to(model, 0)
    model.seed_dropout(0)
    set_training(model, True)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4)
    images = torch.randint(0, 256, (BATCH, 3, SIZE, SIZE), dtype=torch.uint8, device=device.torch)
    labels = torch.zeros(BATCH, dtype=torch.int64, device=device.torch)
    n_train = int((dataset.kept()["split"] == "train").sum())

    def step() -> None:
        with device.autocast():
            pooled = model.pooled(images)
        loss = F.cross_entropy(model.head(pooled.float()), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    step()
    synchronise(device.kind)
    began = time.perf_counter()
    for _ in range(max(1, n_train // BATCH)):
        step()
    synchronise(device.kind)
    return (time.perf_counter() - began) * n_train / (BATCH * max(1, n_train // BATCH))


def synchronise(kind: str) -> None:
    """Wait for the device to finish."""
    if kind == "cuda":
        torch.cuda.synchronize()


def report(name: str, run: Callable[[], Timed], repeat: int, base: float | None) -> float:
    """Run several times, print the median, and the ratio to `base` seconds when given; returns the median."""
    results = [run() for _ in range(repeat)]
    seconds = statistics.median(result.seconds for result in results)
    ratio = f"   {seconds / base:5.1f} times ours" if base else ""
    print(f"  {name:<28} {seconds:7.2f} s   error {results[-1].error:6.1%}{ratio}")
    return seconds


def compare(dataset: Dataset, settings: TrainSettings, repeat: int) -> float:
    """Ours and every peer on one piece of work; returns our seconds."""
    mine = report("Bearings", lambda: ours(dataset, settings), repeat, None)
    report("plain PyTorch loop", lambda: plain_loop(dataset, settings), 1, mine)
    try:
        import fastai
    except ImportError:
        print("  fastai                       not installed: pip install fastai to compare with it")
    else:
        report(f"fastai {fastai.__version__}", lambda: fastai_run(dataset, settings), 1, mine)
    return mine


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="lite0", choices=list(BACKBONES))
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--unfrozen", action="store_true", help="also one epoch with all layers (minutes on a CPU)")
    options = parser.parse_args()
    say_machine()
    with tempfile.TemporaryDirectory() as home:
        dataset = make_bears(Path(home), options.pictures)
        weights = "pretrained" if BACKBONES[options.backbone].is_ready() else "random"
        settings = TrainSettings(backbone=options.backbone, weights=weights, device=options.device)
        print(f"\n{EPOCHS} frozen epochs, {options.backbone} ({weights}) at {SIZE}, {options.pictures} pictures, cold:")
        compare(dataset, settings, options.repeat)
        print(f"  finder, warm, 100 steps      {finder_seconds(dataset, settings):7.2f} s")
        if options.unfrozen or options.device == "cuda":
            stage = Stage(epochs=1, lr=1e-4, freeze_to=0, augment="photos")
            unfrozen = TrainSettings(backbone=options.backbone, weights=weights, device=options.device, stages=(stage,))
            print(f"\none unfrozen epoch, augmented, {options.backbone} at {SIZE}:")
            mine = compare(dataset, unfrozen, 1)
            floor = synthetic_seconds(dataset, unfrozen)
            print(f"  floor: steps alone           {floor:7.2f} s   {floor / mine:.0%} of ours")


if __name__ == "__main__":
    main()
