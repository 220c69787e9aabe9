"""Published collections: a cache folder in, candidates per class out, through torchvision's own readers and downloads.

torchvision is imported where it is used: neither the web server nor the bears need it.
"""

from __future__ import annotations

import contextlib
import errno
import gzip
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from core.data.decoder import Task
from core.data.events import Progress
from core.data.images import Encoded, encode
from core.data.pool import Stopped
from core.errors import DataError
from core.workspace import check_free_space, disk_errors

DEBIAN_FASHION = Path("/usr/share/datasets/fashion-mnist")
POLL_S = 0.2
STALLED_S = 120.0
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
IMAGENETTE_CLASSES = (
    "tench",
    "English springer",
    "cassette player",
    "chain saw",
    "church",
    "French horn",
    "garbage truck",
    "gas pump",
    "golf ball",
    "parachute",
)
PET_CLASSES = tuple(
    "Abyssinian,American Bulldog,American Pit Bull Terrier,Basset Hound,Beagle,Bengal,Birman,Bombay,Boxer,"
    "British Shorthair,Chihuahua,Egyptian Mau,English Cocker Spaniel,English Setter,German Shorthaired,"
    "Great Pyrenees,Havanese,Japanese Chin,Keeshond,Leonberger,Maine Coon,Miniature Pinscher,Newfoundland,Persian,"
    "Pomeranian,Pug,Ragdoll,Russian Blue,Saint Bernard,Samoyed,Scottish Terrier,Shiba Inu,Siamese,Sphynx,"
    "Staffordshire Bull Terrier,Wheaten Terrier,Yorkshire Terrier".split(",")
)


@dataclass(frozen=True)
class Candidate:
    """One picture that a sample may take: its name, and its data or what makes it when its turn comes."""

    name: str
    data: Path | Task | Callable[[], Encoded]


Candidates = Mapping[str, Sequence[Candidate]]  # by class
Fetch = Generator[Progress, None, Candidates]
Stop = Callable[[], bool]


def fashion(downloads: Path, *, size_mb: int, stop: Stop) -> Fetch:
    """Fashion-MNIST's 60,000 training pictures, from Debian's package where it is installed, else downloaded."""

    def read(root: Path, *, download: bool) -> Any:
        from torchvision.datasets import FashionMNIST

        if download:
            _unpack(DEBIAN_FASHION, root / "FashionMNIST" / "raw")
        return FashionMNIST(str(root), train=True, download=download)

    dataset = yield from _fetch("Fashion-MNIST", downloads / "fashion", read, size_mb=size_mb, stop=stop)
    pixels, found = dataset.data.numpy(), dataset.targets.numpy()
    return {
        label: [
            Candidate(f"{label}/{place}.png", _grey_picture(pixels[place])) for place in (found == code).nonzero()[0]
        ]
        for code, label in enumerate(FASHION_CLASSES)
    }


def _grey_picture(pixels: Any) -> Callable[[], Encoded]:
    """A maker for one small picture: (28, 28) uint8 grey -> RGB JPEG, kept nearly as it is."""

    def make() -> Encoded:
        from PIL import Image

        return encode(Image.fromarray(pixels).convert("RGB"), quality=95, subsampling="4:4:4")

    return make


def _unpack(folder: Path, raw: Path) -> None:
    """Unpack an installed copy to where torchvision's reader looks; what is there already it does not download."""
    raw.mkdir(parents=True)
    for archive in sorted(folder.glob("*.gz")) if folder.is_dir() else ():
        with gzip.open(archive) as packed, (raw / archive.stem).open("wb") as file:
            shutil.copyfileobj(packed, file)


def imagenette(downloads: Path, *, size_mb: int, stop: Stop) -> Fetch:
    """Imagenette's training pictures at 160 pixels: ten easy classes of ImageNet."""

    def read(root: Path, *, download: bool) -> Any:
        from torchvision.datasets import Imagenette

        return Imagenette(str(root), split="train", size="160px", download=download, loader=Path)

    dataset = yield from _fetch("Imagenette", downloads / "imagenette", read, size_mb=size_mb, stop=stop)
    found: dict[str, list[Candidate]] = {names[0]: [] for names in dataset.classes}
    for place in range(len(dataset)):
        path, code = dataset[place]
        label = dataset.classes[code][0]
        found[label].append(Candidate(f"{label}/{path.name}", path))
    return found


