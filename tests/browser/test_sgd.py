"""Gradient descent in a real browser: played, stepped, dragged, clicked; Python hears only of what changes a path."""

import re

import pytest

from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
FPS_WANTED, FPS_ON_A_BUSY_MACHINE = 30, 12


class Descent:
    """The moving picture on a page, by what it says about itself."""

    def __init__(self, visitor, path="/sgd"):
        self.visitor, self.page = visitor, visitor.page
        self.runs = 0  # of Python: each begins with one message that says so
        self.page.on("websocket", lambda socket: socket.on("framesent", self._count))
        visitor.open(path)
        self.root = self.page.locator(".descent")
        self.page.locator(".descent canvas").first.wait_for()
        self.until("root.dataset.step !== undefined")

    def _count(self, frame):
        self.runs += 1

    def until(self, condition):
        self.page.wait_for_function(f"(root) => {condition}", arg=self.root.element_handle())

    @property
    def step(self):
        return int(self.root.get_attribute("data-step"))

    @property
    def name(self):
        return self.root.get_attribute("data-id")

    def number(self, name):
        text = self.page.locator(f".number-{name} dd").inner_text().replace("\u2212", "-").replace(",", "")
        return float(text.split()[0])

    def press(self, name):
        self.page.locator(f".do-{name}").click()

    def to_the_end(self):
        self.page.locator(".scrub").focus()
        self.page.keyboard.press("End")

    def changes(self, act):
        """Do something that Python must hear of, and wait until the new path is here."""
        before = self.name
        act()
        self.until(f"root.dataset.id !== {before!r}")
        self.visitor.settle()

    def box(self, panel):
        return self.page.locator(f".panel-{panel} canvas").bounding_box()


@pytest.fixture
def descent(visitor):
    return Descent(visitor, "/sgd?steps=60")


def test_it_plays_to_the_end_without_a_word_to_python_and_fast_enough(descent):
    descent.page.locator(".pace").select_option("12")
    before = descent.runs
    descent.press("play")
    descent.until("Number(root.dataset.step) >= 24")
    frames = int(descent.root.get_attribute("data-fps"))
    assert descent.root.get_attribute("data-playing") == "true"
    descent.page.locator(".pace").select_option("120")
    descent.until("root.dataset.playing === 'false' && root.dataset.step === '60'")
    print(f"{frames} frames a second")
    assert frames >= FPS_ON_A_BUSY_MACHINE, f"{frames} frames a second, {FPS_WANTED} are wanted"
    assert descent.runs == before
    assert "It arrives: after 60 steps" in descent.page.locator(".guess").inner_text()
    descent.visitor.assert_no_fault()


def test_steps_scrubbing_and_the_numbers_under_the_figures(descent):
    assert (descent.number("a1"), descent.number("a2"), descent.step) == (-1, 1, 0)
    first = descent.number("loss")
    descent.press("next")
    code = descent.page.locator(".lines").inner_text()
    assert descent.step == 1 and descent.number("loss") < first
    assert code.count("\n") >= 4 and "loss.backward()" in code and "a.sub_(lr * a.grad)" in code and "# 0.1" in code
    descent.press("back")
    assert descent.step == 0 and descent.number("loss") == first
    descent.to_the_end()
    assert descent.step == 60 and descent.number("slope") < 0.1
    assert descent.number("a1") == pytest.approx(3, abs=0.2) and descent.number("a2") == pytest.approx(2, abs=0.2)


def test_keys_play_step_and_reset_wherever_the_page_has_the_focus(descent):
    before, keys = descent.runs, descent.page.keyboard
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    keys.press("ArrowLeft")
    assert descent.step == 1
    keys.press(" ")
    descent.until("Number(root.dataset.step) >= 4")
    keys.press(" ")
    assert descent.root.get_attribute("data-playing") == "false"
    keys.press("r")
    assert descent.step == 0
    descent.page.wait_for_timeout(300)
    assert descent.runs == before  # R is not the app's own key for a rerun


def test_a_click_on_the_contour_is_the_new_start(descent):
    box = descent.box("bowl")
    descent.changes(lambda: descent.page.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.25 * box["height"]))
    assert descent.number("a1") != -1 and descent.step == 0
    assert re.search(r"[?&]a=", descent.page.url)


def test_points_are_dragged_added_and_deleted_and_the_bowl_follows(descent):
    box, mouse = descent.box("points"), descent.page.mouse
    empty = (box["x"] + 60, box["y"] + 30)
    descent.changes(lambda: mouse.click(*empty))
    assert "pts=" in descent.page.url
    assert "batch" not in descent.page.url
    descent.to_the_end()
    before = descent.number("a2")

    def drag(to):
        mouse.move(*empty)
        mouse.down()
        mouse.move(to[0], to[1], steps=6)
        mouse.up()

    there = (empty[0], box["y"] + box["height"] - 60)
    descent.changes(lambda: drag(there))
    assert descent.step == 60 and descent.number("a2") < before  # the place along the path is kept
    mouse.move(*there)
    mouse.down()
    mouse.move(there[0], box["y"] - 60, steps=6)
    descent.changes(mouse.up)
    link = descent.page.url
    other = Descent(descent.visitor, link[link.index("/sgd") :])
    assert other.root.get_attribute("data-id") == descent.name
    descent.visitor.assert_no_fault()


