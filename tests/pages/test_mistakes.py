"""The predict page when the model was wrong: the picture is kept when somebody says so, and only then."""

import pytest

from core.data.catalogue import delete_dataset
from core.data.classes import rename_class
from core.data.mistakes import add_mistake, read_mistakes
from core.text import read
from core.ui import cache, mistakes
from core.ui.cache import Predictors
from core.workspace import new_id
from tests.conftest import make_toy
from tests.data.test_mistakes import picture
from tests.ui.support import Oracle, labels, markup, open_page, training_run, words


@pytest.fixture
def toy_set(lab, monkeypatch):
    oracle = Oracle({"r": 0.2, "g": 0.7, "b": 0.1})
    monkeypatch.setattr(Predictors, "_of_run", lambda self, model: oracle)
    return make_toy(lab.home)


@pytest.fixture
def run(toy_set):
    return training_run(toy_set)


def bring(model, *pictures, name="mine.png"):
    app = open_page("predict", model=model)
    for data in pictures:
        app.file_uploader(key="predict.files").upload(name, data, "image/png")
    return app.run()


def box(app):
    return next((box for box in app.selectbox if box.key.startswith("wrong.label.0.")), None)


def button(app):
    return next(button for button in app.button if button.key.startswith("wrong.keep.0."))


def keep(app, label):
    box(app).set_value(label).run()
    return button(app).click().run()


def healthy(app):
    return not app.exception and not app.error


def test_a_wrong_answer_is_kept_with_its_right_class(toy_set, run):
    app = bring(run.id, picture())
    assert box(app).options == ["r", "b"]  # what the model said is no choice; what is likely comes first
    assert button(app).disabled and read("predict", "consent") in words(app)
    assert read_mistakes(toy_set).empty and "card-mistakes" not in markup(app)
    keep(app, "b")
    [row] = read_mistakes(toy_set).itertuples()
    assert (row.label, row.said, row.probability, row.run, row.name) == ("b", "g", 0.7, run.id, "mine.png")
    assert healthy(app) and "Kept as b." in words(app).replace("<em>", "").replace("</em>", "")
    assert "1 mistake" in words(app).replace("<em>", "") and f"/thumb/{row.file}.jpg" in words(app)


def test_a_picture_that_is_kept_takes_another_class(toy_set, run):
    app = bring(run.id, picture())
    keep(app, "b")
    keep(app, "r")
    assert list(read_mistakes(toy_set)["label"]) == ["r"] and healthy(app)


def test_the_way_to_train_on_them_starts_from_this_model(toy_set, run):
    app = keep(bring(run.id, picture()), "b")
    app.button(key="predict.mistakes").click().run()
    assert app.title[0].value == "Train a model"
    assert app.query_params["dataset"] == toy_set.id and app.selectbox(key="train.preset").value == "mistakes"
    assert app.query_params["start"] == f"{run.id}:last.safetensors"


def test_the_way_to_train_on_them_holds_for_a_run_that_saved_its_last_stage(toy_set, run):
    (run.path / "stage-0.safetensors").write_bytes(b"weights")
    app = keep(bring(run.id, picture()), "b")
    app.button(key="predict.mistakes").click().run()
    assert healthy(app) and app.selectbox(key="train.preset").value == "mistakes"
    assert app.query_params["start"] == f"{run.id}:stage-0.safetensors"


def test_a_mistake_is_removed_with_one_click(toy_set, run):
    app = keep(bring(run.id, picture()), "b")
    app.button(key=f"mistakes.remove.{read_mistakes(toy_set)['file'][0]}").click().run()
    assert healthy(app) and read_mistakes(toy_set).empty
    assert "predict.mistakes" not in [button.key for button in app.button] and box(app) is not None


def test_two_pictures_that_are_the_same_are_answered_both(toy_set, run):
    app = bring(run.id, picture(), picture())
    assert healthy(app) and len([box for box in app.selectbox if box.key.startswith("wrong.label.")]) == 2
    keep(app, "b")
    assert healthy(app) and len(read_mistakes(toy_set)) == 1


def test_nothing_is_kept_unless_somebody_says_so(lab, toy_set, run):
    before = sorted(lab.home.rglob("*"))
    app = bring(run.id, picture())
    box(app).set_value("b").run()
    marks = ("visits.json", ".lock")  # that the page was opened
    assert [path for path in sorted(lab.home.rglob("*")) if path not in before and path.name not in marks] == []
    assert read("predict", "privacy_own") in words(open_page("predict", model=run.id))
    assert read("predict", "privacy") in words(open_page("predict", model="demo"))


def test_neither_the_shipped_model_nor_a_sample_picture_has_the_control(run):
    assert box(bring("demo", picture())) is None
    app = open_page("predict", model=run.id)
    app.button(key="pick-predict-0").click().run()
    assert box(app) is None and healthy(app)


def test_a_model_whose_data_set_was_deleted_answers_without_the_control(toy_set, run):
    delete_dataset(toy_set)
    app = bring(run.id, picture())
    assert healthy(app) and "70 %" in words(app) and box(app) is None


def test_mistakes_of_an_earlier_visit_are_shown_newest_first_and_a_page_at_a_time(toy_set, run):
    for seed in range(mistakes.AT_ONCE + 1):
        add_mistake(toy_set, picture(seed), label="r", said="g", probability=0.5, run=run.id, name=f"{seed}.png")
    said = words(open_page("predict", model=run.id))
    assert "13 mistakes" in said.replace("<em>", "") and said.count("&mistake=1") == mistakes.AT_ONCE
    assert said.index('alt="12.png"') < said.index('alt="11.png"') and 'alt="0.png"' not in said


def test_a_label_that_is_no_class_any_more_is_said_and_not_trained_on(toy_set, run):
    add_mistake(toy_set, picture(), label="r", said="g", probability=0.5, run=run.id)
    rename_class(toy_set, "r", "red")
    app = open_page("predict", model=run.id)
    assert healthy(app) and read("predict", "class_gone") in words(app)
    assert "Train on the mistakes" not in labels(app)


def test_names_in_the_list_are_made_safe(toy_set, run):
    rename_class(toy_set, "r", "<b>red")
    hostile = {"label": "<b>red", "said": "<i>green", "name": '"><img src=x>.png'}
    add_mistake(toy_set, picture(), probability=0.5, run=run.id, **hostile)
    app = bring(run.id, picture())
    assert healthy(app)
    assert not [bad for bad in ("<b>red", "<i>green", "<img src=x>") if bad in markup(app)]


def test_a_set_that_is_full_or_damaged_is_said_beside_the_answer(toy_set, run, monkeypatch):
    monkeypatch.setattr("core.data.mistakes.MISTAKES_MAX", 0)
    app = keep(bring(run.id, picture()), "b")
    assert "mistakes already" in app.error[0].value and not app.exception
    (toy_set.path / "mistakes" / "mistakes.csv").write_text("torn")
    app = bring(run.id, picture())
    assert "is damaged" in app.error[0].value and "70 %" in words(app) and not app.exception


def test_in_a_class_the_page_says_that_it_is_for_you_alone(lab, toy_set, run, monkeypatch):
    owner = new_id()
    lab.workspace.root.rename(lab.home / owner)
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    monkeypatch.setattr("core.ui.state.owner_of", lambda cookie, key: owner)
    cache.settings.cache_clear()
    app = bring(run.id, picture())
    assert read("predict", "consent_class") in words(app) and "for you alone" in words(app)
