"""Every page, each alone and cold: over an empty workspace, over a prepared one, and with addresses that are wrong."""

import ast

import pytest

from core.text import sections
from core.train import runs
from core.ui.page import PAGES
from core.workspace import Workspace, new_id
from tests.conftest import make_toy
from tests.ui.support import ROOT, labels, markup, open_page, training_run, words

FILES = sorted((ROOT / "pages").glob("*.py"))


def healthy(app):
    return not app.exception and not app.error


def test_the_table_of_pages_names_exactly_the_files_on_disk():
    assert sorted(PAGES) == [file.stem for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_page_is_thin_and_keeps_its_words_elsewhere(file):
    source = file.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 80
    defined = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    assert all(node.end_lineno - node.lineno < 15 for node in defined)
    assert not any(isinstance(node, (ast.For, ast.While)) and file.stem != "home" for node in ast.parse(source).body)
    assert {"goal", "try", "behind"} <= set(sections(file.stem))


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_cold_over_an_empty_workspace(lab, name):
    app = open_page(name)
    assert healthy(app), words(app)
    assert app.title[0].value


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_cold_over_a_prepared_workspace(lab, name):
    training_run(make_toy(lab.home))
    app = open_page(name)
    assert healthy(app), words(app)


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("train", "run"),
        ("build", "job"),
        ("predict", "model"),
        ("lr_finder", "finder"),
        ("top_losses", "model"),
        ("confusion", "model"),
    ],
)
@pytest.mark.parametrize("wanted", ["<b>../../etc", "a" * 26])
def test_an_address_that_is_not_yours_gives_one_sentence_and_a_way_on(lab, name, key, wanted):
    make_toy(lab.home)
    app = open_page(name, **{key: wanted})
    assert len(app.error) == 1 and not app.exception
    assert "There is no" in app.error[0].value or "no run of this page" in app.error[0].value
    assert "Traceback" not in words(app) and labels(app)


def test_a_run_of_somebody_else_is_not_found(lab):
    other = make_toy(lab.home / "elsewhere")
    foreign = training_run(other)
    target = Workspace(lab.home, new_id()).folder("runs")
    target.mkdir(parents=True)
    foreign.path.rename(target / foreign.id)
    for name, key in (("train", "run"), ("predict", "model"), ("top_losses", "model"), ("confusion", "model")):
        app = open_page(name, **{key: foreign.id})
        assert "There is no" in app.error[0].value


# --- home


def test_home_answers_on_a_sample_picture_and_offers_three_doors(lab):
    said = words(open_page("home"))
    assert "grizzly" in said and "70 %" in said and "/thumb/" in said
    app = open_page("home")
    assert {"Try a picture", "Build a data set", "Draw the bears"} <= set(labels(app))


def test_home_shows_another_bear_when_it_is_picked(lab):
    app = open_page("home")
    before = words(app)
    app.button(key="pick-home-3").click().run()
    assert healthy(app) and words(app) != before


def test_home_waits_visibly_while_the_model_wakes_up(lab, monkeypatch):
    from core.ui import cache
    from core.ui.cache import Background

    slow = Background("test", lambda: None)
    slow.state = "working"
    monkeypatch.setattr(cache, "demo", lambda: slow)
    app = open_page("home")
    assert healthy(app) and "waking up" in words(app) and "bar-waiting" in words(app)


def test_home_draws_the_bears_in_one_click_and_shows_them_being_drawn(lab):
    app = open_page("home")
    app.button(key="home.continue").click().run()
    [run] = runs.list_runs(lab.workspace)
    assert run.kind == "sample" and run.request["sample"] == "bears" and run.state == "queued"
    assert app.title[0].value == "Build a data set" and "bears" in words(app)


def test_home_leads_back_to_the_latest_run(lab):
    run = training_run(make_toy(lab.home))
    app = open_page("home")
    assert "toy" in words(app)
    app.button(key="home.continue").click().run()
    assert app.title[0].value == "Train a model" and app.query_params["run"] == run.id


# --- build


def test_build_offers_every_sample_and_starts_one_with_the_options_under_more(lab):
    app = open_page("build")
    app.number_input(key="build.per_class").set_value(20)
    app.select_slider(key="build.noise").set_value(0.2)
    app.text_input(key="build.name").set_value("my bears")
    app.button(key="build.use.bears").click().run()
    [run] = runs.list_runs(lab.workspace)
    assert run.request["name"] == "my bears" and run.request["per_class"] == 20 and run.request["noise"] == 0.2


