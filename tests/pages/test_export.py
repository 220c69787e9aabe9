"""Take it along: the file, the card, other forms, the address for programs, and models that come back."""

import pytest

from core.deploy.imported import import_model, list_imported
from core.text import read
from core.ui import cache, exporting, models
from core.workspace import new_id
from tests.conftest import make_toy
from tests.deploy.bundles import exported
from tests.deploy.hostile_models import HOSTILE
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.support import labels, markup, open_page, training_run, words

CARD = {
    "run": "a" * 26,
    "classes": ["b", "g", "r"],
    "architecture": {"backbone": "lite0", "weights": "", "body": "stored"},
    "preprocessing": {"size": 64},
    "metrics": {"wrong": 3, "of": 12},
    "dataset": {"id": "a" * 26, "name": "toy", "version": "b" * 64},
    "sha256": "c" * 64,
}


@pytest.fixture
def known(lab, monkeypatch):
    """A run whose weights nobody has to read."""
    monkeypatch.setattr(exporting, "card", lambda model: {**CARD, "run": model.id})
    return training_run(make_toy(lab.home))


def zipped(tmp_path, **options):
    exported(tmp_path / "m.zip", **options)
    return (tmp_path / "m.zip").read_bytes()


def test_the_newest_model_is_offered_with_its_file_its_size_and_its_card(known):
    app = open_page("export")
    said = markup(app)
    assert f'href="/model/{known.id}.zip"' in said and "about 19 MB" in said
    for words_of_it in ("predict.py", "59 lines", "Pillow, torch and timm", "3 of 12 wrong (25 %)", "b, g and r"):
        assert words_of_it in words(app)
    assert "**3 of 12**" in read("export", "score").replace("{wrong} of {of}", "3 of 12")


def test_without_a_model_of_your_own_the_shipped_one_can_be_taken_along(lab):
    app = open_page("export")
    assert not app.error and 'href="/model/demo.zip"' in markup(app) and "3 of 120 wrong" in words(app)


def test_a_model_that_is_not_yours_gives_a_sentence_and_another_one(known):
    app = open_page("export", model=new_id())
    assert "There is no model" in app.error[0].value and f"/model/{known.id}.zip" in markup(app)


def test_a_damaged_file_is_told_and_the_way_back_stays(lab):
    training_run(make_toy(lab.home))  # its weights are no weights
    app = open_page("export")
    assert not app.exception and "cannot be taken along" in words(app) and "is damaged" in words(app)
    assert app.file_uploader(key="export.bring.0") is not None


@pytest.mark.parametrize("name", HOSTILE_NAMES[:12])
def test_a_hostile_class_is_harmless_in_the_card(lab, monkeypatch, name):
    monkeypatch.setattr(exporting, "card", lambda model: {**CARD, "classes": [name, "b"]})
    app = open_page("export")
    said = "\n".join(element.value for element in app.markdown)
    assert not app.exception and "<script" not in said and "<img" not in said and "](" not in said


def test_the_example_has_the_address_of_this_model(known):
    code = "\n".join(element.value for element in open_page("export").code)
    assert f"/api/v1/predict/{known.id}" in code and "curl -F image=@photo.jpg" in code
    assert "300 times a minute" in words(open_page("export"))


def test_what_onnx_lacks_is_said_in_one_sentence(known, monkeypatch):
    from core.ui import export

    monkeypatch.setattr(export, "lacking", lambda form: ("onnx", "onnxscript") if form == "onnx" else ())
    app = open_page("export")
    assert "pip install onnx onnxscript" in words(app)
    assert read("export", "make_onnx") not in labels(app) and read("export", "make_pt2") in labels(app)


def test_another_form_is_made_when_it_is_asked_for_and_then_offered(known, lab, monkeypatch):
    made = []

    def make(workspace, model, form):
        made.append((workspace.owner, model.id, form))
        path = lab.home / "x.pt2"
        path.write_bytes(b"x")
        return path, "x.pt2"

    monkeypatch.setattr(exporting, "make", make)
    app = open_page("export")
    app.button(key="export.pt2").click().run()
    assert made == [("local", known.id, "pt2")] and f"/model/{known.id}.pt2" in markup(app)
    assert not (lab.home / "x.pt2").exists()


def test_a_model_that_is_brought_stands_among_the_others_and_answers(lab, tmp_path):
    app = open_page("export")
    app.file_uploader(key="export.bring.0").upload("my <b>bears.zip", zipped(tmp_path), "application/zip").run()
    assert not app.exception and not app.error
    [kept] = list_imported(lab.workspace)
    assert "is here now: black, grizzly, teddy" in words(app) and app.query_params["model"] == kept.id
    assert not [path for path in (lab.workspace.cache / "exports").rglob("*") if path.is_file()]
    page = open_page("predict", model=kept.id)
    assert not page.exception and not page.error and read("predict", "empty_brought") in words(page)
    said = cache.predictors().predict(models.find_model(lab.workspace, kept.id), picture())
    assert set(said.probabilities) == {"black", "grizzly", "teddy"}


def picture():
    return next(iter(cache.demo_pictures().values())).jpeg


def test_the_same_model_again_is_said_to_be_there(lab, tmp_path):
    data = zipped(tmp_path)
    import_model(lab.workspace, tmp_path / "m.zip")
    app = open_page("export")
    app.file_uploader(key="export.bring.0").upload("m.zip", data, "application/zip").run()
    assert read("export", "brought_again") in words(app) and len(list_imported(lab.workspace)) == 1


@pytest.mark.parametrize("name", ["torch_save", "pickle_with_our_ending", "one_flipped_bit", "unknown_backbone"])
def test_a_hostile_upload_leaves_a_sentence_and_nothing_else(lab, tmp_path, name):
    marker = tmp_path / "ran"
    data = HOSTILE[name](tmp_path, marker).read_bytes()
    app = open_page("export")
    app.file_uploader(key="export.bring.0").upload("evil.zip", data, "application/zip").run()
    assert len(app.error) == 1 and not app.exception and not marker.exists()
    assert list_imported(lab.workspace) == [] and not list(lab.home.rglob("*evil*"))


def test_a_model_that_was_brought_can_be_deleted(lab, tmp_path):
    zipped(tmp_path)
    kept = import_model(lab.workspace, tmp_path / "m.zip")
    app = open_page("export", model=kept.id)
    app.button(key=f"export.delete.{kept.id}").click().run()
    assert list_imported(lab.workspace)
    app.button(key="export.delete.do").click().run()
    assert list_imported(lab.workspace) == [] and not app.exception and "model" not in app.query_params
