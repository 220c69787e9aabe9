"""The pool of decoder processes: order kept, deaths survived, stops honoured, nothing left running."""

from __future__ import annotations

import io
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import core.data.pool as pool
from core.data.decoder import Task, receive, send
from core.data.images import Encoded
from core.data.pool import Stopped, make_pictures, process_count
from core.errors import ImageRejected

ROOT = Path(__file__).resolve().parents[2]


def png(shade: int, size: int = 16) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), (shade, shade, shade)).save(buffer, "PNG")
    return buffer.getvalue()


def tasks(count: int) -> list[tuple[int, Task]]:
    return [(number, Task(data=png(number % 256))) for number in range(count)]


def children() -> set[int]:
    found = subprocess.run(["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="], capture_output=True, text=True)
    return {int(line.split()[0]) for line in found.stdout.splitlines() if "core.data.decoder" in line}


def test_results_come_in_order_and_equal_those_made_in_this_process():
    apart = list(make_pictures(tasks(40), workers=2))
    assert [key for key, _ in apart] == list(range(40))
    assert apart == list(make_pictures(tasks(40), workers=1))
    assert not children()


def test_bad_pictures_and_missing_files_get_a_reason_and_nothing_passes_through(tmp_path):
    mixed = [*tasks(30), (30, Task(data=b"<html>")), (31, Task(data=tmp_path / "gone.jpg")), (32, None)]
    for workers in (1, 2):
        outcomes = dict(make_pictures(mixed, workers=workers))
        assert outcomes[30].code == "not_a_picture" and outcomes[31].code == "unreadable" and outcomes[32] is None


def test_files_are_read_by_the_children(tmp_path):
    (tmp_path / "é \udc80.png").write_bytes(png(9))
    outcomes = list(make_pictures(((n, Task(data=tmp_path / "é \udc80.png")) for n in range(30)), workers=2))
    assert all(isinstance(outcome, Encoded) for _, outcome in outcomes)


def test_few_small_pictures_are_opened_without_starting_processes(monkeypatch):
    monkeypatch.setattr(pool, "_Child", None)
    assert len(list(make_pictures(tasks(10), workers=2))) == 10
    assert len(list(make_pictures([(n, None) for n in range(100)], workers=2))) == 100


def test_tasks_are_taken_a_few_at_a_time():
    taken = []

    def stream():
        for key, task in tasks(200):
            taken.append(key)
            yield key, task

    results = make_pictures(stream(), workers=2)
    next(results)
    assert len(taken) <= pool.FEW_TASKS + 6
    results.close()
    assert not children()


def test_a_child_that_dies_is_replaced_and_a_picture_that_kills_twice_is_rejected(monkeypatch):
    made = pool._Child.make
    deaths = []

    def dies(self, task):
        self.started = self.started or bool(receive(self._stream("stdout"))[0])
        if task.data == png(7) or task.data == png(9) and not deaths.count(9):
            deaths.append(7 if task.data == png(7) else 9)
            self.kill()
        return made(self, task)

    monkeypatch.setattr(pool._Child, "make", dies)
    outcomes = dict(make_pictures(tasks(30), workers=2))
    assert [key for key, outcome in outcomes.items() if isinstance(outcome, ImageRejected)] == [7]
    assert outcomes[7].code == "crashed" and sorted(deaths) == [7, 7, 9]
    assert not children()


def test_a_child_out_of_memory_rejects_the_picture(monkeypatch):
    code = (
        "import core.data.decoder as d; d.MEMORY_LIMIT_BYTES = 400 * 2**20; "
        "d.TASKS = {**d.TASKS, 'hog': lambda task: bytearray(2**30)}; d.main()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, cwd=ROOT)
    assert receive(child.stdout)[0] == {"ready": True}
    send(child.stdin, {"kind": "hog", "options": {}, "path": None}, b"")
    assert receive(child.stdout)[0]["rejected"][0] == "memory"
    child.communicate()
    assert child.returncode == 0


def test_a_picture_that_takes_too_long_is_rejected_and_the_rest_goes_on(monkeypatch, tmp_path):
    monkeypatch.setattr(pool, "TASK_LIMIT_S", 1.0)
    silent = tmp_path / "silent.jpg"
    os.mkfifo(silent)  # whoever opens it waits for a writer that never comes
    slow = [*tasks(25), (25, Task("reencode", data=silent))]
    start = time.monotonic()
    outcomes = dict(make_pictures(slow, workers=2))
    assert outcomes[25].code == "crashed" and time.monotonic() - start < 15
    assert sum(isinstance(outcome, Encoded) for outcome in outcomes.values()) == 25


def test_a_stop_is_honoured_within_a_second_and_leaves_no_process():
    start = time.monotonic()

    def endless():
        number, data = 0, png(0, size=2500)
        while True:
            yield number, Task(data=data)
            number += 1

    with pytest.raises(Stopped):
        for _ in make_pictures(endless(), workers=2, stop=lambda: time.monotonic() - start > 1):
            pass
    assert time.monotonic() - start < 2
    assert not children()


def test_a_stop_reaches_a_slow_stream():
    def slow():
        for number in range(100):
            time.sleep(0.05)
            yield number, Task(data=png(1))

    start = time.monotonic()
    with pytest.raises(Stopped):
        list(make_pictures(slow(), workers=2, stop=lambda: time.monotonic() - start > 0.2))
    assert time.monotonic() - start < 1


def test_where_no_child_can_start_the_work_is_done_here(monkeypatch):
    monkeypatch.setattr(pool, "_ROOT", Path("/"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    outcomes = list(make_pictures(tasks(30), workers=2))
    assert all(isinstance(outcome, Encoded) for _, outcome in outcomes)


def test_a_fault_of_ours_is_raised_not_hidden():
    broken = [*tasks(25), (25, Task("no such kind"))]
    with pytest.raises(RuntimeError, match="KeyError"):
        list(make_pictures(broken, workers=2))


def _from_a_daemon(results) -> None:
    results.put(len(list(make_pictures(tasks(30), workers=2))))


def test_it_works_from_a_daemonic_process():
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    results = context.Queue()
    process = context.Process(target=_from_a_daemon, args=(results,), daemon=True)
    process.start()
    assert results.get(timeout=60) == 30
    process.join()


def test_children_import_neither_torch_nor_pandas_nor_streamlit():
    code = "import sys, core.data.decoder; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"torch", "pandas", "streamlit", "numpy"} & set(loaded.split())


def test_a_child_ends_when_its_parent_is_gone():
    child = subprocess.Popen([sys.executable, "-m", "core.data.decoder"], stdin=-1, stdout=-1, cwd=ROOT)
    child.stdin.close()
    assert child.wait(timeout=20) == 0
    child.stdout.close()


def test_process_count_stays_in_bounds():
    assert process_count(0) == 1 and process_count(500) == pool.MAX_WORKERS and 1 <= process_count() <= pool.MAX_WORKERS
