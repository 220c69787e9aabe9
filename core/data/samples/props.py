"""A canvas in, small things out: what stands in front of a bear, who keeps it company, and the weather before it."""

from __future__ import annotations

import math
import random

import numpy as np

from core.data.samples.canvas import (
    OTHER,
    Canvas,
    Colour,
    Outline,
    Point,
    ellipse,
    limb,
    mix,
    ragged,
    ramp,
    smooth,
    vary,
)

INK = (36, 30, 34)
OUTDOOR_FRIENDS, INDOOR_FRIENDS = ("bird", "rabbit", "fox"), ("bird", "rabbit", "ball", "blocks")
OUTDOOR_COVER, INDOOR_COVER = ("bush", "trunk", "rock"), ("box", "present", "cushion")


class Maker:
    """Paints in the measure of one small thing: (0, 0) is where it stands, y goes down, mirrored by `flip`."""

    def __init__(self, canvas: Canvas, rng: random.Random, at: Point, scale: float, *, flip: bool = False) -> None:
        self.canvas, self.rng, self.at, self.scale = canvas, rng, at, scale
        self.way = -1 if flip else 1

    def place(self, outline: Outline) -> list[Point]:
        """Points of the thing as points of the canvas."""
        return [(self.at[0] + self.way * x * self.scale, self.at[1] + y * self.scale) for x, y in outline]

    def part(
        self, outline: Outline, colour: Colour, *, fur: float = 0.0, texture: str = "fur", grain: float = 0.5
    ) -> None:
        """A rounded part."""
        points = np.array(self.place(outline))
        if fur * self.scale * self.canvas.side > 1.5:
            points = ragged(points, fur * self.scale, self.canvas.rng, spacing=max(0.0035, fur * self.scale * 0.4))
        self.canvas.solid(points, ramp(colour), texture=texture, grain=grain, code=OTHER)

    def flat(self, outline: Outline, colour: Colour) -> None:
        """A flat part."""
        self.canvas.fill(self.place(outline), colour)

    def eye(self, x: float, y: float, r: float) -> None:
        """A small dark eye with a light in it."""
        self.flat(ellipse((x, y), r, r, count=12), INK)
        self.flat(ellipse((x - r * 0.3, y - r * 0.35), r * 0.34, r * 0.34, count=8), (250, 246, 240))


def paint_friend(name: str, maker: Maker) -> None:
    """A second animal or a toy."""
    {"bird": _bird, "rabbit": _rabbit, "fox": _fox, "ball": _ball, "blocks": _blocks}[name](maker)


def paint_cover(name: str, maker: Maker, *, snowy: bool = False) -> None:
    """Something that hides a part of what stands behind it."""
    paint = {"bush": _bush, "trunk": _trunk, "rock": _rock, "box": _box, "present": _present, "cushion": _cushion}[name]
    paint(maker, snowy) if name in OUTDOOR_COVER else paint(maker)


def _bird(m: Maker) -> None:
    colour = vary(m.rng.choice(((92, 132, 176), (204, 96, 76), (226, 178, 84), (120, 112, 116))), m.rng, 8)
    m.part(smooth([(-0.5, -0.32), (-0.95, -0.42), (-0.9, -0.28), (-0.4, -0.16)]), mix(colour, INK, 0.35))
    m.part(ellipse((0, -0.38), 0.46, 0.34), colour, fur=0.04)
    m.part(ellipse((0.12, -0.28), 0.30, 0.22), mix(colour, (250, 232, 206), 0.7))
    m.part(ellipse((0.32, -0.68), 0.25, 0.24), colour, fur=0.03)
    m.part(smooth([(-0.35, -0.46), (0.1, -0.50), (0.12, -0.30), (-0.30, -0.22)]), mix(colour, INK, 0.28))
    m.flat([(0.54, -0.72), (0.78, -0.64), (0.54, -0.58)], (232, 166, 70))
    m.eye(0.40, -0.72, 0.05)
    for x in (-0.04, 0.12):
        m.flat([(x - 0.02, -0.08), (x + 0.02, -0.08), (x + 0.03, 0.02), (x - 0.01, 0.02)], (190, 130, 70))


