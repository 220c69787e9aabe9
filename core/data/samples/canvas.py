"""Unit coordinates in, pixels out: a canvas drawn at three times its size and reduced, with a mask kept in step.

Points are arrays of shape (N, 2) with x to the right and y down, both from 0 to 1 over the picture. Every shape that is
painted with a code also writes that code into the mask, so picture and mask cannot drift apart.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

OVERSAMPLE = 3
OTHER, SKY, GROUND, BEAR = range(4)

Colour = tuple[int, int, int]
Point = tuple[float, float]
Outline = np.ndarray | Sequence[Point]
Box = tuple[int, int, int, int]
Tones = tuple[Colour, Colour, Colour]


@dataclass(frozen=True)
class Light:
    """What a time of day does to colours: `tint` multiplies them, `lift` is what even black things give back,
    `haze` is what distance fades into.
    """

    name: str
    tint: tuple[float, float, float]
    haze: Colour
    sky: tuple[Colour, Colour]
    lift: Colour = (0, 0, 0)

    def on(self, colour: Colour) -> Colour:
        """The colour of a thing as this light shows it."""
        return clip_colour(c * t + up for c, t, up in zip(colour, self.tint, self.lift, strict=True))


@dataclass(frozen=True)
class Stage:
    """Where feet may stand: from `far` to `near`, as shares of the height from the top."""

    far: float
    near: float


def clip_colour(values: Iterable[float]) -> Colour:
    """Three numbers as a colour of whole numbers from 0 to 255."""
    r, g, b = (max(0, min(255, round(v))) for v in values)
    return r, g, b


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the way from the first colour to the second."""
    return clip_colour(a + (b - a) * share for a, b in zip(first, second, strict=True))


def vary(colour: Colour, rng: random.Random, spread: float) -> Colour:
    """The colour, a little lighter or darker and a little warmer or cooler; `spread` in levels."""
    lightness, warmth = rng.gauss(0, spread), rng.gauss(0, spread / 3)
    return clip_colour((colour[0] + lightness + warmth, colour[1] + lightness, colour[2] + lightness - warmth))


def ramp(base: Colour) -> Tones:
    """The colour in shadow, half light and full light; shadows turn cool, lights turn warm."""
    dark = mix(base, (30, 22, 44), 0.62)
    bright = mix(base, (255, 236, 200), 0.36)
    return dark, base, bright


def ellipse(centre: Point, rx: float, ry: float, *, count: int = 36, turn: float = 0.0) -> np.ndarray:
    """The outline of an ellipse, turned by `turn` radians."""
    angle = np.linspace(0, 2 * math.pi, count, endpoint=False)
    points = np.stack([rx * np.cos(angle), ry * np.sin(angle)], axis=1)
    spin = np.array([[math.cos(turn), math.sin(turn)], [-math.sin(turn), math.cos(turn)]])
    return points @ spin + np.array(centre)


def limb(start: Point, start_r: float, end: Point, end_r: float) -> np.ndarray:
    """The outline of a rounded limb that runs from one joint to another."""
    along = math.atan2(end[1] - start[1], end[0] - start[0])
    half = np.linspace(-math.pi / 2, math.pi / 2, 12)
    far = np.stack([np.cos(along + half), np.sin(along + half)], axis=1)
    return np.concatenate([np.array(end) + end_r * far, np.array(start) - start_r * far])


def smooth(points: Outline, *, per_side: int = 7) -> np.ndarray:
    """A closed Catmull-Rom curve through the points."""
    p1 = np.asarray(points, dtype=float)
    p0, p2, p3 = np.roll(p1, 1, axis=0), np.roll(p1, -1, axis=0), np.roll(p1, -2, axis=0)
    t = np.linspace(0, 1, per_side, endpoint=False)[None, :, None]
    p0, p1, p2, p3 = (p[:, None, :] for p in (p0, p1, p2, p3))
    curve = p1 + 0.5 * t * (p2 - p0 + t * (2 * p0 - 5 * p1 + 4 * p2 - p3 + t * (3 * (p1 - p2) + p3 - p0)))
    return curve.reshape(-1, 2)


def mirrored(half: Sequence[Point]) -> np.ndarray:
    """A curve like its mirror image: `half` runs down the right side, from the middle above to the middle below."""
    return smooth([*half, *((-x, y) for x, y in half[-2:0:-1])])


