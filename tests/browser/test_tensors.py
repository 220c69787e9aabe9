"""Tensors in a real browser: the zoom into the numbers, a product played and stepped; keys and reduced motion."""

import re

import pytest
from PIL import Image

from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]
PARTS = ("pixels", "ranks", "product", "answer", "stretch")


@pytest.fixture
def still(chromium, server):
    """A visitor who asked for less motion."""
    made = Visitor(chromium, server, 1366, 768)
    made.page.emulate_media(reduced_motion="reduce")
    yield made
    made.context.close()


def open_part(visitor, part, more=""):
    visitor.open(f"/tensors?part={part}{more}")
    visitor.page.locator(".zoom, .ranks, .product, table.steps").first.wait_for()


def stage_of(visitor):
    return visitor.page.locator(".zoom .frame").get_attribute("data-stage")


def wait_for_stage(visitor, stage):
    visitor.page.locator(f'.zoom .frame[data-stage="{stage}"]').wait_for()


@pytest.mark.parametrize("part", PARTS)
def test_each_part_opens_cold_and_shows_its_main_thing_without_scrolling(visitor, part):
    open_part(visitor, part)
    main = visitor.page.locator(".zoom .frame, .ranks, .product .tables, table.steps").first.bounding_box()
    assert main["y"] + min(main["height"], 300) < 768
    visitor.assert_no_fault()


@pytest.mark.parametrize("part", PARTS)
def test_each_part_fits_a_phone(phone, part):
    open_part(phone, part, "&case=layer")
    widths = phone.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert widths[0] <= widths[1]
    phone.assert_no_fault()


def test_playing_goes_from_the_picture_to_the_324_numbers_and_a_link_brings_them_back(visitor):
    open_part(visitor, "pixels")
    assert stage_of(visitor) == "224"
    visitor.page.get_by_role("button", name="Zoom to the numbers").click()
    for stage in ("112", "56", "28", "18", "numbers"):
        wait_for_stage(visitor, stage)
    cells = visitor.page.locator(".zoom td")
    assert cells.count() == 324 and all(0 <= int(value) <= 255 for value in cells.all_inner_texts())
    visitor.page.wait_for_url(re.compile("side=numbers"))
    red = cells.all_inner_texts()
    visitor.page.locator(".zoom").get_by_role("button", name="Blue").click()
    visitor.page.wait_for_url(re.compile("channel=blue"))
    blue = cells.all_inner_texts()
    assert blue != red
    visitor.open("/tensors?side=numbers&channel=blue")
    wait_for_stage(visitor, "numbers")
    assert cells.all_inner_texts() == blue
    visitor.assert_no_fault()


def test_pointing_at_a_place_reads_its_three_numbers(visitor):
    open_part(visitor, "pixels", "&side=numbers")
    wait_for_stage(visitor, "numbers")
    third = visitor.page.locator(".zoom tr").nth(2).locator("td").nth(4)
    third.hover()
    said = visitor.page.locator(".zoom .cell").inner_text()
    assert said.startswith("Row 3, column 5: red ") and f"red {third.inner_text()}," in said


def test_the_zoom_pauses_and_follows_the_keys(visitor):
    open_part(visitor, "pixels")
    zoom = visitor.page.locator(".zoom")
    zoom.focus()
    visitor.page.keyboard.press("Space")
    wait_for_stage(visitor, "112")
    visitor.page.keyboard.press("Space")
    visitor.page.get_by_role("button", name="Zoom to the numbers").wait_for()
    visitor.page.keyboard.press("r")
    wait_for_stage(visitor, "224")
    visitor.page.keyboard.press("ArrowRight")
    wait_for_stage(visitor, "112")
    visitor.page.keyboard.press("ArrowLeft")
    wait_for_stage(visitor, "224")
    visitor.page.get_by_role("slider", name="Pixels on a side").fill("4")
    wait_for_stage(visitor, "18")
    visitor.page.wait_for_url(re.compile("side=18"))
    visitor.assert_no_fault()


def test_nothing_moves_by_itself_for_whoever_asked_for_that(still):
    open_part(still, "pixels")
    still.page.get_by_role("button", name="Zoom to the numbers").click()
    wait_for_stage(still, "numbers")
    assert (
        still.page.locator(".zoom .frame > .on").first.evaluate("e => getComputedStyle(e).transitionDuration") == "0s"
    )
    open_part(still, "product")
    still.page.get_by_role("button", name="Play").click()
    assert filled(still) == 1
    still.page.wait_for_timeout(1500)
    assert filled(still) == 1


def filled(visitor):
    return sum(text != "" for text in visitor.page.locator(".product figure.open td").all_inner_texts())


def test_a_product_is_stepped_played_and_paused(visitor):
    open_part(visitor, "product")
    visitor.page.get_by_role("button", name="Step").click()
    visitor.page.get_by_role("button", name="Step").click()
    assert filled(visitor) == 2 and visitor.page.locator(".product td.now").inner_text() == "0.50"
    assert visitor.page.locator(".product .sum").inner_text() == "−0.50 × 3.00 + 1.00 × 2.00 = 0.50"
    assert visitor.page.locator(".product circle.on").count() == 2
    visitor.page.locator(".product").focus()
    visitor.page.keyboard.press("ArrowLeft")
    assert filled(visitor) == 1
    visitor.page.keyboard.press("Space")
    visitor.page.get_by_role("button", name="Pause").wait_for()
    visitor.page.get_by_role("button", name="Play", exact=True).wait_for()  # it ends with the last cell
    assert filled(visitor) == 5 and visitor.page.locator(".product .line.on").count() == 1
    visitor.page.keyboard.press("r")
    assert filled(visitor) == 0
    visitor.assert_no_fault()


def test_the_real_layer_is_filled_and_both_products_are_timed_here(visitor):
    open_part(visitor, "product", "&case=layer")
    visitor.page.get_by_role("button", name="All", exact=True).click()
    assert filled(visitor) == 15
    assert "from 506 more" in visitor.page.locator(".product .sum").inner_text()
    visitor.page.get_by_role("button", name="Time both").click()
    visitor.page.get_by_text("(64, 512) @ (512, 3)").wait_for()
    times = [float(found.replace(",", "")) for found in re.findall(r"([\d.,]+) times as long", visitor.text())]
    assert len(times) == 4 and times[2] > 20  # three rows and the sentence about the last
    visitor.assert_no_fault()


def test_a_picture_of_one_s_own_is_zoomed_and_a_bad_one_is_a_sentence(visitor, tmp_path):
    open_part(visitor, "pixels", "&side=numbers")
    before = visitor.page.locator(".zoom td").all_inner_texts()
    visitor.page.get_by_role("button", name="Your own").click()
    place = visitor.page.locator("[data-testid=stFileUploader] input")
    place.set_input_files({"name": "bad.png", "mimeType": "image/png", "buffer": b"no picture"})
    visitor.page.get_by_text("bad.png could not be used").wait_for()
    Image.new("RGB", (60, 60), (200, 30, 90)).save(tmp_path / "mine.png")
    place.set_input_files(tmp_path / "mine.png")
    visitor.page.get_by_text("This one is yours").wait_for()
    visitor.settle()
    values = {int(value) for value in visitor.page.locator(".zoom td").all_inner_texts()}
    assert values and max(values) - min(values) <= 2 and abs(max(values) - 200) <= 4 and len(before) == 324
    visitor.assert_no_fault()
