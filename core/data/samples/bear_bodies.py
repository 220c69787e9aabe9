"""A brush in, a bear out: sitting, standing upright, or on all fours. The unit is about the height of the bear.

Each pose paints from back to front, stands on (0, 0) and returns where the middle of the head came to lie.
"""

from __future__ import annotations

import numpy as np

from core.data.samples.anatomy import CREAM, INK, Brush
from core.data.samples.bear_heads import front_head, side_head
from core.data.samples.canvas import Point, ellipse, limb, mirrored, mix, smooth


def sitting(brush: Brush, *, yaw: float) -> Point:
    """A bear that sits and faces you."""
    look, lift = brush.look, brush.rng.uniform(-0.05, 0.04)
    _hump_behind(brush, (0.05 * yaw, -0.62))
    body = mirrored([(0, -0.70), (0.20, -0.60), (0.30, -0.30), (0.27, -0.06), (0, 0.0)])
    brush.part(body * (1.0 if look.plush else 1.08, 1.0), fur=0.04)
    _belly(brush, (0.03 * yaw, -0.30), 0.24, 0.30)
    for side in (-1, 1):
        brush.part(limb((side * 0.22, -0.14), 0.13, (side * 0.30, -0.10), 0.11), shade=0.05, fur=0.03)
        _sole(brush, (side * (0.34 if look.plush else 0.32), -0.115), side)
    for side in (-1, 1):
        elbow = (side * 0.33, -0.42 + lift) if look.plush else (side * 0.33, -0.38 + lift)
        hand = (side * 0.36, -0.31 + lift) if look.plush else (side * 0.20, -0.20 + lift)
        brush.soft((hand[0], hand[1] + 0.03), 0.16, 0.14, mix(look.coat, INK, 0.6), 0.5)
        brush.part(limb((side * 0.21, -0.56), 0.10, elbow, 0.095), fur=0.035)
        brush.part(limb(elbow, 0.09, hand, 0.088), fur=0.03)
        _claws(brush, hand, downward=0.075)
    return _seated_head(brush, (0.02 * yaw, -0.80), yaw)


def upright(brush: Brush, *, yaw: float) -> Point:
    """A bear on its hind legs."""
    wave = brush.rng.choice((0, 0, 0, -1, 1))
    _hump_behind(brush, (0.05 * yaw, -0.68))
    for side in (-1, 1):
        brush.part(limb((side * 0.13, -0.24), 0.125, (side * 0.14, -0.07), 0.095), shade=0.08, fur=0.03)
        brush.part(ellipse((side * 0.16, -0.045), 0.115, 0.055), shade=0.05, fur=0.02)
        _claws(brush, (side * 0.16, -0.05), downward=0.045)
    body = mirrored([(0, -0.76), (0.18, -0.68), (0.25, -0.42), (0.22, -0.20), (0, -0.15)])
    brush.part(body * (1.05, 1.0), fur=0.04)
    _belly(brush, (0.02 * yaw, -0.40), 0.20, 0.28)
    for side in (-1, 1):
        hand = (side * 0.40, -0.80) if side == wave else (side * 0.29, -0.34)
        elbow = (side * 0.36, -0.62) if side == wave else (side * 0.30, -0.50)
        brush.part(limb((side * 0.20, -0.63), 0.085, elbow, 0.08), fur=0.035)
        brush.part(limb(elbow, 0.08, hand, 0.078), fur=0.03)
        _claws(brush, hand, downward=-0.07 if side == wave else 0.07)
    return _seated_head(brush, (0.02 * yaw, -0.86), yaw, size=0.92)


def _seated_head(brush: Brush, at: Point, yaw: float, *, size: float = 1.0) -> Point:
    look = brush.look
    radius = size * (0.235 if look.plush else 0.205)
    if look.ribbon:
        _ribbon(brush, (at[0], at[1] + radius * 0.92))
    brush.soft((at[0], at[1] + radius * 0.95), 0.26, 0.12, mix(look.coat, INK, 0.7), 0.6)
    head = brush.within(at, radius, tilt=brush.rng.gauss(0, 0.07))
    front_head(head, yaw=yaw)
    return brush.at(at)