def test_build_finds_a_free_name_for_a_second_set_of_bears(lab):
    make_toy(lab.home, name="bears")
    app = open_page("build", new="1")
    app.button(key="build.use.bears").click().run()
    assert runs.list_runs(lab.workspace)[0].request["name"] == "bears 2"


def test_build_refuses_a_name_that_is_taken_with_a_sentence(lab):
    make_toy(lab.home, name="pets")
    app = open_page("build", new="1")
    app.text_input(key="build.name").set_value("pets")
    app.button(key="build.use.bears").click().run()
    assert "already" in app.error[0].value and runs.list_runs(lab.workspace) == []


def test_build_reports_counts_pictures_and_reasons(lab):
    dataset = make_toy(lab.home)
    app = open_page("build")
    said = words(app)
    assert "36 pictures in 3 classes: 27 to learn from, 9 set aside" in said
    assert said.count(f"?dataset={dataset.id}") == 36


def test_build_says_what_is_missing_when_no_path_is_given(lab):
    app = open_page("build")
    app.segmented_control(key="build.way").set_value("path").run()
    app.button(key="build.import").click().run()
    assert "one sub-folder for each class" in app.error[0].value


def test_build_keeps_an_upload_and_imports_it(lab):
    app = open_page("build")
    app.segmented_control(key="build.way").set_value("zip").run()
    app.file_uploader(key="build.zip.0").upload("../../pets.zip", b"PK not really", "application/zip").run()
    [run] = runs.list_runs(lab.workspace)
    source = run.request["source"]
    assert source.startswith(str(lab.workspace.folder("uploads"))) and source.endswith("pets.zip")
    assert run.request["delete_source"] is True and run.request["name"] == "pets"


def test_build_shows_why_an_import_failed_and_offers_another_try(lab, tmp_path):
    (tmp_path / "empty").mkdir()
    app = open_page("build")
    app.segmented_control(key="build.way").set_value("path").run()
    app.text_input(key="build.path").set_value(str(tmp_path / "empty"))
    app.button(key="build.import").click().run()
    lab.engine.work_off()
    app.run()
    assert len(app.error) == 1 and not app.exception
    app.button(key="build.again").click().run()
    assert healthy(app) and "build.import" in [button.key for button in app.button]


def test_build_says_so_when_no_engine_answers(no_engine):
    app = open_page("build")
    app.button(key="build.use.bears").click().run()
    assert "engine does not answer" in app.error[0].value and not app.exception


# --- train


def test_train_sends_you_to_build_when_there_is_no_data(lab):
    app = open_page("train")
    assert "You need a data set first" in words(app)
    app.button(key="train.gate").click().run()
    assert app.title[0].value == "Build a data set"


def test_train_draws_the_plan_and_starts_what_was_chosen(lab):
    dataset = make_toy(lab.home)
    app = open_page("train")
    assert app.get("echarts_chart")
    app.selectbox(key="train.preset").set_value("standard").run()
    app.slider(key="train.epochs").set_value(3)
    app.select_slider(key="train.lr").set_value(1e-2)
    app.number_input(key="train.seed").set_value(7).run()
    app.button(key="train.start").click().run()
    [run] = runs.list_runs(lab.workspace, "train")
    first, second = run.request["settings"]["stages"]
    assert first["epochs"] == second["epochs"] == 3 and first["lr"] == 1e-2 and second["freeze_to"] == 0
    assert run.request["dataset"] == dataset.id and run.request["settings"]["seed"] == 7
    assert app.query_params["run"] == run.id


@pytest.mark.parametrize("typed", ["abc", "-1", "nan", "0", "1e99"])
def test_train_refuses_a_rate_that_is_none_with_a_sentence(lab, typed):
    make_toy(lab.home)
    app = open_page("train")
    app.text_input(key="train.exact").set_value(typed).run()
    assert len(app.error) == 1 and "rate" in app.error[0].value.lower() and not app.exception


def test_train_shows_the_place_in_the_queue(lab):
    dataset = make_toy(lab.home)
    first, second = training_run(dataset, state="queued"), training_run(dataset, state="queued")
    lab.engine.waiting = [first, second]
    app = open_page("train", run=second.id)
    assert "2nd in the queue" in words(app) and "Stop" in labels(app)


def test_train_finds_a_run_that_is_going_on_without_being_told(lab):
    run = training_run(make_toy(lab.home), state="running")
    app = open_page("train")
    assert "3 of 12 wrong" in words(app) and "25 %" in words(app) and app.query_params["run"] == run.id


