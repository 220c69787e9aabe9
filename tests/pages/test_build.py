"""The build page: every way to begin, to bring pictures, to put classes in order and to take a set along."""

import io

import pytest
from PIL import Image

from core.data import edits
from core.data.classes import class_table, create_classes, rename_class
from core.data.events import DataReady, Fetched, Progress
from core.data.table import create_empty, list_datasets, load_dataset
from core.settings import ImportSettings
from core.train import runs
from core.workspace import new_id
from tests.conftest import make_toy
from tests.ui.support import labels, markup, open_page, training_run, words

NASTY = "<img src=x onerror=alert(1)> *b* $c$"


def healthy(app):
    return not app.exception and not app.error


def picture(colour="brown", size=64):
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def draft(lab, *classes, name="draft"):
    dataset = create_empty(lab.workspace, name=name, settings=ImportSettings())
    if classes:
        create_classes(dataset, classes)
    return load_dataset(lab.workspace, dataset.id)


def fresh(dataset):
    return load_dataset(dataset.workspace, dataset.id)


def keys(app):
    return [button.key for button in app.button]


def menu(app, label):
    return next(one for one in app.menu_button if one.label == f"Change {label}")


def last_run(lab):
    return runs.list_runs(lab.workspace)[0]


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


# --- addresses


LIST = "http://a.org/1.jpg\ndog, http://a.org/2.jpg?x=1,2\nnonsense\n"


def test_a_list_is_understood_before_anything_is_fetched(lab):
    dataset = make_toy(lab.home)
    app = open_page("build", part="bring", way="web", label="r")
    app.text_area[0].set_value(LIST).run()
    assert healthy(app) and "2 addresses for r (1), dog (1)" in words(app)
    assert app.expander[0].label == "Lines that cannot be used: 1" and runs.list_runs(lab.workspace) == []
    app.button(key="list.fetch").click().run()
    run = last_run(lab)
    assert run.kind == "fetch" and run.request["dataset"] == dataset.id
    assert run.request["rows"] == [[1, "r", "http://a.org/1.jpg"], [2, "dog", "http://a.org/2.jpg?x=1,2"]]
    assert app.query_params["job"] == run.id and app.text_area[0].value == ""


def test_a_list_without_classes_asks_for_one(lab):
    make_toy(lab.home)
    app = open_page("build", part="bring", way="web")
    app.text_area[0].set_value("http://a.org/1.jpg").run()
    assert "Choose the class on the left" in words(app) and app.button(key="list.fetch").disabled


def test_an_uploaded_list_can_be_read_in_the_box_and_is_forgotten(lab):
    make_toy(lab.home)
    app = open_page("build", part="bring", way="web")
    data = "\ufeffcat;http://a.org/ä.jpg\r\n".encode("utf-16")
    app.file_uploader(key="list.file.0").upload("list.csv", data, "text/csv").run()
    assert healthy(app) and "1 address for cat (1)" in words(app)
    assert app.text_area[0].value.strip().endswith("cat;http://a.org/ä.jpg")
    assert not app.file_uploader(key="list.file.1").value


def test_a_list_that_is_no_text_is_a_sentence(lab):
    make_toy(lab.home)
    app = open_page("build", part="bring", way="web")
    app.file_uploader(key="list.file.0").upload("list.csv", b"PK\x03\x04\0\0", "text/csv").run()
    assert len(app.error) == 1 and "workbook" in app.error[0].value and not app.exception


def fetch_run(dataset, *, told, state="done", total=4):
    rows = [[line, "r", f"http://a.org/{line}.jpg"] for line in range(1, total + 1)]
    run = runs.create_run(dataset.workspace, "fetch", {"dataset": dataset.id, "rows": rows, "name": "r"})
    if state == "queued":
        return run
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    runs.append_event(run, Progress(0, "fetch", 0, total))
    for line, code in enumerate(told, start=1):
        runs.append_event(run, Fetched(line, line, "r", f"http://a.org/{line}.jpg", code, f"Because {NASTY}.", ""))
    if state == "running":
        return run
    if state == "done":
        ready = DataReady(9, dataset.id, "toy", dataset.classes, 36, 27, 9, added=told.count("saved"))
        runs.append_event(run, ready)
    return runs.set_state(run, state, message="No space." if state == "failed" else None, hint="Free some.")


