"""The engine as everybody else sees it: submit, resume and stop runs, and ask where they stand.

`connect` finds the engine of a workspace, or starts one as a process of its own that outlives whoever started it. Truth
is the run folder; the engine is only asked for what is not there: the place in the queue.

Environment: BEARINGS_ENGINE (tls://host:8786, an engine elsewhere; see core.jobs.serve) and BEARINGS_ENGINE_CERTS (the
folder with its ca.pem, cert.pem and key.pem).
"""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import core
from core.errors import JobError, WorkspaceError
from core.jobs.worker import is_held
from core.settings import AppSettings
from core.train import runs
from core.train.events import Event
from core.train.runs import Run
from core.workspace import disk_errors, read_json

if TYPE_CHECKING:
    from distributed import Client
    from distributed.security import Security

log = logging.getLogger(__name__)

START_LIMIT_S = 30.0
ANSWER_LIMIT_S = 10.0
LOG_MAX_BYTES = 2**20
CERTIFICATES = ("ca.pem", "cert.pem", "key.pem")
_ROLES = ("client", "worker", "scheduler")


@dataclass(frozen=True)
class Status:
    """Where a run stands. `position` counts from 1 (next) while it waits; `message` is a sentence, or None."""

    state: str
    position: int | None = None
    message: str | None = None


class Engine(Protocol):
    """What runs things. Runs are named by their folder, so every process of the product may ask about every run."""

    def submit(self, run: Run) -> Run:
        """Queue a new run. JobError with a sentence when too many wait already; the run is then discarded."""

    def resume(self, run: Run) -> Run:
        """Queue a run again that failed or was stopped or interrupted; training goes on from its last checkpoint."""

    def stop(self, run: Run) -> None:
        """Ask a run to end; one that does not listen for five seconds is ended by force."""

    def status(self, run: Run) -> Status:
        """Where a run stands now."""

    def events(self, run: Run, start: int = 0) -> tuple[list[Event], int]:
        """What a run said from byte `start` on, and where to read on."""


def connect(settings: AppSettings) -> DaskEngine:
    """The engine of this workspace, started first if none answers. JobError with a sentence when it does not come up.

    Blocks for some milliseconds when there is one and for one to three seconds when there is none. Safe to use from any
    plain thread; the engine is found again by itself after it was restarted.
    """
    engine = DaskEngine(settings)
    engine.ensure()
    return engine


def engine_folder(home: Path) -> Path:
    """Where an engine keeps its address, its certificate and its log."""
    return home / "engine"


def find_engine(home: Path) -> Mapping[str, Any] | None:
    """What the engine of this workspace wrote about itself (address, boot, lease); None when its process is gone."""
    path = engine_folder(home) / "engine.json"
    if not path.exists():
        return None
    try:
        found = read_json(path)
    except WorkspaceError:  # it ended between the two looks, or the file is no good: start a new one
        return None
    return found if is_held(found["lease"]) else None


class DaskEngine:
    """The port over a Dask scheduler with Bearings' dispatcher in it."""

    def __init__(self, settings: AppSettings) -> None:
        self._settings = settings
        self._client: Client | None = None
        self._lock = threading.RLock()

    def submit(self, run: Run) -> Run:
        """Queue a new run; see Engine."""
        try:
            self._submit(run, again=False)
        except JobError:
            if runs.load_run(run.workspace, run.id).state == "queued":
                runs.discard(run)
            raise
        return runs.load_run(run.workspace, run.id)

    def resume(self, run: Run) -> Run:
        """Queue a run again that ended too early; see Engine."""
        self._submit(run, again=True)
        return runs.load_run(run.workspace, run.id)

    def stop(self, run: Run) -> None:
        """Ask a run to end; see Engine."""
        runs.request_stop(run)
        self._ask("stop", **_named(run))

    def status(self, run: Run) -> Status:
        """Where a run stands now; see Engine. Finding the engine gone starts a new one, which puts the record right."""
        run = runs.load_run(run.workspace, run.id)
        if run.ended:
            return Status(run.state, message=run.record["message"])
        try:
            if run.state != "queued":
                self.ensure()
                return Status(run.state)
            position = self._ask("position", run_id=run.id)["position"]
        except JobError as error:
            return Status(run.state, message=str(error))
        return Status(run.state, position=position)

    def events(self, run: Run, start: int = 0) -> tuple[list[Event], int]:
        """What a run said from byte `start` on; see Engine."""
        return runs.read_events(run, start)

    def ensure(self) -> None:
        """Have a connection to a living engine; starts one if need be."""
        self._connected()

    def close(self) -> None:
        """Leave. The engine and everything it does go on."""
        with self._lock:
            self._drop()

    def _connected(self) -> Client:
        with self._lock:
            if self._client is None or self._client.status != "running":
                self._drop()
                self._client = _open(self._settings)
            return self._client

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close(timeout=1)

    def _submit(self, run: Run, *, again: bool) -> None:
        answer = self._ask("submit", **_named(run), again=again)
        if not answer["ok"]:
            raise JobError(answer["message"], hint=answer["hint"])

    def _ask(self, verb: str, **values: Any) -> dict[str, Any]:
        """One question to the dispatcher; asked once more when the engine turns out to be gone."""
        for _ in range(2):
            client = self._connected()
            try:
                return _call(client, verb, **values)
            except (OSError, TimeoutError, RuntimeError) as error:  # RuntimeError: its event loop is closed
                log.warning("the engine did not answer %s: %r", verb, error)
                with self._lock:
                    if self._client is client:
                        self._drop()
        raise JobError("The engine does not answer.", hint="Try again in a moment.")


