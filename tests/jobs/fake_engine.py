"""An engine in the test's own process: each run is done at once and to its end when it is submitted."""

from core.errors import JobError
from core.jobs import worker
from core.jobs.engine import Status
from core.train import runs


class FakeEngine:
    """The port without processes. `held`: runs stay queued until `work_off` is called."""

    def __init__(self, *, held=False):
        self.held = held
        self.waiting = []

    def submit(self, run):
        self.waiting.append(run)
        if not self.held:
            self.work_off()
        return runs.load_run(run.workspace, run.id)

    def resume(self, run):
        return self.submit(runs.requeue(run))

    def stop(self, run):
        runs.request_stop(run)
        self.waiting = [other for other in self.waiting if other.id != run.id]
        if runs.load_run(run.workspace, run.id).state == "queued":
            runs.set_state(run, "stopped")

    def status(self, run):
        run = runs.load_run(run.workspace, run.id)
        ids = [other.id for other in self.waiting]
        return Status(run.state, ids.index(run.id) + 1 if run.id in ids else None, run.record["message"])

    def events(self, run, start=0):
        return runs.read_events(run, start)

    def work_off(self):
        """Do everything that waits."""
        while self.waiting:
            run = self.waiting.pop(0)
            worker.execute(str(run.workspace.home), run.workspace.owner, run.id)


class DeadEngine(FakeEngine):
    """An engine that does not answer."""

    def submit(self, run):
        raise JobError("The engine does not answer.", hint="Try again in a moment.")
