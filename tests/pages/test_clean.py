"""The page that cleans: the ways to it, marking with buttons, Apply, taking it back, training again, and practice."""

import pytest

from core.data import edits, ledger
from core.data.edits import Mark
from core.data.marks import labels_of, put_marks, read_marks
from core.data.samples.gallery import TRUE_LABEL
from core.data.table import COLUMNS, items_to_csv, load_dataset
from core.train import runs
from tests.conftest import make_toy
from tests.ui.support import labels, markup, open_page, training_run, words
from tests.ui.suspects import search_run, searched


def keys(app):
    return [button.key for button in app.button]


def press(app, start):
    """Press the one button whose key begins so."""
    [found] = [button for button in app.button if str(button.key).startswith(start)]
    return found.click().run()


def marks_of(dataset):
    return dict(read_marks(dataset, labels_of(dataset)).pending)


def fresh(dataset):
    return load_dataset(dataset.workspace, dataset.id)


@pytest.fixture
def toy_set(lab):
    return make_toy(lab.home)


# --- the way there


def test_without_data_it_leads_to_build_and_offers_practice(lab):
    app = open_page("clean")
    assert "You need a data set first" in words(app) and "clean.practice" in keys(app)
    app.button(key="clean.gate").click().run()
    assert app.title[0].value == "Build a data set"


def test_without_a_model_it_trains_one_and_then_looks_for_suspects_by_itself(lab, toy_set):
    app = open_page("clean")
    assert "has no model yet" in words(app)
    app.button(key="clean.train").click().run()
    [train] = runs.list_runs(lab.workspace, "train")
    assert train.request["dataset"] == toy_set.id and train.request["preset"] == "quick"
    assert "A first model is learning" in words(app) and f"stop.{train.id}" in keys(app)
    finish(train, toy_set)
    app = open_page("clean", find=app.query_params["find"])  # after a refresh too
    [search] = runs.list_runs(lab.workspace, "suspects")
    assert search.request["run"] == train.id and "Looking for suspects" in words(app)


def finish(train, dataset):
    """End a training run well, as an engine would."""
    (train.path / "last.safetensors").write_bytes(b"weights")
    (train.path / "items.csv").write_bytes((dataset.path / "items.csv").read_bytes())
    for state in ("starting", "running", "done"):
        train = runs.set_state(train, state)


def test_a_set_with_one_class_is_sent_back_to_build(lab):
    make_toy(lab.home, classes=1)
    app = open_page("clean")
    assert not app.exception and "clean.train" not in keys(app) and labels(app)


def test_a_model_of_another_set_does_not_count(lab, toy_set):
    training_run(make_toy(lab.home, name="other", seed=1))
    assert "has no model yet" in words(open_page("clean", dataset=toy_set.id))


def test_one_button_finds_suspects_and_a_second_press_starts_no_second_search(lab, toy_set):
    model = training_run(toy_set)
    first, second = open_page("clean"), open_page("clean")
    press(first, "clean.find.start")
    press(second, "clean.find.start")
    [search] = runs.list_runs(lab.workspace, "suspects")
    assert search.request == {"run": model.id, "dataset": toy_set.id, "against": None, "version": toy_set.version}
    assert "1st in the queue" in words(first)


def test_who_comes_from_a_training_run_need_not_press_anything(lab, toy_set):
    model = training_run(toy_set)
    app = open_page("train", run=model.id)
    app.button(key="train.clean").click().run()
    assert app.title[0].value == "Clean your data" and len(runs.list_runs(lab.workspace, "suspects")) == 1
    app.run()
    assert len(runs.list_runs(lab.workspace, "suspects")) == 1 and "find" not in app.query_params


@pytest.mark.parametrize(("state", "said"), [("failed", "ran out of memory"), ("stopped", "You stopped the search")])
def test_a_search_that_ended_early_says_why_and_can_be_repeated(lab, toy_set, state, said):
    model = training_run(toy_set)
    search_run(model, toy_set, state=state)
    app = open_page("clean")
    assert said in words(app)
    press(app, "clean.find.start")
    assert len(runs.list_runs(lab.workspace, "suspects")) == 2


