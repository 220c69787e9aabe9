"""A label and a random source in, the build, coat and clothes of one bear out.

The kinds differ in shape. Each measure is drawn around its kind's usual value, so that neighbours overlap a little, and
coats are drawn from lists that share many colours: there are brown black bears, dark grizzlies and toys of any colour.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from core.data.samples.canvas import BEAR, Canvas, Colour, Outline, Point, mix, ragged, ramp, vary

CREAM, INK = (240, 222, 190), (34, 28, 30)
COATS: Mapping[str, tuple[tuple[Colour, float], ...]] = MappingProxyType(
    {
        "black": (
            ((46, 42, 48), 4.0),
            ((66, 54, 50), 2.0),
            ((104, 70, 48), 2.6),
            ((150, 98, 58), 2.0),
            ((192, 150, 100), 0.8),
            ((104, 108, 120), 0.6),
        ),
        "grizzly": (
            ((128, 88, 58), 3.0),
            ((98, 68, 50), 2.4),
            ((64, 52, 50), 1.8),
            ((172, 124, 78), 2.0),
            ((200, 160, 112), 1.0),
            ((122, 112, 108), 1.0),
        ),
        "teddy": (
            ((188, 132, 78), 2.4),
            ((138, 90, 56), 2.6),
            ((96, 66, 50), 2.0),
            ((58, 50, 54), 1.8),
            ((216, 182, 136), 1.2),
            ((134, 128, 128), 1.0),
            ((196, 140, 140), 0.5),
            ((124, 148, 172), 0.5),
            ((140, 160, 132), 0.4),
        ),
    }
)
RIBBONS: tuple[Colour, ...] = (
    (196, 72, 62),
    (62, 108, 158),
    (222, 170, 66),
    (96, 140, 96),
    (150, 96, 150),
    (236, 228, 214),
)
# usual value and spread of each measure, in head radii (ears, face), body heights (hump) or shares (fur)
BUILD: Mapping[str, Mapping[str, tuple[float, float]]] = MappingProxyType(
    {
        "black": {
            "ear": (0.27, 0.02),
            "tall": (1.45, 0.10),
            "apart": (0.60, 0.05),
            "hump": (0.0, 0.008),
            "dish": (-0.05, 0.04),
            "wide": (0.90, 0.03),
            "shag": (0.55, 0.08),
        },
        "grizzly": {
            "ear": (0.25, 0.02),
            "tall": (1.00, 0.07),
            "apart": (0.82, 0.05),
            "hump": (0.16, 0.03),
            "dish": (0.24, 0.05),
            "wide": (1.08, 0.03),
            "shag": (1.05, 0.10),
        },
        "teddy": {
            "ear": (0.38, 0.04),
            "tall": (0.98, 0.04),
            "apart": (0.80, 0.05),
            "hump": (0.0, 0.0),
            "dish": (0.0, 0.0),
            "wide": (1.04, 0.03),
            "shag": (0.35, 0.03),
        },
    }
)


@dataclass(frozen=True)
class Anatomy:
    """One bear: its measures, its colours and, for a toy, what was sewn on."""

    label: str
    ear: float
    tall: float
    apart: float
    hump: float
    dish: float
    wide: float
    shag: float
    plush: bool
    coat: Colour
    muzzle: Colour
    sole: Colour
    claw: Colour
    ribbon: Colour | None
    patch: Colour | None
    blaze: bool
    smile: float

    @property
    def texture(self) -> str:
        """The grain of the coat."""
        return "plush" if self.plush else "fur"


def draw_anatomy(label: str, rng: random.Random) -> Anatomy:
    """One individual of the kind."""
    build = {name: rng.gauss(*usual) for name, usual in BUILD[label].items()}
    coats, weights = zip(*COATS[label], strict=True)
    coat = vary(rng.choices(coats, weights)[0], rng, 9)
    plush = label == "teddy"
    return Anatomy(
        label=label,
        **build,
        plush=plush,
        coat=coat,
        muzzle=_muzzle(label, coat, rng),
        sole=mix(coat, CREAM, 0.62) if plush else mix(coat, INK, 0.62),
        claw={"black": (70, 62, 60), "grizzly": (214, 196, 166), "teddy": INK}[label],
        ribbon=rng.choice(RIBBONS) if plush and rng.random() < 0.45 else None,
        patch=rng.choice(RIBBONS) if plush and rng.random() < 0.30 else None,
        blaze=label == "black" and rng.random() < 0.30,
        smile=rng.uniform(0.4, 1.0),
    )


def _muzzle(label: str, coat: Colour, rng: random.Random) -> Colour:
    if label == "teddy":
        return mix(coat, CREAM, rng.choice((0.08, 0.45, 0.7)))
    tan = (186, 144, 98)
    return mix(coat, tan, rng.uniform(0.45, 0.9) if label == "black" else rng.uniform(0.05, 0.4))


@dataclass(frozen=True)
class Brush:
    """Paints in a bear's own measure: `origin` on the canvas, `scale` long, mirrored by `flip`, turned by `tilt`."""

    canvas: Canvas
    rng: random.Random
    look: Anatomy
    origin: Point
    scale: float
    flip: bool = False
    tilt: float = 0.0

    def place(self, points: Outline) -> np.ndarray:
        """Points of the bear as points of the canvas."""
        local = np.atleast_2d(np.asarray(points, dtype=float))
        cos, sin = np.cos(self.tilt), np.sin(self.tilt)
        turned = local @ np.array([[cos, sin], [-sin, cos]])
        if self.flip:
            turned = turned * (-1, 1)
        return turned * self.scale + np.array(self.origin)

    def at(self, point: Point) -> Point:
        """One point of the bear as a point of the canvas."""
        x, y = self.place(point)[0]
        return float(x), float(y)

    def within(self, point: Point, scale: float, *, tilt: float = 0.0) -> Brush:
        """A brush for a part with a measure of its own, such as the head."""
        return Brush(self.canvas, self.rng, self.look, self.at(point), self.scale * scale, self.flip, self.tilt + tilt)

    def part(
        self,
        outline: Outline,
        colour: Colour | None = None,
        *,
        shade: float = 0.0,
        fur: float = 0.03,
        grain: float = 0.7,
    ) -> None:
        """A rounded, furry part; `shade` darkens what lies further back, `fur` is the length of the tufts."""
        base = mix(self.look.coat if colour is None else colour, INK, shade)
        points = self.place(outline)
        reach = fur * self.scale * self.look.shag
        if reach * self.canvas.side > 1.5:
            points = ragged(points, reach, self.canvas.rng, spacing=max(0.0032, reach * 0.36))
        self.canvas.solid(points, ramp(base), texture=self.look.texture, grain=grain)

    def flat(self, outline: Outline, colour: Colour, *, alpha: float = 1.0) -> None:
        """A flat detail of the bear."""
        self.canvas.fill(self.place(outline), colour, code=BEAR, alpha=alpha)

    def stroke(self, points: Outline, colour: Colour, width: float, *, alpha: float = 1.0) -> None:
        """A line on the bear; the mask stays as it is."""
        self.canvas.line(self.place(points), colour, width * self.scale, alpha=alpha)

    def soft(self, centre: Point, rx: float, ry: float, colour: Colour, strength: float) -> None:
        """A soft patch of colour, kept inside the bear."""
        lit = self.canvas.light.on(colour)
        self.canvas.glow(self.at(centre), rx * self.scale, ry * self.scale, lit, strength, only=BEAR)

    def seam(self, points: Outline, *, tick: float = 0.028) -> None:
        """A line of stitches with short cross ticks."""
        path = np.asarray(points, dtype=float)
        thread = mix(self.look.coat, INK, 0.62)
        self.stroke(path, thread, 0.30 * tick, alpha=0.7)
        run = np.hypot(*np.diff(path, axis=0).T)
        along = np.concatenate([[0], np.cumsum(run)])
        for where in np.arange(tick, along[-1], 1.9 * tick):
            i = min(int(np.searchsorted(along, where, side="right")) - 1, len(run) - 1)
            step = (path[i + 1] - path[i]) / max(run[i], 1e-9)
            middle = path[i] + step * (where - along[i])
            across = np.array([-step[1], step[0]]) * tick
            self.stroke([middle - across, middle + across], thread, 0.28 * tick)
