"""The engine as a whole: the real process in a workspace of its own, killed and restarted in every way there is."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from core.errors import JobError
from core.jobs import engine as port
from core.settings import AppSettings, Stage, TrainSettings, to_record
from core.train import runs
from core.workspace import Workspace, new_id, write_json
from tests.conftest import make_toy

pytestmark = pytest.mark.engine
ROOT = Path(__file__).parents[2]
WORK = str(Path(__file__).with_name("slow_work.py"))
LIMIT_S = 30


def until(condition, limit_s=LIMIT_S):
    """Seconds until `condition` is true."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < limit_s, "waited in vain"
        time.sleep(0.01)
    return time.monotonic() - began


class Lab:
    """A workspace with an engine that knows how to work slowly."""

    def __init__(self, home):
        self.home = home
        self.process = None
        self.engine = None

    def start(self, module="core.jobs.serve"):
        command = [sys.executable, "-m", module, "--home", str(self.home), "--preload", WORK]
        with (self.home.parent / "engine.log").open("ab") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)
        until(lambda: port.find_engine(self.home))

    def stop(self, number=signal.SIGTERM):
        if self.process is None:
            return []
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(number)
        self.process.wait(LIMIT_S)
        self.process = None
        _, left = psutil.wait_procs(family, timeout=5)
        return left

    def run(self, owner="local", kind="sample", **request):
        return runs.create_run(Workspace(self.home, owner), kind, request)

    def slow(self, owner="local", **request):
        return self.run(owner, **{"steps": 3000, "pause_s": 0.01, **request})


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    made = Lab(tmp_path_factory.mktemp("lab") / "home")
    made.start()
    made.engine = port.connect(AppSettings(home=made.home))
    yield made
    made.engine.close()
    made.stop()


@pytest.fixture
def engine(lab):
    yield lab.engine
    for owner in lab.home.iterdir():
        if (owner / "runs").is_dir():
            for run in runs.list_runs(Workspace(lab.home, owner.name)):
                if not run.ended and run.record["submitted"]:
                    lab.engine.stop(run)
                    until(lambda run=run: state(run) in runs.ENDED)


def again(run):
    return runs.load_run(run.workspace, run.id)


def state(run):
    return again(run).state


def is_(run, *states):
    return lambda: state(run) in states


def count(run):
    return len(runs.read_events(run)[0])


def test_a_run_goes_from_the_queue_to_its_result(lab, engine):
    run = engine.submit(lab.run(steps=5))
    assert run.state in ("queued", "starting", "running", "done")
    until(is_(run, "done"))
    assert again(run).result["dataset"] == "d"
    events, offset = engine.events(run)
    assert [event.seq for event in events] == list(range(6))
    assert engine.events(run, offset) == ([], offset)
    assert engine.status(run) == port.Status("done")


def test_a_second_run_starts_at_once(lab, engine):
    run = lab.run(steps=1)
    began = time.monotonic()
    engine.submit(run)
    until(is_(run, "running", "done"))
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(("trick", "code"), [("picky", "data_error"), ("broken", "error"), ("hungry", "oom")])
def test_a_run_that_fails_says_why_and_the_next_one_works(lab, engine, trick, code):
    failing, following = engine.submit(lab.run(trick=trick)), engine.submit(lab.run())
    until(is_(failing, "failed"))
    assert again(failing).record["code"] == code
    assert engine.status(failing).message
    until(is_(following, "done"))


def test_stop_ends_a_run_within_a_second(lab, engine):
    run = engine.submit(lab.slow())
    until(lambda: count(run) > 3)
    began = time.monotonic()
    engine.stop(run)
    until(is_(run, "stopped"))
    assert time.monotonic() - began < 1.0


@pytest.mark.slow
def test_a_run_that_does_not_listen_is_ended_by_force(lab, engine):
    run = engine.submit(lab.slow(trick="deaf"))
    until(lambda: count(run) > 3)
    pid = again(run).record["lease"]["pid"]
    began = time.monotonic()
    engine.stop(run)
    until(is_(run, "stopped"))
    assert 4.5 < time.monotonic() - began < 7
    assert "5 seconds" in again(run).record["message"]
    until(lambda: not psutil.pid_exists(pid))