def all_fours(brush: Brush, *, turned: bool, short: float = 1.0) -> Point:
    """A bear that walks to the right; `turned` looks at you, `short` below 1 is a body seen at an angle."""
    look, step = brush.look, brush.rng.uniform(-0.09, 0.09)
    back, fore = -0.40 * short, 0.28 * short
    for hip, foot in ((back + 0.10, -step), (fore + 0.10, step)):
        _leg(brush, hip, hip + 0.03 + foot, shade=0.34)
    brush.part(ellipse((-0.60 * short, -0.58), 0.06, 0.07), shade=0.1, fur=0.05)
    brush.part(_torso(brush, short), fur=0.045)
    brush.soft((0.0, -0.26), 0.50 * short, 0.16, mix(look.coat, INK, 0.6), 0.55)
    brush.soft((-0.12, -0.70), 0.45 * short, 0.14, mix(look.coat, CREAM, 0.35), 0.35)
    if look.hump > 0.04:
        brush.soft((0.20 * short, -0.80 - look.hump * 0.6), 0.22, 0.17, mix(look.coat, CREAM, 0.42), 0.7)
    if look.plush:
        brush.seam([(-0.50 * short, -0.60), (-0.30 * short, -0.68), (0.0, -0.70), (0.25 * short, -0.69)], tick=0.014)
        _patch(brush, (-0.22 * short, -0.52))
    for hip, foot, thick in ((back, step, 1.25), (fore, -step, 1.0)):
        brush.soft((hip, -0.42), 0.20, 0.26, mix(look.coat, INK, 0.55), 0.35)
        _leg(brush, hip, hip + foot, thick=thick)
    return _walking_head(brush, turned=turned, short=short)


def _torso(brush: Brush, short: float) -> np.ndarray:
    hump, low = brush.look.hump, 0.03 if brush.look.label == "black" else 0.0
    if brush.look.plush:
        shape = [
            (-0.58, -0.50),
            (-0.44, -0.74),
            (0, -0.78),
            (0.36, -0.78),
            (0.50, -0.54),
            (0.36, -0.28),
            (0, -0.22),
            (-0.44, -0.26),
        ]
    else:
        shape = [
            (-0.62, -0.50),
            (-0.50, -0.74 - low),
            (-0.16, -0.76 + 0.2 * hump - low),
            (0.06, -0.76 - 0.75 * hump),
            (0.24, -0.77 - hump),
        ]
        shape += [(0.46, -0.74 - 0.2 * hump), (0.56, -0.55), (0.40, -0.30), (0.0, -0.24), (-0.44, -0.28)]
    return smooth(shape) * (short, 1.0)


def _leg(brush: Brush, hip: float, foot: float, *, shade: float = 0.0, thick: float = 1.0) -> None:
    brush.part(limb((hip, -0.44), 0.155 * thick, ((hip + foot) / 2 - 0.01, -0.18), 0.105), shade=shade, fur=0.035)
    brush.part(limb(((hip + foot) / 2 - 0.01, -0.20), 0.10, (foot, -0.07), 0.085), shade=shade, fur=0.03)
    brush.part(limb((foot, -0.055), 0.06, (foot + 0.08, -0.045), 0.05), shade=shade, fur=0.02)
    if not shade:
        _claws(brush, (foot + 0.055, -0.045), downward=0.038, forward=0.02)


def _walking_head(brush: Brush, *, turned: bool, short: float) -> Point:
    look = brush.look
    at = (0.62 * short + 0.02, brush.rng.uniform(-0.80, -0.62))
    if look.plush:
        at = (at[0] - 0.07, at[1] - 0.04)
    radius = 0.245 if look.plush else 0.205
    if not look.plush:
        brush.part(limb((0.34 * short, -0.62), 0.20, at, 0.17), fur=0.05)
    elif look.ribbon:
        _ribbon(brush, (at[0] - 0.10, at[1] + radius * 0.85))
    brush.soft((at[0] - 0.06, at[1] + 0.14), 0.24, 0.18, mix(look.coat, INK, 0.6), 0.5)
    head = brush.within(at, radius, tilt=brush.rng.gauss(0.06, 0.08))
    if turned:
        front_head(head, yaw=brush.rng.uniform(-0.1, 0.9))
    else:
        side_head(head)
    return brush.at(at)


