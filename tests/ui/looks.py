"""What tests of the page about where a model looks share: its maps and its inside, without torch."""

import numpy as np

from core.interpret.peaks import FILE, KIND, Peaks, block_peaks, to_npz
from core.interpret.reading import ACTIVATIONS
from core.train import runs
from core.ui import evidence
from core.ui.evidence import Seen
from core.vision.blocks import BODIES
from tests.ui.answers import read

SIDE = 4  # of every block's map here


def read_with_groups(dataset, **how):
    """A model, its pass, and activations (n, 6) in which the classes lie apart."""
    model, run = read(dataset, **how)
    items = dataset.kept()
    rng = np.random.default_rng(0)
    directions = {label: np.eye(6)[number % 6] for number, label in enumerate(dataset.classes)}
    rows = np.array([directions[label] for label in items["label"]]) + rng.normal(0, 0.1, (len(items), 6))
    np.save(run.path / ACTIVATIONS, rows.astype(np.float16))
    return model, run


def paint(monkeypatch):
    """Take the place of the network: a heat map with its peak in the upper left, and covering that says the same.

    Returns what was asked for, one word each.
    """
    asked = []
    heat = np.zeros((7, 7), dtype=np.float32)
    heat[0:2, 0:2] = 1

    def seen(model, path, label):
        asked.append(f"heat {label}")
        return Seen(np.full((64, 64, 3), 90, dtype=np.uint8), heat)

    def falls(model, path, label):
        asked.append(f"cover {label}")
        found = np.zeros((8, 8))
        found[0:2, 0:2] = 0.2
        return found

    def answers(model, path, blocks):
        asked.append("inside")
        channels = {block.name: block.channels for block in BODIES["lite0"]}
        return {name: np.random.default_rng(1).normal(2, 1, (channels[name], SIDE, SIDE)) for name in blocks}

    monkeypatch.setattr(evidence, "_seen", seen)
    monkeypatch.setattr(evidence, "_falls", falls)
    monkeypatch.setattr(evidence, "block_answers", answers)
    monkeypatch.setattr(evidence, "head_view", lambda model, rows: np.asarray(rows, dtype=np.float32)[:, :3])
    return asked


def inside_run(model, dataset, *, state="done"):
    """A look inside a model that has got as far as `state`."""
    saved_at = (model.path / "last.safetensors").stat().st_mtime
    request = {"run": model.id, "dataset": dataset.id, "version": dataset.version, "saved_at": saved_at}
    run = runs.set_state(runs.set_state(runs.create_run(dataset.workspace, KIND, request), "starting"), "running")
    if state == "running":
        return run
    if state == "done":
        files, rng = tuple(dataset.kept()["file"]), np.random.default_rng(0)
        blocks = {
            block.name: block_peaks(
                rng.normal(size=(len(files), block.channels)),
                rng.integers(0, SIDE**2, (len(files), block.channels)),
                SIDE,
            )
            for block in BODIES["lite0"]
        }
        (run.path / FILE).write_bytes(to_npz(Peaks(files, blocks)))
    return runs.set_state(run, state, message="It ran out of memory." if state == "failed" else None, hint="Try again.")
