"""The child process that opens pictures: tasks on stdin, clean JPEGs on stdout (`python -m core.data.decoder`).

A picture that needs too much memory or crashes a decoder ends this process, not the import. Messages are a length,
a JSON record and raw bytes, never pickles, so that a broken child cannot hand code to its parent. Neither torch nor
pandas is imported here: a child is ready in a fraction of a second.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import struct
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from core.data.images import Encoded, encode, reencode
from core.errors import ImageRejected

MEMORY_LIMIT_BYTES = 2 * 2**30  # of address space, libraries included
_HEAD = struct.Struct(">II")


@dataclass(frozen=True)
class Task:
    """One picture to make: `kind` is a key of TASKS, `data` its bytes or where they lie."""

    kind: str = "reencode"
    options: Mapping[str, Any] = field(default_factory=dict)
    data: bytes | Path = b""


def perform(task: Task) -> Encoded:
    """Do the task in this process; ImageRejected when the picture cannot be used."""
    try:
        return TASKS[task.kind](task)
    except OSError as error:  # the file went away, or may not be read
        raise ImageRejected(
            "unreadable", "The file cannot be read.", hint="Check that it is still there and that you may open it."
        ) from error
    except MemoryError as error:
        raise ImageRejected(
            "memory", "This picture needs too much memory.", hint="Make it smaller and import it again."
        ) from error


def _reencode(task: Task) -> Encoded:
    return reencode(task.data)


def _take_over(task: Task) -> Encoded:
    from core.data.stored import take_over

    return take_over(task.data)


def _draw_bears(task: Task) -> Encoded:
    from core.data.samples.bears import draw_scene

    return encode(draw_scene(task.options["label"], seed=task.options["seed"]).image)


TASKS: Mapping[str, Callable[[Task], Encoded]] = {"reencode": _reencode, "stored": _take_over, "bears": _draw_bears}


def send(stream: BinaryIO, record: Mapping[str, Any], payload: bytes = b"") -> None:
    """Write one message."""
    head = json.dumps(record).encode()
    stream.write(_HEAD.pack(len(head), len(payload)))
    stream.write(head)
    stream.write(payload)
    stream.flush()


def receive(stream: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read one message; EOFError when the other side is gone."""
    head_size, payload_size = _HEAD.unpack(_exactly(stream, _HEAD.size))
    record = json.loads(_exactly(stream, head_size))
    return record, _exactly(stream, payload_size)


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError("the other process is gone")
    return data


def _answer(record: Mapping[str, Any], payload: bytes) -> tuple[dict[str, Any], bytes]:
    data = Path(record["path"]) if record["path"] is not None else payload
    try:
        made = perform(Task(record["kind"], record["options"], data))
    except ImageRejected as error:
        return {"rejected": [error.code, error.message, error.hint]}, b""
    except Exception as error:  # a fault of ours: the parent raises it with the text
        return {"failed": f"{type(error).__name__}: {error}"}, b""
    return {"width": made.width, "height": made.height, "note": made.note}, made.jpeg


def _limit_memory() -> None:
    if sys.platform == "linux":
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        limit = MEMORY_LIMIT_BYTES if hard == resource.RLIM_INFINITY else min(hard, MEMORY_LIMIT_BYTES)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def main() -> None:
    """Answer tasks until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    tasks, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that prints may get between the messages
    _limit_memory()
    send(answers, {"ready": True})
    with contextlib.suppress(EOFError, BrokenPipeError):  # the parent is gone or has closed us: that is the end
        while True:
            send(answers, *_answer(*receive(tasks)))


if __name__ == "__main__":
    main()
