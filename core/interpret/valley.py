"""What a walk over a loss surface found, as records: from plain JSON values and back. Imports no torch.

A valley has one or two walks (trainings of the same head from the same start) and one or more views: windows into
weight space with the loss on a grid and the walks seen from above.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.errors import NotFound
from core.settings import Stage, TrainSettings, from_record
from core.train.runs import Run
from core.workspace import read_json, write_json

KIND, FILE = "landscape", "landscape.json"
LOSS_MOST = 1e6  # nats: higher, and what is no number any more, is written as this
FRAME_PAD, FRAME_SHAPE = 0.3, 0.55
REACH = 3.0  # times the way of the first walk: as far as a window follows the second one
CALM = 0.1  # nats


@dataclass(frozen=True)
class Walk:
    """One training of the head as a path of `len(steps)` kept points; the first is the start.

    `run` is the id of the training run that was walked again, or "" for one that was tried here at `times` its rate.
    `steps` says after how many of `of` optimiser steps each point was kept. `losses` (nats) and `moved` (distance from
    the start) belong to the points themselves, not to what a view shows of them. `exact`: its table of epochs was the
    same, to the last digit, as when the run was trained. `best_loss` is that of the best epoch, where that is not the
    last one. `ended_by`: done or diverged.
    """

    run: str
    times: float
    rate: float
    steps: tuple[int, ...]
    of: int
    losses: tuple[float, ...]
    moved: tuple[float, ...]
    epochs: int
    exact: bool
    ended_by: str
    best_loss: float | None = None

    @property
    def climbs(self) -> int:
        """From how many kept points the next one lies higher."""
        return sum(after > before for before, after in zip(self.losses, self.losses[1:], strict=False))

    @property
    def whole(self) -> bool:
        """Whether every step was kept."""
        return len(self.steps) == self.steps[-1] + 1


@dataclass(frozen=True)
class View:
    """A window: the loss (nats) at `ys` x `xs`, and for each walk its points (n, 2), and how far they lie off it (n,).

    `best` has the place of each walk's best epoch, where that is not its last. `held`: the shares of the first walk's
    movement that lie along x and y, where the window was laid along its main directions.
    """

    name: str
    xs: np.ndarray
    ys: np.ndarray
    loss: np.ndarray
    paths: tuple[np.ndarray, ...]
    off: tuple[np.ndarray, ...]
    best: tuple[tuple[float, float] | None, ...]
    held: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Valley:
    """One or two walks and the views of them; measured on `pictures` training pictures. `length`: of all weights."""

    walks: tuple[Walk, ...]
    views: tuple[View, ...]
    pictures: int
    classes: int
    weights: int
    length: float

    def view(self, name: str) -> View:
        """A view by its name; the first one where there is none of that name."""
        return next((view for view in self.views if view.name == name), self.views[0])


def why_not(settings: TrainSettings, *, trained: bool = True) -> str | None:
    """Why a run has no loss surface of its head: a section of the words, or None where it has one.

    Only while the body is frozen and every epoch sees the same pictures is the head all that moves, on activations that
    are there already.
    """
    first: Stage = settings.resolved[0]
    if not trained:
        return "not_trained"
    if not first.frozen:
        return "body_learned"
    if first.mixup > 0:
        return "mixed"
    return None if first.cached else "augmented"


def same_start(a: Run, b: Run) -> bool:
    """Whether two training runs begin with the same head on the same activations: then they share a surface."""
    one, two = from_record(a.request["settings"]), from_record(b.request["settings"])
    if why_not(one) or why_not(two):
        return False
    kept = ("backbone", "weights", "seed", "device", "train_share")
    sizes = {(setting.resolved[0].image_size, setting.resolved[0].precision) for setting in (one, two)}
    return (
        all(getattr(one, name) == getattr(two, name) for name in kept)
        and len(sizes) == 1
        and a.request.get("dataset") == b.request.get("dataset")
        and (a.path / "items.csv").is_file()
        and (b.path / "items.csv").is_file()
        and (a.path / "items.csv").read_bytes() == (b.path / "items.csv").read_bytes()
        and a.request.get("start") == b.request.get("start")
    )


def frame_of(first: np.ndarray, second: np.ndarray | None = None) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ends of a window (x, y) around a path (n, 2), with what lies near of a second one, and room at its sides.

    The shorter side is at least FRAME_SHAPE of the longer one, so that a path along a line has hills beside it.
    """
    shown = [first]
    if second is not None:
        reach = REACH * np.linalg.norm(first - first[0], axis=1).max()
        shown.append(second[np.linalg.norm(second - first[0], axis=1) <= reach])
    points = np.concatenate(shown)
    low, high = points.min(0), points.max(0)
    middle, half = (low + high) / 2, (high - low) / 2 * (1 + 2 * FRAME_PAD)
    half = np.maximum(half, FRAME_SHAPE * half.max())
    half = np.where(half > 0, half, 1.0)
    ends = np.stack([middle - half, middle + half], axis=1)
    return (float(ends[0, 0]), float(ends[0, 1])), (float(ends[1, 0]), float(ends[1, 1]))


