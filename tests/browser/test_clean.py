"""The cleaner under a real keyboard: every key does what stands on its button, and none misfires."""

import re
import signal

import pytest

from core.data.marks import labels_of, read_marks
from tests.browser.conftest import Server, Visitor
from tests.conftest import make_toy
from tests.ui.suspects import searched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def cleaner(tmp_path_factory):
    """A server of its own, over a data set with a model and a search."""
    home = tmp_path_factory.mktemp("cleaner")
    dataset = make_toy(home)
    searched(dataset)
    made = Server(home)
    try:
        made.start()
        yield made, dataset
    finally:
        if made.process.poll() is None:
            made.kill(signal.SIGTERM)
        made.end_engine()


@pytest.fixture
def visitor(chromium, cleaner):
    made = Visitor(chromium, cleaner[0], 1366, 768)
    yield made
    made.context.close()


def at(visitor):
    return int(visitor.page.locator(".position b").inner_text().replace(",", ""))


def press(visitor, key, place):
    """Press a key when the page is at rest, and wait until the suspect at `place` is shown."""
    visitor.settle()
    visitor.page.keyboard.press(key)
    visitor.page.locator(".position b", has_text=re.compile(rf"^{place}$")).wait_for()


def open_cleaner(visitor):
    """Open the cleaner and wait for its buttons: a key does something from then on."""
    visitor.open("/clean")
    visitor.page.locator("[class*='st-key-clean-keep'] button, [class*='st-key-clean-rest'] button").first.wait_for()


def marked(dataset):
    found = read_marks(dataset, labels_of(dataset)).pending
    return {item: (mark.action, mark.label) for item, mark in found.items()}


def test_keys_mark_move_and_take_back(visitor, cleaner):
    dataset = cleaner[1]
    open_cleaner(visitor)
    press(visitor, "k", 2)
    press(visitor, "d", 3)
    press(visitor, "2", 4)
    press(visitor, "ArrowRight", 5)
    press(visitor, "ArrowLeft", 4)
    assert marked(dataset) == {"0": ("keep", ""), "1": ("delete", ""), "2": ("relabel", "g")}
    press(visitor, "u", 3)
    assert marked(dataset) == {"0": ("keep", ""), "1": ("delete", "")}
    visitor.page.reload()
    visitor.page.locator(".position b", has_text=re.compile("^3$")).wait_for()
    assert "1 to delete" in visitor.text()
    visitor.assert_no_fault()


def test_keys_work_after_a_click_and_never_while_something_is_typed(visitor, cleaner):
    dataset = cleaner[1]
    open_cleaner(visitor)
    visitor.page.locator(".position b").wait_for()
    before, place = marked(dataset), at(visitor)
    visitor.page.locator("[class*='st-key-clean-delete'] button").click()
    visitor.page.locator(".position b", has_text=re.compile(rf"^{place + 1}$")).wait_for()
    press(visitor, "k", place + 2)
    assert len(marked(dataset)) == len(before) + 2
    box = visitor.page.locator("[class*='st-key-clean-label'] input")
    box.click()
    for key in "kd":
        visitor.page.keyboard.press(key)
    visitor.page.keyboard.press("Backspace")
    visitor.page.keyboard.press("Backspace")
    assert len(marked(dataset)) == len(before) + 2, "keys typed into a box mark nothing"
    visitor.page.get_by_role("option", name="g", exact=True).click()
    visitor.page.locator(".position", has_text="of 12").wait_for()
    press(visitor, "d", 2)  # the box was made anew and does not swallow the key
    assert marked(dataset)["12"] == ("delete", "")
    visitor.page.get_by_text("By loss", exact=True).click()
    visitor.page.locator(".position", has_text="of 12").wait_for()
    visitor.settle()
    place = at(visitor)
    press(visitor, "ArrowRight", place + 1)
    visitor.assert_no_fault()


def test_the_next_large_pictures_are_there_before_they_are_asked_for(visitor, cleaner):
    visitor.open("/clean?view=one")
    visitor.page.locator(".position b").wait_for()
    visitor.page.wait_for_function(
        "() => [...document.querySelectorAll('.ahead img')].length === 3 &&"
        " [...document.querySelectorAll('.ahead img')].every(image => image.complete && image.naturalWidth > 0)"
    )


def test_on_a_phone_the_buttons_stand_right_under_the_picture(chromium, cleaner):
    phone = Visitor(chromium, cleaner[0], 390, 844)
    phone.open("/clean")
    phone.page.locator(".position b").wait_for()
    image = phone.page.locator(".suspect img").bounding_box()
    for name in ("keep", "delete", "to1"):
        button = phone.page.locator(f"[class*='st-key-clean-{name}'] button").first.bounding_box()
        assert image["y"] + image["height"] < button["y"] and button["y"] + button["height"] <= 844
    assert phone.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    phone.context.close()
