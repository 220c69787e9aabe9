"""What both pages about a model share: the model that is chosen, its pass, and what happens when either is missing."""

import pytest

from core.data.catalogue import delete_dataset
from core.data.edits import delete, place, relabel
from core.data.table import load_dataset
from core.interpret.reading import KIND
from core.train import runs, shelf
from tests.conftest import make_toy
from tests.ui.answers import finish, read, reading_run
from tests.ui.support import labels, open_page, training_run, words

PAGES = ("top_losses", "confusion")
both = pytest.mark.parametrize("name", PAGES)


def passes(lab):
    return runs.list_runs(lab.workspace, KIND)


def healthy(app):
    return not app.exception and not app.error


@both
def test_without_a_model_the_page_leads_to_training(lab, name):
    make_toy(lab.home)
    app = open_page(name)
    assert healthy(app) and "No model to read yet" in words(app)
    app.button(key=f"{name}.gate").click().run()
    assert app.title[0].value == "Train a model"


@both
def test_a_model_is_asked_by_itself_once_and_the_page_says_how_far_it_is(lab, name):
    dataset = make_toy(lab.home)
    model = training_run(dataset)
    app = open_page(name)
    [asked] = passes(lab)
    assert asked.request["run"] == model.id and asked.request["version"] == dataset.version
    assert healthy(app) and "36 pictures" in words(app) and "Stop" in labels(app)
    app.run()
    open_page(name)
    assert len(passes(lab)) == 1


@both
def test_the_page_is_there_as_soon_as_the_pass_is_done(lab, name):
    dataset = make_toy(lab.home)
    model, _ = read(dataset)
    app = open_page(name)
    assert healthy(app), words(app)
    assert app.query_params["model"] == [model.id] or app.query_params["model"] == model.id
    assert len(passes(lab)) == 1


@both
@pytest.mark.parametrize(
    ("state", "message", "sentence"),
    [("failed", "This model's answers are no numbers.", "no numbers"), ("stopped", None, "that was stopped")],
)
def test_a_pass_that_did_not_get_through_says_why_and_is_tried_again(lab, name, state, message, sentence):
    dataset = make_toy(lab.home)
    reading_run(training_run(dataset), dataset, state=state, message=message)
    app = open_page(name)
    assert not app.exception and sentence in words(app)
    app.button(key="reading.again").click().run()
    [asked] = passes(lab)
    assert asked.state == "queued" and healthy(app)
    run = runs.set_state(runs.set_state(asked, "starting"), "running")
    finish(run, dataset)
    runs.set_state(run, "done")
    assert healthy(app.run()) and "All answers as a table" in words(app)


@both
def test_a_pass_is_stopped_from_the_page(lab, name):
    dataset = make_toy(lab.home)
    training_run(dataset)
    app = open_page(name)
    [asked] = passes(lab)
    app.button(key=f"stop.{asked.id}").click().run()
    assert passes(lab)[0].state == "stopped"
    assert "Ask it again" in labels(app.run())


@both
def test_changed_data_is_asked_about_anew_and_the_older_answers_go(lab, name):
    dataset = make_toy(lab.home)
    _, old = read(dataset)
    relabel(dataset, {"0": "g"})
    open_page(name)
    [asked] = passes(lab)
    assert asked.id != old.id and asked.request["version"] == load_dataset(lab.workspace, dataset.id).version


@both
def test_a_class_that_the_model_does_not_know_is_shown_and_named(lab, name):
    dataset = make_toy(lab.home)
    model = training_run(dataset)
    valid = dataset.kept().query("split == 'valid'")["item"].iloc[0]
    dataset = relabel(dataset, {valid: "blue whale"}).dataset
    reading_run(model, dataset, classes=("b", "g", "r"))
    assert healthy(open_page(name))
    for part in ("classes", "sure", "numbers"):
        app = open_page("confusion", part=part)
        assert healthy(app), words(app)
    assert "unknown to this model" in words(open_page("confusion", part="classes"))
    assert "1 picture of a class that the model does not know" in words(open_page("confusion", part="numbers"))
    app = open_page("top_losses", map="label")
    assert "not known" in words(app) and "label=blue" not in words(app)


@both
def test_an_exam_without_pictures_is_said_and_nothing_is_divided_by_nothing(lab, name):
    dataset = make_toy(lab.home)
    valid = list(dataset.kept().query("split == 'valid'")["item"])
    dataset = place(dataset, dict.fromkeys(valid, "train")).dataset
    read(dataset)
    app = open_page(name)
    assert healthy(app) and "exam" in words(app)
    for part in ("classes", "sure", "numbers"):
        app = open_page("confusion", part=part)
        assert healthy(app) and "nothing to count" in words(app) and "nan" not in words(app)


@both
def test_a_model_that_was_deleted_meanwhile_is_said_and_another_is_read(lab, name):
    dataset = make_toy(lab.home)
    gone, _ = read(dataset)
    stays, _ = read(dataset)
    app = open_page(name, model=gone.id)
    assert healthy(app)
    shelf.delete(gone)
    app.run()
    assert "There is no model" in app.error[0].value and not app.exception
    assert app.selectbox(key="predict.model").value == stays.id
    assert healthy(app.run())


@both
def test_a_model_whose_data_set_is_gone_is_named_and_another_is_read(lab, name):
    gone, _ = read(make_toy(lab.home, name="gone"))
    stays, _ = read(make_toy(lab.home, name="stays", seed=1))
    delete_dataset(load_dataset(lab.workspace, gone.request["dataset"]))
    app = open_page(name, model=gone.id)
    assert healthy(app) and "have been deleted" in words(app)
    assert app.selectbox(key="predict.model").value == stays.id


@both
def test_the_shipped_model_has_no_pictures_here_and_nothing_is_said_about_it(lab, name):
    model, _ = read(make_toy(lab.home))
    app = open_page(name, model="demo")
    assert healthy(app) and app.selectbox(key="predict.model").value == model.id


@both
def test_pictures_that_changed_sides_are_told(lab, name):
    dataset = make_toy(lab.home)
    model = training_run(dataset)
    learned = list(dataset.kept().query("split == 'train'")["item"])[:2]
    dataset = place(dataset, dict.fromkeys(learned, "valid")).dataset
    reading_run(model, dataset)
    assert "learned from 2 pictures of today's exam" in words(open_page(name))


@both
def test_a_second_model_is_chosen_and_asked(lab, name):
    dataset = make_toy(lab.home)
    first, _ = read(dataset)
    second = training_run(dataset)
    app = open_page(name, model=first.id)
    assert healthy(app)
    app.selectbox(key="predict.model").set_value(second.id).run()
    assert healthy(app) and {run.request["run"] for run in passes(lab)} == {first.id, second.id}


@both
def test_pictures_that_were_deleted_since_change_the_version_and_ask_anew(lab, name):
    dataset = make_toy(lab.home)
    read(dataset)
    delete(dataset, ["0"])
    app = open_page(name)
    assert healthy(app) and "35 pictures" in words(app)


def test_no_engine_is_one_sentence(no_engine):
    training_run(make_toy(no_engine.home))
    app = open_page("top_losses")
    assert "engine does not answer" in app.error[0].value and not app.exception