def _rabbit(m: Maker) -> None:
    colour = vary(m.rng.choice(((188, 164, 140), (236, 230, 224), (146, 132, 126), (120, 96, 84))), m.rng, 8)
    m.part(ellipse((-0.52, -0.22), 0.14, 0.14), mix(colour, (255, 255, 255), 0.6), fur=0.05)
    m.part(ellipse((-0.12, -0.34), 0.46, 0.36), colour, fur=0.05)
    m.part(ellipse((-0.22, -0.22), 0.26, 0.24), colour, fur=0.04)
    for x, lean in ((0.20, 0.25), (0.36, -0.05)):
        m.part(ellipse((x, -1.08), 0.085, 0.32, turn=lean), mix(colour, INK, 0.08), fur=0.03)
        m.part(ellipse((x + 0.01, -1.05), 0.045, 0.22, turn=lean), (222, 164, 154))
    m.part(ellipse((0.30, -0.66), 0.26, 0.23), colour, fur=0.04)
    m.part(limb((0.16, -0.20), 0.09, (0.26, -0.04), 0.07), colour, fur=0.03)
    m.part(limb((-0.30, -0.06), 0.08, (0.0, -0.05), 0.07), colour, fur=0.03)
    m.eye(0.38, -0.72, 0.05)
    m.flat(ellipse((0.54, -0.63), 0.035, 0.028, count=10), (196, 120, 120))


def _fox(m: Maker) -> None:
    colour, white = vary((204, 112, 62), m.rng, 10), (246, 236, 222)
    m.part(
        smooth([(-0.45, -0.30), (-0.85, -0.20), (-1.20, -0.42), (-1.35, -0.75), (-1.0, -0.62), (-0.6, -0.48)]),
        colour,
        fur=0.06,
    )
    m.part(smooth([(-1.15, -0.50), (-1.25, -0.60), (-1.36, -0.80), (-1.08, -0.66)]), white, fur=0.04)
    for x in (-0.42, 0.30):
        m.part(limb((x, -0.35), 0.10, (x + 0.03, -0.04), 0.055), mix(colour, INK, 0.6), fur=0.03)
    m.part(ellipse((-0.08, -0.46), 0.56, 0.23), colour, fur=0.05)
    for x in (-0.30, 0.40):
        m.part(limb((x, -0.36), 0.11, (x + 0.04, -0.04), 0.06), mix(colour, INK, 0.25), fur=0.03)
    m.part(ellipse((0.46, -0.42), 0.18, 0.22), white, fur=0.05)
    for x in (0.40, 0.70):
        m.part([(x - 0.13, -0.88), (x, -1.14), (x + 0.12, -0.86)], mix(colour, INK, 0.25), fur=0.02)
    m.part(
        smooth([(0.56, -0.98), (0.82, -0.82), (0.86, -0.64), (0.58, -0.46), (0.30, -0.64), (0.32, -0.84)]),
        colour,
        fur=0.04,
    )
    m.part(smooth([(0.60, -0.72), (0.90, -0.62), (0.92, -0.56), (0.60, -0.48), (0.48, -0.58)]), white)
    m.eye(0.50, -0.76, 0.045)
    m.eye(0.72, -0.76, 0.045)
    m.flat(ellipse((0.93, -0.59), 0.05, 0.045, count=12), INK)


