"""What a worker makes of a run: states, numbered events, results, and a sentence for everything that goes wrong."""

import errno
import os
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import psutil
import pytest

from core.errors import DataError, JobError
from core.jobs import worker
from core.train import runs
from core.train.events import DataReady, Diverged, Finished, Note, Progress, Reported
from core.workspace import Workspace
from tests.jobs.fake_engine import DeadEngine, FakeEngine

READY = DataReady(seq=0, dataset="d", name="n", classes=("a", "b"), kept=10, train=8, valid=2)


@pytest.fixture
def run(tmp_path):
    return runs.create_run(Workspace(tmp_path), "train", {})


@pytest.fixture
def performs(monkeypatch):
    """Let runs do what a test says: events to yield, or errors to raise, in order."""

    def set_up(*script):
        def perform(run, stop):
            for step in script:
                if isinstance(step, BaseException):
                    raise step
                if callable(step):
                    step()
                else:
                    yield step

        monkeypatch.setitem(runs.PERFORM, "train", perform)

    return set_up


def finished(state):
    return Finished(seq=0, state=state, error_rate=0.05, wrong=3, of=60, seconds=1.5)


def again(run):
    return runs.load_run(run.workspace, run.id)


def execute(run, boot=None):
    return worker.execute(str(run.workspace.home), run.workspace.owner, run.id, boot)


@pytest.mark.parametrize(
    ("event", "state", "result"),
    [
        (finished("done"), "done", {"error_rate": 0.05, "wrong": 3, "of": 60, "seconds": 1.5}),
        (finished("stopped"), "stopped", {"error_rate": 0.05, "wrong": 3, "of": 60, "seconds": 1.5}),
        (finished("diverged"), "diverged", {"error_rate": 0.05, "wrong": 3, "of": 60, "seconds": 1.5}),
        (READY, "done", {"dataset": "d", "name": "n", "kept": 10, "train": 8, "valid": 2, "added": 0}),
        (Note(seq=0, code="a", text="b"), "done", None),
    ],
)
def test_the_last_event_decides_state_and_result(run, performs, event, state, result):
    performs(Progress(seq=0, phase="p", done=0, total=1), event)
    assert execute(run) is False
    assert (again(run).state, again(run).result) == (state, result)


def test_a_run_without_events_is_done(run, performs):
    performs()
    execute(run)
    assert again(run).state == "done"


def test_a_diverged_run_says_why(run, performs):
    text = "The loss is no number any more."
    performs(Diverged(seq=0, stage=0, epoch=0, step=1, loss=1.0, text=text), finished("diverged"))
    execute(run)
    assert again(run).record["message"] == text


def test_state_is_running_while_events_come_and_starting_before(run, performs):
    seen = []
    performs(
        lambda: seen.append(again(run).state), Note(seq=0, code="a", text="b"), lambda: seen.append(again(run).state)
    )
    execute(run, boot="b7")
    assert seen == ["starting", "running"]
    held = again(run).record["lease"]
    assert (held["boot"], held["pid"]) == ("b7", os.getpid())


def test_events_are_written_before_they_are_handed_on_and_numbered_from_zero(run, performs):
    performs(*(Note(seq=9, code="a", text=str(number)) for number in range(3)))
    for seq, event in enumerate(worker.work(run)):
        assert event.seq == seq
        assert runs.read_events(run)[0][-1] == event


def test_a_resumed_run_numbers_on_and_drops_a_torn_line(run, performs):
    performs(Note(seq=0, code="a", text="1"), Note(seq=1, code="a", text="2"), DataError("cut"))
    execute(run)
    with (run.path / "events.jsonl").open("ab") as file:
        file.write(b'{"schema": 1, "kind": "no')
    performs(Note(seq=0, code="a", text="3"), finished("done"))
    runs.requeue(run)
    execute(run)
    events, _ = runs.read_events(run)
    assert [event.seq for event in events] == [0, 1, 2, 3]
    assert again(run).state == "done"


def test_what_a_learner_can_act_on_is_kept_word_for_word(run, performs):
    performs(DataError("One class found.", hint="Add another folder."))
    assert execute(run) is False
    record = again(run).record
    assert (record["state"], record["code"]) == ("failed", "data_error")
    assert (record["message"], record["hint"]) == ("One class found.", "Add another folder.")


def test_an_unexpected_error_gives_a_plain_sentence_and_a_number_that_the_log_knows(run, performs, caplog):
    performs(ZeroDivisionError("secret /home/x"))
    assert execute(run) is False
    record = again(run).record
    assert (record["state"], record["code"]) == ("failed", "error")
    assert "secret" not in record["message"] + record["hint"]
    number = record["hint"].removesuffix(".").split()[-1]
    assert number in caplog.text
    assert "ZeroDivisionError: secret /home/x" in caplog.text


