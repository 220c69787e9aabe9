"""How pictures look: stored JPEGs in, brightness, sharpness, colour and a small signature of each out, computed once.

Pictures are decoded at a reduced scale, in threads. What was computed is kept in the workspace's cache under the hash
of the picture, so it is never stale and can be deleted at any time.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from core.data.events import Progress
from core.data.pool import Stopped, process_count
from core.data.table import Dataset
from core.errors import DataError
from core.workspace import disk_errors, new_id, write_atomic, write_json

EDGE = 192  # pixels along the longer side at which a picture is judged; smaller ones are taken as they are
SIDE, CHROMA = 32, 8  # the signature: SIDE x SIDE of luminance, then CHROMA x CHROMA of each colour channel
FORMULA = 1  # a new number for every change of what is computed here
BATCH = 64
FLAT = 2.0  # grey levels: where neighbours differ by less, a slope is noise
_LEVELS = np.arange(256.0)
MEASURES = ("brightness", "low", "high", "contrast", "sharpness", "entropy", "colourfulness", "warmth")
_ROW = np.dtype([("measures", "<f4", (len(MEASURES),)), ("signature", "u1", (SIDE**2 + 2 * CHROMA**2,))])
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Look:
    """How one picture looks; luminance runs from 0 (black) to 1 (white).

    `brightness`, `contrast`: mean and standard deviation of the luminance; `low`, `high`: the values that 2 % of the
    pixels lie below and above. `sharpness`: how fast the finest structures change, in radians per pixel at EDGE
    pixels, where the picture is sharpest and in the direction in which it is blurred most: photos have 1 to 2, out of
    focus or moved ones less than 0.7. `entropy` of the luminance, in bits (0 to 8). `colourfulness` (Hasler and
    Suesstrunk 2003, divided by 255): 0 is grey, 0.4 very colourful. `warmth`: above 0 reddish, below 0 bluish.
    `signature`: a thumbnail of luminance and colour.
    """

    brightness: float
    low: float
    high: float
    contrast: float
    sharpness: float
    entropy: float
    colourfulness: float
    warmth: float
    signature: np.ndarray


@dataclass(frozen=True)
class Looks:
    """`table`: one row per picture with columns file and MEASURES; `signatures` (N, 1152) uint8 in the same order."""

    table: pd.DataFrame
    signatures: np.ndarray

    @cached_property
    def places(self) -> dict[str, int]:
        """Where each picture, by its hash, stands in the table."""
        return {file: place for place, file in enumerate(self.table["file"])}

    def rows(self, files: Sequence[str]) -> np.ndarray:
        """Places of pictures in the table, in the order asked for."""
        return np.array([self.places[file] for file in files], dtype=np.int64)


def look_at(path: Path) -> Look:
    """The look of a stored JPEG; DataError when it is missing or damaged."""
    try:
        with Image.open(path, formats=["JPEG"]) as image:
            scale = EDGE / max(image.size)
            image.draft("YCbCr", (math.ceil(image.width * scale), math.ceil(image.height * scale)))
            return look_of(image)
    except OSError as error:
        raise DataError(
            f"The stored picture {path.name[:12]}… is missing or damaged.", hint="Import the pictures again."
        ) from error


def look_of(image: Image.Image) -> Look:
    """The look of an opened picture."""
    luminance, blue, red = image.convert("YCbCr").split()
    small = _fitted(luminance)
    share = np.array(small.histogram(), dtype=np.float64) / (small.width * small.height)
    mean, below, some = float(share @ _LEVELS), np.cumsum(share), share[share > 0]
    chroma = np.stack([np.asarray(_squeezed(channel, SIDE), dtype=np.float32) - 128 for channel in (blue, red)])
    coarse = chroma.reshape(2, CHROMA, SIDE // CHROMA, CHROMA, SIDE // CHROMA).mean((2, 4)) + 128
    signature = [np.asarray(_squeezed(luminance, SIDE)).ravel(), coarse.round().astype(np.uint8).ravel()]
    return Look(
        brightness=mean / 255,
        low=float(np.searchsorted(below, 0.02)) / 255,
        high=float(np.searchsorted(below, 0.98)) / 255,
        contrast=math.sqrt(share @ (_LEVELS - mean) ** 2) / 255,
        sharpness=_sharpness(np.asarray(small, dtype=np.float32)),
        entropy=abs(float(some @ np.log2(some))),
        colourfulness=_colourfulness(*chroma),
        warmth=float((chroma[1] - chroma[0]).mean()) / 255,
        signature=np.concatenate(signature),
    )


def _fitted(image: Image.Image) -> Image.Image:
    """At most EDGE pixels along the longer side."""
    scale = EDGE / max(image.size)
    if scale >= 1:
        return image
    return image.resize([max(3, round(side * scale)) for side in image.size], Image.Resampling.BILINEAR)


def _squeezed(image: Image.Image, side: int) -> Image.Image:
    return image.resize((side, side), Image.Resampling.BOX if min(image.size) >= side else Image.Resampling.BILINEAR)


def _sharpness(grey: np.ndarray) -> float:
    """Root mean square of the second derivative over that of the first, in the tiles where they are largest.

    For a wave this is its frequency. A background out of focus does not count, since the sharpest tenth of the tiles
    decides; a camera that moved does, since the direction with the smaller value decides.
    """
    tile = max(4, min(grey.shape) // 8)
    found = []
    for across in (grey, grey.T):
        slope = (across[1:-1, 2:] - across[1:-1, :-2]) / 2
        bend = across[1:-1, 2:] + across[1:-1, :-2] - 2 * across[1:-1, 1:-1]
        found.append(_upper(bend, tile) / (_upper(slope, tile) + FLAT / 8))
    return min(found)


def _upper(values: np.ndarray, tile: int) -> float:
    """The root mean square of the 90th of 100 tiles."""
    rows, columns = (max(1, side // tile) for side in values.shape)
    squares = values[: rows * tile, : columns * tile] ** 2
    tiles = squares.reshape(rows, squares.shape[0] // rows, columns, squares.shape[1] // columns).mean((1, 3))
    place = round(0.9 * (tiles.size - 1))
    return math.sqrt(np.partition(tiles.ravel(), place)[place])


def _colourfulness(blue: np.ndarray, red: np.ndarray) -> float:
    """From Cb and Cr around 0: the red-green and yellow-blue axes do not depend on the luminance."""
    red_green, yellow_blue = 2.116 * red + 0.344 * blue, 0.344 * red - 1.944 * blue
    spread = math.hypot(red_green.std(), yellow_blue.std())
    return (spread + 0.3 * math.hypot(red_green.mean(), yellow_blue.mean())) / 255


@dataclass(frozen=True)
class LookStore:
    """Packs of looks in one folder; every pack is written once, so readers and writers need no lock."""

    folder: Path

    @classmethod
    def at(cls, cache: Path) -> LookStore:
        """The store in a workspace's cache, for the formula used here."""
        return cls(cache / "looks" / f"{EDGE}-{FORMULA}")

    def load(self, wanted: Sequence[str]) -> dict[str, Any]:
        """Rows of those pictures that are stored. A pack that cannot be read is as good as none."""
        missing, found = set(wanted), dict[str, Any]()
        for index in sorted(self.folder.glob("*.json")) if self.folder.is_dir() and missing else []:
            try:
                hashes = json.loads(index.read_text(encoding="utf-8"))["hashes"]
                rows = [(row, sha) for row, sha in enumerate(hashes) if sha in missing]
                pack = np.load(index.with_suffix(".npy"), mmap_mode="r", allow_pickle=False) if rows else None
                found.update({sha: pack[row].copy() for row, sha in rows if pack is not None})
            except (OSError, ValueError, KeyError, IndexError):  # deleted just now, or damaged: looked at again
                continue
            missing -= {sha for _, sha in rows}
        return found

    def save(self, rows: dict[str, Any]) -> None:
        """Add rows as one pack. The index is written last: a pack without one is not seen."""
        if not rows:
            return
        name, buffer = new_id(), io.BytesIO()
        np.save(buffer, np.array(list(rows.values()), dtype=_ROW), allow_pickle=False)
        with disk_errors():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self.folder / f"{name}.npy", buffer.getvalue())
            write_json(self.folder / f"{name}.json", {"hashes": list(rows)})


