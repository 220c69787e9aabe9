"""What a walk over a loss surface shows, in sentences from its own numbers. Values in, safe words out."""

from __future__ import annotations

import html

from core.interpret.valley import CALM, Valley, View, Walk, calm_radius, held, left_at
from core.plots.network import weights_in_words
from core.plots.style import counted, number, share
from core.text import read
from core.ui import page

SMALL = {0.1: "a tenth of", 0.01: "a hundredth of"}
WORSE = 2.0  # so many times the loss of the first walk is not the same valley floor


def times_words(times: float) -> str:
    """A multiple of a rate: 100 -> "100 times", 0.1 -> "a tenth of"."""
    return SMALL.get(times, f"{number(times)} times")


def own(valley: Valley, view: View) -> str:
    """How far the head went, how deep, how often it climbed, and how flat it is around its end."""
    walk = valley.walks[0]
    moved = page.say(
        "landscape", "moved",
        steps=counted(walk.of, "step"), far=number(walk.moved[-1]), share=share(walk.moved[-1] / valley.length),
        weights=weights_in_words(valley.weights), pictures=counted(valley.pictures, "picture"),
        first=number(walk.losses[0]), last=number(walk.losses[-1]),
    )  # fmt: skip
    return f"{moved} {_climbed(walk)} {_calm(walk, view)}"


def _climbed(walk: Walk) -> str:
    if not walk.climbs:
        return page.say("landscape", "never_climbed")
    section = "climbed" if walk.whole else "climbed_looks"
    return page.say("landscape", section, climbs=walk.climbs, of=len(walk.steps) - 1)


def _calm(walk: Walk, view: View) -> str:
    x, y = view.paths[0][-1]
    radius = calm_radius(view, (float(x), float(y)))
    if radius is None:
        return page.say("landscape", "calm_all", rise=CALM)
    way = share(radius / walk.moved[-1]) if walk.moved[-1] else "0 %"
    return page.say("landscape", "calm", rise=CALM, radius=number(radius), share=way)


def beside(valley: Valley, view: View, name: str) -> tuple[str, str]:
    """What the second walk did beside the first, and the kind of the remark: "", "attention" or "high"."""
    first, other = valley.walks
    out, ratio = left_at(view, 1), other.moved[-1] / first.moved[-1] if first.moved[-1] else 0.0
    values = {
        "times": times_words(other.times), "far": number(max(other.moved)), "ratio": number(ratio),
        "last": number(other.losses[-1]), "own": number(first.losses[-1]),
        "step": other.steps[-1 if out is None else out], "name": name,
    }  # fmt: skip
    if other.ended_by == "diverged":
        return page.say("landscape", "exploded", **{**values, "step": other.steps[-1]}), "high"
    if other.run or (out is None and other.times > 1):
        return page.say("landscape", "beside_both", **values), ""
    if other.times < 1:
        return page.say("landscape", "crept", **{**values, "ratio": share(ratio)}), "attention"
    worse = other.losses[-1] > WORSE * first.losses[-1] + CALM
    said = page.say("landscape", "flew" if worse else "leapt", **values, climbed=_climbed(other))
    return said, "high" if worse else "attention"


def small_print(valley: Valley, view: View) -> str:
    """That it is the same run, and how much of its way the window shows."""
    first = valley.walks[0]
    section = "exact" if all(walk.exact for walk in valley.walks) else "close"
    same = page.say("landscape", section, steps=counted(first.of, "step"), epochs=counted(first.epochs, "epoch"))
    rest = page.say("landscape", "held", share=share(held(view, valley)), weights=weights_in_words(valley.weights))
    return f"{same} {rest}"


def as_text(said: str) -> str:
    """A sentence with safe values as plain text, for those who hear a figure instead of seeing it."""
    return html.unescape(said).replace("**", "")


def axes(view: View) -> tuple[str, str]:
    """The titles of a window's axes."""
    if view.name == "main":
        first, second = (share(part) for part in view.held)
        return read("landscape", "axis_main").format(share=first), read("landscape", "axis_second").format(share=second)
    return read("landscape", "axis_way"), read("landscape", "axis_other" if view.name == "beside" else "axis_best")
