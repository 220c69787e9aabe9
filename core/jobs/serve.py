"""The engine: a process of its own that does what was submitted.

`python -m core.jobs.serve [--home DIR]` is a Dask scheduler on loopback that asks for a certificate, with one worker
process for training (one per GPU, or one in all) and one for data, so that an import does not wait behind a training
run. The web app starts it when none answers. It outlives the web app, and ends by itself once nothing runs and nobody
was connected for BEARINGS_ENGINE_IDLE_S seconds (600).

An engine on other machines is a plain Dask cluster with this module loaded into its scheduler. Every machine needs the
workspace at the same path, and the same ca.pem, cert.pem and key.pem ($TLS: --tls-ca-file ca.pem --tls-cert cert.pem
--tls-key key.pem). Set OMP_NUM_THREADS through Dask's nanny.pre-spawn-environ, or a worker trains on one core.

    export DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES='["distributed.http.health"]'
    dask scheduler --protocol tls $TLS --no-dashboard --preload core.jobs.serve
    dask worker tls://host:8786 $TLS --nthreads 1 --resources train=1 --preload core.jobs.worker
    dask worker tls://host:8786 $TLS --nthreads 1 --resources data=1 --preload core.jobs.worker
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import Busy, JobError, LabError, SettingsError
from core.jobs.engine import CERTIFICATES, code_stamp, engine_folder, find_engine, security_of
from core.jobs.worker import MALLOC, lease
from core.settings import AppSettings
from core.workspace import disk_errors, lock, new_id, write_json

if TYPE_CHECKING:
    from distributed import Nanny, Scheduler
    from distributed.security import Security

    from core.jobs.dispatch import Dispatcher

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
IDLE_S = 600.0
TAKE_OVER_S = 15.0
CONFIG: Mapping[str, Any] = {
    "distributed.scheduler.allowed-failures": 0,  # a run that crashes must not be run again behind our back
    "distributed.scheduler.worker-ttl": None,  # the dispatcher counts heartbeats itself
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.http.routes": ["distributed.http.health"],
    "distributed.worker.http.routes": ["distributed.http.health"],
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.daemon": False,  # an import uses child processes
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
    "distributed.comm.timeouts.connect": "10s",
    # an engine that has nothing to do should cost next to nothing
    "distributed.admin.tick.interval": "200ms",
    "distributed.admin.system-monitor.interval": "2s",
    "distributed.worker.memory.monitor-interval": "200ms",
    "distributed.admin.log-format": "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s",
}


def main(arguments: list[str] | None = None) -> int:
    """Serve one workspace until told to stop; the exit code. A second engine for the same workspace leaves quietly."""
    parser = argparse.ArgumentParser(
        prog="python -m core.jobs.serve", description="The engine of a Bearings workspace."
    )
    parser.add_argument("--home", type=Path, help="workspace folder (BEARINGS_HOME, or ~/.bearings)")
    parser.add_argument("--preload", action="append", default=[], help="module or file to load into every worker")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format=CONFIG["distributed.admin.log-format"])
    try:
        home = (options.home or AppSettings.from_env().home).expanduser().absolute()
        return _serve_alone(home, idle_s=idle_limit(os.environ), preload=options.preload)
    except LabError as error:
        log.error("%s", error)
        return 2


def idle_limit(environ: Mapping[str, str]) -> float:
    """After how many idle seconds the engine ends by itself, from BEARINGS_ENGINE_IDLE_S."""
    text = environ.get("BEARINGS_ENGINE_IDLE_S") or str(IDLE_S)
    try:
        limit = float(text)
    except ValueError:
        limit = 0.0
    if not limit > 0:
        raise SettingsError(
            f"BEARINGS_ENGINE_IDLE_S is {text!r}; it must be a number of seconds above 0.",
            hint="600 is the usual value.",
        )
    return limit


def _serve_alone(home: Path, *, idle_s: float, preload: Sequence[str]) -> int:
    """Serve under the workspace's engine lock. Another engine that is just leaving is waited for."""
    folder = engine_folder(home)
    with disk_errors():
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.chmod(0o700)
    until = time.monotonic() + TAKE_OVER_S
    while time.monotonic() < until:
        try:
            with lock(folder, "The engine", timeout_s=0.2):
                asyncio.run(serve(home, idle_s=idle_s, preload=preload))
                return 0
        except Busy:
            if find_engine(home) is not None:
                log.info("an engine serves %s already", home)
                return 0
    raise JobError(f"Another process holds the engine of {home} and does not answer.", hint="End it, then try again.")


async def serve(home: Path, *, idle_s: float = IDLE_S, preload: Sequence[str] = ()) -> None:
    """Run scheduler, workers and dispatcher until a signal comes or nothing has happened for `idle_s` seconds.

    `preload` names modules or files that every worker loads, for example with kinds of runs of your own.
    """
    import dask

    dask.config.set(dict(CONFIG) | {"distributed.nanny.pre-spawn-environ": worker_environment()})
    from distributed import Scheduler

    from core.jobs.dispatch import Dispatcher

    logging.getLogger("distributed").setLevel(logging.WARNING)
    folder, boot = engine_folder(home), new_id()
    leave = _on_signals()
    security = _new_security(folder)
    scheduler = Scheduler(host=LOOPBACK, port=0, protocol="tls://", security=security, dashboard=False,
                          dashboard_address=f"{LOOPBACK}:0")  # fmt: skip
    async with scheduler:
        nannies = _nannies(scheduler.address, security, folder / "scratch", preload)
        dispatcher = Dispatcher(scheduler, boot, lambda pid: _ended_for_memory(nannies, pid))
        await dispatcher.open(home)
        record = {"address": scheduler.address, "boot": boot, "lease": lease(boot), "code": code_stamp()}
        write_json(folder / "engine.json", record)
        starting = asyncio.gather(*(nanny.start() for nanny in nannies))
        try:
            await _until(leave, dispatcher, starting, idle_s)
        finally:
            (folder / "engine.json").unlink(missing_ok=True)
            await _end(dispatcher, nannies, starting)


