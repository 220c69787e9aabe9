"""A canvas and a random source in, a painted place out: forest, snow, room or shelf, back to front.

Each place returns its `Stage`: how far down the picture a bear may stand, and what the place adds to the tags.
"""

from __future__ import annotations

import math
import random

import numpy as np

from core.data.samples.canvas import GROUND, OTHER, SKY, Canvas, Colour, Light, Stage, ellipse, mix, ramp, vary
from core.data.samples.interiors import paint_room, paint_shelf

DAY = Light("day", (1.0, 1.0, 1.0), (214, 226, 228), ((134, 184, 214), (232, 236, 226)))
DUSK = Light("dusk", (0.92, 0.74, 0.68), (226, 168, 138), ((112, 104, 150), (248, 190, 138)))
NIGHT = Light("night", (0.44, 0.50, 0.68), (62, 78, 116), ((22, 30, 66), (74, 92, 136)), (10, 14, 26))
LAMPLIT_DUSK = Light("dusk", (0.97, 0.83, 0.72), DUSK.haze, DUSK.sky)
LAMPLIT_NIGHT = Light("night", (0.76, 0.66, 0.64), NIGHT.haze, NIGHT.sky, (10, 8, 16))
PLACES = ("forest", "snow", "room", "shelf")
OUTDOORS = ("forest", "snow")


def light_of(place: str, time: str) -> Light:
    """The light in a place at "day", "dusk" or "night"; indoors somebody has lit a lamp."""
    outdoors = {"day": DAY, "dusk": DUSK, "night": NIGHT}
    lamplit = {"day": DAY, "dusk": LAMPLIT_DUSK, "night": LAMPLIT_NIGHT}
    return (outdoors if place in OUTDOORS else lamplit)[time]


def paint_place(place: str, canvas: Canvas, rng: random.Random) -> Stage:
    """Paint the place and say where a bear may stand in it."""
    return {"forest": _forest, "snow": _snow, "room": paint_room, "shelf": paint_shelf}[place](canvas, rng)


def _ridge(canvas: Canvas, rng: random.Random, base: float, height: float, colour: Colour) -> np.ndarray:
    x = np.linspace(-0.02, 1.02, 60)
    y = np.full_like(x, base)
    for waves in (1.3, 2.7, 6.1):
        y = y + height / waves * np.sin(2 * math.pi * (waves * x * rng.uniform(0.8, 1.2) + rng.random()))
    line = np.stack([x, y], axis=1)
    canvas.fill(np.concatenate([line, [(1.02, 1.02), (-0.02, 1.02)]]), colour, code=GROUND)
    return line


def _sky(canvas: Canvas, rng: random.Random, horizon: float) -> None:
    light = canvas.light
    soft = Canvas(canvas.size, light, rng=canvas.rng, oversample=1)
    soft.fade(light.sky[0], light.sky[1], y1=horizon + 0.1, code=SKY, lit=False)
    x, y = rng.uniform(0.1, 0.9), rng.uniform(0.08, 0.24) if light is not DUSK else horizon - 0.06
    disc = {"day": (255, 246, 214), "dusk": (255, 218, 150), "night": (244, 240, 220)}[light.name]
    soft.glow((x, y), 0.34, 0.34, disc, 0.5 if light is not NIGHT else 0.28)
    for _ in range(rng.randint(1, 4)):
        _cloud(soft, rng, horizon)
    canvas.backdrop(soft)
    if rng.random() < 0.7:
        canvas.fill(ellipse((x, y), 0.042, 0.042), disc, code=SKY, lit=False)
    for _ in range(rng.randint(30, 60) if light is NIGHT else 0):
        star = (rng.random(), rng.uniform(0, horizon - 0.05))
        canvas.fill(
            ellipse(star, 0.0022, 0.0022, count=6), (236, 236, 226), code=SKY, lit=False, alpha=rng.uniform(0.3, 0.9)
        )


def _cloud(canvas: Canvas, rng: random.Random, horizon: float) -> None:
    x, y, size = rng.uniform(-0.05, 1.05), rng.uniform(0.04, max(0.08, horizon - 0.18)), rng.uniform(0.05, 0.11)
    pale = mix(canvas.light.sky[1], (255, 252, 246), 0.55)
    for _ in range(5):
        puff = (x + rng.uniform(-1.4, 1.4) * size, y + rng.uniform(-0.25, 0.15) * size)
        canvas.glow(puff, size * 1.3, size * 0.55, pale, 0.7)


