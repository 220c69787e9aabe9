"""The loss surface of a head: the points it went through in; a plane through them, its path and the loss on it out.

A head is one long vector of weights here: those of its two batch norms (gain and shift) and of its two linear layers,
in the order of `Head.parameters()`. What a batch norm counts, means and variances, is no weight: it follows from the
weights and the pictures, so it is counted anew at every point of the surface (`counting` says it with the model's own
layers). The loss is then a function of the weights alone, and two runs can share one surface. Planes through three
points of weight space with the statistics counted anew: Izmailov et al., arXiv:1803.05407; main directions of a path:
Li et al., arXiv:1712.09913.
"""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from core.vision.model import Head

POINTS = 41
LOSS_FLOOR = 1e-6  # nats: a surface is drawn by the logarithm of its loss
_TINY = 1e-6  # of the longest direction: shorter ones are noise of the last digits
_SEED = 0

Spans = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True)
class Plane:
    """A window into weight space: `origin` (P,) is its point (0, 0), `axes` (2, P) are orthonormal.

    `held` (2,): the share of all movement, 0..1, that lies along each axis, where the plane was made from a path.
    """

    origin: torch.Tensor
    axes: torch.Tensor
    held: tuple[float, float] = (0.0, 0.0)


def weights_of(head: nn.Module) -> torch.Tensor:
    """All weights of a head as one vector (P,), float32 on the CPU: a copy."""
    return parameters_to_vector(head.parameters()).detach().float().cpu().clone()


def directions(path: torch.Tensor) -> Plane:
    """The plane of the two main directions of a path (n, P), n >= 2, through its last point.

    The directions are those of the largest sums of squares of `path - path[-1]`, by the Gram matrix (n, n): the
    vectors have a million numbers and there are few of them. The path ends at (0, 0); it begins left of it, and below.
    """
    steps = path - path[-1]
    gram = (steps @ steps.T).double()
    values, vectors = torch.linalg.eigh(gram)
    values = values.clamp_min(0)
    axes = [(vectors[:, -1 - place].float() @ steps) for place in range(2)]
    total = float(values.sum()) or 1.0
    held = (float(values[-1]) / total, float(values[-2]) / total)
    first, second = _orthonormal(*axes)
    begins = steps[0]
    first, second = (axis if float(begins @ axis) <= 0 else -axis for axis in (first, second))
    return Plane(path[-1], torch.stack([first, second]), held)