def test_waiting_runs_know_their_place_and_a_fifth_is_refused(lab, engine):
    first = engine.submit(lab.slow())
    until(is_(first, "running"))
    waiting = [engine.submit(lab.slow()) for _ in range(3)]
    assert [engine.status(run).position for run in waiting] == [1, 2, 3]
    assert engine.status(first).position is None
    engine.submit(waiting[0])  # a double click
    assert engine.status(waiting[2]).position == 3
    fifth = lab.run()
    with pytest.raises(JobError, match="4 runs under way"):
        engine.submit(fifth)
    assert not fifth.path.exists()

    other = engine.submit(lab.slow(new_id()))
    assert engine.status(other).position == 1
    engine.stop(waiting[0])
    assert state(waiting[0]) == "stopped"
    assert [engine.status(run).position for run in (other, *waiting[1:])] == [1, 2, 3]
    engine.stop(first)
    until(is_(other, "running"))
    assert engine.status(waiting[1]).position == 1


def test_training_does_not_wait_behind_an_import(lab, engine):
    importing = engine.submit(lab.slow(kind="import"))
    until(is_(importing, "running"))
    training = engine.submit(lab.run(kind="train", steps=1))
    until(is_(training, "done"))
    assert state(importing) == "running"


def test_a_killed_worker_shows_within_two_seconds_and_the_next_run_starts(lab, engine):
    run, following = engine.submit(lab.slow()), engine.submit(lab.run())
    until(lambda: count(run) > 3)
    began = time.monotonic()
    os.kill(again(run).record["lease"]["pid"], signal.SIGKILL)
    until(is_(run, "failed"))
    assert time.monotonic() - began < 2.0
    record = again(run).record
    assert record["code"] == "killed"
    assert "ended from outside" in record["message"]
    until(is_(following, "done"))


def test_a_run_that_failed_goes_on_under_its_own_id(lab, engine):
    run = engine.submit(lab.slow(steps=40))
    until(lambda: count(run) > 3)
    engine.stop(run)
    until(is_(run, "stopped"))
    before = count(run)
    assert engine.resume(run).state != "stopped"
    until(is_(run, "done"))
    seqs = [event.seq for event in engine.events(run)[0]]
    assert seqs == list(range(before + 41))
    with pytest.raises(JobError, match="is done"):
        engine.resume(run)


