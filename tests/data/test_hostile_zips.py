"""The corpus of hostile zips: nothing is written outside the store, limits hold, and no picture hides another."""

import hashlib
import os
import re
from pathlib import Path

import pytest

from core.data.archive import MAX_MEMBERS
from core.data.events import DataReady
from core.data.ingest import import_source
from core.data.table import load_dataset
from core.errors import DataError
from core.settings import ImportSettings
from core.workspace import Workspace
from tests.data.hostile_zips import GOOD, corpus

CASES = corpus()
STORED = re.compile(r"images|rejected|images/[0-9a-f]{64}\.jpg|rejected/([0-9a-f]{64}\.bin|report\.csv)")
TABLES = {"dataset.json", "items.csv", "edits.jsonl"}


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_the_corpus_is_large():
    assert len(CASES) >= 40 and sum(bool(case.refused) for case in CASES.values()) >= 10
    assert MAX_MEMBERS == 20_000  # "too many files" has more


@pytest.mark.parametrize("name", CASES)
def test_a_zip_gives_its_pictures_and_nothing_else(tmp_path, monkeypatch, name):
    case, inside = CASES[name], tmp_path / "a" / "b" / "c"
    inside.mkdir(parents=True)
    monkeypatch.chdir(inside)
    monkeypatch.setattr(os, "symlink", None)
    case.write(tmp_path / "photos.zip")
    before = everything(tmp_path)
    workspace = Workspace(inside / "home")
    events = import_source(workspace, tmp_path / "photos.zip", name="x", settings=ImportSettings(), workers=1)
    if case.refused:
        with pytest.raises(DataError, match=case.refused) as caught:
            list(events)
        assert caught.value.hint
    else:
        ready = list(events)[-1]
        assert isinstance(ready, DataReady)
        assert (ready.kept, len(ready.rejected)) == (len(GOOD) + case.more, case.rejected), ready.rejected
        assert all(one["reason"].endswith(".") and one["name"].isprintable() for one in ready.rejected)
        dataset = load_dataset(workspace, ready.dataset)
        stored = everything(dataset.path)
        assert {entry for entry in stored if not STORED.fullmatch(entry)} == TABLES
        for sha in dataset.items()["file"]:
            assert hashlib.sha256(dataset.image_path(sha).read_bytes()).hexdigest() == sha
        assert dataset.items()["file"].is_unique and set(dataset.classes) <= {"cat", "dog", "tmp", "server"}
    outside = {entry for entry in everything(tmp_path) - before if not entry.startswith("a/b/c/home")}
    assert outside == set()
    assert not case.refused or not any("images" in entry for entry in everything(tmp_path))


def test_the_names_are_words_in_the_table_only(tmp_path):
    CASES["control and direction"].write(tmp_path / "photos.zip")
    workspace = Workspace(tmp_path / "home")
    ready = list(import_source(workspace, tmp_path / "photos.zip", name="x", settings=ImportSettings()))[-1]
    names = set(load_dataset(workspace, ready.dataset).items()["original_name"]) - set(GOOD)
    assert names == {"cat/a\ufffdb\ufffdgnp.exe.png", "cat/\ufffd[31m.png"}
