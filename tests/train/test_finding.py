"""The finder as a run: the same curve as the range test, points as they come, and what a stop leaves."""

import pytest

from core.errors import LabError
from core.jobs import worker
from core.jobs.queue import LANES
from core.settings import Stage, TrainSettings, to_record
from core.train import runs
from core.train.events import Progress, RatePoint
from core.train.finding import plan_for
from core.train.lr_finder import range_test, range_test_events
from core.train.steps import begin
from tests.conftest import make_toy

SMALL = TrainSettings(image_size=32, batch_size=16)


def settings_for(freeze_to):
    return TrainSettings(image_size=32, batch_size=16, stages=(Stage(freeze_to=freeze_to),))


def request(dataset, *, freeze_to=-1, **asked):
    """A request with everything left open that `asked` does not say."""
    left_open = {"start": None, "first": None, "last": None, "steps": None, "batch_size": None}
    return {"dataset": dataset.id, "settings": to_record(settings_for(freeze_to)), **left_open, **asked}


def finder_run(dataset, **options):
    return runs.create_run(dataset.workspace, "lr_find", request(dataset, **options))


@pytest.fixture
def own(tmp_path):
    return make_toy(tmp_path)


def test_the_stream_says_what_the_range_test_returns(toy):
    learner = begin(toy, SMALL)
    stream = range_test_events(toy, SMALL, learner, stage=Stage(), steps=12)
    events = []
    while True:
        try:
            events.append(next(stream))
        except StopIteration as over:
            found = over.value
            break
    points = [event for event in events if isinstance(event, RatePoint)]
    assert found == range_test(toy, SMALL, learner, steps=12)
    assert tuple(point.lr for point in points) == found.lrs
    assert tuple(point.loss for point in points) == found.losses
    assert tuple(point.loss_smooth for point in points) == found.losses_smooth
    assert all(isinstance(event, (Progress, RatePoint)) for event in events)


def test_a_run_writes_down_the_curve_of_its_data_set(own):
    run = finder_run(own, steps=12, first=1e-5, last=1.0)
    list(worker.work(run))
    history = runs.history(run)
    found = range_test(own, SMALL, begin(own, SMALL), start=1e-5, end=1.0, steps=12)
    assert [point.loss for point in history.all("point")] == list(found.losses)
    assert (history.last("curve").steps, history.last("curve").stopped) == (12, found.stopped)
    assert history.last("stage").lr == (1e-5, 1.0) and history.last("stage").frozen
    assert runs.load_run(own.workspace, run.id).state == "done"


def test_a_finder_that_is_stopped_keeps_its_points(own):
    run = finder_run(own, steps=12)
    for event in worker.work(run):
        if event.kind == "point" and event.step == 4:
            runs.request_stop(run)
    history = runs.history(run)
    assert len(history.all("point")) == 5
    assert history.last("curve").stopped == "It was stopped."
    assert runs.load_run(own.workspace, run.id).state == "stopped"


def test_a_finder_goes_on_from_a_checkpoint_of_a_run(own):
    other = runs.create_run(own.workspace, "train", {"dataset": own.id, "settings": to_record(settings_for(-1))})
    list(worker.work(other))
    curves = []
    for start in (None, {"run": other.id, "file": "last.safetensors"}):
        run = finder_run(own, steps=5, start=start)
        list(worker.work(run))
        curves.append([point.loss for point in runs.history(run).all("point")])
    assert curves[0] != curves[1] and curves[1][0] < curves[0][0]


@pytest.mark.parametrize("file", ["../../run.json", "items.csv", "last.safetensors"])
def test_a_start_that_is_no_checkpoint_gives_a_sentence(own, file):
    other = runs.create_run(own.workspace, "train", {"dataset": own.id})
    run = finder_run(own, start={"run": other.id, "file": file})
    with pytest.raises(LabError, match="no checkpoint|no last.safetensors"):
        list(worker.work(run))
    assert runs.load_run(own.workspace, run.id).record["message"]


def test_a_whole_network_on_a_cpu_gets_fewer_steps_of_fewer_pictures(own):
    whole = finder_run(own, freeze_to=0)
    plan = plan_for(whole, TrainSettings(stages=(Stage(freeze_to=0),)), "cpu")
    assert (plan.steps, plan.stage.batch_size, plan.first, plan.last) == (50, 16, 1e-7, 10.0)
    assert plan_for(whole, TrainSettings(stages=(Stage(freeze_to=0),)), "cuda").steps == 100
    assert plan_for(whole, TrainSettings(), "cpu").stage.batch_size == 64


def test_what_is_asked_for_counts(own):
    run = finder_run(own, freeze_to=0, steps=7, batch_size=8, first=1e-4, last=0.1)
    plan = plan_for(run, settings_for(0), "cpu")
    assert (plan.steps, plan.stage.batch_size, plan.first, plan.last) == (7, 8, 1e-4, 0.1)


def test_a_finder_waits_for_the_same_worker_as_a_training():
    assert LANES["lr_find"] == LANES["train"]
