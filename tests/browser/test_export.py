"""A model in a real browser: taken along, asked without Bearings, brought back as another one's, and deleted."""

import json
import subprocess
import sys
import urllib.request
import zipfile

import pytest

from core.deploy import demo
from tests.browser.conftest import Visitor, served
from tests.deploy.hostile_models import HOSTILE

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]
PICTURE = demo.HERE / "teddy_b.jpg"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with served(tmp_path_factory.mktemp("export")) as made:
        yield made


@pytest.fixture
def visitor(chromium, server):
    made = Visitor(chromium, server, 1366, 768)
    yield made
    made.context.close()


def ask(server, model):
    """What the API says about a picture."""
    address, headers = f"{server.url}/api/v1/predict/{model}", {"content-type": "image/jpeg"}
    request = urllib.request.Request(address, PICTURE.read_bytes(), headers, method="POST")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["probabilities"]


def test_a_model_goes_out_answers_alone_and_comes_back(visitor, server, tmp_path):
    visitor.open("/export?model=demo")
    page = visitor.page
    link = page.get_by_role("link", name="Download the model")
    box = link.bounding_box()
    assert box["y"] + box["height"] < 768 and "wrong" in visitor.text()
    with page.expect_download() as waiting:
        link.click()
    name = waiting.value.suggested_filename
    waiting.value.save_as(tmp_path / name)
    with zipfile.ZipFile(tmp_path / name) as archive:
        card = json.loads(archive.read("bearings.json"))
        archive.extractall(tmp_path / "alone")
    assert name == f"model-{card['run']}-{card['sha256'][:12]}.zip"

    command = [sys.executable, "-I", str(tmp_path / "alone" / "predict.py"), str(PICTURE)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    alone = json.loads(ran.stdout)[0]["probabilities"]
    assert alone == pytest.approx(ask(server, "demo"), abs=1e-5)

    page.get_by_text("Bring a model", exact=True).click()
    page.locator("[data-testid=stFileUploader] input").set_input_files(tmp_path / name)
    page.get_by_text("is here now").wait_for()
    visitor.settle()
    kept = page.url.split("model=")[1]
    assert ask(server, kept) == pytest.approx(alone, abs=1e-5)
    visitor.open(f"/predict?model={kept}")
    assert "this model came without any" in visitor.text()
    visitor.assert_no_fault()

    visitor.open(f"/export?model={kept}")
    page.get_by_text("Bring a model", exact=True).click()
    visitor.press("Delete")
    visitor.press("Delete it for good")
    page.get_by_text("brought along").first.wait_for(state="detached")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(server, kept)
    visitor.assert_no_fault()


def test_a_file_that_could_run_code_is_refused_on_the_page(visitor, tmp_path):
    path = HOSTILE["pickle_with_our_ending"](tmp_path, tmp_path / "ran")
    visitor.open("/export")
    visitor.page.get_by_text("Bring a model", exact=True).click()
    visitor.page.locator("[data-testid=stFileUploader] input").set_input_files(path)
    visitor.page.get_by_text("is a Python pickle").wait_for()
    assert not (tmp_path / "ran").exists()
    visitor.assert_no_fault()
