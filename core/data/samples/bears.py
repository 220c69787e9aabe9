"""A label and a seed in, an illustrated scene out: a black bear, a grizzly or a teddy, with tags, mask and head point.

Nothing is read from disk. A scene depends on its label, its seed and its size only, so it does not matter in what
order or in how many processes scenes are drawn.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from PIL import Image, ImageChops

from core.data.samples import props
from core.data.samples.anatomy import Brush, draw_anatomy
from core.data.samples.bear_bodies import all_fours, sitting, upright
from core.data.samples.canvas import BEAR, GROUND, OTHER, SKY, Canvas, Light, Point, Stage
from core.data.samples.scenery import OUTDOORS, light_of, paint_place
from core.errors import SettingsError

CLASSES = ("black", "grizzly", "teddy")
MASK_CODES: Mapping[str, int] = MappingProxyType({"other": OTHER, "sky": SKY, "ground": GROUND, "bear": BEAR})
MIN_SIZE, MAX_SIZE = 64, 1024
# how often a kind is seen in a place: every kind everywhere, some more often at home
PLACES: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        "black": {"forest": 0.38, "snow": 0.26, "room": 0.19, "shelf": 0.17},
        "grizzly": {"forest": 0.36, "snow": 0.28, "room": 0.19, "shelf": 0.17},
        "teddy": {"forest": 0.23, "snow": 0.21, "room": 0.29, "shelf": 0.27},
    }
)


POSES = MappingProxyType(
    {"sitting": 0.34, "standing": 0.15, "walking": 0.22, "walking, head turned": 0.14, "three-quarter": 0.15}
)
TIMES = MappingProxyType({"day": 0.52, "dusk": 0.25, "night": 0.23})
WEATHER = MappingProxyType(
    {
        "forest": MappingProxyType({"clear": 0.56, "fog": 0.16, "rain": 0.18, "snowing": 0.10}),
        "snow": MappingProxyType({"clear": 0.48, "fog": 0.14, "snowing": 0.38}),
    }
)
DISTANCES = MappingProxyType({"far": 0.06, "middle": 0.42, "near": 0.36, "close-up": 0.16})
# height of a bear as a share of the picture, least and most
HEIGHTS = MappingProxyType(
    {"far": (0.29, 0.37), "middle": (0.40, 0.54), "near": (0.50, 0.68), "close-up": (0.85, 1.10)}
)


@dataclass(frozen=True, eq=False)
class Scene:
    """One picture and all that is known about it.

    Attributes
    ----------
    image : RGB picture, size × size
    label : one of CLASSES
    tags : what can be seen, such as ("bear", "grizzly", "forest", "night", "snowing", "occluded")
    mask : uint8 of shape (size, size) with the values of MASK_CODES; "bear" marks visible pixels only
    head : x and y of the middle of the head, in pixels
    """

    image: Image.Image
    label: str
    tags: tuple[str, ...]
    mask: np.ndarray
    head: Point


@dataclass(frozen=True)
class _Plan:
    """What one scene will show; all of it is decided before the first stroke."""

    place: str
    light: Light
    weather: str
    pose: str
    distance: str
    friend: str | None
    cover: str | None


def scene_seed(seed: int, index: int) -> int:
    """The seed of scene number `index` in the set with this seed; it does not depend on how many scenes there are."""
    return int.from_bytes(hashlib.sha256(f"bears {seed} {index}".encode()).digest()[:7])


def draw_scenes(per_class: int, *, seed: int = 0, size: int = 384) -> Iterator[Scene]:
    """`per_class` scenes of every class, the classes taking turns."""
    for index in range(per_class):
        for label in CLASSES:
            yield draw_scene(label, seed=scene_seed(seed, index), size=size)


def draw_scene(label: str, *, seed: int, size: int = 384) -> Scene:
    """One scene; the same label, seed and size give the same bytes, and another size shows the same scene."""
    _check(label, size)
    rng = random.Random(f"{label} {seed}")
    plan = _plan(label, rng)
    canvas = Canvas(size, plan.light, rng=random.Random(seed))
    stage = paint_place(plan.place, canvas, rng)
    head = _paint_bear(canvas, label, plan, stage, rng)
    _paint_weather(canvas, plan, rng)
    image, mask = canvas.finish()
    image = _atmosphere(image, plan, rng)
    return Scene(image, label, _tags(label, plan), mask, (head[0] * size, head[1] * size))


def _check(label: str, size: int) -> None:
    if label not in CLASSES:
        raise SettingsError(f"There is no bear called {label!r}.", hint=f"Choose one of {', '.join(CLASSES)}.")
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise SettingsError(
            f"A scene of {size} pixels was asked for; {MIN_SIZE} to {MAX_SIZE} are allowed.",
            hint="384 is the usual size.",
        )


def _plan(label: str, rng: random.Random) -> _Plan:
    place = _pick(PLACES[label], rng)
    outdoors = place in OUTDOORS
    friends: tuple[str, ...] = props.OUTDOOR_FRIENDS if outdoors else props.INDOOR_FRIENDS
    cover: tuple[str, ...] = props.OUTDOOR_COVER if outdoors else props.INDOOR_COVER
    pose, distance = _pick(POSES, rng), _pick(DISTANCES, rng)
    if distance == "close-up" and (place == "shelf" or pose not in ("sitting", "standing")):
        distance = "near"
    return _Plan(
        place=place,
        light=light_of(place, _pick(TIMES, rng)),
        weather=_pick(WEATHER.get(place, {"clear": 1.0}), rng),
        pose=pose,
        distance=distance,
        friend=rng.choice(friends) if rng.random() < 0.30 else None,
        cover=rng.choice(cover) if rng.random() < 0.27 and distance != "close-up" else None,
    )


def _pick(shares: Mapping[str, float], rng: random.Random) -> str:
    return rng.choices(list(shares), list(shares.values()))[0]


def _tags(label: str, plan: _Plan) -> tuple[str, ...]:
    tags = ["bear", label, plan.place, plan.light.name, *plan.pose.split(", ")]
    if plan.distance in ("far", "close-up"):
        tags.append(plan.distance)
    if plan.weather != "clear":
        tags.append(plan.weather)
    if plan.friend:
        tags += ["second animal", plan.friend] if plan.friend in props.OUTDOOR_FRIENDS else ["toy", plan.friend]
    if plan.cover:
        tags += ["occluded", plan.cover]
    return tuple(tags)


def _paint_bear(canvas: Canvas, label: str, plan: _Plan, stage: Stage, rng: random.Random) -> Point:
    """The bear with its shadow, its company and what hides it; returns the middle of its head."""
    scale, foot, flip = _size_and_foot(plan, stage, rng)
    long = plan.pose.startswith("walking")
    behind, ahead = 0.42, 0.42
    if long:
        behind, ahead = 0.62, 0.95
    elif plan.pose == "three-quarter":
        behind, ahead = 0.46, 0.74
    left, right = (ahead * scale, behind * scale) if flip else (behind * scale, ahead * scale)
    x = rng.uniform(left, 1 - right) if left + right < 1 else 0.5 + (left - right) / 2
    half = scale * (0.62 if long else 0.40)
    _shadow(canvas, (x, foot - 0.005), half * 1.15)
    if plan.friend:
        _paint_friend(canvas, plan.friend, (x, foot), half, scale, rng)
    brush = Brush(canvas, rng, draw_anatomy(label, rng), (x, foot), scale, flip, rng.gauss(0, 0.02))
    head = _pose(brush, plan.pose)
    if plan.cover:
        aside = rng.uniform(0.24, 0.46) * scale * (1 if x > head[0] or (abs(x - head[0]) < 0.05 and flip) else -1)
        at = (x + aside, foot + scale * 0.06)
        props.paint_cover(plan.cover, props.Maker(canvas, rng, at, scale * 0.42), snowy=plan.place == "snow")
    return head


def _size_and_foot(plan: _Plan, stage: Stage, rng: random.Random) -> tuple[float, float, bool]:
    """How large the bear is, how far down its feet stand and whether it looks to the left."""
    height = rng.uniform(*HEIGHTS[plan.distance])
    if plan.pose.startswith("walking"):
        height *= 0.88
    near = (height - 0.22) / 0.46 + rng.uniform(-0.15, 0.15)
    foot = stage.far + (stage.near - stage.far) * min(1.0, max(0.0, near))
    if plan.distance == "close-up":  # the head stays in the picture, the feet leave it
        foot = max(foot, rng.uniform(0.14, 0.20) + 1.06 * height)
    return height, foot, rng.random() < 0.5


def _shadow(canvas: Canvas, at: Point, half: float) -> None:
    canvas.glow(at, half, max(0.02, half * 0.2), canvas.light.on((44, 40, 62)), 0.75, only=GROUND)


def _paint_friend(canvas: Canvas, name: str, foot: Point, half: float, scale: float, rng: random.Random) -> None:
    """Someone or something beside the bear, on the side with more room."""
    tall = min(scale, 0.7) * {"bird": 0.22, "rabbit": 0.28, "fox": 0.38, "ball": 0.30, "blocks": 0.28}[name]
    side = 1 if foot[0] < 0.5 else -1
    x = foot[0] + side * (half + rng.uniform(0.4, 1.2) * tall)
    at = (min(1 - tall * 0.7, max(tall * 0.7, x)), min(0.97, foot[1] + rng.uniform(-0.015, 0.02)))
    _shadow(canvas, at, tall)
    props.paint_friend(name, props.Maker(canvas, rng, at, tall, flip=rng.random() < 0.5))


def _pose(brush: Brush, pose: str) -> Point:
    rng = brush.rng
    if pose == "sitting":
        return sitting(brush, yaw=rng.uniform(-0.5, 0.5))
    if pose == "standing":
        return upright(brush, yaw=rng.uniform(-0.5, 0.5))
    if pose == "three-quarter":
        return all_fours(brush, turned=True, short=rng.uniform(0.58, 0.75))
    return all_fours(brush, turned="turned" in pose)


def _paint_weather(canvas: Canvas, plan: _Plan, rng: random.Random) -> None:
    if plan.weather == "snowing":
        props.paint_snowfall(canvas, rng)
    elif plan.weather == "rain":
        props.paint_rain(canvas, rng)


def _atmosphere(image: Image.Image, plan: _Plan, rng: random.Random) -> Image.Image:
    """Fog in banks, darker corners and a trace of paper grain, at the picture's real size."""
    size = image.width
    if plan.weather == "fog":
        banks = Image.frombytes("L", (5, 4), bytes(rng.randint(130, 255) for _ in range(20)))
        thick = rng.uniform(0.30, 0.54)
        banks = banks.point([round(v * thick) for v in range(256)]).resize((size, size), Image.Resampling.BICUBIC)
        image.paste(plan.light.haze, (0, 0, size, size), banks)
    corners = 30 if plan.light.name == "night" else 16
    image = ImageChops.multiply(image, _vignette(size, corners))
    left, top = rng.randrange(64), rng.randrange(64)
    return ImageChops.add(image, _paper(size + 64).crop((left, top, left + size, top + size)), offset=-128)


@lru_cache(maxsize=8)
def _vignette(size: int, percent: int) -> Image.Image:
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    shade = 255 - 2.55 * percent * np.clip(x * x + y * y - 0.35, 0, None) / 1.65
    return Image.fromarray(shade.round().astype(np.uint8)).convert("RGB")


@lru_cache(maxsize=4)
def _paper(size: int) -> Image.Image:
    grain = np.random.default_rng(3).normal(128, 1.7, (size, size))
    return Image.fromarray(grain.round().astype(np.uint8)).convert("RGB")
