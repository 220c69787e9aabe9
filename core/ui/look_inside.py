"""Inside the network: one picture in; the channels that answer to it most in early, middle and late blocks, each with
the places of the set that excite it most, out.

What excites a channel is found once by a run, since the model must be shown the pictures of the set for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from PIL import Image

from core.data.images import LONGEST_SIDE, open_image
from core.interpret import maps
from core.interpret.peaks import DEPTHS, FILE, KEPT, KIND, BlockPeaks, Peaks, at_depth, load_peaks, loudest
from core.plots.heat import overlay
from core.plots.patches import cut, sheet
from core.plots.style import esc
from core.text import read
from core.train.runs import Run, list_runs
from core.ui import cache, evidence, forms, look_pick, page, readings
from core.ui.live import ended_early, watch
from core.ui.look_pick import WORDS, Row
from core.ui.readings import Reading
from core.ui.suspects import progress
from core.vision.blocks import BODIES, Block

ALL = "all"
CHANNELS, CHANNELS_ALONE = 3, 6
CUTS = 4  # for each channel, where three blocks share the page
MAP_PX, CUT_PX = 176, 84
SQUARE_PX = 224  # of the pictures that are cut


@dataclass(frozen=True)
class Channel:
    """One channel: its map over the picture and its cuts as addresses, and the labels of the pictures cut from."""

    number: int
    drawn: str
    cuts: str
    labels: tuple[str, ...]


def show(reading: Reading) -> None:
    """The strip, the blocks with their channels, and what there is to see; while the run works, how far it is."""
    left, right = st.columns([3.4, 1], gap="medium", vertical_alignment="center")
    with left:
        row = look_pick.strip(reading)
    peaks = _peaks(reading)
    if peaks is None:
        return
    with right:
        shown = _choose(reading)
    alone = len(shown) == 1
    heard = _answers(reading, row, [block.name for block in shown.values()])
    with st.spinner(read(WORDS, "cutting")):
        found = {
            title: _channels(reading, row, block, peaks, heard[block.name], alone) for title, block in shown.items()
        }
    st.html(f'<div class="blocks{" alone" if alone else ""}">{_html(shown, found)}</div>')
    page.note(read(WORDS, "sides"))
    page.see(_sentence(shown, found))


def _choose(reading: Reading) -> Mapping[str, Block]:
    """The blocks that are shown by what stands above them: three at three depths, or one of one's choice."""
    backbone = str(reading.model.run.request["settings"]["backbone"]) if reading.model.run else "lite0"
    options = {ALL: read(WORDS, "three_blocks")}
    options |= {block.name: f"{at + 1}: {block.title}" for at, block in enumerate(BODIES[backbone])}
    chosen = forms.pick(
        "Blocks of the network", options, slot="block", key="looks.block", default=ALL, label_visibility="collapsed",
    )  # fmt: skip
    if chosen == ALL:
        return {depth: at_depth(backbone, depth) for depth in DEPTHS}
    return {"": next(block for block in BODIES[backbone] if block.name == chosen)}


def _answers(reading: Reading, row: Row, names: Sequence[str]) -> dict[str, np.ndarray]:
    path = reading.dataset.image_path(row["file"])
    found: dict[str, np.ndarray] = reading.kept(
        ("looks.answers", row["item"], *names), lambda: evidence.block_answers(reading.model, path, names)
    )
    return found


# --- channels


def _channels(
    reading: Reading, row: Row, block: Block, peaks: Peaks, answers: np.ndarray, alone: bool
) -> list[Channel]:
    key = ("looks.channels", row["item"], block.name, alone)
    found: list[Channel] = reading.kept(key, lambda: _made(reading, row, peaks, block.name, answers, alone))
    return found


def _made(reading: Reading, row: Row, peaks: Peaks, block: str, answers: np.ndarray, alone: bool) -> list[Channel]:
    known = peaks.blocks[block]
    square = _square(reading, str(row["file"]))
    labels = dict(zip(reading.table["file"], reading.table["label"], strict=True))
    numbers = loudest(answers, known, CHANNELS_ALONE if alone else CHANNELS)
    return [_channel(reading, number, answers[number], known, peaks.files, labels, square, alone) for number in numbers]


