"""The workspace: ids are never paths, files are whole or absent, locks give up politely, newer files are refused."""

from __future__ import annotations

import errno
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Busy, DiskFull, NewerVersion, NotFound, WorkspaceError
from core.workspace import (
    KINDS,
    SCHEMA,
    Workspace,
    append_line,
    check_free_space,
    disk_errors,
    is_id,
    lock,
    new_id,
    read_json,
    read_lines,
    sweep_temp,
    write_atomic,
    write_json,
)

ROOT = Path(__file__).resolve().parents[1]


def test_ids_are_random_and_have_one_form():
    made = {new_id() for _ in range(500)}
    assert len(made) == 500 and all(is_id(one) for one in made)


@given(st.text(max_size=40))
def test_no_text_from_outside_becomes_a_path(text):
    workspace = Workspace(Path("/nonexistent/home"))
    if not is_id(text):
        with pytest.raises(NotFound):
            workspace.find("datasets", text)
        with pytest.raises(WorkspaceError):
            Workspace(Path("/nonexistent"), owner=text if text != "local" else "../x")


@pytest.mark.parametrize("wanted", ["..", "../../etc", "/etc", ".", "", "A" * 26, "a" * 25, "a" * 27, "a" * 26 + "\n"])
def test_what_is_no_id_is_not_found(tmp_path, wanted):
    (tmp_path / "local" / "datasets").mkdir(parents=True)
    with pytest.raises(NotFound, match="There is no data set"):
        Workspace(tmp_path).find("datasets", wanted)


def test_a_foreign_a_deleted_and_an_invented_id_give_the_same_sentence(tmp_path):
    mine, other = Workspace(tmp_path), Workspace(tmp_path, owner=new_id())
    foreign, _ = other.create("runs")
    deleted, path = mine.create("runs")
    path.rmdir()
    sentences = set()
    for wanted in (foreign, deleted, new_id()):
        with pytest.raises(NotFound) as caught:
            mine.find("runs", wanted)
        sentences.add(str(caught.value).replace(wanted, "ID"))
    assert len(sentences) == 1


def test_every_kind_has_a_folder_and_another_has_none(tmp_path):
    workspace = Workspace(tmp_path)
    for kind in KINDS:
        made, path = workspace.create(kind)
        assert workspace.find(kind, made) == path and workspace.ids(kind) == [made]
    with pytest.raises(WorkspaceError, match="no folder for 'etc'"):
        workspace.folder("etc")


def test_ids_come_oldest_first_and_leave_out_other_files(tmp_path):
    workspace = Workspace(tmp_path)
    assert workspace.ids("runs") == []
    made = []
    for _ in range(4):
        made.append(workspace.create("runs")[0])
        time.sleep(0.02)
    (workspace.folder("runs") / "notes.txt").write_text("mine")
    assert workspace.ids("runs") == made


WRITER = """
import sys
from pathlib import Path
from core.workspace import write_atomic
path = Path(sys.argv[1])
for number in range(10**9):
    write_atomic(path, str(number % 10) * 200_000)
    if number == 0:
        print("ready", flush=True)
"""


def test_a_write_killed_at_any_moment_leaves_a_whole_file(tmp_path):
    path = tmp_path / "state.json"
    rng = random.Random(0)
    for _ in range(6):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE)
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(rng.random() * 0.05)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        text = path.read_text()
        assert len(text) == 200_000 and len(set(text)) == 1


