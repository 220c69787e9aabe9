"""The page of gradient descent: cold, each part, controls that write the link, links nobody should have written."""

import html
import json

import pytest
from streamlit.testing.v1 import AppTest

from core.sgd.address import PARAMETERS, pack, read_setup
from core.sgd.setup import Setup
from core.train.schedules import SCHEDULES
from core.ui import sgd, sgd_controls
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.support import labels, markup, open_page, words


def sent(app):
    """What the moving picture got."""
    [picture] = app.get("bidi_component")
    return json.loads(picture.proto.json)


def setup_of(app):
    said = {name: "".join(app.query_params[name]) for name in PARAMETERS if name in app.query_params}
    return read_setup(said, tuple(SCHEDULES))[0]


def healthy(app):
    return not app.exception and not app.error


@pytest.mark.parametrize("part", sgd.PARTS)
def test_each_part_opens_cold_by_its_link(lab, part):
    app = open_page("sgd", figure=part, batch="20")
    assert healthy(app), words(app)
    data = sent(app)
    assert data["kind"] == part and data["id"].startswith(part) and not any("{" in str(v) for v in data["words"] if v)
    assert len(data["x"]) == 100 and "from 0.986 on it flies off" in words(app)
    assert "See this on your own model" in labels(app)


def test_the_link_to_the_student_s_own_model_leads_to_the_finder(lab):
    app = open_page("sgd")
    app.button(key="sgd.finder").click().run()
    assert app.title[0].value == "Find a learning rate"


def test_controls_write_the_link_and_only_what_differs(lab):
    app = open_page("sgd")
    app.select_slider(key="sgd.rate").set_value(0.5).run()
    app.select_slider(key="sgd.batch").set_value(10).run()
    app.selectbox(key="sgd.rule").set_value("adam").run()
    app.slider(key="sgd.momentum").set_value(0.5).run()
    app.selectbox(key="sgd.plan").set_value("one_cycle").run()
    app.number_input(key="sgd.outlier").set_value(5.0).run()
    app.number_input(key="sgd.start.0").set_value(2.5).run()
    assert healthy(app)
    asked = Setup(rate=0.5, batch=10, rule="adam", momentum=0.5, schedule="one_cycle", outlier=5.0, start=(2.5, 1.0))
    assert setup_of(app) == asked and "seed" not in app.query_params
    assert sent(app)["runs"][0]["batch"] == 10 and sent(app)["start"] == [2.5, 1]


def test_presets_are_the_lesson_s_numbers_and_undo_everything_else(lab):
    app = open_page("sgd", rate="3", seed="7", rule="adam")
    app.pills[0].set_value("high").run()
    assert setup_of(app) == Setup(rate=1.2) and sent(app)["runs"][0]["kind"] == "diverge"
    app.pills[0].set_value("low").run()
    assert setup_of(app) == sgd_controls.PRESETS["low"] and sent(app)["runs"][0]["kind"] == "crawl"


def test_momentum_is_off_for_plain_descent_and_on_for_every_other_rule(lab):
    app = open_page("sgd")
    assert app.slider(key="sgd.momentum").disabled
    app.selectbox(key="sgd.rule").set_value("nesterov").run()
    assert not app.slider(key="sgd.momentum").disabled


def test_the_mark_under_the_rate_says_whose_limit_it_is(lab):
    assert "from 0.986 on it flies off" in words(open_page("sgd"))
    assert "plain SGD flies off from 0.986 on" in words(open_page("sgd", rule="adam"))


def test_a_rate_between_the_marks_of_the_slider_is_taken_as_it_is(lab):
    app = open_page("sgd", rate="0.1234")
    assert app.select_slider(key="sgd.rate").value == 0.1234 and healthy(app)


@pytest.mark.parametrize("part", sgd.PARTS)
@pytest.mark.parametrize("wrong", ["nan", "<b>1e999", "A" * 3000, HOSTILE_NAMES[0]])
def test_hostile_links_give_sentences_and_the_usual_picture(lab, part, wrong):
    query = dict.fromkeys((*PARAMETERS, "x", "show"), wrong)
    app = open_page("sgd", figure=part, **query)
    assert not app.exception and len(app.error) == 5 and "12 more values" in app.error[2].value
    assert all("In the link" in error.value for error in app.error) and "<b>1" not in markup(app)
    assert sent(app)["runs"] and setup_of(app) == Setup()
    assert not app.run().error  # it is said once


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("rate", "0", "0.000001 to 100"),
        ("batch", "999", "all, or 1 to 200"),
        ("plan", "luck", "one_cycle"),
        ("x", "y", "epochs"),
    ],
)
def test_a_sentence_says_what_was_asked_and_what_is_allowed(lab, name, wrong, said):
    [error] = open_page("sgd", **{name: wrong}).error
    sentence = html.unescape(error.value)
    assert f"In the link, {name}: " in sentence and wrong in sentence and said in sentence