def test_what_is_shown_and_the_whole_set_up_come_back_by_the_link(descent, chromium, server):
    descent.page.locator(".view-squares").click()
    descent.page.wait_for_url(re.compile("show="))
    descent.page.locator(".view-axis").select_option("samples")
    descent.page.wait_for_url(re.compile("x=samples"))
    descent.changes(lambda: descent.page.get_by_text("Batches of 20").click())
    link = descent.page.url
    guest = Visitor(chromium, server, 1366, 768)
    try:
        other = Descent(guest, link[link.index("/sgd") :])
        assert other.name == descent.name and "batch=20" in other.name
        assert guest.page.locator(".view-axis").input_value() == "samples"
        assert guest.page.locator(".view-squares").get_attribute("aria-pressed") == "true"
    finally:
        guest.context.close()


def test_predict_then_reveal_keeps_the_score(descent):
    guess = descent.page.locator(".guess")
    descent.page.locator(".choices [data-kind=crawl]").click()
    descent.to_the_end()
    assert "Not this time." in guess.inner_text() and "0 of 1 right" in guess.inner_text()
    descent.changes(lambda: descent.page.get_by_text("Too high: 1.2").click())
    descent.page.locator(".choices [data-kind=diverge]").click()
    descent.to_the_end()
    assert "You called it." in guess.inner_text() and "1 of 2 right" in guess.inner_text()
    assert "diverged at step 21" in guess.inner_text() and "limit for these points is 0.986" in guess.inner_text()
    descent.page.reload()
    descent.visitor.settle()
    descent.page.locator(".guess").get_by_text("1 of 2 right").wait_for()
    assert descent.page.locator(".choices").is_hidden()  # its end has been seen


def test_a_curve_that_is_kept_lies_under_the_next_one(descent):
    descent.page.locator(".view-keep").click()
    descent.changes(lambda: descent.page.get_by_text("Too low: 0.001").click())
    assert descent.root.get_attribute("data-kept") == "1"


def test_three_rates_and_the_one_past_the_limit_diverges(visitor):
    descent = Descent(visitor, "/sgd?figure=three&steps=40")
    descent.press("play")
    descent.page.locator(".pace").select_option("120")
    descent.until("root.dataset.playing === 'false' && root.dataset.step === '40'")
    said = descent.page.locator(".verdicts").inner_text()
    assert "It crawls" in said and "diverged at step 21" in said and "The limit for these points is 0.986" in said
    boxes = [descent.box(f"bowl-{run}") for run in range(3)]
    assert len({(round(box["width"]), round(box["height"]), round(box["y"])) for box in boxes}) == 1
    visitor.assert_no_fault()


def test_range_test_and_one_cycle_lead_on_to_the_student_s_own_model(visitor):
    descent = Descent(visitor, "/sgd?figure=test&rate=1.2")
    descent.to_the_end()
    said = descent.page.locator(".verdicts").inner_text()
    assert "One cycle" in said and "diverged at step" in said
    assert "The range test says" in visitor.text()
    visitor.press("See this on your own model")
    descent.page.get_by_role("heading", name="Find a learning rate").wait_for()


def test_the_limit_is_marked_where_the_thumb_of_the_slider_would_stand(visitor):
    descent = Descent(visitor, "/sgd?rate=1")  # the limit is 0.986
    thumb = descent.page.locator(".st-key-sgd-rate-rate [data-testid=stSliderThumbValue]").bounding_box()
    mark = descent.page.locator(".st-key-sgd-rate-rate .ruler b").bounding_box()
    assert abs(mark["x"] - thumb["x"] - thumb["width"] / 2) < 8
    assert thumb["y"] < mark["y"] < thumb["y"] + 60


def test_a_slider_that_has_the_focus_keeps_its_arrows_and_leaves_space_to_the_player(descent):
    slider = descent.page.locator(".st-key-sgd-rate-rate input[type=range]")
    slider.focus()
    descent.changes(lambda: descent.page.keyboard.press("ArrowRight"))
    assert descent.step == 0 and "rate=0.12" in descent.page.url
    descent.page.keyboard.press(" ")
    descent.until("Number(root.dataset.step) >= 1")


def test_reduced_motion_shows_the_end_at_once(chromium, server):
    visitor = Visitor(chromium, server, 1366, 768)
    try:
        visitor.page.emulate_media(reduced_motion="reduce")
        descent = Descent(visitor, "/sgd?steps=60")
        assert "Show the end" in descent.page.locator(".do-play").inner_text()
        descent.press("play")
        assert descent.step == 60 and descent.root.get_attribute("data-playing") == "false"
    finally:
        visitor.context.close()


MAIN = {"one": ("points", "bowl", "loss"), "three": ("bowl-0", "bowl-2"), "test": ("range", "bowl", "rate")}


@pytest.mark.parametrize("figure", MAIN)
@pytest.mark.parametrize(("width", "height"), [(1366, 768), (390, 844)])
def test_figures_and_player_are_on_the_screen_and_nothing_overlaps(chromium, server, figure, width, height):
    visitor = Visitor(chromium, server, width, height)
    try:
        descent = Descent(visitor, f"/sgd?figure={figure}&batch=10")
        player = descent.page.locator(".player").bounding_box()
        wanted = MAIN[figure] if width > 1000 else MAIN[figure][1 if figure == "one" else 0 :][:1]
        boxes = [descent.box(panel) for panel in wanted] + [player]
        assert all(box["y"] >= 0 and box["y"] + box["height"] <= height for box in boxes)
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
        for i, one in enumerate(boxes):
            for two in boxes[i + 1 :]:
                aside = one["x"] + one["width"] <= two["x"] + 1 or two["x"] + two["width"] <= one["x"] + 1
                assert aside or one["y"] + one["height"] <= two["y"] + 1 or two["y"] + two["height"] <= one["y"] + 1
        assert descent.page.evaluate("document.documentElement.scrollWidth") <= width
        alts = descent.page.locator(".descent canvas").evaluate_all("all => all.map(c => c.getAttribute('aria-label'))")
        assert all(alts)
    finally:
        visitor.context.close()
