"""The pictures of a run: a table in, batches of pixels or cached activations out, on the device that trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from core.data.pixels import decode_all
from core.errors import TrainError
from core.train.events import Progress
from core.vision.augment import Augment, augment_batch
from core.vision.device import Device
from core.vision.features import FeatureStore, activations
from core.vision.model import Classifier

Stop = Callable[[], bool]


class Stopped(Exception):
    """The student pressed stop while pictures were being prepared."""


@dataclass
class Part:
    """One side of the split. `labels` (N,) int64; `pixels` (N, 3, S, S) uint8; `features` (N, 2 * channels) float32."""

    hashes: list[str]
    paths: list[Path]
    labels: torch.Tensor
    pixels: torch.Tensor | None = None
    features: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.hashes)

    def followed_by(self, other: Part) -> Part:
        """The pictures of both, not prepared yet."""
        labels = torch.cat([self.labels, other.labels])
        return Part([*self.hashes, *other.hashes], [*self.paths, *other.paths], labels)


@dataclass(frozen=True)
class Library:
    """Where a run's pictures come from: the table of those that count, and its set of mistakes.

    `find` and `find_mistake` give the file of a picture by its hash; `classes` are the labels in the model's order.
    """

    items: pd.DataFrame
    classes: tuple[str, ...]
    find: Callable[[str], Path]
    stop: Stop = lambda: False
    mistakes: pd.DataFrame | None = None
    find_mistake: Callable[[str], Path] | None = None

    def side(self, name: str) -> Part:
        """The pictures of the side "train" or "valid"."""
        return self._part(self.items[self.items["split"] == name], self.find)

    def source(self, *, size: int, device: Device, data: str = "all") -> Source:
        """Both sides at one size; with data "mistakes" those come first among the training pictures."""
        train, valid = self.side("train"), self.side("valid")
        if data == "all":
            return Source(train, valid, size, device, self.stop)
        wrong = self._mistakes()
        if not len(wrong):
            raise TrainError(
                "A stage is to learn from mistakes, and this data set has none that can be used.",
                hint="Show the model a picture on the Predict page, and keep it there when the answer was wrong.",
            )
        return Source(wrong.followed_by(train), valid, size, device, self.stop, mistakes=len(wrong))

    def _mistakes(self) -> Part:
        """The mistakes that still have their picture and a class that the model knows."""
        if self.mistakes is None or self.find_mistake is None:
            return self._part(self.items.head(0), self.find)
        there = [
            label in self.classes and self.find_mistake(sha).is_file()
            for label, sha in zip(self.mistakes["label"], self.mistakes["file"], strict=True)
        ]
        return self._part(self.mistakes[there], self.find_mistake)

    def check_stop(self) -> None:
        """Raise Stopped when the student asked for the end."""
        if self.stop():
            raise Stopped

    def _part(self, rows: pd.DataFrame, find: Callable[[str], Path]) -> Part:
        index = {label: number for number, label in enumerate(self.classes)}
        labels = torch.tensor([index[label] for label in rows["label"]], dtype=torch.int64)
        return Part(list(rows["file"]), [find(sha) for sha in rows["file"]], labels)


@dataclass
class Source:
    """Both sides of a data set at one picture size, prepared only as far as a stage needs.

    The first `mistakes` training pictures are those of the set of mistakes.
    """

    train: Part
    valid: Part
    size: int
    device: Device
    stop: Stop = lambda: False
    mistakes: int = 0

    @classmethod
    def of(
        cls, items: pd.DataFrame, image_path: Callable[[str], Path], classes: tuple[str, ...], **settings: object
    ) -> Source:
        """Sides from an items table (rows with status "kept"); `image_path` finds a picture by its hash."""
        library = Library(items, classes, image_path)
        return cls(library.side("train"), library.side("valid"), **settings)  # type: ignore[arg-type]

    def prepare_pixels(self) -> Iterator[Progress]:
        """Decode every picture once and keep the bytes on the device."""
        total = len(self.train) + len(self.valid)
        done = 0
        for part in (self.train, self.valid):
            if part.pixels is not None:
                done += len(part)
                continue
            batches = []
            for batch in decode_all(part.paths, self.size):
                self.check_stop()
                batches.append(batch)
                done += len(batch)
                yield Progress(0, "pixels", done, total)
            part.pixels = torch.cat(batches).to(self.device.torch)

    def prepare_features(
        self, model: Classifier, store: FeatureStore | None, *, sides: tuple[str, ...]
    ) -> Iterator[Progress]:
        """Compute the activations of a frozen body that are not there yet, and keep them in memory and in `store`."""
        parts = [part for part in (getattr(self, side) for side in sides) if part.features is None]
        hashes = [sha for part in parts for sha in part.hashes]
        paths = dict(zip(hashes, (path for part in parts for path in part.paths), strict=True))
        rows = store.load(hashes) if store else {}
        missing = [sha for sha in dict.fromkeys(hashes) if sha not in rows]
        fresh: dict[str, np.ndarray] = {}
        try:
            if missing:
                yield Progress(0, "activations", len(rows), len(rows) + len(missing))
            for batch in activations(model, decode_all([paths[sha] for sha in missing], self.size), self.device):
                for row in batch.numpy():
                    fresh[missing[len(fresh)]] = row
                yield Progress(0, "activations", len(rows) + len(fresh), len(rows) + len(missing))
        finally:
            if store:
                store.save(fresh)  # what was computed before a stop is not lost
        rows.update(fresh)
        for part in parts:
            part.features = torch.from_numpy(np.stack([rows[sha] for sha in part.hashes])).to(self.device.torch)

    def forget_features(self) -> None:
        """The body has changed: activations in memory are those of another model."""
        self.train.features = self.valid.features = None

    def check_stop(self) -> None:
        """Raise Stopped when the student asked for the end."""
        if self.stop():
            raise Stopped


@dataclass(frozen=True)
class Mixed:
    """Mixup of one batch (arXiv:1710.09412): `share` of each picture, the rest from its partner in `partners` (B,)."""

    share: float
    partners: torch.Tensor

    def pictures(self, images: torch.Tensor) -> torch.Tensor:
        """Pictures (B, 3, S, S), uint8 0..255 or float 0..1, laid over their partners: floats 0..1."""
        x = images.float() / 255 if images.dtype == torch.uint8 else images
        return self.share * x + (1 - self.share) * x[self.partners.to(x.device)]

    def losses(self, loss: Callable[[torch.Tensor], torch.Tensor], labels: torch.Tensor) -> torch.Tensor:
        """The same shares of the loss against both labels."""
        partners = labels[self.partners.to(labels.device)]
        return self.share * loss(labels) + (1 - self.share) * loss(partners)


def scores(
    model: Classifier,
    part: Part,
    rows: torch.Tensor,
    device: Device,
    *,
    use_features: bool,
    augment: Augment | None = None,
    generator: torch.Generator | None = None,
    mixed: Mixed | None = None,
) -> torch.Tensor:
    """The model's scores (B, classes) in float32 for some rows of a part, from activations or from pixels."""
    rows = rows.to(device.torch)
    if use_features and part.features is not None:
        return model.head(part.features[rows])
    if part.pixels is None:
        raise RuntimeError("pixels were not prepared")
    images = part.pixels[rows]
    if augment is not None and generator is not None:
        images = augment_batch(images, augment, generator=generator)
    if mixed is not None:
        images = mixed.pictures(images)
    with device.autocast(), torch.set_grad_enabled(torch.is_grad_enabled() and _body_trains(model)):
        pooled = model.pooled(images)
    return model.head(pooled.float())


def _body_trains(model: Classifier) -> bool:
    return any(parameter.requires_grad for parameter in model.body.parameters())
