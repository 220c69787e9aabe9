"""A canvas and a random source in, a painted room or shelf out, back to front."""

from __future__ import annotations

import math
import random

import numpy as np

from core.data.samples.canvas import GROUND, OTHER, SKY, Canvas, Colour, Stage, ellipse, mix, ramp, smooth, vary

WOOD: tuple[Colour, ...] = ((172, 122, 82), (146, 104, 76), (196, 154, 112), (120, 88, 72))
WALLS: tuple[Colour, ...] = (
    (226, 208, 180),
    (188, 206, 198),
    (206, 196, 214),
    (222, 190, 176),
    (176, 196, 212),
    (212, 214, 180),
)
SPINES: tuple[Colour, ...] = (
    (170, 84, 72),
    (84, 112, 140),
    (206, 168, 96),
    (104, 134, 106),
    (140, 104, 134),
    (226, 214, 190),
    (92, 84, 92),
)


def paint_room(canvas: Canvas, rng: random.Random) -> Stage:
    """A living room with a window, a rug and a picture on the wall."""
    floor, wall, wood = rng.uniform(0.58, 0.70), vary(rng.choice(WALLS), rng, 6), vary(rng.choice(WOOD), rng, 8)
    _wall(canvas, rng, wall, floor)
    canvas.fade(mix(wood, (255, 230, 190), 0.15), mix(wood, (50, 36, 40), 0.18), y0=floor, code=GROUND)
    for i in range(-6, 17):
        canvas.line([(i / 10, floor), (0.5 + (i / 10 - 0.5) * 2.2, 1.0)], mix(wood, (40, 26, 30), 0.4), 0.0025)
    canvas.box(0, floor - 0.03, 1, floor, mix(wall, (255, 252, 246), 0.7))
    canvas.line([(0, floor), (1, floor)], mix(wood, (40, 26, 30), 0.5), 0.004)
    spots = rng.sample((0.16, 0.5, 0.84), 3)
    _window(canvas, rng, (spots[0], floor * 0.45))
    _frame(canvas, rng, (spots[1], floor * 0.42), wood)
    rng.choice((_lamp, _plant, _cupboard))(canvas, rng, spots[2], floor + 0.05)
    if canvas.light.name != "day" and rng.random() < 0.4:
        _fairy_lights(canvas, rng, 0.03)
    rug = vary(rng.choice(SPINES), rng, 10)
    for size, tone in (
        (1.0, rug),
        (0.86, mix(rug, (250, 240, 220), 0.55)),
        (0.76, rug),
        (0.4, mix(rug, (250, 240, 220), 0.35)),
    ):
        canvas.fill(
            ellipse((0.5, (floor + 1.04) / 2), 0.46 * size, (1 - floor) * 0.40 * size, count=48), tone, code=GROUND
        )
    return Stage(far=floor + 0.13, near=0.95)


def _wall(canvas: Canvas, rng: random.Random, wall: Colour, floor: float) -> None:
    canvas.fade(mix(wall, (60, 50, 60), 0.10), mix(wall, (255, 246, 226), 0.15), y1=floor, code=OTHER)
    print_tone, step = mix(wall, rng.choice(((255, 252, 246), (110, 90, 90))), 0.22), rng.choice((0.08, 0.1, 0.125))
    pattern = rng.choice(("stripes", "dots", "plain"))
    for i in range(round(1 / step) if pattern != "plain" else 0):
        if pattern == "stripes":
            canvas.box(i * step, 0, i * step + step * 0.45, floor, print_tone)
        else:
            for j in range(round(floor / step)):
                canvas.fill(
                    ellipse(((i + 0.25 + 0.5 * (j % 2)) * step, (j + 0.5) * step), step * 0.09, step * 0.09, count=10),
                    print_tone,
                )