def ragged(outline: np.ndarray, length: float, rng: random.Random, *, spacing: float) -> np.ndarray:
    """The outline with tufts of fur up to `length` long, one every two `spacing`s, combed downwards."""
    closed = np.concatenate([outline, outline[:1]])
    steps = np.hypot(*np.diff(closed, axis=0).T)
    run = np.concatenate([[0], np.cumsum(steps)])
    count = max(12, int(run[-1] / spacing))
    at = np.linspace(0, run[-1], count, endpoint=False)
    points = np.stack([np.interp(at, run, closed[:, axis]) for axis in (0, 1)], axis=1)
    away = points - points.mean(axis=0)
    away /= np.maximum(np.hypot(away[:, 0], away[:, 1]), 1e-9)[:, None]
    away[:, 1] += 0.4
    reach = np.array([rng.random() if i % 2 else 0.0 for i in range(count)])
    return points + away * (length * reach)[:, None]


@lru_cache(maxsize=1)
def _ball() -> Image.Image:
    """A ball lit from above and slightly from the left, as grey levels; laid over each part as its light."""
    y, x = np.mgrid[-1:1:256j, -1:1:256j]
    z = np.sqrt(np.clip(1 - (x * x + y * y) / 1.6, 0, 1))
    lit = np.clip(0.54 - 0.22 * x - 0.40 * y + 0.22 * (z - 0.5), 0, 1)
    return Image.fromarray((255 * lit).astype(np.uint8))


@lru_cache(maxsize=64)
def _soft_spot(percent: int) -> Image.Image:
    """A round spot that fades to nothing at its edge; its middle covers `percent`."""
    y, x = np.mgrid[-1:1:192j, -1:1:192j]
    fade = np.clip(1 - np.sqrt(x * x + y * y), 0, 1)
    return Image.fromarray((2.55 * percent * (3 * fade**2 - 2 * fade**3)).astype(np.uint8))


@lru_cache(maxsize=32)
def _texture(kind: str, strength: float) -> Image.Image:
    """A tile of brushed fur, curly plush or paint, as grey levels around 128."""
    if strength != 1.0:
        return _texture(kind, 1.0).point([round(128 + strength * (v - 128)) for v in range(256)])
    noise = np.random.default_rng(7).integers(0, 256, (900, 900), dtype=np.uint8)
    tile = Image.fromarray(noise)
    blur, gain = {"fur": ((1.6, 9), 2.6), "plush": ((2.2, 2.2), 1.6), "paint": ((14, 5), 2.6)}[kind]
    grey = np.asarray(tile.filter(ImageFilter.GaussianBlur(blur)), dtype=float)
    return Image.fromarray(np.clip(128 + gain * (grey - grey.mean()), 0, 255).astype(np.uint8))


@lru_cache(maxsize=256)
def _palette(dark: Colour, middle: Colour, bright: Colour) -> bytes:
    """256 colours from shadow over half light to full light."""
    at, stops = np.arange(256), np.array([dark, middle, bright])
    bands = [np.interp(at, (0, 128, 255), stops[:, band]) for band in range(3)]
    return np.stack(bands, axis=1).round().astype(np.uint8).tobytes()


def _stretch(tile: Image.Image, whole: Box, seen: Box) -> Image.Image:
    """The tile stretched over the box `whole`, cut to the box `seen` inside it."""
    per_x, per_y = tile.width / (whole[2] - whole[0]), tile.height / (whole[3] - whole[1])
    left, right = (seen[0] - whole[0]) * per_x, (seen[2] - whole[0]) * per_x
    top, bottom = (seen[1] - whole[1]) * per_y, (seen[3] - whole[1]) * per_y
    source = (left, top, min(right, tile.width), min(bottom, tile.height))
    return tile.resize((seen[2] - seen[0], seen[3] - seen[1]), Image.Resampling.NEAREST, box=source)