def scan(
    cache: Path, files: Sequence[str], image_path: Callable[[str], Path], *, stop: Stop = lambda: False
) -> Generator[Progress, None, Looks]:
    """Look at pictures, given by hash, that `cache` does not know yet; yields Progress and returns the Looks of all.

    A picture that is missing or damaged has NaN for every measure and a black signature. Raises Stopped soon after
    `stop()` turns true; what was computed until then is kept.
    """
    wanted = list(dict.fromkeys(files))
    store = LookStore.at(cache)
    rows = store.load(wanted)
    missing = [file for file in wanted if file not in rows]
    fresh: dict[str, Any] = {}
    try:
        with ThreadPoolExecutor(process_count()) as threads:
            for start in range(0, len(missing), BATCH):
                yield Progress(0, "looks", len(fresh), len(missing))
                if stop():
                    raise Stopped
                some = missing[start : start + BATCH]
                fresh.update(zip(some, threads.map(lambda file: _row(image_path(file)), some), strict=True))
    finally:
        store.save({file: row for file, row in fresh.items() if not np.isnan(row["measures"][0])})
    if missing:
        yield Progress(0, "looks", len(missing), len(missing))
    return _looks(wanted, {**rows, **fresh})


def _row(path: Path) -> Any:
    row = np.zeros((), dtype=_ROW)
    row["measures"] = np.nan
    with contextlib.suppress(DataError):
        look = look_at(path)
        row["measures"] = [getattr(look, name) for name in MEASURES]
        row["signature"] = look.signature
    return row


def _looks(files: Sequence[str], rows: dict[str, Any]) -> Looks:
    stacked = np.array([rows[file] for file in files], dtype=_ROW)
    table = pd.DataFrame(stacked["measures"].reshape(-1, len(MEASURES)).astype(np.float64), columns=list(MEASURES))
    table.insert(0, "file", pd.Series(files, dtype=str))
    return Looks(table, np.ascontiguousarray(stacked["signature"].reshape(len(files), *_ROW["signature"].shape)))


def looks(dataset: Dataset, items: pd.DataFrame | None = None, *, stop: Stop = lambda: False) -> Looks:
    """The looks of a data set's pictures: those that count, or the ones in `items`."""
    files = list((dataset.kept() if items is None else items)["file"])
    steps = scan(dataset.workspace.cache, files, dataset.image_path, stop=stop)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            found: Looks = done.value
            return found
