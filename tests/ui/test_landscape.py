"""The valley it walked, as a part of a page: it asks once, shows what was found, and says why where there is none."""

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.interpret import valley
from core.interpret.valley import Valley
from core.settings import Stage, TrainSettings, to_record
from core.train import runs
from tests.conftest import make_toy
from tests.interpret.test_valley import bowl, walk
from tests.ui.support import labels, training_run, words

LEAVING = [[(0, 0), (1, 0), (2, 0), (3, 0)], [(0, 0), (0, 2), (0, 10), (50, 90)]]
STAYING = [[(0, 0), (1, 0), (2, 0), (3, 0)], [(0, 0), (0, 0.1), (0, 0.2), (0, 0.3)]]


def part(run_id):
    from core.text import read
    from core.train.runs import load_run
    from core.ui import landscape, page, state

    landscape.show(load_run(state.workspace(), run_id) if run_id else None)
    page.challenge("landscape")
    page.explain("landscape", source=landscape.SOURCE)
    assert read("landscape", "what")


def opened(run_id="", **query):
    app = AppTest.from_function(part, args=(run_id,), default_timeout=30)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


@pytest.fixture
def run(lab):
    made = training_run(make_toy(lab.home))
    return runs.load_run(made.workspace, made.id)


def walked(run, *, state="done", found=None, **request):
    made = runs.create_run(run.workspace, "landscape", {"run": run.id, **request})
    made = runs.set_state(runs.set_state(made, "starting"), "running")
    if found is not None:
        valley.save(made, found)
    message = "This run comes out otherwise." if state == "failed" else None
    return made if state == "running" else runs.set_state(made, state, message=message, hint="Train again.")


def pair(second, paths):
    walks = (walk((1.5, 0.5, 0.6, 0.03)), walk(second, run="", times=100.0))
    return Valley(walks, (bowl(paths, best=(None, None)),), 27, 3, 1_318_400, 60.0)


def test_the_button_lets_the_engine_walk_it_beside_a_rate_that_is_too_high(lab, run):
    app = opened(run.id)
    assert not app.exception and "Walk it again" in labels(app) and "Guess first" in words(app)
    app.button(key="landscape.walk").click().run()
    asked = runs.list_runs(lab.workspace, "landscape")[0]
    assert dict(asked.request) == {"run": run.id, "times": 100.0} and asked.state == "queued"
    assert not app.exception and "Walk it again" not in labels(app)


def test_what_was_chosen_is_what_is_walked(lab, run):
    app = opened(run.id)
    app.selectbox(key="landscape.beside").set_value("alone").run()
    app.button(key="landscape.walk").click().run()
    assert dict(runs.list_runs(lab.workspace, "landscape")[0].request) == {"run": run.id}
    assert app.query_params["beside"] in ("alone", ["alone"])


def test_a_run_that_flew_over_the_valley_is_told_in_numbers(run):
    walked(run, found=pair((1.5, 4.0, 9.0, 0.9), LEAVING), times=100.0)
    said = words(opened(run.id))
    assert "In 3 steps your head went" in said and "5.0 % of the length of its 1.3 M weights" in said
    assert "the loss on 27 pictures it learned from went from" in said
    assert "It climbed in 1 of 3 steps." in said and "left this window by step 2" in said
    assert "flew over the valley" in said and "to the last digit" in said


@pytest.mark.parametrize(
    ("second", "more", "expected"),
    [
        ((1.5, 4.0, 9.0, 0.02), {}, "still got down"),
        ((1.5, 4.0, 9.0, 900.0), {"ended_by": "diverged"}, "its loss exploded after step 3"),
        ((1.5, 1.4, 1.3, 1.2), {"times": 0.1}, "has hardly set off"),
        ((1.5, 1.4, 1.3, 1.2), {"run": "other", "times": 2.0}, "ended at a loss of"),
    ],
)
def test_each_way_to_go_beside_it_has_its_sentence(run, second, more, expected):
    other = walk(second, **{"run": "", "times": 100.0, **more})
    paths = STAYING if more.get("times") else LEAVING
    found = Valley((walk((1.5, 0.5, 0.6, 0.03)), other), (bowl(paths),), 27, 3, 1_318_400, 60.0)
    walked(run, found=found, times=100.0)
    app = opened(run.id)
    assert not app.exception and expected in words(app)


