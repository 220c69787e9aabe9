"""Tables that stay in memory between reruns."""

import os

import pytest

from core.data import edits
from core.data.table import read_items
from core.errors import NotFound
from core.ui import state
from core.ui.cache import Tables
from tests.conftest import make_toy


@pytest.fixture
def reads():
    """A reader that remembers what it was asked for."""
    seen = []

    def read(path):
        seen.append(path)
        return read_items(path)

    read.seen = seen
    return read


def test_a_table_is_read_once_until_its_file_is_replaced(tmp_path, reads):
    dataset, tables = make_toy(tmp_path), Tables()
    path = dataset.path / "items.csv"
    first, again = tables.read(path, reads), tables.read(path, reads)
    assert len(reads.seen) == 1 and first.equals(again)
    edits.delete(dataset, ["0"])
    assert (tables.read(path, reads)["status"] == "deleted").sum() == 1 and len(reads.seen) == 2


def test_a_file_of_the_same_size_and_time_is_still_another_file(tmp_path, reads):
    dataset, tables = make_toy(tmp_path), Tables()
    path = dataset.path / "items.csv"
    tables.read(path, reads)
    before = path.stat()
    other = path.with_name("other.csv")
    other.write_text(path.read_text().replace("0.jpg", "9.jpg", 1))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    assert tables.read(path, reads)["original_name"].iloc[0] == "9.jpg"


def test_who_changes_a_table_changes_nobody_elses(tmp_path, reads):
    path, tables = make_toy(tmp_path).path / "items.csv", Tables()
    mine = tables.read(path, reads)
    mine.loc[:, "label"] = "mine"
    mine["new"] = 1
    other = tables.read(path, reads)
    assert set(other["label"]) == {"r", "g", "b"} and "new" not in other


def test_only_the_tables_used_last_are_kept(tmp_path, reads):
    tables = Tables(size=1)
    one, two = (make_toy(tmp_path / name).path / "items.csv" for name in "ab")
    for path in (one, two, two, one):
        tables.read(path, reads)
    assert reads.seen == [one, two, one]


def test_a_table_that_is_gone_says_so(tmp_path, reads):
    with pytest.raises(NotFound, match="missing"):
        Tables().read(tmp_path / "items.csv", reads)


def test_what_counts_is_the_same_as_the_data_set_says(lab):
    dataset = make_toy(lab.home)
    edits.delete(dataset, ["1", "2"])
    assert state.kept(dataset).equals(dataset.kept()) and len(state.items(dataset)) == 36
