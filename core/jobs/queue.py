"""The queue's rules, without an engine: who may join, who comes next, and what is left after an engine was killed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import JobError
from core.jobs import worker
from core.train import runs
from core.train.runs import Run
from core.workspace import Workspace, is_id

log = logging.getLogger(__name__)

LANES: Mapping[str, str] = {
    "train": "train",
    "lr_find": "train",
    "inspect": "train",
    "suspects": "train",
    "read": "train",
    "experiment": "train",
    "landscape": "train",
    "tta": "train",
    "import": "data",
    "sample": "data",
    "add": "data",
    "fetch": "data",
}
QUEUED_MAX = 3
ROUND_MAX = 5  # runs of one round of the lab count as one run
GOES_ON = "What was saved is kept: continue it, or start anew."


@dataclass(frozen=True)
class Ticket:
    """A place in the queue. `lane` is the kind of worker it waits for: "train" or "data".

    `round` names the round of the lab that the run belongs to; "" for a run of its own.
    """

    home: str
    owner: str
    run_id: str
    lane: str
    submitted: float
    round: str = ""

    @property
    def run(self) -> Run:
        """The run as it stands now."""
        return runs.load_run(Workspace(Path(self.home), self.owner), self.run_id)


def refusal(ticket: Ticket, waiting: Sequence[Ticket], running: Sequence[Ticket]) -> str | None:
    """Why a run may not join the queue, or None: an owner has at most one running and three waiting in each lane.

    Up to five runs of one round of the lab count as one.
    """
    mine = [other for other in (*waiting, *running) if (other.owner, other.lane) == (ticket.owner, ticket.lane)]
    together = [other for other in mine if ticket.round and other.round == ticket.round]
    if 0 < len(together) < ROUND_MAX:
        return None
    units = {other.round or other.run_id for other in mine}
    if len(units) < 1 + QUEUED_MAX and not together:
        return None
    return f"You have {len(mine)} runs under way already: one may work and {QUEUED_MAX} may wait."


def order(waiting: Sequence[Ticket], served: Mapping[str, int]) -> list[Ticket]:
    """The order in which waiting runs of one lane get their turn: the owner whose last turn is longest ago, then who
    submitted first. `served` holds the number of each owner's last turn. Owners a, a, b take turns as a, b, a.
    """
    left = sorted(waiting, key=lambda ticket: ticket.submitted)
    turns = dict(served)
    ordered = []
    while left:
        ticket = min(left, key=lambda ticket: (turns.get(ticket.owner, 0), ticket.submitted))
        left.remove(ticket)
        turns[ticket.owner] = max(turns.values(), default=0) + 1
        ordered.append(ticket)
    return ordered


def recover(home: Path, boot: str) -> list[Ticket]:
    """Look through all runs of a workspace: what nobody works on any more becomes interrupted.

    Returns the runs that were submitted and never started, the oldest first: they wait again.
    """
    waiting = []
    for owner in sorted(entry.name for entry in home.iterdir() if entry.name == "local" or is_id(entry.name)):
        for run in runs.list_runs(Workspace(home, owner)):
            if run.state == "queued" and run.record["submitted"]:
                waiting.append(ticket_of(run))
            elif run.state in ("starting", "running") and not _is_worked_on(run, boot):
                end_run(run, "interrupted", "engine", "The engine ended while this run was under way.", GOES_ON)
    return sorted(waiting, key=lambda ticket: ticket.submitted)


def end_run(run: Run, state: str, code: str | None, message: str, hint: str) -> None:
    """Give a run its last state, unless its own process has done so in the meantime."""
    try:
        runs.set_state(run, state, code=code, message=message, hint=hint)
    except JobError:
        log.info("run %s had ended by itself", run.id)


def _is_worked_on(run: Run, boot: str) -> bool:
    held = run.record["lease"]
    return bool(held) and (held["boot"] == boot or worker.is_held(held))


def ticket_of(run: Run) -> Ticket:
    """The place of a run that was submitted."""
    home, owner = run.workspace.home, run.workspace.owner
    lab = run.request.get("lab")
    group = str(lab.get("group", "")) if isinstance(lab, Mapping) else ""
    return Ticket(str(home), owner, run.id, LANES[run.kind], run.record["submitted"], group)


def write_down(run: Run, ticket: Ticket, *, again: bool) -> None:
    """The queue on disk: a run that was submitted carries the time at which it was."""
    if again:
        run = runs.requeue(run)
    if run.state != "queued":
        raise JobError(f"This run is {run.state} and cannot be submitted.", hint="Start a new one, or continue it.")
    runs.note_down(run, submitted=ticket.submitted)
