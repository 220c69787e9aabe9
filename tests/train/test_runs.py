"""Runs on disk: the state machine, events that survive a torn line, the stop flag."""

import errno
import itertools
import json
import math
import subprocess
import sys

import pytest

from core import workspace as workspace_module
from core.errors import DiskFull, JobError, NotFound
from core.train import runs, work
from core.train.events import BatchDone, Note, Progress
from core.workspace import Workspace, new_id

ALLOWED = {
    ("queued", "starting"),
    ("queued", "stopped"),
    ("queued", "failed"),
    ("queued", "interrupted"),
    ("starting", "running"),
    ("starting", "stopped"),
    ("starting", "failed"),
    ("starting", "interrupted"),
    ("running", "done"),
    ("running", "stopped"),
    ("running", "failed"),
    ("running", "diverged"),
    ("running", "interrupted"),
    ("running", "queued"),
    ("stopped", "queued"),
    ("failed", "queued"),
    ("interrupted", "queued"),
}
PATHS = {
    "queued": (),
    "starting": ("starting",),
    "stopped": ("stopped",),
    "failed": ("failed",),
    "interrupted": ("interrupted",),
    "running": ("starting", "running"),
    "done": ("starting", "running", "done"),
    "diverged": ("starting", "running", "diverged"),
}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@pytest.fixture
def run(workspace):
    return runs.create_run(workspace, "sample", {"sample": "bears"})


def at(run, state):
    for step in PATHS[state]:
        run = runs.set_state(run, step)
    return run


@pytest.mark.parametrize(("before", "after"), list(itertools.product(runs.STATES, runs.STATES)))
def test_state_machine_allows_these_moves_and_no_others(run, before, after):
    run = at(run, before)
    if (before, after) in ALLOWED:
        assert runs.set_state(run, after).state == after
    else:
        with pytest.raises(JobError, match=f"is {before}; it cannot become {after}"):
            runs.set_state(run, after)
        assert runs.load_run(run.workspace, run.id).record == run.record


def test_every_state_is_reached_by_a_path_of_this_table():
    assert set(PATHS) == set(runs.STATES) == set(runs.TRANSITIONS)


def test_a_stale_record_cannot_undo_what_another_process_wrote(run):
    stale = run
    at(run, "done")
    with pytest.raises(JobError, match="is done"):
        runs.set_state(stale, "failed", code="killed")


def test_new_run_keeps_its_request_and_says_when_it_was_made(workspace):
    run = runs.create_run(workspace, "import", {"source": "/x", "name": "päts"})
    again = runs.load_run(workspace, run.id)
    assert again == run
    assert (again.kind, again.state, again.ended) == ("import", "queued", False)
    assert again.request == {"source": "/x", "name": "päts"}
    assert again.record["created"] > 1.6e9
    assert again.record["ended"] is None


def test_times_and_fields_follow_the_state(run):
    run = runs.set_state(run, "starting", lease={"pid": 7})
    assert run.record["started"] is not None
    assert run.record["lease"] == {"pid": 7}
    run = at(runs.set_state(run, "running"), "queued")
    run = runs.set_state(run, "failed", code="oom", message="No memory left.", hint="Smaller batches.")
    assert (run.record["code"], run.record["message"], run.record["hint"]) == (
        "oom",
        "No memory left.",
        "Smaller batches.",
    )
    assert run.ended
    assert run.record["ended"] >= run.record["started"]


def test_unknown_fields_and_kinds_are_refused(run, workspace):
    with pytest.raises(JobError, match="no field colour"):
        runs.note_down(run, colour="red")
    with pytest.raises(JobError, match="There are train, import, sample"):
        runs.create_run(workspace, "dance", {})


def test_requeue_clears_the_failure_and_the_stop_flag_and_keeps_the_events(run):
    runs.request_stop(run)
    run = runs.set_state(at(run, "running"), "stopped", code="x", message="m", hint="h")
    runs.append_event(run, Note(seq=0, code="a", text="b"))
    run = runs.requeue(run)
    assert run.state == "queued"
    assert not runs.stop_requested(run)
    assert [run.record[key] for key in ("code", "message", "hint", "started", "ended", "lease")] == [None] * 6
    assert len(runs.read_events(run)[0]) == 1


def test_a_finished_run_cannot_be_requeued(run):
    run = at(run, "done")
    with pytest.raises(JobError, match="is done"):
        runs.requeue(run)


def test_stop_flag_is_seen_by_everyone_who_looks(run):
    assert not runs.stop_requested(run)
    runs.request_stop(run)
    assert runs.stop_requested(runs.load_run(run.workspace, run.id))


