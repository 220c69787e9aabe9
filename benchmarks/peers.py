"""What training is compared with: the same work done by fastai and by the loop of a first tutorial.

Both start from the same weights and see the same pictures, split and batch. fastai is needed for nothing else.
"""

from __future__ import annotations

import time

import torch
import torch.nn.functional as F

from benchmarks.common import Timed
from core.data.pixels import decode
from core.data.table import Dataset
from core.settings import TrainSettings
from core.vision.backbones import BACKBONES
from core.vision.device import pick_device
from core.vision.model import build_model, freeze_to, set_training

BATCH, SIZE = 64, 224


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
    model = build_model(settings.backbone, dataset.classes, seed=settings.seed)
    model = model.to(device, memory_format=torch.contiguous_format)
    stage = settings.stages[0]
    freeze_to(model, stage.first_group)
    model.seed_dropout(0)
    loaders = {  # a last batch of one would stop a batch norm, so it is dropped, as most loops do
        side: torch.utils.data.DataLoader(
            PlainPictures(dataset, side),
            settings.batch_size,
            shuffle=side == "train",
            drop_last=side == "train",
            num_workers=2,
        )
        for side in ("train", "valid")
    }
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW(trainable, lr=stage.lr_max)
    steps = stage.epochs * len(loaders["train"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, stage.lr_max, total_steps=max(2, steps))
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
        bs=settings.batch_size,
        device=pick_device(settings.device).torch,
    )
    learner = vision_learner(loaders, _architecture(settings), pretrained=False, metrics=error_rate, normalize=False)
    _load_same_body(learner.model[0], settings)
    learner.freeze() if stage.frozen else learner.unfreeze()
    with learner.no_bar(), learner.no_logging():
        learner.fit_one_cycle(stage.epochs, stage.lr_max)
    return Timed(time.perf_counter() - began, float(learner.recorder.values[-1][-1]))


def fastai_version() -> str | None:
    """The version of fastai that is installed, or None."""
    try:
        import fastai
    except ImportError:
        return None
    return fastai.__version__


def _architecture(settings: TrainSettings) -> object:
    """The same architecture as fastai asks for it."""
    import torchvision

    if settings.backbone == "lite0":
        return "tf_efficientnet_lite0"
    return getattr(torchvision.models, settings.backbone)


def _load_same_body(body: torch.nn.Module, settings: TrainSettings) -> None:
    """Give fastai's body the weights of ours: both hold the same tensors in the same order."""
    mine = BACKBONES[settings.backbone].build(pretrained=True).state_dict()
    theirs = body.state_dict()
    shapes = [tuple(value.shape) for value in mine.values()]
    assert [tuple(value.shape) for value in theirs.values()] == shapes, "the two bodies differ"  # noqa: S101
    body.load_state_dict(dict(zip(theirs, mine.values(), strict=True)))