def _window(canvas: Canvas, rng: random.Random, at: tuple[float, float]) -> None:
    x, y = at
    half, tall = 0.13, 0.17
    canvas.box(x - half - 0.015, y - tall - 0.015, x + half + 0.015, y + tall + 0.015, (246, 240, 230))
    high, low = canvas.light.sky
    step = 2 * tall / 24
    for i in range(24):
        y0 = y - tall + i * step
        band = [(x - half, y0), (x + half, y0), (x + half, y0 + step), (x - half, y0 + step)]
        canvas.fill(band, mix(high, low, i / 23), code=SKY, lit=False)
    hill = [
        (x - half, y + tall),
        *((x - half + half * k / 5, y + tall * (0.6 + 0.14 * math.sin(k * 0.9 + y * 40))) for k in range(11)),
        (x + half, y + tall),
    ]
    canvas.fill(hill, (120, 146, 110), code=GROUND)
    canvas.box(x - 0.006, y - tall, x + 0.006, y + tall, (246, 240, 230))
    canvas.box(x - half, y - 0.006, x + half, y + 0.006, (246, 240, 230))
    cloth = vary(rng.choice(SPINES), rng, 10)
    for side in (-1, 1):
        edge = x + side * (half + 0.045)
        drape = smooth(
            [
                (edge, y - tall - 0.03),
                (x + side * half * 0.35, y - tall - 0.03),
                (x + side * half * 0.85, y),
                (x + side * half * 0.75, y + tall + 0.04),
                (edge + side * 0.01, y + tall + 0.04),
            ]
        )
        canvas.solid(drape, ramp(cloth), texture="fur", grain=0.8, code=OTHER)
    canvas.box(x - half - 0.07, y - tall - 0.045, x + half + 0.07, y - tall - 0.03, (124, 94, 76))


def _frame(canvas: Canvas, rng: random.Random, at: tuple[float, float], wood: Colour) -> None:
    x, y = at
    w, h = rng.uniform(0.07, 0.10), rng.uniform(0.06, 0.11)
    canvas.box(x - w, y - h, x + w, y + h, mix(wood, (60, 40, 40), 0.3))
    canvas.box(x - w + 0.012, y - h + 0.012, x + w - 0.012, y + h - 0.012, (232, 224, 206))
    tone = rng.choice(SPINES)
    canvas.fill(
        [
            (x - w + 0.02, y + h - 0.02),
            (x - w * 0.3, y - h * 0.3),
            (x + 0.1 * w, y + 0.2 * h),
            (x + w * 0.4, y - h * 0.1),
            (x + w - 0.02, y + h - 0.02),
        ],
        tone,
    )
    canvas.fill(ellipse((x + w * 0.45, y - h * 0.5), 0.014, 0.014, count=16), (226, 180, 96))


def _lamp(canvas: Canvas, rng: random.Random, x: float, y: float) -> None:
    shade = vary(rng.choice(((236, 206, 150), (222, 160, 130), (190, 206, 190))), rng, 6)
    canvas.box(x - 0.006, y - 0.42, x + 0.006, y, (96, 78, 72))
    canvas.fill(ellipse((x, y), 0.06, 0.014), (96, 78, 72))
    canvas.fill(
        [(x - 0.045, y - 0.54), (x + 0.045, y - 0.54), (x + 0.085, y - 0.40), (x - 0.085, y - 0.40)],
        shade,
        lit=canvas.light.name == "day",
    )
    if canvas.light.name != "day":
        canvas.glow((x, y - 0.44), 0.5, 0.5, (255, 206, 130), 0.6)


def _plant(canvas: Canvas, rng: random.Random, x: float, y: float) -> None:
    green = vary((104, 146, 100), rng, 10)
    for _ in range(11):
        angle, reach = rng.uniform(-1.25, 1.25), rng.uniform(0.14, 0.28)
        tip = (x + reach * math.sin(angle), y - 0.12 - reach * math.cos(angle))
        bend = (x + reach * 0.35 * math.sin(angle), y - 0.14 - reach * 0.7 * math.cos(angle))
        leaf = smooth([(x, y - 0.10), (bend[0] - 0.02, bend[1]), tip, (bend[0] + 0.025, bend[1] + 0.02)])
        canvas.fill(leaf, vary(green, rng, 12))
    canvas.solid(
        [(x - 0.075, y - 0.13), (x + 0.075, y - 0.13), (x + 0.055, y), (x - 0.055, y)],
        ramp((188, 110, 82)),
        texture="paint",
        code=OTHER,
    )


def _cupboard(canvas: Canvas, rng: random.Random, x: float, y: float) -> None:
    wood = vary(rng.choice(WOOD), rng, 8)
    canvas.box(x - 0.15, y - 0.27, x + 0.15, y, wood)
    canvas.box(x - 0.165, y - 0.29, x + 0.165, y - 0.265, mix(wood, (255, 240, 210), 0.25))
    for i in range(2):
        top = y - 0.25 + i * 0.125
        canvas.box(x - 0.135, top, x + 0.135, top + 0.105, mix(wood, (50, 34, 36), 0.14))
        canvas.fill(ellipse((x, top + 0.05), 0.011, 0.011, count=14), (232, 204, 150))


