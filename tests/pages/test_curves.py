"""Schedules and Fit a curve, page by page: their parts cold, by link and by hostile link, and the way to Train."""

import json
import re

import pytest

from core.sgd.functions import FAMILIES, TARGETS
from core.train import runs
from core.train.phases import Phase, parsed
from core.train.schedules import SCHEDULES, options_of
from core.ui import drawing, functions, hinges, schedules
from core.ui.capacity import CASES
from core.ui.painting import BEGINNINGS, knots_in
from core.ui.phase_form import PAINTED
from core.ui.recipe_address import unpacked
from tests.conftest import make_toy
from tests.pages.training import press, started
from tests.ui.support import labels, open_page, words

HOSTILE = ("<script>alert(1)</script>", "../../etc/passwd", "a" * 5000, "\x00", "-1", "nan", "1e999", "{x}", "' or 1=1")


def healthy(app):
    return not app.exception and not app.error


def address(app, name):
    """What the address says under a name, as text."""
    said = app.query_params[name]
    return said if isinstance(said, str) else said[0]


def brought(app):
    """Train, as it opens at the address that the button leads to."""
    app.button(key="schedules.export").click().run()
    assert app.title[0].value == "Train a model" and healthy(app)
    return open_page("train", preset=address(app, "preset"), form=address(app, "form"))


# --- schedules


@pytest.mark.parametrize("part", schedules.PARTS)
def test_every_part_of_schedules_opens_cold_by_its_address(lab, part):
    app = open_page("schedules", draw=part)
    assert healthy(app), words(app)
    assert app.query_params.get("draw", "every") in (part, [part])


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("part", schedules.PARTS)
def test_no_address_of_schedules_does_more_than_a_sentence(lab, part, value):
    names = ("schedule", "phases", "paint", "plain", "top", "shake", "cycle_len", "cycle_mult", "land")
    app = open_page("schedules", draw=part, **dict.fromkeys(names, value))
    assert not app.exception and len(app.error) <= 2
    assert all("address" in error.value or "epochs" in error.value for error in app.error)
    assert "<script>" not in "".join(error.value for error in app.error)
    assert healthy(open_page("schedules", draw=value))


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_drawn_told_and_brought_to_train(lab, name):
    make_toy(lab.home)
    app = open_page("schedules")
    app.button(key=f"curve-{name}").click().run()
    assert healthy(app) and ("Over" in words(app) or "cycles" in words(app))
    [phase] = parsed(address(app, "schedule"))
    assert phase.schedule == name
    press(brought(app))
    [stage] = started(lab)[0].stages
    assert stage.schedule == name and stage.epochs == phase.epochs and stage.lr_max == phase.lr
    whole = [json.loads(json.dumps(options_of(name) | dict(one.options))) for one in (stage, phase)]
    assert whole[0] == whole[1]


def test_restarts_are_told_on_the_axis_of_epochs_and_a_cut_one_is_noticed(lab):
    said = words(open_page("schedules", schedule="sgdr-7-0.003-cycle_len=1-cycle_mult=2"))
    assert "3 cycles" in said and "they last 1, 2 and 4 epochs" in said and "after epoch 1 and 3" in said
    assert "comes to its end" in said
    assert "cut off" in words(open_page("schedules", schedule="sgdr-5-0.003-cycle_len=1-cycle_mult=2"))


def test_the_controls_of_a_schedule_change_its_address(lab):
    app = open_page("schedules", schedule="sgdr-7-0.003")
    app.select_slider(key="schedules.one.cycle_mult").set_value(3).run()
    app.number_input(key="schedules.one.epochs").set_value(13).run()
    app.select_slider(key="schedules.one.lr").set_value(1e-2).run()
    assert parsed(address(app, "schedule")) == (Phase("sgdr", 13, 1e-2, {"cycle_mult": 3.0}),)
    assert "they last 1, 3 and 9 epochs" in words(app)


def test_phases_are_added_changed_removed_and_become_stages(lab):
    make_toy(lab.home)
    app = open_page("schedules", draw="compose")
    app.button(key="schedules.add").click().run()
    assert len(parsed(address(app, "phases"))) == 3
    app.selectbox(key="schedules.many.2.schedule").set_value("painted").run()
    app.button(key="schedules.remove").click().run()
    assert len(parsed(address(app, "phases"))) == 2 and healthy(app)
    press(brought(app))
    assert [(stage.schedule, stage.epochs) for stage in started(lab)[0].stages] == [("linear", 1), ("sgdr", 7)]


