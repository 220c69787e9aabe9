"""Marks on disk: folded on read, taken back step by step, carried out once, shared by tabs, safe from a kill."""

import json
import os
import subprocess
import sys
import threading

import pytest

from core.data import edits, marks
from core.data.edits import Mark
from core.data.marks import apply_marks, forget_marks, labels_of, put_marks, read_marks, take_back
from core.data.table import load_dataset
from core.errors import SettingsError
from tests.conftest import make_toy


@pytest.fixture
def toy_set(tmp_path):
    return make_toy(tmp_path)


def pending(dataset):
    return dict(read_marks(dataset, labels_of(dataset)).pending)


def fresh(dataset):
    return load_dataset(dataset.workspace, dataset.id)


def test_a_set_without_marks_has_none(toy_set):
    assert pending(toy_set) == {} and take_back(toy_set) == () and apply_marks(toy_set).changed == 0


def test_marks_are_read_back_and_change_nothing(toy_set):
    put_marks(toy_set, {"0": Mark("delete", was="r"), "1": Mark("relabel", "b", was="r")})
    put_marks(toy_set, {"2": Mark("keep", was="r")})
    found = read_marks(toy_set, labels_of(toy_set))
    assert list(found.pending) == ["0", "1", "2"] and found.pending["1"] == Mark("relabel", "b", "r")
    assert (found.count("delete"), found.count("relabel"), found.count("keep"), found.changes) == (1, 1, 1, 2)
    assert fresh(toy_set).version == toy_set.version


def test_the_last_mark_of_a_picture_counts_and_none_takes_it_away(toy_set):
    put_marks(toy_set, {"0": Mark("delete", was="r")})
    put_marks(toy_set, {"0": Mark("relabel", "b", was="r")})
    assert pending(toy_set) == {"0": Mark("relabel", "b", "r")}
    put_marks(toy_set, {"0": None})
    assert pending(toy_set) == {}


def test_taking_back_goes_step_by_step_and_brings_the_mark_before_it_back(toy_set):
    put_marks(toy_set, {"0": Mark("delete", was="r")})
    put_marks(toy_set, {"0": Mark("relabel", "b", was="r"), "1": Mark("delete", was="r")})
    assert take_back(toy_set) == ("0", "1") and pending(toy_set) == {"0": Mark("delete", "", "r")}
    assert take_back(toy_set) == ("0",) and take_back(toy_set) == ()


def test_a_session_takes_its_own_step_back_first_and_then_anybodys(toy_set):
    put_marks(toy_set, {"0": Mark("delete", was="r")}, by="a")
    put_marks(toy_set, {"1": Mark("delete", was="r")}, by="b")
    assert take_back(toy_set, by="a") == ("0",) and take_back(toy_set, by="a") == ("1",)


def test_forgetting_takes_all_marks_and_nothing_else(toy_set):
    put_marks(toy_set, {"0": Mark("keep", was="r")})
    apply_marks(toy_set)
    put_marks(toy_set, {"1": Mark("delete", was="r")})
    forget_marks(toy_set)
    found = read_marks(toy_set, labels_of(toy_set))
    assert found.pending == {} and found.judged == {"0": "r"} and found.applied is None


def test_applying_is_one_edit_and_leaves_no_marks(toy_set):
    put_marks(toy_set, {"0": Mark("delete", was="r"), "1": Mark("relabel", "b", was="r"), "2": Mark("keep", was="r")})
    edited = apply_marks(toy_set)
    assert edited.changed == 2 and edited.skipped == ()
    assert edits.history(toy_set)[0].kind == "clean" and edits.history(toy_set)[0].count == 2
    found = read_marks(toy_set, labels_of(toy_set))
    assert found.pending == {} and found.applied.changed == 2 and found.judged == {"1": "b", "2": "r"}
    assert labels_of(toy_set)["1"] == "b" and "0" not in labels_of(toy_set)