def _channel(
    reading: Reading, number: int, answer: np.ndarray, known: BlockPeaks, files: Sequence[str],
    labels: Mapping[str, str], square: np.ndarray, alone: bool,
) -> Channel:  # fmt: skip
    drawn = overlay(square, maps.shown(answer)).resize((MAP_PX, MAP_PX), Image.Resampling.LANCZOS)
    shown = [place for place in range(KEPT if alone else CUTS) if known.rows[number, place] >= 0]
    rows = [files[known.rows[number, place]] for place in shown]
    cuts = [
        cut(_square(reading, file), int(known.places[number, place]), known.side)
        for file, place in zip(rows, shown, strict=True)
    ]
    together = sheet(cuts, CUT_PX, 4 if alone else 2)
    said = tuple(labels.get(file, "") for file in rows)
    return Channel(number, evidence.address(np.asarray(drawn)), evidence.address(together), said)


def _square(reading: Reading, file: str) -> np.ndarray:
    """The middle square of a stored picture as the model gets it, (224, 224, 3)."""
    image = open_image(reading.dataset.image_path(file), longest_side=LONGEST_SIDE)
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    box = (left, top, left + edge, top + edge)
    return np.asarray(image.resize((SQUARE_PX, SQUARE_PX), Image.Resampling.BILINEAR, box=box, reducing_gap=2.0))


def _html(shown: Mapping[str, Block], found: Mapping[str, list[Channel]]) -> str:
    return "".join(_block_html(title, block, found[title]) for title, block in shown.items())


def _block_html(title: str, block: Block, channels: Sequence[Channel]) -> str:
    head = f"<b>{esc(title.capitalize())}</b>" if title else ""
    body = "".join(_channel_html(channel) for channel in channels)
    nothing = "" if channels else f'<p class="note">{esc(read(WORDS, "no_channel"))}</p>'
    return f"<section><header>{head}<span>{esc(block.title)}</span></header>{body}{nothing}</section>"


def _channel_html(channel: Channel) -> str:
    most = ", ".join(f"{count} {label}" for label, count in Counter(channel.labels).most_common())
    return (
        f'<figure title="channel {channel.number}: {esc(most)}">'
        f'<img class="drawn" src="{channel.drawn}" alt="where channel {channel.number} answers to your picture">'
        f'<img class="cuts" src="{channel.cuts}" alt="what excites it most: {esc(most)}"></figure>'
    )


def _sentence(shown: Mapping[str, Block], found: Mapping[str, list[Channel]]) -> str:
    """How much the pictures that excite the channels are of one class, early against late."""
    if len(shown) == 1:
        block, channels = next(iter(shown.values())), next(iter(found.values()))
        label, count, of = _purity(channels)
        return page.say(WORDS, "see_block", side=block.side, channels=block.channels, label=label, count=count, of=of)
    early, late = (_purity(found[depth]) for depth in ("early", "late"))
    return page.say(
        WORDS, "see_blocks", early_side=shown["early"].side, late_side=shown["late"].side, early_label=early[0],
        early_count=early[1], early_of=early[2], late_label=late[0], late_count=late[1], late_of=late[2],
    )  # fmt: skip


def _purity(channels: Sequence[Channel]) -> tuple[str, int, int]:
    """The label that most of the pictures have from which was cut, how many have it, and how many there are."""
    labels = [label for channel in channels for label in channel.labels]
    most, count = Counter(labels).most_common(1)[0] if labels else ("", 0)
    return most, count, len(labels)


# --- the run


def _peaks(reading: Reading) -> Peaks | None:
    """What a run found; None while it works or has failed, which the page says then."""
    runs = _looks(reading)
    fresh = next((run for run in runs if run.request["version"] == reading.dataset.version), None)
    fresh = fresh or _start(reading, runs)
    if fresh.state == "done" and (fresh.path / FILE).is_file():
        found: Peaks = reading.kept(("looks.peaks", fresh.id), lambda: load_peaks(fresh))
        return found
    with st.container(key="card-inside"):
        if not fresh.ended:
            page.note(read(WORDS, "inside_note"))
            watch(fresh, progress)
        else:
            _failed(fresh)
    return None


def _looks(reading: Reading) -> list[Run]:
    """All looks inside this model as its weights are now, newest first."""
    asked = {"run": reading.model.id, "saved_at": reading.model.saved_at}
    return [run for run in list_runs(reading.dataset.workspace, KIND) if asked.items() <= dict(run.request).items()]


def _start(reading: Reading, older: list[Run]) -> Run:
    """Let the engine look inside, unless it does so already; what was seen of older data goes."""
    return readings.ask_once(KIND, reading.model, reading.dataset, known=lambda: _looks(reading), older=older)


def _failed(run: Run) -> None:
    ended_early(run, WORDS, stopped="inside_stopped", failed="inside_stopped")
    if st.button("Look inside again", key="looks.again", type="primary", icon=":material/replay:"):
        cache.resubmit(run)
        st.rerun()