def test_a_second_search_that_failed_says_why_and_leaves_the_first(lab, toy_set):
    model, _ = searched(toy_set)
    search_run(model, toy_set, state="failed")
    app = open_page("clean")
    assert "ran out of memory" in words(app) and "clean.keep.0" in keys(app)


def test_without_an_engine_it_says_so_once(no_engine):
    training_run(make_toy(no_engine.home))
    app = open_page("clean", find="1")
    assert "engine does not answer" in app.error[0].value and not app.exception and "find" not in app.query_params


# --- one at a time


def test_the_first_suspect_is_shown_with_all_that_speaks_for_and_against_it(lab, toy_set):
    searched(toy_set)
    app = open_page("clean")
    said = words(app)
    assert not app.exception and "1 of 36" in said.replace("<b>", "").replace("</b>", "")
    first = toy_set.kept().iloc[0]
    assert f"/thumb/{first.file}.jpg?dataset={toy_set.id}&large=1" in said
    for part in ("Labelled r; a small model", "5.0 %", "95 %", "Loss", "A blind guess among 3 classes costs 1.10"):
        assert part in said
    assert said.count("&large=1") == 4, "the next three are fetched ahead"


def test_marks_are_written_at_once_and_lead_on_to_the_next(lab, toy_set):
    searched(toy_set)
    app = open_page("clean")
    press(app, "clean.keep.")
    press(app, "clean.delete.")
    press(app, "clean.to2.")  # b, g, r: g
    assert marks_of(toy_set) == {
        "0": Mark("keep", "", "r"),
        "1": Mark("delete", "", "r"),
        "2": Mark("relabel", "g", "r"),
    }
    assert "clean.keep.3" in keys(app) and fresh(toy_set).version == toy_set.version
    assert "<b>1</b> to delete, <b>1</b> to relabel, <b>1</b> kept" in markup(app)


def test_relabelling_to_its_own_label_keeps_it(lab, toy_set):
    searched(toy_set)
    press(open_page("clean"), "clean.to3.")
    assert marks_of(toy_set) == {"0": Mark("keep", "", "r")}


def test_undo_takes_the_last_mark_back_and_returns_to_its_picture(lab, toy_set):
    searched(toy_set)
    app = open_page("clean")
    press(app, "clean.delete.")
    press(app, "clean.next.")
    press(app, "clean.undo.")
    assert marks_of(toy_set) == {} and "clean.delete.0" in keys(app)


def test_arrows_move_and_stop_at_both_ends(lab, toy_set):
    searched(toy_set)
    app = open_page("clean", order="duplicates")
    assert "nothing to judge" in words(app) and not app.exception
    app = open_page("clean")
    assert app.button(key="clean.previous.0").disabled
    press(app, "clean.next.")
    press(app, "clean.previous.1")
    assert "clean.delete.0" in keys(app)


def test_marks_survive_a_new_session_another_order_class_and_page(lab, toy_set):
    searched(toy_set)
    press(open_page("clean"), "clean.delete.")
    open_page("build")
    app = open_page("clean", order="loss")
    assert "<b>1</b> to delete" in markup(app) and "clean.delete.1" in keys(app), "it goes on behind what is marked"
    [box] = [box for box in app.selectbox if str(box.key).startswith("clean.label")]
    box.set_value("g").run()
    assert "clean.delete.12" in keys(app) and "<b>1</b> to delete" in markup(app)
    [view] = [control for control in app.segmented_control if str(control.key).startswith("clean.view")]
    view.set_value("twelve").run()
    assert "<b>1</b> to delete" in markup(app) and app.query_params["view"] == "twelve"


def test_the_side_of_the_exam_can_be_shown_alone(lab, toy_set):
    searched(toy_set)
    app = open_page("clean")
    [side] = [control for control in app.segmented_control if str(control.key).startswith("clean.side")]
    side.set_value("valid").run()
    assert "of 9" in words(app) and "clean.delete.3" in keys(app)


def test_twins_are_shown_side_by_side(lab, toy_set):
    searched(toy_set, twins=[("0", "5"), ("1", "30")])
    app = open_page("clean", order="duplicates")
    said = words(app)
    files = toy_set.kept().set_index("item")["file"]
    assert "This one: r" in said and "Its twin: b" in said and "of 4" in said  # different labels first
    assert files["1"] in said and files["30"] in said


