"""Two tabs that edit one data set at the same time, as processes and as threads: no edit is lost."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest

from core.data import edits
from core.data.ledger import LINES
from core.data.table import Dataset, load_dataset, version_of
from core.workspace import Workspace, read_lines
from tests.conftest import make_toy

ROOT = Path(__file__).parents[2]
EDITS = 200
PAUSE_S = 0.001  # somebody who clicks leaves gaps, and much longer ones
TAB = """
import os, sys
from pathlib import Path
from core.workspace import Workspace
from core.data.table import load_dataset
from tests.data.test_two_tabs import edit_often

os.fsync = lambda handle: None  # the disk is not what is tried here
sys.stdout.write("ready"), sys.stdout.flush(), sys.stdin.readline()
edit_often(load_dataset(Workspace(Path(sys.argv[1])), "toy"), sys.argv[2:], int(sys.stdin.readline()))
"""


def edit_often(dataset: Dataset, items: list[str], count: int) -> None:
    """Edits of every kind, each of which changes something; the data set is that of the beginning all the time."""
    sides = dataset.items().set_index("item")["split"]
    for number in range(count):
        time.sleep(PAUSE_S)
        item, visit = items[number // 4 % len(items)], number // 4 // len(items)
        if number % 4 == 0:
            side = ("train", "valid")[(sides[item] == "train") ^ visit % 2]
            edits.place(dataset, {item: side}, words=f"{item}:{number}")
        elif number % 4 == 1:
            edits.relabel(dataset, {item: "xy"[visit % 2]}, words=f"{item}:{number}")
        elif number % 4 == 2:
            edits.delete(dataset, [item], words=f"{item}:{number}")
        else:
            edits.restore(dataset, [item])


def check(dataset: Dataset, before: pd.DataFrame) -> list[dict]:
    """Every edit stands on the one before it, and all of them together make the table."""
    lines = read_lines(dataset.path / LINES)[0]
    table = before.set_index("item", drop=False)
    for line, previous in zip(lines[1:], lines, strict=False):
        assert line["parent"] == previous["version"]
        for item, column, old, new in line["changes"]:
            assert table.at[item, column] == old
            table.at[item, column] = new
    now = load_dataset(dataset.workspace, dataset.id)
    assert now.items().equals(table.reset_index(drop=True))
    assert now.version == version_of(now.items()) == lines[-1]["version"]
    assert len({line["id"] for line in lines}) == len(lines)
    return lines[1:]


TABS = [["1", "2", "3"], ["9", "10", "11"]]


@pytest.mark.slow
def test_two_processes_of_200_edits_each_lose_none(tmp_path):
    toy = make_toy(tmp_path, per_class=8)
    before = toy.items()
    command = [sys.executable, "-c", TAB, str(tmp_path)]
    tabs = [
        subprocess.Popen([*command, *items], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for items in TABS
    ]
    assert [tab.stdout.read(5) for tab in tabs] == [b"ready", b"ready"]
    for tab in tabs:
        tab.stdin.write(f"go\n{EDITS}\n".encode())
        tab.stdin.flush()
    for tab in tabs:
        tab.communicate(timeout=120)
        assert tab.returncode == 0
    lines = check(toy, before)
    assert len(lines) == 2 * EDITS
    tabs_of = [next(place for place, items in enumerate(TABS) if line["changes"][0][0] in items) for line in lines]
    assert sum(first != second for first, second in zip(tabs_of, tabs_of[1:], strict=False)) >= 3  # they took turns


def test_two_threads_lose_no_edit(tmp_path, monkeypatch):
    monkeypatch.setattr("os.fsync", lambda handle: None)
    toy = make_toy(tmp_path, per_class=8)
    before = toy.items()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda items: edit_often(load_dataset(Workspace(tmp_path), "toy"), items, 24), TABS))
    assert len(check(toy, before)) == 48
