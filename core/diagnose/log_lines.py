"""Logs that are told line by line: what Keras prints while it trains, and "name: value" lines; rows of numbers out."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.diagnose.log_cells import meaning, number, plain_name
from core.diagnose.log_rows import BLOCK, Rows

_KERAS_EPOCH = re.compile(r"Epoch\s+(\d{1,9})\s*/\s*\d{1,9}")
_KERAS_BREAK = re.compile(r"(?<=[^\n\s])[ \t]*(?=Epoch \d{1,9}/\d{1,9})")
_STEP = re.compile(r"\s*(\d{1,9})/(\d{1,9}|Unknown)\b")
_METRIC = re.compile(r"\s*([A-Za-z_]\w{0,60}):\s*(\S{1,32})\s*")
_SPLIT = re.compile(r"\s-\s")
_N_VALID = re.compile(r"validate on (\d{1,9}) samples")

_EPOCH = re.compile(r"\bepoch[\s:=#\[(]{0,4}(\d{1,9})", re.IGNORECASE)
_PAIR = re.compile(
    r"([A-Za-z][A-Za-z_/.]{0,30}(?: [A-Za-z_/.]{1,30}){0,2})\s{0,3}[:=]\s{0,3}"
    r"([-+]?[\w.]{1,24}(?:(?<=[eE])-\d{1,4})?(?: ?%)?)"
)
_SIDE = re.compile(r"\s{0,8}(train|training|val|valid|validation|test)\b", re.IGNORECASE)


@dataclass
class _Epoch:
    """An epoch while it is being read: the numbers printed last, and how far its steps have got."""

    at: float
    block: int
    values: dict[str, float] = field(default_factory=dict)
    total: str = ""
    finished: bool = False
    strays: int = 0

    def take(self, metrics: Mapping[str, float], step: re.Match[str] | None) -> None:
        """Take the numbers of one line, unless the epoch had ended before it."""
        total = step[2] if step else ""
        tells_less = "val_loss" in self.values and "val_loss" not in metrics
        if self.finished and (total != self.total or tells_less):
            self.strays += 1
            return
        self.values.update(metrics)
        self.total, self.finished = total, step is None or step[1] == total or total == "Unknown"

    @property
    def counts(self) -> bool:
        """An epoch that broke off says nothing, unless its loss had stopped being a number."""
        return bool(self.values) and (self.finished or not math.isfinite(self.values["loss"]))


def keras(text: str) -> Rows | None:
    """The lines of `model.fit`, with or without bars: the last line of every epoch counts; None without any."""
    epochs = _keras_epochs(_KERAS_BREAK.sub("\n", text))
    if not any(epoch.values for epoch in epochs):
        return None
    rows = tuple({"epoch": one.at, **one.values, BLOCK: float(one.block)} for one in epochs if one.counts)
    told = [
        f"Epoch {one.at:.0f} had not ended, so it does not count."
        for one in epochs
        if one.values and not one.counts
    ]  # fmt: skip
    strays = sum(one.strays for one in epochs)
    if strays:
        told.append(f"Lines that follow the end of an epoch, as evaluate prints them, were passed over: {strays}.")
    found = _N_VALID.search(text)
    return Rows("Keras", rows, tuple(told), int(found[1]) if found else None)


def _keras_epochs(text: str) -> list[_Epoch]:
    epochs: list[_Epoch] = []
    loose: list[_Epoch] = []
    for line in text.split("\n"):
        head = _KERAS_EPOCH.match(line.strip())
        if head:
            block = epochs[-1].block + (int(head[1]) <= epochs[-1].at) if epochs else 0
            epochs.append(_Epoch(int(head[1]), block))
            line = line.strip()[head.end() :]
        metrics = _metrics(line)
        if "loss" not in metrics:
            continue
        if not epochs:
            loose.append(_Epoch(len(loose) + 1, 0))
        (epochs or loose)[-1].take(metrics, _STEP.match(line))
    return epochs or _numbered(loose)


def _numbered(loose: list[_Epoch]) -> list[_Epoch]:
    """Lines without an "Epoch" above them: those that tell the most are the ends of epochs."""
    most = max((len(one.values) for one in loose if one.finished), default=0)
    ends = [one for one in loose if one.finished and len(one.values) == most]
    for place, one in enumerate(ends, 1):
        one.at = place
    return ends


def _metrics(line: str) -> dict[str, float]:
    """What a line tells: "2s 20ms/step - loss: 0.69 - accuracy: 0.51" -> loss and accuracy."""
    if ": " not in line and ":" not in line:
        return {}
    found = (_METRIC.fullmatch(part) for part in _SPLIT.split(line[-4000:]))
    pairs = ((match[1], number(match[2])) for match in found if match)
    return {name: value for name, value in pairs if value is not None}


def told(text: str) -> Rows | None:
    """Lines that name their epoch and their numbers: "Epoch 3: train loss: 0.5 …" as loops written by hand print them.

    A line without an epoch belongs to the one before it: "train Loss: 0.6 Acc: 0.7" and below it "val Loss: …".
    """
    epochs: list[tuple[float, dict[str, float]]] = []
    for line in text.split("\n"):
        head = _EPOCH.search(line[:200])
        if head and not (epochs and epochs[-1][0] == int(head[1])):
            epochs.append((int(head[1]), {}))
        if epochs:
            epochs[-1][1].update(_pairs(line[:4000]))
    rows, block, last = [], 0, -1.0
    for at, values in epochs:
        if values:
            block, last = block + (at <= last), at
            rows.append({"epoch": at, **values, BLOCK: float(block)})
    lightning = any("v_num" in line for line in text.split("\n", 200)[:200])
    return Rows("Lightning" if lightning else "table", tuple(rows)) if rows else None


def _pairs(line: str) -> Iterator[tuple[str, float]]:
    side = ""
    for found in _PAIR.finditer(line):
        name, value = found[1].strip(), number(found[2].rstrip("."))
        own = _SIDE.match(name)
        side = own[1] if own else side
        if value is None or meaning(name) in (None, "epoch", "step"):
            continue
        bare = plain_name(name)
        yield (bare if own or not side or meaning(name) in ("lr", "seconds") else f"{side}_{bare}"), value
