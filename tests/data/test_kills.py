"""kill -9 during an import, an Apply, a fetch or among mistakes: what is found afterwards is whole, old or new."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from core.data import fetch_set
from core.data.decoder import Task, perform
from core.data.edits import history, undo
from core.data.images import reencode
from core.data.ledger import PLAN
from core.data.marks import apply_marks, labels_of, read_marks
from core.data.mistakes import mistake_path, read_mistakes
from core.data.store import sweep_unfinished
from core.data.table import Dataset, list_datasets, load_dataset, version_of
from core.workspace import Workspace, read_json, sweep_temp
from tests.data import kill_lab
from tests.data.web_server import WebServer, answer

ROOT = Path(__file__).parents[2]
POINTS = 20
pytestmark = pytest.mark.slow
PICTURES = kill_lab.PICTURES


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """All the kills, done once: the folder with the workspaces, the server, and what the lab says."""
    home = tmp_path_factory.mktemp("kills")
    with WebServer() as server:
        server.pages["/"] = lambda path: answer(200, kill_lab.picture(int(path[1:])), (b"Content-Type", b"image/png"))
        command = [sys.executable, "-m", "tests.data.kill_lab", str(home), server.host, "7", str(POINTS)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        yield home, server.host, json.loads(done.stdout)


@pytest.fixture(autouse=True)
def quick_disk(monkeypatch):
    """No power cut here: what a killed process has written is there."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


def workspaces(lab, kind: str) -> list[Workspace]:
    home, _, report = lab
    found = [Workspace(home / kind / f"{number:02d}") for number in range(POINTS)]
    assert report[kind]["killed"] >= POINTS - 2, report  # threads make the end of a fetch a matter of chance
    return found


def check(dataset: Dataset) -> None:
    """Nothing of a data set is half."""
    items, record = dataset.items(), read_json(dataset.path / "dataset.json")
    assert record["version"] == dataset.version == version_of(items)
    assert set(record["classes"]) == set(items.loc[items["status"] == "kept", "label"])
    assert items["item"].is_unique and not items.duplicated(["file", "label"]).any()
    for sha in items["file"]:
        data = dataset.image_path(sha).read_bytes()
        assert hashlib.sha256(data).hexdigest() == sha and perform(Task(data=data))
    assert not (dataset.path / PLAN).exists()
    assert history(dataset)[0].record["version"] == dataset.version


def sweep(workspace: Workspace) -> None:
    sweep_temp(workspace.root, max_age_s=-1)
    sweep_unfinished(workspace, max_age_s=-1)
    assert not list(workspace.root.rglob(".tmp-*"))
    assert len(list(workspace.folder("datasets").glob("?" * 26))) == len(list_datasets(workspace))


def test_an_import_that_was_killed_is_there_in_full_or_not_at_all(lab):
    whole = load_dataset(Workspace(lab[0] / "import" / "whole"), "pets")
    there = 0
    for workspace in workspaces(lab, "import"):
        for dataset in list_datasets(workspace):
            check(dataset)
            there += 1
        sweep(workspace)
        if not list_datasets(workspace):
            kill_lab.bring(workspace, lab[0] / "source")
        [dataset] = list_datasets(workspace)
        check(dataset)
        assert dataset.version == whole.version
    assert there < POINTS


def test_an_apply_that_was_killed_is_carried_out_once(lab):
    old = load_dataset(Workspace(lab[0] / "apply" / "base"), "pets").version
    new = load_dataset(Workspace(lab[0] / "apply" / "whole"), "pets").version
    found = []
    for workspace in workspaces(lab, "apply"):
        dataset = load_dataset(workspace, "pets")
        check(dataset)
        found.append(dataset.version)
        marks = read_marks(dataset, labels_of(dataset))
        assert marks.pending == ({} if dataset.version == new else kill_lab.marks())
        apply_marks(dataset)
        dataset = load_dataset(workspace, "pets")
        check(dataset)
        sweep(workspace)
        assert dataset.version == new and [entry.kind for entry in history(dataset)] == ["clean", "import"]
        assert undo(dataset).dataset.version == old
    assert set(found) == {old, new}


def test_a_fetch_that_was_killed_keeps_what_was_listed_and_finishes_the_rest(lab, monkeypatch):
    monkeypatch.setattr(fetch_set, "_decoders", kill_lab.decoders_here)
    whole = load_dataset(Workspace(lab[0] / "fetch" / "whole"), "web")
    counts = set()
    for workspace in workspaces(lab, "fetch"):
        dataset = load_dataset(workspace, "web")
        check(dataset)
        counts.add(len(dataset.kept()))
        kill_lab.fetch(workspace, lab[1])
        dataset = load_dataset(workspace, "web")
        check(dataset)
        sweep(workspace)
        assert sorted(dataset.kept()["source"]) == sorted(row.url for row in kill_lab.rows(lab[1]))
        assert set(dataset.kept()["file"]) == set(whole.kept()["file"])
    assert counts & set(range(1, PICTURES)) and max(counts) <= PICTURES  # some were killed in the middle


def test_mistakes_are_there_with_their_pictures_whenever_their_making_was_killed(lab):
    first, second, third = (reencode(kill_lab.picture(100 + number)).sha for number in range(3))
    whole = load_dataset(Workspace(lab[0] / "mistakes" / "base"), "pets").version
    steps = [
        [(first, "a"), (second, "a")],
        [(first, "a"), (second, "a"), (third, "a")],
        [(second, "a"), (third, "a"), (first, "b")],
        [(third, "a"), (first, "b")],
    ]
    found = []
    for workspace in workspaces(lab, "mistakes"):
        dataset = load_dataset(workspace, "pets")
        table = read_mistakes(dataset)
        found.append(steps.index(list(zip(table["file"], table["label"], strict=True))))
        for sha in table["file"]:
            assert hashlib.sha256(mistake_path(dataset, sha).read_bytes()).hexdigest() == sha
        kill_lab.mistakes(workspace)
        table = read_mistakes(dataset)
        assert list(zip(table["file"], table["label"], strict=True)) == steps[-1]
        pictures = (dataset.path / "mistakes" / "images").glob("*.jpg")
        assert sorted(path.stem for path in pictures) == sorted([first, third])
        check(load_dataset(workspace, "pets"))
        sweep(workspace)
        assert dataset.version == whole
    assert len(set(found)) >= 3