def _ball(m: Maker) -> None:
    first, second = m.rng.sample(((206, 90, 74), (86, 122, 164), (232, 184, 88), (120, 158, 116), (240, 232, 216)), 2)
    m.part(ellipse((0, -0.4), 0.4, 0.4), first, texture="paint", grain=0.3)
    m.part(
        smooth([(-0.12, -0.78), (0.12, -0.78), (0.16, -0.4), (0.12, -0.02), (-0.12, -0.02), (-0.16, -0.4)]),
        second,
        texture="paint",
        grain=0.3,
    )
    m.flat(ellipse((-0.16, -0.58), 0.06, 0.045, count=12), (255, 250, 240))


def _blocks(m: Maker) -> None:
    tones = m.rng.sample(((206, 90, 74), (86, 122, 164), (232, 184, 88), (120, 158, 116)), 3)
    for (x, y), tone in zip(((-0.44, 0.0), (0.02, 0.0), (-0.22, -0.42)), tones, strict=True):
        m.part([(x, y), (x, y - 0.42), (x + 0.42, y - 0.42), (x + 0.42, y)], tone, texture="paint", grain=0.4)
        inner = mix(tone, (255, 246, 226), 0.55)
        m.flat([(x + 0.07, y - 0.07), (x + 0.07, y - 0.35), (x + 0.35, y - 0.35), (x + 0.35, y - 0.07)], inner)
        m.flat(ellipse((x + 0.21, y - 0.21), 0.09, 0.09, count=m.rng.choice((3, 4, 20))), tone)


def _bush(m: Maker, snowy: bool) -> None:
    green = vary(m.rng.choice(((96, 128, 84), (128, 138, 80), (150, 118, 74))), m.rng, 8)
    for x, y, r in (
        (-0.55, -0.22, 0.34),
        (0.55, -0.22, 0.36),
        (-0.25, -0.45, 0.36),
        (0.28, -0.48, 0.38),
        (0.0, -0.22, 0.42),
    ):
        tone = vary(green, m.rng, 8)
        m.part(ellipse((x, y), r, r * 0.88), tone, fur=0.09, texture="plush", grain=0.9)
        if snowy:
            m.part(
                smooth([(x - r * 0.7, y - r * 0.5), (x, y - r * 0.98), (x + r * 0.7, y - r * 0.5), (x, y - r * 0.42)]),
                (238, 243, 248),
            )
    for _ in range(0 if snowy else 9):
        spot = (m.rng.uniform(-0.7, 0.7), m.rng.uniform(-0.7, -0.1))
        m.flat(ellipse(spot, 0.035, 0.035, count=10), m.rng.choice(((206, 74, 74), (232, 196, 110))))


def _trunk(m: Maker, snowy: bool) -> None:
    bark = vary(m.rng.choice(((116, 88, 72), (150, 136, 122), (92, 74, 66))), m.rng, 8)
    m.part(
        smooth(
            [
                (-0.34, 0.05),
                (-0.20, -0.4),
                (-0.17, -2.0),
                (-0.2, -4.6),
                (0.2, -4.6),
                (0.17, -2.0),
                (0.21, -0.4),
                (0.36, 0.05),
            ]
        ),
        bark,
        grain=1.6,
    )
    for _ in range(14):
        x, y = m.rng.uniform(-0.13, 0.13), m.rng.uniform(-3.6, -0.2)
        m.flat([(x - 0.012, y), (x + 0.004, y - m.rng.uniform(0.15, 0.4)), (x + 0.014, y)], mix(bark, INK, 0.5))
    if snowy:
        m.part(smooth([(-0.40, 0.06), (-0.2, -0.12), (0.2, -0.10), (0.42, 0.06)]), (238, 243, 248))


def _rock(m: Maker, snowy: bool) -> None:
    grey = vary((140, 138, 138), m.rng, 12)
    m.part(
        [(-0.8, 0.04), (-0.66, -0.42), (-0.22, -0.66), (0.34, -0.58), (0.74, -0.30), (0.86, 0.04)],
        grey,
        texture="paint",
        grain=1.5,
    )
    m.flat([(-0.22, -0.66), (0.34, -0.58), (0.16, -0.34), (-0.30, -0.36)], mix(grey, (255, 250, 236), 0.3))
    if snowy:
        m.part(smooth([(-0.68, -0.40), (-0.22, -0.74), (0.40, -0.66), (0.78, -0.28), (0.2, -0.44)]), (238, 243, 248))