def test_a_label_of_markup_is_only_text(lab):
    hostile = "<img src=x onerror=alert(1)>*`${7*7}"
    dataset = make_toy(lab.home)
    edits.relabel(dataset, {str(n): hostile for n in range(12)})
    searched(fresh(dataset))
    for view in ("one", "twelve"):
        for order in ("label_error", "loss", "unsure", "duplicates"):
            app = open_page("clean", view=view, order=order)
            assert not app.exception and "<img src=x" not in markup(app)
            assert not any("<img" in button.label for button in app.button)
        press(app := open_page("clean"), "clean.to1.")
        assert "<img src=x" not in markup(app)


def test_more_than_nine_classes_get_a_box_besides_the_nine_likeliest(lab, toy_set):
    names = "abcdefghijkl"
    edits.relabel(toy_set, {str(n): names[n % 12] for n in range(36)})
    searched(fresh(toy_set))
    app = open_page("clean")
    numbered = [button.label for button in app.button if str(button.key).startswith("clean.to")]
    assert len(numbered) == 9 and numbered[0] == "b"  # what is suggested for a
    [box] = [box for box in app.selectbox if str(box.key).startswith("clean.other")]
    box.set_value("l").run()
    assert marks_of(toy_set) == {"0": Mark("relabel", "l", "a")} and "clean.keep.1" in keys(app)


# --- twelve at once


def test_twelve_are_marked_by_clicks_and_the_rest_is_kept_in_one_step(lab, toy_set):
    searched(toy_set)
    app = open_page("clean", view="twelve")
    assert sum(str(key).startswith("clean.tile.") for key in keys(app)) == 12
    press(app, "clean.tile.3")
    app.button(key="clean.brush.1").click().run()
    press(app, "clean.tile.5")
    assert marks_of(toy_set) == {"3": Mark("delete", "", "r"), "5": Mark("relabel", "b", "r")}
    press(app, "clean.rest.")
    assert read_marks(toy_set, labels_of(toy_set)).count("keep") == 10 and "clean.tile.12" in keys(app)
    press(app, "clean.undo.")
    assert len(marks_of(toy_set)) == 2 and "clean.tile.0" in keys(app)


def test_a_second_click_takes_a_tiles_mark_away(lab, toy_set):
    searched(toy_set)
    app = open_page("clean", view="twelve")
    press(app, "clean.tile.3")
    press(app, "clean.tile.3")
    assert marks_of(toy_set) == {}


# --- Apply and after


def mark_three(dataset):
    put_marks(dataset, {"0": Mark("delete", was="r"), "1": Mark("relabel", "b", was="r"), "2": Mark("keep", was="r")})


def test_apply_makes_one_edit_that_can_be_taken_back_and_done_again(lab, toy_set):
    searched(toy_set)
    mark_three(toy_set)
    app = open_page("clean")
    app.button(key="clean.apply").click().run()
    assert fresh(toy_set).version != toy_set.version and marks_of(toy_set) == {}
    assert "Done: deleted 1 picture, relabelled 1 picture" in words(app) and "clean.apply" not in keys(app)
    assert "clean.keep.3" in keys(app), "what was judged is not shown again"
    press(app, "clean.edits.undo")
    assert fresh(toy_set).version == toy_set.version and "Taken back" in words(app)
    press(app, "clean.edits.redo")
    assert fresh(toy_set).version != toy_set.version


def test_a_double_click_on_apply_and_one_in_a_second_tab_apply_once(lab, toy_set):
    searched(toy_set)
    mark_three(toy_set)
    one, two = open_page("clean"), open_page("clean")
    one.button(key="clean.apply").click().run()
    two.button(key="clean.apply").click().run()
    assert [entry.kind for entry in edits.history(toy_set)] == ["clean", "import"] and not two.exception


def test_taking_back_in_two_tabs_takes_back_one_edit(lab, toy_set):
    searched(toy_set)
    edits.relabel(toy_set, {"20": "b"})
    mark_three(toy_set)
    app = open_page("clean")
    app.button(key="clean.apply").click().run()
    other = open_page("clean")
    press(app, "clean.edits.undo")
    press(other, "clean.edits.undo")
    assert [entry.undone for entry in edits.history(toy_set)] == [True, False, False]


