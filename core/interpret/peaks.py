"""What the channels of a network answer to: for each of them the pictures that excite it most, and where, as a file.

A channel is one of the answers that a block gives for every place of a picture. The arrays come from
`core.interpret.inside`; whoever shows them reads them without torch.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from core.errors import NotFound
from core.train.runs import Run
from core.vision.blocks import BODIES, Block

KIND = "inside"
FILE = "peaks.npz"
KEPT = 8  # pictures for each channel
DEPTHS = {"early": 0.25, "middle": 0.5, "late": 1.0}  # how far into the body, 0..1
_ARRAYS = ("rows", "places", "mean", "spread")


@dataclass(frozen=True)
class BlockPeaks:
    """One block, C channels. `rows` (C, KEPT) int: pictures that excite a channel, most first; `places` (C, KEPT) int:
    where, as the number of the place in its map of side x side; `mean`, `spread` (C,): of a channel's highest answers
    over all pictures. A picture that is missing, where there are fewer, is -1.
    """

    side: int
    rows: np.ndarray
    places: np.ndarray
    mean: np.ndarray
    spread: np.ndarray


@dataclass(frozen=True)
class Peaks:
    """All blocks by name, and the hash of each picture that was looked at."""

    files: tuple[str, ...]
    blocks: Mapping[str, BlockPeaks]


def block_peaks(heights: np.ndarray, places: np.ndarray, side: int) -> BlockPeaks:
    """From the highest answer (n, C) of each channel to each of n pictures, and its place (n, C), the pictures to show.

    Of equally high answers the earlier picture comes first.
    """
    order = np.argsort(-heights, axis=0, kind="stable")[:KEPT].T
    rows = np.full((heights.shape[1], KEPT), -1, dtype=np.int32)
    where = np.full_like(rows, -1)
    rows[:, : order.shape[1]] = order
    where[:, : order.shape[1]] = np.take_along_axis(places, order.T, axis=0).T
    return BlockPeaks(side, rows, where, heights.mean(axis=0), heights.std(axis=0))


def loudest(maps: np.ndarray, known: BlockPeaks, count: int) -> list[int]:
    """The channels (numbers) that answer to one picture more than to others, most first.

    `maps` (C, h, w) is the block's answer to the picture. The order goes by how many spreads a channel's highest answer
    lies above its mean over the pictures that were looked at; channels that answer to all alike are left out.
    """
    highest = maps.reshape(len(maps), -1).max(axis=1)
    alive = known.spread > 1e-6
    surprise = np.where(alive, (highest - known.mean) / np.where(alive, known.spread, 1), -np.inf)
    return [int(channel) for channel in np.argsort(-surprise, kind="stable")[:count] if alive[channel]]


def at_depth(backbone: str, depth: str) -> Block:
    """The block of a network that stands for "early", "middle" or "late"."""
    blocks = BODIES[backbone]
    return blocks[round(DEPTHS[depth] * (len(blocks) - 1))]


def to_npz(peaks: Peaks) -> bytes:
    """The bytes of peaks.npz."""
    arrays = {"files": np.array(peaks.files, dtype="S64")}
    for name, block in peaks.blocks.items():
        arrays |= {f"{name}/{what}": getattr(block, what) for what in _ARRAYS}
        arrays[f"{name}/side"] = np.array(block.side)
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def load_peaks(run: Run) -> Peaks:
    """What a run of the kind "inside" wrote down; NotFound while it has not ended."""
    try:
        with np.load(run.path / FILE, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
    except FileNotFoundError as error:
        raise NotFound("Nobody has looked inside this model yet.", hint="Wait until it is done.") from error
    names = [name.removesuffix("/side") for name in arrays if name.endswith("/side")]
    blocks = {
        name: BlockPeaks(int(arrays[f"{name}/side"]), *(arrays[f"{name}/{what}"] for what in _ARRAYS)) for name in names
    }
    return Peaks(tuple(file.decode() for file in arrays["files"]), blocks)
