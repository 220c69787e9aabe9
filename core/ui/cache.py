"""What the whole process shares: settings, the engine's port and warm models. Each is made once, on first use.

The web server answers before any of this is ready: slow things are made by threads in the background, and a page asks
whether they are. Nothing here belongs to one session, and nothing here is dropped by Streamlit's "clear cache".
"""

from __future__ import annotations

import dataclasses
import gc
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import pandas as pd
from PIL import Image

from core.data.images import LONGEST_SIDE, encode, open_image
from core.errors import JobError, LabError, ModelError
from core.plots.heat import overlay
from core.settings import AppSettings
from core.ui.models import DEMO, Model
from core.workspace import Workspace

T = TypeVar("T")
log = logging.getLogger("bearings")
WARM_MODELS = 3
WARM_TABLES = 32


class Background(Generic[T]):
    """Something slow that a thread makes once. `state` is "waiting", "working", "ready" or "failed"."""

    def __init__(self, what: str, make: Callable[[], T]) -> None:
        self.what = what
        self._make = make
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._value: T | None = None
        self.state = "waiting"
        self.error: LabError | None = None

    def start(self) -> None:
        """Begin in a thread of its own, unless that has happened; after a failure this tries again."""
        with self._lock:
            if self.state in ("working", "ready"):
                return
            self.state, self.error = "working", None
            self._done.clear()
        threading.Thread(target=self._work, name=f"bearings-{self.what}", daemon=True).start()

    def _work(self) -> None:
        try:
            self._value = self._make()
            self.state = "ready"
        except LabError as error:
            self.error, self.state = error, "failed"
        except Exception:  # a thread has nobody above it: the log gets the traceback, the page a sentence
            log.exception("%s could not be made ready", self.what)
            self.error = LabError(f"{self.what} did not start.", hint="The log of the server says why.")
            self.state = "failed"
        finally:
            self._done.set()

    def ready(self) -> bool:
        """Whether the value is there; the first question starts the work."""
        if self.state == "waiting":
            self.start()
        return self.state == "ready"

    def wait(self) -> None:
        """Until it is there or has failed."""
        self._done.wait()

    def get(self, timeout_s: float = 60.0) -> T:
        """The value; waits for it, tries again after a failure, and raises the LabError that kept it away."""
        self.start()
        if not self._done.wait(timeout_s):
            raise JobError(f"{self.what} takes longer than usual to start.", hint="Try again in a moment.")
        if self.error is not None:
            raise self.error
        return self._value  # type: ignore[return-value]


@cache
def settings() -> AppSettings:
    """The settings of this process, read from the environment once."""
    return AppSettings.from_env()


@cache
def engine() -> Background[Any]:
    """The port to the engine. The first use starts `python -m core.jobs.serve` if none answers."""

    def connect() -> Any:
        from core.jobs.engine import connect

        return connect(settings())

    return Background("The training engine", connect)


@cache
def demo() -> Background[Any]:
    """The predictor of the shipped model, with everything it needs imported and used once."""

    def warm() -> Any:
        from core.deploy import demo as shipped
        from core.deploy.predictor import Predictor
        from core.jobs.worker import keep_memory

        keep_memory()  # each answer needs the same again
        predictor = Predictor(shipped.bundle())
        predictor.predict([shipped.pictures()[0].jpeg] * 2)
        gc.collect()
        gc.freeze()  # what is imported now stays: later collections need not look at it
        return predictor

    return Background("The bear model", warm)


@cache
def demo_pictures() -> dict[str, Any]:
    """The sample pictures of the shipped model by their hash, in their order (fields: sha, jpeg, label)."""
    from core.deploy import demo as shipped

    return {picture.sha: picture for picture in shipped.pictures()}