def test_events_come_back_as_they_went_in_and_reading_goes_on_where_it_ended(run):
    batch = BatchDone(seq=1, stage=0, epoch=0, step=0, lr=1e-3, momentum=0.9, loss=math.inf, loss_smooth=0.5)
    runs.append_event(run, Note(seq=0, code="small", text="ümlaut\nline"))
    runs.append_event(run, batch)
    events, offset = runs.read_events(run)
    assert events == [Note(seq=0, code="small", text="ümlaut\nline"), batch]
    assert runs.read_events(run, offset) == ([], offset)
    runs.append_event(run, Progress(seq=2, phase="import", done=1, total=2))
    assert [event.seq for event in runs.read_events(run, offset)[0]] == [2]
    assert list(runs.history(run).batches["loss"]) == [math.inf]


def test_a_torn_last_line_is_left_alone_by_readers_and_cut_off_before_writing_goes_on(run):
    for seq in range(3):
        runs.append_event(run, Progress(seq=seq, phase="p", done=seq, total=3))
    path = run.path / "events.jsonl"
    whole = path.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in range(last + 1, len(whole)):
        path.write_bytes(whole[:cut])
        assert [event.seq for event in runs.read_events(run)[0]] == [0, 1]
        assert runs.mend_events(run) == 2
        runs.append_event(run, Progress(seq=2, phase="p", done=2, total=3))
        assert [event.seq for event in runs.read_events(run)[0]] == [0, 1, 2]


def test_seq_starts_at_zero_and_goes_on_after_the_last_event(run):
    assert runs.mend_events(run) == 0
    runs.append_event(run, Note(seq=41, code="a", text="b"))
    assert runs.mend_events(run) == 42


def test_runs_are_listed_newest_first_without_unfinished_folders(workspace):
    first = runs.create_run(workspace, "sample", {})
    second = runs.create_run(workspace, "train", {})
    runs.set_state(first, "starting")  # writing into the older one must not make it the newer one
    workspace.create("runs")
    assert [run.id for run in runs.list_runs(workspace)] == [second.id, first.id]
    assert [run.id for run in runs.list_runs(workspace, "sample")] == [first.id]


def test_one_damaged_record_does_not_hide_the_other_runs(workspace, caplog):
    damaged, newer, whole = (runs.create_run(workspace, "sample", {}) for _ in range(3))
    (damaged.path / "run.json").write_text("{")
    (newer.path / "run.json").write_text('{"schema": 99}')
    assert [run.id for run in runs.list_runs(workspace)] == [whole.id]
    assert damaged.id in caplog.text
    assert newer.id in caplog.text


def test_another_owners_run_is_not_found(run, tmp_path):
    with pytest.raises(NotFound):
        runs.load_run(Workspace(tmp_path, new_id()), run.id)


def test_only_a_run_that_never_started_can_be_discarded(run, workspace):
    other = at(runs.create_run(workspace, "sample", {}), "running")
    with pytest.raises(JobError, match="is running"):
        runs.discard(other)
    runs.discard(run)
    assert [left.id for left in runs.list_runs(workspace)] == [other.id]
    assert not run.path.exists()


def test_the_last_state_is_written_even_when_the_disk_is_full(run, monkeypatch):
    run = at(run, "running")
    real = workspace_module.os.replace

    def replace(source, target):
        if (run.path / "reserve").exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        real(source, target)

    monkeypatch.setattr(workspace_module.os, "replace", replace)
    assert runs.set_state(run, "failed", code="disk_full").state == "failed"
    monkeypatch.setattr(workspace_module.os, "replace", real)
    assert json.loads((run.path / "run.json").read_text())["code"] == "disk_full"


def test_a_full_disk_refuses_a_new_run_with_a_sentence(workspace, monkeypatch):
    monkeypatch.setattr(workspace_module.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000})())
    with pytest.raises(DiskFull):
        runs.create_run(workspace, "sample", {})
    assert runs.list_runs(workspace) == []


def test_perform_dispatches_by_kind(run, monkeypatch):
    seen = []

    def fake(run, stop):
        seen.append((run.id, stop()))
        yield Note(seq=0, code="a", text="b")

    monkeypatch.setitem(runs.PERFORM, "sample", fake)
    assert list(runs.perform(run, lambda: True)) == [Note(seq=0, code="a", text="b")]
    assert seen == [(run.id, True)]


@pytest.mark.parametrize("inside", [True, False])
def test_an_upload_is_deleted_once_read_and_a_folder_of_somebodys_own_is_not(workspace, tmp_path, monkeypatch, inside):
    upload, folder = workspace.create("uploads")
    source = folder / "photos.zip" if inside else tmp_path / "own.zip"
    source.write_bytes(b"x")
    request = {"source": str(source), "name": "n", "valid_share": 0.2, "seed": 1, "delete_source": True}
    run = runs.create_run(workspace, "import", request)

    def fails(*args, **kwargs):
        yield Progress(seq=0, phase="import", done=0, total=1)
        raise JobError("broken")

    monkeypatch.setattr(work, "import_source", fails)
    with pytest.raises(JobError, match="broken"):
        list(runs.perform(run, lambda: False))
    assert source.exists() != inside
    assert folder.exists() != inside


def test_reading_runs_needs_no_torch_and_no_cluster():
    code = "import sys, core.train.runs; sys.exit(bool({'torch', 'distributed', 'streamlit'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