def _box(m: Maker) -> None:
    card = vary((190, 148, 104), m.rng, 8)
    m.part([(-0.62, 0.04), (-0.62, -0.66), (0.62, -0.66), (0.62, 0.04)], card, texture="paint", grain=0.5)
    m.flat([(-0.62, -0.66), (-0.86, -0.50), (-0.80, -0.46), (-0.60, -0.58)], mix(card, (255, 240, 214), 0.25))
    m.flat([(0.62, -0.66), (0.86, -0.50), (0.80, -0.46), (0.60, -0.58)], mix(card, INK, 0.2))
    m.flat([(-0.09, -0.66), (0.09, -0.66), (0.09, -0.40), (-0.09, -0.40)], mix(card, (250, 236, 200), 0.45))


def _present(m: Maker) -> None:
    paper, band = m.rng.sample(((206, 90, 74), (86, 122, 164), (232, 184, 88), (120, 158, 116), (236, 226, 208)), 2)
    m.part([(-0.5, 0.04), (-0.5, -0.60), (0.5, -0.60), (0.5, 0.04)], paper, texture="paint", grain=0.4)
    m.flat([(-0.08, 0.04), (-0.08, -0.60), (0.08, -0.60), (0.08, 0.04)], band)
    m.part([(-0.55, -0.56), (-0.55, -0.70), (0.55, -0.70), (0.55, -0.56)], paper, texture="paint", grain=0.4)
    m.flat([(-0.08, -0.56), (-0.08, -0.70), (0.08, -0.70), (0.08, -0.56)], band)
    for side in (-1, 1):
        m.part(smooth([(0, -0.70), (side * 0.14, -0.92), (side * 0.32, -0.86), (side * 0.24, -0.72)]), band, grain=0.2)


def _cushion(m: Maker) -> None:
    cloth = vary(
        m.rng.choice(((170, 96, 84), (92, 118, 146), (206, 172, 106), (120, 146, 118), (150, 116, 146))), m.rng, 8
    )
    shape = smooth(
        [(-0.7, 0.02), (-0.55, -0.28), (-0.66, -0.60), (0, -0.54), (0.66, -0.60), (0.55, -0.28), (0.7, 0.02), (0, 0.05)]
    )
    m.part(shape, cloth, texture="plush", grain=0.6)
    for k in range(-2, 3):
        x = k * 0.2
        m.flat(
            [(x - 0.02, -0.48), (x + 0.02, -0.48), (x + 0.02, -0.02), (x - 0.02, -0.02)],
            mix(cloth, (255, 246, 226), 0.4),
        )


def paint_snowfall(canvas: Canvas, rng: random.Random) -> None:
    """Flakes near and far; the mask keeps what lies behind them."""
    for _ in range(rng.randint(110, 210)):
        near = rng.random() ** 3
        r = 0.0022 + 0.0075 * near
        canvas.fill(
            ellipse((rng.random(), rng.random()), r, r, count=8),
            (246, 249, 252),
            code=None,
            lit=False,
            alpha=0.85 - 0.4 * near,
        )


def paint_rain(canvas: Canvas, rng: random.Random) -> None:
    """Slanting streaks; the mask keeps what lies behind them."""
    slant = rng.uniform(-0.3, 0.3)
    tone = mix(canvas.light.haze, (236, 242, 250), 0.5)
    for _ in range(rng.randint(110, 200)):
        x, y, reach = rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.0), rng.uniform(0.025, 0.07)
        drop = [(x, y), (x + math.sin(slant) * reach, y + reach)]
        canvas.line(drop, tone, 0.0018, alpha=rng.uniform(0.2, 0.55), lit=False)
