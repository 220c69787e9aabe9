"""Where it looks in a real browser: heat maps and nearest pictures arrive, a click on a point shows its picture."""

import re

import pytest

from tests.browser.conftest import Visitor, served

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(420)]
POINTS = ".js-plotly-plot .scatterlayer .point"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with served(tmp_path_factory.mktemp("looks"), bears=12) as server:
        yield server


@pytest.fixture(scope="module")
def trained(lab, chromium):
    """The address of a model of the bears, trained as a person does it."""
    visitor = Visitor(chromium, lab, 1366, 768)
    visitor.open("/train?preset=quick")
    visitor.press("Train")
    visitor.page.get_by_role("button", name=re.compile("Read the model")).wait_for(timeout=120_000)
    run = re.search(r"run=([a-z2-7]{26})", visitor.page.url)[1]
    visitor.context.close()
    return run


@pytest.fixture
def visitor(chromium, lab):
    made = Visitor(chromium, lab, 1366, 768)
    yield made
    made.context.close()


def arrived(visitor, selector):
    """Addresses of the pictures in a part of the page, once all of them are there; none may be broken."""
    images = visitor.page.locator(f"{selector} img")
    images.first.wait_for()
    visitor.page.wait_for_function(
        "selector => [...document.querySelectorAll(selector)].every(one => one.complete)", arg=f"{selector} img"
    )
    widths = images.evaluate_all("all => all.map(one => one.naturalWidth)")
    assert widths and all(widths), widths
    return images.evaluate_all("all => all.map(one => one.getAttribute('src'))")


def test_heat_maps_and_nearest_pictures_arrive_and_covering_says_what_it_costs(visitor, trained):
    visitor.open(f"/where_it_looks?model={trained}")
    visitor.page.locator(".near").wait_for(timeout=60_000)
    heat = next(source for source in arrived(visitor, "figure.look") if source.startswith("/heat/"))
    answer = visitor.context.request.get(visitor.server.url + heat)
    assert answer.status == 200 and answer.headers["content-type"] == "image/jpeg"
    assert len(arrived(visitor, ".near")) == 5
    visitor.page.get_by_text("Check it by covering").first.click()
    visitor.page.get_by_text(re.compile("The two maps|nothing to compare")).wait_for(timeout=60_000)
    assert len(arrived(visitor, "figure.look")) == 3 and "cover=1" in visitor.page.url
    visitor.page.reload()
    visitor.page.get_by_text(re.compile("The two maps|nothing to compare")).wait_for(timeout=60_000)
    visitor.assert_no_fault()


def test_another_picture_and_another_class_change_the_map(visitor, trained):
    visitor.open(f"/where_it_looks?model={trained}")
    visitor.page.locator(".near").wait_for(timeout=60_000)
    before = arrived(visitor, "figure.look")
    visitor.page.locator(".st-key-pick-looks-1 button").click()
    visitor.page.wait_for_url(re.compile("item="))
    visitor.page.locator(".st-key-looks-how button").nth(1).click()
    visitor.page.wait_for_url(re.compile("for="))
    visitor.settle()
    assert not set(before) & set(arrived(visitor, "figure.look"))
    visitor.assert_no_fault()


def test_a_click_on_a_point_of_the_map_shows_its_picture(visitor, trained):
    visitor.open(f"/where_it_looks?model={trained}&show=map")
    visitor.page.locator(POINTS).first.wait_for(timeout=60_000)
    assert visitor.page.locator(POINTS).count() == 36
    visitor.page.locator(POINTS).nth(35).click(force=True)
    visitor.page.wait_for_url(re.compile("item="))
    [shown] = arrived(visitor, ".st-key-card-looks-map figure.look")
    assert shown.startswith("/thumb/") and len(arrived(visitor, ".st-key-card-looks-map .near")) == 5
    item = re.search("item=([^&]+)", visitor.page.url)[1]
    visitor.press("Look closer")
    visitor.page.wait_for_url(re.compile("show=picture"))
    assert f"item={item}" in visitor.page.url and shown in arrived(visitor, "figure.look")
    visitor.assert_no_fault()


def test_a_tap_on_a_point_of_the_map_shows_its_picture(chromium, lab, trained):
    visitor = Visitor(chromium, lab, 768, 1024, touch=True)
    visitor.open(f"/where_it_looks?model={trained}&show=map")
    visitor.page.locator(POINTS).first.wait_for(timeout=60_000)
    box = visitor.page.locator(POINTS).nth(35).bounding_box()
    visitor.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visitor.page.wait_for_url(re.compile("item="))
    assert len(arrived(visitor, ".st-key-card-looks-map figure.look")) == 1
    visitor.assert_no_fault()
    visitor.context.close()


def test_the_inside_of_the_network_shows_maps_and_cuts(visitor, trained):
    visitor.open(f"/where_it_looks?model={trained}&show=inside")
    visitor.page.locator(".blocks figure").first.wait_for(timeout=120_000)
    assert len(arrived(visitor, ".blocks")) == 18
    visitor.assert_no_fault()


@pytest.mark.parametrize("part", ["picture", "map", "inside"])
def test_the_figure_fits_a_laptop_and_a_phone_without_scrolling_sideways(chromium, lab, trained, part):
    figure = {"picture": "figure.look", "map": ".js-plotly-plot", "inside": ".blocks figure"}[part]
    for width, height in ((1366, 768), (390, 844)):
        visitor = Visitor(chromium, lab, width, height)
        visitor.open(f"/where_it_looks?model={trained}&show={part}")
        visitor.page.locator(figure).first.wait_for(timeout=120_000)
        visitor.settle()
        main = visitor.page.locator("[data-testid=stMain]")
        assert main.evaluate("one => one.scrollWidth <= one.clientWidth")
        if width == 1366:
            box = visitor.page.locator(figure).first.bounding_box()
            assert box["y"] + box["height"] <= height
        visitor.context.close()
