"""Schedules and Fit a curve in a real browser: paint and train, play without reruns, drag hinges, draw a target."""

import re

import pytest

from core.train.phases import parsed
from core.train.runs import list_runs
from core.workspace import Workspace
from tests.browser.conftest import Visitor, served
from tests.browser.test_training import until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
SIZES = ((1366, 768), (390, 844))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A server of its own over a few bears."""
    with served(tmp_path_factory.mktemp("curves"), bears=12) as server:
        yield server


def address(visitor, name):
    """What the page's address says under a name."""
    found = re.search(rf"[?&]{name}=([^&]*)", visitor.page.url)
    return found[1].replace("%7E", "~").replace("%3D", "=") if found else None


def drag(visitor, locator, right, down):
    """Take hold of something by its middle and let go of it further on (pixels)."""
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    visitor.page.mouse.move(x, y)
    visitor.page.mouse.down()
    visitor.page.mouse.move(x + right / 2, y + down / 2)
    visitor.page.mouse.move(x + right, y + down)
    visitor.page.mouse.up()


def test_a_painted_schedule_reaches_train_and_the_run_uses_it(chromium, place):
    visitor = Visitor(chromium, place, 1366, 768)
    visitor.open("/schedules?draw=paint")
    knots = visitor.page.locator(".knot")
    knots.nth(3).wait_for()
    drag(visitor, knots.nth(2), 60, -60)
    until(visitor, lambda: address(visitor, "paint"), "a dragged knot was to stand in the address")
    visitor.settle()
    dragged = parsed(address(visitor, "paint"))[0].options
    assert dragged["places"][2] > 0.65 and dragged["heights"][2] > 0.6
    knots.nth(0).focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight"):
        visitor.page.keyboard.press(key)
    until(
        visitor,
        lambda: parsed(address(visitor, "paint"))[0].options["heights"][0] == pytest.approx(0.2),
        "keys were to move a knot",
    )
    visitor.settle()
    wanted = parsed(address(visitor, "paint"))[0].options
    assert wanted["places"][0] == 0, "the ends stay where they are"
    visitor.page.locator(".st-key-schedules-export button").click()
    visitor.page.locator(".st-key-train-start button").click()
    until(visitor, lambda: list_runs(Workspace(place.home), "train"), "a run was to be started")
    [run] = list_runs(Workspace(place.home), "train")
    [stage] = run.request["settings"]["stages"]
    assert stage["schedule"] == "painted" and stage["options"]["heights"] == list(wanted["heights"])
    until(visitor, lambda: list_runs(Workspace(place.home), "train")[0].ended, "the run was to end", 200)
    done = list_runs(Workspace(place.home), "train")[0]
    assert done.state == "done"
    visitor.assert_no_fault()
    visitor.context.close()


def test_balls_are_played_stepped_and_scrubbed_without_asking_the_server(chromium, place):
    visitor = Visitor(chromium, place, 1366, 768)
    sent = []
    visitor.page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(data)))
    visitor.open("/schedules?draw=play&plain=exponential")
    roller = visitor.page.locator(".roller")
    roller.locator("[data-do=on]").click()
    assert roller.get_attribute("data-step") == "1"
    roller.focus()
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.keyboard.press("ArrowRight")
    visitor.page.keyboard.press("ArrowLeft")
    assert roller.get_attribute("data-step") == "2"
    asked = len(sent)
    visitor.page.keyboard.press("Space")
    until(visitor, lambda: int(roller.get_attribute("data-step")) > 30, "it was to play")
    visitor.page.keyboard.press("Space")
    roller.locator("input").fill("210")
    assert "step 210 of 210" in roller.inner_text()
    count = int(re.search(r"(\d+) of 400 over", roller.inner_text())[1])
    assert f"{count} of 400 balls" in visitor.text(), "the last step shows what the sentence says"
    assert asked and len(sent) == asked, "the server was asked when the page opened, and not while it played"
    visitor.page.keyboard.press("r")
    assert roller.get_attribute("data-step") == "0"
    visitor.assert_no_fault()
    visitor.context.close()


def test_a_drawn_target_is_fitted(chromium, place):
    visitor = Visitor(chromium, place, 1366, 768)
    visitor.open("/functions?fit=drawing&shaky=0")
    sketch = visitor.page.locator("svg.draws")
    sketch.locator(".fit").nth(1).wait_for(state="attached")
    before = [sketch.locator(f".fit.{name}").get_attribute("points") for name in ("polynomial", "network")]
    drag(visitor, sketch, 200, 60)
    until(visitor, lambda: address(visitor, "shape"), "what was drawn was to stand in the address")
    until(
        visitor,
        lambda: all(
            sketch.locator(f".fit.{name}").get_attribute("points") != old
            for name, old in zip(("polynomial", "network"), before, strict=True)
        ),
        "both were to be fitted anew",
    )
    shape = address(visitor, "shape")
    sketch.focus()
    visitor.page.keyboard.press("ArrowUp")
    until(visitor, lambda: address(visitor, "shape") != shape, "keys were to draw, too")
    visitor.settle()
    visitor.assert_no_fault()
    visitor.context.close()


def test_a_dragged_hinge_changes_the_sum_and_stands_in_the_address(chromium, place):
    visitor = Visitor(chromium, place, 1366, 768)
    visitor.open("/functions?fit=hinges&hinges_hand=2")
    grips = visitor.page.locator(".grip.at")
    grips.nth(1).wait_for()
    figure = visitor.page.locator("svg[data-loss]")
    before = float(figure.get_attribute("data-loss"))
    drag(visitor, grips.nth(1), 80, 0)
    assert float(figure.get_attribute("data-loss")) != before
    until(visitor, lambda: address(visitor, "bends"), "a dragged hinge was to stand in the address")
    visitor.settle()
    visitor.assert_no_fault()
    visitor.context.close()


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize(
    ("path", "main"),
    (
        ("/schedules?draw=paint", ".st-key-schedules-painter svg"),
        ("/schedules?draw=play", ".roller canvas >> nth=0"),
        ("/functions", ".st-key-functions-losses canvas"),
        ("/functions?fit=hinges", ".st-key-functions-hinges svg"),
        ("/functions?fit=drawing", ".st-key-functions-sketch svg"),
    ),
)
def test_the_main_thing_is_on_the_screen_without_scrolling(chromium, place, path, main, width, height):
    visitor = Visitor(chromium, place, width, height)
    visitor.open(path)
    figure = visitor.page.locator(main).first
    figure.wait_for()
    visitor.settle()
    until(visitor, lambda: (box := figure.bounding_box()) and box["height"] > 50, "the figure was to be drawn")
    box = figure.bounding_box()
    assert box["y"] > 0 and box["y"] + box["height"] <= height + 2, (path, box)
    assert box["x"] >= 0 and box["x"] + box["width"] <= width
    assert visitor.page.evaluate("document.documentElement.scrollWidth") <= width
    visitor.context.close()