def test_a_run_survives_the_process_that_submitted_it(lab, engine):
    run = lab.slow(steps=150)
    script = (
        "import sys, time; from pathlib import Path; from core.jobs.engine import connect;"
        "from core.settings import AppSettings; from core.train import runs; from core.workspace import Workspace;"
        "home = Path(sys.argv[1]); run = runs.load_run(Workspace(home), sys.argv[2]);"
        "connect(AppSettings(home=home)).submit(run); print('submitted', flush=True); time.sleep(60)"
    )
    web = subprocess.Popen(
        [sys.executable, "-c", script, str(lab.home), run.id], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert web.stdout.readline() == "submitted\n"
    until(is_(run, "running"))
    web.kill()
    web.communicate()
    assert state(run) == "running"
    until(is_(run, "done"))


def test_a_second_engine_leaves_quietly(lab, engine):
    command = [sys.executable, "-m", "core.jobs.serve", "--home", str(lab.home)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, timeout=LIMIT_S, check=False).returncode == 0
    assert lab.process.poll() is None


def test_the_engine_listens_on_loopback_alone_and_tells_strangers_nothing(lab, engine):
    serving = psutil.Process(lab.process.pid)
    listening = [
        connection.laddr
        for process in (serving, *serving.children(recursive=True))
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 3
    assert {address.ip for address in listening} == {"127.0.0.1"}
    for address in listening:
        for path in ("info/main/workers.html", "json/identity.json", "status", "metrics"):
            # closed at once, or "not found": never an answer
            with pytest.raises((urllib.error.URLError, OSError)):
                urllib.request.urlopen(f"http://127.0.0.1:{address.port}/{path}", timeout=2)


def test_a_client_without_the_certificate_is_refused(lab, engine):
    host, _, number = port.find_engine(lab.home)["address"].removeprefix("tls://").partition(":")
    careless = ssl.create_default_context()
    careless.check_hostname = False
    careless.verify_mode = ssl.CERT_NONE
    with contextlib.ExitStack() as stack:
        stack.enter_context(pytest.raises((ssl.SSLError, ConnectionError)))
        raw = stack.enter_context(socket.create_connection((host, int(number)), timeout=5))
        secured = stack.enter_context(careless.wrap_socket(raw))
        secured.sendall(b"\0" * 64)
        assert secured.recv(1) == b"", "the scheduler talks to somebody without a certificate"
        raise ConnectionError


def test_only_the_owner_can_read_the_certificate(lab, engine):
    folder = port.engine_folder(lab.home)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [(folder / name).stat().st_mode & 0o777 for name in port.CERTIFICATES] == [0o600] * 3


def test_an_engine_elsewhere_is_reached_by_its_address_and_certificate(lab, engine, tmp_path, monkeypatch):
    address = port.find_engine(lab.home)["address"]
    monkeypatch.setenv("BEARINGS_ENGINE_CERTS", str(port.engine_folder(lab.home)))
    elsewhere = port.connect(AppSettings(home=lab.home, engine=address))
    run = elsewhere.submit(lab.run())
    until(is_(run, "done"))
    elsewhere.close()
    monkeypatch.setenv("BEARINGS_ENGINE_CERTS", str(tmp_path))
    with pytest.raises(JobError, match=r"ca\.pem, cert\.pem, key\.pem cannot be found"):
        port.connect(AppSettings(home=lab.home, engine=address))


def test_a_killed_engine_leaves_interrupted_runs_and_a_queue_for_the_next_one(lab, engine):
    run, waiting = engine.submit(lab.slow()), engine.submit(lab.run())
    until(lambda: count(run) > 3)
    assert lab.stop(signal.SIGKILL) == []  # the workers end with it
    assert (state(run), state(waiting)) == ("running", "queued")
    lab.start()
    until(is_(run, "interrupted"))
    assert again(run).record["code"] == "engine"
    until(is_(waiting, "done"))
    assert engine.status(run).state == "interrupted"
    following = engine.submit(lab.run())  # the same port finds the new engine by itself
    until(is_(following, "done"))


def test_an_engine_told_to_end_says_so_in_its_runs_and_leaves_nothing_behind(lab, engine):
    run, waiting = engine.submit(lab.slow()), engine.submit(lab.run())
    until(lambda: count(run) > 3)
    assert lab.stop(signal.SIGTERM) == []
    assert (state(run), again(run).record["code"]) == ("interrupted", "engine")
    assert state(waiting) == "queued"
    assert not (port.engine_folder(lab.home) / "engine.json").exists()
    lab.start()
    until(is_(waiting, "done"))


@pytest.mark.slow
def test_too_much_memory_and_no_sign_of_life_are_told_apart(tmp_path):
    lab = Lab(tmp_path / "home")
    lab.start("tests.jobs.hasty_engine")
    engine = port.connect(AppSettings(home=lab.home))
    greedy = engine.submit(lab.slow(trick="greedy"))
    until(is_(greedy, "failed"))
    assert again(greedy).record["code"] == "oom"
    stages = (Stage(epochs=1, batch_size=16),)
    large = engine.submit(
        lab.run(kind="train", trick="large batches", settings=to_record(TrainSettings(stages=stages)))
    )
    until(is_(large, "done"), 60)  # it was ended for its memory once, and went on with half the batch by itself
    assert [event.batch for event in runs.history(large).all("stage")] == [16, 8]
    frozen = engine.submit(lab.slow())
    until(lambda: count(frozen) > 3)
    os.kill(again(frozen).record["lease"]["pid"], signal.SIGSTOP)
    until(is_(frozen, "failed"))
    assert again(frozen).record["code"] == "stalled"
    until(lambda: not psutil.pid_exists(again(frozen).record["lease"]["pid"]))
    following = engine.submit(lab.run())
    until(is_(following, "done"))
    engine.close()
    assert lab.stop() == []


def test_connect_starts_an_engine_replaces_one_of_older_code_and_it_leaves_when_nobody_needs_it(tmp_path, monkeypatch):
    monkeypatch.setenv("BEARINGS_ENGINE_IDLE_S", "0.5")
    settings = AppSettings(home=tmp_path / "home")
    first = port.connect(settings)
    found = port.find_engine(settings.home)
    second = port.connect(settings)
    assert port.find_engine(settings.home) == found
    record = {**found, "code": "from before an update"}
    write_json(port.engine_folder(settings.home) / "engine.json", record)
    third = port.connect(settings)
    assert not psutil.pid_exists(found["lease"]["pid"])
    found = port.find_engine(settings.home)
    assert found["code"] == port.code_stamp() and found["boot"] != record["boot"]
    for engine in (first, second, third):
        engine.close()
    until(lambda: not psutil.pid_exists(found["lease"]["pid"]))
    assert port.find_engine(settings.home) is None


def test_an_engine_of_older_code_that_is_at_work_is_left_alone(lab, engine, monkeypatch):
    run = engine.submit(lab.slow())
    until(is_(run, "running"))
    monkeypatch.setattr(port, "code_stamp", lambda: "newer")
    other = port.connect(AppSettings(home=lab.home))
    other.close()
    assert state(run) == "running"


def test_a_killed_training_run_resumes_to_the_numbers_of_one_that_was_not_killed(lab, engine):
    dataset = make_toy(lab.home)
    settings = TrainSettings(image_size=64, batch_size=16, stages=(Stage(epochs=20),))
    request = {"dataset": dataset.id, "settings": to_record(settings)}
    whole = engine.submit(lab.run(kind="train", **request))
    until(is_(whole, "done"), 60)
    run = engine.submit(lab.run(kind="train", **request))
    until(lambda: len(runs.history(run).epochs) >= 3)
    os.kill(again(run).record["lease"]["pid"], signal.SIGKILL)
    assert until(is_(run, "failed")) < 4
    assert again(run).record["code"] == "killed" and len(runs.history(run).epochs) < 20
    engine.resume(again(run))
    until(is_(run, "done"), 60)
    ours, theirs = (runs.history(one).epochs.drop(columns=["seconds", "images_per_s"]) for one in (run, whole))
    assert ours.equals(theirs)


def test_a_scheduler_that_is_no_engine_is_named(tmp_path, monkeypatch):
    class Stranger:
        status = "running"

        def sync(self, ask, callback_timeout):
            return None  # what Dask says to a verb it does not know

    monkeypatch.setattr(port, "_open", lambda settings: Stranger())
    run = runs.create_run(Workspace(tmp_path), "sample", {})
    with pytest.raises(JobError, match="not an engine of Bearings"):
        port.DaskEngine(AppSettings(home=tmp_path)).submit(run)


def test_an_engine_that_never_answers_is_a_sentence(tmp_path, monkeypatch):
    class Silent:
        status = "running"

        def sync(self, ask, callback_timeout):
            raise TimeoutError

        def close(self, timeout):
            tries.append(timeout)

    tries = []
    monkeypatch.setattr(port, "_open", lambda settings: Silent())
    run = runs.create_run(Workspace(tmp_path), "sample", {})
    engine = port.DaskEngine(AppSettings(home=tmp_path))
    assert engine.status(run) == port.Status("queued", None, "The engine does not answer. Try again in a moment.")
    with pytest.raises(JobError, match="does not answer"):
        engine.submit(run)
    assert len(tries) == 4  # each question was asked once more on a fresh connection


def test_an_engine_that_does_not_come_up_is_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("BEARINGS_ENGINE_IDLE_S", "soon")
    with pytest.raises(JobError, match=r"could not be started.*engine\.log"):
        port.connect(AppSettings(home=tmp_path / "home"))
    assert "BEARINGS_ENGINE_IDLE_S is 'soon'" in (tmp_path / "home/engine/engine.log").read_text()