def through(a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> Plane:
    """The plane through three points (P,) of weight space: a is (0, 0), b lies to its right, c above that line."""
    return Plane(a, torch.stack(_orthonormal(b - a, c - a)))


def _orthonormal(first: torch.Tensor, second: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two vectors made orthonormal; where they give no two directions, a random one from a fixed seed steps in."""
    chance = torch.Generator().manual_seed(_SEED)
    size = max(float(first.norm()), float(second.norm()))
    made: list[torch.Tensor] = []
    for wanted in (first, second):
        rest = _without(wanted, made)
        while float(rest.norm()) <= _TINY * size:
            rest = _without(torch.randn(len(wanted), generator=chance), made)
            size = 0.0
        made.append(rest / rest.norm())
    return made[0], made[1]


def _without(vector: torch.Tensor, axes: Sequence[torch.Tensor]) -> torch.Tensor:
    """What is left of a vector without its part along some axes; taken twice, since floats leave a rest."""
    for axis in (*axes, *axes):
        vector = vector - (vector @ axis) * axis
    return vector


def project(path: torch.Tensor, plane: Plane) -> np.ndarray:
    """Where the points of a path (n, P) lie on a plane (n, 2), seen from right above it."""
    found: np.ndarray = ((path - plane.origin) @ plane.axes.T).numpy()
    return found


def distances(path: torch.Tensor, plane: Plane) -> np.ndarray:
    """How far each point of a path (n, P) lies off a plane (n,)."""
    steps = path - plane.origin
    found: np.ndarray = (steps - steps @ plane.axes.T @ plane.axes).norm(dim=1).numpy()
    return found


def at(plane: Plane, x: float, y: float) -> torch.Tensor:
    """The weights (P,) at a point of a plane."""
    return plane.origin + x * plane.axes[0] + y * plane.axes[1]


def ticks(span: tuple[float, float], points: int = POINTS) -> np.ndarray:
    """Where the columns or rows of a surface lie (points,)."""
    return np.linspace(*span, points)


@torch.inference_mode()
def surface(
    head: Head, features: torch.Tensor, labels: torch.Tensor, plane: Plane, spans: Spans, points: int = POINTS
) -> np.ndarray:
    """The mean cross-entropy (nats) of a head in evaluation mode on a grid (points, points): rows y, columns x.

    `features` (N, D) float32 and `labels` (N,) int64 are those of the pictures it is measured on; `head` gives the
    shapes and the small constants, its weights do not matter. At every point the means and variances of the batch norms
    are those of these pictures. N = 200 and 41 points take about a third of a second, since the first half of the head
    is a polynomial of x and y, whose six terms (512, N) are computed once. A loss that is no number becomes infinite.
    """
    parts = [_parts(head, vector) for vector in (plane.origin, *plane.axes)]
    terms = _hidden_terms(_normalised(features.float().cpu(), head[0].eps), parts)
    xs, ys = (ticks(span, points).tolist() for span in spans)
    found = np.empty((points, points))
    with _one_thread():
        for row, y in enumerate(ys):
            along = _along(terms, y)
            scores = torch.stack([_scores(_hidden(along, x), _mixed(parts, x, y), head[4].eps) for x in xs])
            losses = F.cross_entropy(scores, labels.cpu().expand(points, -1), reduction="none")
            found[row] = losses.double().mean(1).numpy()
    return np.where(np.isnan(found), np.inf, found)


@torch.no_grad()
def loss_at(head: Head, features: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> float:
    """The loss of a head with these weights (P,), on or off any plane, as `surface` measures it: by its own layers."""
    with _one_thread():
        loss = float(F.cross_entropy(counting(head, weights)(features.float().cpu()), labels.cpu()))
    return loss if math.isfinite(loss) else math.inf


def counting(head: Head, weights: torch.Tensor) -> Head:
    """A copy of a head with these weights (P,) in evaluation mode, its batch norms going by whatever they are given."""
    made = copy.deepcopy(head).cpu().float().requires_grad_(False)
    vector_to_parameters(weights, made.parameters())
    for layer in made:
        if isinstance(layer, nn.BatchNorm1d):
            layer.track_running_stats, layer.running_mean, layer.running_var = False, None, None
    return made.eval()


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """Thousands of sums over small tables: beside other work, two threads wait for one another ten times as long."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _parts(head: Head, vector: torch.Tensor) -> list[torch.Tensor]:
    """A vector (P,) cut into the shapes of a head: gain, shift, weights, gain, shift, weights."""
    shapes = [parameter.shape for parameter in head.parameters()]
    cut = vector.float().split([shape.numel() for shape in shapes])
    return [part.view(shape) for part, shape in zip(cut, shapes, strict=True)]


def _mixed(parts: list[list[torch.Tensor]], x: float, y: float) -> list[torch.Tensor]:
    """Gain, shift and weights of the second half at a point."""
    return [a + x * b + y * c for a, b, c in zip(*(part[3:] for part in parts), strict=True)]


def _normalised(features: torch.Tensor, eps: float) -> torch.Tensor:
    variance, mean = torch.var_mean(features, 0, correction=0)
    return (features - mean) / (variance + eps).sqrt()


def _hidden_terms(features: torch.Tensor, parts: list[list[torch.Tensor]]) -> list[torch.Tensor]:
    """What stands before 1, x, y, x², xy and y² in the first layer's sums (512, N)."""
    inputs = [gain * features + shift for gain, shift, *_ in parts]
    products = [[part[2] @ one.T for part in parts] for one in inputs]
    (p00, p01, p02), (p10, p11, p12), (p20, p21, p22) = products
    return [p00, p01 + p10, p02 + p20, p11, p12 + p21, p22]


def _along(terms: list[torch.Tensor], y: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What stands before 1, x and x² in one row of the surface."""
    one, of_x, of_y, of_xx, of_xy, of_yy = terms
    return one + y * of_y + y * y * of_yy, of_x + y * of_xy, of_xx


def _hidden(along: tuple[torch.Tensor, torch.Tensor, torch.Tensor], x: float) -> torch.Tensor:
    """The first layer's output (512, N), after its ReLU, at a point of a row."""
    one, of_x, of_xx = along
    return torch.add(one, of_x, alpha=x).add_(of_xx, alpha=x * x).relu_()


def _scores(hidden: torch.Tensor, last: list[torch.Tensor], eps: float) -> torch.Tensor:
    """Scores (classes, N); the second batch norm is folded into the weights behind it.

    Mean and variance by product and norm: `torch.var_mean` takes sixty times as long on such small tables.
    """
    gain, shift, weights = last
    count = hidden.shape[1]
    hidden -= hidden @ hidden.new_full((count, 1), 1 / count)
    variance = torch.linalg.vector_norm(hidden, dim=1).square() / count
    return weights * (gain / (variance + eps).sqrt()) @ hidden + (weights @ shift)[:, None]
