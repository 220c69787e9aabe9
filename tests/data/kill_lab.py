"""Work that is killed: each kind of work is done by children of this process, each killed before another system call.

`python kill_lab.py HOME SERVER SEED POINTS` leaves one workspace per kill under HOME/<kind>/<number> and prints how
many were killed. The children are forks, so that each starts with everything imported.
"""

import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from core.data import fetch_set
from core.data.decoder import Task, perform
from core.data.edits import Mark
from core.data.fetch_set import fetch_into
from core.data.images import reencode
from core.data.ingest import import_source
from core.data.marks import apply_marks, put_marks
from core.data.mistakes import add_mistake, remove_mistake
from core.data.table import create_empty, load_dataset
from core.data.url_list import UrlRow
from core.errors import ImageRejected
from core.settings import ImportSettings
from core.workspace import Workspace

CALLS = {"open", "write", "flush", "close", "fsync", "replace", "rename", "unlink", "mkdir", "link", "chmod"}
PLACES = {"BufferedWriter", "FileIO", "TextIOWrapper", "BufferedRandom"}
SETTINGS = ImportSettings()
PICTURES = 8


def picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 80, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def marks() -> dict[str, Mark]:
    deleted = {f"{number:06d}": Mark("delete", was="a") for number in (1, 2)}
    return deleted | {f"{number:06d}": Mark("relabel", "a", was="b") for number in (6, 7)}


def rows(server: str) -> list[UrlRow]:
    return [UrlRow(number + 1, "ab"[number % 2], f"http://{server}/{number}") for number in range(PICTURES)]


def bring(workspace: Workspace, source: Path) -> None:
    list(import_source(workspace, source, name="pets", settings=SETTINGS, workers=1))


def fetch(workspace: Workspace, server: str) -> None:
    list(fetch_into(load_dataset(workspace, "web"), rows(server), allow_hosts=(server,)))


def keep(workspace: Workspace, number: int, label: str = "a") -> str:
    """Picture `number` as a mistake; the hash it is stored under."""
    answer = {"said": "ab"[label == "a"], "probability": 0.9, "run": "a" * 26}
    return add_mistake(load_dataset(workspace, "pets"), picture(100 + number), label=label, **answer).file


def mistakes(workspace: Workspace) -> None:
    """From the mistakes 0 and 1: one comes, one gets another label, one goes."""
    keep(workspace, 2)
    keep(workspace, 0, "b")
    remove_mistake(load_dataset(workspace, "pets"), reencode(picture(101)).sha)


@contextlib.contextmanager
def decoders_here(_workers: int | None):
    def opened(data: bytes):
        try:
            return perform(Task(data=data))
        except ImageRejected as reason:
            return reason

    with ThreadPoolExecutor(1) as threads:
        yield lambda data: threads.submit(opened, data)


class Killer:
    """Counts the calls that touch files, in every thread, and ends the process before number `point`."""

    def __init__(self, point: int | None) -> None:
        self.count = 0
        self.point = point

    def __call__(self, frame: object, event: str, call: object) -> None:
        if event != "c_call" or getattr(call, "__name__", "") not in CALLS:
            return
        owner = getattr(call, "__self__", None)
        if getattr(owner, "__name__", "") in ("posix", "io", "_io") or type(owner).__name__ in PLACES:
            self.count += 1
            if self.count == self.point:
                os.kill(os.getpid(), signal.SIGKILL)


def in_a_child(work: Callable[[], None], point: int | None) -> int:
    """Do the work in a fork: 0 when it was killed at `point`, else how many calls there were."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        killer = Killer(point)
        threading.setprofile(killer)
        sys.setprofile(killer)
        work()
        sys.setprofile(None)
        os.write(writer, str(killer.count).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        count = file.read()
    os.waitpid(pid, 0)
    return int(count or 0)


def copied(base: Path, target: Path) -> Workspace:
    if base.exists():
        shutil.copytree(base, target)
    return Workspace(target)


def main() -> None:
    home, server, seed, points = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    fetch_set._decoders, fetch_set.COMMIT_PICTURES = decoders_here, 4
    os.fsync = lambda handle: None  # the system outlives the process: what was written is there
    source = home / "source"
    for number in range(PICTURES):
        path = source / "ab"[number >= PICTURES // 2] / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(picture(number))
    bring(Workspace(home / "apply" / "base"), source)
    put_marks(load_dataset(Workspace(home / "apply" / "base"), "pets"), marks())
    bring(Workspace(home / "mistakes" / "base"), source)
    for number in (0, 1):
        keep(Workspace(home / "mistakes" / "base"), number)
    create_empty(Workspace(home / "fetch" / "base"), name="web", settings=SETTINGS)
    kinds: dict[str, Callable[[Workspace], object]] = {
        "import": lambda workspace: bring(workspace, source),
        "apply": lambda workspace: apply_marks(load_dataset(workspace, "pets")),
        "fetch": lambda workspace: fetch(workspace, server),
        "mistakes": mistakes,
    }
    report = {}
    for kind, work in kinds.items():
        base = home / kind / "base"
        work(copied(base, home / kind / "warm"))  # everything is imported now
        whole = copied(base, home / kind / "whole")
        total = in_a_child(lambda work=work, whole=whole: work(whole), None)
        chosen = sorted(random.Random(f"{seed}:{kind}").sample(range(1, total + 1), min(points, total)))
        killed = 0
        for number, point in enumerate(chosen):
            workspace = copied(base, home / kind / f"{number:02d}")
            killed += in_a_child(lambda work=work, workspace=workspace: work(workspace), point) == 0
        report[kind] = {"calls": total, "points": chosen, "killed": killed}
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main()
