"""A walk over the loss surface of a head as a run: a training run's id in; the surface, and the path on it, out.

Beside it goes a second training from the same start: another run, or the same head at a multiple of its rate.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import torch

from core.data.events import Progress, Reported
from core.errors import TrainError
from core.interpret import landscape, valley
from core.interpret.activations import body_activations
from core.interpret.landscape import Plane
from core.interpret.replay import Ground, Trail, check_same, ground_of, walk
from core.interpret.valley import LOSS_MOST, REACH, Valley, View, Walk
from core.train.events import Event, Finished
from core.train.measuring import EVAL_ITEMS
from core.train.runs import Run, Stop, load_run
from core.train.sampling import share_of
from core.train.source import Stopped
from core.vision.device import pick_device
from core.vision.model import Head

TIMES_MOST = 1000.0


@dataclass(frozen=True)
class _Walked:
    """A trail, whose it is ("" for one that was tried here) and at how many times the first one's rate.

    `exact`: it gave the numbers of its run to the last digit.
    """

    run: str
    times: float
    trail: Trail
    exact: bool


class Slope:
    """The loss as a function of a head's weights: those of some pictures, with these activations and labels."""

    def __init__(self, head: Head, features: torch.Tensor, labels: torch.Tensor) -> None:
        self.head, self.features, self.labels = head, features, labels

    def at(self, weights: torch.Tensor) -> float:
        """The loss (nats) at a point (P,), at most LOSS_MOST."""
        return min(landscape.loss_at(self.head, self.features, self.labels, weights), LOSS_MOST)

    def view(self, name: str, plane: Plane, trails: Sequence[Trail]) -> View:
        """A window around the first path and what lies near of the second one."""
        paths = [landscape.project(trail.path, plane) for trail in trails]
        spans = valley.frame_of(*paths)
        return View(
            name=name,
            xs=landscape.ticks(spans[0]),
            ys=landscape.ticks(spans[1]),
            loss=landscape.surface(self.head, self.features, self.labels, plane, spans),
            paths=tuple(paths),
            off=tuple(landscape.distances(trail.path, plane) for trail in trails),
            best=tuple(_place(trail.best, plane) for trail in trails),
            held=plane.held,
        )


def perform(run: Run, stop: Stop) -> Iterator[Event]:
    """Walk the head of the request's "run" again; beside it another run, "against", or the same at "times" its rate.

    Writes landscape.json; a walk that is stopped writes nothing. TrainError when the run has no such stage, or when its
    numbers do not come out as they did.
    """
    try:
        yield from _perform(run, stop)
    except Stopped:
        return


def _perform(run: Run, stop: Stop) -> Iterator[Event]:
    request, workspace = run.request, run.workspace
    times = checked_times(request["times"]) if request.get("times") else 1.0
    ground = ground_of(load_run(workspace, request["run"]))
    trail = yield from walk(ground, stop=stop)
    walked = [_Walked(ground.run.id, 1.0, trail, check_same(trail.told, ground.run))]
    rate = trail.begun.lr[-1]
    if request.get("against"):
        other = ground_of(load_run(workspace, request["against"]))
        beside = yield from walk(other, stop=stop)
        times = beside.begun.lr[-1] / rate
        walked.append(_Walked(other.run.id, times, beside, check_same(beside.told, other.run)))
    elif request.get("times"):
        beside = yield from walk(ground, rate=times * rate, stop=stop)
        walked.append(_Walked("", times, beside, True))
    trails = [one.trail for one in walked]
    _check_start(trails)
    slope = yield from _slope(ground, trail, stop)
    found = Valley(
        walks=tuple(_walk(slope, one) for one in walked),
        views=tuple(_views(slope, trails)),
        pictures=len(slope.labels),
        classes=len(trail.model.classes),
        weights=len(trail.path[0]),
        length=float(trail.path[0].norm()),
    )
    valley.save(run, found)
    yield Reported(0, valley.KIND, {"steps": trail.begun.steps, "pictures": found.pictures}, ())


def checked_times(times: object) -> float:
    """By how much a rate is multiplied; TrainError for anything but a number above 0 and up to TIMES_MOST."""
    if not isinstance(times, int | float) or not 0 < times <= TIMES_MOST:
        raise TrainError(
            f"The rate was to be {str(times)[:20]} times as high; it can be up to {TIMES_MOST:g} times.",
            hint="Try 100.",
        )
    return float(times)


def _check_start(trails: Sequence[Trail]) -> None:
    if len(trails) > 1 and not torch.equal(trails[0].path[0], trails[1].path[0]):
        raise TrainError("These two runs do not begin with the same head.", hint="Choose one with the same seed.")


def _slope(ground: Ground, trail: Trail, stop: Stop) -> Generator[Progress, None, Slope]:
    """The loss on some training pictures: those on which an epoch's loss in evaluation mode is measured as well."""
    settings, model = ground.settings, trail.model
    stage = settings.resolved[0]
    rows = share_of(ground.items, settings.train_share, settings.seed)
    rows = rows[rows["split"] == "train"]
    some = torch.linspace(0, len(rows) - 1, min(EVAL_ITEMS, len(rows))).long().tolist()
    items = rows.iloc[some]
    features = yield from body_activations(
        model, ground.dataset, items, size=stage.image_size or settings.image_size,
        device=pick_device(settings.device, stage.precision or "auto"), pristine=ground.pristine, stop=stop,
    )  # fmt: skip
    labels = torch.tensor([model.classes.index(label) for label in items["label"]])
    return Slope(model.head, features.cpu(), labels)


def _views(slope: Slope, trails: Sequence[Trail]) -> Iterator[View]:
    """The windows there are: beside the second walk; through start, best and end; the two main directions."""
    path, best = trails[0].path, trails[0].best
    if len(trails) > 1:
        yield slope.view("beside", landscape.through(path[0], path[-1], landmark(path, trails[1].path)), trails)
        return
    if best is not None:
        yield slope.view("points", landscape.through(path[0], path[-1], best), trails)
    yield slope.view("main", landscape.directions(path), trails)


def landmark(path: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """The point (P,) of another path that a window is laid through: its last one within REACH times the way of `path`.

    Or the first step, where that went further already.
    """
    way = (path - path[0]).norm(dim=1).max()
    near = ((other - path[0]).norm(dim=1) <= REACH * way).nonzero()[:, 0]
    return other[max(1, int(near[-1]))]


def _walk(slope: Slope, walked: _Walked) -> Walk:
    trail = walked.trail
    path, last = trail.path, trail.told.last(Finished.kind)
    return Walk(
        run=walked.run,
        times=walked.times,
        rate=trail.begun.lr[-1],
        steps=trail.steps,
        of=trail.begun.steps,
        losses=tuple(slope.at(weights) for weights in path),
        moved=tuple((path - path[0]).norm(dim=1).tolist()),
        epochs=len(trail.told.epochs),
        exact=walked.exact,
        ended_by=last.state if isinstance(last, Finished) else "done",
        best_loss=None if trail.best is None else slope.at(trail.best),
    )


def _place(best: torch.Tensor | None, plane: Plane) -> tuple[float, float] | None:
    """Where a head (P,) lies on a plane."""
    if best is None:
        return None
    x, y = landscape.project(best[None], plane)[0].tolist()
    return x, y