def _pine(
    canvas: Canvas, rng: random.Random, x: float, y: float, tall: float, colour: Colour, *, snow: float = 0.0
) -> None:
    canvas.box(x - tall * 0.035, y - tall * 0.2, x + tall * 0.035, y, mix(colour, (70, 48, 40), 0.6))
    tiers = 4 if tall > 0.2 else 3
    for tier in range(tiers):
        low = y - tall * (0.10 + 0.78 * tier / tiers)
        high = low - tall * 0.46 * (1 - 0.12 * tier)
        half = tall * 0.27 * (1 - tier / (tiers + 0.6))
        skirt = [
            (x + half * s, low + (0.03 * tall if i % 2 else -0.015 * tall))
            for i, s in enumerate((1, 0.6, 0.25, -0.2, -0.55, -1))
        ]
        canvas.fill([(x, high), *skirt], mix(colour, (14, 22, 30), 0.16 + 0.06 * (tiers - tier)))
        canvas.fill([(x, high), (x - half * 0.1, low - 0.05 * tall), *skirt[3:]], mix(colour, (214, 222, 170), 0.06))
        if snow and rng.random() < snow:
            canvas.fill(
                [
                    (x, high),
                    (x + half * 0.55, low - tall * 0.10),
                    (x + half * 0.1, low - tall * 0.15),
                    (x - half * 0.5, low - tall * 0.06),
                    (x - half * 0.8, low - tall * 0.04),
                ],
                (238, 243, 248),
            )


def _leafy(canvas: Canvas, rng: random.Random, x: float, y: float, tall: float, colour: Colour) -> None:
    bark = (112, 84, 68)
    canvas.fill(
        [
            (x - tall * 0.05, y),
            (x - tall * 0.025, y - tall * 0.6),
            (x + tall * 0.025, y - tall * 0.6),
            (x + tall * 0.055, y),
        ],
        bark,
    )
    for dx, dy in ((-0.20, 0.52), (0.20, 0.54), (0.0, 0.58), (-0.14, 0.74), (0.16, 0.76), (0.0, 0.88)):
        where = (x + (dx + rng.uniform(-0.04, 0.04)) * tall, y - tall * (dy + rng.uniform(-0.03, 0.03)))
        r = tall * rng.uniform(0.16, 0.21)
        tone = vary(colour, rng, 4)
        canvas.solid(ellipse(where, r, r * 0.85, count=24), ramp(tone), texture="plush", grain=0.9, code=OTHER)


def _trees(
    canvas: Canvas, rng: random.Random, y: float, count: int, tall: float, colour: Colour, *, snow: float = 0.0
) -> None:
    for x in sorted((rng.uniform(-0.05, 1.05) for _ in range(count)), key=lambda v: (v * 7919) % 1):
        height = tall * rng.uniform(0.7, 1.3)
        if snow or rng.random() < 0.7:
            _pine(canvas, rng, x, y + rng.uniform(-0.01, 0.02), height, vary(colour, rng, 6), snow=snow)
        else:
            _leafy(canvas, rng, x, y + rng.uniform(-0.01, 0.02), height, vary(mix(colour, (150, 150, 80), 0.3), rng, 8))


def _forest(canvas: Canvas, rng: random.Random) -> Stage:
    horizon, light = rng.uniform(0.40, 0.56), canvas.light
    green = vary(rng.choice(((112, 142, 92), (138, 146, 84), (96, 132, 104), (160, 132, 82))), rng, 8)
    _sky(canvas, rng, horizon)
    pale = mix(green, light.haze, 0.7) if light is DAY else mix(green, (170, 160, 190), 0.6)
    _ridge(canvas, rng, horizon - 0.10, 0.05, mix(pale, (150, 170, 200), 0.35))
    _ridge(canvas, rng, horizon - 0.03, 0.03, pale)
    _trees(canvas, rng, horizon + 0.03, rng.randint(7, 13), 0.15, mix(green, pale, 0.5))
    _ridge(canvas, rng, horizon + 0.03, 0.012, mix(green, pale, 0.25))
    _trees(canvas, rng, horizon + 0.10, rng.randint(1, 4), 0.42, mix(green, (40, 82, 66), 0.5))
    _meadow(canvas, rng, horizon + 0.09, green, (250, 240, 190))
    if rng.random() < 0.35:
        _lake(canvas, rng, horizon + 0.13)
    _tufts(canvas, rng, horizon + 0.13, green)
    return Stage(far=horizon + 0.17, near=0.94)