def _call(client: Client, verb: str, **values: Any) -> dict[str, Any]:
    async def ask() -> dict[str, Any] | None:
        return await getattr(client.scheduler, f"bearings_{verb}")(**values)

    answer = client.sync(ask, callback_timeout=ANSWER_LIMIT_S)
    if answer is None:  # a scheduler that does not know the verb
        raise JobError(
            "What answers there is a Dask scheduler, but not an engine of Bearings.",
            hint="Its scheduler has to be started with --preload core.jobs.serve.",
        )
    return answer


def _named(run: Run) -> dict[str, str]:
    return {"home": str(run.workspace.home), "owner": run.workspace.owner, "run_id": run.id}


def _open(settings: AppSettings) -> Client:
    if settings.engine is not None:
        folder = Path(os.environ.get("BEARINGS_ENGINE_CERTS") or engine_folder(settings.home))
        return _client(settings.engine, folder)
    found = _of_this_code(settings.home) or _start(settings.home)
    return _client(found["address"], engine_folder(settings.home))


@functools.cache
def code_stamp() -> str:
    """A hash over the source of core as it was when this process first asked: the same stamp, the same code."""
    digest = hashlib.sha256()
    for path in sorted(Path(core.__file__).parent.rglob("*.py")):
        digest.update(path.as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _of_this_code(home: Path) -> Mapping[str, Any] | None:
    """The living engine of a workspace. One left over from before an update is ended first, unless it is at work."""
    found = find_engine(home)
    if found is None or found.get("code") == code_stamp():
        return found
    client = _client(found["address"], engine_folder(home))
    busy = _call(client, "hello").get("busy", True)
    client.close(timeout=1)
    if busy:
        log.warning("the engine of %s runs older code; it is replaced once it has nothing to do", home)
        return found
    log.info("ending an engine of older code")
    os.kill(found["lease"]["pid"], signal.SIGTERM)
    until = time.monotonic() + START_LIMIT_S
    while is_held(found["lease"]) and time.monotonic() < until:
        time.sleep(0.05)
    return find_engine(home)


def _client(address: str, certificates: Path) -> Client:
    from distributed import Client  # half a second of imports: only for those who talk to an engine

    try:
        client = Client(
            address,
            security=security_of(certificates),
            timeout=ANSWER_LIMIT_S,
            asynchronous=False,
            set_as_default=False,
            name="bearings",
        )
        found = _call(client, "hello")
    except OSError as error:
        raise JobError(
            f"No engine answers at {address}.", hint="Check the address and the certificates, or try again in a moment."
        ) from error
    if found["version"] != core.__version__:  # an engine elsewhere cannot be replaced from here
        log.warning("the engine at %s is version %s, this is %s", address, found["version"], core.__version__)
    return client


def security_of(folder: Path) -> Security:
    """The certificate of an engine, from the files of CERTIFICATES in `folder`."""
    from distributed.security import Security

    missing = [name for name in CERTIFICATES if not (folder / name).is_file()]
    if missing:
        raise JobError(
            f"{', '.join(missing)} cannot be found in {folder}.",
            hint="BEARINGS_ENGINE_CERTS names the folder with the engine's certificate.",
        )
    ca, cert, key = (str(folder / name) for name in CERTIFICATES)
    pairs = {f"tls_{role}_{part}": path for role in _ROLES for part, path in (("cert", cert), ("key", key))}
    return Security(require_encryption=True, tls_ca_file=ca, **pairs)


def _start(home: Path) -> Mapping[str, Any]:
    """Start the engine of a workspace as a process of its own and wait until it answers."""
    folder = engine_folder(home)
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    began = time.monotonic()
    process = _launch(home)
    while time.monotonic() - began < START_LIMIT_S:
        found = find_engine(home)
        if found is not None:
            log.info("engine up after %.2f s", time.monotonic() - began)
            return found
        if process.poll():
            break
        time.sleep(0.02)
    raise JobError("The engine could not be started.", hint=f"Its log says why: {folder / 'engine.log'}.")


def _launch(home: Path) -> subprocess.Popen[bytes]:
    """The engine process: in a session of its own, so that it does not end with the web server."""
    root = Path(__file__).resolve().parents[2]
    detached: dict[str, Any] = {"start_new_session": True}
    if os.name == "nt":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    log_file = engine_folder(home) / "engine.log"
    if log_file.exists() and log_file.stat().st_size > LOG_MAX_BYTES:
        os.replace(log_file, log_file.with_suffix(".log.old"))
    with log_file.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "core.jobs.serve", "--home", str(home)],
            cwd=root,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            **detached,
        )
    threading.Thread(target=process.wait, name="engine reaper", daemon=True).start()  # no zombie, should it end first
    return process
