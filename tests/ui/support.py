"""What tests of the app share: a workspace of its own, an engine in the test's process, a model without torch."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
from streamlit.components.v2.component_manager import BidiComponentManager
from streamlit.testing.v1 import AppTest

from core.errors import JobError
from core.interpret.tracing import Trace
from core.settings import to_record
from core.train import runs
from core.train.events import BatchDone, EpochDone, Finished, Progress, Saved, StageStarted, Started
from core.train.recipes import preset
from core.ui import answers, api, cache, routes, tensors
from core.ui.cache import Background
from core.workspace import Workspace
from tests.jobs.fake_engine import DeadEngine, FakeEngine

ROOT = Path(__file__).parents[2]
CACHES = (
    cache.settings,
    cache.demo_pictures,
    cache.predictors,
    answers._demo_answer,
    api._buckets,
    api._limiter,
    api._room,
    routes._limiter,
    routes._shrunk_file,
    routes._heats,
)


@dataclass(frozen=True)
class Answer:
    label: str
    probabilities: dict
    ms: float = 12.0


class Oracle:
    """A predictor that says the same about every picture and remembers how large they were."""

    def __init__(self, probabilities=None):
        self.probabilities = probabilities or {"black": 0.2, "grizzly": 0.7, "teddy": 0.1}
        self.seen = []

    def predict(self, images):
        self.seen += [image.size for image in images]
        return [Answer(max(self.probabilities, key=self.probabilities.get), dict(self.probabilities)) for _ in images]


def ready(value):
    """Something slow that is there already."""
    made = Background("test", lambda: value)
    made._value, made.state = value, "ready"
    made._done.set()
    return made


def failed(message):
    """Something slow that did not come up; it fails again whenever it is tried."""

    def fail():
        raise JobError(message, hint="Try again in a moment.")

    made = Background("test", fail)
    made.error, made.state = JobError(message, hint="Try again in a moment."), "failed"
    return made


CLASSES = ("black", "grizzly", "teddy")


def traced(pictures):
    """Tensors on the way from pictures to an answer that fit together, without a network."""
    draw = np.random.default_rng(len(pictures))
    pixels = draw.integers(0, 256, (len(pictures), 3, 32, 32), dtype=np.uint8)
    mean, std = np.full(3, 0.5, np.float32), np.full(3, 0.25, np.float32)
    hidden, weights = draw.normal(size=(len(pictures), 512)), draw.normal(size=(3, 512)) / 20
    return Trace(
        pixels, mean, std, ((pixels / 255 - 0.5) / 0.25).astype(np.float32), (len(pictures), 8, 1, 1),
        np.zeros((len(pictures), 16), np.float32), hidden, weights, hidden @ weights.T, CLASSES,
    )  # fmt: skip


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """The app over an empty workspace: `home`, `workspace`, `engine` (holds what is submitted), `oracle`."""
    monkeypatch.setenv("BEARINGS_HOME", str(tmp_path))
    monkeypatch.delenv("BEARINGS_PROFILE", raising=False)
    monkeypatch.delenv("BEARINGS_ENGINE", raising=False)
    for cached in CACHES:
        cached.cache_clear()
    monkeypatch.setattr("os.fsync", lambda handle: None)  # no power cut is tried here
    # before every run the test's runtime reads the metadata of all installed packages; the app has no such component
    monkeypatch.setattr(BidiComponentManager, "discover_and_register_components", lambda self, **options: None)
    st.cache_data.clear()
    st.cache_resource.clear()
    engine, oracle = FakeEngine(held=True), Oracle()
    port, demo = ready(engine), ready(oracle)
    monkeypatch.setattr(cache, "engine", lambda: port)
    monkeypatch.setattr(cache, "demo", lambda: demo)
    monkeypatch.setattr(cache.Predictors, "trace", lambda self, model, pictures: traced(pictures))
    tensors._kept.cache_clear()
    yield SimpleNamespace(home=tmp_path, workspace=Workspace(tmp_path), engine=engine, oracle=oracle)
    for cached in CACHES:
        cached.cache_clear()


@pytest.fixture
def no_engine(lab, monkeypatch):
    """The app when no engine answers."""
    port = ready(DeadEngine())
    monkeypatch.setattr(cache, "engine", lambda: port)
    return lab


def open_page(name, *, state=None, **query):
    """One page opened cold by its own address, as a fresh session."""
    app = AppTest.from_file(str(ROOT / "core/ui/shell.py"), default_timeout=30)
    for key, value in (state or {}).items():
        app.session_state[key] = value
    for key, value in query.items():
        app.query_params[key] = value
    if name != "home":
        app.switch_page(f"../../pages/{name}.py")
    return app.run()


def words(app):
    """Everything a page says, as one text, as a reader sees it."""
    return without_terms(html.unescape(markup(app)))


def without_terms(text):
    """A text without its links to the glossary, the words of which stay."""
    text = re.sub(r'<a class="term"[^>]*>(.*?)</a>', r"\1", text, flags=re.DOTALL)
    return re.sub(r"\[([^\[\]]*)\]\(/glossary[^)]*\)", r"\1", text)


def markup(app):
    """Everything a page says, as it is sent to the browser."""
    parts = [
        element.value for kind in ("title", "markdown", "error", "warning", "caption") for element in app.get(kind)
    ]
    parts += [element.proto.body for element in app.get("html")]
    return "\n".join(str(part) for part in parts)


def labels(app):
    """The labels of all buttons."""
    return [button.label for button in app.button]


def training_request(dataset, *, epochs=2, lr=3e-3):
    settings = preset("quick", epochs=epochs, lr=lr)
    return {"dataset": dataset.id, "settings": to_record(settings), "preset": "quick"}


def training_run(dataset, *, state="done", epochs=2, wrong=(6, 3), code=None, weights=True):
    """A training run on disk that has got as far as `state`, two steps an epoch."""
    run = runs.create_run(dataset.workspace, "train", training_request(dataset, epochs=epochs))
    if state == "queued":
        return run
    run = runs.set_state(run, "starting")
    run = runs.set_state(run, "running")
    for event in events_of_training(dataset, epochs, wrong):
        runs.append_event(run, event)
    if weights:
        (run.path / "last.safetensors").write_bytes(b"weights")
        (run.path / "items.csv").write_bytes((dataset.path / "items.csv").read_bytes())
    if state == "running":
        return run
    result = {"error_rate": wrong[-1] / 12, "wrong": wrong[-1], "of": 12, "seconds": 3.0}
    message = {"failed": "The worker was ended from outside.", "diverged": "The loss is not a number."}.get(state)
    return runs.set_state(run, state, code=code, message=message, hint="Continue it.", result=result)


def events_of_training(dataset, epochs, wrong):
    yield Started(0, dataset.id, dataset.version, dataset.classes, 27, 9, epochs, 0.66, "cpu", "float32")
    yield Progress(1, "activations", 20, 36)
    yield StageStarted(2, 0, epochs, 2 * epochs, True, True, (3e-3,), "one_cycle", 1000)
    for epoch, missed in enumerate(wrong):
        for step in (2 * epoch, 2 * epoch + 1):
            yield BatchDone(3, 0, epoch, step, 1e-3, 0.9, 1 / (step + 1), 1 / (step + 1))
        loss = 0.8 / (epoch + 1)
        yield EpochDone(4, 0, epoch, loss, loss, loss, loss, missed / 12, 1 - missed / 12, missed, 12, 1e-3, 0.5, 99.0)
        yield Saved(4, 0, epoch, "last.safetensors", best=True)
    yield Finished(5, "done", wrong[-1] / 12, wrong[-1], 12, 3.0)