def test_train_asks_the_engine_to_stop(lab):
    run = training_run(make_toy(lab.home), state="running")
    app = open_page("train", run=run.id)
    app.button(key=f"stop.{run.id}").click().run()
    assert runs.stop_requested(run) and "Stopping …" in labels(app)


@pytest.mark.parametrize(
    ("state", "code", "sentence", "button"),
    [
        ("done", None, "wrong", "Read the model"),
        ("stopped", None, "You stopped this run after 2 epochs", "Go on from the last epoch"),
        ("failed", "killed", "was cut off", "Go on from the last epoch"),
        ("interrupted", None, "was interrupted", "Go on from the last epoch"),
        ("diverged", None, "far lower rate, such as 3e-4", "Again, at 3e-4"),
    ],
)
def test_train_says_what_came_of_a_run_and_what_to_do_next(lab, state, code, sentence, button):
    run = training_run(make_toy(lab.home), state=state, code=code)
    app = open_page("train", run=run.id)
    assert not app.exception
    assert sentence in words(app)
    assert button in labels(app)


def test_train_goes_on_from_the_last_epoch(lab):
    run = training_run(make_toy(lab.home), state="interrupted")
    app = open_page("train", run=run.id)
    app.button(key="train.resume").click().run()
    assert runs.load_run(lab.workspace, run.id).state == "queued" and healthy(app)


def test_train_after_a_divergence_offers_a_tenth_of_the_rate(lab):
    run = training_run(make_toy(lab.home), state="diverged")
    app = open_page("train", run=run.id)
    app.button(key="train.again").click().run()
    assert app.select_slider(key="train.lr").value == 3e-4 and "run" not in app.query_params


# --- predict


def test_predict_answers_about_an_uploaded_picture_and_goes_on_after_a_bad_one(lab):
    picture = make_toy(lab.home).workspace
    jpeg = next(picture.root.rglob("*.jpg")).read_bytes()
    app = open_page("predict", model="demo")
    app.file_uploader(key="predict.files").upload("bad.jpg", b"not a picture", "image/jpeg")
    app.file_uploader(key="predict.files").upload("<i>mine.jpg", jpeg, "image/jpeg").run()
    assert "bad.jpg could not be used" in words(app)
    said = words(app)
    assert "70 %" in said and "data:image/jpeg;base64," in said and "<i>mine" not in markup(app)
    assert lab.oracle.seen == [(64, 64)]
    assert not list(lab.home.rglob("*mine*"))


def test_predict_is_not_sure_below_the_threshold(lab):
    app = open_page("predict", model="demo")
    app.button(key="pick-predict-1").click().run()
    assert "Not sure" not in words(app)
    app.slider(key="predict.threshold").set_value(0.9).run()
    assert "Not sure" in words(app) and "bar-unsure" in words(app)


def test_predict_offers_pictures_of_the_exam_for_a_model_of_your_own(lab, monkeypatch):
    from core.ui.cache import Predictors

    monkeypatch.setattr(Predictors, "_of_run", lambda self, model: lab.oracle)
    dataset = make_toy(lab.home)
    run = training_run(dataset)
    app = open_page("predict", model=run.id)
    app.button(key="pick-predict-0").click().run()
    assert healthy(app) and "labelled" in words(app) and f"?dataset={dataset.id}" in words(app)


def test_build_lists_every_file_that_could_not_be_used_with_its_reason(lab):
    from core.train.events import DataReady

    dataset = make_toy(lab.home)
    request = {"source": "/x", "name": "toy", "valid_share": 0.2, "seed": 1, "delete_source": False}
    run = runs.set_state(runs.set_state(runs.create_run(lab.workspace, "import", request), "starting"), "running")
    refused = ({"name": "=1+2.jpg", "reason": "This is a text file."},)
    ready = DataReady(0, dataset.id, "toy", dataset.classes, 36, 27, 9, refused, ("Two classes look alike.",))
    runs.append_event(run, ready)
    runs.set_state(run, "done", result={"dataset": dataset.id})
    app = open_page("build", job=run.id)
    assert healthy(app) and "Two classes look alike." in words(app)
    assert app.expander[0].label.startswith("Files that could not be used: 1")
    assert list(app.dataframe[0].value["reason"]) == ["This is a text file."]
    assert "job" not in app.query_params and app.session_state["slot.dataset"] == dataset.id
