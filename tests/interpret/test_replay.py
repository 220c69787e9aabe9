"""A run walked again: the same numbers to the last digit, from the same start to the same end, or a sentence."""

import contextlib
from dataclasses import replace

import pytest
import torch

from core.errors import LabError, TrainError
from core.interpret import replay, valley
from core.interpret.landscape import weights_of
from core.interpret.replay import check_same, ground_of, walk
from core.interpret.walking import checked_times, landmark
from core.jobs.worker import work
from core.settings import Stage, TrainSettings, to_record
from core.train.checkpoint import read_checkpoint, restore_model
from core.train.runs import LAST, create_run, history, load_run
from core.vision.model import build_model
from tests.conftest import make_toy

TINY = TrainSettings(image_size=32, batch_size=8, stages=(Stage(epochs=3),))


def trained(dataset, settings=TINY, **request):
    run = create_run(dataset.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings), **request})
    list(work(run))
    return load_run(run.workspace, run.id)


def finished(steps):
    while True:
        try:
            next(steps)
        except StopIteration as done:
            return done.value


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return make_toy(tmp_path_factory.mktemp("walks"))


@pytest.fixture(scope="module")
def run(home):
    return trained(home)


def walked(run, **request):
    made = create_run(run.workspace, "landscape", {"run": run.id, **request})
    with contextlib.suppress(LabError):  # it is written into the run as well
        list(work(made))
    return load_run(made.workspace, made.id)


def test_a_walk_repeats_the_run_to_the_last_digit(run):
    trail = finished(walk(ground_of(run)))
    assert check_same(trail.told, run) is True
    assert trail.steps == tuple(range(trail.begun.steps + 1)) and len(trail.path) == 13
    columns = ["train_loss", "train_loss_eval", "valid_loss", "wrong", "lr"]
    assert trail.told.epochs[columns].equals(history(run).epochs[columns])


def test_it_goes_from_the_first_head_to_the_one_that_was_saved(run):
    trail = finished(walk(ground_of(run)))
    first = build_model("lite0", trail.model.classes, seed=TINY.seed)
    assert torch.equal(trail.path[0], weights_of(first.head))
    assert torch.equal(trail.path[-1], weights_of(restore_model(read_checkpoint(run.path / LAST)).head))


def test_numbers_that_differ_are_refused_and_last_digits_are_told(run, monkeypatch):
    trail, then = finished(walk(ground_of(run))), history(run)
    bent = [replace(event, loss=event.loss * 1.00001) if event.kind == "batch" else event for event in then.events]
    monkeypatch.setattr(replay, "history", lambda _: replace(then, events=tuple(bent)))
    assert check_same(trail.told, run) is False
    monkeypatch.setattr(
        replay, "history", lambda _: replace(then, events=tuple(e for e in then.events if getattr(e, "epoch", 0) < 2))
    )
    with pytest.raises(TrainError, match="comes out otherwise"):
        check_same(trail.told, run)


def test_a_long_path_is_kept_at_evenly_spread_points(run, monkeypatch):
    monkeypatch.setattr(replay, "KEPT", 5)
    assert finished(walk(ground_of(run))).steps == (0, 3, 6, 9, 12)


def test_a_higher_rate_goes_further(run):
    ground = ground_of(run)
    slow, fast = (finished(walk(ground, rate=rate)) for rate in (3e-4, 3e-2))
    assert torch.equal(slow.path[0], fast.path[0])
    assert (fast.path[-1] - fast.path[0]).norm() > 20 * (slow.path[-1] - slow.path[0]).norm()


def test_a_walk_that_explodes_ends_where_numbers_end(run):
    trail = finished(walk(ground_of(run), rate=1e6))
    assert bool(trail.path.isfinite().all()) and trail.told.last("finished").state == "diverged"


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (Stage(freeze_to=0), "body_learned"),
        (Stage(freeze_to=1), "body_learned"),
        (Stage(augment="photos"), "augmented"),
        (Stage(mixup=0.4), "mixed"),
        (Stage(), None),
    ],
)
def test_only_a_head_that_learned_alone_has_a_surface(home, stage, why):
    settings = replace(TINY, stages=(stage, Stage(freeze_to=0)))
    assert valley.why_not(settings) == why
    if why:
        made = create_run(home.workspace, "train", {"dataset": home.id, "settings": to_record(settings)})
        (made.path / "items.csv").write_text("pinned")
        with pytest.raises(TrainError, match="did not learn alone"):
            ground_of(made)


def test_the_frozen_stage_of_a_run_that_went_on_is_walked(home):
    both = trained(home, replace(TINY, stages=(Stage(epochs=2), Stage(epochs=1, lr=1e-4, freeze_to=1))))
    found = valley.load(walked(both))
    assert (found.walks[0].exact, found.walks[0].epochs) == (True, 2)


def test_a_walk_is_a_run_that_writes_what_it_found(run):
    done = walked(run, times=100.0)
    assert done.state == "done"
    found = valley.load(done)
    own, other = found.walks
    assert (own.run, own.exact, own.of, other.run, other.times) == (run.id, True, 12, "", 100.0)
    assert found.pictures == 27 and found.classes == 3 and other.rate == pytest.approx(100 * own.rate)
    (view,) = found.views
    assert view.name == "beside" and view.loss.shape == (41, 41) and view.loss.min() > 0
    # the plane holds the start and the end of the first walk, so the map says there what the head says
    assert view.off[0][[0, -1]] == pytest.approx([0, 0], abs=1e-3) and view.off[0][0] == 0
    assert own.losses[0] == other.losses[0] and own.losses[-1] < own.losses[0]


def test_alone_a_walk_has_its_main_directions_and_the_best_epoch_where_it_is_not_the_last(run):
    found = valley.load(walked(run))
    assert len(found.walks) == 1
    main = found.view("main")
    assert sum(main.held) <= 1 and main.held[0] > 0.5
    names = [view.name for view in found.views]
    assert names == (["main"] if found.walks[0].best_loss is None else ["points", "main"])


def test_two_runs_from_the_same_start_share_a_surface(home, run):
    other = trained(home, replace(TINY, stages=(Stage(epochs=3, lr=3e-2),)))
    stranger = trained(home, replace(TINY, seed=7))
    assert valley.same_start(run, other) and not valley.same_start(run, stranger)
    found = valley.load(walked(run, against=other.id))
    assert found.walks[1].run == other.id and found.walks[1].exact and found.walks[1].times == pytest.approx(10)
    refused = walked(run, against=stranger.id)
    assert refused.state == "failed" and "do not begin with the same head" in refused.record["message"]


@pytest.mark.parametrize("times", [-1, 1e9, "many"])
def test_a_multiple_that_cannot_be_is_refused_in_words(run, times):
    refused = walked(run, times=times)
    assert refused.state == "failed" and "times as high" in refused.record["message"]
    with pytest.raises(TrainError, match="nan times as high"):
        checked_times(float("nan"))


def test_a_walk_that_is_stopped_writes_nothing(run):
    made = create_run(run.workspace, "landscape", {"run": run.id})
    list(work(made, lambda: True))
    assert load_run(made.workspace, made.id).state == "stopped" and not (made.path / valley.FILE).exists()


def test_a_window_is_laid_through_the_last_point_that_is_near():
    path = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    other = torch.tensor([[0.0, 0.0], [1.0, 1.0], [0.0, 2.9], [0.0, 9.0]])
    assert landmark(path, other).tolist() == pytest.approx([0.0, 2.9])
    assert landmark(path, other[[0, 3]]).tolist() == [0.0, 9.0]