def _hump_behind(brush: Brush, at: Point) -> None:
    hump = brush.look.hump
    if hump > 0.04:
        brush.part(ellipse((at[0], at[1] - hump * 0.6), 0.27, 0.14 + hump * 0.5), shade=0.08, fur=0.035)
        brush.soft((at[0], at[1] - 0.10 - hump), 0.26, 0.12, mix(brush.look.coat, CREAM, 0.42), 0.6)


def _belly(brush: Brush, at: Point, rx: float, ry: float) -> None:
    look = brush.look
    brush.soft(at, rx * 1.15, ry * 1.1, mix(look.coat, CREAM, 0.42), 0.55 if look.plush else 0.30)
    if look.plush:
        brush.seam([(at[0], at[1] - ry * 0.95), (at[0] + 0.01, at[1]), (at[0], at[1] + ry * 0.85)], tick=0.016)
        _patch(brush, (at[0] + 0.11, at[1] + 0.05))
    if look.blaze:
        brush.part(
            smooth(
                [
                    (at[0] - 0.13, at[1] - 0.28),
                    (at[0], at[1] - 0.20),
                    (at[0] + 0.13, at[1] - 0.28),
                    (at[0], at[1] - 0.10),
                ]
            ),
            CREAM,
            fur=0.03,
        )


def _sole(brush: Brush, at: Point, side: int) -> None:
    look = brush.look
    x, y = at
    brush.part(ellipse(at, 0.115, 0.125), fur=0.03)
    brush.part(ellipse((x, y + 0.02), 0.068, 0.066), look.sole, fur=0.0, grain=0.3)
    for toe in (-1.5, -0.5, 0.5, 1.5) if not look.plush else ():
        brush.part(
            ellipse((x + toe * 0.042, y - 0.07 + 0.012 * toe * toe), 0.021, 0.023, count=14),
            look.sole,
            fur=0.0,
            grain=0.2,
        )
    if look.plush:
        brush.seam(ellipse((x, y + 0.02), 0.072, 0.070, count=16)[::side], tick=0.012)
    _claws(brush, (x, y - 0.03), downward=-0.085)


def _claws(brush: Brush, at: Point, *, downward: float, forward: float = 0.0) -> None:
    look = brush.look
    if look.plush:
        return
    reach = 0.055 if look.label == "grizzly" else 0.024
    way = 1 if downward > 0 else -1
    for toe in (-0.055, -0.018, 0.018, 0.055):
        x, y = at[0] + toe + forward, at[1] + downward - way * 6 * toe * toe
        brush.flat(
            [
                (x - 0.010, y - way * 0.012),
                (x + 0.010, y - way * 0.012),
                (x + 0.004 + forward * 0.6, y + way * reach * 0.75),
            ],
            look.claw,
        )


def _ribbon(brush: Brush, at: Point) -> None:
    x, y = at
    colour = brush.look.ribbon or CREAM
    for side in (-1, 1):
        brush.part(
            smooth([(x, y), (x + side * 0.06, y + 0.10), (x + side * 0.10, y + 0.15), (x + side * 0.03, y + 0.13)]),
            colour,
            fur=0.0,
            grain=0.2,
        )
        brush.part(
            smooth([(x, y), (x + side * 0.10, y - 0.07), (x + side * 0.16, y), (x + side * 0.10, y + 0.07)]),
            colour,
            fur=0.0,
            grain=0.2,
        )
    brush.part(ellipse((x, y), 0.035, 0.035, count=16), mix(colour, INK, 0.15), fur=0.0, grain=0.2)


def _patch(brush: Brush, at: Point) -> None:
    if brush.look.patch:
        x, y = at
        square = [(x - 0.06, y - 0.055), (x + 0.055, y - 0.06), (x + 0.06, y + 0.055), (x - 0.055, y + 0.06)]
        brush.part(square, brush.look.patch, fur=0.0, grain=0.2)
        brush.seam([*square, square[0]], tick=0.014)
