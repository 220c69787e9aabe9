"""Who comes next: submitted runs in, one at a time out to the workers, and an honest last state for every one of them.

The dispatcher lives in the scheduler's process and answers there (submit, stop, position, hello). It holds the queue in
memory only: everything it knows is in the run folders, so an engine that was killed finds its queue again.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
from distributed import Client, Scheduler
from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.scheduler import KilledWorker
from distributed.security import Security

import core
from core.errors import LabError
from core.jobs import worker
from core.jobs.queue import GOES_ON, LANES, Ticket, end_run, order, recover, refusal, ticket_of, write_down
from core.train import runs
from core.train.memory import halve
from core.train.runs import Run
from core.workspace import Workspace, sweep_temp

log = logging.getLogger(__name__)

GRACE_S = 5.0
HEARTBEAT_S = 5.0
MISSED_MAX = 10
Reason = tuple[str, str | None, str, str]  # state, code, message, hint


def kill_worker(dask_worker: Any) -> None:
    """Runs in a nanny: end its worker process and that one's children at once. The nanny starts a fresh one."""
    pid = dask_worker.pid
    if pid is None:
        return
    family = psutil.Process(pid)
    for process in [*family.children(recursive=True), family]:
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


class Dispatcher(SchedulerPlugin):
    """The engine's queue. `ran_out_of_memory(pid)` says whether a process was ended for the memory it took."""

    name = "bearings"

    def __init__(self, scheduler: Scheduler, boot: str, ran_out_of_memory: Callable[[int], bool]) -> None:
        self.scheduler = scheduler
        self.boot = boot
        self.client: Client | None = None
        self.waiting: list[Ticket] = []
        self.running: dict[str, Ticket] = {}
        self.served: dict[str, dict[str, int]] = {lane: {} for lane in set(LANES.values())}
        self.closing = False
        self._ran_out_of_memory = ran_out_of_memory
        self._arriving: dict[str, Ticket] = {}
        self._keys: dict[str, str] = {}
        self._follows: dict[str, asyncio.Task[None]] = {}
        self._reasons: dict[str, Reason] = {}
        self._missed: dict[str, tuple[float, int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._count = itertools.count(1)

    async def open(self, home: Path) -> None:
        """Take up the queue of a workspace and begin to answer."""
        self.client = await Client(
            self.scheduler.address,
            security=_as_client(self.scheduler.security),
            asynchronous=True,
            set_as_default=False,
        )
        self.scheduler.allowed_failures = 0  # on a cluster elsewhere too: what crashed is not run again unasked
        self.scheduler.add_plugin(self)
        swept = await asyncio.to_thread(sweep_temp, home)
        self.waiting = await asyncio.to_thread(recover, home, self.boot)
        log.info("engine %s: %d runs waiting, %d temporary files swept", self.boot, len(self.waiting), swept)
        for verb in (self.hello, self.submit, self.stop, self.position):
            self.scheduler.handlers[f"bearings_{verb.__name__}"] = verb
        self._spawn(self._watch_heartbeats())
        self._pump()

    def begin(self, home: Path) -> None:
        """Open as soon as the scheduler is up: for a scheduler that is just being set up."""
        self._spawn(self.open(home))

    async def close(self) -> None:
        """Stop handing out runs and give those under way their last state; call it once their processes are gone."""
        self.closing = True
        if self._follows:
            await asyncio.wait(set(self._follows.values()), timeout=GRACE_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for ticket in self.running.values():
            await self._close_record(ticket, None)
        if self.client is not None:
            await self.client.close()

    @property
    def busy(self) -> bool:
        """Whether anything runs or waits."""
        return bool(self.waiting or self.running or self._arriving)

    @property
    def guests(self) -> int:
        """How many clients are connected besides the dispatcher's own."""
        own = {"fire-and-forget", self.client.id if self.client else ""}
        return len(set(self.scheduler.clients) - own)

    # what clients may ask

    async def hello(self) -> dict[str, Any]:
        """Who answers here."""
        return {"boot": self.boot, "version": core.__version__, "busy": self.busy}

    async def submit(self, home: str, owner: str, run_id: str, again: bool = False) -> dict[str, Any]:
        """Put a run in the queue (`again`: one that ended too early), or say why not."""
        run = await asyncio.to_thread(runs.load_run, Workspace(Path(home), owner), run_id)
        if run.ended and run_id in self._follows:  # it has only just ended: its worker is still tidying up
            await asyncio.wait({self._follows[run_id]}, timeout=2 * GRACE_S)
        if self._find(run_id) is not None:  # a double click
            return {"ok": True}
        ticket = replace(ticket_of(run), submitted=time.time())
        why = refusal(ticket, [*self.waiting, *self._arriving.values()], list(self.running.values()))
        if why is not None:
            return {"ok": False, "message": why, "hint": "Wait until one has finished, or stop one."}
        self._arriving[run_id] = ticket
        try:
            await asyncio.to_thread(write_down, run, ticket, again=again)
        except LabError as error:
            return {"ok": False, "message": error.message, "hint": error.hint}
        finally:
            del self._arriving[run_id]
        self.waiting.append(ticket)
        self._pump()
        return {"ok": True}

    async def stop(self, home: str, owner: str, run_id: str) -> dict[str, Any]:
        """End a run: at once when it waits, by its stop flag when it works, by force when it does not listen."""
        run = await asyncio.to_thread(runs.load_run, Workspace(Path(home), owner), run_id)
        await asyncio.to_thread(runs.request_stop, run)
        self.waiting = [ticket for ticket in self.waiting if ticket.run_id != run_id]
        if run.state == "queued":
            await asyncio.to_thread(end_run, run, "stopped", None, "Stopped before it began.", "")
        if run_id in self.running:
            self._spawn(self._insist(self.running[run_id]))
        return {"ok": True}

    async def position(self, run_id: str) -> dict[str, Any]:
        """The place of a waiting run: 1 is next. None for one that does not wait."""
        ticket = self._find(run_id)
        if ticket is None or ticket not in self.waiting:
            return {"position": None}
        lane = [other for other in self.waiting if other.lane == ticket.lane]
        return {"position": order(lane, self.served[ticket.lane]).index(ticket) + 1}

    # what happens by itself

    def add_worker(self, scheduler: Scheduler, worker: str) -> None:
        """A worker is ready: there may be room for the next run."""
        self._pump()

    def _find(self, run_id: str) -> Ticket | None:
        known = (*self.waiting, *self.running.values(), *self._arriving.values())
        return next((ticket for ticket in known if ticket.run_id == run_id), None)

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)  # the loop itself holds tasks by weak references only
        task.add_done_callback(self._finish)
        return task

    def _finish(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("the dispatcher met a fault", exc_info=task.exception())

    def _pump(self) -> None:
        """Hand out as many runs as there are free workers; an owner has one at a time in each lane."""
        for lane, served in self.served.items():
            at_work = [ticket for ticket in self.running.values() if ticket.lane == lane]
            free = self._slots(lane) - len(at_work)
            busy = {ticket.owner for ticket in at_work}
            for ticket in order([ticket for ticket in self.waiting if ticket.lane == lane], served):
                if free < 1 or self.closing:
                    break
                if ticket.owner in busy:
                    continue
                free -= 1
                busy.add(ticket.owner)
                served[ticket.owner] = next(self._count)
                self.waiting.remove(ticket)
                self.running[ticket.run_id] = ticket
                self._follows[ticket.run_id] = self._spawn(self._follow(ticket))

    def _slots(self, lane: str) -> int:
        return int(sum(state.resources.get(lane, 0) for state in self.scheduler.workers.values()))

    async def _follow(self, ticket: Ticket) -> None:
        """Have one run done and make sure that it ends with a last state, whatever becomes of its process."""
        try:
            fault, spoiled = await self._have_done(ticket)
            goes_on = await self._close_record(ticket, fault)
            if spoiled:
                await self._kill(spoiled)
            if goes_on:
                self.waiting.append(ticket)
        finally:
            for book in (self.running, self._follows, self._keys, self._reasons):
                book.pop(ticket.run_id, None)
            self._pump()

    async def _have_done(self, ticket: Ticket) -> tuple[Exception | None, str | None]:
        """Send a run to a worker and wait: what went wrong with that worker, and its address if it must be renewed."""
        key = self._keys[ticket.run_id] = f"{ticket.run_id}-{next(self._count)}"
        whose = (ticket.home, ticket.owner, ticket.run_id, self.boot)
        try:
            future = self.client.submit(
                worker.execute, *whose, key=key, resources={ticket.lane: 1}, pure=False, retries=0
            )
            spoiled = await future
            place = next(state.address for state in self.scheduler.tasks[key].who_has) if spoiled else None
            future.release()  # an answer that is lost with its worker would be computed again
        except Exception as error:
            log.warning("run %s: its worker gave no answer: %s", ticket.run_id, type(error).__name__)
            return error, None
        return None, place

    async def _close_record(self, ticket: Ticket, fault: Exception | None) -> bool:
        """Give a run its last state. True: it has none, because it goes on with half the batch for want of memory."""
        try:
            run = await asyncio.to_thread(getattr, ticket, "run")
            if run.ended or (self.closing and run.state == "queued"):
                return False
            reason = self._reasons.get(run.id) or self._judge(run, fault)
            if reason[1] == "oom" and run.kind == "train" and await asyncio.to_thread(halve, run):
                await asyncio.to_thread(write_down, run, ticket, again=True)
                return True
            await asyncio.to_thread(end_run, run, *reason)
        except LabError:
            log.exception("the last state of run %s could not be written", ticket.run_id)
        return False

    def _judge(self, run: Run, fault: Exception | None) -> Reason:
        """Why a run has no last state although its worker is done with it."""
        held = run.record["lease"]
        if self.closing:
            return "interrupted", "engine", "The engine ended while this run was under way.", GOES_ON
        if held and self._ran_out_of_memory(held["pid"]):
            return "failed", "oom", "There was not enough memory for this.", "Choose a smaller batch or image size."
        if fault is None or isinstance(fault, KilledWorker):
            return "failed", "killed", "The process that worked on this was ended from outside.", GOES_ON
        return "failed", "error", "The worker could not do this run.", "The engine's log says more."

    async def _insist(self, ticket: Ticket) -> None:
        """End the process of a run that does not stop by itself within the grace period."""
        await asyncio.sleep(GRACE_S)
        if self.running.get(ticket.run_id) is not ticket:
            return
        task = self.scheduler.tasks.get(self._keys[ticket.run_id])
        if task is None or task.processing_on is None:
            return
        message = f"It did not stop by itself within {GRACE_S:.0f} seconds, so its process was ended."
        self._reasons[ticket.run_id] = ("stopped", None, message, GOES_ON)
        await self._kill(task.processing_on.address)

    async def _kill(self, address: str) -> None:
        """End a worker process and wait until the scheduler has forgotten it; its nanny starts a fresh one."""
        if address not in self.scheduler.workers:
            return
        log.info("ending worker %s", address)
        with contextlib.suppress(asyncio.TimeoutError):  # a host that is lost does not answer
            await asyncio.wait_for(self.client.run(kill_worker, workers=[address], nanny=True, on_error="ignore"), 5)
        for _ in range(50):
            if address not in self.scheduler.workers:
                return
            await asyncio.sleep(0.02)
        await self.scheduler.remove_worker(address, stimulus_id=f"bearings-{next(self._count)}", safe=False)

    async def _watch_heartbeats(self) -> None:
        """End workers that hang. Missed beats are counted here, so that a laptop's sleep or a clock jump is not one."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            for address, state in list(self.scheduler.workers.items()):
                seen, missed = self._missed.get(address, (0.0, 0))
                self._missed[address] = (state.last_seen, missed + 1 if seen == state.last_seen else 0)
                if self._missed[address][1] >= MISSED_MAX:
                    await self._end_stalled(address)

    async def _end_stalled(self, address: str) -> None:
        del self._missed[address]
        message = f"The process that worked on this has not answered for {HEARTBEAT_S * MISSED_MAX:.0f} seconds."
        keys = {str(task.key) for task in self.scheduler.workers[address].processing}
        for ticket in self.running.values():
            if self._keys.get(ticket.run_id) in keys:
                self._reasons[ticket.run_id] = ("failed", "stalled", message, GOES_ON)
        await self._kill(address)


def _as_client(security: Security) -> Security:
    """The scheduler's own certificate, for a client in its own process."""
    return Security(
        require_encryption=True,
        tls_ca_file=security.tls_ca_file,
        tls_client_cert=security.tls_scheduler_cert,
        tls_client_key=security.tls_scheduler_key,
    )