def test_a_failed_write_keeps_the_old_file_and_no_temporary_one(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    for broken in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(os, broken, full)
            with pytest.raises(DiskFull, match="disk is full"):
                write_atomic(path, b"new")
        assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_readers_see_old_or_new_while_others_write(tmp_path):
    path = tmp_path / "file.json"
    write_json(path, {"value": "0" * 50_000})
    over = threading.Event()

    def write():
        number = 0
        while not over.is_set():
            number += 1
            write_json(path, {"value": str(number % 10) * 50_000})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(200):
            assert len(set(read_json(path)["value"])) == 1
    finally:
        over.set()
        writer.join()


@pytest.mark.parametrize(
    ("text", "error", "sentence"),
    [
        (None, NotFound, "is missing"),
        ("{", WorkspaceError, "is damaged"),
        ("[1]", WorkspaceError, "is damaged"),
        ('{"a": 1}', WorkspaceError, "no version number"),
        ('{"schema": true}', WorkspaceError, "no version number"),
        ('{"schema": "1"}', WorkspaceError, "no version number"),
        (json.dumps({"schema": SCHEMA + 1}), NewerVersion, f"has version {SCHEMA + 1}"),
    ],
)
def test_a_missing_damaged_or_newer_record_is_refused_with_a_sentence(tmp_path, text, error, sentence):
    path = tmp_path / "dataset.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(error, match=f"dataset.json {sentence}|dataset.json carries {sentence}") as caught:
        read_json(path)
    assert caught.value.hint


def test_bytes_that_are_no_text_are_damage(tmp_path):
    (tmp_path / "x.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WorkspaceError, match="x.json is damaged"):
        read_json(tmp_path / "x.json")


def test_lines_come_back_in_order_and_reading_goes_on_where_it_stopped(tmp_path):
    path = tmp_path / "events.jsonl"
    assert read_lines(path) == ([], 0)
    append_line(path, {"n": 1, "text": "ü\n\u2028"})
    first, offset = read_lines(path)
    append_line(path, {"n": 2})
    second, _ = read_lines(path, offset)
    assert first == [{"schema": SCHEMA, "n": 1, "text": "ü\n\u2028"}] and [record["n"] for record in second] == [2]


def test_a_torn_last_line_waits_and_after_a_crash_costs_only_itself(tmp_path):
    path = tmp_path / "events.jsonl"
    append_line(path, {"n": 1})
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(b'{"schema": 1, "n": 2, "te')
    assert [record["n"] for record in read_lines(path)[0]] == [1]
    assert read_lines(path)[1] == whole
    append_line(path, {"n": 3})
    assert [record["n"] for record in read_lines(path)[0]] == [1, 3]
    assert [record["n"] for record in read_lines(path, whole)[0]] == [3]


def test_newer_and_foreign_lines_are_refused(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps({"schema": SCHEMA + 1}) + "\n")
    with pytest.raises(NewerVersion, match="events.jsonl has version"):
        read_lines(path)
    path.write_text("[1]\n")
    with pytest.raises(WorkspaceError, match="no version number"):
        read_lines(path)


def test_a_line_that_did_not_fit_is_a_full_disk(tmp_path, monkeypatch):
    class Short:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def seek(self, *_):
            return 0

        def write(self, data):
            return len(data) - 1

    monkeypatch.setattr(Path, "open", lambda *_, **__: Short())
    with pytest.raises(DiskFull):
        append_line(tmp_path / "events.jsonl", {"n": 1})


HOLDER = """
import sys, time
from pathlib import Path
from core.workspace import lock
with lock(Path(sys.argv[1]), "x"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_held_elsewhere_gives_a_sentence_and_is_free_when_its_holder_dies(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(Busy, match="The data set pets has been in use elsewhere") as caught:
            with lock(tmp_path, "The data set pets", timeout_s=0.2):
                pass
        assert caught.value.hint
    finally:
        holder.kill()
        holder.communicate()
    with lock(tmp_path, "The data set pets", timeout_s=1):
        pass


def test_a_lock_lets_one_thread_in_at_a_time(tmp_path):
    inside, most = [], []

    def work():
        for _ in range(10):
            with lock(tmp_path, "It"):
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 40 and set(most) == {1}


def test_space_is_checked_where_the_folder_will_be(tmp_path):
    check_free_space(tmp_path / "not" / "there" / "yet")
    with pytest.raises(DiskFull, match=r"needs about \d+ MB and \d+ MB are free"):
        check_free_space(tmp_path / "not" / "there", 2**60)


@pytest.mark.parametrize(("number", "error"), [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull)])
def test_a_full_disk_and_a_full_quota_read_the_same(number, error):
    with pytest.raises(error), disk_errors():
        raise OSError(number, "full")


def test_a_missing_permission_names_the_place_and_other_errors_pass():
    with pytest.raises(WorkspaceError, match="may not write to /x"), disk_errors():
        raise PermissionError(errno.EACCES, "no", "/x")
    with pytest.raises(IsADirectoryError), disk_errors():
        raise IsADirectoryError(errno.EISDIR, "no", "/x")


def test_only_old_temporary_files_are_swept(tmp_path):
    for name in (".tmp-old", ".tmp-new", "kept"):
        (tmp_path / name).write_text("x")
    hours_ago = time.time() - 7200
    for name in (".tmp-old", "kept"):
        os.utime(tmp_path / name, (hours_ago, hours_ago))
    assert sweep_temp(tmp_path) == 1
    assert sorted(os.listdir(tmp_path)) == [".tmp-new", "kept"]


@pytest.mark.parametrize("linked", [True, False])
def test_a_file_holds_what_another_holds_and_is_not_changed_with_it(tmp_path, monkeypatch, linked):
    from core import workspace

    if not linked:
        monkeypatch.setattr(workspace.os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links here")))
    source, target = tmp_path / "a", tmp_path / "b"
    workspace.write_atomic(source, "one")
    workspace.write_atomic(target, "old")
    for _ in range(2):
        workspace.same_file(source, target)
    workspace.write_atomic(source, "two")
    assert target.read_text() == "one" and sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]
