"""Names, notes and the bin: what a run carries beside its numbers, and what may happen to it when."""

import json

import pytest

from core.errors import JobError, NotFound, SettingsError
from core.train import runs, shelf
from core.workspace import Workspace, new_id
from tests.hostile_names import HOSTILE_NAMES


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


def make(workspace, *, state="done", kind="train", **request):
    run = runs.create_run(workspace, kind, {"dataset": "d", **request})
    for step in {"queued": (), "running": ("starting", "running")}.get(state, ("starting", "running", state)):
        run = runs.set_state(run, step)
    return run


def test_a_run_has_no_name_and_no_note_until_somebody_gives_it_one(workspace):
    run = make(workspace)
    assert (run.name, run.note, run.binned) == ("", "", None)
    shelf.annotate(shelf.rename(run, "  high \t rate "), "first line  \n\n  second\r\nthird\n")
    now = runs.load_run(workspace, run.id)
    assert now.name == "high rate" and now.note == "first line\n\n  second\nthird"
    assert shelf.rename(now, " ").name == "" and shelf.annotate(now, "").note == ""


def test_a_name_need_not_be_unique_and_lasts_while_the_run_goes_on(workspace):
    first, second = make(workspace, state="running"), make(workspace)
    assert shelf.rename(first, "twin").name == shelf.rename(second, "twin").name == "twin"
    done = runs.set_state(first, "done")
    assert (done.name, done.state) == ("twin", "done")


@pytest.mark.parametrize("name", ["a" * 65, "a\u202eb", "a\x00b", "\u200b", "\ud800"])
def test_a_name_that_cannot_be_read_is_refused_with_a_sentence(workspace, name):
    run = make(workspace)
    with pytest.raises(SettingsError, match="1 to 64 printable characters"):
        shelf.rename(run, name)
    assert runs.load_run(workspace, run.id).record == run.record


@pytest.mark.parametrize("text", HOSTILE_NAMES)
def test_a_hostile_text_is_kept_as_text_or_refused(workspace, text):
    run = make(workspace)
    noted = shelf.annotate(run, text).note
    assert "\u202e" not in noted and "\x00" not in noted and len(noted) <= len(text)
    try:
        assert shelf.rename(run, text).name == " ".join(text.split())
    except SettingsError:
        assert not text.isprintable() or len(text) > 64


def test_a_note_of_more_than_two_thousand_characters_is_refused(workspace):
    run = make(workspace)
    assert len(shelf.annotate(run, "x" * 2_000).note) == 2_000
    with pytest.raises(SettingsError, match="2,001 characters; it may have up to 2,000"):
        shelf.annotate(run, "x" * 2_001)


def test_a_record_of_an_older_version_lacks_the_fields_and_still_reads(workspace):
    run = make(workspace)
    record = json.loads((run.path / "run.json").read_text())
    assert not {"name", "note", "binned"} & set(record)
    assert runs.load_run(workspace, run.id).name == "" and runs.list_runs(workspace) == [run]


def test_a_deleted_run_is_hidden_everywhere_and_comes_back_whole(workspace):
    run = make(workspace)
    (run.path / "last.safetensors").write_bytes(b"weights")
    shelf.rename(run, "mine")
    shelf.delete(run)
    assert runs.list_runs(workspace) == runs.list_runs(workspace, "train") == []
    with pytest.raises(NotFound, match="There is no run"):
        runs.load_run(workspace, run.id)
    [binned] = shelf.binned(workspace, "train")
    assert binned.id == run.id and binned.binned > 0 and shelf.binned(workspace, "sample") == []
    back = shelf.restore(binned)
    assert back.binned is None and back.name == "mine" and (run.path / "last.safetensors").exists()
    assert [found.id for found in runs.list_runs(workspace)] == [run.id] and shelf.binned(workspace) == []


def test_nothing_happens_to_a_run_in_the_bin(workspace):
    run = make(workspace, state="stopped")
    shelf.delete(run)
    for act in (runs.requeue, lambda one: runs.note_down(one, message="x")):
        with pytest.raises(NotFound):
            act(run)
    assert shelf.binned(workspace)[0].state == "stopped"


def test_deleting_or_restoring_twice_changes_nothing(workspace):
    run = make(workspace)
    first = shelf.delete(run).binned
    assert shelf.delete(run).binned == first
    assert shelf.restore(shelf.restore(run)).binned is None


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_run_that_goes_on_cannot_be_deleted(workspace, state):
    run = make(workspace, state=state)
    with pytest.raises(JobError, match=f"This run is {state}; only one that has ended can be deleted"):
        shelf.delete(run)
    assert runs.load_run(workspace, run.id).binned is None


@pytest.mark.parametrize("request_of", [
    lambda run: {"start": {"run": run.id, "file": "last.safetensors"}},
    lambda run: {"run": run.id},
    lambda run: {"before": run.id},
])  # fmt: skip
def test_a_run_that_another_one_needs_cannot_be_deleted_until_that_has_ended(workspace, request_of):
    run = make(workspace)
    other = make(workspace, state="running", **request_of(run))
    with pytest.raises(JobError, match="still needs this one"):
        shelf.delete(run)
    runs.set_state(other, "done")
    assert shelf.delete(run).binned


def test_the_bin_shows_what_was_deleted_last_first(workspace):
    first, second = make(workspace), make(workspace)
    shelf.delete(second)
    shelf.delete(first)
    assert [run.id for run in shelf.binned(workspace)] == [first.id, second.id]


def test_only_a_run_in_the_bin_is_removed_for_good(workspace):
    run = make(workspace)
    with pytest.raises(JobError, match="Only a run in the bin"):
        shelf.forget(run)
    assert run.path.exists()
    shelf.forget(shelf.delete(run))
    assert not run.path.exists() and shelf.binned(workspace) == []
    for act in (shelf.forget, shelf.restore, shelf.delete):
        with pytest.raises(NotFound):
            act(run)
    assert not run.path.exists(), "no lock brings the folder back"


def test_a_run_of_somebody_else_is_not_found(workspace, tmp_path):
    run = make(workspace)
    foreign = runs.Run(Workspace(tmp_path, new_id()), run.id, run.record)
    for act in (shelf.delete, shelf.forget, shelf.restore, lambda one: shelf.rename(one, "x")):
        with pytest.raises(NotFound):
            act(foreign)
    assert runs.load_run(workspace, run.id).record == run.record