def test_another_number_of_points_leaves_every_other_control_alone(lab):
    app = open_page("sgd", rate="0.1234")
    app.number_input(key="sgd.n").set_value(101).run()
    assert setup_of(app) == Setup(rate=0.1234, n=101) and app.select_slider(key="sgd.batch").value == 0
    app.select_slider(key="sgd.rate").set_value(0.2).run()
    assert setup_of(app) == Setup(rate=0.2, n=101) and app.select_slider(key="sgd.rate").value == 0.2


def test_a_part_that_is_none_is_the_first_one(lab):
    app = open_page("sgd", figure="<script>")
    assert healthy(app) and sent(app)["kind"] == "one"


def test_what_is_shown_stands_in_the_link(lab):
    data = sent(open_page("sgd", x="samples", show="squares"))
    assert data["view"] == {"axis": "samples", "squares": True, "batch": False}
    assert sent(open_page("sgd"))["view"] == {"axis": "updates", "squares": False, "batch": True}


def test_points_of_a_link_are_drawn_and_can_be_given_up(lab):
    app = open_page("sgd", pts=pack(((0.0, 1.0), (1.0, 3.0), (-1.0, -1.5))))
    assert sent(app)["x"] == [0, 1, -1] and "These 3 points are your own" in words(app)
    app.button(key="sgd.draw").click().run()
    assert len(sent(app)["x"]) == 100 and "pts" not in app.query_params


def test_the_set_up_is_still_there_after_another_page(lab):
    app = open_page("sgd", rate="0.5", batch="5")
    app.switch_page("../../pages/home.py").run()
    app.query_params.clear()
    app.switch_page("../../pages/sgd.py").run()
    assert setup_of(app) == Setup(rate=0.5, batch=5)


# --- what a browser may send, whoever wrote it


def told(act, **query):
    """The page's address after something was sent, and the sentences about it."""

    def script(act):
        import streamlit as st

        from core.ui import sgd_address

        name, sent = act
        points = [(0.0, 0.0), (1.0, 1.0), (0.5, 2.0)]
        if name == "edit":
            sgd_address.take_edit(points, sent)
        else:
            {"start": sgd_address.take_start, "view": sgd_address.take_view}[name](sent)
        st.session_state["setup"] = sgd_address.quiet()

    app = AppTest.from_function(script, args=(act,))
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app.session_state["setup"], [error.value for error in app.error], app


def test_a_click_on_the_contour_is_the_start(lab):
    setup, errors, _ = told(("start", {"a1": 4.56789, "a2": -0.5}), rate="0.3")
    assert setup == Setup(rate=0.3, start=(4.57, -0.5)) and not errors


def test_points_are_moved_added_and_deleted_by_hand(lab):
    assert told(("edit", {"kind": "move", "index": 1, "x": 0.1, "y": 5}))[0].points[1] == (0.1, 5.0)
    assert told(("edit", {"kind": "add", "x": 0.1, "y": 5}))[0].points[3] == (0.1, 5.0)
    assert told(("edit", {"kind": "delete", "index": 0}))[0].points == ((1.0, 1.0), (0.5, 2.0))


@pytest.mark.parametrize("act", [
    ("start", None), ("start", {}), ("start", {"a1": "1", "a2": 2}), ("start", {"a1": 1e9, "a2": 2}),
    ("edit", {"kind": "move", "index": 9, "x": 0, "y": 0}), ("edit", {"kind": "move", "index": "1", "x": 0, "y": 0}),
    ("edit", {"kind": "move", "index": 1}), ("edit", {"kind": "add", "x": True, "y": 0}),
    ("edit", {"kind": "delete", "index": -1}),
])  # fmt: skip
def test_what_is_no_place_gives_a_sentence_and_changes_nothing(lab, act):
    setup, errors, _ = told(act)
    assert setup == Setup() and len(errors) == 1


def test_what_is_to_be_shown_is_written_into_the_link(lab):
    _, _, app = told(("view", {"axis": "seconds", "squares": True, "batch": False}))
    assert app.query_params["x"] in ("seconds", ["seconds"]) and app.query_params["show"] in ("squares", ["squares"])
    _, errors, app = told(("view", {"axis": "<b>", "squares": 1}))
    assert not errors and "x" not in app.query_params