def calm_radius(view: View, place: tuple[float, float], *, rise: float = CALM) -> float | None:
    """How far from a place every point of a window is at most `rise` (nats) higher; None: all of the window is.

    As fine as the grid.
    """
    column, row = (int(np.abs(ticks - at).argmin()) for ticks, at in zip((view.xs, view.ys), place, strict=True))
    away = np.hypot(view.xs[None, :] - place[0], view.ys[:, None] - place[1])
    higher = away[view.loss > view.loss[row, column] + rise]
    return float(higher.min()) if len(higher) else None


def left_at(view: View, walk: int) -> int | None:
    """The number of the first point of a walk that lies outside a window; None when all of it is inside."""
    path = view.paths[walk]
    inside = (
        (path[:, 0] >= view.xs[0]) & (path[:, 0] <= view.xs[-1])
        & (path[:, 1] >= view.ys[0]) & (path[:, 1] <= view.ys[-1])
    )  # fmt: skip
    return None if inside.all() else int(np.argmin(inside))


def held(view: View, valley: Valley, walk: int = 0) -> float:
    """The share of a walk's movement, 0..1, that a window shows: 1 - (squares off it) / (squares of all distances)."""
    moved = np.square(valley.walks[walk].moved).sum()
    return float(max(0.0, 1 - np.square(view.off[walk]).sum() / moved)) if moved else 1.0


def save(run: Run, valley: Valley) -> None:
    """Write what a walk found into its run's folder."""
    record = {**asdict(valley), "views": [_view_record(view) for view in valley.views]}
    write_json(run.path / FILE, record)


def load(run: Run) -> Valley:
    """What a walk found; NotFound while it has not ended."""
    if not (run.path / FILE).is_file():
        raise NotFound("This walk has found nothing yet.", hint="Wait until it is done, or start it again.")
    record = read_json(run.path / FILE)
    return Valley(
        walks=tuple(_walk(one) for one in record["walks"]),
        views=tuple(_view(one) for one in record["views"]),
        **{name: record[name] for name in ("pictures", "classes", "weights", "length")},
    )


def _walk(record: Mapping[str, Any]) -> Walk:
    return Walk(**{name: tuple(value) if isinstance(value, list) else value for name, value in record.items()})


def _view_record(view: View) -> dict[str, Any]:
    return {
        "name": view.name,
        "xs": _short(view.xs),
        "ys": _short(view.ys),
        "loss": [_short(np.minimum(row, LOSS_MOST)) for row in view.loss],
        "paths": [[_short(point) for point in path] for path in view.paths],
        "off": [_short(off) for off in view.off],
        "best": [None if place is None else list(place) for place in view.best],
        "held": list(view.held),
    }


def _view(record: Mapping[str, Any]) -> View:
    return View(
        name=record["name"],
        xs=np.array(record["xs"]),
        ys=np.array(record["ys"]),
        loss=np.array(record["loss"]),
        paths=tuple(np.array(path).reshape(-1, 2) for path in record["paths"]),
        off=tuple(np.array(off) for off in record["off"]),
        best=tuple(None if place is None else (place[0], place[1]) for place in record["best"]),
        held=(record["held"][0], record["held"][1]),
    )


def _short(values: Sequence[float] | np.ndarray) -> list[float]:
    """Numbers of seven digits: the eighth is noise of float32."""
    return [float(f"{value:.7g}") for value in values]