def test_what_a_second_tab_deleted_meanwhile_is_left_alone_and_named(lab, toy_set):
    searched(toy_set)
    app = open_page("clean")
    press(app, "clean.to1.")
    press(app, "clean.delete.")
    edits.delete(toy_set, ["0"])
    app.run()
    app.button(key="clean.apply").click().run()
    assert "Left alone, because these had changed meanwhile: 1. 0.jpg" in words(app)
    assert "1" not in labels_of(toy_set) and not app.exception


def test_a_suspect_that_a_second_tab_deleted_is_gone_and_a_late_press_hits_nothing(lab, toy_set):
    searched(toy_set)
    app = open_page("clean")
    edits.delete(toy_set, ["0"])
    app.run()
    assert "clean.keep.1" in keys(app) and "of 35" in words(app)
    assert "You have changed the data since this search" in words(app) and "clean.find.again" in keys(app)


def test_all_marks_can_be_forgotten(lab, toy_set):
    searched(toy_set)
    mark_three(toy_set)
    app = open_page("clean")
    assert "Yes, forget all 3 marks" in labels(app)
    app.button(key="clean.forget").click().run()
    assert marks_of(toy_set) == {} and fresh(toy_set).version == toy_set.version and not app.exception
    assert not app.error and "clean.apply" not in keys(app)


def test_it_warns_before_a_class_loses_its_last_picture(lab, toy_set):
    searched(toy_set)
    put_marks(toy_set, {str(n): Mark("delete", was="r") for n in range(12)})
    assert "no picture is left in r" in words(open_page("clean"))


def test_training_again_uses_the_same_settings_and_is_started_once(lab, toy_set):
    model, _ = searched(toy_set)
    mark_three(toy_set)
    app = open_page("clean", run=model.id)
    app.button(key="clean.apply").click().run()
    other = open_page("clean", run=model.id)
    press(app, "clean.retrain")
    press(other, "clean.retrain")
    train, old = runs.list_runs(lab.workspace, "train")
    assert old.id == model.id and train.request["before"] == model.id
    assert train.request["settings"] == model.request["settings"]
    assert train.request["version"] == fresh(toy_set).version
    assert "Training once more" in words(app) and f"stop.{train.id}" in keys(open_page("clean"))


def test_after_training_again_both_models_are_compared_by_themselves(lab, toy_set):
    model, _ = searched(toy_set)
    mark_three(toy_set)
    app = open_page("clean")
    app.button(key="clean.apply").click().run()
    press(app, "clean.retrain")
    train = runs.list_runs(lab.workspace, "train")[0]
    finish(train, toy_set)
    app = open_page("clean")
    search = runs.list_runs(lab.workspace, "suspects")[0]
    assert search.request["run"] == train.id and search.request["against"] == model.id
    assert "Asking both models" in words(app)
    open_page("clean")
    assert len(runs.list_runs(lab.workspace, "suspects")) == 2, "a second tab starts no second comparison"


@pytest.mark.parametrize(
    ("before", "after", "said"), [(12, 5, "before, 5 now"), (5, 5, "not what held"), (5, 6, "chance")]
)
def test_the_comparison_is_told_in_counts(lab, toy_set, before, after, said):
    model = training_run(toy_set)
    again = follow(model, toy_set)
    counts = {"before_wrong": before, "after_wrong": after, "of": 60}
    search_run(again, toy_set, against=model.id, counts=counts)
    shown = words(open_page("clean"))
    assert f"{before} of 60 wrong" in shown and f"{after} of 60 wrong" in shown and said in shown


def follow(model, dataset, state="done"):
    request = {**model.request, "before": model.id, "version": dataset.version}
    again = runs.create_run(dataset.workspace, "train", request)
    finish(again, dataset)
    return runs.load_run(dataset.workspace, again.id)