class OutOfMemoryError(RuntimeError):
    """Named like the one of torch."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_running_out_of_memory_is_named_and_the_process_is_not_used_again(run, performs, error):
    performs(error)
    assert execute(run) is True
    assert again(run).record["code"] == "oom"


def test_a_broken_gpu_spoils_the_process(run, performs):
    performs(RuntimeError("CUDA error: device-side assert triggered"))
    assert execute(run) is True
    assert again(run).record["code"] == "error"


def test_a_full_disk_is_named(run, performs):
    performs(OSError(errno.ENOSPC, "No space left on device"))
    execute(run)
    assert again(run).record["code"] == "disk_full"


def test_watching_raises_what_went_wrong_after_writing_it_down(run, performs):
    performs(DataError("One class found."))
    with pytest.raises(DataError, match="One class"):
        list(worker.work(run))
    assert again(run).state == "failed"


@pytest.mark.parametrize("error", [None, DataError("The import was stopped.")])
def test_a_run_that_was_asked_to_stop_is_stopped_and_not_failed(run, performs, error):
    performs(Note(seq=0, code="a", text="b"), lambda: runs.request_stop(run), *([error] if error else []))
    execute(run)
    assert again(run).state == "stopped"


def test_the_watchers_own_stop_counts_too(run, monkeypatch):
    def perform(run, stop):
        for step in range(100):
            if stop():
                return
            yield Progress(seq=0, phase="p", done=step, total=100)

    monkeypatch.setitem(runs.PERFORM, "train", perform)
    seen = []
    for event in worker.work(run, stop=lambda: len(seen) == 3):
        seen.append(event)
    assert len(seen) == 3
    assert again(run).state == "stopped"


def test_work_broken_off_by_its_watcher_is_interrupted(run, performs):
    performs(Note(seq=0, code="a", text="b"), finished("done"))
    watched = worker.work(run)
    next(watched)
    watched.close()
    assert again(run).state == "interrupted"
    performs(KeyboardInterrupt())
    runs.requeue(run)
    with pytest.raises(KeyboardInterrupt):
        list(worker.work(run))
    assert again(run).state == "interrupted"


def test_a_run_stopped_while_it_waited_is_not_worked_on(run, performs):
    performs(DataError("never"))
    runs.set_state(run, "stopped")
    assert execute(run) is False
    assert again(run).state == "stopped"


def test_a_lease_holds_while_its_process_lives_and_not_for_a_later_process_with_the_same_id():
    held = worker.lease("boot")
    assert worker.is_held(held)
    assert not worker.is_held({**held, "started": held["started"] - 60})
    assert not worker.is_held({**held, "host": "elsewhere"})
    assert not worker.is_held(None)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    of_child = {**held, "pid": child.pid, "started": psutil.Process(child.pid).create_time()}
    assert worker.is_held(of_child)
    child.kill()
    deadline = time.monotonic() + 5
    while worker.is_held(of_child) and time.monotonic() < deadline:  # a zombie holds nothing
        time.sleep(0.01)
    assert not worker.is_held(of_child)
    child.communicate()
    assert not worker.is_held(of_child)


def test_the_fake_engine_speaks_like_the_real_one(run, performs):
    performs(Note(seq=0, code="a", text="b"), READY)
    engine = FakeEngine(held=True)
    assert engine.submit(run).state == "queued"
    assert engine.status(run).position == 1
    engine.work_off()
    assert engine.status(run).state == "done"
    assert [event.kind for event in engine.events(run)[0]] == ["note", "data"]
    with pytest.raises(JobError):
        DeadEngine().submit(run)


@pytest.mark.parametrize(("resources", "expected"), [({"train": 1}, ["core.train.train_run"]), ({"data": 1}, [])])
def test_training_workers_alone_are_warmed_up(monkeypatch, resources, expected):
    imported = []
    monkeypatch.setattr(worker.importlib, "import_module", imported.append)
    worker.dask_setup(SimpleNamespace(state=SimpleNamespace(total_resources=resources)))
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join()
    assert imported == expected


def test_a_worker_that_cannot_train_says_so_in_the_log(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "core.train.train_run", None)
    worker._warm_up()
    assert "training cannot be prepared" in caplog.text


def test_training_asks_malloc_to_keep_its_memory_and_gives_it_back_at_the_end(run, performs, monkeypatch):
    asked = []
    library = SimpleNamespace(
        mallopt=lambda name, value: asked.append((name, value)), malloc_trim=lambda pad: asked.append("trim")
    )
    monkeypatch.setattr(worker.ctypes, "CDLL", lambda name: library)
    monkeypatch.setattr(worker.sys, "platform", "linux")
    performs(lambda: asked.append("work"))
    execute(run)
    assert asked == [*worker.MALLOC.values(), "work", "trim"]


def test_a_c_library_without_these_options_is_left_alone(run, performs, monkeypatch):
    monkeypatch.setattr(worker.ctypes, "CDLL", lambda name: SimpleNamespace())
    performs(READY)
    execute(run)
    assert again(run).state == "done"


def test_working_in_a_terminal_needs_no_cluster():
    code = "import sys, core.jobs.worker; sys.exit(bool({'torch', 'distributed', 'streamlit'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_work_that_only_looked_leaves_its_counts_as_the_result(run, performs):
    performs(Reported(seq=0, what="inspect", found={"dark": 3}))
    list(worker.work(run))
    assert again(run).state == "done"
    assert again(run).result == {"what": "inspect", "found": {"dark": 3}}
