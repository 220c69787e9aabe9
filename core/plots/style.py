"""The look of every figure: a theme's name in, colours with fixed meanings out; text made safe for a page.

One colour means one thing on every page (Okabe-Ito, safe for colour-blind eyes) and never stands alone: each has its
line style and its mark. Training is grey, validation is the colour of ink.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from core.train.words import counted as counted
from core.train.words import rate as rate

TOO_HIGH, TOO_LOW, GOOD, ATTENTION = "#D55E00", "#0072B2", "#009E73", "#E69F00"
MARKS = {"too_high": "▲", "too_low": "▼", "good": "●"}
LINES = {"too_high": "dotted", "too_low": "dashed", "good": "solid"}
# of every map and matrix, from low to high: viridis, which gets lighter throughout and reads without its hues
SEQUENTIAL = ("#440154", "#472D7B", "#3B528B", "#2C728E", "#21918C", "#28AE80", "#5EC962", "#ADDC30", "#FDE725")
SLOTS = "ABCD"  # what is compared, by its place: a letter, a colour, a line and a mark each
SLOT_LINES: tuple[str | tuple[int, ...], ...] = ("solid", "dashed", "dotted", (10, 4, 2, 4))
SLOT_MARKS = ("circle", "rect", "triangle", "diamond")
MAX_POINTS = 500
_SPECIAL = re.compile(r"[&<>\"'`*_\[\](){}#$~|\\!:@%]")


@dataclass(frozen=True)
class Look:
    """Colours and sizes of one theme. `font_px` is the size of a figure's labels in pixels.

    `slots` are the hues of Okabe and Ito that mean nothing elsewhere, as dark or light as lines on this paper must be:
    ink, sky blue, reddish purple and yellow.
    """

    ink: str
    paper: str
    faint: str
    training: str
    brand: str
    too_high: str = TOO_HIGH
    too_low: str = TOO_LOW
    good: str = GOOD
    attention: str = ATTENTION
    slots: tuple[str, str, str, str] = ("#26221C", "#2C8CC4", "#B4578F", "#8F7E00")
    font_px: int = 13

    @property
    def validation(self) -> str:
        """Validation is drawn in ink."""
        return self.ink


def look(theme: str | None = "light", *, projector: bool = False) -> Look:
    """The look for "light" or "dark"; a projector gets larger labels."""
    font_px = 17 if projector else 13
    if theme == "dark":
        return Look(
            ink="#F2EBDD",
            paper="#1B1815",
            faint="#443C33",
            training="#9C9285",
            brand="#DDA066",
            too_high="#FF8A3D",
            too_low="#56B4E9",
            good="#1FBF92",
            slots=("#F2EBDD", "#9BD6F5", "#E08BBB", "#F0E442"),
            font_px=font_px,
        )
    return Look(ink="#26221C", paper="#FBF8F2", faint="#E3DBCB", training="#8B8275", brand="#845128", font_px=font_px)


def esc(text: object) -> str:
    """Any text as harmless text, in HTML as well as in Markdown: every character with a meaning becomes an entity.

    `esc("<b>*") -> "&#60;b&#62;&#42;"`. Use it for every name that a person typed or a file carried.
    """
    return _SPECIAL.sub(lambda match: f"&#{ord(match.group())};", " ".join(str(text).split()))


def share(value: float) -> str:
    """A share of one as a percentage with two or three digits: 0.054 -> "5.4 %", 0.5 -> "50 %", 1e-6 -> "< 0.1 %"."""
    percent = 100 * value
    if 0 < percent < 0.05:
        return "< 0.1 %"
    if 99.95 <= percent < 100:
        return "> 99.9 %"
    return f"{percent:.1f} %" if 0 < percent < 9.95 or 99 < percent < 100 else f"{percent:.0f} %"


def sureness(probability: float) -> str:
    """A model's probability; no model is entirely sure: 1.0 -> "> 99.9 %", 0.87 -> "87 %", 1e-9 -> "< 0.1 %"."""
    return share(min(0.99999, max(0.00001, probability)))


def sureness_in_words(probability: float) -> str:
    """A model's probability inside a sentence: 1.0 -> "more than 99.9 %", 0.87 -> "87 %"."""
    return sureness(probability).replace("> ", "more than ").replace("< ", "less than ")


def wrong_of(wrong: int, of: int) -> str:
    """An error as a count and a share: (3, 60) -> "3 of 60 wrong (5.0 %)"."""
    return f"{wrong} of {of} wrong ({share(wrong / of if of else 0.0)})"


def duration(seconds: float) -> str:
    """A time with its unit: 0.8 -> "0.8 s", 75 -> "1 min 15 s", 4000 -> "1 h 7 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def number(value: float) -> str:
    """A number with three significant digits and no exponent: 1234 -> "1,234", 1e9 -> "1 billion"."""
    if not math.isfinite(value):
        return "not a number"
    size = abs(value)
    if size >= 1e12:
        return "beyond a trillion"
    for limit, word in ((1e9, "billion"), (1e6, "million")):
        if size >= limit:
            return f"{value / limit:.3g} {word}"
    if size >= 100 or value == int(value):
        return f"{value:,.0f}"
    digits = max(0, 2 - math.floor(math.log10(size))) if size else 0
    return f"{value:.{min(digits, 6)}f}"
