"""Which pictures an epoch sees: a seed and a stage in, rows and batches out. All of it can be drawn again."""

from __future__ import annotations

import hashlib

import pandas as pd
import torch

from core.settings import Stage
from core.train.source import Source

SMALLEST_BATCH = 8
BESIDE_MIN = 16  # a stage that learns mistakes sees at least so many other pictures, or it would forget them
ORDER, DROP, LOOK, MIX, SHARE = range(5)  # what a seed is drawn for


def batch_size_for(n_train: int, wanted: int) -> int:
    """The batch size for `n_train` pictures: smaller than wanted where an epoch would have fewer than two batches."""
    if n_train >= 2 * wanted:
        return wanted
    return min(wanted, n_train, max(SMALLEST_BATCH, n_train // 4))


def batches_of(order: torch.Tensor, size: int) -> list[torch.Tensor]:
    """Cut a shuffled order (N,) into batches; a last batch of one joins the one before (batch norm needs two)."""
    parts = list(order.split(size))
    if len(parts) > 1 and len(parts[-1]) == 1:
        parts[-2:] = [torch.cat(parts[-2:])]
    return parts


def seed_for(seed: int, stage: int, epoch: int, purpose: int) -> int:
    """A seed of 63 bits for one use in one epoch, unrelated to its neighbours: the SHA-256 of the four numbers.

    Anybody can draw it again with Python alone, as the script does that repeats a run.
    """
    digest = hashlib.sha256(f"{seed} {stage} {epoch} {purpose}".encode()).digest()
    return int.from_bytes(digest[:8], "little") >> 1


def share_of(items: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """An items table with only this share of the training rows of each class, at least one, drawn by `seed`."""
    if share >= 1:
        return items
    keep = items["split"] != "train"
    for number, (_, rows) in enumerate(items[~keep].groupby("label", sort=True)):
        drawn = torch.Generator().manual_seed(seed_for(seed, number, 0, SHARE))
        some = torch.randperm(len(rows), generator=drawn)[: max(1, round(share * len(rows)))]
        keep[rows.index[some.tolist()]] = True
    return items[keep]


def class_weights(labels: torch.Tensor) -> torch.Tensor:
    """Weights (classes,) float32 that make every class count the same: pictures / (classes * pictures of the class)."""
    counts = torch.bincount(labels).float()
    return len(labels) / (len(counts) * counts)


def epoch_size(source: Source, stage: Stage) -> int:
    """How many training pictures an epoch of a stage has."""
    if source.mistakes:
        return source.mistakes + min(max(source.mistakes, BESIDE_MIN), len(source.train) - source.mistakes)
    if stage.balance == "oversample":
        counts = torch.bincount(source.train.labels)
        return int(counts.max()) * len(counts)
    return len(source.train)


def rows_of_epoch(source: Source, stage: Stage, order: torch.Generator) -> torch.Tensor:
    """The training rows of an epoch (N,), before they are shuffled."""
    everything = torch.arange(len(source.train))
    if source.mistakes:
        others = torch.randperm(len(source.train) - source.mistakes, generator=order) + source.mistakes
        return torch.cat([everything[: source.mistakes], others[: epoch_size(source, stage) - source.mistakes]])
    if stage.balance != "oversample":
        return everything
    counts = torch.bincount(source.train.labels)
    rows = []
    for number, count in enumerate(counts.tolist()):
        own = everything[source.train.labels == number]
        whole, rest = divmod(int(counts.max()), count)
        rows += [own.repeat(whole), own[torch.randperm(count, generator=order)[:rest]]]
    return torch.cat(rows)
