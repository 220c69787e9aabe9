"""Reading a model in a real browser: every cell of the matrix has its pictures, and every map of a picture loads."""

import re
import subprocess
import sys

import pytest

from core.data.samples import make_sample
from core.interpret.metrics import confusion
from core.interpret.reading import KIND, load_answers
from core.train.runs import list_runs
from core.workspace import Workspace
from tests.browser.conftest import READY, ROOT, Visitor, served

pytestmark = [pytest.mark.browser, pytest.mark.timeout(400)]
CLASSES = ("black", "grizzly", "teddy")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A server of its own, over bears of which some have a wrong label, and a model that learned from them."""
    home = tmp_path_factory.mktemp("reading")
    for _ in make_sample(Workspace(home), "bears", name="bears", per_class=24, noise=0.2):
        pass
    command = [sys.executable, "-m", "core", "--home", str(home), "train", "bears", "--epochs", "2"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=240)
    with served(home) as made:
        yield made


@pytest.fixture
def visitor(chromium, lab):
    made = Visitor(chromium, lab, 1366, 768)
    yield made
    made.context.close()


def exam(lab):
    """The answers about the exam, once the page has had the model asked."""
    [run] = list_runs(Workspace(lab.home), KIND)
    table = load_answers(run)
    return table[table["split"] == "valid"]


def open_matrix(visitor):
    visitor.open("/confusion")
    visitor.page.locator(".js-plotly-plot .heatmaplayer").wait_for(timeout=120_000)
    visitor.page.locator(".read-cell img").first.wait_for()
    visitor.settle()


def cell_at(visitor, row, column, of, *, at=(0.5, 0.5)):
    """A place in a cell, `at` shares of its width and height."""
    box = visitor.page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    return box["x"] + box["width"] * (column + at[0]) / of, box["y"] + box["height"] * (row + at[1]) / of


def click(visitor, x, y):
    """As a hand does it: Plotly looks for what is under a pointer every 50 ms, and no hand is that quick."""
    visitor.page.mouse.move(x, y)
    visitor.page.wait_for_timeout(100)
    visitor.page.mouse.click(x, y)


def test_a_click_on_any_cell_shows_exactly_as_many_pictures_as_it_says(visitor, lab):
    open_matrix(visitor)
    table = exam(lab)
    counts = confusion(table["label"], table["predicted"], CLASSES)
    assert (counts > 0).sum() > len(CLASSES), "some bears are mixed up"
    visitor.page.evaluate("document.querySelector('.js-plotly-plot').dataset.before = 'yes'")
    for row, actual in enumerate(CLASSES):
        for column, said in enumerate(CLASSES):
            click(visitor, *cell_at(visitor, row, column, len(CLASSES), at=(0.1, 0.85)))
            visitor.page.wait_for_url(re.compile(f"actual={actual}&said={said}|said={said}&actual={actual}"))
            visitor.settle()
            note = f"{counts[row, column]} of {counts[row].sum()}"
            visitor.page.locator("[data-testid=stMain] .note em", has_text=re.compile(f"^{note}$")).wait_for()
            files = sorted(table[(table["label"] == actual) & (table["predicted"] == said)]["file"])
            visitor.page.wait_for_function(f"document.querySelectorAll('.read-cell img').length === {len(files)}")
            shown = visitor.page.locator(".read-cell img").evaluate_all("all => all.map(one => one.src)")
            assert sorted(re.search(r"/thumb/(\w+)\.jpg", source)[1] for source in shown) == files
    assert visitor.page.evaluate("document.querySelector('.js-plotly-plot').dataset.before") == "yes"
    visitor.assert_no_fault()


def test_a_tap_chooses_the_cell_under_the_finger(chromium, lab):
    visitor = Visitor(chromium, lab, 768, 1024, touch=True)
    open_matrix(visitor)
    for place in ((0, 0), (1, 2), (2, 1), (2, 1)):
        visitor.page.wait_for_timeout(300)  # no hand is quicker
        visitor.page.touchscreen.tap(*cell_at(visitor, *place, len(CLASSES)))
        actual, said = (CLASSES[one] for one in place)
        visitor.page.wait_for_url(re.compile(f"actual={actual}&said={said}|said={said}&actual={actual}"))
        visitor.settle()
    visitor.assert_no_fault()
    visitor.context.close()


def test_a_cell_is_chosen_by_keyboard_and_kept_by_a_refresh(visitor, lab):
    open_matrix(visitor)
    for name, wanted in (("What it is", "teddy"), ("What the model said", "teddy")):
        box = visitor.page.get_by_role("combobox", name=re.compile(name))
        box.focus()
        box.press("Enter")
        visitor.page.keyboard.type(wanted)
        visitor.page.keyboard.press("Enter")
        visitor.settle()
    visitor.page.get_by_text("pictures of teddy were recognised").wait_for()
    visitor.page.reload()
    visitor.page.get_by_text("pictures of teddy were recognised").wait_for()
    visitor.assert_no_fault()


def test_every_part_of_the_page_opens_by_a_click(visitor, lab):
    open_matrix(visitor)
    for name, shown in (
        ("Class by class", "F1"),
        ("How sure it is", "Not sure below"),
        ("What the numbers are", "Softmax"),
    ):
        visitor.page.get_by_text(name, exact=True).first.click()
        visitor.page.locator("[data-testid=stMain]", has_text=shown).wait_for()
        visitor.settle()
    visitor.assert_no_fault()


def test_the_maps_of_the_nine_load_and_each_leads_to_itself_in_large(visitor, lab):
    statuses = []
    visitor.page.on("response", lambda one: statuses.append(one.status) if "/heat/" in one.url else None)
    visitor.open("/top_losses")
    visitor.page.locator(".read-card img").first.wait_for(timeout=120_000)
    visitor.settle()
    for name in ("Heat map for what it said", "for what it is"):
        before = visitor.page.locator(".read-card img").first.get_attribute("src")  # it is wrong: its maps differ
        visitor.page.get_by_text(name, exact=True).click()
        visitor.page.locator(f".read-card img[src='{before}']").wait_for(state="detached")
        visitor.page.wait_for_function(
            "() => { const all = [...document.querySelectorAll('.read-card img')];"
            " return all.length === 9 && all.every(one => one.src.includes('/heat/') && one.naturalWidth > 0) }",
            timeout=60_000,
        )
        visitor.settle()
    assert len(statuses) > 9 and set(statuses) == {200}, "the maps of wrong answers are two, those of right ones one"
    with visitor.context.expect_page() as opened:
        visitor.page.locator(".read-card a").first.click()
    assert "/heat/" in opened.value.url
    visitor.assert_no_fault()


def test_a_picture_is_cleaned_from_its_card(visitor, lab):
    visitor.open("/top_losses?sort=wrong")
    card = visitor.page.locator(".read-card").nth(1)
    card.wait_for()
    name = card.locator("a").first.get_attribute("title")
    card.get_by_text("Clean", exact=True).click()
    visitor.page.wait_for_url("**/clean?**")
    visitor.page.locator(".position b").wait_for(timeout=120_000)
    visitor.page.locator("[data-testid=stMain]", has_text=name.split("/")[-1]).wait_for()
    visitor.assert_no_fault()


def test_on_a_phone_nothing_is_wider_than_the_screen(chromium, lab):
    phone = Visitor(chromium, lab, 390, 844)
    for address in (
        "/top_losses",
        "/confusion",
        "/confusion?part=classes",
        "/confusion?part=sure",
        "/confusion?part=numbers",
    ):
        phone.open(address)
        phone.page.locator(".see").first.wait_for()
        phone.page.wait_for_selector(READY)
        wide = phone.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth - window.innerWidth")
        assert wide <= 0, address
    phone.assert_no_fault()
    phone.context.close()
