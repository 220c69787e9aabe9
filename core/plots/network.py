"""A picture of the network: its blocks, what learns at which rate and how far each moved in; one piece of HTML out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from core.plots.style import esc, rate, share
from core.settings import LAYER_GROUPS
from core.vision.blocks import Block

TALLEST_PX, SMALLEST_PX = 76, 20
SIDE_MAX = 112
TO_BE_FOUND = '<em class="then">found then</em>'
_MOVED_FULL = 0.05  # a block that moved by a twentieth of its length fills its bar


def weights_in_words(count: int) -> str:
    """1_318_400 -> "1.3 M", 928 -> "928", 13_968 -> "14 k"."""
    if count >= 1_000_000:
        return f"{count / 1e6:.1f} M"
    return f"{count / 1e3:.0f} k" if count >= 1_000 else str(count)


def network_html(
    blocks: Sequence[Block],
    *,
    freeze_to: int,
    rates: Sequence[float | None],
    moved: Mapping[str, float] | None = None,
) -> str:
    """The blocks from the picture to the classes. Frozen ones are hatched and say so; the others carry their rate.

    `freeze_to` is the first layer group that learns, `rates` hold one rate per layer group (of the last ones, where
    there are fewer; None where a finder has yet to say it), and `moved` the share of its length by which each block
    has moved.
    """
    first = freeze_to % LAYER_GROUPS
    by_group = [rates[max(0, group - LAYER_GROUPS + len(rates))] for group in range(LAYER_GROUPS)]
    cards = "".join(_card(block, block.group >= first, by_group[block.group], moved) for block in blocks)
    learning = sum(block.weights for block in blocks if block.group >= first)
    total = sum(block.weights for block in blocks)
    alt = f"{len(blocks)} blocks; {weights_in_words(learning)} of {weights_in_words(total)} weights learn."
    return (
        f'<div class="network" role="img" aria-label="{esc(alt)}">'
        f'<span class="end">picture</span>{cards}<span class="end">class</span></div>'
    )


def _card(block: Block, learns: bool, lr: float | None, moved: Mapping[str, float] | None) -> str:
    height = SMALLEST_PX + (TALLEST_PX - SMALLEST_PX) * math.sqrt(block.side / SIDE_MAX)
    wide = 14 + 5 * math.log10(max(10, block.weights))
    state = "<em>❄ frozen</em>" if not learns else TO_BE_FOUND if lr is None else f"<em>{esc(rate(lr))}</em>"
    size = f"{block.side} × {block.side}" if block.side > 1 else ""
    shape = f'<i style="height:{height:.0f}px;width:{wide:.0f}px"></i>'
    return (
        f'<figure class="{"learns" if learns else "frozen"}" title="{esc(block.title)} {esc(size)}">'
        f'<div class="shape">{shape}</div>'
        f"<b>{esc(weights_in_words(block.weights))}</b><span>{esc(block.title)}</span>{state}"
        f"{_bar(block, moved)}</figure>"
    )


def _bar(block: Block, moved: Mapping[str, float] | None) -> str:
    if moved is None or block.name not in moved:
        return ""
    far = moved[block.name]
    filled = 100 * min(1.0, far / _MOVED_FULL) if math.isfinite(far) else 100.0
    said = "not moved" if far == 0 else f"moved {share(far)}" if math.isfinite(far) else "lost"
    return f'<div class="moved"><u style="width:{filled:.0f}%"></u></div><small>{said}</small>'
