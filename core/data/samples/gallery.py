"""The sample sets: a name in the registry in, a data set of the workspace out.

A sample can be made harder on purpose: wrong labels at random, wrong labels that all point one way, and classes that
are short of pictures. Wrong labels go to the training side only, and every such row notes its true label.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from core.data.decoder import Task
from core.data.events import Event
from core.data.pool import Stopped
from core.data.samples import real_sets
from core.data.samples.real_sets import Candidate, Candidates
from core.data.shelf import Picture
from core.data.split import stratified_split
from core.data.store import publish
from core.data.table import check_free_name
from core.errors import SettingsError
from core.settings import ImportSettings
from core.workspace import Workspace

PER_CLASS = (2, 2000)
MAX_NOISE = 0.9
SMALL_PICTURE_BYTES = 4096  # 28 x 28 pixels take one block of the disk
MAX_IMBALANCE = 0.95
TRUE_LABEL = "true label: "  # begins the note of a picture whose label is wrong on purpose
BEARS = ("black", "grizzly", "teddy")
Stop = Callable[[], bool]


@dataclass(frozen=True)
class Sample:
    """One entry of the registry. `size_mb` is what a first use downloads (0: none), `per_class` the usual number."""

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    offline: bool
    size_mb: int
    licence: str
    source: str
    per_class: int


SAMPLES: Mapping[str, Sample] = MappingProxyType(
    {
        sample.name: sample
        for sample in (
            Sample(
                name="bears",
                title="Bears",
                description="Drawn scenes with black bears, grizzlies and teddies. Made on your own machine.",
                classes=BEARS,
                offline=True,
                size_mb=0,
                licence="Free to use, like Bearings itself",
                source="drawn by Bearings",
                per_class=100,
            ),
            Sample(
                name="fashion",
                title="Fashion-MNIST",
                description="Small grey pictures of clothes and shoes, 28 by 28 pixels.",
                classes=real_sets.FASHION_CLASSES,
                offline=False,
                size_mb=31,
                licence="MIT",
                source="https://github.com/zalandoresearch/fashion-mnist",
                per_class=200,
            ),
            Sample(
                name="imagenette",
                title="Imagenette",
                description="Photos of ten things that are easy to tell apart, 160 pixels high.",
                classes=real_sets.IMAGENETTE_CLASSES,
                offline=False,
                size_mb=99,
                licence="Photos from ImageNet: for study and research, not for business",
                source="https://github.com/fastai/imagenette",
                per_class=100,
            ),
            Sample(
                name="pets",
                title="Oxford pets",
                description="Photos of 37 breeds of cats and dogs. Some breeds look much alike.",
                classes=real_sets.PET_CLASSES,
                offline=False,
                size_mb=811,
                licence="CC BY-SA 4.0",
                source="https://www.robots.ox.ac.uk/~vgg/data/pets/",
                per_class=50,
            ),
        )
    }
)


def is_available(workspace: Workspace, sample_name: str) -> bool:
    """Whether a sample can be made without a network: drawn here, installed, or downloaded before."""
    sample = _find(sample_name)
    return sample.offline or real_sets.is_cached(_downloads(workspace), sample.name)


def make_sample(
    workspace: Workspace,
    sample_name: str,
    *,
    name: str,
    per_class: int | None = None,
    noise: float = 0.0,
    biased_noise: float = 0.0,
    imbalance: float = 0.0,
    seed: int = 0,
    settings: ImportSettings | None = None,
    stop: Stop = lambda: False,
) -> Iterator[Event]:
    """Make a sample set as data set `name`; yields Progress and, last of all, DataReady.

    `per_class` pictures per class, 2 to 2000 (None: the sample's usual number); `noise`, 0 to 0.9: share of the
    training pictures that get a random wrong label; `biased_noise`, 0 to 0.9: share of the second class's training
    pictures that are labelled as the first class; `imbalance`, 0 to 0.95: share of its pictures that every class
    after the first has less. `seed` decides which pictures are drawn or chosen and which labels are wrong, `settings`
    the split. When `stop()` turns true the events end without DataReady and no data set is made.
    """
    sample = _find(sample_name)
    count = sample.per_class if per_class is None else per_class
    _check(count, noise=noise, biased_noise=biased_noise, imbalance=imbalance)
    check_free_name(workspace, name)
    settings = settings or ImportSettings()
    try:
        events = _events(
            workspace,
            sample,
            _Wish(count, noise=noise, biased_noise=biased_noise, imbalance=imbalance, seed=seed),
            name=name,
            settings=settings,
            stop=stop,
        )
        for seq, event in enumerate(events):
            yield replace(event, seq=seq)
    except Stopped:
        return


@dataclass(frozen=True)
class _Wish:
    """What was asked of a sample."""

    count: int
    noise: float
    biased_noise: float
    imbalance: float
    seed: int

    def wanted(self, place: int) -> int:
        """Pictures of the class at this place in the list of classes."""
        return self.count if place == 0 else max(PER_CLASS[0], round(self.count * (1 - self.imbalance)))


def _find(sample_name: str) -> Sample:
    if sample_name not in SAMPLES:
        raise SettingsError(f"There is no sample called {sample_name[:40]!r}.", hint=f"There are {', '.join(SAMPLES)}.")
    return SAMPLES[sample_name]


def _check(per_class: int, *, noise: float, biased_noise: float, imbalance: float) -> None:
    if not PER_CLASS[0] <= per_class <= PER_CLASS[1]:
        raise SettingsError(
            f"{per_class} pictures per class were asked for; {PER_CLASS[0]} to {PER_CLASS[1]} are allowed.",
            hint="100 is a good number.",
        )
    for what, share, most in (
        ("label noise", noise, MAX_NOISE),
        ("biased label noise", biased_noise, MAX_NOISE),
        ("imbalance", imbalance, MAX_IMBALANCE),
    ):
        if not 0 <= share <= most:
            raise SettingsError(
                f"The {what} is {share:g}; it must lie between 0 and {most:g}.", hint="It is a share: 0.1 is a tenth."
            )


def _downloads(workspace: Workspace) -> Path:
    return workspace.cache / "downloads"


def _events(
    workspace: Workspace, sample: Sample, wish: _Wish, *, name: str, settings: ImportSettings, stop: Stop
) -> Iterator[Event]:
    candidates = yield from _candidates(workspace, sample, wish, stop)
    chosen, notes = _choose(candidates, wish, drawn=sample.name == "bears")
    pictures = _plan(chosen, wish, settings)
    yield from publish(
        workspace,
        (_picture(candidate, plan) for candidate, plan in pictures),
        name=name,
        settings=settings,
        source=f"sample: {sample.name}",
        total=len(pictures),
        need_bytes=len(pictures) * SMALL_PICTURE_BYTES if sample.name == "fashion" else None,
        phase="draw" if sample.name == "bears" else "import",
        notes=notes,
        fixed_sides=False,
        stop=stop,
    )


def _candidates(workspace: Workspace, sample: Sample, wish: _Wish, stop: Stop) -> Generator[Event, None, Candidates]:
    if sample.name == "bears":
        return _bears(wish)
    return (yield from real_sets.FETCH[sample.name](_downloads(workspace), size_mb=sample.size_mb, stop=stop))


def _bears(wish: _Wish) -> Candidates:
    """Scenes to draw; their names hold the seeds, so that any of them can be drawn again with its mask."""
    from core.data.samples.bears import scene_seed

    seeds = [scene_seed(wish.seed, place) for place in range(wish.count)]
    return {
        label: [Candidate(f"{label}/scene-{seed}.jpg", Task("bears", {"label": label, "seed": seed})) for seed in seeds]
        for label in BEARS
    }


def _choose(candidates: Candidates, wish: _Wish, *, drawn: bool) -> tuple[dict[str, Sequence[Candidate]], list[str]]:
    """As many candidates per class as wanted: the first ones of drawn scenes, a seeded choice of all others."""
    chosen: dict[str, Sequence[Candidate]] = {}
    notes = []
    for place, (label, found) in enumerate(candidates.items()):
        count = min(wish.wanted(place), len(found))
        chosen[label] = found[:count] if drawn else random.Random(f"{wish.seed}:{label}").sample(list(found), count)
        if count < wish.wanted(place):
            notes.append(f"There are only {count} pictures of {label}.")
    return chosen, notes


@dataclass(frozen=True)
class _Planned:
    """The label and the side of one picture; `true` is what it shows."""

    true: str
    label: str
    split: str


def _plan(
    chosen: Mapping[str, Sequence[Candidate]], wish: _Wish, settings: ImportSettings
) -> list[tuple[Candidate, _Planned]]:
    true = [label for label, candidates in chosen.items() for _ in candidates]
    sides = stratified_split(true, valid_share=settings.valid_share, seed=settings.seed)
    wrong = wrong_labels(true, sides, list(chosen), noise=wish.noise, biased_noise=wish.biased_noise, seed=wish.seed)
    planned = [_Planned(*three) for three in zip(true, wrong, sides, strict=True)]
    return list(zip((candidate for found in chosen.values() for candidate in found), planned, strict=True))


def wrong_labels(
    true: Sequence[str], sides: Sequence[str], classes: Sequence[str], *, noise: float, biased_noise: float, seed: int
) -> list[str]:
    """The labels with some of the training side's replaced; every class keeps a training picture that is right.

    `biased_noise` of the second class become the first class; then `noise` of all other training labels become any
    other class.
    """
    rng = random.Random(f"labels:{seed}")
    labels = list(true)
    train = [place for place, side in enumerate(sides) if side == "train"]
    safe = {next((place for place in train if true[place] == label), None) for label in classes}
    second = [place for place in train if true[place] == classes[1]]
    for place in _some(rng, [place for place in second if place not in safe], round(biased_noise * len(second))):
        labels[place] = classes[0]
    right = [place for place in train if place not in safe and labels[place] == true[place]]
    for place in _some(rng, right, round(noise * len(train))):
        labels[place] = rng.choice([label for label in classes if label != true[place]])
    return labels


def _some(rng: random.Random, places: Sequence[int], count: int) -> list[int]:
    return rng.sample(places, min(count, len(places)))


def _picture(candidate: Candidate, plan: _Planned) -> Picture:
    data = candidate.data() if callable(candidate.data) else candidate.data
    if plan.label == plan.true:
        return Picture(data, plan.label, candidate.name, plan.split)
    # as if somebody had put the file into the wrong folder: its name must not give the answer away
    name = f"{plan.label}/{candidate.name.rpartition('/')[2]}"
    return Picture(data, plan.label, name, plan.split, note=f"{TRUE_LABEL}{plan.true}")
