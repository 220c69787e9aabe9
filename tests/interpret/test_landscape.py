"""The loss surface: known heads have known surfaces, a plane holds its points, and a grid says what the model says."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import vector_to_parameters

from core.interpret.landscape import (
    at,
    directions,
    distances,
    loss_at,
    project,
    surface,
    through,
    ticks,
    weights_of,
)
from core.vision.model import Head

FEATURES, CLASSES, PICTURES = 6, 3, 40


@pytest.fixture(scope="module")
def pictures():
    drawn = torch.Generator().manual_seed(1)
    return torch.rand(PICTURES, 2 * FEATURES, generator=drawn), torch.randint(0, CLASSES, (PICTURES,), generator=drawn)


@pytest.fixture(scope="module")
def head():
    with torch.random.fork_rng():
        torch.manual_seed(2)
        return Head(FEATURES, CLASSES, dropout=0.5)


def nearby(head, seed, size=0.05):
    weights = weights_of(head)
    return weights + size * torch.randn(len(weights), generator=torch.Generator().manual_seed(seed))


def by_the_model(head, features, labels, weights):
    """The loss that the layers themselves give: batch norm in training mode goes by the batch, without dropout."""
    made = Head(FEATURES, CLASSES, dropout=0.0)
    vector_to_parameters(weights, made.parameters())
    with torch.no_grad():
        return float(F.cross_entropy(made.train()(features), labels))


def test_the_grid_says_what_the_model_says(head, pictures):
    plane = through(weights_of(head), nearby(head, 3), nearby(head, 4))
    spans = ((-3.0, 5.0), (-2.0, 4.0))
    found = surface(head, *pictures, plane, spans, points=9)
    for row, column in ((0, 0), (2, 7), (4, 4), (8, 0), (8, 8)):
        x, y = ticks(spans[0], 9)[column], ticks(spans[1], 9)[row]
        assert found[row, column] == pytest.approx(by_the_model(head, *pictures, at(plane, x, y)), abs=1e-5)
        assert found[row, column] == pytest.approx(loss_at(head, *pictures, at(plane, x, y)), abs=1e-5)


def test_a_head_with_one_weight_has_the_surface_that_the_formula_gives(pictures):
    """Two classes, one weight x from one hidden unit to the first: the loss is mean ln(1 + exp(-+x h))."""
    features, labels = pictures[0], pictures[1] % 2
    head = Head(FEATURES, 2, dropout=0.5)
    with torch.no_grad():
        for layer in head:
            if isinstance(layer, nn.Linear):
                layer.weight.zero_()
        head[2].weight[0, 0] = 1.0  # the first unit looks at the first activation alone
    axes = torch.zeros(2, len(weights_of(head)))
    axes[0, -2 * 512] = 1.0  # the last layer's weight from that unit to the first class
    axes[1, -1] = 1.0  # from a unit that is always zero: it changes nothing
    plane = through(weights_of(head), weights_of(head) + axes[0], weights_of(head) + axes[1])
    found = surface(head, features, labels, plane, ((-2.0, 2.0), (-1.0, 1.0)), points=5)
    first = features[:, 0].double().numpy()
    hidden = np.maximum((first - first.mean()) / np.sqrt(first.var() + 1e-5), 0)
    hidden = (hidden - hidden.mean()) / np.sqrt(hidden.var() + 1e-5)
    signs = np.where(labels.numpy() == 0, 1, -1)
    for column, x in enumerate((-2.0, -1.0, 0.0, 1.0, 2.0)):
        expected = np.log1p(np.exp(-signs * x * hidden)).mean()
        assert found[:, column] == pytest.approx([expected] * 5, abs=1e-5)
    assert found[0, 2] == pytest.approx(math.log(2), abs=1e-6)


def test_longer_weights_before_a_batch_norm_change_nothing(head, pictures):
    start = weights_of(head)
    longer = start.clone()
    first = 4 * FEATURES  # behind gain and shift of the first batch norm
    longer[first : first + 512 * 2 * FEATURES] *= 3
    along = surface(head, *pictures, through(start, longer, nearby(head, 5)), ((0.0, 40.0), (0.0, 1.0)), points=5)
    assert along[0] == pytest.approx([along[0, 0]] * 5, abs=2e-3)


vectors = st.integers(0, 10_000).map(lambda seed: torch.randn(50, generator=torch.Generator().manual_seed(seed)))


@settings(deadline=None, max_examples=40)
@given(a=vectors, b=vectors, c=vectors, same=st.booleans())
def test_a_plane_through_three_points_contains_them(a, b, c, same):
    points = torch.stack([a, b, a + 2.5 * (b - a) if same else c])  # also three in a line, and one twice
    plane = through(*points)
    assert plane.axes @ plane.axes.T == pytest.approx(torch.eye(2), abs=1e-5)
    assert distances(points, plane) == pytest.approx(np.zeros(3), abs=1e-4)
    places = project(points, plane)
    assert places[0] == pytest.approx([0, 0], abs=1e-5) and places[1] == pytest.approx(
        [float((b - a).norm()), 0], abs=1e-4
    )
    assert places[2, 1] >= -1e-4
    for point, (x, y) in zip(points, places, strict=True):
        assert at(plane, x, y) == pytest.approx(point, abs=1e-4)


def test_main_directions_hold_a_path_that_lies_in_a_plane(head, pictures):
    """So the loss of the plane, where the path lies, is that of its points."""
    start = weights_of(head)
    right, up = nearby(head, 6) - start, nearby(head, 7) - start
    way = torch.stack([start + t * right + t * t * up for t in (0.0, 0.5, 1.0, 1.5)])
    plane = directions(way)
    assert sum(plane.held) == pytest.approx(1, abs=1e-5) and plane.held[0] > plane.held[1] > 0
    assert distances(way, plane) == pytest.approx(np.zeros(4), abs=1e-4)
    places = project(way, plane)
    assert places[-1] == pytest.approx([0, 0], abs=1e-5) and (places[0] <= 0).all()
    for point, (x, y) in zip(way, places, strict=True):
        grid = surface(head, *pictures, plane, ((x - 1, x + 1), (y - 1, y + 1)), points=3)
        assert grid[1, 1] == pytest.approx(loss_at(head, *pictures, point), abs=1e-5)


def test_a_straight_path_has_one_direction_and_gets_another_to_look_along():
    start, step = torch.zeros(50), torch.ones(50)
    path = torch.stack([start + t * step for t in (0.0, 1.0, 3.0)])
    plane, again = directions(path), directions(path)
    assert plane.held[0] == pytest.approx(1) and plane.held[1] == pytest.approx(0, abs=1e-6)
    assert plane.axes @ plane.axes.T == pytest.approx(torch.eye(2), abs=1e-5)
    assert torch.equal(plane.axes, again.axes)


def test_the_head_and_the_number_of_threads_stay_as_they_were(head, pictures):
    before, threads, state = weights_of(head), torch.get_num_threads(), torch.get_rng_state()
    plane = through(before, nearby(head, 8), nearby(head, 9))
    surface(head, *pictures, plane, ((-1.0, 1.0), (-1.0, 1.0)), points=3)
    loss_at(head, *pictures, nearby(head, 8))
    assert torch.equal(weights_of(head), before) and torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state) and head[0].running_mean is not None


def test_what_is_no_number_is_infinitely_high(head, pictures):
    ruined = weights_of(head)
    ruined[-1] = math.nan
    assert loss_at(head, *pictures, ruined) == math.inf
    plane = through(ruined, nearby(head, 3), nearby(head, 4))
    assert np.isinf(surface(head, *pictures, plane, ((-1.0, 1.0), (-1.0, 1.0)), points=3)).all()
