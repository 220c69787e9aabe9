"""The page of runs: what is chosen stands in the address, differences are told, and nothing deleted is lost."""

import json
import re

import pytest

from core.settings import TrainSettings, to_record
from core.train import runs, shelf
from core.train.events import BatchDone, Note
from core.train.recipes import preset
from core.ui import cache, run_rows, run_tables, state
from core.ui.identity import sign, signing_key
from core.ui.report import csv_for_spreadsheets
from core.workspace import Workspace, new_id
from tests.conftest import make_toy
from tests.hostile_names import HOSTILE_NAMES
from tests.ui.support import labels, markup, open_page, training_run, words


@pytest.fixture
def toy(lab):
    return make_toy(lab.home)


def changed(run, *, settings=None, **record):
    """A run whose request or record says something else."""
    path = run.path / "run.json"
    found = json.loads(path.read_text())
    if settings is not None:
        found["request"]["settings"] = to_record(settings)
    path.write_text(json.dumps(found | record))
    return runs.load_run(run.workspace, run.id)


def comparing(*chosen):
    return open_page("runs", compare=".".join(run.id if run else "" for run in chosen))


def drawn(app):
    """The names of the lines of the figure."""
    spec = json.loads(app.get("echarts_chart")[0].proto.spec)
    return [entry["name"] for entry in spec["series"] if entry["type"] == "line"]


def plain(app):
    """What a page says, without its tags."""
    return re.sub(r"</?em>", "", words(app))


def ticked(app):
    return [box.key.removeprefix("runs.pick.") for box in app.checkbox if box.value]


def test_without_runs_there_is_one_sentence_and_the_way_to_get_one(lab):
    app = open_page("runs")
    assert "nothing to compare yet" in words(app) and "Train a model" in labels(app) and not app.exception
    app.button(key="runs.gate").click().run()
    assert app.title[0].value == "Train a model"


def test_one_run_has_its_verdict_and_every_way_on(lab, toy):
    run = training_run(toy)
    app = comparing(run)
    assert drawn(app) == ["A"] and ticked(app) == [run.id] and not app.error
    assert {"Try it on a picture", "Open in Train", "Go on from it", "Delete", "Save"} <= set(labels(app))
    assert "3 of 12 wrong" in words(app) and "toy" in words(app) and toy.version[:6] in words(app)


def test_without_an_address_the_last_two_are_compared_the_older_one_first(lab, toy):
    made = [training_run(toy) for _ in range(3)]
    app = open_page("runs")
    assert drawn(app) == ["A", "B"] and set(ticked(app)) == {made[1].id, made[2].id}


def test_the_same_run_done_twice_is_recognised(lab, toy):
    app = comparing(training_run(toy), training_run(toy))
    assert "A and B are the same run, done twice" in words(app) and "all 2 epochs" in words(app)


def test_two_that_differ_are_told_apart_in_words(lab, toy):
    first, second = training_run(toy), training_run(toy, wrong=(6, 4))
    second = changed(second, settings=preset("quick", TrainSettings(seed=7), epochs=2, lr=3e-2))
    said = plain(comparing(first, second))
    assert "B, compared with A" in said
    assert "It has the seed 7 instead of 42." in said and "It learns at 3e-2 instead of 3e-3." in said
    assert "A looks better, but it may be luck" in said, "one picture of twelve says nothing"
    assert "rate 3e-2, seed 7" in said, "the list names what is not the same in all runs"


def test_the_same_settings_with_other_numbers_have_a_sentence_of_their_own(lab, toy):
    said = words(comparing(training_run(toy), training_run(toy, wrong=(6, 4))))
    assert "Same settings, other numbers" in said


def test_what_may_have_made_the_numbers_differ_is_named(lab, toy):
    first, second = training_run(toy), training_run(toy, wrong=(6, 4))
    events = second.path / "events.jsonl"
    events.write_text(events.read_text().replace('"device": "cpu"', '"device": "cuda"'))
    assert "A ran on CPU, float32 and B on CUDA, float32" in words(comparing(first, second))
    runs.append_event(second, Note(9, "half_batch", "Memory ran out."))
    assert "memory ran out in B" in words(comparing(first, second))


def test_other_data_means_another_exam(lab, toy):
    other = training_run(make_toy(lab.home, seed=5, name="other"))
    said = words(comparing(training_run(toy), other))
    assert "sat different exams" in said and "It learned from other" in said


def test_four_keep_their_slots_and_a_fifth_has_to_wait(lab, toy):
    made = [training_run(toy, wrong=(6, 5 - place)) for place in range(4)] + [training_run(toy)]
    app = comparing(*made[:4])
    assert drawn(app) == list("ABCD") and "D did best: 2 of 12 wrong" in plain(app)
    assert [box.disabled for box in app.checkbox if not box.value] == [True]
    app.checkbox(key=f"runs.pick.{made[1].id}").uncheck().run()
    assert drawn(app) == list("ACD") and app.query_params["compare"] == ".".join(
        (made[0].id, "", made[2].id, made[3].id)
    )
    app.checkbox(key=f"runs.pick.{made[4].id}").check().run()
    assert drawn(app) == list("ABCD") and made[4].id in app.query_params["compare"]


