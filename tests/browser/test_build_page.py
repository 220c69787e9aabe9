"""The build page in a real browser: pictures from files and from the camera, classes by dialog, a zip to take along."""

import re
import zipfile

import pytest

from core.data.table import list_datasets, load_dataset
from core.deploy import demo
from core.workspace import Workspace
from tests.browser.conftest import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
HOSTILE = "<img src=x onerror=alert(1)>"


def files(pictures):
    return [
        {"name": f"{HOSTILE}{place}.jpg", "mimeType": "image/jpeg", "buffer": picture.jpeg}
        for place, picture in enumerate(pictures)
    ]


@pytest.fixture(scope="module")
def own_set(chromium, server):
    """A set with the classes a hostile name and otter, made through the page; six pictures in the first."""
    visitor = Visitor(chromium, server, 1366, 768)
    visitor.open("/build?new=1&way=own")
    visitor.page.get_by_placeholder("for example pets").fill("handmade")
    visitor.page.get_by_placeholder("for example cat").fill(f"{HOSTILE}, otter")
    visitor.press("Begin")
    visitor.page.get_by_text("Choose as many pictures").wait_for()
    visitor.page.locator("input[type=file]").first.set_input_files(
        [*files(demo.pictures()), {"name": "no.jpg", "mimeType": "image/jpeg", "buffer": b"no picture"}]
    )
    visitor.page.get_by_text(re.compile("Added: 6 pictures")).wait_for(timeout=120_000)
    visitor.settle()
    visitor.page.get_by_text("could not be used: 1").wait_for()
    visitor.assert_no_fault()
    visitor.context.close()
    return next(dataset for dataset in list_datasets(Workspace(server.home)) if dataset.name == "handmade")


def test_files_land_in_the_class_that_was_chosen(own_set):
    kept = load_dataset(own_set.workspace, own_set.id).kept()
    assert set(kept["label"]) == {HOSTILE} and len(kept) == 6
    assert not list(own_set.workspace.folder("uploads").iterdir())


def test_hostile_names_are_text_in_every_part_and_fit_a_phone(phone, own_set):
    for part in ("pictures", "bring", "classes", "split", "take"):
        phone.open(f"/build?dataset={own_set.id}&part={part}")
        widths = phone.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert widths[0] <= widths[1], part
        phone.assert_no_fault()


def test_a_class_is_renamed_and_deleted_and_the_bin_gives_it_back(visitor, own_set):
    visitor.open(f"/build?dataset={own_set.id}&part=classes")
    visitor.press("Change otter")
    visitor.page.get_by_text("Rename", exact=True).first.click()
    box = visitor.page.locator(".st-key-classes-rename input")
    box.fill("sea otter")
    box.press("Enter")
    visitor.page.locator(".st-key-classes-rename-do button").click()
    visitor.page.get_by_role("button", name="Take back: renamed otter to sea otter").wait_for()
    visitor.press(f"Change {HOSTILE}")
    visitor.page.get_by_text("Delete", exact=True).first.click()
    visitor.page.get_by_text("In the bin: 6 pictures").click()
    visitor.page.locator(".st-key-bin-all button").click()
    visitor.page.get_by_text("In the bin").wait_for(state="detached")
    visitor.settle()
    assert f"dataset={own_set.id}" in visitor.page.url  # also though the line that names the set changed meanwhile
    kept = load_dataset(own_set.workspace, own_set.id).kept()
    assert len(kept) == 6
    visitor.assert_no_fault()


def test_the_camera_puts_one_picture_into_its_class_for_each_press(visitor, own_set):
    visitor.open(f"/build?dataset={own_set.id}&part=bring&way=camera&label=seal")
    for count in (1, 2):
        visitor.page.wait_for_timeout(700)  # the camera's figure moves on
        visitor.page.get_by_role("button", name="Take Photo").click()
        visitor.page.locator(".chips .on", has_text=f"seal {count}").wait_for()
    visitor.assert_no_fault()
    assert list(load_dataset(own_set.workspace, own_set.id).kept()["source"]).count("camera") == 2


def test_the_set_is_taken_along_as_a_zip(visitor, own_set, tmp_path):
    visitor.open(f"/build?dataset={own_set.id}&part=take")
    with visitor.page.expect_download() as started:
        visitor.page.locator("a.download").click()
    assert started.value.suggested_filename == "handmade.zip"
    started.value.save_as(tmp_path / "it.zip")
    assert sum(name.endswith(".jpg") for name in zipfile.ZipFile(tmp_path / "it.zip").namelist()) >= 6