def test_a_fetch_that_goes_on_shows_counts_addresses_and_a_way_to_stop(lab):
    run = fetch_run(make_toy(lab.home), told=["saved", "too_slow"], state="running")
    app = open_page("build")
    said = words(app)
    assert healthy(app) and app.query_params["job"] == run.id
    assert (
        "2 of 4" in said and "saved <b>1</b>" in said and "too slow <b>1</b>" in said and "http://a.org/2.jpg" in said
    )
    app.button(key=f"stop.{run.id}").click().run()
    assert runs.stop_requested(run)


def test_a_fetch_that_waits_for_its_turn_says_so(lab):
    run = fetch_run(make_toy(lab.home), told=[], state="queued")
    lab.engine.waiting = [run]
    assert "1st in the queue" in words(open_page("build", job=run.id))


def test_after_a_fetch_every_address_has_its_outcome_and_the_failed_ones_can_be_tried_again(lab):
    run = fetch_run(make_toy(lab.home), told=["saved", "too_slow", "not_an_image", "failed"])
    app = open_page("build", job=run.id)
    assert healthy(app) and "1 of 4 addresses gave a new picture" in words(app) and "<img src=x" not in markup(app)
    assert list(app.dataframe[0].value["line"]) == [2, 3, 4, 1]
    assert {"Try 2 again", "Close"} <= set(labels(app))
    app.button(key="fetch.again").click().run()
    assert [row[0] for row in last_run(lab).request["rows"]] == [2, 4] and last_run(lab).id != run.id


@pytest.mark.parametrize(
    ("state", "said"),
    [("stopped", "2 addresses to go"), ("interrupted", "interrupted"), ("failed", "No space")],
)
def test_a_fetch_that_was_cut_off_goes_on(lab, state, said):
    run = fetch_run(make_toy(lab.home), told=["saved", "too_slow"], state=state)
    app = open_page("build", job=run.id)
    assert not app.exception and said in words(app)
    app.button(key="fetch.on").click().run()
    assert runs.load_run(lab.workspace, run.id).state == "queued"


def test_a_list_that_was_fetched_before_can_be_opened_again(lab):
    run = fetch_run(make_toy(lab.home), told=["saved"] * 4)
    app = open_page("build", part="bring", way="web")
    app.button(key=f"list.open.{run.id}").click().run()
    assert healthy(app) and "4 of 4 addresses" in words(app) and app.query_params["job"] == run.id


# --- classes


def act(app, label, action):
    return menu(app, label).set_value(action).run()


def test_a_class_is_created_renamed_and_taken_back_by_name(lab):
    dataset = make_toy(lab.home)
    app = open_page("build", part="classes")
    app.text_input(key="classes.name").set_value("otter")
    app.button(key="classes.create").click().run()
    assert healthy(app) and fresh(dataset).empty == ("otter",) and "no pictures yet" in words(app)
    act(app, "r", "rename")
    app.text_input(key="classes.rename").set_value("red")
    app.button(key="classes.rename.do").click().run()
    assert healthy(app) and fresh(dataset).classes == ("b", "g", "red")
    assert app.button(key="build.undo").label == "Take back: renamed r to red"
    app.button(key="build.undo").click().run()
    assert fresh(dataset).classes == ("b", "g", "r")
    assert app.button(key="build.redo").label == "Do again: renamed r to red"
    app.button(key="build.redo").click().run()
    assert healthy(app) and fresh(dataset).classes == ("b", "g", "red")


def test_renaming_to_a_name_that_is_there_warns_and_makes_one_class(lab):
    dataset = make_toy(lab.home)
    app = act(open_page("build", part="classes"), "r", "rename")
    app.text_input(key="classes.rename").set_value("g").run()
    assert "the two become one" in words(app)
    app.button(key="classes.rename.do").click().run()
    assert healthy(app) and fresh(dataset).classes == ("b", "g")


def test_a_name_that_cannot_be_keeps_the_question_open_with_the_reason(lab):
    dataset = make_toy(lab.home)
    app = act(open_page("build", part="classes"), "r", "rename")
    app.text_input(key="classes.rename").set_value("\u200b")
    app.button(key="classes.rename.do").click().run()
    assert len(app.error) == 1 and not app.exception and app.text_input(key="classes.rename")
    assert fresh(dataset).classes == ("b", "g", "r")