def test_everything_can_be_taken_out_and_stays_out(lab, toy):
    run = training_run(toy)
    app = comparing(run)
    app.checkbox(key=f"runs.pick.{run.id}").uncheck().run()
    assert ticked(app) == [] and "Tick a run" in words(app) and app.query_params["compare"] == "none"
    assert ticked(app.run()) == []


def test_what_is_drawn_follows_its_controls(lab, toy):
    app = comparing(training_run(toy))
    for show, name in (("error", "wrong in the exam"), ("train", "training loss"), ("valid", "validation loss")):
        app.segmented_control(key="runs.show").set_value(show).run()
        spec = json.loads(app.get("echarts_chart")[0].proto.spec)
        assert name in spec["yAxis"][0]["name"]
    app.toggle(key="runs.log").set_value(True).run()
    app.toggle(key="runs.seconds").set_value(True).run()
    spec = json.loads(app.get("echarts_chart")[0].proto.spec)
    assert spec["yAxis"][0]["type"] == "log" and spec["xAxis"][0]["name"] == "seconds of training"


def test_many_runs_come_in_pages_and_in_the_order_that_is_asked_for(lab, toy):
    made = [training_run(toy, wrong=(6, wrong)) for wrong in (5, 1, 4, 2, 6, 3, 7)]
    app = comparing(made[0])
    assert len(app.checkbox) == 6 and "Take all out" in labels(app), "what is chosen lies on the next page"
    app.button(key="runs.clear").click().run()
    app.selectbox(key="runs.order").select("Fewest wrong").run()
    assert app.checkbox[0].key == f"runs.pick.{made[1].id}"
    assert app.query_params["compare"] == "none"


def test_runs_of_one_data_set_can_be_picked_out(lab, toy):
    first, other = training_run(toy), training_run(make_toy(lab.home, seed=5, name="other"))
    app = comparing(first)
    assert len(app.checkbox) == 2
    app.selectbox(key="runs.data").select(other.request["dataset"]).run()
    assert [box.key for box in app.checkbox] == [f"runs.pick.{other.id}"]


def test_a_name_and_a_note_are_written_down(lab, toy):
    run = training_run(toy)
    app = comparing(run)
    app.text_input(key=f"runs.name.{run.id}").set_value("first try")
    app.text_area(key=f"runs.note.{run.id}").set_value("as expected")
    app.button(key=f"runs.save.{run.id}").click().run()
    found = runs.load_run(run.workspace, run.id)
    assert (found.name, found.note) == ("first try", "as expected") and "first try" in app.checkbox[0].label
    assert "first try" in open_page("predict", model=run.id).selectbox[0].options[0]


def test_a_name_that_is_none_gives_a_sentence_and_changes_nothing(lab, toy):
    run = training_run(toy)
    app = comparing(run)
    app.text_input(key=f"runs.name.{run.id}").set_value("a\u202eb")
    app.button(key=f"runs.save.{run.id}").click().run()
    assert "printable characters" in app.error[0].value and runs.load_run(run.workspace, run.id).name == ""


def test_a_deleted_run_is_gone_from_every_page_and_one_press_brings_it_back(lab, toy):
    run = training_run(toy)
    app = comparing(run)
    app.button(key="runs.delete").click().run()
    assert "Deleted" in words(app) and "nothing to compare yet" in words(app) and not app.error
    assert "Bin (1)" in [box.label for box in app.expander]
    assert len(open_page("train", run=run.id).error) == 1 and len(open_page("predict", model=run.id).error) == 1
    app.button(key="runs.undo").click().run()
    assert ticked(app) == [run.id] and "Deleted" not in words(app) and shelf.binned(run.workspace) == []


def test_the_bin_gives_back_or_removes_for_good_after_a_question(lab, toy):
    kept, gone, other = (training_run(toy) for _ in range(3))
    for run in (kept, gone):
        shelf.delete(run)
    app = comparing(other)
    app.button(key=f"runs.restore.{kept.id}").click().run()
    assert ticked(app) == [kept.id]
    app.button(key=f"runs.forget.{gone.id}").click().run()
    assert gone.path.exists() and "There is no way back" in words(app)
    app.button(key="runs.forget.do").click().run()
    assert not gone.path.exists() and not app.error and kept.path.exists()


def test_a_run_that_goes_on_says_where_it_stands_and_cannot_be_deleted(lab, toy):
    run = training_run(toy, state="running", wrong=(6,))
    app = comparing(run)
    assert "training, 1 of 2 epochs done" in words(app) and app.button(key="runs.delete").disabled
    assert "runs.start" not in [button.key for button in app.button]
    runs.append_event(run, BatchDone(9, 0, 1, 3, 1e-3, 0.9, 0.1, 0.1))
    runs.set_state(run, "done")
    assert not app.run().button(key="runs.delete").disabled


