"""The build page: classes, the bin, the split and the set as a whole, each with a way back."""

from core.data import edits
from core.data.classes import class_table, rename_class
from core.data.table import list_datasets
from tests.conftest import make_toy
from tests.pages.building import NASTY, draft, fresh, healthy, keys, menu
from tests.ui.support import markup, open_page, training_run, words

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