def test_what_a_person_judged_is_forgotten_when_its_label_changes(toy_set):
    put_marks(toy_set, {"1": Mark("relabel", "b", was="r"), "2": Mark("keep", was="r")})
    apply_marks(toy_set)
    edits.undo(toy_set)
    assert read_marks(toy_set, labels_of(toy_set)).judged == {"2": "r"}
    edits.redo(toy_set)
    assert read_marks(toy_set, labels_of(toy_set)).judged == {"1": "b", "2": "r"}


def test_what_changed_meanwhile_is_left_alone_and_named(toy_set):
    marked = {"0": Mark("relabel", "b", was="r"), "1": Mark("delete", was="r"), "3": Mark("delete", was="r")}
    put_marks(toy_set, marked)
    edits.delete(toy_set, ["0"])
    edits.relabel(toy_set, {"1": "g"})
    edited = apply_marks(toy_set)
    assert edited.changed == 1 and set(edited.skipped) == {"0", "1"}
    assert set(read_marks(toy_set, labels_of(toy_set)).applied.skipped) == {"0", "1"}
    assert labels_of(toy_set)["1"] == "g"


def test_marks_that_a_killed_apply_had_carried_out_are_dropped_on_read(toy_set):
    put_marks(toy_set, {"0": Mark("delete", was="r"), "1": Mark("relabel", "b", was="r")})
    put_marks(toy_set, {"2": Mark("relabel", "g", was="r")})
    edits.clean(toy_set, {"0": Mark("delete", was="r"), "1": Mark("relabel", "b", was="r")})
    assert pending(toy_set) == {"2": Mark("relabel", "g", "r")}
    assert apply_marks(toy_set).skipped == ()


def test_applying_twice_at_once_does_it_once(toy_set):
    put_marks(toy_set, {str(n): Mark("delete", was="r") for n in range(5)})
    barrier, changed = threading.Barrier(2), []

    def press():
        barrier.wait()
        changed.append(apply_marks(toy_set).changed)

    threads = [threading.Thread(target=press) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(changed) == [0, 5] and [entry.kind for entry in edits.history(toy_set)].count("clean") == 1


def test_two_tabs_that_mark_at_once_lose_nothing(toy_set):
    code = (
        "import sys; from pathlib import Path; from core.workspace import Workspace; "
        "from core.data.table import load_dataset; from core.data.marks import put_marks; "
        "from core.data.edits import Mark; home, wanted, first = sys.argv[1:]; "
        "dataset = load_dataset(Workspace(Path(home)), wanted); "
        "[put_marks(dataset, {str(n): Mark('delete')}) for n in range(int(first), 36, 2)]"
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", code, str(toy_set.workspace.home), toy_set.id, str(first)])
        for first in (0, 1)
    ]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    assert len(pending(toy_set)) == 36


def test_a_mark_that_was_cut_off_while_written_costs_only_itself(toy_set):
    put_marks(toy_set, {"0": Mark("delete", was="r")})
    file = toy_set.path / marks.FOLDER / marks.LINES
    os.truncate(file, file.stat().st_size - 5)
    put_marks(toy_set, {"1": Mark("delete", was="r")})
    assert pending(toy_set) == {"1": Mark("delete", "", "r")}


def test_a_failed_apply_keeps_the_marks(toy_set, monkeypatch):
    put_marks(toy_set, {"0": Mark("delete", was="r")})
    monkeypatch.setattr(marks, "clean", lambda *_: (_ for _ in ()).throw(SettingsError("no", hint="no")))
    with pytest.raises(SettingsError):
        apply_marks(toy_set)
    assert list(pending(toy_set)) == ["0"]


def test_the_file_stays_small_however_often_marks_are_applied(toy_set):
    for n in range(4):
        put_marks(toy_set, {str(n): Mark("delete", was="r")})
        apply_marks(toy_set)
    text = (toy_set.path / marks.FOLDER / marks.LINES).read_text()
    assert len(text.splitlines()) == 1 and json.loads(text)["applied"]["changed"] == 1


def test_names_with_every_kind_of_character_survive(toy_set):
    label = "<b>=1+2\u2028 \"café\", 'x'"
    put_marks(toy_set, {"0": Mark("relabel", label, was="r")})
    assert pending(toy_set)["0"].label == label
