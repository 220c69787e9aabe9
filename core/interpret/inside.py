"""Inside a network: a picture in, what every block answers to it out; and, as a run, what its channels answer to most.

Hooks listen to the blocks and are always taken off again, whatever happens.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import torch
from torch import nn

from core.data.events import Progress, Reported
from core.data.pixels import decode_all
from core.data.table import load_dataset
from core.errors import DataError
from core.interpret.peaks import FILE, KIND, Peaks, block_peaks, to_npz
from core.interpret.predictions import load_trained
from core.train.events import Event
from core.train.runs import Run, Stop, load_run
from core.vision.device import Device
from core.vision.model import Classifier, block_of
from core.workspace import write_atomic

MOST = 200  # pictures: a few seconds for lite0 on two cores, and more show little that is new
AT_ONCE = 16


def block_ends(model: Classifier) -> dict[str, nn.Module]:
    """The last layer of each block of the body by its name (see `core.vision.model.block_of`), in order."""
    found: dict[str, nn.Module] = {}
    block = ""
    for name, layer in model.body.named_children():
        if name == "blocks":
            found |= {f"blocks.{number}": part for number, part in layer.named_children()}
            continue
        if next(layer.parameters(), None) is not None:
            block = block_of(f"body.{name}.weight")
        found[block] = layer  # what has no weights, such as a pooling, ends the block before it
    return found


@contextlib.contextmanager
def listening(model: Classifier, blocks: Sequence[str]) -> Iterator[dict[str, torch.Tensor]]:
    """While it lasts, what these blocks give is put into the mapping: maps (B, C, h, w) float32 of the last batch.

    What another thread asks the same model meanwhile is not heard.
    """
    heard: dict[str, torch.Tensor] = {}
    here = threading.get_ident()

    def hear(name: str) -> object:
        def hook(_: nn.Module, __: tuple[torch.Tensor, ...], out: torch.Tensor) -> None:
            if threading.get_ident() == here:
                heard[name] = out.detach().float().clone()  # a layer that works in place may change it afterwards

        return hook

    ends = block_ends(model)
    handles = [ends[name].register_forward_hook(hear(name)) for name in blocks]  # type: ignore[arg-type]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()


@torch.inference_mode()
def responses(
    model: Classifier, pixels: torch.Tensor, blocks: Sequence[str], *, device: Device
) -> dict[str, torch.Tensor]:
    """What blocks of the body answer to pictures (B, 3, S, S): maps (B, C, h, w) float32 by the block's name."""
    model.eval()
    with listening(model, blocks) as heard, device.autocast():
        model.maps(pixels.to(device.torch))
    return heard


@torch.inference_mode()
def head_inner(model: Classifier, features: np.ndarray, *, device: Device) -> np.ndarray:
    """What the head makes of activations (n, 2 * features) before it scores classes: its inner layer, (n, 512)."""
    model.eval()
    inner = nn.Sequential(*list(model.head)[:-1])
    rows = torch.from_numpy(np.asarray(features, dtype=np.float32)).to(device.torch)
    found: np.ndarray = inner(rows).cpu().numpy()
    return found


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Show the model of the request's run up to 200 pictures of its data set; keep what excites each channel most."""
    request = run.request
    dataset = load_dataset(run.workspace, request["dataset"])
    items = some_of_each(dataset.kept())
    if items.empty:
        raise DataError(f"{dataset.name} has no pictures any more, so there is nothing to show.", hint="Bring some.")
    trained = load_trained(load_run(run.workspace, request["run"]))
    names = tuple(block_ends(trained.model))
    heights: dict[str, list[np.ndarray]] = {name: [] for name in names}
    places: dict[str, list[np.ndarray]] = {name: [] for name in names}
    sides: dict[str, int] = {}
    yield Progress(0, KIND, 0, len(items))
    done = 0
    for pixels in decode_all([dataset.image_path(sha) for sha in items["file"]], trained.size, batch=AT_ONCE):
        if stop():
            return
        for name, maps in responses(trained.model, pixels, names, device=trained.device).items():
            high, place = maps.flatten(2).max(dim=2)
            heights[name].append(high.cpu().numpy())
            places[name].append(place.cpu().numpy().astype(np.int32))
            sides[name] = maps.shape[-1]
        done += len(pixels)
        yield Progress(0, KIND, done, len(items))
    blocks = {
        name: block_peaks(np.concatenate(heights[name]), np.concatenate(places[name]), sides[name]) for name in names
    }
    write_atomic(run.path / FILE, to_npz(Peaks(tuple(items["file"]), blocks)))
    yield Reported(0, KIND, {"pictures": len(items), "channels": sum(len(block.mean) for block in blocks.values())}, ())


def some_of_each(items: pd.DataFrame, *, most: int = MOST, seed: int = 0) -> pd.DataFrame:
    """Up to `most` pictures, about as many of each class, in the table's order; those to learn from come first."""
    mixed = items.sample(frac=1, random_state=seed)
    mixed = mixed.sort_values("split", key=lambda split: split != "train", kind="stable")
    turn = mixed.groupby("label").cumcount()
    chosen = turn.sort_values(kind="stable").index[:most]
    return items.loc[sorted(chosen)].reset_index(drop=True)
