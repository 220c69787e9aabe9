"""The build page: every way to begin a set and to bring pictures into it."""

import pytest

from core.data.events import Progress
from core.data.table import list_datasets
from core.train import runs
from core.workspace import new_id
from tests.conftest import make_toy
from tests.pages.building import draft, fresh, healthy, keys, last_run, picture
from tests.ui.support import labels, open_page, words

# --- beginning


def test_a_set_of_ones_own_begins_with_its_classes_and_leads_to_the_first_pictures(lab):
    app = open_page("build", way="own")
    app.text_input(key="own.name").set_value("pets")
    app.text_input(key="own.classes").set_value("cat, dog;  cat")
    app.button(key="own.begin").click().run()
    [dataset] = list_datasets(lab.workspace)
    assert healthy(app) and dataset.name == "pets" and dataset.empty == ("cat", "dog")
    assert app.query_params == {"dataset": dataset.id, "part": "bring", "way": "files", "label": "cat"}
    assert app.selectbox(key="bring.class").value == "cat" and not app.file_uploader[0].disabled


@pytest.mark.parametrize("typed", ["", " , ;", "x" * 65, ", ".join(f"c{n}" for n in range(201))])
def test_classes_that_cannot_be_are_a_sentence_and_leave_no_set(lab, typed):
    app = open_page("build", way="own")
    app.text_input(key="own.classes").set_value(typed)
    app.button(key="own.begin").click().run()
    assert len(app.error) == 1 and not app.exception and list_datasets(lab.workspace) == []


def test_beginning_from_the_web_leads_to_the_list(lab):
    app = open_page("build", way="web")
    app.text_input(key="own.classes").set_value("cat")
    app.button(key="own.begin").click().run()
    assert healthy(app) and app.text_area and "Open the console" in words(app)


def test_another_set_can_be_begun_beside_one_and_there_is_a_way_back(lab):
    make_toy(lab.home)
    app = open_page("build")
    app.button(key="build.new").click().run()
    assert "build.use.bears" in keys(app)
    app.button(key="build.back").click().run()
    assert healthy(app) and "36 pictures in 3 classes" in words(app)


def test_a_zip_with_a_table_of_labels_is_imported_with_it(lab):
    app = open_page("build", way="zip")
    app.file_uploader(key="build.labels.0").upload("my labels.csv", b"file,label\n1.jpg,cat\n", "text/csv").run()
    assert "my labels.csv" in words(app)
    app.file_uploader(key="build.zip.0").upload("pets.zip", b"PK", "application/zip").run()
    request = last_run(lab).request
    assert request["labels"].startswith(str(lab.workspace.folder("uploads")))
    with open(request["labels"], "rb") as file:
        assert file.read().startswith(b"file,label")


def test_an_upload_that_nobody_takes_is_not_kept(no_engine):
    app = open_page("build", way="zip")
    app.file_uploader(key="build.zip.0").upload("pets.zip", b"PK", "application/zip").run()
    assert "engine does not answer" in app.error[0].value
    assert not list(no_engine.workspace.folder("uploads").iterdir())


# --- drafts


def test_a_draft_says_what_it_needs_and_training_waits_for_it(lab):
    draft(lab, "cat")
    app = open_page("build", part="pictures")
    assert healthy(app) and "no pictures in this set yet" in words(app) and "build.train" not in keys(app)
    app = open_page("train")
    assert not app.exception and "Two classes with pictures are needed" in words(app)
    app.button(key="gate.bring").click().run()
    assert app.title[0].value == "Build a data set" and app.query_params["part"] == "bring"


def test_a_set_of_one_class_says_so(lab):
    make_toy(lab.home, classes=1)
    app = open_page("build")
    assert healthy(app) and "all of one class: r" in words(app).replace("<i>", "").replace("</i>", "")
    assert "build.train" not in keys(app) and "only r" in words(open_page("train"))


@pytest.mark.parametrize("part", ["pictures", "bring", "classes", "split", "take"])
@pytest.mark.parametrize("kind", ["empty", "one", "many"])
def test_every_part_opens_by_its_address_over_every_kind_of_set(lab, part, kind):
    if kind == "empty":
        draft(lab)
    else:
        make_toy(lab.home, classes=1 if kind == "one" else 3)
    assert healthy(open_page("build", part=part))


