"""A brush in, a head out: from the front (turned by `yaw`) or in profile. The unit is the radius of the skull."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from core.data.samples.anatomy import CREAM, INK, Brush
from core.data.samples.canvas import Point, ellipse, limb, mirrored, mix, smooth

WHITE = (250, 246, 238)
# the right half of each skull from the front: a toy is round, a grizzly has broad cheeks, a black bear is narrow
SKULLS: Mapping[str, tuple[Point, ...]] = MappingProxyType(
    {
        "black": ((0, -0.98), (0.52, -0.82), (0.86, -0.22), (0.86, 0.26), (0.50, 0.76), (0, 0.98)),
        "grizzly": ((0, -0.84), (0.60, -0.74), (0.95, -0.16), (1.06, 0.34), (0.62, 0.74), (0, 0.92)),
        "teddy": ((0, -0.96), (0.66, -0.74), (1.02, -0.05), (0.78, 0.62), (0, 0.86)),
    }
)


def front_head(brush: Brush, *, yaw: float = 0.0) -> None:
    """A head that looks at you; `yaw` from -1 to 1 turns it to one side."""
    look = brush.look
    for side in (-1, 1):
        _front_ear(brush, side, yaw)
    skull = mirrored(SKULLS[look.label])
    brush.part(skull * (look.wide, 1.0), fur=0.13)
    if look.plush:
        _toy_face(brush, yaw)
    else:
        _wild_face(brush, yaw)


def _front_ear(brush: Brush, side: int, yaw: float) -> None:
    look = brush.look
    size = look.ear * (1 - 0.15 * side * yaw)
    x = side * look.apart - 0.16 * yaw
    y = {"black": -0.82, "grizzly": -0.66, "teddy": -0.72}[look.label]
    lean = -side * (0.16 if look.label == "black" else 0.5)
    brush.part(ellipse((x, y - size * (look.tall - 1)), size, size * look.tall, turn=lean), shade=0.10, fur=0.08)
    inner = mix(look.muzzle, (206, 140, 120), 0.35) if look.plush else mix(look.coat, INK, 0.45)
    middle = (x - side * size * 0.06, y - size * (look.tall - 1) + size * 0.12)
    brush.part(ellipse(middle, size * 0.58, size * look.tall * 0.60, turn=lean), inner, fur=0.0, grain=0.4)


def _wild_face(brush: Brush, yaw: float) -> None:
    look = brush.look
    shift = 0.34 * yaw
    grizzly = look.label == "grizzly"
    shadow = mix(look.coat, INK, 0.55)
    (_dished if grizzly else _straight)(brush, shift)
    wide, high = (0.46, 0.40) if grizzly else (0.44, 0.46)
    brush.soft((shift * 1.3, 0.62), 0.62, 0.46, shadow, 0.6)
    brush.part(ellipse((shift * 1.4, 0.42), wide, high), look.muzzle, fur=0.04, grain=0.5)
    for side in (-1, 1):
        narrow = 1 - 0.28 * max(0.0, side * yaw)
        _wild_eye(brush, (shift + side * (0.40 if grizzly else 0.36) * narrow, -0.14))
    _nose(brush, (shift * 1.75, 0.22), 0.205, 0.15)
    _mouth(brush, (shift * 1.7, 0.36))


def _dished(brush: Brush, shift: float) -> None:
    """Pale brows and cheeks stand out, the root of the nose lies in shadow."""
    light, shadow = mix(brush.look.coat, CREAM, 0.42), mix(brush.look.coat, INK, 0.55)
    for side in (-1, 1):
        brush.soft((shift * 0.8 + side * 0.42, -0.46), 0.42, 0.34, light, 0.75)
        brush.soft((side * 0.86, 0.36), 0.40, 0.50, light, 0.45)
    brush.soft((shift, -0.10), 0.30, 0.42, shadow, 0.4 + 1.2 * max(0.0, brush.look.dish))


def _straight(brush: Brush, shift: float) -> None:
    """One pale ridge runs from the brow to the nose."""
    look = brush.look
    brush.soft((shift * 0.8, -0.20), 0.34, 0.80, mix(look.coat, CREAM, 0.42), 0.55)
    high, low = shift * 0.7, shift * 1.4
    bridge = smooth([(high - 0.20, -0.22), (high + 0.20, -0.22), (low + 0.34, 0.36), (low - 0.34, 0.36)])
    brush.part(bridge, mix(look.coat, look.muzzle, 0.75), fur=0.03, grain=0.5)


def _wild_eye(brush: Brush, at: Point) -> None:
    brush.soft(at, 0.22, 0.20, mix(brush.look.coat, INK, 0.7), 0.9)
    brush.flat(ellipse(at, 0.098, 0.105, count=16), (58, 36, 24))
    brush.flat(ellipse(at, 0.076, 0.083, count=14), (16, 12, 14))
    brush.flat(ellipse((at[0] - 0.03, at[1] - 0.036), 0.030, 0.030, count=10), WHITE)


def _nose(brush: Brush, at: Point, rx: float, ry: float) -> None:
    x, y = at
    nose = smooth(
        [
            (x - rx, y - ry * 0.5),
            (x, y - ry),
            (x + rx, y - ry * 0.5),
            (x + rx * 0.5, y + ry * 0.6),
            (x, y + ry),
            (x - rx * 0.5, y + ry * 0.6),
        ]
    )
    brush.flat(nose, (30, 24, 28))
    brush.flat(ellipse((x - rx * 0.2, y - ry * 0.45), rx * 0.42, ry * 0.24, count=14), (128, 118, 124), alpha=0.8)


def _mouth(brush: Brush, at: Point) -> None:
    x, y = at
    ink, smile = mix(brush.look.muzzle, INK, 0.78), brush.look.smile
    brush.stroke([(x, y), (x, y + 0.16)], ink, 0.035)
    for side in (-1, 1):
        t = np.linspace(0, 1, 8)
        curve = np.stack([x + side * 0.26 * t, y + 0.16 + 0.10 * smile * np.sin(np.pi * t * 0.8) - 0.02 * t], axis=1)
        brush.stroke(curve, ink, 0.032)


def _toy_face(brush: Brush, yaw: float) -> None:
    look = brush.look
    shift = 0.30 * yaw
    t = np.linspace(0, 1, 9)
    brush.seam(np.stack([shift * np.sin(t * 1.6), -0.92 + 0.94 * t], axis=1), tick=0.05)
    brush.soft((shift * 1.2, 0.56), 0.64, 0.44, mix(look.coat, INK, 0.5), 0.55)
    brush.part(ellipse((shift * 1.25, 0.34), 0.47, 0.38), look.muzzle, fur=0.05, grain=0.5)
    for side in (-1, 1):
        _button(brush, (shift + side * 0.40 * (1 - 0.2 * max(0.0, side * yaw)), -0.12), 0.125)
        brush.soft((shift + side * 0.68, 0.24), 0.24, 0.18, (224, 128, 112), 0.30)
    _nose(brush, (shift * 1.5, 0.18), 0.16, 0.11)
    _mouth(brush, (shift * 1.45, 0.28))


def _button(brush: Brush, at: Point, radius: float) -> None:
    x, y = at
    brush.flat(
        ellipse((x + 0.015, y + 0.03), radius * 1.12, radius * 1.12, count=20),
        mix(brush.look.coat, INK, 0.7),
        alpha=0.6,
    )
    brush.flat(ellipse(at, radius, radius, count=20), (44, 34, 36))
    brush.flat(ellipse(at, radius * 0.68, radius * 0.68, count=18), (24, 18, 22))
    for a, b in (((-1, -1), (1, 1)), ((-1, 1), (1, -1))):
        brush.stroke(
            [(x + a[0] * 0.032, y + a[1] * 0.032), (x + b[0] * 0.032, y + b[1] * 0.032)], (168, 150, 140), 0.018
        )
    brush.flat(ellipse((x - radius * 0.42, y - radius * 0.48), radius * 0.24, radius * 0.20, count=10), WHITE)


def side_head(brush: Brush) -> None:
    """A head in profile that looks to the right (to the left with a mirrored brush)."""
    look = brush.look
    far = (-0.10, -0.84)
    _side_ear(brush, far, shade=0.38, size=0.9)
    if look.plush:
        brush.part(
            smooth(
                [
                    (0, -0.95),
                    (0.62, -0.70),
                    (0.92, 0.0),
                    (0.66, 0.62),
                    (0, 0.86),
                    (-0.72, 0.62),
                    (-0.98, 0),
                    (-0.66, -0.72),
                ]
            ),
            fur=0.12,
        )
        brush.part(limb((0.55, 0.26), 0.42, (0.98, 0.28), 0.30), look.muzzle, fur=0.05, grain=0.5)
        brush.seam([(0.30, -0.84), (0.62, -0.55), (0.84, -0.10)], tick=0.05)
        _nose(brush, (1.20, 0.12), 0.13, 0.11)
        brush.stroke([(1.20, 0.24), (1.14, 0.42), (0.88, 0.50)], mix(look.muzzle, INK, 0.78), 0.035)
        _button(brush, (0.46, -0.14), 0.125)
        brush.soft((0.40, 0.26), 0.24, 0.18, (224, 128, 112), 0.28)
    else:
        _wild_profile(brush)
    _side_ear(brush, (-0.42, -0.74), shade=0.0, size=1.0)


def _wild_profile(brush: Brush) -> None:
    look = brush.look
    dip = look.dish
    brow = -0.78 + 0.10 * max(0.0, dip)
    profile = [
        (-0.2, -0.94),
        (0.36, brow),
        (0.72, -0.56 + 1.25 * dip),
        (1.08, -0.34 + 0.95 * dip),
        (1.56, -0.06 + 0.25 * dip),
    ]
    mouth = [
        (1.72, 0.16),
        (1.60, 0.40),
        (1.10, 0.56),
        (0.62, 0.72),
        (0.0, 0.92),
        (-0.72, 0.74),
        (-1.02, 0.05),
        (-0.76, -0.68),
    ]
    brush.part(smooth(profile + mouth), fur=0.10)
    tip = [
        (0.86, -0.28 + 0.9 * dip),
        (1.22, -0.22 + 0.7 * dip),
        (1.60, -0.02 + 0.2 * dip),
        (1.72, 0.18),
        (1.58, 0.40),
        (1.10, 0.52),
        (0.84, 0.30),
    ]
    brush.part(smooth(tip), look.muzzle, fur=0.02, grain=0.5)
    if look.label == "grizzly":
        brush.soft((0.42, -0.52), 0.40, 0.30, mix(look.coat, CREAM, 0.45), 0.7)
        brush.soft((-0.1, 0.55), 0.6, 0.5, mix(look.coat, CREAM, 0.35), 0.5)
    _wild_eye(brush, (0.60, -0.20 + 0.5 * max(0.0, dip)))
    _nose(brush, (1.63, 0.04 + 0.2 * dip), 0.15, 0.14)
    brush.stroke([(1.62, 0.26), (1.36, 0.37), (1.08, 0.34), (0.96, 0.28)], mix(look.muzzle, INK, 0.75), 0.035)


def _side_ear(brush: Brush, at: Point, *, shade: float, size: float) -> None:
    look = brush.look
    r = look.ear * size
    middle = (at[0], at[1] - r * (look.tall - 1))
    brush.part(ellipse(middle, r * 0.92, r * look.tall, turn=0.15), shade=shade, fur=0.08)
    if not shade:
        inner = mix(look.muzzle, (206, 140, 120), 0.35) if look.plush else mix(look.coat, INK, 0.45)
        brush.part(
            ellipse((middle[0] + 0.05, middle[1] + 0.05), r * 0.50, r * look.tall * 0.58, turn=0.15),
            inner,
            fur=0.0,
            grain=0.4,
        )