def pets(downloads: Path, *, size_mb: int, stop: Stop) -> Fetch:
    """The Oxford-IIIT pets' training pictures: 37 breeds of cats and dogs."""

    def read(root: Path, *, download: bool) -> Any:
        from torchvision.datasets import OxfordIIITPet

        return OxfordIIITPet(str(root), split="trainval", download=download)

    folder = downloads / "pets"
    dataset = yield from _fetch("Oxford pets", folder, read, size_mb=size_mb, stop=stop)
    found: dict[str, list[Candidate]] = {label: [] for label in dataset.classes}
    base = folder / "oxford-iiit-pet"
    for line in (base / "annotations" / "trainval.txt").read_text(encoding="utf-8").splitlines():
        picture, code, *_ = line.split()
        label = dataset.classes[int(code) - 1]
        found[label].append(Candidate(f"{label}/{picture}.jpg", base / "images" / f"{picture}.jpg"))
    return found


def is_cached(downloads: Path, name: str) -> bool:
    """Whether a collection can be used without a network."""
    return (downloads / name).is_dir() or (name == "fashion" and DEBIAN_FASHION.is_dir())


def _fetch(
    title: str, folder: Path, read: Callable[..., Any], *, size_mb: int, stop: Stop
) -> Generator[Progress, None, Any]:
    """The data set that `read(folder)` opens, downloaded first where `folder` is not there yet.

    The download goes into a folder of its own, which takes its final name when it is complete.
    """
    if not folder.is_dir():
        check_free_space(folder.parent, 3 * size_mb * 2**20)  # the archive, what is in it, and the pictures made of it
        attempt = folder.parent / f".tmp-{secrets.token_hex(8)}"
        try:
            yield from _download(title, attempt, read, size_mb=size_mb, stop=stop)
            for archive in [*attempt.rglob("*.gz"), *attempt.rglob("*.tgz")]:
                archive.unlink()
            attempt.replace(folder)
        finally:
            shutil.rmtree(attempt, ignore_errors=True)  # an abandoned download may still be writing there
    return read(folder, download=False)


def _download(
    title: str, attempt: Path, read: Callable[..., Any], *, size_mb: int, stop: Stop
) -> Generator[Progress, None, None]:
    """Let torchvision download into `attempt`, in a thread that is watched and, after a stop, left behind."""
    with disk_errors():
        attempt.mkdir(parents=True)
    faults: list[Exception] = []

    def work() -> None:
        try:
            read(attempt, download=True)
        except Exception as fault:  # handed to the watching thread, which turns it into a sentence
            faults.append(fault)

    thread = threading.Thread(target=work, name="download", daemon=True)
    thread.start()
    yield from _watch(title, attempt, thread, size_mb=size_mb, stop=stop)
    if faults:
        with disk_errors():
            raise _not_downloaded(title, faults[0])


def _watch(
    title: str, attempt: Path, thread: threading.Thread, *, size_mb: int, stop: Stop
) -> Generator[Progress, None, None]:
    told, size, grown = -1, 0, time.monotonic()
    while thread.is_alive():
        if stop():
            raise Stopped
        thread.join(POLL_S)
        archives, everything = _sizes(attempt)
        if everything != size:
            size, grown = everything, time.monotonic()
        elif time.monotonic() - grown > STALLED_S:
            raise DataError(f"The download of {title} stands still.", hint="Check the network and try again.")
        done = min(round(archives / 1e6), size_mb)
        if done != told:
            yield Progress(seq=0, phase="download", done=done, total=size_mb)
            told = done


def _sizes(folder: Path) -> tuple[int, int]:
    """Bytes of the archives in a folder, and of everything in it."""
    archives = everything = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # the download moves files while we look
            size = path.stat().st_size
            everything += size
            archives += size if path.suffix in (".gz", ".tgz") else 0
    return archives, everything


def _not_downloaded(title: str, fault: Exception) -> Exception:
    if isinstance(fault, OSError) and fault.errno in (
        errno.ENOSPC,
        errno.EDQUOT,
    ):  # no room: `disk_errors` has the sentence for it
        return fault
    reason = " ".join(str(fault).split())[:200] or type(fault).__name__
    return DataError(
        f"{title} could not be downloaded: {reason}.",
        hint="Check the network and try again; the bears need none.",
    )


FETCH: Mapping[str, Callable[..., Fetch]] = MappingProxyType(
    {"fashion": fashion, "imagenette": imagenette, "pets": pets}
)