def test_the_log_lists_every_edit_and_its_file_is_safe_for_spreadsheets(lab, toy_set):
    from core.ui.edit_log import changes
    from core.ui.report import csv_for_spreadsheets

    edits.relabel(toy_set, {"0": "=1+2"})
    edits.undo(toy_set)
    searched(toy_set)
    app = open_page("clean")
    assert list(app.dataframe[0].value["what"])[0] == "relabelled 1 picture (taken back)"
    table = changes(toy_set, edits.history(toy_set))
    assert table.loc[0, ["picture", "before", "after", "taken back"]].tolist() == ["0.jpg", "r", "=1+2", "yes"]
    assert ",'=1+2," in csv_for_spreadsheets(table)


def test_a_cleaning_that_leaves_one_class_can_be_taken_back_here(lab):
    dataset = make_toy(lab.home, classes=2)
    searched(dataset)
    put_marks(dataset, {str(n): Mark("delete", was="r") for n in range(12)})
    app = open_page("clean")
    app.button(key="clean.apply").click().run()
    assert not app.exception and not fresh(dataset).trainable
    press(app, "clean.edits.undo")
    assert fresh(dataset).version == dataset.version and "clean.keep.0" in keys(app)


def test_another_set_and_another_model_can_be_chosen(lab, toy_set):
    other = make_toy(lab.home, name="other", seed=1)
    old, _ = searched(toy_set)
    model, _ = searched(toy_set)
    searched(other)
    app = open_page("clean", dataset=toy_set.id)
    app.selectbox(key=f"clean.model.{model.id}").set_value(old.id).run()
    assert app.query_params["run"] == old.id and f"clean.model.{old.id}" in [box.key for box in app.selectbox]
    app.selectbox(key="clean.dataset").set_value(other.id).run()
    assert f"?dataset={other.id}" in words(app) and not app.exception


# --- practice


@pytest.fixture
def practice_set(lab):
    """A toy set in which the labels of two pictures are known to be wrong."""
    dataset = make_toy(lab.home)
    items = dataset.items()
    items.loc[items["item"].isin(["0", "1"]), "note"] = f"{TRUE_LABEL}b"
    (dataset.path / "items.csv").write_text(items_to_csv(items[list(COLUMNS)]))
    return dataset


def test_a_practice_set_is_made_in_one_click_and_watched_here(lab):
    app = open_page("clean")
    app.button(key="clean.practice").click().run()
    [run] = runs.list_runs(lab.workspace)
    assert run.kind == "sample" and run.request["noise"] == 0.05 and run.request["name"] == "practice"
    other = open_page("clean")
    other.button(key="clean.practice").click().run()
    assert len(runs.list_runs(lab.workspace)) == 1, "a second press makes no second set"
    assert "being drawn" in words(app) and app.query_params["practice"] == run.id
    dataset = make_toy(lab.home, name="practice")
    run = runs.set_state(runs.set_state(run, "starting"), "running")
    runs.set_state(run, "done", result={"dataset": dataset.id})
    app.run()
    assert "**practice** has no model yet" in words(app) and "practice" not in app.query_params


def test_the_score_comes_after_apply_and_names_found_missed_and_spoiled(lab, practice_set):
    searched(practice_set)
    app = open_page("clean")
    assert "wrong on purpose" in words(app) and "clean.score" not in keys(app)
    put_marks(practice_set, {"0": Mark("relabel", "b", was="r"), "2": Mark("delete", was="r")})
    app.run()
    app.button(key="clean.apply").click().run()
    app.button(key="clean.score").click().run()
    said = words(app)
    assert "1 of 2 planted mistakes found, 1 missed" in said and not app.exception
    assert "Missed: 1" in said and "Right before you changed them: 1" in said and "r, truly b" in said
    press(app, "clean.edits.undo")
    assert "planted mistakes found" not in words(app)


def test_a_set_with_honest_labels_offers_practice_and_no_score(lab, toy_set):
    searched(toy_set)
    mark_three(toy_set)
    app = open_page("clean")
    app.button(key="clean.apply").click().run()
    assert "clean.score" not in keys(app) and "clean.practice" in keys(app)


def test_edits_made_elsewhere_are_not_taken_back_from_here(lab, toy_set):
    searched(toy_set)
    edits.relabel(toy_set, {"20": "b"})
    app = open_page("clean")
    assert "clean.retrain" in keys(app) and not any(str(key).startswith("clean.edits") for key in keys(app))
    assert ledger.to_undo(toy_set.path).kind == "relabel"
