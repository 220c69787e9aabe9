"""The finder's page: its example, a test that goes on, one that is over, broken curves, and the way to Train."""

import math

import numpy as np
import pytest

from core.settings import Stage, TrainSettings, to_record
from core.train import runs
from core.train.events import CurveDone, RatePoint, StageStarted
from core.train.lr_finder import lr_ladder, smooth
from tests.conftest import make_toy
from tests.ui.support import labels, markup, open_page, training_run, words

LADDER = lr_ladder()
DESCENT = list(2 - 1.5 / (1 + (1e-3 / LADDER)) ** 2)[:90] + [3.0, 9.0, 40.0]
BROKEN = {
    "short": [1.0, 0.9, 0.8],
    "one point": [1.0],
    "nan": [math.nan],
    "flat": [1.0] * 100,
    "exploding": [1.0, 1.0, 1e9, math.inf],
    "flat then nan": [1.0] * 60 + [math.nan],
}


def test_of(dataset, losses=DESCENT, *, state="done", freeze_to=-1, start=None, code=None):
    """A range test on disk that has got as far as `state`."""
    settings = TrainSettings(stages=(Stage(freeze_to=freeze_to),))
    request = {"dataset": dataset.id, "settings": to_record(settings), "start": start}
    run = runs.create_run(
        dataset.workspace, "lr_find", {**request, "first": None, "last": None, "steps": None, "batch_size": None}
    )
    if state == "queued":
        return run
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    runs.append_event(run, StageStarted(0, 0, 1, 100, freeze_to < 0, freeze_to < 0, (1e-7, 10.0), "finder", 1000))
    with np.errstate(all="ignore"):
        for step, (lr, loss, mean) in enumerate(zip(LADDER, losses, smooth(losses), strict=False)):
            runs.append_event(run, RatePoint(1 + step, step, float(lr), float(loss), float(mean)))
    if state == "running":
        return run
    runs.append_event(run, CurveDone(1 + len(losses), 100, None))
    return runs.set_state(run, state, code=code, message="It broke." if code else None)


test_of.__test__ = False


@pytest.fixture
def toy_here(lab):
    return make_toy(lab.home)


def healthy(app):
    return not app.exception and not app.error


def taken(app, name):
    """A value of the address that the app stands at."""
    value = app.query_params[name]
    return value[0] if isinstance(value, list) else value


def test_without_a_test_an_example_is_shown_and_called_one(toy_here):
    app = open_page("lr_finder")
    assert healthy(app) and "An example" in words(app) and len(app.get("echarts_chart")) == 1
    assert "Find a rate" in labels(app)


def test_the_button_hands_a_test_to_the_engine_and_its_address_finds_it(lab, toy_here):
    app = open_page("lr_finder")
    app.button(key="finder.start").click().run()
    [run] = runs.list_runs(lab.workspace, "lr_find")
    assert taken(app, "finder") == run.id
    assert run.request["dataset"] == toy_here.id
    assert [run.request[name] for name in ("start", "steps", "batch_size")] == [None] * 3
    assert run.request["settings"]["stages"][0]["freeze_to"] == -1 and "Stop" in labels(app)


def test_all_layers_are_asked_for_and_what_they_cost_is_said(lab, toy_here):
    app = open_page("lr_finder")
    app.segmented_control(key="finder.layers.frozen").set_value("unfrozen").run()
    assert healthy(app) and "slow" in words(app)
    app.button(key="finder.start").click().run()
    [run] = runs.list_runs(lab.workspace, "lr_find")
    assert run.request["settings"]["stages"][0]["freeze_to"] == 0


@pytest.mark.parametrize("losses", ([], DESCENT[:30]))
def test_a_test_that_goes_on_shows_its_curve_and_a_way_to_stop_it(lab, toy_here, losses):
    test_of(toy_here, losses, state="running")
    app = open_page("lr_finder")
    assert healthy(app) and "Stop" in labels(app) and app.get("echarts_chart")
    assert not losses or "Batch 30 of 100" in words(app)


def test_a_finished_test_shows_every_rule_and_carries_the_pick_to_train(lab, toy_here):
    run = test_of(toy_here)
    app = open_page("lr_finder", finder=run.id)
    said = words(app)
    assert healthy(app) and "Try " in said
    for title in ("Valley", "Steepest", "A tenth of the minimum", "Slide", "Ten times before the rise"):
        assert title in said
    app.select_slider(key=f"finder.slider.{run.id}").set_value(3e-3).run()
    assert "Use 3e-3" in labels(app)
    app.button(key="finder.use").click().run()
    assert app.title[0].value == "Train a model" and taken(app, "dataset") == toy_here.id
    assert app.select_slider(key="train.lr").value == 3e-3


