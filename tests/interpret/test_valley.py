"""What a walk found, as records: windows, how flat it is around the end, and the same from plain values."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import NotFound
from core.interpret import valley
from core.interpret.valley import REACH, Valley, View, Walk, calm_radius, frame_of, held, left_at
from core.train.runs import create_run
from core.workspace import Workspace

ROOT = Path(__file__).parents[2]


def walk(losses=(1.0, 0.5, 0.6, 0.1), **more):
    steps = tuple(range(len(losses)))
    moved = tuple(float(step) for step in steps)
    made = {"run": "r", "times": 1.0, "rate": 3e-3, "steps": steps, "of": steps[-1], "losses": losses, "moved": moved,
            "epochs": 2, "exact": True, "ended_by": "done"}  # fmt: skip
    return Walk(**{**made, **more})


def bowl(paths=(((0, 0), (1, 0), (2, 0), (3, 0)),), **more):
    """A round bowl around (3, 0): the loss is the square of the distance."""
    xs, ys = np.linspace(-2, 8, 41), np.linspace(-4, 4, 41)
    loss = (xs[None, :] - 3) ** 2 + ys[:, None] ** 2
    paths = tuple(np.array(path, dtype=float) for path in paths)
    off = tuple(np.zeros(len(path)) for path in paths)
    return View(**{"name": "beside", "xs": xs, "ys": ys, "loss": loss, "paths": paths, "off": off,
                   "best": (None,) * len(paths), **more})  # fmt: skip


def test_climbs_are_counted():
    assert walk().climbs == 1 and walk((3.0, 2.0)).climbs == 0 and walk((1.0, 2.0, 3.0)).climbs == 2
    assert walk().whole and not walk((1.0, 0.5), steps=(0, 7)).whole


def test_around_the_middle_of_a_round_bowl_it_is_calm_as_far_as_its_root():
    assert calm_radius(bowl(), (3.0, 0.0), rise=1.0) == pytest.approx(1.0, abs=0.3)
    assert calm_radius(bowl(), (3.0, 0.0), rise=1e3) is None


def test_a_walk_leaves_a_window_once():
    assert left_at(bowl(), 0) is None
    assert left_at(bowl([[(0, 0), (1, 9), (2, 0)]]), 0) == 1


def test_a_window_shows_what_does_not_lie_off_it():
    found = Valley((walk(),), (bowl(off=(np.array([0.0, 1.0, 2.0, 3.0]),)),), 9, 3, 100, 10.0)
    assert held(found.views[0], found) == 0.0
    assert held(bowl(off=(np.array([0.0, 0.0, 0.0, 1.0]),)), found) == pytest.approx(1 - 1 / 14)


points = st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=2, max_size=8)


@given(first=points, second=points)
def test_a_frame_holds_the_first_path_and_the_near_part_of_the_second(first, second):
    one, two = (np.array(path, dtype=float) for path in (first, second))
    (left, right), (low, high) = frame_of(one, two)
    assert left < right and low < high
    reach = REACH * np.linalg.norm(one - one[0], axis=1).max()
    near = two[np.linalg.norm(two - one[0], axis=1) <= reach]
    for x, y in [*one, *near]:
        assert left - 1e-9 <= x <= right + 1e-9 and low - 1e-9 <= y <= high + 1e-9


def test_a_path_along_a_line_has_hills_beside_it():
    (left, right), (low, high) = frame_of(np.array([[0.0, 0.0], [10.0, 0.0]]))
    assert (right - left, high - low) == (pytest.approx(16.0), pytest.approx(8.8))


def test_what_was_found_comes_back_from_disk(tmp_path):
    run = create_run(Workspace(tmp_path), "landscape", {"run": "r"})
    with pytest.raises(NotFound, match="found nothing yet"):
        valley.load(run)
    loss = np.full((41, 41), np.inf)
    both = bowl([[(0, 0), (3, 0)], [(0, 0), (99, 9)]], best=((1.5, 0.25), None), held=(0.75, 0.125), loss=loss)
    found = Valley((walk((1.0, 0.1)), walk((1.0, 4.0), run="", times=100.0)), (both,), 27, 3, 1_318_400, 64.0)
    valley.save(run, found)
    again = valley.load(run)
    assert again.walks == found.walks and (again.pictures, again.weights, again.length) == (27, 1_318_400, 64.0)
    (view,) = again.views
    assert (view.loss == valley.LOSS_MOST).all() and view.best == ((1.5, 0.25), None) and view.held == (0.75, 0.125)
    assert view.paths[1].tolist() == [[0, 0], [99, 9]] and again.view("no such").name == "beside"


def test_a_valley_is_read_without_torch():
    code = "import sys, core.interpret.valley; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120).returncode == 0