@pytest.mark.parametrize("way", ["files", "camera", "web", "folder", "zip", "path"])
def test_every_way_to_bring_pictures_opens_by_its_address(lab, way):
    make_toy(lab.home)
    assert healthy(open_page("build", part="bring", way=way))


def test_an_address_with_a_set_that_is_not_yours_is_one_sentence_and_shows_another(lab):
    make_toy(lab.home)
    app = open_page("build", dataset=new_id())
    assert len(app.error) == 1 and "There is no data set" in app.error[0].value
    assert "36 pictures" in words(app)


# --- more pictures


def test_files_go_into_the_chosen_class_and_what_came_of_them_is_told(lab):
    dataset = make_toy(lab.home)
    assert open_page("build", part="bring").file_uploader(key="build.files.0").disabled
    app = open_page("build", part="bring", label="otter")
    upload = app.file_uploader(key="build.files.0").upload("a.jpg", picture(), "image/jpeg")
    upload.upload("b.jpg", b"no picture", "image/jpeg").run()
    run = last_run(lab)
    assert run.kind == "add" and run.request["label"] == "otter" and run.request["delete_source"]
    assert app.query_params["job"] == run.id and not app.file_uploader(key="build.files.1").value
    lab.engine.work_off()
    app.run()
    said = words(app)
    assert healthy(app) and "Added: 1 picture." in said and "could not be used: 1" in app.expander[0].label
    assert fresh(dataset).classes == ("b", "g", "otter", "r")
    assert not list(lab.workspace.folder("uploads").iterdir())
    app.button(key="build.again").click().run()
    assert "job" not in app.query_params and "Added" not in words(app)


def test_a_zip_without_a_class_is_added_by_its_folders(lab):
    make_toy(lab.home)
    app = open_page("build", part="bring", way="zip")
    app.file_uploader(key="build.zip.0").upload("more.zip", b"PK", "application/zip").run()
    run = last_run(lab)
    assert run.kind == "add" and run.request["label"] is None
    lab.engine.work_off()
    app.run()
    assert len(app.error) == 1 and not app.exception


def test_pictures_on_their_way_show_how_far_they_are_and_lead_to_their_set(lab):
    dataset = make_toy(lab.home)
    make_toy(lab.home, name="newer")
    request = {"dataset": dataset.id, "source": "/x", "label": "r", "origin": "upload", "delete_source": True}
    run = runs.set_state(runs.set_state(runs.create_run(lab.workspace, "add", request), "starting"), "running")
    runs.append_event(run, Progress(0, "import", 3, 12))
    app = open_page("build")
    assert healthy(app) and "3 of 12" in words(app) and app.query_params["dataset"] == dataset.id
    app.button(key=f"stop.{run.id}").click().run()
    assert runs.stop_requested(run)
    app = open_page("build", job=run.id, dataset=dataset.id, part="classes")
    assert healthy(app) and "3 of 12" in words(app) and app.menu_button


@pytest.mark.parametrize(("state", "said"), [("stopped", "You stopped this"), ("interrupted", "was interrupted")])
def test_an_addition_that_was_cut_off_says_what_is_left_of_it(lab, state, said):
    dataset = make_toy(lab.home)
    request = {"dataset": dataset.id, "source": "/x", "label": "r", "origin": "upload", "delete_source": True}
    run = runs.set_state(runs.create_run(lab.workspace, "add", request), state)
    app = open_page("build", job=run.id)
    assert healthy(app) and said in words(app) and "Close" in labels(app)


def test_a_picture_of_the_camera_is_in_its_class_at_once(lab):
    dataset = draft(lab, "cat")
    app = open_page("build", part="bring", way="camera", label="cat")
    app.camera_input(key="bring.camera.0").upload("shot.jpg", picture("red")).run()
    app.camera_input(key="bring.camera.1").upload("shot.jpg", picture("blue")).run()
    assert healthy(app) and len(fresh(dataset).kept()) == 2 and "cat <b>2</b>" in words(app)
    app.camera_input(key="bring.camera.2").upload("shot.jpg", picture("blue")).run()
    assert "The same picture" in words(app) and len(fresh(dataset).kept()) == 2
    app.button(key="build.undo").click().run()
    assert healthy(app) and len(fresh(dataset).kept()) == 1


def test_without_a_class_the_camera_waits(lab):
    make_toy(lab.home)
    assert open_page("build", part="bring", way="camera").camera_input[0].disabled