class Canvas:
    """A picture and its mask, both three times too large until `finish` reduces them together.

    `rng` is for brushwork only: how much of it is used depends on the size, so it must not decide what is shown.
    """

    def __init__(self, size: int, light: Light, *, rng: random.Random, oversample: int = OVERSAMPLE) -> None:
        self.size, self.light, self.rng = size, light, rng
        self.side = size * oversample
        self.image = Image.new("RGB", (self.side, self.side))
        self.codes = Image.new("L", (self.side, self.side))
        self._paint = ImageDraw.Draw(self.image)
        self._glaze = ImageDraw.Draw(self.image, "RGBA")
        self._mark = ImageDraw.Draw(self.codes)

    def backdrop(self, soft: Canvas) -> None:
        """Begin with a picture that has no sharp edges and was therefore painted at its real size."""
        self.image.paste(soft.image.resize(self.image.size, Image.Resampling.NEAREST))
        self.codes.paste(soft.codes.resize(self.codes.size, Image.Resampling.NEAREST))

    def fade(
        self, top: Colour, bottom: Colour, *, y0: float = 0.0, y1: float = 1.0, code: int, lit: bool = True
    ) -> None:
        """A band of colour over the whole width, from `top` at y0 to `bottom` at y1."""
        if lit:
            top, bottom = self.light.on(top), self.light.on(bottom)
        first, last = int(y0 * self.side), int(y1 * self.side)
        column = np.linspace(top, bottom, last - first).round().astype(np.uint8)[:, None, :]
        self.image.paste(
            Image.fromarray(column).resize((self.side, last - first), Image.Resampling.NEAREST), (0, first)
        )
        self.codes.paste(code, (0, first, self.side, last))

    def fill(
        self, outline: Outline, colour: Colour, *, code: int | None = OTHER, lit: bool = True, alpha: float = 1.0
    ) -> None:
        """A flat shape; without a code the mask stays as it is."""
        points = (np.asarray(outline) * self.side).ravel().tolist()
        paint = self.light.on(colour) if lit else colour
        if alpha < 1:
            self._glaze.polygon(points, fill=(*paint, round(255 * alpha)))
        else:
            self._paint.polygon(points, fill=paint)
        if code is not None:
            self._mark.polygon(points, fill=code)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: Colour, *, code: int | None = OTHER) -> None:
        """An upright rectangle."""
        self.fill([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour, code=code)

    def line(self, points: Outline, colour: Colour, width: float, *, alpha: float = 1.0, lit: bool = True) -> None:
        """A stroke of `width`; the mask stays as it is."""
        paint = self.light.on(colour) if lit else colour
        pen = max(1, round(width * self.side))
        path = (np.asarray(points) * self.side).ravel().tolist()
        if alpha < 1:
            self._glaze.line(path, fill=(*paint, round(255 * alpha)), width=pen, joint="curve")
        else:
            self._paint.line(path, fill=paint, width=pen, joint="curve")

    def glow(
        self, centre: Point, rx: float, ry: float, colour: Colour, strength: float, *, only: int | None = None
    ) -> None:
        """A spot of colour that fades outwards, on everything or `only` where the mask has one code."""
        left, top = round((centre[0] - rx) * self.side), round((centre[1] - ry) * self.side)
        right, bottom = left + max(2, round(2 * rx * self.side)), top + max(2, round(2 * ry * self.side))
        seen = self._seen(left, top, right, bottom)
        if seen is None:
            return
        spot = _stretch(_soft_spot(round(100 * min(1.0, strength))), (left, top, right, bottom), seen)
        if only is not None:
            spot = Image.fromarray(np.asarray(spot) * (np.asarray(self.codes.crop(seen)) == only))
        self.image.paste(colour, seen, spot)

    def solid(
        self, outline: Outline, tones: Tones, *, texture: str, grain: float = 0.5, code: int | None = BEAR
    ) -> None:
        """A rounded part: `tones` are its colour in shadow, in half light and in full light."""
        points = np.asarray(outline) * self.side
        left, top = (int(v) for v in np.floor(points.min(axis=0)))
        right, bottom = (int(v) + 2 for v in np.ceil(points.max(axis=0)))
        seen = self._seen(left, top, right, bottom)
        if seen is None:
            return
        shape = Image.new("L", (seen[2] - seen[0], seen[3] - seen[1]))
        ImageDraw.Draw(shape).polygon((points - seen[:2]).ravel().tolist(), fill=255)
        level = _stretch(_ball(), (left, top, right, bottom), seen)
        level = ImageChops.add(level, self._grain(texture, level.size, grain), offset=-128)
        level.putpalette(_palette(*(self.light.on(colour) for colour in tones)))
        self.image.paste(level.convert("RGB"), seen[:2], shape)
        if code is not None:
            self._mark.polygon(points.ravel().tolist(), fill=code)

    def _seen(self, left: int, top: int, right: int, bottom: int) -> Box | None:
        """The part of a box that lies on the canvas."""
        box = max(0, left), max(0, top), min(self.side, right), min(self.side, bottom)
        return box if box[0] < box[2] and box[1] < box[3] else None

    def _grain(self, texture: str, size: tuple[int, int], strength: float) -> Image.Image:
        tile = _texture(texture, strength)
        x, y = (self.rng.randrange(max(1, full - want)) for full, want in zip(tile.size, size, strict=True))
        piece = tile.crop((x, y, x + min(size[0], tile.width), y + min(size[1], tile.height)))
        return piece if piece.size == size else piece.resize(size, Image.Resampling.BILINEAR)

    def finish(self) -> tuple[Image.Image, np.ndarray]:
        """The picture and the mask at their real size; the mask takes the middle of each block of nine."""
        middle = OVERSAMPLE // 2
        codes = np.ascontiguousarray(np.asarray(self.codes)[middle::OVERSAMPLE, middle::OVERSAMPLE])
        return self.image.reduce(OVERSAMPLE), codes