def test_a_painted_schedule_reaches_train_with_its_knots_and_can_be_painted_on(lab):
    make_toy(lab.home)
    app = open_page("schedules", draw="paint", paint="painted-3-0.01-places=0~0.4~0.5~1-heights=1~0.2~0.9~0.1")
    app = brought(app)
    said = unpacked(address(app, "form"))
    assert said["stages"][0]["options"]["heights"] == [1, 0.2, 0.9, 0.1]
    assert "20 % at 40 %" in words(app)
    press(app)
    [stage] = started(lab)[0].stages
    assert stage.schedule == "painted" and list(stage.options["places"]) == [0, 0.4, 0.5, 1] and stage.lr == 0.01


def test_the_way_back_from_train_keeps_the_knots(lab):
    make_toy(lab.home)
    app = open_page("schedules", draw="paint", paint="painted-3-0.01-places=0~0.4~0.5~1-heights=1~0.2~0.9~0.1")
    app = brought(app)
    back = next(button for button in app.button if button.label == "Drag its knots")
    back.click().run()
    assert app.title[0].value == "How the rate moves" and healthy(app)
    [phase] = parsed(address(app, "paint"))
    assert phase.options["heights"] == (1, 0.2, 0.9, 0.1) and phase.epochs == 3


@pytest.mark.parametrize("name", BEGINNINGS)
def test_every_beginning_can_be_painted_on(lab, name):
    app = open_page("schedules", draw="paint")
    app.pills(key="schedules.beginning").set_value(name).run()
    assert healthy(app)
    [phase] = parsed(address(app, "paint"))
    assert phase.options == BEGINNINGS[name]


@pytest.mark.parametrize(
    "said",
    (None, 3, [], {}, {"places": [0, 1]}, {"places": [0, 0.5, 1], "heights": [1, 1, 1]},
     {"places": "0123", "heights": 1},
     {"places": [0, 0.5, 0.4, 1], "heights": [1] * 4}, {"places": [0, 0.2, 0.4, 1], "heights": [1, 2, 1, 9e999]}),
)  # fmt: skip
def test_what_a_browser_sends_that_are_no_knots_is_passed_over(said):
    assert knots_in(said) is None


def test_knots_from_a_browser_are_taken():
    assert knots_in({"places": [0, 0.3, 0.61, 1], "heights": [0.5, 1, 0, 0.25]}) == {
        "places": (0, 0.3, 0.61, 1), "heights": (0.5, 1, 0, 0.25)
    }  # fmt: skip
    assert len(PAINTED.options["places"]) == 4


def test_balls_are_counted_and_the_sentence_knows_luck(lab):
    same = words(open_page("schedules", draw="play"))
    assert re.search(r"of 400 balls", same) and "nothing tells the two apart" in same
    differs = words(open_page("schedules", draw="play", plain="exponential"))
    one, other = map(int, re.search(r"<em>(\d+) of 400 balls</em>.*?<em>(\d+)</em>", differs).groups())
    assert "more for restarts" in differs and one < other


def test_another_landscape_has_other_counts_and_stands_in_the_address(lab):
    app = open_page("schedules", draw="play")
    before = words(app)
    app.button(key="schedules.land").click().run()
    assert address(app, "land") == "1" and words(app) != before and healthy(app)


# --- functions


@pytest.mark.parametrize("part", functions.PARTS)
def test_every_part_of_functions_opens_cold_by_its_address(lab, part):
    assert healthy(open_page("functions", fit=part))


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize("part", functions.PARTS)
def test_no_address_of_functions_breaks_it(lab, part, value):
    names = ("family", "target", "count", "spread", "decay", "passes", "draw", "more", "pin_under", "pin_right", "bend",
             "hinges_hand", "hinges_trained", "relu", "goal", "bends", "shape", "degree", "width", "dots")  # fmt: skip
    app = open_page("functions", fit=part, **dict.fromkeys(names, value))
    assert healthy(app) and "<script>" not in words(app)