def test_a_class_is_merged_switched_off_and_on_and_deleted(lab):
    dataset = make_toy(lab.home)
    app = act(open_page("build", part="classes"), "r", "merge")
    assert app.button(key="classes.merge.do").disabled
    app.selectbox(key="classes.into").set_value("b").run()
    app.button(key="classes.merge.do").click().run()
    assert healthy(app) and fresh(dataset).classes == ("b", "g")
    act(app, "b", "off")
    assert fresh(dataset).classes == ("g",) and "switched off: 24 pictures" in words(app)
    assert "on" in [option for option in _values(menu(app, "b"))] and "off" not in _values(menu(app, "b"))
    act(app, "b", "on")
    assert fresh(dataset).classes == ("b", "g")
    act(app, "g", "delete")
    assert healthy(app) and fresh(dataset).classes == ("b",) and "In the bin: 12 pictures" in app.expander[0].label


def _values(button):
    from core.ui.classes import ACTIONS

    return [name for name, words in ACTIONS.items() if words in button.options]


def test_a_class_leads_to_its_own_pictures(lab):
    make_toy(lab.home)
    app = act(open_page("build", part="classes"), "g", "bring")
    assert healthy(app) and app.query_params["part"] == "bring" and app.selectbox(key="bring.class").value == "g"


def test_names_that_are_nearly_one_class_become_one_in_one_click(lab):
    dataset = make_toy(lab.home)
    rename_class(dataset, "r", "Cat")
    rename_class(dataset, "g", "cats")
    app = open_page("build", part="classes")
    assert "“Cat” and “cats” look like one class" in words(app)
    next(button for button in app.button if button.label.startswith("Make them one")).click().run()
    assert healthy(app) and len(fresh(dataset).classes) == 2 and "look like one class" not in words(app)


def test_two_hundred_classes_are_shown_ten_at_a_time_and_can_be_found(lab):
    draft(lab, *(f"kind {number:03d}" for number in range(200)))
    app = open_page("build", part="classes")
    assert healthy(app) and len(app.menu_button) == 10 and app.pagination
    app.text_input(key="classes.find").set_value("KIND 15").run()
    assert [one.label for one in app.menu_button] == [f"Change kind 15{digit}" for digit in range(10)]
    app.text_input(key="classes.find").set_value(NASTY).run()
    assert not app.menu_button and "No class has" in words(app) and "<img src=x" not in markup(app)
    app.text_input(key="classes.name").set_value("one too many")
    app.button(key="classes.create").click().run()
    assert len(app.error) == 1 and "up to 200 are allowed" in app.error[0].value


def test_hostile_names_are_only_ever_text(lab):
    dataset = make_toy(lab.home, name=NASTY)
    rename_class(dataset, "r", NASTY)
    for part in ("pictures", "bring", "classes", "split", "take"):
        app = open_page("build", part=part)
        assert healthy(app) and "<img src=x" not in markup(app)
        assert not any("<img" in button.label or "*b*" in button.label for button in app.button)
        assert all("<img" not in one.label for one in app.menu_button)


def test_two_tabs_change_the_same_set_and_neither_loses_anything(lab):
    dataset = make_toy(lab.home)
    one, other = (open_page("build", part="classes") for _ in range(2))
    act(other, "b", "delete")
    act(one, "r", "off")
    table = class_table(fresh(dataset)).set_index("label")
    assert list(table.index) == ["g", "r"] and table.at["r", "off"] == 12 and healthy(one)
    act(other, "g", "rename")
    rename_class(dataset, "g", "green")
    other.text_input(key="classes.rename").set_value("grass") if other.get("dialog") else None
    other.run()
    assert not other.exception and fresh(dataset).classes == ("green",)


# --- the bin


def test_deleted_pictures_wait_in_the_bin_and_come_back_with_a_click(lab):
    dataset = make_toy(lab.home)
    edits.delete(dataset, ["0", "1", "2"])
    app = open_page("build", part="classes")
    assert "In the bin: 3 pictures" in app.expander[0].label
    app.button(key="pick-bin-1").click().run()
    assert healthy(app) and len(fresh(dataset).kept()) == 34
    app.button(key="bin.all").click().run()
    assert healthy(app) and len(fresh(dataset).kept()) == 36 and not app.expander[0].label.startswith("In the bin")


def test_the_bin_is_emptied_only_after_a_second_word(lab):
    dataset = make_toy(lab.home)
    edits.delete(dataset, ["0", "1", "2"])
    app = open_page("build", part="classes")
    app.button(key="bin.empty").click().run()
    assert "cannot be taken back" in words(app) and len(fresh(dataset).items()) == 36
    app.button(key="bin.empty.do").click().run()
    assert healthy(app) and len(fresh(dataset).items()) == 33 and "build.undo" not in keys(app)