def paint_shelf(canvas: Canvas, rng: random.Random) -> Stage:
    """A bookshelf, seen close."""
    wall, wood = vary(rng.choice(WALLS), rng, 6), vary(rng.choice(WOOD), rng, 8)
    board = rng.uniform(0.80, 0.88)
    _wall(canvas, rng, mix(wall, (70, 56, 60), 0.22), 1.0)
    for y in (board - rng.uniform(0.70, 0.78), board):
        canvas.box(0, y, 1, y + 0.035, mix(wood, (255, 240, 210), 0.18), code=GROUND)
        canvas.box(0, y + 0.022, 1, y + 0.055, mix(wood, (50, 34, 36), 0.12), code=GROUND)
        canvas.fill([(0, y + 0.055), (1, y + 0.055), (1, y + 0.10), (0, y + 0.10)], (50, 34, 40), code=None, alpha=0.28)
    _books(canvas, rng, 0.0, rng.uniform(0.14, 0.40), board)
    _books(canvas, rng, rng.uniform(0.62, 0.88), 1.0, board)
    for x in rng.sample((0.30, 0.5, 0.70), 2):
        rng.choice((_jar, _standing_frame, _pot))(canvas, rng, x + rng.uniform(-0.06, 0.06), board)
    _books(canvas, rng, 0.0, 1.0, 1.2)
    if canvas.light.name != "day" or rng.random() < 0.25:
        _fairy_lights(canvas, rng, board - 0.62)
    return Stage(far=board + 0.006, near=board + 0.018)


def _books(canvas: Canvas, rng: random.Random, left: float, right: float, base: float) -> None:
    x = left
    while x < right:
        wide, tall, tone = rng.uniform(0.025, 0.06), rng.uniform(0.18, 0.32), vary(rng.choice(SPINES), rng, 10)
        if rng.random() < 0.12:
            x += wide
            continue
        canvas.box(x, base - tall, x + wide - 0.002, base, tone)
        canvas.box(x, base - tall, x + wide * 0.22, base, mix(tone, (255, 244, 220), 0.22))
        for share in (0.12, 0.18, 0.84):
            canvas.box(
                x,
                base - tall * (1 - share),
                x + wide - 0.002,
                base - tall * (1 - share) + 0.006,
                mix(tone, (248, 224, 160), 0.55),
            )
        x += wide


def _jar(canvas: Canvas, rng: random.Random, x: float, base: float) -> None:
    honey = vary(rng.choice(((222, 164, 72), (184, 84, 84), (150, 168, 190))), rng, 8)
    canvas.solid(ellipse((x, base - 0.062), 0.056, 0.064), ramp(honey), texture="paint", grain=0.3, code=OTHER)
    canvas.box(x - 0.04, base - 0.008, x + 0.04, base, mix(honey, (60, 40, 40), 0.3))
    canvas.box(x - 0.040, base - 0.138, x + 0.040, base - 0.116, (236, 224, 200))
    canvas.box(x - 0.034, base - 0.085, x + 0.034, base - 0.045, (246, 238, 220))


def _standing_frame(canvas: Canvas, rng: random.Random, x: float, base: float) -> None:
    _frame(canvas, rng, (x, base - 0.09), vary(rng.choice(WOOD), rng, 8))


def _pot(canvas: Canvas, rng: random.Random, x: float, base: float) -> None:
    _plant(canvas, rng, x, base)


def _fairy_lights(canvas: Canvas, rng: random.Random, y: float) -> None:
    t = np.linspace(-0.02, 1.02, 61)
    sag = y + 0.05 * np.abs(np.sin(math.pi * (t * 2.5 + rng.random())))
    canvas.line(np.stack([t, sag], axis=1), (70, 70, 60), 0.0025)
    for i in range(2, 60, 5):
        bulb = (float(t[i]), float(sag[i]) + 0.012)
        canvas.glow(bulb, 0.055, 0.055, (255, 214, 130), 0.55)
        canvas.fill(ellipse(bulb, 0.007, 0.010, count=12), (255, 240, 196), lit=False)