def test_alone_it_has_two_windows(run):
    views = (bowl(name="points", best=((1.0, 0.0),)), bowl(name="main", held=(0.9, 0.08)))
    walked(run, found=Valley((walk(),), views, 27, 3, 1_318_400, 60.0))
    app = opened(run.id, beside="alone")
    assert not app.exception and len(app.get("plotly_chart")) == 1
    assert "through the best epoch" in app.get("plotly_chart")[0].proto.spec
    app = opened(run.id, beside="alone", window="main")
    chart = app.get("plotly_chart")[0].proto
    assert "main direction: 90 % of the way" in chart.spec
    assert "5.0 % of the length" in chart.alt and "*" not in chart.alt


def test_a_walk_that_failed_says_why_and_can_be_tried_again(run):
    walked(run, state="failed", times=100.0)
    app = opened(run.id)
    assert "comes out otherwise" in words(app) and "Walk it again" in labels(app)


def test_a_walk_that_goes_on_is_watched(run):
    walked(run, state="running", times=100.0)
    app = opened(run.id)
    assert not app.exception and "every step kept" in words(app) and "Stop" in labels(app)


@pytest.mark.parametrize(
    ("stage", "why"),
    [
        (Stage(freeze_to=0), "all layers learned"),
        (Stage(augment="photos"), "augmentation"),
        (Stage(mixup=0.2), "mixed"),
    ],
)
def test_a_run_without_such_a_stage_says_why_and_what_gives_one(lab, stage, why):
    dataset = make_toy(lab.home)
    settings = TrainSettings(stages=(stage,))
    made = runs.create_run(lab.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    app = opened(made.id)
    assert why in words(app) and "Train with Quick" in labels(app) and "Walk it again" not in labels(app)


def test_without_a_run_of_ones_own_it_shows_the_way(lab):
    app = opened()
    assert "Train one of your own" in words(app) and "Train with Quick" in labels(app)


def test_a_run_from_the_same_start_is_offered_and_one_from_another_is_not(lab):
    dataset = make_toy(lab.home)
    one, two = training_run(dataset), training_run(dataset)
    settings = TrainSettings(seed=7)
    stranger = runs.create_run(lab.workspace, "train", {"dataset": dataset.id, "settings": to_record(settings)})
    (stranger.path / "items.csv").write_bytes((dataset.path / "items.csv").read_bytes())
    for state in ("starting", "running", "done"):
        stranger = runs.set_state(stranger, state)
    offered = opened(one.id).selectbox(key="landscape.beside")
    assert len(offered.options) == 5 and offered.options[-1].startswith("Quick at 3e-3")
    walked(one, found=Valley((walk(), walk(run=two.id)), (bowl(STAYING),), 27, 3, 9, 1.0), against=two.id)
    app = opened(one.id, beside=two.id)
    assert not app.exception and "Beside it, Quick, at 3e-3 went" in words(app)


def test_a_name_with_markup_stays_a_name(lab):
    dataset = make_toy(lab.home)
    one, two = training_run(dataset), training_run(dataset)
    runs.revise(two, lambda _: {"name": "<b>*x*</b>"})
    walked(one, found=Valley((walk(), walk(run=two.id)), (bowl(STAYING),), 27, 3, 9, 1.0), against=two.id)
    app = opened(one.id, beside=two.id)
    bodies = "".join(element.proto.body for element in app.get("html"))
    spec = json.loads(app.get("plotly_chart")[0].proto.spec)
    names = [trace["name"] for trace in spec["data"] if trace.get("name")]
    assert not app.exception and "<b>*x*" not in bodies and names[0] == "&lt;b>*x*&lt;/b>, at 3e-3"