def test_a_pick_may_be_typed(toy_here):
    run = test_of(toy_here)
    app = open_page("lr_finder", finder=run.id)
    app.text_input(key=f"finder.typed.{run.id}").set_value("2,7e-3").run()
    assert healthy(app) and "Use 2.7e-3" in labels(app)


@pytest.mark.parametrize("typed", ["abc", "-1", "nan", "0", "<b>1</b>", "1e99"])
def test_what_is_no_rate_gets_a_sentence(toy_here, typed):
    run = test_of(toy_here)
    app = open_page("lr_finder", finder=run.id)
    before = app.button(key="finder.use").label
    app.text_input(key=f"finder.typed.{run.id}").set_value(typed).run()
    assert healthy(app) and "no rate that can be used" in words(app)
    assert app.button(key="finder.use").label == before and "<b>1" not in markup(app)


def test_for_all_layers_there_is_a_slice_with_its_reasons(toy_here):
    app = open_page("lr_finder", finder=test_of(toy_here, freeze_to=0).id)
    [button] = [button for button in app.button if button.key == "finder.slice"]
    assert button.label == "Use 1e-4 … 3e-4" and "divided by 10" in words(app)
    button.click().run()
    assert app.selectbox(key="train.preset").value == "standard"  # its second stage trains all layers
    assert app.select_slider(key="train.lr").value == 3e-3


@pytest.mark.parametrize("freeze_to", [-1, 0])
@pytest.mark.parametrize("name", BROKEN)
def test_no_curve_breaks_the_page(toy_here, name, freeze_to):
    app = open_page("lr_finder", finder=test_of(toy_here, BROKEN[name], freeze_to=freeze_to).id)
    assert healthy(app), words(app)
    assert "Because: " in words(app) or name in ("flat", "flat then nan")


def test_where_a_descent_is_lost_in_scatter_the_rise_is_what_counts(toy_here):
    rng = np.random.default_rng(3)
    losses = np.where(LADDER < 1e-2, 1.0, 1 + 100 * LADDER) * rng.lognormal(0, 0.9, 100)
    losses[20:60] *= np.linspace(1, 0.6, 40)
    app = open_page("lr_finder", finder=test_of(toy_here, list(losses)).id)
    assert healthy(app) and "may be luck" in words(app) and "lost in the scatter" in words(app)


def test_a_test_that_was_stopped_keeps_its_points(toy_here):
    app = open_page("lr_finder", finder=test_of(toy_here, DESCENT[:40], state="stopped").id)
    assert healthy(app) and "You stopped the test after 40 batches" in words(app) and app.get("echarts_chart")


def test_a_test_that_failed_says_why_and_offers_the_next_one(toy_here):
    app = open_page("lr_finder", finder=test_of(toy_here, [], state="failed", code="oom").id)
    assert not app.exception and "It broke." in app.error[0].value and "Find a rate" in labels(app)


def test_a_link_to_a_test_alone_brings_its_data_set_along(lab, toy_here):
    run = test_of(toy_here)
    make_toy(lab.home, seed=5, name="newer")
    app = open_page("lr_finder", finder=run.id)
    assert healthy(app) and app.selectbox(key="finder.dataset").value == toy_here.id


def test_another_data_set_does_not_show_the_tests_of_this_one(lab, toy_here):
    run, other = test_of(toy_here), make_toy(lab.home, seed=5, name="other")
    app = open_page("lr_finder", finder=run.id, dataset=other.id)
    assert healthy(app) and "An example" in words(app)


def test_an_earlier_test_can_be_opened_again(toy_here):
    run = test_of(toy_here)
    app = open_page("lr_finder")
    app.selectbox(key="finder.earlier").set_value(run.id).run()
    assert healthy(app) and "Valley" in words(app)


def test_a_test_may_start_from_a_checkpoint_and_takes_it_along(lab, toy_here):
    trained = training_run(toy_here)
    app = open_page("lr_finder", start=f"{trained.id}:last.safetensors")
    assert app.selectbox(key="finder.from").value == f"{trained.id}:last.safetensors"
    app.button(key="finder.start").click().run()
    [run] = runs.list_runs(lab.workspace, "lr_find")
    assert run.request["start"] == {"run": trained.id, "file": "last.safetensors"}
    assert run.request["settings"]["stages"][0]["freeze_to"] == 0


def test_a_checkpoint_that_is_not_there_is_passed_over(toy_here):
    app = open_page("lr_finder", start="<b>:../../run.json")
    assert healthy(app) and app.selectbox(key="finder.from").value == "fresh"