def _meadow(canvas: Canvas, rng: random.Random, top: float, colour: Colour, sun: Colour) -> None:
    line = _ridge(canvas, rng, top, 0.012, mix(colour, sun, 0.22))
    for share in (0.25, 0.6):
        low = line + (0, share * (1 - top))
        canvas.fill(
            np.concatenate([low, [(1.02, 1.02), (-0.02, 1.02)]]),
            mix(mix(colour, sun, 0.12), (40, 60, 60), share * 0.28),
            code=GROUND,
        )


def _lake(canvas: Canvas, rng: random.Random, y: float) -> None:
    x, wide, deep = rng.uniform(0.1, 0.9), rng.uniform(0.25, 0.45), rng.uniform(0.020, 0.032)
    high, low = canvas.light.sky
    canvas.fill(ellipse((x, y), wide, deep, count=48), mix(low, high, 0.45), lit=False)
    for _ in range(7):
        glint, reach = (x + rng.uniform(-0.7, 0.6) * wide, y + rng.uniform(-0.6, 0.6) * deep), rng.uniform(0.03, 0.09)
        canvas.line([glint, (glint[0] + reach, glint[1])], mix(low, (255, 252, 244), 0.4), 0.002, alpha=0.6, lit=False)


def _tufts(canvas: Canvas, rng: random.Random, top: float, green: Colour) -> None:
    blooms = rng.choice(((246, 226, 120), (240, 236, 228), (222, 140, 150), (168, 150, 208)))
    for _ in range(46):
        y = top + (0.99 - top) * math.sqrt(rng.random())
        x, size = rng.random(), 0.012 + 0.03 * (y - top)
        tone = mix(green, rng.choice(((34, 66, 54), (236, 230, 150))), rng.uniform(0.15, 0.4))
        for lean in (-0.7, 0.0, 0.6):
            canvas.fill(
                [
                    (x - 0.002 + lean * 0.004, y),
                    (x + lean * size, y - size * rng.uniform(0.7, 1.3)),
                    (x + 0.003 + lean * 0.004, y),
                ],
                tone,
                code=GROUND,
            )
        if rng.random() < 0.25:
            canvas.fill(ellipse((x, y - size), 0.0055, 0.0055, count=10), blooms, code=GROUND)


def _snow(canvas: Canvas, rng: random.Random) -> Stage:
    horizon = rng.uniform(0.40, 0.55)
    white, blue = (236, 241, 247), (166, 188, 214)
    _sky(canvas, rng, horizon)
    _peaks(canvas, rng, horizon)
    _ridge(canvas, rng, horizon, 0.03, mix(white, blue, 0.55))
    pine = vary((84, 116, 112), rng, 8)
    _trees(canvas, rng, horizon + 0.05, rng.randint(5, 11), 0.15, mix(pine, blue, 0.45), snow=0.7)
    _ridge(canvas, rng, horizon + 0.06, 0.014, mix(white, blue, 0.3))
    _trees(canvas, rng, horizon + 0.11, rng.randint(0, 3), 0.40, pine, snow=0.9)
    _meadow(canvas, rng, horizon + 0.10, mix(white, blue, 0.12), (255, 255, 252))
    for _ in range(14):
        at = (rng.random(), rng.uniform(horizon + 0.16, 1.0))
        canvas.glow(
            at, rng.uniform(0.08, 0.2), 0.02, canvas.light.on(rng.choice((blue, (255, 255, 255)))), 0.5, only=GROUND
        )
    return Stage(far=horizon + 0.17, near=0.94)


def _peaks(canvas: Canvas, rng: random.Random, horizon: float) -> None:
    for _ in range(rng.randint(1, 3)):
        x, top, half = rng.uniform(0, 1), horizon - rng.uniform(0.14, 0.28), rng.uniform(0.22, 0.4)
        rock = mix((140, 152, 176), canvas.light.haze, 0.35) if canvas.light is DAY else (150, 150, 176)
        canvas.fill([(x, top), (x + half, horizon + 0.05), (x - half, horizon + 0.05)], rock, code=GROUND)
        canvas.fill(
            [(x, top), (x - half, horizon + 0.05), (x - half * 0.15, horizon + 0.05)],
            mix(rock, (255, 250, 240), 0.3),
            code=GROUND,
        )
        drop = (horizon + 0.05 - top) * 0.34
        zigzag = [
            (x + half * 0.34, top + drop),
            (x + 0.15 * half, top + drop * 0.75),
            (x + 0.02 * half, top + drop * 1.15),
            (x - 0.15 * half, top + drop * 0.8),
            (x - half * 0.34, top + drop),
        ]
        canvas.fill([(x, top), *zigzag], (240, 244, 250), code=GROUND)