async def _until(leave: asyncio.Event, dispatcher: Dispatcher, starting: asyncio.Future[Any], idle_s: float) -> None:
    """Wait for a signal, for a worker that cannot be started, or for a long silence."""
    quiet_since = time.monotonic()
    while not leave.is_set():
        if dispatcher.busy or dispatcher.guests or not starting.done():
            quiet_since = time.monotonic()
        if time.monotonic() - quiet_since > idle_s:
            log.info("nothing to do for %.0f s: leaving", idle_s)
            return
        if starting.done():
            starting.result()  # raises what kept a worker from starting
        try:
            await asyncio.wait_for(leave.wait(), min(1.0, idle_s / 4))
        except TimeoutError:
            continue


async def _end(dispatcher: Dispatcher, nannies: list[Nanny], starting: asyncio.Future[Any]) -> None:
    """End the worker processes first, so that nobody writes into a run any more when it gets its last state."""
    from core.jobs.dispatch import kill_worker

    dispatcher.closing = True
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)
    for nanny in nannies:
        nanny.close_gracefully()
        kill_worker(nanny)
    await asyncio.gather(*(nanny.close(timeout=2) for nanny in nannies), return_exceptions=True)
    await dispatcher.close()


def _on_signals() -> asyncio.Event:
    leave = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        if os.name == "nt":  # loops there take no signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(leave.set))
        else:
            loop.add_signal_handler(number, leave.set)
    return leave


def _new_security(folder: Path) -> Security:
    """A fresh certificate that only the owner of the workspace can read; it lives as long as the engine."""
    from distributed.security import Security

    fresh = Security.temporary()
    for name, text in zip(CERTIFICATES, (fresh.tls_ca_file, fresh.tls_client_cert, fresh.tls_client_key), strict=True):
        temp = folder / f".tmp-{secrets.token_hex(8)}"
        with disk_errors(), os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        os.replace(temp, folder / name)
    return security_of(folder)


def _nannies(address: str, security: Security, scratch: Path, preload: Sequence[str]) -> list[Nanny]:
    """The keepers of the worker processes: they start them, and start them again when they end."""
    from distributed import Nanny
    from distributed.system import MEMORY_LIMIT

    common = {
        "nthreads": 1,
        "host": LOOPBACK,
        "dashboard_address": f"{LOOPBACK}:0",
        "dashboard": False,
        "security": security,
        "local_directory": str(scratch),
        "preload": ["core.jobs.worker", *preload],
    }
    devices = gpus(os.environ)
    trainers = [
        Nanny(
            address,
            name=f"train-{number}",
            resources={"train": 1},
            memory_limit=int(0.9 * MEMORY_LIMIT / max(1, len(devices))),
            env={"CUDA_VISIBLE_DEVICES": device} if device else None,
            **common,
        )
        for number, device in enumerate(devices or [""])
    ]
    data = Nanny(address, name="data", resources={"data": 1}, memory_limit=int(0.5 * MEMORY_LIMIT), **common)
    return [*trainers, data]


def gpus(environ: Mapping[str, str]) -> list[str]:
    """The names of the NVIDIA GPUs to use, one training worker each: CUDA_VISIBLE_DEVICES, else all that are there."""
    if "CUDA_VISIBLE_DEVICES" in environ:
        return [name for name in environ["CUDA_VISIBLE_DEVICES"].split(",") if name.strip() not in ("", "-1")]
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    found = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=20, check=False)
    lines = [line for line in found.stdout.splitlines() if line.startswith("GPU ")]
    return [str(number) for number in range(len(lines))]


def worker_environment() -> dict[str, str]:
    """What has to be set before a worker process exists: all cores for its maths (Dask would set one), and its malloc.

    The options of `core.jobs.worker.keep_memory` have to be there from the first thread on, because training happens in
    a thread; Dask's own choice for them gives memory back after every batch.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    threads = {name: str(cores) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    return threads | {name: str(value) for name, (_, value) in MALLOC.items()}


def _ended_for_memory(nannies: list[Nanny], pid: int) -> bool:
    # the nanny tells nobody but itself why it ended its worker
    return any(getattr(nanny.memory_manager, "_last_terminated_pid", None) == pid for nanny in nannies)


async def dask_setup(scheduler: Scheduler) -> None:
    """Called when this module is loaded into the scheduler of a cluster elsewhere: the same queue, the same answers."""
    from core.jobs.dispatch import Dispatcher

    if not scheduler.address.startswith("tls://"):
        raise JobError(
            "This scheduler takes orders from everybody who reaches it.", hint="Start it with a certificate (--tls-…)."
        )
    dispatcher = Dispatcher(scheduler, new_id(), lambda pid: False)
    dispatcher.begin(AppSettings.from_env().home)


if __name__ == "__main__":
    sys.exit(main())