class Predictors:
    """The few models that were used last, ready to answer; one picture is computed at a time.

    One thread computes them all: each thread that computes brings helpers of its own, one a core, and those of several
    threads wait for each other (Lite0 on two busy cores: 27 ms with one thread that answers, 68 ms with four).
    """

    def __init__(self, size: int = WARM_MODELS) -> None:
        self._size = size
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bearings-answers")
        self._warm: OrderedDict[tuple[Path, float], Any] = OrderedDict()

    def predict(self, model: Model, picture: bytes) -> Any:
        """What a model says about one picture. `ms` counts from the bytes to the answer, without waiting for a turn."""
        began = time.perf_counter()
        image = open_image(picture, longest_side=LONGEST_SIDE)
        opening_ms = 1000 * (time.perf_counter() - began)
        prediction = self.turn(model, lambda predictor: predictor.predict([image])[0])
        return dataclasses.replace(prediction, ms=opening_ms + prediction.ms)

    def heat(self, model: Model, picture: bytes, label: str | None = None) -> bytes:
        """A JPEG of the square a model sees with the evidence for a class laid over it (its own answer without one)."""
        image = open_image(picture, longest_side=LONGEST_SIDE)
        pixels, heat = self.turn(model, lambda predictor: _evidence(predictor, image, label))
        return encode(overlay(pixels[0].permute(1, 2, 0).numpy(), heat)).jpeg

    def turn(self, model: Model, work: Callable[[Any], T]) -> T:
        """What `work` makes of a model's predictor, in the thread that computes: nobody else does until it is done."""
        shipped = self._shipped(model)
        return self._thread.submit(lambda: work(shipped or self._of_run(model))).result()

    def activations(self, model: Model, picture: bytes) -> Any:
        """What the body of a model gives for a picture, (2 * features,) float32, as a reading has them."""
        image = open_image(picture, longest_side=LONGEST_SIDE)
        return self.turn(model, lambda predictor: predictor.activations(image))

    def trace(self, model: Model, pictures: Sequence[bytes]) -> Any:
        """Every tensor between pictures and their scores, see core.interpret.tracing; ImageRejected for a bad one."""
        from core.interpret.tracing import trace

        images = [open_image(picture, longest_side=LONGEST_SIDE) for picture in pictures]
        return self.turn(
            model,
            lambda one: trace(one.model, [one.pixels(image) for image in images], device=one.device),
        )

    def _shipped(self, model: Model) -> Any:
        """The predictor of the shipped model, once it is awake: nobody else's turn waits for that."""
        return demo().get() if model.id == DEMO else None

    def _of_run(self, model: Model) -> Any:
        from core.deploy.predictor import Predictor

        key = (model.path, model.saved_at)
        if key not in self._warm:
            self._warm[key] = Predictor(model.bundle())
            self._warm[key].predict([Image.new("RGB", (64, 64))])  # the first answer of a model takes longer
        self._warm.move_to_end(key)
        while len(self._warm) > self._size:
            self._warm.popitem(last=False)
        return self._warm[key]


def _evidence(predictor: Any, image: Image.Image, label: str | None) -> tuple[Any, Any]:
    """What a model sees of a picture, and the evidence for a class in it."""
    from core.interpret.saliency import grad_cam

    label = label or predictor.predict([image])[0].label
    if label not in predictor.classes:
        raise ModelError(f"This model has no class {label[:40]!r}.", hint="Choose one of its classes.")
    pixels = predictor.pixels(image)
    return pixels, grad_cam(predictor.model, pixels, predictor.classes.index(label), device=predictor.device)


@cache
def predictors() -> Predictors:
    """The process's warm models."""
    return Predictors()


class Warm:
    """The few things that were worked out last, by what they were made from."""

    def __init__(self, size: int = 32) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._known: OrderedDict[Hashable, Any] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What `make` gives; it is asked once for a key (at worst two threads ask at once)."""
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = make()
        with self._lock:
            self._known[key] = known
            self._known.move_to_end(key)
            while len(self._known) > self._size:
                self._known.popitem(last=False)
        return known


class Tables:
    """The few tables that were read last. A file that was replaced meanwhile is read anew, so nothing here is stale.

    What is handed out may be changed: pandas copies what somebody writes to.
    """

    def __init__(self, size: int = WARM_TABLES) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._warm: OrderedDict[Path, tuple[tuple[int, int, int], pd.DataFrame]] = OrderedDict()

    def read(self, path: Path, reader: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
        """What `reader` makes of a file; a file keeps to one reader. Errors of the reader are its own."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return reader(path)
        stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
        with self._lock:
            known = self._warm.get(path)
        if known is None or known[0] != stamp:
            known = (stamp, reader(path))  # at worst two threads read the same
        with self._lock:
            self._warm[path] = known
            self._warm.move_to_end(path)
            while len(self._warm) > self._size:
                self._warm.popitem(last=False)
        return known[1].copy(deep=False)


@cache
def tables() -> Tables:
    """The process's warm tables."""
    return Tables()


@cache
def descents() -> Warm:
    """The descents that were walked last."""
    return Warm()


def start_all() -> None:
    """Begin to make everything ready, without waiting: first what the start page shows, then the engine."""

    def one_after_the_other() -> None:
        demo().wait()
        engine().start()

    demo().start()
    threading.Thread(target=one_after_the_other, name="bearings-start", daemon=True).start()


def submit(workspace: Workspace, kind: str, request: dict[str, Any]) -> str:
    """Write a run down and hand it to the engine; the run's id. JobError when there is no engine or no room for it."""
    from core.train.runs import create_run

    port = engine().get()
    return port.submit(create_run(workspace, kind, request)).id


def resubmit(run: Any) -> None:
    """Put a run that ended too early back into the queue; it goes on from its last checkpoint."""
    engine().get().resume(run)