# --- the set as a whole


def test_a_set_is_renamed_and_a_taken_name_refused(lab):
    dataset, _ = make_toy(lab.home), make_toy(lab.home, name="taken")
    app = open_page("build", dataset=dataset.id, part="take")
    app.text_input(key=f"take.name.{dataset.id}").set_value("pets")
    app.button(key="take.rename.do").click().run()
    assert healthy(app) and fresh(dataset).name == "pets"
    app.text_input(key=f"take.name.{dataset.id}").set_value("taken")
    app.button(key="take.rename.do").click().run()
    assert len(app.error) == 1 and "already" in app.error[0].value and fresh(dataset).name == "pets"


def test_what_was_done_to_a_set_is_told_in_words_with_its_version(lab):
    dataset = make_toy(lab.home)
    rename_class(dataset, "r", "red")
    edits.undo(dataset)
    app = open_page("build", part="take")
    assert fresh(dataset).version[:8] in words(app) and f"/export/{dataset.id}.zip" in words(app)
    assert list(app.dataframe[0].value["what"]) == ["renamed r to red (taken back)", "brought 36 pictures"]


def test_a_set_is_deleted_after_a_second_word_and_its_runs_stay(lab):
    dataset = make_toy(lab.home)
    run = training_run(dataset)
    app = open_page("build", part="take")
    app.button(key="take.delete").click().run()
    assert "1 run trained on it" in words(app) and list_datasets(lab.workspace)
    app.button(key="take.delete.do").click().run()
    assert healthy(app) and list_datasets(lab.workspace) == [] and "build.use.bears" in keys(app)
    for name, query in (("train", {"run": run.id}), ("predict", {"model": run.id}), ("home", {})):
        app = open_page(name, **query)
        assert not app.exception and "our fault" not in words(app), name


def test_a_set_that_is_being_worked_on_is_not_deleted(lab):
    dataset = make_toy(lab.home)
    training_run(dataset, state="running")
    app = open_page("build", part="take")
    app.button(key="take.delete").click().run()
    app.button(key="take.delete.do").click().run()
    assert "still at work" in app.error[0].value and fresh(dataset).name == "toy"


def test_files_that_could_not_be_used_later_are_listed_too(lab):
    from core.data.growth import Growth
    from core.data.shelf import Rejected

    dataset = make_toy(lab.home)
    growth = Growth(dataset, source="upload", words="added")
    growth.reject(Rejected("=1+2.txt", "A .txt file is not a picture."))
    growth.commit()
    app = open_page("build")
    assert healthy(app) and "could not be used: 1" in app.expander[0].label
    assert list(app.dataframe[0].value["name"]) == ["=1+2.txt"]


# --- the split


def test_moving_the_seed_shows_who_changes_sides_and_nothing_happens_before_it_is_wanted(lab):
    dataset = make_toy(lab.home)
    app = open_page("build", part="split")
    assert healthy(app) and "9 set aside for the exam (25 %)" in words(app)
    assert app.toggle[0].value and "results stay comparable" in words(app)
    app.toggle[0].set_value(False).run()
    app.number_input(key=f"split.seed.{dataset.id}").set_value(5).run()
    table = app.dataframe[0].value
    assert healthy(app) and "would change sides" in words(app) and "cannot be compared" in words(app)
    assert list(table["class"]) == ["b", "g", "r"] and list(table["exam then"]) == [3, 3, 3]
    assert words(app).count("/thumb/") == table["change sides"].sum() and fresh(dataset).version == dataset.version
    app.button(key="split.use").click().run()
    made = fresh(dataset)
    assert healthy(app) and (made.seed, made.valid_share) == (5, 0.25) and made.version != dataset.version
    assert "These are the sides that the set has now" in words(app)
    app.button(key="build.undo").click().run()
    assert fresh(dataset).version == dataset.version


def test_a_larger_exam_is_previewed_per_class(lab):
    dataset = make_toy(lab.home)
    app = open_page("build", part="split")
    app.toggle[0].set_value(False).run()
    app.select_slider(key=f"split.share.{dataset.id}").set_value(0.5).run()
    assert list(app.dataframe[0].value["exam then"]) == [6, 6, 6]
