"""Which map of evidence agrees best with covering: Grad-CAM and its rivals, over pictures of the exam.

A model is trained on the drawn bears with the quick recipe. For each picture, what speaks for the model's own answer is
mapped by every formula and held against occlusion by Spearman's rank correlation. The last row is the yardstick: maps
of one picture against the covering of all others, which agree only in that bears sit in the middle.

    python -m benchmarks.saliency [--per-class 100] [--noise 0] [--pictures 24]
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from core.data.pixels import decode
from core.data.samples import make_sample
from core.data.table import Dataset, load_dataset
from core.interpret.maps import agreement
from core.interpret.predictions import Trained, load_trained
from core.interpret.saliency import occlusion
from core.settings import to_record
from core.train.recipes import preset
from core.train.runs import create_run
from core.train.train_run import train_run
from core.vision.model import pool
from core.workspace import Workspace

Maps = tuple[torch.Tensor, torch.Tensor]  # the last map and the slope of a score on it, (1, C, h, w) each


def slopes(trained: Trained, pixels: torch.Tensor, score: Callable[[torch.Tensor], torch.Tensor]) -> Maps:
    """The last map of a picture, and how a score of it rises with every place of every channel."""
    with torch.no_grad():
        maps = trained.model.maps(pixels)
    maps.requires_grad_(True)
    (slope,) = torch.autograd.grad(score(trained.model.head(pool(maps))[0]), maps)
    return maps.detach(), slope


def mean_half(trained: Trained, pixels: torch.Tensor, target: int) -> Maps:
    """As `slopes`, through the mean of each channel alone: the slope of its maximum is left out."""
    with torch.no_grad():
        maps = trained.model.maps(pixels)
    mean = maps.mean((2, 3)).requires_grad_(True)
    (slope,) = torch.autograd.grad(trained.model.head(torch.cat([maps.amax((2, 3)), mean], 1))[0, target], mean)
    return maps, slope[:, :, None, None].expand_as(maps)


def grad_cam(maps: torch.Tensor, slope: torch.Tensor) -> np.ndarray:
    """Each channel by its mean slope (arXiv:1610.02391)."""
    return torch.relu((slope.mean((2, 3), keepdim=True) * maps).sum(1))[0].numpy()


def hires_cam(maps: torch.Tensor, slope: torch.Tensor) -> np.ndarray:
    """Each channel at each place by its slope there (arXiv:2011.08891)."""
    return torch.relu((slope * maps).sum(1))[0].numpy()


def candidates(trained: Trained, pixels: torch.Tensor, target: int) -> dict[str, np.ndarray]:
    """Every formula's map for a class."""
    scores = {
        "score": lambda z: z[target],
        "log probability": lambda z: z.log_softmax(0)[target],
        "against the runner-up": lambda z: z[target] - torch.cat([z[:target], z[target + 1 :]]).max(),
    }
    found = {}
    for name, score in scores.items():
        both = slopes(trained, pixels, score)
        found |= {f"Grad-CAM, {name}": grad_cam(*both), f"HiResCAM, {name}": hires_cam(*both)}
    return found | {"Grad-CAM, mean half alone": grad_cam(*mean_half(trained, pixels, target))}


def trained_on_bears(workspace: Workspace, per_class: int, noise: float) -> tuple[Trained, Dataset]:
    """A model of the drawn bears, and their data set."""
    for _ in make_sample(workspace, "bears", name="bears", per_class=per_class, noise=noise):
        pass
    dataset = load_dataset(workspace, "bears")
    run = create_run(workspace, "train", {"dataset": dataset.id, "settings": to_record(preset("quick"))})
    for _ in train_run(run, lambda: False):
        pass
    return load_trained(run), dataset


def main() -> None:
    """Print the mean rank correlation of every formula with occlusion as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--per-class", type=int, default=100)
    parser.add_argument("--noise", type=float, default=0.0)
    parser.add_argument("--pictures", type=int, default=24)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bearings-saliency-") as folder:
        trained, dataset = trained_on_bears(Workspace(Path(folder)), options.per_class, options.noise)
        exam = dataset.kept().query("split == 'valid'").sample(frac=1, random_state=0).head(options.pictures)
        drawn, covered, wrong = [], [], 0
        for row in exam.itertuples():
            square = decode(dataset.image_path(row.file), trained.size).copy()
            pixels = torch.from_numpy(square).permute(2, 0, 1)[None]
            with torch.no_grad():
                target = int(trained.model.eval()(pixels).argmax())
            wrong += trained.model.classes[target] != row.label
            drawn.append(candidates(trained, pixels, target))
            covered.append(occlusion(trained.model, pixels, target, device=trained.device))
    found = {name: mean(agreement(maps[name], falls) for maps, falls in zip(drawn, covered, strict=True))
             for name in drawn[0]}  # fmt: skip
    found["other pictures"] = mean(
        agreement(maps["Grad-CAM, score"], falls)
        for at, maps in enumerate(drawn)
        for other, falls in enumerate(covered)
        if at != other
    )
    print(json.dumps({"pictures": len(exam), "wrong": wrong, "mean_rank_correlation": found}, indent=1))


def mean(values: object) -> float:
    """The mean of agreements, without those of flat maps."""
    known = [value for value in values if value is not None]  # type: ignore[attr-defined]
    return round(float(np.mean(known)), 2)


if __name__ == "__main__":
    main()