def test_every_case_says_what_its_numbers_show(lab):
    expected = {"by_heart": "degree 18 overfits", "decayed": "19 numbers for 20 training points",
                "wide": "hinges: 128 does not overfit here", "few": "5 numbers for 5 training points"}  # fmt: skip
    app = open_page("functions")
    for name in CASES:
        app.selectbox(key="functions.case").set_value(name).run()
        assert healthy(app) and expected[name] in words(app), name
        assert app.selectbox(key="functions.case").value == name


def test_added_points_are_measured_and_can_be_taken_back(lab):
    app = open_page("functions")
    app.button(key="functions.add").click().run()
    assert healthy(app) and "With 90 points in place of 40" in words(app) and address(app, "more") == "1"
    wobbles = re.findall(r"from ([\d.,]+) to <em>([\d.,]+)</em>", words(app))
    sizes = [[float(size.replace(",", "")) for size in pair] for pair in wobbles]
    assert len(sizes) == 3 and all(now < before for before, now in sizes)
    app.button(key="functions.less").click().run()
    assert "more" not in app.query_params and "With 90" not in words(app)


def test_controls_stand_in_the_address_and_a_link_restores_them(lab):
    app = open_page("functions")
    app.selectbox(key="functions.family").set_value("network").run()
    app.select_slider(key="functions.passes").set_value(50).run()
    app.selectbox(key="functions.pin.over").set_value(64).run()
    said = {name: address(app, name) for name in ("family", "passes", "pin_over")}
    again = open_page("functions", **said)
    assert said == {"family": "network", "passes": "50", "pin_over": "64"}
    assert (
        again.selectbox(key="functions.pin.over").value == 64
        and again.select_slider(key="functions.passes").value == 50
    )


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("target", TARGETS)
def test_every_family_meets_every_target(lab, family, target):
    assert healthy(open_page("functions", family=family, target=target, passes="10"))


def test_hinges_are_told_by_hand_trained_and_without_their_bend(lab):
    assert "Two hinges make a bump" in words(open_page("functions", fit="hinges"))
    assert "One hinge is flat" in words(open_page("functions", fit="hinges", hinges_hand="1"))
    assert "bend no more than one" in words(open_page("functions", fit="hinges", relu="False"))
    app = open_page("functions", fit="hinges", bend="trained", hinges_trained="8")
    stuck = re.search(r"8 hinges.*a loss of <em>([\d.]+)", words(app))[1]
    app.button(key="functions.start").click().run()
    assert re.search(r"8 hinges.*a loss of <em>([\d.]+)", words(app))[1] != stuck and address(app, "from") == "1"
    lines = words(open_page("functions", fit="hinges", bend="trained", relu="False", goal="step"))
    assert "still one straight line" in lines and "than a ten-thousandth" in lines


def test_hinges_and_drawings_survive_their_addresses():
    assert hinges.bends_in(hinges.written([[-0.5, 2], [0.25, -3.5]]), 2) == ((-0.5, 2.0), (0.25, -3.5))
    assert (
        hinges.bends_in("9~9", 1) == hinges.BY_HAND[1] and hinges.written("xy") is None and hinges.written(None) is None
    )
    heights = [round(-1.5 + 3 * place / 40, 2) for place in range(41)]
    assert drawing.heights_in(drawing.written(heights)) == pytest.approx(heights, abs=0.02)
    for said in (None, [], [1] * 40, ["x"] * 41, [float("nan")] * 41, 3):
        assert drawing.written(said) is None
    assert drawing.heights_in("²" * 82) == drawing.heights_in(None)


def test_a_drawing_by_link_is_fitted_by_both(lab):
    flat = "50" * 41
    said = words(open_page("functions", fit="drawing", shape=flat, shaky="0"))
    assert "polynomial" in said and "network" in said
    losses = [float(loss) for loss in re.findall(r"exam loss of <em>([\d.]+)</em>", said)]
    assert losses and losses[0] < 0.001


def test_both_pages_lead_on(lab):
    assert "Train with it" in labels(open_page("schedules"))
    app = open_page("functions")
    app.button(key="functions.next").click().run()
    assert "went wrong" in app.title[0].value
    assert runs.list_runs(lab.workspace) == []
