"""Import of large photos against verifying and resizing them the usual way, in the same run with as many processes.

The peer is a plain Pillow loop over a process pool: verify each file with a tiny decode, then decode it in full, resize
it (bilinear, longest side 512) and save it. Where fastai is installed, its `verify_images` and `resize_images` run too.

    python -m benchmarks.ingest [--photos 60] [--megapixels 12] [--workers N] [--rounds 3]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from core.data.ingest import import_source
from core.data.pool import process_count
from core.settings import ImportSettings
from core.workspace import Workspace

SIDE = 512


def make_photo(path: Path, seed: int, *, megapixels: float) -> None:
    """A photo-like JPEG: smooth areas, edges and fine grain, 4:3, about 3 bits per pixel."""
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5 / 16) * 16
    width = height * 4 // 3
    rng = np.random.default_rng(seed)
    base = Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((width, height), Image.BICUBIC)
    coarse = Image.fromarray(rng.integers(0, 256, (height // 12, width // 12, 3), dtype=np.uint8))
    photo = Image.blend(base, coarse.resize((width, height), Image.BILINEAR), 0.35)
    grain = rng.integers(-9, 10, (height, width, 1), dtype=np.int16)
    pixels = np.clip(np.asarray(photo, np.int16) + grain, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, quality=90)


def verify(path: Path) -> bool:
    """Whether the file decodes, judged by a tiny decode."""
    with Image.open(path) as image:
        image.draft(image.mode, (32, 32))
        image.load()
    return True


def resize(path: Path, target: Path) -> None:
    """Decode in full, resize, save."""
    with Image.open(path) as image:
        image.load()
        scale = SIDE / max(image.size)
        size = (int(image.width * scale), int(image.height * scale))
        image.convert("RGB").resize(size, Image.BILINEAR).save(target / f"{path.parent.name}-{path.name}")


def plain(photos: list[Path], target: Path, *, workers: int) -> None:
    """The peer: both steps, one after the other, each over all processes."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(verify, photos))
        list(pool.map(partial(resize, target=target), photos))


def fastai(photos: list[Path], target: Path, *, workers: int) -> None:
    """The reference library's own functions."""
    from fastai.vision.utils import resize_images, verify_images

    verify_images(photos)
    resize_images(photos[0].parents[1], dest=target, max_size=SIDE, max_workers=workers, recurse=True)


def ours(source: Path, target: Path, *, workers: int) -> None:
    """The whole import: reading, opening, hashing, storing, the table and the report."""
    events = list(import_source(Workspace(target), source, name="photos", settings=ImportSettings(), workers=workers))
    if events[-1].kept != events[-2].total:
        raise SystemExit(f"only {events[-1].kept} pictures were imported")


def timed(work: Callable[[Path], None]) -> float:
    """Seconds that `work` takes with an empty folder to write to."""
    target = Path(tempfile.mkdtemp(prefix="bearings-target-"))
    try:
        start = time.perf_counter()
        work(target)
        return time.perf_counter() - start
    finally:
        shutil.rmtree(target)


def peers() -> dict[str, Callable[..., None]]:
    """The peers that can run here."""
    found: dict[str, Callable[..., None]] = {"pillow": plain}
    if importlib.util.find_spec("fastai") is None:
        print("fastai is not installed: compared with Pillow alone", file=sys.stderr)
    else:
        found["fastai"] = fastai
    return found


def main() -> None:
    """Make the photos, run everything in turns, print medians and ratios as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--megapixels", type=float, default=12)
    parser.add_argument("--workers", type=int, default=process_count())
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bearings-photos-") as folder:
        source = Path(folder)
        photos = [source / ("cat", "dog")[number % 2] / f"{number}.jpg" for number in range(options.photos)]
        for number, path in enumerate(photos):
            make_photo(path, number, megapixels=options.megapixels)
        works = {name: partial(run, photos, workers=options.workers) for name, run in peers().items()}
        works["bearings"] = partial(ours, source, workers=options.workers)
        seconds: dict[str, list[float]] = {name: [] for name in works}
        for _ in range(options.rounds):
            for name, work in works.items():
                seconds[name].append(timed(work))
        size = sum(path.stat().st_size for path in photos) / len(photos)
    report(seconds, options, size)


def report(seconds: dict[str, list[float]], options: argparse.Namespace, size: float) -> None:
    """Print one JSON record."""
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    record = {
        "photos": options.photos,
        "megapixels": options.megapixels,
        "mb_each": round(size / 1e6, 1),
        "workers": options.workers,
        "seconds": {name: round(value, 2) for name, value in medians.items()},
        "photos_per_s": {name: round(options.photos / value, 1) for name, value in medians.items()},
        "times_faster_than": {
            name: round(value / medians["bearings"], 2) for name, value in medians.items() if name != "bearings"
        },
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