def test_a_run_that_waits_has_no_numbers_and_breaks_nothing(lab, toy):
    waiting = training_run(toy, state="queued")
    said = words(comparing(training_run(toy), waiting))
    assert "waiting" in said and "no exam yet" in said and "has not come to its first exam" in said


def test_ways_on_lead_to_the_run_and_to_its_weights(lab, toy):
    run = training_run(toy)
    (run.path / "stage-0.safetensors").write_bytes(b"weights")
    app = comparing(run)
    app.selectbox(key=f"runs.file.{run.id}").select("stage-0.safetensors").run()
    app.button(key="runs.start").click().run()
    assert app.query_params["start"] == f"{run.id}:stage-0.safetensors"
    app = comparing(run)
    app.button(key="runs.open").click().run()
    assert app.query_params["run"] == run.id


@pytest.mark.parametrize("wanted", ["<b>../../etc", "a" * 26, "a.b.c.d.e.f", ".", "", "{run}.{run}"])
def test_an_address_that_names_none_of_yours_gives_one_sentence_at_most(lab, toy, wanted):
    run = training_run(toy)
    app = open_page("runs", compare=wanted.replace("{run}", run.id))
    assert not app.exception and len(app.error) <= 1 and len(app.checkbox) == 1
    assert "../../etc" not in words(app)


def test_in_a_class_everybody_sees_their_own_runs(lab, toy, monkeypatch):
    monkeypatch.setenv("BEARINGS_PROFILE", "class")
    cache.settings.cache_clear()
    mine, theirs = new_id(), new_id()
    shared = training_run(toy)
    for owner, run in ((mine, training_run(toy)), (theirs, training_run(toy))):
        target = Workspace(lab.home, owner).folder("runs")
        target.mkdir(parents=True)
        run.path.rename(target / run.id)
    monkeypatch.setattr(state, "cookie", lambda: sign(mine, signing_key(lab.home)))
    [own] = Workspace(lab.home, mine).ids("runs")
    [other] = Workspace(lab.home, theirs).ids("runs")
    app = open_page("runs", compare=f"{other}.{own}.{shared.id}")
    assert [box.key for box in app.checkbox] == [f"runs.pick.{own}"] and drawn(app) == ["B"] and len(app.error) == 1
    assert other not in markup(app) and shared.id not in markup(app) and app.query_params["compare"] == f".{own}"
    shelf.delete(runs.load_run(Workspace(lab.home, theirs), other))
    assert "Bin" not in " ".join(box.label for box in open_page("runs").expander)
    monkeypatch.setattr(state, "cookie", lambda: None)
    app = open_page("runs")
    assert not app.checkbox and "cookie" in app.error[0].value


@pytest.mark.parametrize("text", [name for name in HOSTILE_NAMES if name.isprintable() and len(name) <= 64])
def test_a_hostile_name_is_nothing_but_text(lab, toy, text):
    run = shelf.annotate(shelf.rename(training_run(toy), text), text)
    app = comparing(run)
    said = markup(app).partition("<style>")[0]
    shown = re.sub(r"<[^<>]*>", "", said)  # without our own tags
    assert not app.exception and "<" not in shown and ">" not in shown
    table = run_tables.overview(run_rows.read(lab.workspace), {})
    line = csv_for_spreadsheets(table).splitlines()[1]
    assert not any(cell.lstrip('"').startswith(("=", "+", "-", "@")) for cell in line.split(","))


def test_a_run_that_cannot_be_read_is_left_out_and_the_rest_stays(lab, toy):
    run, broken = training_run(toy), training_run(toy)
    record = json.loads((broken.path / "run.json").read_text())
    record["request"]["settings"]["stages"][0]["epochs"] = -1
    (broken.path / "run.json").write_text(json.dumps(record))
    app = comparing(run)
    assert not app.exception and len(app.checkbox) == 1


def test_both_files_hold_what_the_page_shows(lab, toy):
    first, second = training_run(toy), training_run(toy, wrong=(6, 4))
    rows = run_rows.read(lab.workspace)
    by_id = {row.run.id: row for row in rows}
    slots = {0: by_id[first.id], 2: by_id[second.id]}
    table = run_tables.overview(rows, slots)
    assert list(table["wrong"]) == ["4 of 12", "3 of 12"] and list(table[""]) == ["C", "A"]
    epochs = run_tables.epochs(slots)
    assert list(epochs["slot"]) == ["A", "A", "C", "C"] and list(epochs["wrong"]) == [6, 3, 6, 4]
    assert {"valid_loss", "seconds", "train_loss_eval"} <= set(epochs.columns)


def test_what_was_worked_out_is_kept_until_the_run_says_more(lab, toy, monkeypatch):
    run = training_run(toy, state="running", wrong=(6,))
    before = run_rows.facts(run)
    assert run_rows.facts(run) is before
    runs.append_event(run, BatchDone(9, 0, 1, 3, 1e-3, 0.9, 0.1, 0.1))
    assert run_rows.facts(run) is not before
